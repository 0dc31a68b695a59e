"""What Keystone's endpoint filter says of a project: endpoints one by one, and groups of them.

Told in the scene of unified limits, whose project nobody else uses.
"""

from typing import Any

from tests.lab.parity.asking import Request
from tests.lab.parity.errors import NOBODY
from tests.lab.parity.stories import Step, Story

_PROJECT = "/OS-EP-FILTER/projects/{tenant_project}"
_GROUPS = "/OS-EP-FILTER/endpoint_groups"


def _do(method: str, path: str, body: Any = None, by: str = "admin", **keep: str) -> Step:
    return Step(Request("identity", method, path, by, "", body), tuple(keep.items()))


def _shape(path: str, **keep: str) -> Step:
    """Addresses differ between the worlds, so only the shape is compared."""
    return Step(Request("identity", "GET", path, "admin"), tuple(keep.items()), exact=False)


def _group(by: str = "admin", /, **changes: Any) -> Step:
    group = {"name": "parity", "filters": {"region_id": "RegionOne", "interface": "public"}} | changes
    group = {key: value for key, value in group.items() if value is not None}
    return _do("POST", _GROUPS, {"endpoint_group": group}, by)


_ONE = f"{_PROJECT}/endpoints/{{endpoint}}"
_MEMBER = f"{_GROUPS}/{{group}}/projects/{{tenant_project}}"

CONFINED_STORIES = (
    Story(
        "a project is confined to endpoints, one by one",
        (
            _shape(
                "/endpoints?service_id={compute_service}&region_id=RegionOne&interface=public",
                endpoint="endpoints.0.id",
            ),
            _do("GET", f"{_PROJECT}/endpoints"),
            _do("GET", f"{_PROJECT}/endpoints", by="tenant"),
            _do("GET", f"/OS-EP-FILTER/projects/{NOBODY}/endpoints"),
            _do("GET", _ONE),
            _do("DELETE", _ONE),
            _do("PUT", _ONE, by="tenant"),
            _do("PUT", f"{_PROJECT}/endpoints/{NOBODY}"),
            _do("PUT", f"/OS-EP-FILTER/projects/{NOBODY}/endpoints/{{endpoint}}"),
            _do("PUT", _ONE),
            _do("PUT", _ONE),
            _do("GET", _ONE),
            _shape(f"{_PROJECT}/endpoints"),
            _do("GET", f"{_PROJECT}/endpoint_groups"),
            _do("DELETE", _ONE, by="tenant"),
            _do("DELETE", _ONE),
            _do("GET", f"{_PROJECT}/endpoints"),
        ),
    ),
    Story(
        "a project is confined to a group of endpoints",
        (
            _do("GET", f"{_GROUPS}?name=parity"),
            _group("tenant"),
            _group(filters={}),
            _group(filters=None),
            _group(filters={"nothing": "x"}),
            _group(filters=[]),
            _group(name=None),
            _group(nothing=1),
            _do("POST", _GROUPS, {}),
            _do("GET", f"{_GROUPS}/{NOBODY}"),
            _do("DELETE", f"{_GROUPS}/{NOBODY}"),
            Step(_group().request, (("group", "endpoint_group.id"),)),
            _do("GET", f"{_GROUPS}/{{group}}"),
            _do("GET", f"{_GROUPS}/{{group}}", by="tenant"),
            _do("DELETE", _MEMBER),
            _do("PUT", _MEMBER, by="tenant"),
            _do("PUT", f"{_GROUPS}/{NOBODY}/projects/{{tenant_project}}"),
            _do("PUT", f"{_GROUPS}/{{group}}/projects/{NOBODY}"),
            _do("PUT", _MEMBER),
            _do("PUT", _MEMBER),
            _do("GET", f"{_PROJECT}/endpoint_groups"),
            _do("GET", f"{_PROJECT}/endpoint_groups", by="tenant"),
            _do("GET", f"/OS-EP-FILTER/projects/{NOBODY}/endpoint_groups"),
            _do("DELETE", f"{_GROUPS}/{{group}}"),
            _do("GET", f"{_PROJECT}/endpoint_groups"),
            _do("GET", f"{_PROJECT}/endpoints"),
            # Keystone keeps the catalog of the project (`cache_time`) when a group is deleted that it is in,
            # not when it is taken out of one: without this, later stories lack services.
            Step(_group().request, (("group", "endpoint_group.id"),)),
            _do("PUT", _MEMBER),
            _do("DELETE", _MEMBER),
            _do("DELETE", f"{_GROUPS}/{{group}}"),
        ),
    ),
)
