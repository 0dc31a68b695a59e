"""The cloud that a plan makes: Keystones, and regions that are made when they are first asked for."""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from multisite.sim.http import Answer, Refusal
from multisite.sim.identity.limits import Place
from multisite.sim.identity.state import Keystone
from multisite.sim.ledger import Ledger
from multisite.sim.plan import REGISTERED, SERVICES, Plan

if TYPE_CHECKING:
    from multisite.sim.compute.state import Compute
    from multisite.sim.image.state import Images
    from multisite.sim.network.state import Network
    from multisite.sim.volume.state import Volumes

#: Seeded things were made in the ninety days from 2026-01-01T00:00:00Z on.
EPOCH = 1_767_225_600.0
LONGEST_AGO = 90 * 86400.0
#: So many answers are kept per region; all are dropped when there are more.
KEPT_ANSWERS = 64
_NAMES = {
    "identity": "keystone", "compute": "nova", "placement": "placement", "block-storage": "cinder",
    "network": "neutron", "image": "glance",
}  # fmt: skip


class World:
    """All Keystones and regions of a plan. `clock` gives seconds since the epoch."""

    def __init__(self, plan: Plan, clock: Callable[[], float] = time.time) -> None:
        self.plan = plan
        self.clock = clock
        self.names = plan.region_names()
        self.index = {name: number for number, name in enumerate(self.names)}
        #: Seconds by which the clock of a region's service is ahead: faults set it.
        self.skew: Callable[[str, str], float] = lambda _region, _service: 0.0
        self._regions: dict[str, Region] = {}
        self._keystones: dict[str, Keystone] = {}
        #: How often anything was written in any region.
        self.changes = 0
        self._changed: dict[str, int] = {}
        self.ledger = Ledger(self)

    def region(self, name: str) -> "Region":
        """A region. Raises `Refusal` (404)."""
        region = self._regions.get(name)
        if region is None:
            if name not in self.index:
                raise Refusal(404, f"there is no region {name!r} in this simulator")
            region = self._regions[name] = Region(self, name)
        return region

    def note_change(self, region: str) -> None:
        """Something was written in a region."""
        self.changes += 1
        self._changed.pop(region, None)  # so that it becomes the last one
        self._changed[region] = self.changes

    def changed_since(self, change: int) -> Iterator[str]:
        """The regions in which something was written after that change, the last one first."""
        for region, number in reversed(self._changed.items()):
            if number <= change:
                return
            yield region

    def project_key(self, region: str, project_id: str) -> str:
        """What all Keystones call a project: its name where each has ids of its own."""
        return self.project_name(region, project_id) if self.plan.own_keystone else project_id

    def project_in(self, region: str, key: str) -> str | None:
        """The id of a project in a region; None where its Keystone does not know it."""
        if not self.plan.own_keystone:
            return key
        found = self.keystone(region).find("projects", {"name": key})
        return str(found["id"]) if found else None

    def project_name(self, region: str, project_id: str) -> str:
        """The name of a project; services also take limits for ids that nobody knows, which are their own."""
        found = self.keystone(region).collections["projects"].get(project_id)
        return str(found["name"]) if found else project_id

    def keystone(self, region: str) -> Keystone:
        """The Keystone of a region; one for all, unless the plan gives each its own."""
        key = region if self.plan.own_keystone else ""
        keystone = self._keystones.get(key)
        if keystone is None:
            keystone = self._keystones[key] = self._make_keystone(key)
        return keystone

    def auth_url(self, region: str) -> str:
        """The address of a region's Keystone."""
        if self.plan.own_keystone:
            return f"{self.plan.region_url(self.index[region])}/{region}/{SERVICES['identity']}"
        return f"{self.plan.url}/{SERVICES['identity']}"

    def _make_keystone(self, key: str) -> Keystone:
        seed = f"{self.plan.seed}/{key}/keystone"
        keystone = Keystone(seed, lambda: self.clock() + self.skew(key, "identity"), self.plan.token_seconds)
        admin = keystone.make_project("admin")
        service = keystone.make_project("service")
        user = keystone.find("users", {"name": "admin"}) or {}
        keystone.assign(user["id"], "system", "admin")
        for name in self.plan.tenant_names():
            keystone.make_project(name)
        service_user = keystone.find("users", {"name": "service"}) or {}
        keystone.assign(service_user["id"], service["id"], "service")
        keystone.assign(service_user["id"], service["id"], "admin")
        keystone.assign(user["id"], admin["id"], "admin")
        self._fill_catalog(keystone, (key,) if key else self.names)
        return keystone

    def _fill_catalog(self, keystone: Keystone, regions: tuple[str, ...]) -> None:
        for kind in SERVICES:
            service_id = keystone.fixed_id("service", kind)
            keystone.add(
                "services",
                {"id": service_id, "type": kind, "name": _NAMES[kind], "enabled": True, "description": ""},
            )
        for name in regions:
            keystone.add("regions", {"id": name, "description": "", "parent_region_id": None})
            for kind, path in SERVICES.items():
                base = f"{self.plan.region_url(self.index[name])}/{name}/{path}"
                url = self.auth_url(name) if kind == "identity" else base
                for interface in ("public", "internal", "admin"):
                    keystone.add("endpoints", _endpoint(keystone, kind, name, interface, url))
            for kind in REGISTERED:
                if self.plan.is_unified(name, kind):
                    _register(keystone, kind, name, self.plan.registered(kind))


def _endpoint(keystone: Keystone, kind: str, region: str, interface: str, url: str) -> dict[str, object]:
    return {
        "id": keystone.fixed_id("endpoint", region, kind, interface),
        "service_id": keystone.fixed_id("service", kind),
        "interface": interface,
        "region": region,
        "region_id": region,
        "url": url,
        "enabled": True,
    }


def _register(keystone: Keystone, kind: str, region: str, limits: Mapping[str, int]) -> None:
    for name, limit in limits.items():
        keystone.limits.register(
            {
                "id": keystone.fixed_id("registered_limit", region, kind, name),
                "service_id": keystone.fixed_id("service", kind), "region_id": region, "resource_name": name,
                "default_limit": limit, "description": None,
            }
        )  # fmt: skip


class Region:
    """One region: its services, filled from the seed when one of them is first asked.

    `revision` moves with every write: answers that were kept are good as long as it stays.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.index = world.index[name]
        self.revision = 0
        self.draws = random.Random(f"{world.plan.seed}/{name}")  # noqa: S311 - a seeded world
        self.answers: dict[object, tuple[int, Answer]] = {}
        self.born = False
        #: Whether a hand that reaches in is bound by limits, as everybody else is.
        self.limits_hold = True
        self._places = {
            kind: Place(self.keystone.limits, self.keystone.fixed_id("service", kind), name)
            for kind in REGISTERED
            if world.plan.is_unified(name, kind)
        }

    @property
    def keystone(self) -> Keystone:
        """The Keystone that its services believe."""
        return self.world.keystone(self.name)

    def now(self, service: str) -> float:
        """The clock of one of its services, in seconds since the epoch."""
        return self.world.clock() + self.world.skew(self.name, service)

    def made_at(self, service: str) -> float:
        """When something that is made now was made: what the seed makes has times of its own."""
        return self.now(service) if self.born else EPOCH + self.draws.random() * LONGEST_AGO

    def keep(self, key: object, answer: Answer) -> None:
        """Keep an answer until something is written."""
        if len(self.answers) >= KEPT_ANSWERS:
            self.answers.clear()
        self.answers[key] = (self.revision, answer)

    def touch(self) -> None:
        """Something was written."""
        self.revision += 1
        self.world.note_change(self.name)

    def unified(self, service: str) -> Place | None:
        """Where a service looks its limits up in Keystone; None where it has limits of its own, or none."""
        return self._places.get(service)

    def standing(self, service: str, project_id: str, name: str) -> tuple[int, int] | None:
        """A project's limit in force and its use; None where the service has no limit of that name."""
        match service:
            case "compute":
                return self.compute.standing(project_id, name)
            case "volume":
                return self.volume.standing(project_id, name)
            case "network":
                return self.network.standing(project_id, name)
            case "image":
                return self.image.standing(project_id, name)
            case _:
                return None

    def new_id(self) -> str:
        """A UUID."""
        text = f"{self.draws.getrandbits(128):032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    @cached_property
    def compute(self) -> "Compute":
        """Nova and Placement."""
        return self._make().compute

    @cached_property
    def network(self) -> "Network":
        """Neutron."""
        return self._make().network

    @cached_property
    def volume(self) -> "Volumes":
        """Cinder."""
        return self._make().volume

    @cached_property
    def image(self) -> "Images":
        """Glance."""
        return self._make().image

    def _make(self) -> "Region":
        from multisite.sim.contents import fill  # here: the contents are made of all services

        fill(self)
        self.born = True
        return self
