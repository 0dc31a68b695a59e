"""Starts processes with engines quickly: everything is imported once, each process is a fork.

`python -m tests.integration.engine.nursery` reads orders, one line of JSON each, and answers a line with the
pid. `{"wait": pid}` waits for the end of a process, and answers its exit status (negative: the signal).
"""

import gc
import json
import os
import sys
import traceback

from tests.integration.engine import executor
from tests.integration.engine.executor import Orders


def main() -> None:
    """Serve until the input ends."""
    import anyio._backends._asyncio  # noqa: F401 - so that no fork has to
    import dbos  # noqa: F401

    gc.freeze()
    for line in sys.stdin:
        asked = json.loads(line)
        if "wait" in asked:
            _, status = os.waitpid(asked["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _child(Orders(**asked))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _child(orders: Orders) -> None:
    code = 1
    try:
        executor.main(orders)
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, the one who reads the test's output wants it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
