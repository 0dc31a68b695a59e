"""One process at a time on a file of SQLite.

Two services on one file would each believe that they are alone. A lock on a file beside it says which one is
there; the kernel gives it back when that process ends, however it ends. PostgreSQL is for many.
"""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from multisite.db.engine import parse_url
from multisite.errors import ConfigurationError
from multisite.locks import lock

LOG = logging.getLogger(__name__)


@contextmanager
def alone_on_file(url: str, otherwise: str) -> Iterator[None]:
    """Be the only process on the database's file, as long as the block lasts.

    Raises `ConfigurationError` while another one is there; `otherwise` says what to do then.
    """
    parsed = parse_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        yield
        return
    path = Path(f"{parsed.database}.lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        LOG.warning("%s cannot be made (%s): nothing keeps a second process away", path, error.strerror)
        yield
        return
    try:
        _be_alone(descriptor, parsed.database, otherwise)
        yield
    finally:
        os.close(descriptor)


def _be_alone(descriptor: int, database: str, otherwise: str) -> None:
    if not lock(descriptor):
        holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        raise ConfigurationError(
            f"multisite (process {holder}) is at work on the database {database}; {otherwise}"
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
