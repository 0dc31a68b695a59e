"""What every write of a limit did to what a project may have in all regions together.

For a project and a resource, O is the sum over the regions of max(limit in force, use): what the project
could have at once, at worst. Whoever keeps a quota over regions must never let it pass that quota, in
whatever order it writes; so O is worked out right before and right after every single write, by this
side, which knows the state of all services at that moment. A limit of -1 is no limit: O is then -1, too.
A region counts where its service has a limit of that name: a Glance without unified limits has none.

A sum is kept with its parts, and only regions in which something was written since are asked again.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from multisite.sim.http import Json

if TYPE_CHECKING:
    from multisite.sim.world import Region, World

#: The oldest records are dropped when there are more.
KEPT_RECORDS = 20_000
#: So many sums are kept with their parts; one that was dropped asks all regions anew.
KEPT_SUMS = 512
UNLIMITED = -1
SERVICES = ("compute", "volume", "network", "image")


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote, and how: the request's method and route, or `hand`."""

    how: str = "hand"
    user_agent: str = ""
    request_id: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """One resource of one project in one region; `project_id` is the id that this region knows."""

    region: str
    service: str
    project_id: str
    name: str

    @property
    def resource(self) -> str:
        """The service, and the name as its classic API spells it: `compute/cores`."""
        return f"{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Record:
    """One write of one limit. `before` and `after` are O; the other limits and `used` are the region's own.

    A limit is None where the service has none of that name; -1 is no limit.
    """

    number: int
    at: float
    region: str
    service: str
    project_id: str
    project: str
    resource: str
    how: str
    limit_before: int | None
    limit_after: int | None
    used: int
    before: int
    after: int
    user_agent: str
    request_id: str
    user_id: str

    def as_json(self) -> Json:
        """As `/_sim/quotas` tells it."""
        return asdict(self)


@dataclass(slots=True)
class _Sum:
    """O of one resource of one project, and each region's part of it: None for no limit."""

    parts: dict[str, int | None] = field(default_factory=dict)
    finite: int = 0
    unlimited: int = 0
    seen: int = 0

    def put(self, region: str, standing: tuple[int, int] | None) -> None:
        """A region's (limit, use) is this now."""
        if region in self.parts:
            old = self.parts.pop(region)
            self.finite -= old or 0
            self.unlimited -= old is None
        if standing is not None:
            limit, used = standing
            part = None if limit < 0 else max(limit, used)
            self.parts[region] = part
            self.finite += part or 0
            self.unlimited += part is None

    @property
    def value(self) -> int:
        """The sum."""
        return UNLIMITED if self.unlimited else self.finite


class Ledger:
    """All writes of limits in a world, and O before and after each. `hooks` are called with every record."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.records: deque[Record] = deque(maxlen=KEPT_RECORDS)
        self.hooks: list[Callable[[Record], None]] = []
        #: Accepted writes per region (empty: none) and service, also those that changed nothing.
        self.writes: Counter[tuple[str, str]] = Counter()
        self.last = 0
        self._sums: OrderedDict[tuple[str, str, str], _Sum] = OrderedDict()

    def total(self, target: Target) -> int:
        """O of a resource of a project; the target's region says whose id the project's is."""
        world, key = self._world, self._key(target)
        found = self._sums.get(key)
        if found is None:
            found = self._sums[key] = _Sum(seen=world.changes)
            stale: Iterable[str] = world.names
            if len(self._sums) > KEPT_SUMS:
                self._sums.popitem(last=False)
        else:
            self._sums.move_to_end(key)
            stale = world.changed_since(found.seen)
            found.seen = world.changes
        for name in list(stale):
            found.put(name, self._standing_in(world.region(name), key))
        return found.value

    def _key(self, target: Target) -> tuple[str, str, str]:
        """Service, name, and what the project is called in all Keystones."""
        known = self._world.project_key(target.region, target.project_id)
        return target.service, target.name, known

    def _standing_in(self, region: "Region", key: tuple[str, str, str]) -> tuple[int, int] | None:
        service, name, known = key
        project_id = self._world.project_in(region.name, known)
        return None if project_id is None else region.standing(service, project_id, name)

    def standing(self, target: Target) -> tuple[int, int] | None:
        """The limit in force in the target's region, and the use; None where there is no such limit."""
        return self._world.region(target.region).standing(target.service, target.project_id, target.name)

    def write(
        self,
        writer: Writer,
        targets: Iterable[Target],
        change: Callable[[], None],
        *,
        places: Iterable[tuple[str, str]],
        only_changed: bool = False,
    ) -> None:
        """Make a change, and record what it did to each target; `places` are those that were written to.

        With `only_changed` targets whose limit stays what it was are left out. What `change` raises goes
        on, and nothing is recorded.
        """
        wanted = list(dict.fromkeys(targets))
        before = [(self.standing(target), self.total(target)) for target in wanted]
        change()
        for name in dict.fromkeys(target.region for target in wanted):
            self._world.region(name).touch()
        self.writes.update(dict.fromkeys(places, 1))
        made = []
        for target, (stood, total) in zip(wanted, before, strict=True):
            stands = self.standing(target)
            if not (only_changed and stood == stands):
                made.append(self._record(writer, target, (stood, stands), (total, self.total(target))))
        self.records.extend(made)
        for record in made:
            for hook in self.hooks:
                hook(record)

    def _record(
        self,
        writer: Writer,
        target: Target,
        standings: tuple[tuple[int, int] | None, tuple[int, int] | None],
        totals: tuple[int, int],
    ) -> Record:
        self.last += 1
        old, new = standings
        return Record(
            number=self.last, at=self._world.clock(), region=target.region, service=target.service,
            project_id=target.project_id, project=self._world.project_name(target.region, target.project_id),
            resource=target.resource, how=writer.how, limit_before=old[0] if old else None,
            limit_after=new[0] if new else None, used=(new or old or (0, 0))[1], before=totals[0],
            after=totals[1], user_agent=writer.user_agent, request_id=writer.request_id,
            user_id=writer.user_id,
        )  # fmt: skip

    def chosen(self, *, project: str = "", resource: str = "", since: int = 0) -> Iterator[Record]:
        """The records after number `since`; of a project (id or name) and a resource where they are given."""
        for record in self.records:
            if (
                record.number > since
                and project in {"", record.project_id, record.project}
                and resource in {"", record.resource}
            ):
                yield record

    def clear(self) -> None:
        """Forget the records and counts; numbers go on."""
        self.records.clear()
        self.writes.clear()
