"""Locks that the kernel gives back when their process ends, however it ends."""

import fcntl


def lock(descriptor: int) -> bool:
    """Lock an open file or folder, until it is closed; `False` where another process has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
