"""Keystone: its keys, its service users, and the catalog of the regions it serves.

Fernet keys are written as `keystone-manage fernet_setup` would, which saves two slow
calls. The catalog goes in over REST, all regions of a Keystone in one go, and only what is
missing: a second `up` writes nothing.
"""

import base64
import os
from pathlib import Path
from typing import Any

from lab.configuration import ADMIN_PASSWORD, SERVICE_PASSWORD, SERVICE_USERS, write_keystone
from lab.layout import Lab, Region
from lab.limits import REGISTERED
from lab.rest import Rest

INTERFACES = ("public", "internal", "admin")
CATALOG = {
    "identity": ("keystone", "/v3"),
    "compute": ("nova", "/v2.1"),
    "placement": ("placement", ""),
    "network": ("neutron", ""),
    "image": ("glance", ""),
    "volumev3": ("cinder", "/v3"),
}
SERVICE_ROLES = ("admin", "service")


def write_files(lab: Lab, owner: Region) -> None:
    """Write the configuration and, the first time, the keys."""
    folder = write_keystone(lab, owner).parent
    for name in ("fernet-keys", "credential-keys"):
        _write_keys(folder / name)


def _write_keys(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    # 0 is the key to come, 1 the one in use.
    for name in ("0", "1"):
        path = folder / name
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))


def administrator(lab: Lab, region: Region) -> Rest:
    """A region as its administrator sees it."""
    return Rest(lab, region, "admin", ADMIN_PASSWORD, "admin")


def write_catalog(lab: Lab, owner: Region) -> None:
    """Enter the regions, service users and endpoints that are missing."""
    admin = administrator(lab, owner)
    for region in lab.served_by(owner):
        if region.name not in {item["id"] for item in _list(admin, "regions")}:
            admin.post("keystone", "/regions", {"region": {"id": region.name}})
    _write_users(admin)
    known = {item["type"]: item["id"] for item in _list(admin, "services")}
    for kind, (name, _) in CATALOG.items():
        if kind not in known:
            body = {"service": {"type": kind, "name": name}}
            known[kind] = admin.post("keystone", "/services", body)["service"]["id"]
    for region in lab.served_by(owner):
        _write_endpoints(lab, admin, region, known)


def _write_users(admin: Rest) -> None:
    projects = {item["name"]: item["id"] for item in _list(admin, "projects")}
    users = {item["name"]: item["id"] for item in _list(admin, "users")}
    roles = {item["name"]: item["id"] for item in _list(admin, "roles")}
    if "service" not in projects:
        body = {"project": {"name": "service", "domain_id": "default"}}
        projects["service"] = admin.post("keystone", "/projects", body)["project"]["id"]
    for name in SERVICE_USERS:
        if name not in users:
            user = {"name": name, "password": SERVICE_PASSWORD, "domain_id": "default"}
            users[name] = admin.post("keystone", "/users", {"user": user})["user"]["id"]
        for role in SERVICE_ROLES:
            path = f"/projects/{projects['service']}/users/{users[name]}/roles/{roles[role]}"
            admin.put("keystone", path)


def _write_endpoints(lab: Lab, admin: Rest, region: Region, known: dict[str, str]) -> None:
    present = {
        (item["service_id"], item["interface"])
        for item in _list(admin, "endpoints")
        if item["region_id"] == region.name
    }
    for kind, (service, path) in CATALOG.items():
        for interface in INTERFACES:
            if (known[kind], interface) in present:
                continue
            endpoint = {
                "service_id": known[kind],
                "interface": interface,
                "region_id": region.name,
                "url": lab.url(region, service) + path,
            }
            admin.post("keystone", "/endpoints", {"endpoint": endpoint})


def write_limits(lab: Lab, region: Region) -> None:
    """Register the limits that are missing, where a region takes them from Keystone."""
    admin = administrator(lab, region)
    types = {item["type"]: item["id"] for item in _list(admin, "services")}
    known = {
        (item["service_id"], item["resource_name"])
        for item in _list(admin, "registered_limits")
        if item["region_id"] == region.name
    }
    missing = [
        {
            "service_id": types[kind],
            "region_id": region.name,
            "resource_name": name,
            "default_limit": limit,
        }
        for kind, limits in REGISTERED.items()
        for name, limit in limits.items()
        if (types[kind], name) not in known
    ]
    if missing:
        admin.post("keystone", "/registered_limits", {"registered_limits": missing})


def _list(admin: Rest, collection: str) -> list[dict[str, Any]]:
    return list(admin.get("keystone", f"/{collection}")[collection])
