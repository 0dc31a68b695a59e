"""What is done to servers."""

from typing import Any

from multisite.actions.bodies import ServerCreate, ServerReboot, ServerResize
from multisite.actions.model import MARK, Action, Deed
from multisite.openstack import nova
from multisite.openstack.users import Reply, UserClient


async def _create(user: UserClient, deed: Deed) -> Reply:
    body: ServerCreate = deed.body
    server: dict[str, Any] = {
        "name": body.name,
        "flavorRef": body.flavor_id,
        "networks": [{"uuid": each} for each in body.network_ids],
        "metadata": {MARK: deed.mark},
    }
    if body.volume_size is None:
        server["imageRef"] = body.image_id
    else:
        server["block_device_mapping_v2"] = [
            {
                "boot_index": 0,
                "uuid": body.image_id,
                "source_type": "image",
                "destination_type": "volume",
                "volume_size": body.volume_size,
            }
        ]
    if body.key_name is not None:
        server["key_name"] = body.key_name
    if body.security_groups:
        server["security_groups"] = [{"name": each} for each in body.security_groups]
    if body.availability_zone is not None:
        server["availability_zone"] = body.availability_zone
    return await nova.create_server(user, server)


def _create_line(deed: Deed) -> list[str]:
    body: ServerCreate = deed.body
    words = ["server", "create", "--image", body.image_id, "--flavor", body.flavor_id]
    for network in body.network_ids:
        words += ["--network", network]
    for group in body.security_groups:
        words += ["--security-group", group]
    if body.key_name is not None:
        words += ["--key-name", body.key_name]
    if body.availability_zone is not None:
        words += ["--availability-zone", body.availability_zone]
    if body.volume_size is not None:
        words += ["--boot-from-volume", str(body.volume_size)]
    return [*words, body.name]


async def _reboot(user: UserClient, deed: Deed) -> Reply:
    return await nova.act_on_server(user, deed.item_id, "reboot", {"type": deed.body.type.upper()})


async def _resize(user: UserClient, deed: Deed) -> Reply:
    return await nova.act_on_server(user, deed.item_id, "resize", {"flavorRef": deed.body.flavor_id})


async def _delete(user: UserClient, deed: Deed) -> Reply:
    return await nova.delete_server(user, deed.item_id)


def _plain(name: str, what: str, nova_action: str, *words: str) -> Action:
    """An action of Nova that needs nothing but the server."""

    async def perform(user: UserClient, deed: Deed) -> Reply:
        return await nova.act_on_server(user, deed.item_id, nova_action)

    return Action("servers", name, what, perform, lambda deed: ["server", *words, deed.item_id])


ACTIONS: tuple[Action, ...] = (
    Action(
        *("servers", "create", "create the server", _create, _create_line),
        body=ServerCreate,
        made="server",
        find=nova.servers_called,
    ),
    _plain("start", "start the server", "os-start", "start"),
    _plain("stop", "stop the server", "os-stop", "stop"),
    Action(
        *("servers", "reboot", "reboot the server", _reboot),
        lambda deed: ["server", "reboot", f"--{deed.body.type}", deed.item_id],
        body=ServerReboot,
    ),
    Action(
        *("servers", "resize", "resize the server", _resize),
        lambda deed: ["server", "resize", "--flavor", deed.body.flavor_id, deed.item_id],
        body=ServerResize,
    ),
    _plain("confirm-resize", "confirm the resize", "confirmResize", "resize", "confirm"),
    _plain("revert-resize", "revert the resize", "revertResize", "resize", "revert"),
    Action(
        *("servers", "delete", "delete the server", _delete),
        lambda deed: ["server", "delete", deed.item_id],
    ),
)
