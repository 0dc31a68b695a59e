"""Nova's keypairs: each belongs to a user."""

import base64
import binascii
import hashlib

from multisite.sim.compute.routes import ROUTES, need_admin
from multisite.sim.http import Answer, Call, Json, Refusal, stamp_micro


def _user(call: Call) -> str:
    """The user whose keypairs are meant."""
    user_id = call.one("user_id") or call.token.user_id
    if user_id != call.token.user_id:
        need_admin(call, "os_compute_api:os-keypairs:index")
    return user_id


def _shown(call: Call, keypair: Json) -> Json:
    keys = ["name", "public_key", "fingerprint"] + (["type"] if call.version >= (2, 2) else [])
    return {key: keypair[key] for key in keys}


@ROUTES.on("GET", "/os-keypairs")
def list_keypairs(call: Call) -> Json:
    """The keypairs of a user."""
    user_id = _user(call)
    found = [item for (owner, _), item in sorted(call.region.compute.keypairs.items()) if owner == user_id]
    return {"keypairs": [{"keypair": _shown(call, item)} for item in found]}


@ROUTES.on("GET", "/os-keypairs/{name}")
def show_keypair(call: Call) -> Json:
    """One keypair, with its user and time."""
    keypair = _keypair(call)
    more = {
        key: keypair[key] for key in ("user_id", "id", "created_at", "deleted", "deleted_at", "updated_at")
    }
    return {"keypair": _shown(call, keypair) | more}


@ROUTES.on("POST", "/os-keypairs")
def create_keypair(call: Call) -> Answer:
    """Import a public key; since 2.92 Nova makes none itself."""
    wanted = call.part("keypair")
    user_id = str(wanted.get("user_id") or call.token.user_id)
    if user_id != call.token.user_id:
        need_admin(call, "os_compute_api:os-keypairs:create")
    name, public_key = str(wanted.get("name") or ""), str(wanted.get("public_key") or "")
    keypairs = call.region.compute.keypairs
    if not name or not public_key:
        raise Refusal(400, "Invalid input for field/attribute keypair. 'public_key' is a required property")
    made = make_keypair(user_id, name, public_key, call.region.now("compute"), len(keypairs) + 1)
    if (user_id, name) in keypairs:
        raise Refusal(409, f"Key pair '{name}' already exists.")
    held = sum(owner == user_id for owner, _ in keypairs)
    call.region.compute.check_number(
        call.token.project_id,
        user_id,
        "key_pairs",
        used=held,
        delta=1,
        why="Quota exceeded, too many key pairs.",
    )
    keypairs[user_id, name] = keypair = made
    status = 201 if call.version >= (2, 2) else 200
    return Answer(status, {"keypair": _shown(call, keypair) | {"user_id": user_id}})


@ROUTES.on("DELETE", "/os-keypairs/{name}")
def delete_keypair(call: Call) -> Answer:
    """Delete a keypair."""
    keypair = _keypair(call)
    del call.region.compute.keypairs[keypair["user_id"], keypair["name"]]
    return Answer(204 if call.version >= (2, 2) else 202)


def _keypair(call: Call) -> Json:
    user_id = _user(call)
    keypair = call.region.compute.keypairs.get((user_id, call.ids[0]))
    if keypair is None:
        raise Refusal(404, f"Keypair {call.ids[0]} not found for user {user_id}")
    return keypair


def make_keypair(user_id: str, name: str, public_key: str, now: float, number: int) -> Json:
    """A keypair; its fingerprint is the MD5 of the key's bytes. Raises `Refusal` (400) for no key."""
    parts = public_key.split()
    try:
        raw = base64.b64decode(parts[1], validate=True)
    except (IndexError, binascii.Error):
        raise Refusal(400, "Keypair data is invalid: failed to generate fingerprint") from None
    digest = hashlib.md5(raw, usedforsecurity=False).hexdigest()
    return {
        "name": name, "public_key": public_key, "user_id": user_id, "id": number, "type": "ssh",
        "fingerprint": ":".join(digest[at : at + 2] for at in range(0, 32, 2)),
        "created_at": stamp_micro(now), "deleted": False, "deleted_at": None, "updated_at": None,
    }  # fmt: skip
