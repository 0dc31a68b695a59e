"""The key that seals the page's sessions: a file of mode 0600, made when it is missing."""

import os
import secrets
from pathlib import Path

from multisite.errors import ConfigurationError

KEY_BYTES = 32


def page_key(path: Path) -> bytes:
    """The key in `path`.

    Two processes that start at once agree on one: the file appears whole or not at all. Raises
    `ConfigurationError` when others may read it, or it cannot be used.
    """
    try:
        if not path.exists():
            _create(path)
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(
                f"[page] secret_file {path} is readable by others; run: chmod 600 {path}"
            )
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it holds no key"
        raise ConfigurationError(f"[page] secret_file {path} cannot be used: {reason}") from error
    if len(key) < KEY_BYTES:
        raise ConfigurationError(f"[page] secret_file {path} holds a key that is too short; remove it")
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(KEY_BYTES) + "\n")
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass  # another process was first: its key counts
    finally:
        temporary.unlink()
