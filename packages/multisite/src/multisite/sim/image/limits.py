"""Glance's limits: it has none but those of Keystone. Sizes are MiB, rounded down.

What nobody registered has a limit of 0.
"""

from collections.abc import Iterable

from multisite.sim.http import Refusal
from multisite.sim.identity.limits import Place, complaint
from multisite.sim.image.state import Image, Images

MIB = 1024 * 1024
SIZE, STAGED, COUNT, UPLOADING = (
    "image_size_total",
    "image_stage_total",
    "image_count_total",
    "image_count_uploading",
)
NAMES = (SIZE, STAGED, COUNT, UPLOADING)
#: Data of an image in these states lie in the staging area.
_STAGED = frozenset({"uploading", "importing"})
_ON_ITS_WAY = _STAGED | {"saving"}


def usage(images: Images, project_id: str) -> dict[str, int]:
    """What a project uses of each."""
    own = [image for image in images.images.values() if image.owner == project_id]
    return {
        SIZE: _size(image for image in own if image.status not in _ON_ITS_WAY),
        STAGED: _size(image for image in own if image.status in _STAGED),
        COUNT: len(own),
        UPLOADING: sum(image.status in _ON_ITS_WAY for image in own),
    }


def _size(images: Iterable[Image]) -> int:
    return sum(image.size or 0 for image in images) // MIB


def check(images: Images, project_id: str, name: str, delta: int) -> None:
    """Refuse (413) so much more."""
    place = images.region.unified("image")
    if place is None or not images.region.limits_hold:
        return
    over = place.over(project_id, {name: delta}, usage(images, project_id))
    if over:
        raise Refusal(
            413,
            "The request returned a 413 Request Entity Too Large. This generally means that rate limiting or "
            "a quota threshold was breached.\n\n"
            f"The response body:\n{complaint(project_id, over)}",
        )


def standing(place: Place, images: Images, project_id: str, name: str) -> tuple[int, int] | None:
    """A project's limit in force and its use; None for what Glance has no limit of."""
    if name not in NAMES:
        return None
    return place.in_force(name, project_id) or 0, usage(images, project_id)[name]
