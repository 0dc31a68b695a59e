"""Keystone's routes of application credentials."""

from multisite.sim.http import Answer, Call, Json, Refusal, parse_stamp
from multisite.sim.identity.asking import ROUTES, keystone_of, links_of, need_admin, public
from multisite.sim.identity.state import NOT_ALLOWED


@ROUTES.on("GET", "/users/{user_id}/application_credentials")
def list_application_credentials(call: Call) -> Json:
    """A user's application credentials; never their secrets."""
    _own_user(call)
    held = keystone_of(call).collections["application_credentials"].values()
    return {
        "application_credentials": [
            _credential(call, item) for item in held if item["user_id"] == call.ids[0]
        ],
        "links": links_of(call),
    }


@ROUTES.on("POST", "/users/{user_id}/application_credentials")
def create_application_credential(call: Call) -> Answer:
    """An application credential for the token's project, with the token's roles or fewer."""
    _own_user(call)
    held = call.token.application_credential
    if held and not held["unrestricted"]:
        words = "Using method 'application_credential' is not allowed for managing additional ones."
        raise Refusal(403, NOT_ALLOWED.format(words))
    keystone, wanted = keystone_of(call), call.part("application_credential")
    for item in keystone.collections["application_credentials"].values():
        if (item["user_id"], item["name"]) == (call.ids[0], wanted.get("name")):
            raise Refusal(
                409,
                "Conflict occurred attempting to store application_credential - "
                f"Duplicate entry found with name {wanted.get('name')}.",
            )
    names = [role.get("name") for role in wanted.get("roles") or []] or list(call.token.roles)
    if not set(names) <= set(call.token.roles):
        raise Refusal(400, "A role that the user does not have cannot be delegated.")
    secret = str(wanted.get("secret") or keystone.new_id())
    item = {
        "id": keystone.new_id(), "name": wanted.get("name"), "description": wanted.get("description"),
        "user_id": call.ids[0], "project_id": call.token.project_id,
        "unrestricted": wanted.get("unrestricted"),
        "roles": [dict(keystone.get("roles", keystone.role_id(str(name)))) for name in names],
        "expires_at": wanted.get("expires_at"), "system": None,
    }  # fmt: skip
    keystone.add("application_credentials", item)
    keystone.secrets[item["id"]] = secret
    if item["expires_at"]:
        parse_stamp(str(item["expires_at"]))
    return Answer(201, {"application_credential": _credential(call, item) | {"secret": secret}})


@ROUTES.on("DELETE", "/users/{user_id}/application_credentials/{credential_id}")
def delete_application_credential(call: Call) -> Answer:
    """End an application credential, and the tokens that it was exchanged for."""
    _own_user(call)
    keystone_of(call).drop("application_credentials", call.ids[1])
    for token in list(keystone_of(call).tokens.values()):
        if token.application_credential and token.application_credential["id"] == call.ids[1]:
            keystone_of(call).revoke(token.id)
    return Answer(204)


def _own_user(call: Call) -> None:
    if call.ids[0] != call.token.user_id:
        need_admin(call, "application_credentials")


def _credential(call: Call, item: Json) -> Json:
    return public(call, "application_credentials", item)
