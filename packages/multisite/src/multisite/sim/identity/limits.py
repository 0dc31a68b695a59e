"""Keystone's unified limits: what a service registers for a region, and what projects get instead.

Services do not keep such limits: they ask for them at every turn, by service, region and name. A limit
that is registered for no region, or for another one, is not theirs. That is oslo.limit's way, and
`Place` does the same sums.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from multisite.sim.http import Json, Refusal

#: The largest limit; -1 is none.
MOST = 0x7FFFFFFF
UNLIMITED = -1
Key = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class Over:
    """A resource of which there would be too much; `registered` tells whether anybody set a limit."""

    name: str
    limit: int
    used: int
    delta: int
    registered: bool

    def __str__(self) -> str:
        return (
            f"Resource {self.name} is over limit of {self.limit} due to current usage {self.used} "
            f"and delta {self.delta}"
        )


def complaint(project_id: str | None, overs: Iterable[Over]) -> str:
    """What oslo.limit says of them."""
    return f"Project {project_id} is over a limit for [{', '.join(map(str, overs))}]"


@dataclass(slots=True)
class UnifiedLimits:
    """The limits of one Keystone: both kinds by id, as they are shown."""

    registered: dict[str, Json] = field(default_factory=dict)
    limits: dict[str, Json] = field(default_factory=dict)
    _registered_as: dict[Key, Json] = field(default_factory=dict)
    #: Per id of a registered limit: those of projects and domains that hang on it, by owner.
    _hanging: dict[str, dict[tuple[str | None, str | None], Json]] = field(default_factory=dict)
    _of_project: dict[str, dict[str, Json]] = field(default_factory=dict)

    def default(self, key: Key) -> int | None:
        """What is registered under (service, region, name)."""
        found = self._registered_as.get(key)
        return None if found is None else int(found["default_limit"])

    def of(self, key: Key, project_id: str) -> Json | None:
        """A project's own limit."""
        found = self._registered_as.get(key)
        return None if found is None else self._hanging[found["id"]].get((project_id, None))

    def of_project(self, project_id: str) -> Iterable[Json]:
        """All own limits of a project."""
        return self._of_project.get(project_id, {}).values()

    def hang_on(self, registered_id: str) -> bool:
        """Whether somebody has a limit instead of this registered one."""
        return bool(self._hanging[registered_id])

    def register(self, item: Json) -> None:
        """Add a registered limit. Raises `Refusal` (409) where there is one."""
        key = key_of(item)
        if key in self._registered_as:
            raise _conflict("registered_limit")
        self.registered[item["id"]] = self._registered_as[key] = item
        self._hanging[item["id"]] = {}

    def change(self, item: Json, changes: Json) -> None:
        """Change a registered limit on which nothing hangs. Raises `Refusal`: something does (403), 409.

        As the real one it meets itself when it is told what it says of service, region or name already.
        """
        self._free(item)
        named = changes.get("service_id") or "region_id" in changes or changes.get("resource_name")
        if named and key_of(item | changes) in self._registered_as:
            raise _conflict("registered_limit")
        del self._registered_as[key_of(item)]
        item.update(changes)
        self._registered_as[key_of(item)] = item

    def unregister(self, item: Json) -> None:
        """Take a registered limit away. Raises `Refusal` (403) where something hangs on it."""
        self._free(item)
        del self.registered[item["id"]], self._registered_as[key_of(item)], self._hanging[item["id"]]

    def _free(self, item: Json) -> None:
        if self._hanging[item["id"]]:
            raise Refusal(
                403,
                f"Unable to update or delete registered limit {item['id']} "
                "because there are project limits associated with it.",
            )

    def add(self, item: Json) -> None:
        """Add a limit of a project or domain. Raises `Refusal`: nothing registered (403), a second (409)."""
        registered = self._registered_as.get(key_of(item))
        if registered is None:
            raise Refusal(403, "Unable to create a limit that has no corresponding registered limit.")
        owner = (item["project_id"], item["domain_id"])
        if owner in self._hanging[registered["id"]]:
            raise _conflict("limit")
        self.limits[item["id"]] = self._hanging[registered["id"]][owner] = item
        if item["project_id"]:
            self._of_project.setdefault(item["project_id"], {})[item["id"]] = item

    def remove(self, item: Json) -> None:
        """Take a limit away: the registered one is in force again."""
        registered = self._registered_as[key_of(item)]
        del self.limits[item["id"]]
        del self._hanging[registered["id"]][item["project_id"], item["domain_id"]]
        if item["project_id"]:
            del self._of_project[item["project_id"]][item["id"]]

    def forget(self, project_id: str) -> None:
        """Take all limits of a project that is no more away."""
        for item in list(self.of_project(project_id)):
            self.remove(item)


def key_of(item: Json) -> Key:
    """Under what a limit of either kind is looked up."""
    return str(item["service_id"]), item.get("region_id"), str(item["resource_name"])


def _conflict(kind: str) -> Refusal:
    return Refusal(409, f"Conflict occurred attempting to store {kind} - Duplicate entry.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the limits of one service of one region are looked up."""

    limits: UnifiedLimits
    service_id: str
    region_id: str

    def key(self, name: str) -> Key:
        """How a resource is looked up."""
        return self.service_id, self.region_id, name

    def default(self, name: str) -> int | None:
        """What is registered; None where nothing is."""
        return self.limits.default(self.key(name))

    def in_force(self, name: str, project_id: str) -> int | None:
        """The project's own limit or what is registered; None where nothing is."""
        own = self.limits.of(self.key(name), project_id)
        return self.default(name) if own is None else int(own["resource_limit"])

    def over(self, project_id: str | None, wanted: Mapping[str, int], used: Mapping[str, int]) -> list[Over]:
        """Of what there would be too much; what nobody registered has a limit of 0 here.

        Without a project only what is registered counts.
        """
        found = []
        for name in sorted(wanted):
            limit = self.default(name) if project_id is None else self.in_force(name, project_id)
            if (limit is None or limit >= 0) and used.get(name, 0) + wanted[name] > (limit or 0):
                over = Over(name, limit or 0, used.get(name, 0), wanted[name], limit is not None)
                found.append(over)
        return found
