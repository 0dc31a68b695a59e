"""A resize where there is another host to go to: in the region with two."""

from typing import Any

from tests.lab.parity.asking import Request
from tests.lab.parity.reads import NOVA, PLACEMENT
from tests.lab.parity.stories import Step, Story

REGION = "RegionTwo"
_SERVER = "/servers/{resized}"


def _nova(method: str, path: str, body: Any = None, until: Any = None, **keep: str) -> Step:
    return Step(Request("compute", method, path, "tenant", NOVA, body), tuple(keep.items()), until)


def _act(name: str, value: Any = None) -> Step:
    return _nova("POST", f"{_SERVER}/action", {name: value})


def _becomes(status: str) -> Step:
    return _nova("GET", _SERVER, until=("server.status", status))


_QUOTA = _nova("GET", "/os-quota-sets/{tenant_project}/detail")
_USAGES = Step(Request("placement", "GET", "/usages?project_id={tenant_project}", "tenant", PLACEMENT))
_ALLOCATIONS = Step(Request("placement", "GET", "/allocations/{resized}", "admin", PLACEMENT))
_BOTH_SIZES = (_QUOTA, _USAGES, _ALLOCATIONS)

RESIZING_STORIES = (
    Story(
        "a server is resized on another host, goes back, and stays there",
        (
            _nova(
                "POST", "/servers",
                {"server": {"name": "small-resized", "flavorRef": "{flavor_tiny}", "imageRef": "{image}",
                            "networks": "none"}},
                resized="server.id",
            ),
            _becomes("ACTIVE"),
            *_BOTH_SIZES,
            _act("resize", {"flavorRef": "{flavor_more}"}),
            _becomes("VERIFY_RESIZE"),
            *_BOTH_SIZES,
            _act("resize", {"flavorRef": "{flavor_tiny}"}), _act("os-stop"),
            _act("revertResize"),
            _becomes("ACTIVE"),
            *_BOTH_SIZES,
            _act("revertResize"), _act("confirmResize"),
            _act("resize", {"flavorRef": "{flavor_more}"}),
            _becomes("VERIFY_RESIZE"),
            _act("confirmResize"),
            _becomes("ACTIVE"),
            *_BOTH_SIZES,
            _nova("DELETE", _SERVER),
            _nova("GET", _SERVER, until=404),
            _QUOTA, _USAGES,
        ),
    ),
)  # fmt: skip
