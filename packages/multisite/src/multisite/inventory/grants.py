"""Who sees items of other projects: Neutron's RBAC policies, the members of Glance's shared images.

Neutron's own flag `shared` is no help: it is relative to the project of the token that asks. An RBAC
policy names a project, or `*` for all.
"""

from collections.abc import Collection
from typing import Any

from multisite.inventory.model import Grant
from multisite.openstack import glance, neutron
from multisite.openstack.client import RegionClient
from multisite.openstack.failures import RegionCallError

#: Kinds that RBAC policies speak of, by Neutron's word for them.
RBAC_KINDS = {"network": "network", "security_group": "security_group"}
_ACTIONS = frozenset({"access_as_shared", "access_as_external"})


async def of_networks(client: RegionClient) -> frozenset[Grant]:
    """The grants of networks and security groups. Raises `RegionCallError`."""
    policies = await neutron.rbac_policies(client)
    grants = (_grant(policy) for policy in policies if isinstance(policy, dict))
    return frozenset(grant for grant in grants if grant is not None)


async def of_images(client: RegionClient, ids: Collection[str]) -> frozenset[Grant]:
    """The projects that accepted these images, one call for each. Raises `RegionCallError`."""
    grants: set[Grant] = set()
    for identity in sorted(ids):
        try:
            members = await glance.members(client, identity)
        except RegionCallError as error:
            if error.code in {"not-found", "forbidden"}:  # deleted, or made private, a moment ago
                continue
            raise
        grants |= {
            Grant("image", identity, str(each["member_id"])[:64])
            for each in members
            if isinstance(each, dict) and each.get("status") == "accepted" and each.get("member_id")
        }
    return frozenset(grants)


def _grant(policy: dict[str, Any]) -> Grant | None:
    kind = RBAC_KINDS.get(str(policy.get("object_type")))
    identity, project = policy.get("object_id"), policy.get("target_tenant")
    if kind is None or policy.get("action") not in _ACTIONS:
        return None
    if not isinstance(identity, str) or not isinstance(project, str) or len(project) > 64:  # noqa: PLR2004
        return None
    return Grant(kind, identity, project)
