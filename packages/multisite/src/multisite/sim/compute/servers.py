"""Nova's routes of servers, their actions, volumes and interfaces."""

import re

from multisite.sim.compute.checks import (
    SERVER_SORT_KEYS,
    boolean,
    check_name,
    check_server_body,
    check_server_query,
    check_uuid,
)
from multisite.sim.compute.groups import find_group
from multisite.sim.compute.limits import ServerGroup
from multisite.sim.compute.routes import ROUTES, need_admin
from multisite.sim.compute.state import VM_STATES, Flavor, Server
from multisite.sim.compute.wire import addresses, links, server_json
from multisite.sim.http import Answer, Call, Json, Refusal, parse_stamp
from multisite.sim.paging import next_link, page


def _all_projects(call: Call) -> bool:
    if not boolean(call.one("all_tenants", "0") or "1"):
        return False
    need_admin(call, "os_compute_api:servers:detail:get_all_tenants")
    return True


def _chosen(call: Call) -> list[Server]:
    """The servers that a listing's filters let through, sorted."""
    check_server_query(call)
    compute = call.region.compute
    for server in compute.servers.values():
        compute.settle(server)
    everywhere = _all_projects(call)
    project = call.one("project_id") or call.one("tenant_id")
    changed = call.one("changes-since")
    servers = list(compute.servers.values())
    since = parse_stamp(changed) if changed else None
    if since is not None:
        servers += list(compute.deleted.values())
    own = None if everywhere else call.token.project_id
    found = [
        server
        for server in servers
        if own in {None, server.project_id}
        and (not (everywhere and project) or server.project_id == project)
        and (since is None or server.updated >= int(since))
        and _fits(call, server)
    ]
    key = SERVER_SORT_KEYS[call.one("sort_key", "created_at")]
    reverse = call.one("sort_dir", "desc") == "desc"
    return sorted(found, key=lambda item: (getattr(item, key) or "", item.id), reverse=reverse)


def _fits(call: Call, server: Server) -> bool:
    name, status, host, ip = (call.one(key) for key in ("name", "status", "host", "ip"))
    if status and status.upper() != ("DELETED" if server.deleted else server.status):
        return False
    if host and call.token.admin and host != server.host.name:
        return False
    if name and not _matches(name, server.name):
        return False
    if ip:
        rows = (row for network in addresses(call.region.compute, server).values() for row in network)
        return any(_matches(ip, row["addr"]) for row in rows)
    return True


def _matches(pattern: str, text: str) -> bool:
    try:
        return bool(re.search(pattern, text, re.IGNORECASE))
    except re.error:
        raise Refusal(400, "Invalid filter: no regular expression", kind="badRequest") from None


@ROUTES.on("GET", "/servers")
def list_servers(call: Call) -> Json:
    """Servers: names and ids."""
    shown, more = page(call, _chosen(call))
    items = [{"id": item.id, "name": item.name, "links": links(call, "servers", item.id)} for item in shown]
    return {"servers": items} | (next_link(call, "servers", shown[-1].id) if more else {})


@ROUTES.on("GET", "/servers/detail")
def list_servers_in_detail(call: Call) -> Json:
    """Servers in detail."""
    shown, more = page(call, _chosen(call))
    body: Json = {"servers": [server_json(call, call.region.compute, item) for item in shown]}
    return body | (next_link(call, "servers", shown[-1].id) if more else {})


def _server(call: Call) -> Server:
    return call.region.compute.server(call.ids[0], None if call.token.admin else call.token.project_id)


def _server_to_write(call: Call, rule: str) -> Server:
    """The same, for one who may do more than look. Raises `Refusal` (403, 404)."""
    server = _server(call)
    if not {"member", "admin"} & set(call.token.roles):
        raise Refusal(403, f"Policy doesn't allow os_compute_api:{rule} to be performed.")
    return server


@ROUTES.on("GET", "/servers/{server_id}")
def show_server(call: Call) -> Json:
    """One server."""
    groups: Json = {"server_groups": []} if call.version >= (2, 71) else {}
    return {"server": server_json(call, call.region.compute, _server(call)) | groups}


@ROUTES.on("POST", "/servers")
def create_server(call: Call) -> Answer:
    """A server with a port in each of its networks."""
    wanted, compute = call.part("server"), call.region.compute
    if not {"member", "admin"} & set(call.token.roles):
        raise Refusal(403, "Policy doesn't allow os_compute_api:servers:create to be performed.")
    name = check_name(wanted.get("name"))
    check_server_body(call, wanted)
    flavor_id = str(wanted.get("flavorRef") or "").rstrip("/").rsplit("/", 1)[-1]
    try:
        flavor = compute.flavor(flavor_id, call.token.project_id)
    except Refusal as refusal:
        raise Refusal(400, refusal.message) from None
    image_id = str(wanted.get("imageRef") or "")
    if image_id:
        _check_image(call, image_id)
    if wanted.get("key_name") and (call.token.user_id, wanted["key_name"]) not in compute.keypairs:
        raise Refusal(400, "Invalid key_name provided.")
    _check_metadata(call, wanted)
    networks = _networks(call, wanted)
    least = int(wanted.get("min_count") or 1)
    most = _ports_allow(call, networks, least, int(wanted.get("max_count") or least))
    most = compute.allowed(call.token.project_id, call.token.user_id, flavor, least=least, most=most)
    group = _group_of(call, most)
    made: list[Server] = []
    for number in range(1, most + 1):
        try:
            made.append(_boot(call, wanted, flavor, networks, name if most == 1 else f"{name}-{number}"))
        except Refusal:
            for server in made:
                compute.delete_server(server)
            raise
    if group:
        group.members += [server.id for server in made]
    server = made[0]
    body: Json = {
        "id": server.id, "links": links(call, "servers", server.id), "OS-DCF:diskConfig": "MANUAL",
        "security_groups": [{"name": "default"}], "adminPass": server.id[:12],
    }  # fmt: skip
    return Answer(202, {"server": body}, {"Location": f"{call.base}/servers/{server.id}"})


def _check_metadata(call: Call, wanted: Json) -> None:
    """Refuse (403) more metadata than a server may have."""
    number = len(wanted.get("metadata") or {})
    if number:
        call.region.compute.check_number(
            call.token.project_id, call.token.user_id, "metadata_items", used=0, delta=number,
            why="Maximum number of metadata items exceeds {limit}",
        )  # fmt: skip


def _ports_allow(call: Call, networks: list[Json], least: int, most: int) -> int:
    """How many servers there are ports for: Nova asks Neutron before it begins. Raises `Refusal` (403)."""
    needed = sum(not item.get("port") for item in networks)
    limit = call.region.network.limits(call.token.project_id)["port"]
    if not needed or limit < 0:
        return most
    used = call.region.network.used("port", call.token.project_id)
    if limit < used:
        raise Refusal(403, f"The number of defined ports: {used} is over the limit: {limit}")
    allowed = min(most, (limit - used) // needed)
    if allowed < least:
        raise Refusal(403, "Maximum number of ports exceeded")
    return allowed


def _group_of(call: Call, number: int) -> ServerGroup | None:
    """The group that a request names. Raises `Refusal`: unknown (400), too many for it (403)."""
    hints = call.body.get("os:scheduler_hints") or call.body.get("OS-SCH-HNT:scheduler_hints") or {}
    if not hints.get("group"):
        return None
    group = find_group(call, str(hints["group"]))
    if group is None:
        raise Refusal(400, f"Instance group {hints['group']} could not be found.")
    call.region.compute.check_number(
        call.token.project_id, call.token.user_id, "server_group_members",
        used=len(group.members), delta=number, why="Quota exceeded, too many servers in group",
    )  # fmt: skip
    return group


def _boot(call: Call, wanted: Json, flavor: Flavor, networks: list[Json], name: str) -> Server:
    """One server with its ports, or none."""
    compute = call.region.compute
    server = compute.create_server(
        name=name, project_id=call.token.project_id, user_id=call.token.user_id, flavor=flavor,
        image_id=str(wanted.get("imageRef") or ""), zone=wanted.get("availability_zone"),
    )  # fmt: skip
    server.key_name = wanted.get("key_name")
    server.description = wanted.get("description") if call.version >= (2, 19) else name
    server.metadata = {str(key): str(value) for key, value in (wanted.get("metadata") or {}).items()}
    if _forbidden(call, networks):
        why = "Failed to allocate the network(s), not rescheduling."
        compute.fail(server, f"Build of instance {server.id} aborted: {why}")
        return server
    try:
        _plug(call, server, networks)
    except Refusal:
        compute.delete_server(server)
        raise
    return server


def _check_image(call: Call, image_id: str) -> None:
    try:
        image = call.region.image.image(image_id, call.token)
    except Refusal:
        raise Refusal(400, f"Image {image_id} could not be found.") from None
    if image.status != "active":
        raise Refusal(400, f"Image {image_id} is not active.")


def _networks(call: Call, wanted: Json) -> list[Json]:
    """What the request says of networks; without a word, the project's only one."""
    asked = wanted.get("networks")
    if asked == "none":
        return []
    if isinstance(asked, list):
        return [dict(item) for item in asked if isinstance(item, dict)]
    if asked is None and call.version >= (2, 37):
        raise Refusal(400, "Invalid input for field/attribute server. 'networks' is a required property")
    visible = call.region.network.visible_networks(call.token.project_id)
    own = [item for item in visible if item.project_id == call.token.project_id]
    usable = own or [item for item in visible if item.shared]
    if len(usable) > 1:
        raise Refusal(409, "Multiple possible networks found, use a Network ID to be more specific.")
    return [{"uuid": item.id} for item in usable]


def _plug(call: Call, server: Server, networks: list[Json]) -> None:
    network = call.region.network
    for item in networks:
        if item.get("port"):
            network.plug(str(item["port"]), server.id, server.host.name, server.project_id)
        else:
            _visible_network(call, str(item.get("uuid")))
            network.create_port(
                project_id=server.project_id, network_id=str(item["uuid"]), device_id=server.id,
                device_owner=f"compute:{server.host.zone}", host=server.host.name,
                address=str(item["fixed_ip"]) if item.get("fixed_ip") else None,
            )  # fmt: skip


def _forbidden(call: Call, networks: list[Json]) -> bool:
    """Whether one is external, not shared, and not the caller's to plug into.

    Nova's rule `network:attach_external_network`; it takes the request, and the server ends in ERROR.
    """
    known = call.region.network.networks
    asked = [known[str(item["uuid"])] for item in networks if str(item.get("uuid")) in known]
    return not call.token.admin and any(item.external and not item.shared for item in asked)


def _visible_network(call: Call, network_id: str) -> None:
    visible = call.region.network.visible_networks(call.token.project_id)
    if not any(item.id == network_id for item in visible):
        raise Refusal(400, f"Network {network_id} could not be found.")


@ROUTES.on("PUT", "/servers/{server_id}")
def update_server(call: Call) -> Json:
    """Another name or description."""
    server, wanted = _server_to_write(call, "servers:update"), call.part("server")
    server.name = check_name(wanted.get("name", server.name))
    server.description = wanted.get("description", server.description)
    server.updated = call.region.now("compute")
    body = server_json(call, call.region.compute, server)
    return {"server": body if call.version >= (2, 75) else _briefly(body)}


def _briefly(body: Json) -> Json:
    """What Nova answered to a PUT before 2.75: nothing that was an extension once."""
    addresses = {
        name: [{key: row[key] for key in ("version", "addr")} for row in rows]
        for name, rows in body["addresses"].items()
    }
    extensions = (
        "OS-EXT",
        "OS-SRV",
        "os-extended",
        "config_drive",
        "key_name",
        "security_groups",
        "host_status",
    )
    return {key: item for key, item in body.items() if not key.startswith(extensions)} | {
        "addresses": addresses
    }


@ROUTES.on("DELETE", "/servers/{server_id}")
def delete_server(call: Call) -> Answer:
    """End a server."""
    call.region.compute.delete_server(_server_to_write(call, "servers:delete"))
    return Answer(204)


@ROUTES.on("POST", "/servers/{server_id}/action")
def act(call: Call) -> Answer:
    """Start, stop, reboot, resize a server; confirm or revert a resize."""
    action = next(iter(call.body), "")
    server, compute = _server_to_write(call, f"servers:{action}"), call.region.compute
    match action:
        case "os-start":
            compute.set_status(server, "ACTIVE", needed=("SHUTOFF",), action="start")
        case "os-stop":
            compute.set_status(server, "SHUTOFF", needed=("ACTIVE", "ERROR"), action="stop")
        case "reboot":
            if str(call.part("reboot").get("type")).upper() not in {"HARD", "SOFT"}:
                raise Refusal(400, "Invalid input for field/attribute type. It is HARD or SOFT")
            compute.set_status(server, "ACTIVE", needed=("ACTIVE", "SHUTOFF"), action="reboot")
        case "resize":
            flavor_id = str(call.part("resize").get("flavorRef"))
            try:
                flavor = compute.flavor(flavor_id, server.project_id)
            except Refusal as refusal:
                raise Refusal(400, refusal.message) from None
            compute.resize(server, flavor)
        case "confirmResize":
            compute.confirm_resize(server)
            return Answer(204)
        case "revertResize":
            compute.revert_resize(server)
        case _:
            raise Refusal(400, f"There is no such action: {action}", kind="badRequest")
    return Answer(202)


@ROUTES.on("GET", "/servers/{server_id}/os-volume_attachments")
def list_attachments(call: Call) -> Json:
    """The volumes of a server."""
    server = _server(call)
    return {"volumeAttachments": [_attachment(call, server, volume_id) for volume_id in server.volumes]}


@ROUTES.on("POST", "/servers/{server_id}/os-volume_attachments")
def attach_volume(call: Call) -> Json:
    """Attach a volume of the same project."""
    server = _server_to_write(call, "os-volumes-attachments:create")
    volume_id = check_uuid("volumeId", call.part("volumeAttachment").get("volumeId"))
    if server.status not in {"ACTIVE", "SHUTOFF"}:
        raise Refusal(
            409,
            f"Cannot 'attach_volume' instance {server.id} while it is in vm_state {VM_STATES[server.status]}",
        )
    if volume_id in server.volumes:
        raise Refusal(400, f"Invalid volume: volume {volume_id} is already attached to instance {server.id}")
    taken = set(server.volumes.values())
    device = next(
        f"/dev/vd{letter}" for letter in "bcdefghijklmnopqrstuvwxyz" if f"/dev/vd{letter}" not in taken
    )
    call.region.volume.attach(volume_id, server.id, server.project_id, server.host.name, device)
    server.volumes[volume_id] = device
    server.updated = call.region.now("compute")
    return {"volumeAttachment": _attachment(call, server, volume_id)}


@ROUTES.on("DELETE", "/servers/{server_id}/os-volume_attachments/{volume_id}")
def detach_volume(call: Call) -> Answer:
    """Detach a volume."""
    server, volume_id = _server_to_write(call, "os-volumes-attachments:delete"), call.ids[1]
    if volume_id not in server.volumes:
        raise Refusal(404, f"volume_id not found: {volume_id}")
    call.region.volume.detach(volume_id)
    del server.volumes[volume_id]
    server.updated = call.region.now("compute")
    return Answer(202)


def _attachment(call: Call, server: Server, volume_id: str) -> Json:
    body: Json = {
        "id": volume_id,
        "serverId": server.id,
        "volumeId": volume_id,
        "device": server.volumes[volume_id],
    }
    if call.version >= (2, 70):
        body["tag"] = None
    if call.version >= (2, 79):
        body["delete_on_termination"] = False
    if call.version >= (2, 89):
        del body["id"]
        held = call.region.volume.volume(volume_id, None).attachment
        attachment_id = held.id if held else volume_id
        body |= {"attachment_id": attachment_id, "bdm_uuid": attachment_id[-8:] + attachment_id[8:]}
    return body


@ROUTES.on("GET", "/servers/{server_id}/os-interface")
def list_interfaces(call: Call) -> Json:
    """The ports of a server."""
    server = _server(call)
    return {
        "interfaceAttachments": [
            {
                "port_id": port.id, "net_id": port.network_id, "mac_addr": port.mac, "port_state": "ACTIVE",
                "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet,
                address in port.fixed_ips],
            }
            for port in call.region.network.ports_of(server.id)
        ]
    }  # fmt: skip
