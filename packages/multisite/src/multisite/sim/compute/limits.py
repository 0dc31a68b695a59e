"""Nova's limits and what it counts against them, with its own database of quotas or with unified limits.

With its own database a project has defaults (those of the quota class `default`), limits instead of some
of them, and users who may have less. With unified limits Keystone is asked for servers and for what
Placement counts; everything else is what is registered, whoever asks.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.sim.compute import unified
from multisite.sim.http import Refusal
from multisite.sim.identity.limits import complaint

if TYPE_CHECKING:
    from multisite.sim.compute.state import Flavor, Server
    from multisite.sim.world import Region

#: What a project may use without a limit of its own.
QUOTA = {
    "cores": 20, "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255, "injected_files": 5,
    "instances": 10, "key_pairs": 100, "metadata_items": 128, "ram": 51200, "server_group_members": 10,
    "server_groups": 10, **dict.fromkeys(unified.NETWORKS, -1),
}  # fmt: skip
DEFAULT_CLASS = "default"


@dataclass(slots=True)
class ServerGroup:
    """Servers that are to be together, or apart; `members` are ids of servers."""

    id: str
    name: str
    policy: str
    project_id: str
    user_id: str
    members: list[str] = field(default_factory=list)


class Quotas:
    """What projects may use, and do."""

    def __init__(self, region: "Region") -> None:
        self.region = region
        self.servers: dict[str, Server] = {}
        self.server_groups: dict[str, ServerGroup] = {}
        self.keypairs: dict[tuple[str, str], dict[str, object]] = {}
        self.quotas: dict[str, dict[str, int]] = {}
        #: By project and user.
        self.user_quotas: dict[tuple[str, str], dict[str, int]] = {}
        self.quota_classes: dict[str, dict[str, int]] = {}
        self.used: dict[str, Counter[str]] = {}

    # -- limits --------------------------------------------------------------------------------------

    def class_limits(self, name: str) -> dict[str, int]:
        """The limits of a quota class: what it does not say is as the configuration has it."""
        place = self.region.unified("compute")
        if place:
            return unified.defaults(place)
        return QUOTA | self.quota_classes.get(name, {})

    def default_limits(self) -> dict[str, int]:
        """The limits of a project that has none of its own."""
        return self.class_limits(DEFAULT_CLASS)

    def limits(self, project_id: str, user_id: str | None = None) -> dict[str, int]:
        """The limits of a project, or of a user in it."""
        place = self.region.unified("compute")
        if place:
            return unified.limits(place, project_id)
        held = self.default_limits() | self.quotas.get(project_id, {})
        return held | self.user_quotas.get((project_id, user_id), {}) if user_id else held

    def of_users(self, project_id: str, name: str) -> int:
        """The sum of what users of a project got for themselves; without limits."""
        held = (own.get(name, 0) for (project, _), own in self.user_quotas.items() if project == project_id)
        return sum(limit for limit in held if limit > 0)

    # -- use -----------------------------------------------------------------------------------------

    def usage(self, project_id: str) -> Counter[str]:
        """What a project uses: instances, cores, ram."""
        return self.used.setdefault(project_id, Counter())

    def shown_use(self, project_id: str, user_id: str | None = None) -> Counter[str]:
        """What Nova tells of the use of a project, or of a user in it: nothing where it cannot count that."""
        if self.region.unified("compute"):
            used = unified.classic(self.placed(project_id))
        elif user_id:
            used = self._of_user(project_id, user_id)
        else:
            used = Counter(self.usage(project_id))
        used["server_groups"] = sum(
            group.project_id == project_id and user_id in {None, group.user_id}
            for group in self.server_groups.values()
        )
        return used

    def _of_user(self, project_id: str, user_id: str) -> Counter[str]:
        used = Counter[str]()
        for server in self.servers.values():
            if (server.project_id, server.user_id) == (project_id, user_id):
                used.update(instances=1, cores=server.flavor.vcpus, ram=server.flavor.ram)
        return used

    def placed(self, project_id: str) -> Counter[str]:
        """Servers of a project, and what Placement has allocated to them, by their unified names."""
        placed = Counter[str]()
        for server in self.servers.values():
            if server.project_id == project_id:
                placed["servers"] += 1
                held = list(server.allocations().values())
                if server.old_flavor:
                    held.append(server.old_flavor.needs())
                for resources in held:
                    placed.update({f"{unified.CLASS}{kind}": amount for kind, amount in resources.items()})
        return placed

    def count(self, project_id: str, flavor: "Flavor", sign: int, *, instances: int = 1) -> None:
        """Count a server of a project, or (`sign` -1) count it no longer."""
        used = self.usage(project_id)
        used["instances"] += sign * instances
        used["cores"] += sign * flavor.vcpus
        used["ram"] += sign * flavor.ram
        if self.region.born:
            self.region.touch()

    def standing(self, project_id: str, name: str) -> tuple[int, int] | None:
        """A project's limit in force and its use, by the classic name; None for what Nova has no limit of."""
        place = self.region.unified("compute")
        if place:
            return unified.standing(place, project_id, name, self.placed(project_id), self.shown_use)
        if name not in QUOTA:
            return None
        own = self.quotas.get(project_id, {})
        limit = own[name] if name in own else self.default_limits()[name]
        if name == "server_groups":
            return limit, self.shown_use(project_id)[name]
        return limit, self.usage(project_id)[name]

    # -- rules ---------------------------------------------------------------------------------------

    def allowed(self, project_id: str, user_id: str, flavor: "Flavor", *, least: int, most: int) -> int:
        """How many servers a user may have more of, `least` to `most`. Raises `Refusal` (403)."""
        if not self.region.limits_hold:
            return most
        if self.region.unified("compute"):
            return self._allowed_unified(project_id, flavor, least, most)
        wanted = {"instances": most, "cores": most * flavor.vcpus, "ram": most * flavor.ram}
        over = self._over(project_id, user_id, wanted)
        if not over:
            return most
        sizes = {"instances": 1, "cores": flavor.vcpus, "ram": flavor.ram}
        room = min(
            (limits[name] - used[name]) // size
            for limits, used in self._both(project_id, user_id)
            for name, size in sizes.items()
            if size and limits[name] >= 0
        )
        if least <= room <= most and room > 0:
            return room
        told: dict[str, object] = dict(wanted)
        told["instances"] = most if least == most else f"{least}-{most}"
        raise _exceeded(over, told)

    def _both(self, project_id: str, user_id: str) -> list[tuple[dict[str, int], Counter[str]]]:
        """Limits and use of the project, and of the user if he has limits of his own."""
        both = [(self.limits(project_id), self.usage(project_id))]
        if (project_id, user_id) in self.user_quotas:
            both.append((self.limits(project_id, user_id), self._of_user(project_id, user_id)))
        return both

    def _over(self, project_id: str, user_id: str, wanted: Mapping[str, int]) -> dict[str, tuple[int, int]]:
        """Limit and use of what there would be too much of; the user's where it is his."""
        over: dict[str, tuple[int, int]] = {}
        for limits, used in self._both(project_id, user_id):
            for name in sorted(wanted):
                if 0 <= limits[name] < used[name] + wanted[name]:
                    over[name] = (limits[name], used[name])
        return dict(sorted(over.items()))

    def _allowed_unified(self, project_id: str, flavor: "Flavor", least: int, most: int) -> int:
        refusal: Refusal | None = None
        for number in range(most, least - 1, -1):
            try:
                self.check_unified(project_id, flavor, number)
            except Refusal as found:
                refusal = found
            else:
                return number
        raise refusal or Refusal(403, "Quota exceeded")

    def check_unified(self, project_id: str, flavor: "Flavor", number: int) -> None:
        """Refuse (403) so many servers more."""
        place = self.region.unified("compute")
        if place:
            wanted = {f"{unified.CLASS}{kind}": size * number for kind, size in flavor.needs().items()}
            over = place.over(project_id, {"servers": number} | wanted, self.placed(project_id))
            if unified.enforced(over):
                raise Refusal(403, complaint(project_id, over))

    def check_growth(self, server: "Server", flavor: "Flavor") -> None:
        """Refuse (403) another size of a server; with unified limits both sizes count for a while."""
        place = self.region.unified("compute")
        if place:
            wanted = {f"{unified.CLASS}{kind}": size for kind, size in flavor.needs().items()}
            over = place.over(server.project_id, {"servers": 0} | wanted, self.placed(server.project_id))
            if unified.enforced(over):
                raise Refusal(403, complaint(server.project_id, over))
            return
        old = server.flavor
        sizes = {"cores": flavor.vcpus - old.vcpus, "ram": flavor.ram - old.ram}
        wanted = {name: more for name, more in sizes.items() if more > 0}
        if exceeded := self._over(server.project_id, server.user_id, wanted):
            raise _exceeded(exceeded, dict(wanted))

    def check_number(
        self, project_id: str, user_id: str, name: str, *, used: int, delta: int, why: str
    ) -> None:
        """Refuse (403) so many more of what is not counted by project.

        Those are keypairs, metadata and members of a group; `why` may name the `{limit}`.
        """
        place = self.region.unified("compute")
        if place:
            named = unified.NAMES[name]
            over = place.over(None, {named: delta}, {named: used})
            if unified.enforced(over):
                raise Refusal(403, complaint(None, over))
        elif 0 <= (limit := self.limits(project_id, user_id)[name]) < used + delta:
            raise Refusal(403, why.format(limit=limit))


def _exceeded(over: Mapping[str, tuple[int, int]], wanted: Mapping[str, object]) -> Refusal:
    names = ", ".join(over)
    asked = ", ".join(str(wanted[name]) for name in over)
    used = ", ".join(str(used) for _, used in over.values())
    limits = ", ".join(str(limit) for limit, _ in over.values())
    return Refusal(
        403, f"Quota exceeded for {names}: Requested {asked}, but already used {used} of {limits} {names}"
    )
