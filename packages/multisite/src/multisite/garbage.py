"""How often Python looks for garbage.

A process that reads thousands of regions keeps hundreds of thousands of objects for long, and makes tens
of thousands that do not outlive a call. Python's defaults walk over the former each time there are some of
the latter: a third of the time of a sweep, measured. Almost all garbage is freed by reference counts at once;
what is in cycles can wait.
"""

import gc

#: New objects until the youngest are looked at, and how many of those rounds until the older and oldest are.
THRESHOLDS = (60_000, 20, 100)


def look_seldom() -> None:
    """Set up this process; call it when all modules are loaded and everything long-lived is made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
