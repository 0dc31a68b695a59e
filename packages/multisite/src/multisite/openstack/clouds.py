"""Credentials: entries of the server's clouds.yaml.

A region names an entry; the entry never leaves this package. The file is read again when it changed,
so a rotated password needs no restart. Secrets do not appear in any message.
"""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from multisite.openstack.failures import RegionCallError


@dataclass(frozen=True, slots=True)
class Credential:
    """One entry of clouds.yaml, ready to authenticate.

    `key` is equal for entries that authenticate as the same user to the same Keystone and project:
    such entries share one token. `verify` and `client_certificate` are as `requests` takes them.
    """

    name: str
    key: str
    auth_url: str
    plugin: Any
    verify: bool | str
    client_certificate: str | tuple[str, str] | None
    region_name: str | None
    interface: str


class Clouds:
    """The entries of one clouds.yaml file; `None` for the places where openstacksdk looks.

    Whether the file changed is looked at again after `look_again` seconds: each call to a region asks for
    its credential.
    """

    def __init__(self, path: Path | None, *, look_again: float = 1.0) -> None:
        self._look_again = look_again
        self._path = path
        self._lock = threading.Lock()
        self._stamp: float | None = None
        self._fresh_until = float("-inf")
        self._known: dict[str, Credential] = {}

    def credential(self, name: str) -> Credential:
        """The entry called `name`.

        Raises `RegionCallError` (`credential-unusable`) when the file or the entry is missing or wrong.
        """
        with self._lock:
            self._forget_if_changed()
            if name not in self._known:
                self._known[name] = self._load(name)
            return self._known[name]

    def names(self) -> frozenset[str]:
        """The names of all entries. Raises `RegionCallError` when the file cannot be read."""
        with self._lock:
            self._forget_if_changed()
            with self._reading("the form"):
                return frozenset(self._config().get_cloud_names())

    def lacks(self, name: str, known: Iterable[str]) -> str:
        """The sentence about an entry that is not there."""
        return f"{self._where} has no entry {name!r}; it has: {', '.join(sorted(known)) or 'none'}"

    @property
    def _where(self) -> Path | str:
        return self._path or "clouds.yaml"

    def _forget_if_changed(self) -> None:
        now = time.monotonic()
        if self._path is None or now < self._fresh_until:
            return
        self._fresh_until = now + self._look_again
        try:
            stamp = self._path.stat().st_mtime
        except OSError as error:
            raise _unusable(f"{self._path} cannot be read: {error.strerror}") from error
        if stamp != self._stamp:
            self._known.clear()
            self._stamp = stamp

    def _load(self, name: str) -> Credential:
        with self._reading(f"entry {name!r}"):
            config = self._config()
            if name not in config.get_cloud_names():
                raise _unusable(self.lacks(name, config.get_cloud_names()))
            entry = config.get_one(cloud=name)
            verify, certificate = entry.get_requests_verify_args()
            return _credential(name, entry, True if verify is None else verify, certificate)

    def _config(self) -> Any:
        # Imported here: the import costs a third of a second that no command but `serve` should pay.
        import openstack.config
        import yaml

        if self._path is not None:
            yaml.safe_load(self._path.read_bytes())  # openstacksdk passes over a file that it cannot read
        files = None if self._path is None else [str(self._path)]
        return openstack.config.OpenStackConfig(
            config_files=files, secure_files=[], load_envvars=False, app_name="multisite"
        )

    @contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        """Turn every way in which clouds.yaml can be wrong into one kind of error."""
        import openstack.exceptions
        import yaml
        from keystoneauth1.exceptions import ClientException

        try:
            yield
        except (openstack.exceptions.ConfigException, ClientException, TypeError, AttributeError) as error:
            raise _unusable(f"{what} of {self._where} is not usable: {error}") from error
        except (OSError, yaml.YAMLError) as error:
            problem = str(getattr(error, "problem", None) or error)
            raise _unusable(f"{self._where} cannot be read: {' '.join(problem.split())}") from error


def _credential(name: str, entry: Any, verify: bool | str, certificate: Any) -> Credential:  # noqa: FBT001
    plugin = entry.get_auth()
    auth_url = str(entry.config.get("auth", {}).get("auth_url") or "")
    if plugin is None or not auth_url:
        raise _unusable(f"entry {name!r} has no auth_url")
    return Credential(
        name=name,
        key=plugin.get_cache_id() or f"entry:{name}",
        auth_url=auth_url,
        plugin=plugin,
        verify=verify,
        client_certificate=certificate,
        region_name=entry.config.get("region_name") or None,
        interface=entry.get_interface() or "public",
    )


def _unusable(detail: str) -> RegionCallError:
    return RegionCallError("credential-unusable", detail)
