"""What is done to floating IPs.

Neutron moves a floating IP from one port to another without a word. Here it has to be free first: it is
read, and changed only if it still has the revision that was read.
"""

from typing import Any

from multisite.actions.bodies import FloatingIPAssociate, FloatingIPCreate
from multisite.actions.model import Action, Deed
from multisite.errors import Conflict
from multisite.openstack import neutron
from multisite.openstack.users import Reply, UserClient


async def _create(user: UserClient, deed: Deed) -> Reply:
    return await neutron.create_floating_ip(user, {"floating_network_id": deed.body.network_id})


async def _associate(user: UserClient, deed: Deed) -> Reply:
    body: FloatingIPAssociate = deed.body
    found = await neutron.floating_ip(user, deed.item_id)
    port_id = body.port_id or await _only_port(user, str(body.server_id))
    if found.get("port_id") not in {None, port_id}:
        raise Conflict(
            f"floating IP {found.get('floating_ip_address')} leads to port {found['port_id']!r} already; "
            "disassociate it first"
        )
    changes: dict[str, Any] = {"port_id": port_id}
    if body.fixed_ip_address is not None:
        changes["fixed_ip_address"] = str(body.fixed_ip_address)
    return await neutron.change_floating_ip(user, deed.item_id, changes, found.get("revision_number"))


async def _only_port(user: UserClient, server_id: str) -> str:
    """The port of a server. Raises `Conflict` where it has none or several."""
    ports = await neutron.ports_of(user, server_id)
    if len(ports) != 1:
        named = ", ".join(f"{each['id']} ({_addresses(each)})" for each in ports)
        having = f"has several ports: give port_id, one of {named}" if ports else "has no port that you see"
        raise Conflict(f"server {server_id!r} {having}")
    return str(ports[0]["id"])


def _addresses(port: dict[str, Any]) -> str:
    return ", ".join(str(each["ip_address"]) for each in port.get("fixed_ips") or ()) or "no address"


async def _disassociate(user: UserClient, deed: Deed) -> Reply:
    found = await neutron.floating_ip(user, deed.item_id)
    changes = {"port_id": None}
    return await neutron.change_floating_ip(user, deed.item_id, changes, found.get("revision_number"))


async def _delete(user: UserClient, deed: Deed) -> Reply:
    return await neutron.delete_floating_ip(user, deed.item_id)


def _associate_line(deed: Deed) -> list[str]:
    body: FloatingIPAssociate = deed.body
    fixed = ["--fixed-ip-address", str(body.fixed_ip_address)] if body.fixed_ip_address is not None else []
    if body.server_id is not None:
        return ["server", "add", "floating", "ip", *fixed, body.server_id, deed.item_id]
    return ["floating", "ip", "set", "--port", str(body.port_id), *fixed, deed.item_id]


ACTIONS: tuple[Action, ...] = (
    Action(
        *("floating-ips", "create", "create the floating IP", _create),
        lambda deed: ["floating", "ip", "create", deed.body.network_id],
        body=FloatingIPCreate,
        made="floatingip",
    ),
    Action(
        *("floating-ips", "associate", "associate the floating IP", _associate, _associate_line),
        body=FloatingIPAssociate,
    ),
    Action(
        *("floating-ips", "disassociate", "disassociate the floating IP", _disassociate),
        lambda deed: ["floating", "ip", "unset", "--port", deed.item_id],
    ),
    Action(
        *("floating-ips", "delete", "delete the floating IP", _delete),
        lambda deed: ["floating", "ip", "delete", deed.item_id],
    ),
)
