"""The lab as a cloud to run multisite over."""

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
