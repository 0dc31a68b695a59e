"""Differences that are known and wanted: what, where, and why. Everything else is a bug of the simulator."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True, slots=True)
class Accepted:
    """A difference at `place` (a header, or a path into the body) in some cases; both are globs."""

    case: str
    place: str
    reason: str


ACCEPTED = (
    Accepted("* at the root*", "x-openstack-request-id",
    "some version documents come from in front of what sets it"),
    Accepted("image * as nobody*", "x-openstack-request-id", "Glance checks tokens in front of what sets it"),
    Accepted("image * as forged*", "x-openstack-request-id", "Glance checks tokens in front of what sets it"),
    Accepted("placement *", "vary", "only some of Placement's handlers set it before they fail"),
    Accepted("placement *", "allow", "the simulator has fewer routes, so fewer methods"),
    Accepted("identity GET /services*", ".services[].description",
    "who registers a service may describe it or not"),
    Accepted("compute GET /os-hypervisors*", ".hypervisors[].cpu_info*",
    "only Nova's fake driver has a CPU to tell of"),
    Accepted("volume GET /scheduler-stats*", ".pools[].capabilities.provisioned*",
    "a driver's choice; the lab's has none"),
    Accepted("network GET /ports*", ".ports[*].status",
    "without an L3 agent, routers' ports stay DOWN in the lab"),
    Accepted("identity GET /limits/{held}*", ".limit.project*",
    "what Keystone's policy looked up stays in its cache, and is shown"),
    Accepted("image GET *{since}*", ".first", "the time that was asked for stands in it"),
    Accepted("network POST * {not json*", ".NeutronError.type",
    "Neutron's newer controllers name it otherwise"),
)  # fmt: skip


def accepted(case: str, place: str) -> bool:
    """Whether a difference is one of them."""
    return any(
        fnmatchcase(case, each.case) and fnmatchcase(place, each.place.replace("[", "[[]"))
        for each in ACCEPTED
    )
