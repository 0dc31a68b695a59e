"""The lab as a cloud to run multisite over, and what the real lab and its simulated twin have in common."""

from pathlib import Path

from demo.cloud import Cloud
from lab.layout import Lab


def cloud_of(lab: Lab) -> Cloud:
    """The lab's regions, its home Keystone, and an administrator's entry for each catalog."""
    home = lab.regions[0]
    return Cloud(
        regions=tuple(region.name for region in lab.regions),
        auth_url=lab.auth_url(home),
        clouds_file=lab.clouds_file,
        operator=f"{home.name}-admin",
        credentials=tuple(f"{owner.name}-admin" for owner in lab.keystone_owners),
    )


class Regions:
    """The regions of an arrangement of the lab, be they real or simulated."""

    lab: Lab

    @property
    def clouds_file(self) -> Path:
        """A clouds.yaml with entries such as `RegionTwo-alpha`."""
        return self.lab.clouds_file

    @property
    def cloud(self) -> Cloud:
        """What multisite runs over."""
        return cloud_of(self.lab)

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of the regions."""
        return tuple(region.name for region in self.lab.regions)

    def url(self, region: str, service: str) -> str:
        """The address of an API, without a path."""
        found = next(each for each in self.lab.regions if each.name == region)
        return self.lab.url(found, service)
