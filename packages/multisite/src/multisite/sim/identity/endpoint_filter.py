"""Which endpoints a project is confined to: named one by one, or by groups with filters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from multisite.sim.http import Json, Refusal


@dataclass(slots=True)
class EndpointFilter:
    """The filter of one Keystone: by project, the ids of its endpoints and of its endpoint groups."""

    groups: dict[str, Json] = field(default_factory=dict)
    endpoints_of: dict[str, set[str]] = field(default_factory=dict)
    groups_of: dict[str, set[str]] = field(default_factory=dict)

    def confine(self, project_id: str, endpoint_id: str) -> None:
        """Give a project an endpoint. Raises `Refusal` (409)."""
        _join(self.endpoints_of, project_id, endpoint_id, "project_endpoint")

    def release(self, project_id: str, endpoint_id: str) -> None:
        """Take an endpoint from a project. Raises `Refusal` (404)."""
        _leave(
            self.endpoints_of,
            project_id,
            endpoint_id,
            f"Endpoint {endpoint_id} not found in project {project_id}",
        )

    def confine_to_group(self, project_id: str, group_id: str) -> None:
        """Give a project a group of endpoints. Raises `Refusal` (409)."""
        _join(self.groups_of, project_id, group_id, "project_endpoint_group")

    def release_from_group(self, project_id: str, group_id: str) -> None:
        """Take a group from a project. Raises `Refusal` (404)."""
        _leave(self.groups_of, project_id, group_id, "Endpoint Group Project Association not found")

    def add_group(self, group: Json) -> Json:
        """Put a group there."""
        self.groups[group["id"]] = group
        return group

    def drop_group(self, group_id: str) -> None:
        """Forget a group, and who was confined to it. Raises `Refusal` (404)."""
        del self.groups[self.group(group_id)["id"]]
        for held in self.groups_of.values():
            held.discard(group_id)

    def group(self, group_id: str) -> Json:
        """One group. Raises `Refusal` (404)."""
        if group_id not in self.groups:
            raise Refusal(404, f"Could not find Endpoint Group: {group_id}.")
        return self.groups[group_id]

    def allowed(self, project_id: str, endpoints: Mapping[str, Json]) -> dict[str, Json]:
        """The endpoints of a project by id; none where it is not confined."""
        found = {each: endpoints[each] for each in self.endpoints_of.get(project_id, ()) if each in endpoints}
        for group_id in self.groups_of.get(project_id, ()):
            found |= {each["id"]: each for each in self.members(group_id, endpoints.values())}
        return found

    def members(self, group_id: str, endpoints: Iterable[Json]) -> list[Json]:
        """The endpoints that fit the filters of a group."""
        filters = self.group(group_id)["filters"].items()
        return [each for each in endpoints if all(each.get(key) == value for key, value in filters)]

    def forget(self, gone: str) -> None:
        """A project or an endpoint is gone."""
        for kept in (self.endpoints_of, self.groups_of):
            kept.pop(gone, None)
        for held in self.endpoints_of.values():
            held.discard(gone)


def _join(kept: dict[str, set[str]], project_id: str, other: str, kind: str) -> None:
    held = kept.setdefault(project_id, set())
    if other in held:
        raise Refusal(409, f"Conflict occurred attempting to store {kind} - Duplicate entry.")
    held.add(other)


def _leave(kept: dict[str, set[str]], project_id: str, other: str, why: str) -> None:
    held = kept.get(project_id, set())
    if other not in held:
        raise Refusal(404, why)
    held.remove(other)
