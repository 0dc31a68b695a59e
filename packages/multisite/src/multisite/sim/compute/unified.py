"""Nova's limits where Keystone keeps them: other names, other counts, and what nobody registered.

What has no registered limit is shown as 0 and is not refused, but for what Nova requires (its options
`unified_limits_resource_strategy = require` and `unified_limits_resource_list = servers`, the defaults).
"""

from collections import Counter
from collections.abc import Callable, Iterable

from multisite.sim.identity.limits import UNLIMITED, Over, Place

#: What each limit of the classic API is called in Keystone.
NAMES = {
    "instances": "servers", "cores": "class:VCPU", "ram": "class:MEMORY_MB", "key_pairs": "server_key_pairs",
    "server_groups": "server_groups", "server_group_members": "server_group_members",
    "metadata_items": "server_metadata_items", "injected_files": "server_injected_files",
    "injected_file_content_bytes": "server_injected_file_content_bytes",
    "injected_file_path_bytes": "server_injected_file_path_bytes",
}  # fmt: skip
#: What Nova counted when it had networks of its own: kept, shown to old callers, and without meaning.
NETWORKS = ("fixed_ips", "floating_ips", "security_group_rules", "security_groups")
#: Of these projects may have limits of their own.
OF_PROJECTS = ("cores", "instances", "ram")
#: What must be registered.
REQUIRED = frozenset({"servers"})
CLASS = "class:"


def defaults(place: Place) -> dict[str, int]:
    """What the classic API shows as defaults: 0 for what nobody registered, -1 for networks."""
    registered = {name: place.default(named) or 0 for name, named in NAMES.items()}
    return dict(sorted((dict.fromkeys(NETWORKS, UNLIMITED) | registered).items()))


def limits(place: Place, project_id: str) -> dict[str, int]:
    """What the classic API shows as a project's limits."""
    own = {name: place.in_force(NAMES[name], project_id) or 0 for name in OF_PROJECTS}
    return defaults(place) | own


def classic(placed: Counter[str]) -> Counter[str]:
    """The same counts under their classic names."""
    return Counter({name: placed[NAMES[name]] for name in OF_PROJECTS})


def enforced(over: Iterable[Over]) -> bool:
    """Whether what there would be too much of is refused (`nova.limit.utils.should_enforce`)."""
    return any(item.limit > 0 or item.registered or item.name in REQUIRED for item in over)


def standing(
    place: Place, project_id: str, name: str, placed: Counter[str], shown: Callable[[str], Counter[str]]
) -> tuple[int, int] | None:
    """The limit that is in force and the use; None for what Nova does not count."""
    named = NAMES.get(name, name)
    if not (name in NAMES or name.startswith(CLASS)):
        return None
    by_project = name in OF_PROJECTS or name.startswith(CLASS)
    limit = place.in_force(named, project_id) if by_project else place.default(named)
    if limit is None:
        limit = 0 if named in REQUIRED else UNLIMITED
    return limit, placed[named] if by_project else shown(project_id)[name]
