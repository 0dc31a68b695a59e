"""What is done to volumes."""

from typing import Any

from multisite.actions.bodies import VolumeAttach, VolumeCreate, VolumeDetach
from multisite.actions.model import MARK, Action, Deed
from multisite.errors import Conflict
from multisite.openstack import cinder, nova
from multisite.openstack.users import Reply, UserClient


async def _create(user: UserClient, deed: Deed) -> Reply:
    body: VolumeCreate = deed.body
    fields = {
        "size": body.size,
        "volume_type": body.volume_type,
        "imageRef": body.image_id,
        "snapshot_id": body.snapshot_id,
        "source_volid": body.source_volume_id,
        "availability_zone": body.availability_zone,
    }
    volume: dict[str, Any] = {name: value for name, value in fields.items() if value is not None}
    return await cinder.create_volume(user, volume | {"name": body.name, "metadata": {MARK: deed.mark}})


def _create_line(deed: Deed) -> list[str]:
    body: VolumeCreate = deed.body
    words = ["volume", "create"]
    for option, value in (
        ("--size", body.size),
        ("--type", body.volume_type),
        ("--image", body.image_id),
        ("--snapshot", body.snapshot_id),
        ("--source", body.source_volume_id),
        ("--availability-zone", body.availability_zone),
    ):
        words += [option, str(value)] if value is not None else []
    return [*words, body.name]


async def _attach(user: UserClient, deed: Deed) -> Reply:
    return await nova.attach_volume(user, deed.body.server_id, deed.item_id)


async def _detach(user: UserClient, deed: Deed) -> Reply:
    server_id = deed.body.server_id or await _only_server(user, deed.item_id)
    return await nova.detach_volume(user, server_id, deed.item_id)


async def _only_server(user: UserClient, volume_id: str) -> str:
    """The server that has a volume. Raises `Conflict` where none or several have it."""
    attachments = (await cinder.volume(user, volume_id)).get("attachments") or []
    servers = sorted({str(each["server_id"]) for each in attachments})
    if len(servers) != 1:
        having = (
            f"several servers have it ({', '.join(servers)}): name one" if servers else "no server has it"
        )
        raise Conflict(f"volume {volume_id!r} cannot be detached: {having}")
    return servers[0]


async def _delete(user: UserClient, deed: Deed) -> Reply:
    return await cinder.delete_volume(user, deed.item_id)


ACTIONS: tuple[Action, ...] = (
    Action(
        *("volumes", "create", "create the volume", _create, _create_line),
        body=VolumeCreate,
        made="volume",
        find=cinder.volumes_called,
    ),
    Action(
        *("volumes", "attach", "attach the volume", _attach),
        lambda deed: ["server", "add", "volume", deed.body.server_id, deed.item_id],
        body=VolumeAttach,
    ),
    Action(
        *("volumes", "detach", "detach the volume", _detach),
        lambda deed: ["server", "remove", "volume", deed.body.server_id or "SERVER", deed.item_id],
        body=VolumeDetach,
    ),
    Action(
        *("volumes", "delete", "delete the volume", _delete),
        lambda deed: ["volume", "delete", deed.item_id],
    ),
)
