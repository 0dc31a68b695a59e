"""Who sees which of Neutron's objects, and who may write them."""

from multisite.sim.http import Call, Refusal
from multisite.sim.network.model import Item, Net, Port, Subnet, SubnetPool
from multisite.sim.network.state import Network


def state_of(call: Call) -> Network:
    """Neutron of the region that is called."""
    return call.region.network


def sees(call: Call, item: Item) -> bool:
    """Whether the token's project sees an item."""
    state, own = state_of(call), call.token.project_id
    if call.token.admin or item.project_id == own:
        return True
    match item:
        case Net():
            return state.sees_network(item, own)
        case Subnet():
            return state.sees_network(state.networks[item.network_id], own)
        case Port():
            return state.networks[item.network_id].project_id == own
        case SubnetPool():
            return item.shared
    return False


def find(call: Call, kind: str, item_id: str, *, to_write: bool = False) -> Item:
    """An item that the token's project sees, or owns `to_write`. Raises `Refusal` (403, 404)."""
    state = state_of(call)
    item: Item | None = state.collection(kind).get(item_id)
    if item is None or not sees(call, item):
        raise state.missing(kind, item_id)
    if to_write:
        own = call.token.admin or item.project_id == call.token.project_id
        if not own or not {"member", "admin"} & set(call.token.roles):
            raise Refusal(403, f"rule:write_{kind} is disallowed by policy", kind="PolicyNotAuthorized")
    return item
