"""A clouds.yaml for a simulated cloud."""

import json
from pathlib import Path
from typing import Any

from multisite.sim.plan import password
from multisite.sim.world import World


def clouds(world: World, *, prefix: str = "sim") -> dict[str, Any]:
    """The entries `sim-admin` and `sim-PROJECT`, which name no region.

    Where each region has a Keystone, they are `REGION-admin` and `REGION-PROJECT`.
    """
    users = ("admin", *world.plan.tenant_names())
    if not world.plan.own_keystone:
        auth_url = world.auth_url(world.names[0])
        return {f"{prefix}-{user}": _entry(auth_url, user) for user in users}
    return {
        f"{region}-{user}": _entry(world.auth_url(region), user) | {"region_name": region}
        for region in world.names
        for user in users
    }


def _entry(auth_url: str, user: str) -> dict[str, Any]:
    auth = {
        "auth_url": auth_url, "username": user, "password": password(user), "project_name": user,
        "user_domain_name": "Default", "project_domain_name": "Default",
    }  # fmt: skip
    return {"auth": auth, "identity_api_version": "3"}


def write_clouds(entries: dict[str, Any], path: Path) -> None:
    """Write the entries as a clouds.yaml that only its owner reads (JSON is YAML). Raises `OSError`."""
    draft = path.with_name(f"{path.name}.draft")
    try:
        draft.touch(mode=0o600)
        draft.write_text(json.dumps({"clouds": entries}, indent=2) + "\n", encoding="utf-8")
        draft.replace(path)  # who waits for the file finds the whole of it
    except OSError as error:
        raise OSError(f"{path} cannot be written: {error.strerror}") from error
