"""The id that one request has everywhere: in our answers and logs, and in those of the regions it leads to.

It need not be secret, and each call to a region has one: asking the system for randomness costs three times
as much as a generator of our own.
"""

import os
import random
import uuid

_RANDOM = random.Random()  # noqa: S311 - as said above
os.register_at_fork(after_in_child=_RANDOM.seed)


def new_request_id() -> str:
    """An id in the form that OpenStack's services accept from callers."""
    return f"req-{uuid.UUID(int=_RANDOM.getrandbits(128), version=4)}"
