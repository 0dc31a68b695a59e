"""The id that one request has everywhere: in our answers and logs, and in those of the regions it leads to.

It need not be secret, and each call to a region has one: asking the system for randomness costs three times
as much as a generator of our own.
"""

import os
import random

_RANDOM = random.Random()  # noqa: S311 - as said above
os.register_at_fork(after_in_child=_RANDOM.seed)

#: What a UUID of version 4 has in the place of random bits (RFC 4122, section 4.4).
_FIXED, _VERSION_4 = 0xF000 << 64 | 0xC000 << 48, 0x4000 << 64 | 0x8000 << 48


def new_request_id() -> str:
    """An id in the form that OpenStack's services accept from callers: `req-` and a UUID."""
    digits = f"{_RANDOM.getrandbits(128) & ~_FIXED | _VERSION_4:032x}"
    return f"req-{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
