"""Limits that Keystone keeps, in a region whose Nova and Glance ask for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.lab.parity.asking import Request
from tests.lab.parity.errors import NOBODY, OCTETS
from tests.lab.parity.scene import KEY, must
from tests.lab.parity.small import small_scene
from tests.lab.parity.stories import Step, Story
from tests.lab.parity.worlds import World

NOVA = "2.104"
REGION = "RegionThree"
_NAME = "unified-limits"


@contextmanager
def unified_scene(world: World) -> Iterator[None]:
    """The small scene, and the ids of what is registered, by name."""
    with small_scene(world):
        for service in must(world, "identity", "GET", "/services", by="admin")["services"]:
            world.things[f"{service['type'].replace('-', '_')}_service"] = service["id"]
        listed = must(world, "identity", "GET", f"/registered_limits?region_id={REGION}", by="admin")
        for item in listed["registered_limits"]:
            world.things[item["resource_name"].replace(":", "_") + "_registered"] = item["id"]
        yield


# -- stories ---------------------------------------------------------------------------------------------


def _do(to: str, method: str, path: str, body: Any = None, by: str = "admin", **keep: str) -> Step:
    version = NOVA if to == "compute" else ""
    return Step(Request(to, method, path, by, version, body), tuple(keep.items()))


def _limit(name: str, number: Any, by: str = "admin", **more: Any) -> Step:
    """A limit of the tenant; its id is kept as `held`."""
    kind = "image" if name.startswith("image") else "compute"
    item = {
        "service_id": f"{{{kind}_service}}", "region_id": REGION, "project_id": "{tenant_project}",
        "resource_name": name, "resource_limit": number,
    }  # fmt: skip
    return _do("identity", "POST", "/limits", {"limits": [item | more]}, by, held="limits.0.id")


def _registered(name: str, number: int) -> Step:
    path = f"/registered_limits/{{{name.replace(':', '_')}_registered}}"
    return _do("identity", "PATCH", path, {"registered_limit": {"default_limit": number}})


_DROP = _do("identity", "DELETE", "/limits/{held}")
_QUOTA = _do("compute", "GET", "/os-quota-sets/{tenant_project}/detail")


def _server(**more: Any) -> Step:
    body = {"name": _NAME, "flavorRef": "{flavor_tiny}", "imageRef": "{image}", "networks": "none"}
    return _do("compute", "POST", "/servers", {"server": body | more}, "tenant")


_CHANGES: tuple[dict[str, Any], ...] = (
    {"resource_limit": 0},
    {"resource_limit": 7},
    {"resource_limit": -2},
    {"resource_limit": -1, "description": "x"},
    {"description": ""},
    {"region_id": "RegionOne"},
    {},
)
_OF_KEYSTONE = Story(
    "limits and what they hang on",
    (
        *(_limit("class:VCPU", 5, **more) for more in (
            {"region_id": None}, {"region_id": "RegionOne"}, {"region_id": "nowhere"}, {"region_id": ""},
            {"project_id": NOBODY}, {"service_id": NOBODY}, {"resource_name": "class:NOTHING"},
            {"resource_limit": -2}, {"resource_limit": "5"}, {"resource_limit": 2**31}, {"nothing": 1},
            {"domain_id": "default"}, {"resource_limit": None}, {"resource_limit": True},
        )),
        _do("identity", "POST", "/limits", {"limits": []}), _do("identity", "POST", "/limits", {}),
        _do("identity", "POST", "/limits", {"limits": {}}), _limit("class:VCPU", 5, by="tenant"),
        _limit("class:VCPU", "5", by="tenant"),
        _limit("class:VCPU", 5),
        Step(_limit("class:VCPU", 6).request),
        _do("identity", "GET", "/limits?project_id={tenant_project}"),
        _do("identity", "GET", "/limits", by="tenant"),
        _do("identity", "GET", "/limits?project_id={admin_project}", by="tenant"),
        _do("identity", "GET", f"/limits?region_id={REGION}&service_id={{compute_service}}"
            "&resource_name=class:VCPU&project_id={tenant_project}"),
        _do("identity", "GET", "/limits?region_id=RegionOne"), _do("identity", "GET", "/limits?region_id="),
        _do("identity", "GET", "/limits/{held}"), _do("identity", "GET", "/limits/{held}", by="tenant"),
        _do("identity", "GET", f"/limits/{NOBODY}"), _do("identity", "GET", f"/limits/{NOBODY}", by="tenant"),
        *(_do("identity", "PATCH", "/limits/{held}", {"limit": changes}) for changes in _CHANGES),
        _do("identity", "PATCH", "/limits/{held}", {}),
        _do("identity", "PATCH", "/limits/{held}", {"limit": {"resource_limit": 3}}, "tenant"),
        _do("identity", "PATCH", f"/limits/{NOBODY}", {"limit": {"resource_limit": 3}}),
        _registered("class:VCPU", 30),
        _do("identity", "DELETE", "/registered_limits/{class_VCPU_registered}"),
        _do("identity", "DELETE", "/limits/{held}", by="tenant"), _DROP, _DROP,
        _do("identity", "GET", "/limits/model", by="tenant"),
    ),
)  # fmt: skip

_NEW = {"service_id": "{compute_service}", "region_id": REGION, "resource_name": "class:CUSTOM_PARITY",
        "default_limit": 5}  # fmt: skip
_TWO = [
    {"service_id": "{compute_service}", "region_id": REGION, "project_id": "{tenant_project}",
     "resource_name": name, "resource_limit": 3}
    for name in ("servers", "class:CUSTOM_PARITY")
]  # fmt: skip
_OF_REGISTERED = Story(
    "what is registered comes, changes and goes",
    (
        *(_do("identity", "POST", "/registered_limits", {"registered_limits": [_NEW | more]}) for more in (
            {"resource_name": "class:VCPU"}, {"region_id": "nowhere"}, {"default_limit": "x"},
            {"default_limit": -2}, {"service_id": NOBODY}, {"nothing": 1}, {"resource_name": ""},
        )),
        _do("identity", "POST", "/registered_limits", {"registered_limits": [_NEW, _NEW]}),
        _do("identity", "GET", "/registered_limits?resource_name=class:CUSTOM_PARITY"),
        _do("identity", "POST", "/registered_limits", {"registered_limits": [_NEW]}, "tenant"),
        _do("identity", "POST", "/registered_limits", {"registered_limits": [_NEW]},
            new_registered="registered_limits.0.id"),
        _do("identity", "GET", "/registered_limits?resource_name=class:CUSTOM_PARITY", by="tenant"),
        *(_do("identity", "PATCH", "/registered_limits/{new_registered}", {"registered_limit": changes})
          for changes in (
            {"default_limit": 6}, {"default_limit": 0}, {"default_limit": -1}, {"description": "x"},
            {"resource_name": "class:CUSTOM_PARITY"}, {"region_id": REGION}, {"default_limit": "x"},
            {"project_id": NOBODY}, {},
        )),
        _do("identity", "POST", "/limits", {"limits": [*_TWO, _TWO[0]]}),
        _do("identity", "GET", "/limits?project_id={tenant_project}"),
        _do("identity", "POST", "/limits", {"limits": _TWO}, first="limits.0.id", held="limits.1.id"),
        _do("identity", "DELETE", "/registered_limits/{new_registered}"),
        _DROP, _do("identity", "DELETE", "/limits/{first}"),
        _do("identity", "DELETE", "/registered_limits/{new_registered}", by="tenant"),
        _do("identity", "DELETE", "/registered_limits/{new_registered}"),
        _do("identity", "GET", "/registered_limits/{new_registered}", by="tenant"),
        _do("identity", "DELETE", "/registered_limits/{new_registered}"),
    ),
)  # fmt: skip

_OF_NOVA = Story(
    "Nova shows and enforces what Keystone says, and drops what it is told",
    (
        _QUOTA,
        *(Step(Request("compute", "GET", f"/os-quota-sets/{{tenant_project}}{tail}", "admin", version))
          for tail in ("", "/defaults") for version in ("2.1", "2.40", NOVA)),
        _do("compute", "GET", "/os-quota-class-sets/default"), _do("compute", "GET", "/limits", by="tenant"),
        _do("compute", "PUT", "/os-quota-sets/{tenant_project}", {"quota_set": {"cores": 1}}),
        _do("compute", "PUT", "/os-quota-sets/{tenant_project}", {"quota_set": {"nothing": 1}}),
        _do("compute", "PUT", "/os-quota-sets/{tenant_project}", {"quota_set": {"cores": 1}}, "tenant"),
        _do("compute", "PUT", "/os-quota-class-sets/default", {"quota_class_set": {"cores": 1}}),
        _do("compute", "DELETE", "/os-quota-sets/{tenant_project}"),
        *(step for name in ("servers", "class:VCPU", "class:MEMORY_MB", "class:DISK_GB") for step in (
            _limit(name, 0), _QUOTA, _server(), _server(min_count=2, max_count=3), _DROP)),
        _limit("servers", -1), _QUOTA, _DROP,
        _limit("class:VCPU", 1), _server(min_count=2), _DROP, _QUOTA,
        *(step for name, number, asked in (
            ("server_metadata_items", 128, _server(metadata={"a": "b"})),
            ("server_key_pairs", 100, _do("compute", "POST", "/os-keypairs",
             {"keypair": {"name": "x", "public_key": KEY, "type": "ssh"}}, "tenant")),
            ("server_groups", 10, _do("compute", "POST", "/os-server-groups",
             {"server_group": {"name": "x", "policy": "affinity"}}, "tenant")),
        ) for step in (_registered(name, 0), asked, _QUOTA, _registered(name, number))),
        _QUOTA,
    ),
)  # fmt: skip

_IMAGE = {"name": _NAME, "disk_format": "raw", "container_format": "bare"}
_USAGE = _do("image", "GET", "/info/usage", by="tenant")


def _upload(size: int, word: str = "file") -> Step:
    path = f"/images/{{new_image}}/{word}"
    return Step(Request("image", "PUT", path, "tenant", body="x" * size, headers=OCTETS))


_MAKE_IMAGE = _do("image", "POST", "/images", _IMAGE, "tenant", new_image="id")
_END_IMAGE = _do("image", "DELETE", "/images/{new_image}", by="tenant")
_OF_GLANCE = Story(
    "Glance enforces what Keystone says, and tells each project its own use",
    (
        _USAGE, _do("image", "GET", "/info/usage?project_id={tenant_project}"),
        _limit("image_count_total", 1), Step(_MAKE_IMAGE.request), _USAGE, _DROP,
        _limit("image_size_total", 2), _MAKE_IMAGE, _upload(3 * 2**20), _upload(2 * 2**20), _USAGE,
        _MAKE_IMAGE, _upload(2**20), _END_IMAGE, _DROP,
        _limit("image_stage_total", 1), _MAKE_IMAGE, _upload(2 * 2**20, "stage"), _upload(2**20, "stage"),
        _USAGE, _END_IMAGE, _DROP,
        _limit("image_count_uploading", 0), _MAKE_IMAGE, _upload(10), _upload(10, "stage"), _USAGE,
        _END_IMAGE, _DROP, _USAGE,
    ),
)  # fmt: skip

UNIFIED_STORIES = (_OF_KEYSTONE, _OF_REGISTERED, _OF_NOVA, _OF_GLANCE)
