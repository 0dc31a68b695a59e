"""What is put into the regions: plain data, different in each region on purpose.

Numbers, sizes and names differ so that a total that counts a region twice, or takes one for
another, is wrong in a way that can be seen. Some things are alike in two regions and differ in
the third (the image `lab-linux`, the keypair `workstation`), as in real clouds.
"""

import dataclasses

ALPHA, BETA = "alpha", "beta"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGxhYi1vbmx5LWtleS1mb3ItbXVsdGlzaXRlLWxhYi0x {user}@lab"
FLAVORS = {
    "m1.tiny": (1, 512, 1),
    "m1.small": (1, 2048, 20),
    "m1.medium": (2, 4096, 40),
    "m1.large": (4, 8192, 80),
    "m1.xlarge": (8, 16384, 160),
}


@dataclasses.dataclass(frozen=True)
class Image:
    """An image whose bytes follow from `seed`: equal seeds, equal images."""

    name: str
    size_kib: int
    seed: int
    owner: str = "admin"

    @property
    def visibility(self) -> str:
        """Public if the administrator owns it."""
        return "public" if self.owner == "admin" else "private"


@dataclasses.dataclass(frozen=True)
class Server:
    """A server in the first network of its tenant."""

    name: str
    flavor: str
    zone: str = "nova"
    floating_ip: bool = False


@dataclasses.dataclass(frozen=True)
class Volume:
    """A volume, and the name of its snapshot if it has one."""

    name: str
    size_gb: int
    snapshot: str | None = None


@dataclasses.dataclass(frozen=True)
class Tenant:
    """What one project has in one region."""

    project: str
    networks: tuple[str, ...]
    servers: tuple[Server, ...] = ()
    volumes: tuple[Volume, ...] = ()
    spare_floating_ips: int = 0
    web_ports: tuple[int, ...] = (80, 443)
    keypair: str | None = "workstation"
    subnet_number: int = 1


@dataclasses.dataclass(frozen=True)
class Contents:
    """What one region has."""

    flavors: tuple[str, ...]
    images: tuple[Image, ...]
    tenants: tuple[Tenant, ...]
    external_prefix: int
    zones: tuple[str, ...] = ()
    """Zones beside `nova`: the first goes to the second compute, and so on."""


LINUX = Image("lab-linux", 4096, seed=1)

CONTENTS = (
    Contents(
        flavors=("m1.tiny", "m1.small", "m1.medium", "m1.large"),
        images=(LINUX, Image("alpha-build", 1024, seed=2, owner=ALPHA)),
        external_prefix=24,
        tenants=(
            Tenant(
                ALPHA,
                networks=("alpha-net", "alpha-storage"),
                servers=(
                    Server("alpha-web-1", "m1.small", floating_ip=True),
                    Server("alpha-web-2", "m1.small", floating_ip=True),
                    Server("alpha-db-1", "m1.medium"),
                ),
                volumes=(Volume("alpha-data", 2, snapshot="alpha-data-monday"), Volume("alpha-logs", 1)),
            ),
            Tenant(
                BETA,
                networks=("beta-net",),
                servers=(Server("beta-ci-1", "m1.tiny"),),
                volumes=(Volume("beta-cache", 1),),
                keypair=None,
                subnet_number=2,
            ),
        ),
    ),
    Contents(
        flavors=("m1.tiny", "m1.small", "m1.medium", "m1.xlarge"),
        images=(
            LINUX,
            Image("lab-linux-next", 2048, seed=3),
            Image("beta-appliance", 512, seed=4, owner=BETA),
        ),
        external_prefix=25,
        zones=("az2",),
        tenants=(
            Tenant(
                ALPHA,
                networks=("alpha-net",),
                servers=(
                    Server("alpha-web-3", "m1.small", floating_ip=True),
                    Server("alpha-db-2", "m1.medium", zone="az2"),
                ),
                volumes=(Volume("alpha-archive", 3),),
                web_ports=(443,),
            ),
            Tenant(
                BETA,
                networks=("beta-net", "beta-lab"),
                servers=(
                    Server("beta-ci-2", "m1.tiny", zone="az2"),
                    Server("beta-ci-3", "m1.tiny"),
                    Server("beta-app-1", "m1.xlarge", floating_ip=True),
                ),
                volumes=(Volume("beta-app", 2, snapshot="beta-app-before-upgrade"), Volume("beta-cache", 1)),
                subnet_number=2,
            ),
        ),
    ),
    Contents(
        flavors=("m1.tiny", "m1.small"),
        # The name of the other regions, but other bytes.
        images=(Image("lab-linux", 3072, seed=5),),
        external_prefix=26,
        tenants=(
            Tenant(
                ALPHA,
                networks=("alpha-net",),
                servers=(Server("alpha-edge-1", "m1.tiny"),),
                volumes=(Volume("alpha-edge", 1),),
                keypair=None,
            ),
            Tenant(BETA, networks=("beta-net",), spare_floating_ips=1, subnet_number=2),
        ),
    ),
)
