"""What cloud to make."""

from dataclasses import dataclass, field

#: First parts of paths that are no region.
RESERVED = frozenset({"identity", "_sim"})
#: The service types of a simulated region, as its catalog spells them, with the path of each.
SERVICES = {
    "identity": "identity/v3",
    "compute": "compute/v2.1",
    "placement": "placement",
    "block-storage": "volume/v3",
    "network": "network",
    "image": "image",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A cloud of `regions` regions; the same plan makes the same cloud.

    Per region: `hosts` computes, `networks` (the first one external), `servers`. `projects` are known to
    every Keystone. `own_keystone` gives each region a Keystone with ids of its own; the first region's is
    the home Keystone. `url` is where the simulator can be reached: it stands in the catalog.
    `names` are the regions' names; without them they are called `region-0001` and so on.
    `build_seconds`: how long a server stays in BUILD. An `empty` cloud has nothing in its regions, not even
    hosts: whoever asks for it puts them in.
    """

    regions: int = 6
    hosts: int = 10
    networks: int = 5
    servers: int = 50
    projects: int = 4
    seed: int = 1
    own_keystone: bool = False
    url: str = "http://127.0.0.1:8180"
    names: tuple[str, ...] = ()
    project_names: tuple[str, ...] = ()
    build_seconds: float = 0.0
    empty: bool = False
    token_seconds: float = 3600.0
    region_urls: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.regions < 1 or self.hosts < 1 or self.networks < 1:
            raise ValueError("a cloud has at least one region, with one host and one network")
        if min(self.servers, self.projects) < 0:
            raise ValueError("there cannot be fewer than no servers or projects")
        if self.names and not len(self.names) == len(set(self.names)) == self.regions:
            raise ValueError("give as many different names as there are regions, or none")
        if any(set(name) & set("/?#% ") or name in RESERVED for name in self.names):
            raise ValueError("a region's name is a part of a URL: no slash, space, question mark, # or %")

    def region_names(self) -> tuple[str, ...]:
        """The names of all regions, in their order."""
        width = max(4, len(str(self.regions)))
        return self.names or tuple(f"region-{number:0{width}}" for number in range(1, self.regions + 1))

    def tenant_names(self) -> tuple[str, ...]:
        """The names of all tenants' projects; each has a user of the same name."""
        named = self.project_names[: self.projects]
        return named + tuple(f"project-{number:03}" for number in range(len(named) + 1, self.projects + 1))

    def region_url(self, index: int) -> str:
        """Where one region can be reached: its own address where it has one."""
        return self.region_urls[index] if self.region_urls else self.url


def password(user: str) -> str:
    """The password of a simulated user; everybody may know it."""
    return f"{user}-sim"
