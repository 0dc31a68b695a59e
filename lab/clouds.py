"""The clouds.yaml of the lab: per region an administrator and two tenants.

An entry is named after its region and its user, `RegionTwo-alpha`. It holds one `region_name`,
so a client that uses it cannot talk to another region by mistake.
"""

from typing import Any

import yaml

from lab.configuration import ADMIN_PASSWORD
from lab.layout import Lab, Region

TENANTS = {"alpha": "alpha-lab", "beta": "beta-lab"}


def entries(lab: Lab) -> dict[str, Any]:
    """All entries by name."""
    accounts = {"admin": ADMIN_PASSWORD, **TENANTS}
    return {
        f"{region.name}-{user}": _entry(lab, region, user, password)
        for region in lab.regions
        for user, password in accounts.items()
    }


def text(lab: Lab) -> str:
    """The entries as the text of a clouds.yaml."""
    return yaml.safe_dump({"clouds": entries(lab)}, sort_keys=False)


def write(lab: Lab) -> None:
    """Write the clouds.yaml of the lab into its state."""
    lab.clouds_file.parent.mkdir(parents=True, exist_ok=True)
    lab.clouds_file.write_text(text(lab))


def _entry(lab: Lab, region: Region, user: str, password: str) -> dict[str, Any]:
    return {
        "auth": {
            "auth_url": lab.auth_url(region),
            "username": user,
            "password": password,
            "project_name": user,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        },
        "region_name": region.name,
        "identity_api_version": 3,
        "volume_api_version": 3,
    }
