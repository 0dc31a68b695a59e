"""What all of Keystone's routes ask of a call, and what they have in common."""

from urllib.parse import urlencode

from multisite.sim.http import Call, Json, Refusal
from multisite.sim.identity.state import NOT_ALLOWED, Keystone
from multisite.sim.routing import Routes

#: All of Keystone's routes; the modules beside this one put theirs in.
ROUTES = Routes()


def keystone_of(call: Call) -> Keystone:
    """The Keystone that is asked."""
    return call.region.keystone


def need_admin(call: Call, action: str) -> None:
    """Raise `Refusal` (403) unless the token is an administrator's."""
    if not call.token.admin:
        raise Refusal(403, NOT_ALLOWED.format(f"identity:{action}"))


def public(call: Call, collection: str, item: Json) -> Json:
    """An item as it is shown: with a link to itself."""
    return item | {"links": {"self": f"{call.base}/{collection}/{item['id']}"}}


def links_of(call: Call) -> Json:
    """The links of a listing, which has one page."""
    query = urlencode(call.query, doseq=True, safe=":")
    return {"next": None, "self": call.url(call.path) + (f"?{query}" if query else ""), "previous": None}
