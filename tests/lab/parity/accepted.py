"""Differences that are known and wanted: what, where, and why. Everything else is a bug of the simulator."""

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from tests.lab.parity.asking import Answer, Case
from tests.lab.parity.compare import differences
from tests.lab.parity.stories import Step


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
    Accepted("network POST * {not json*", ".NeutronError.type",
    "Neutron's newer controllers name it otherwise"),
)  # fmt: skip


#: Those that were met in this run.
_met: set[Accepted] = set()


def unexpected(case: Case | Step, lab: Answer, sim: Answer) -> list[str]:
    """In what the answers to a request differ and may not."""
    found = differences(lab, sim, exact=case.exact)
    return [f"{case}: {place}: {what}" for place, what in found if not _accepted(str(case), place)]


def unexpected_in(lab: Iterable[tuple[Step, Answer]], sim: Iterable[tuple[Step, Answer]]) -> list[str]:
    """The same of the steps of a story."""
    return [
        line
        for (step, one), (_, other) in zip(lab, sim, strict=True)
        for line in unexpected(step, one, other)
    ]


def not_met() -> list[Accepted]:
    """Those that nothing in this run met: where all of it ran, they are not needed any more."""
    return [each for each in ACCEPTED if each not in _met]


def _accepted(case: str, place: str) -> bool:
    found = [
        each
        for each in ACCEPTED
        if fnmatchcase(case, each.case) and fnmatchcase(place, each.place.replace("[", "[[]"))
    ]
    _met.update(found)
    return bool(found)
