"""Glance's routes: images, their data, members, stores."""

import re

from multisite.sim.http import Answer, Call, Json, Refusal
from multisite.sim.image.limits import COUNT, MIB, NAMES, SIZE, STAGED, UPLOADING, check, usage
from multisite.sim.image.listing import chosen
from multisite.sim.image.patch import IMMUTABLE, RESERVED, apply_patch, check_attribute, set_attribute
from multisite.sim.image.state import STORE, Image, Member
from multisite.sim.image.wire import image_json, listing_json, member_json
from multisite.sim.routing import Routes

ROUTES = Routes()
IMPORT_METHODS = ("glance-direct", "web-download", "copy-image")
#: Minor versions of the API: those of a Glance with one store in the new fashion, the current one among them.
_MINORS = (15, 13, 12, 11, 10, 9, 8, 17, 7, 6, 5, 4, 3, 2, 1, 0)
_CURRENT = 17
_PAGE = 25
_LONGEST_PAGE = 1000
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def versions(base: str) -> Answer:
    """The versions of the API: status 300, as there are many."""
    found = [
        {
            "id": f"v2.{minor}",
            "status": "CURRENT" if minor == _CURRENT else "SUPPORTED",
            "links": [{"rel": "self", "href": f"{base}/v2/"}],
        }
        for minor in _MINORS
    ]
    return Answer(300, {"versions": found})


def _forbid(action: str) -> Refusal:
    return Refusal(403, f"You are not authorized to complete {action} action.")


def _image(call: Call) -> Image:
    return call.region.image.image(call.ids[0], call.token)


def _own_image(call: Call, action: str) -> Image:
    """An image that the token may change. Raises `Refusal`: not visible (404), another's (403)."""
    image = _image(call)
    if not call.token.admin and image.owner != call.token.project_id:
        raise _forbid(action)
    return image


# -- images ----------------------------------------------------------------------------------------------


@ROUTES.on("GET", "/images")
def list_images(call: Call) -> Json:
    """A page of images, twenty-five unless another number is asked for."""
    limit = _limit(call)
    images, start = chosen(call), 0
    marker = call.one("marker")
    if marker:
        known = call.region.image.images.get(marker)
        if known is None or not known.visible_to(call.token):
            raise Refusal(400, f"No image found with ID {marker}")
        start = next((number for number, image in enumerate(images, 1) if image.id == marker), len(images))
    shown = images[start : start + limit]
    return listing_json(call, shown, full=bool(shown) and len(shown) == limit)


def _limit(call: Call) -> int:
    text = call.one("limit")
    if not text:
        return _PAGE
    if not text.lstrip("-").isdigit():
        raise Refusal(400, "limit param must be an integer")
    if int(text) < 0:
        raise Refusal(400, "limit param must be positive")
    return min(int(text), _LONGEST_PAGE)


@ROUTES.on("GET", "/images/{image_id}")
def show_image(call: Call) -> Json:
    """One image."""
    return image_json(_image(call))


@ROUTES.on("POST", "/images")
def create_image(call: Call) -> Answer:
    """An image that waits for its data."""
    if not {"member", "admin"} & set(call.token.roles):
        raise _forbid("add_image")
    body = dict(call.body)
    for name, value in body.items():
        if name in RESERVED or name in IMMUTABLE - {"id"}:
            raise Refusal(403, f"Attribute '{name}' is read-only.")
        check_attribute(call, name, value)
    image_id = str(body.pop("id", ""))
    if image_id and not _UUID.fullmatch(image_id):
        raise Refusal(400, f"Provided object does not match schema 'image': '{image_id}' is no UUID")
    owner = str(body.pop("owner", call.token.project_id))
    if owner != call.token.project_id and not call.token.admin:
        raise _forbid("add_image")
    check(call.region.image, call.token.project_id, COUNT, 1)
    image = call.region.image.create(
        name=body.pop("name", None), owner=owner, visibility=str(body.pop("visibility", "shared")),
        image_id=image_id,
    )  # fmt: skip
    for name, value in body.items():
        set_attribute(image, name, value)
    headers = {
        "Location": f"{call.base}/images/{image.id}",
        "OpenStack-image-import-methods": ",".join(IMPORT_METHODS),
        "OpenStack-image-store-ids": STORE,
    }
    return Answer(201, image_json(image), headers)


@ROUTES.on("PATCH", "/images/{image_id}")
def update_image(call: Call) -> Json:
    """Change an image as a JSON patch says, all of it or nothing."""
    if not re.fullmatch(
        r"application/openstack-images-v2\.[01]-json-patch", call.headers.get("content-type", "")
    ):
        raise Refusal(415, "Image PATCH expects Content-Type application/openstack-images-v2.1-json-patch")
    changes = call.body.get("")
    if not isinstance(changes, list):
        raise Refusal(400, "Request body must be a JSON array of operation objects.")
    image = _own_image(call, "modify_image")
    apply_patch(call, image, changes)
    image.updated = call.region.now("image")
    return image_json(image)


@ROUTES.on("DELETE", "/images/{image_id}")
def delete_image(call: Call) -> Answer:
    """End an image."""
    call.region.image.delete(_own_image(call, "delete_image"))
    return Answer(204)


# -- data ------------------------------------------------------------------------------------------------


@ROUTES.on("PUT", "/images/{image_id}/file")
def upload_data(call: Call) -> Answer:
    """Take an image's data: they are counted and hashed."""
    _need_bytes(call)
    images, own = call.region.image, call.token.project_id
    check(images, own, SIZE, len(call.raw) // MIB)
    image = _own_image(call, "upload_image")
    if image.status == "queued":
        _begin(call, image, "saving")
    images.upload(image, call.raw)
    return Answer(204)


@ROUTES.on("PUT", "/images/{image_id}/stage")
def stage_data(call: Call) -> Answer:
    """Take an image's data before they are imported."""
    _need_bytes(call)
    images, own = call.region.image, call.token.project_id
    check(images, own, STAGED, len(call.raw) // MIB)
    image = _own_image(call, "modify_image")
    if image.status != "queued":
        raise Refusal(409, f"Image status transition from {image.status} to uploading is not allowed")
    _begin(call, image, "uploading")
    images.upload(image, call.raw)
    image.status = "uploading"
    return Answer(204)


def _begin(call: Call, image: Image, status: str) -> None:
    """An image that waits for data is about to get them, unless too many are (413): it counts already."""
    image.status = status
    try:
        check(call.region.image, call.token.project_id, UPLOADING, 0)
    except Refusal:
        image.status = "queued"
        raise


def _need_bytes(call: Call) -> None:
    kind = call.headers.get("content-type", "")
    if kind != "application/octet-stream":
        raise Refusal(415, f"Invalid content type {kind}")


@ROUTES.on("POST", "/images/{image_id}/import")
def import_data(call: Call) -> Answer:
    """Import data that were staged, or that lie elsewhere; it ends at once."""
    check(call.region.image, call.token.project_id, SIZE, 0)
    image, method = _own_image(call, "modify_image"), call.body.get("method")
    name = str(method.get("name")) if isinstance(method, dict) else ""
    if name not in IMPORT_METHODS:
        raise Refusal(400, f"Unknown import method name '{name}'.")
    needed = {"glance-direct": "uploading", "web-download": "queued", "copy-image": "active"}[name]
    if image.status != needed:
        raise Refusal(409, f"Image with status {image.status} cannot be target for import by {name}")
    if image.disk_format is None or image.container_format is None:
        raise Refusal(409, "'disk_format' and 'container_format' need to be set before import")
    if not _import_fits(call, image, name):
        return Answer(202)  # the task that would have imported it gives up, and nobody is told
    if name == "web-download":
        address = str(method.get("uri")) if isinstance(method, dict) else ""
        call.region.image.fill(image, (1 + len(address)) * 1024 * 1024, address.encode())
    image.status, image.updated = "active", call.region.now("image")
    return Answer(202)


def _import_fits(call: Call, image: Image, method: str) -> bool:
    """Whether the task of an import finds room; if not, an image without data waits for them again."""
    images, own, size = call.region.image, call.token.project_id, (image.size or 0) // MIB
    wanted = {SIZE: size} if method == "glance-direct" else {STAGED: size, UPLOADING: 0}
    try:
        for name, delta in wanted.items():
            check(images, own, name, delta)
    except Refusal:
        image.status = "queued" if image.status == "uploading" else image.status
        return False
    return True


# -- members ---------------------------------------------------------------------------------------------


def _members(call: Call) -> tuple[Image, list[Member]]:
    """The image, and of its members those that the token may know: the owner all, a member itself."""
    try:
        image = _image(call)
    except Refusal:
        raise Refusal(404, f"Image {call.ids[0]} not found.") from None
    if image.visibility != "shared":
        raise Refusal(403, "Only shared images have members.")
    members = list(image.members.values())
    if not call.token.admin and image.owner != call.token.project_id:
        members = [member for member in members if member.project_id == call.token.project_id]
    return image, members


@ROUTES.on("GET", "/images/{image_id}/members")
def list_members(call: Call) -> Json:
    """The projects that an image is offered to."""
    image, members = _members(call)
    return {"members": [member_json(image, member) for member in members], "schema": "/v2/schemas/members"}


@ROUTES.on("GET", "/images/{image_id}/members/{project_id}")
def show_member(call: Call) -> Json:
    """One of them."""
    image, members = _members(call)
    for member in members:
        if member.project_id == call.ids[1]:
            return member_json(image, member)
    raise Refusal(404, f"{call.ids[1]} not found in the member list of the image {image.id}.")


@ROUTES.on("POST", "/images/{image_id}/members")
def add_member(call: Call) -> Json:
    """Offer an image to a project."""
    project_id = call.body.get("member")
    if not isinstance(project_id, str) or not project_id:
        raise Refusal(400, "Member to be added not specified")
    image = _own_image(call, "add_member")
    return member_json(image, call.region.image.add_member(image, project_id))


@ROUTES.on("PUT", "/images/{image_id}/members/{project_id}")
def update_member(call: Call) -> Json:
    """What a member says to the offer: only it may say so."""
    image, project_id = _image(call), call.ids[1]
    if "status" not in call.body:
        raise Refusal(400, "Status not specified")
    if not call.token.admin and project_id != call.token.project_id:
        if project_id not in image.members:
            raise Refusal(404, f"{project_id} not found in the member list of the image {image.id}.")
        raise _forbid("modify_member")
    return member_json(
        image, call.region.image.set_member_status(image, project_id, str(call.body["status"]))
    )


@ROUTES.on("DELETE", "/images/{image_id}/members/{project_id}")
def delete_member(call: Call) -> Answer:
    """Take an offer back."""
    image = _own_image(call, "delete_member")
    if image.members.pop(call.ids[1], None) is None:
        raise Refusal(404, f"{call.ids[1]} not found in the member list of the image {image.id}.")
    return Answer(204)


# -- tags, stores ----------------------------------------------------------------------------------------


@ROUTES.on("PUT", "/images/{image_id}/tags/{tag}")
def add_tag(call: Call) -> Answer:
    """Put a tag on an image."""
    image = _own_image(call, "modify_image")
    image.tags.add(call.ids[1])
    image.updated = call.region.now("image")
    return Answer(204)


@ROUTES.on("DELETE", "/images/{image_id}/tags/{tag}")
def remove_tag(call: Call) -> Answer:
    """Take a tag off an image."""
    image = _own_image(call, "modify_image")
    if call.ids[1] not in image.tags:
        raise Refusal(404, "Tag not found")
    image.tags.discard(call.ids[1])
    image.updated = call.region.now("image")
    return Answer(204)


@ROUTES.on("GET", "/info/stores")
def list_stores(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """The stores: there is one."""
    return {"stores": [{"id": STORE, "default": "true"}]}


@ROUTES.on("GET", "/info/stores/detail")
def list_stores_in_detail(call: Call) -> Json:
    """The stores, with what only administrators may know."""
    if not call.token.admin:
        raise _forbid("stores_info_detail")
    properties = {"data_dir": "/nowhere", "chunk_size": 65536, "thin_provisioning": False}
    return {
        "stores": [{"id": STORE, "default": "true", "type": "file", "properties": properties, "weight": 0}]
    }


@ROUTES.on("GET", "/info/import")
def show_import(call: Call) -> Json:  # noqa: ARG001 - every handler takes its call
    """The ways of importing data."""
    described = {
        "description": "Import methods available.",
        "type": "array",
        "value": list(IMPORT_METHODS),
    }
    return {"import-methods": described}


@ROUTES.on("GET", "/info/usage")
def show_usage(call: Call) -> Json:
    """The use and limits of the token's own project, whoever else is named; empty without unified limits."""
    place, own = call.region.unified("image"), call.token.project_id
    if place is None:
        return {"usage": {}}
    used = usage(call.region.image, own)
    return {"usage": {name: {"usage": used[name], "limit": place.in_force(name, own) or 0} for name in NAMES}}
