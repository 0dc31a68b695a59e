"""Glance's listing: which images a token sees, filters, order."""

from collections.abc import Callable, Mapping
from typing import Any

from multisite.sim.http import Call, Refusal, parse_stamp
from multisite.sim.image.state import VISIBILITIES, Image

_SORT_KEYS = {
    "name": "name", "status": "status", "container_format": "container_format", "disk_format": "disk_format",
    "size": "size", "id": "id", "created_at": "created", "updated_at": "updated",
}  # fmt: skip
_NO_FILTERS = {"limit", "marker", "sort", "sort_key", "sort_dir", "member_status", "visibility", "os_hidden"}
_COMPARISONS: Mapping[str, Callable[[int, float], bool]] = {
    "gt": lambda left, right: left > right,
    "gte": lambda left, right: left >= right,
    "eq": lambda left, right: left == right,
    "neq": lambda left, right: left != right,
    "lt": lambda left, right: left < right,
    "lte": lambda left, right: left <= right,
}


def chosen(call: Call) -> list[Image]:
    """The images that a listing is about, in its order. Raises `Refusal` (400)."""
    token, visibility = call.token, call.one("visibility")
    if visibility and visibility not in {*VISIBILITIES, "all"}:
        raise Refusal(400, f"Invalid visibility value: {visibility}")
    if "changes-since" in call.query:
        raise Refusal(400, 'The "changes-since" filter is no longer available on v2.')
    member_status = call.one("member_status", "accepted")
    if member_status not in {"pending", "accepted", "rejected", "all"}:
        raise Refusal(400, f"Invalid status: {member_status}")
    hidden = _boolean(call.one("os_hidden", "false").lower(), "os_hidden")
    images = [
        image
        for image in call.region.image.images.values()
        if image.hidden == hidden
        and image.listed_for(token, member_status)
        and _wanted_visibility(image, visibility, token.project_id)
    ]
    for name in call.query:
        if name not in _NO_FILTERS:
            images = [image for image in images if _fits(image, name, call)]
    return _sorted(call, images)


def _wanted_visibility(image: Image, visibility: str, project_id: str) -> bool:
    """Without a word, community images of others are left out."""
    if not visibility:
        return image.visibility != "community" or image.owner == project_id
    return visibility in {"all", image.visibility}


def _boolean(text: str, name: str) -> bool:
    if text not in {"true", "false"}:
        raise Refusal(400, f"Invalid value '{text}' for '{name}' filter. Valid values are 'true' or 'false'.")
    return text == "true"


def _fits(image: Image, name: str, call: Call) -> bool:  # noqa: PLR0911 - one for each kind of filter
    value = call.one(name)
    match name:
        case "created_at" | "updated_at":
            return _compares(int(image.created if name == "created_at" else image.updated), name, value)
        case "protected":
            return image.protected == _boolean(value, name)
        case "tag":
            return set(call.query["tag"]) <= image.tags
        case "size_min" | "size_max":
            size = image.size or 0
            return size >= int(value) if name == "size_min" else size <= int(value)
        case "name" | "status" | "id":
            word, _, rest = value.partition(":")
            held = str(getattr(image, name))
            return held in rest.split(",") if word == "in" else held == value
        case "owner" | "container_format" | "disk_format" | "min_ram" | "min_disk" | "checksum" | "size":
            return str(getattr(image, name)) == value
        case "os_hash_value":
            return image.hash_value == value
        case _:
            return image.properties.get(name) == value


def _compares(held: int, name: str, value: str) -> bool:
    word, _, text = value.partition(":")
    compare = _COMPARISONS.get(word)
    if compare is None:
        compare, text = _COMPARISONS["eq"], value
    try:
        return compare(held, parse_stamp(text))
    except Refusal:
        raise Refusal(400, f'Bad "{name}" query filter format. Use ISO 8601 DateTime notation.') from None


def _sorted(call: Call, images: list[Image]) -> list[Image]:
    """In the order that is asked for; equal ones by time and id, in the same direction."""
    if "sort" in call.query:
        pairs = [part.partition(":")[::2] for part in call.one("sort").split(",")]
    else:
        keys, ways = call.query.get("sort_key", ["created_at"]), call.query.get("sort_dir", ["desc"])
        pairs = list(zip(keys, ways * len(keys) if len(ways) == 1 else ways, strict=False))
    for key, way in pairs:
        if key.strip() not in _SORT_KEYS:
            raise Refusal(
                400, f"Invalid sort key: {key}. It must be one of the following: {', '.join(_SORT_KEYS)}."
            )
        if way not in {"", "asc", "desc"}:
            raise Refusal(400, f"Invalid sort direction: {way}")
    last = pairs[-1][1] if pairs else "desc"
    for key, way in reversed([*pairs, ("created_at", last), ("id", last)]):
        attribute = _SORT_KEYS[key.strip()]
        images = sorted(images, key=lambda item: _sort_value(getattr(item, attribute)), reverse=way != "asc")
    return images


def _sort_value(value: Any) -> tuple[int, Any]:
    if value is None:
        return (0, 0)
    return (1, int(value) if isinstance(value, float) else value)
