"""Glance's state: images, who may see them, and their members. Bytes are counted, never kept.

Times are seconds since the epoch, sizes bytes.
"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from multisite.sim.http import Refusal

if TYPE_CHECKING:
    from multisite.sim.identity.state import Token
    from multisite.sim.world import Region

VISIBILITIES = ("community", "public", "private", "shared")
MEMBER_STATUSES = ("pending", "accepted", "rejected")
#: The one store of a simulated Glance.
STORE = "file"


@dataclass(slots=True)
class Member:
    """A project that a shared image is offered to."""

    project_id: str
    created: float
    updated: float
    status: str = "pending"


@dataclass(slots=True)
class Image:
    """An image; `size` is None until there are data."""

    id: str
    name: str | None
    owner: str
    created: float
    updated: float
    visibility: str = "shared"
    disk_format: str | None = None
    container_format: str | None = None
    status: str = "queued"
    size: int | None = None
    checksum: str | None = None
    hash_value: str | None = None
    min_ram: int = 0
    min_disk: int = 0
    protected: bool = False
    hidden: bool = False
    tags: set[str] = field(default_factory=set)
    properties: dict[str, str] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)

    def hold(self, size: int, checksum: str, hash_value: str) -> None:
        """The data are there."""
        self.size, self.checksum, self.hash_value = size, checksum, hash_value
        self.status = "active"

    def visible_to(self, token: "Token") -> bool:
        """Whether a token's project may look at it by its id: members may, whatever they answered."""
        if token.admin or self.owner == token.project_id or self.visibility in {"public", "community"}:
            return True
        return self.visibility == "shared" and token.project_id in self.members

    def listed_for(self, token: "Token", member_status: str) -> bool:
        """Whether it is in a listing for the token: as a member of shared images with this status only."""
        if token.admin or self.owner == token.project_id or self.visibility in {"public", "community"}:
            return True
        member = self.members.get(token.project_id)
        return self.visibility == "shared" and member is not None and member_status in {"all", member.status}


class Images:
    """Glance of one region."""

    def __init__(self, region: "Region") -> None:
        self.region = region
        self.images: dict[str, Image] = {}

    def image(self, image_id: str, token: "Token") -> Image:
        """An image that a token's project may see. Raises `Refusal` (404)."""
        image = self.images.get(image_id)
        if image is None or not image.visible_to(token):
            raise Refusal(404, f"No image found with ID {image_id}")
        return image

    def create(
        self, *, name: str | None, owner: str, size: int | None = None, visibility: str = "shared",
        disk_format: str | None = None, image_id: str = "",
    ) -> Image:  # fmt: skip
        """An image: with a size it is active, without one it waits for its data.

        Raises `Refusal` (409) where the id is taken.
        """
        if image_id in self.images:
            raise Refusal(409, f"Image ID {image_id} already exists!")
        now = self.region.made_at("image")
        image = Image(
            image_id or self.region.new_id(), name, owner, now, now, visibility, disk_format,
            "bare" if disk_format else None,
        )  # fmt: skip
        if size is not None:
            self.fill(image, size, f"{self.region.world.plan.seed}/{name}".encode())
        self.images[image.id] = image
        self._changed()
        return image

    def _changed(self) -> None:
        if self.region.born:
            self.region.touch()

    def standing(self, project_id: str, name: str) -> tuple[int, int] | None:
        """A project's limit in force and its use; None where Glance has no such limit, or none at all."""
        from multisite.sim.image.limits import standing  # here: that module is made of this one

        place = self.region.unified("image")
        return standing(place, self, project_id, name) if place else None

    def fill(self, image: Image, size: int, content: bytes) -> None:
        """Give an image data of `size` bytes; `content` is what its checksums are made of."""
        checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
        image.hold(size, checksum, hashlib.sha512(content).hexdigest())
        image.updated = self.region.made_at("image")
        self._changed()

    def upload(self, image: Image, content: bytes) -> None:
        """Take the data of an image that waits for them. Raises `Refusal` (409)."""
        if image.status not in {"queued", "saving", "uploading"}:
            raise Refusal(409, f"Image status transition from {image.status} to saving is not allowed")
        self.fill(image, len(content), content)

    def delete(self, image: Image) -> None:
        """End an image. Raises `Refusal` (403) for a protected one."""
        if image.protected:
            raise Refusal(403, f"Image {image.id} is protected and cannot be deleted.")
        del self.images[image.id]
        self._changed()

    def add_member(self, image: Image, project_id: str) -> Member:
        """Offer a shared image to a project. Raises `Refusal`: not shared (403), offered already (409)."""
        if image.visibility != "shared":
            raise Refusal(403, "Only shared images have members.")
        if project_id in image.members:
            raise Refusal(409, f"Member {project_id} is duplicated for image {image.id}")
        now = self.region.made_at("image")
        image.members[project_id] = member = Member(project_id, now, now)
        return member

    def set_member_status(self, image: Image, project_id: str, status: str) -> Member:
        """What a project says to the offer. Raises `Refusal`: no member (404), no such status (400)."""
        member = image.members.get(project_id)
        if member is None:
            raise Refusal(404, f"{project_id} not found in the member list of the image {image.id}.")
        if status not in MEMBER_STATUSES:
            raise Refusal(400, 'Incorrect request: Status must be "pending", "accepted" or "rejected".')
        member.status, member.updated = status, self.region.made_at("image")
        return member
