"""Credentials: entries of the server's clouds.yaml.

A region names an entry; the entry never leaves this package. The file is read again when it changed,
so a rotated password needs no restart. Secrets do not appear in any message.
"""

import threading
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
    """The entries of one clouds.yaml file; `None` for the places where openstacksdk looks."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._stamp: float | None = None
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

    def _forget_if_changed(self) -> None:
        if self._path is None:
            return
        try:
            stamp = self._path.stat().st_mtime
        except OSError as error:
            raise _unusable(f"{self._path} cannot be read: {error.strerror}") from error
        if stamp != self._stamp:
            self._known.clear()
            self._stamp = stamp

    def _load(self, name: str) -> Credential:
        # Imported here: the import costs a third of a second that no command but `serve` should pay.
        import openstack.config
        import openstack.exceptions
        import yaml
        from keystoneauth1.exceptions import ClientException

        files = None if self._path is None else [str(self._path)]
        where = self._path or "clouds.yaml"
        try:
            config = openstack.config.OpenStackConfig(
                config_files=files, secure_files=[], load_envvars=False, app_name="multisite"
            )
            if name not in config.get_cloud_names():
                known = ", ".join(sorted(config.get_cloud_names())) or "none"
                raise _unusable(f"{where} has no entry {name!r}; it has: {known}")
            entry = config.get_one(cloud=name)
            verify, certificate = entry.get_requests_verify_args()
            return _credential(name, entry, True if verify is None else verify, certificate)
        except (openstack.exceptions.ConfigException, ClientException, TypeError, AttributeError) as error:
            raise _unusable(f"entry {name!r} of {where} is not usable: {error}") from error
        except (OSError, yaml.YAMLError) as error:
            problem = str(getattr(error, "problem", None) or error)
            raise _unusable(f"{where} cannot be read: {problem}") from error


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
