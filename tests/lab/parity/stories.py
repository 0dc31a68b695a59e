"""Sequences of requests that change something.

What is made uses quota, room and addresses, and gives them back.

A step may keep a value of its answer under a name, for later steps, and may be repeated until the answer is
as it should be: the real services need their time.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.lab.parity.asking import Answer, Request, written
from tests.lab.parity.errors import NOBODY, OCTETS, PATCH
from tests.lab.parity.reads import CINDER, NOVA, NOWHERE, PLACEMENT
from tests.lab.parity.worlds import World

PATIENCE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a story. `keep` maps names to dotted paths in the body, or to `header NAME`.

    `until` is a dotted path and its value, or a status: the step is repeated until it is so.
    """

    request: Request
    keep: tuple[tuple[str, str], ...] = ()
    until: tuple[str, Any] | int | None = None
    exact: bool = True

    def __str__(self) -> str:
        return written(self.request)


@dataclass(frozen=True, slots=True)
class Story:
    """Steps, one after the other."""

    name: str
    steps: tuple[Step, ...]


def tell(story: Story, world: World) -> Iterator[tuple[Step, Answer]]:
    """The steps with their answers, as both worlds may give them."""
    for step in story.steps:
        answer = _ask(step, world)
        for name, path in step.keep:
            word, _, header = path.partition(" ")
            value = answer.headers.get(header, "") if word == "header" else str(_at(answer.body, path))
            world.things[name] = value
            if name.endswith("_token"):
                world.tokens[name.removesuffix("_token")] = value
        yield step, world.normal(answer)


def _ask(step: Step, world: World) -> Answer:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = world.ask(step.request)
        if step.until is None or time.monotonic() > deadline:
            return answer
        if isinstance(step.until, int):
            if answer.status == step.until:
                return answer
        elif _at(answer.body, step.until[0]) == step.until[1]:
            return answer
        time.sleep(0.25)


def _at(body: Any, path: str) -> Any:
    for part in path.split("."):
        if isinstance(body, list):
            body = body[int(part)] if int(part) < len(body) else None
        else:
            body = body.get(part) if isinstance(body, dict) else None
    return body


def _get(to: str, path: str, by: str = "tenant", version: str = "", until: Any = None) -> Step:
    return Step(Request(to, "GET", path, by, version), until=until)


def _do(
    to: str, method: str, path: str, body: Any = None, by: str = "tenant", version: str = "", **keep: str
) -> Step:  # fmt: skip
    return Step(Request(to, method, path, by, version, body), tuple(keep.items()))


def _nova(method: str, path: str, body: Any = None, by: str = "tenant", **keep: str) -> Step:
    return _do("compute", method, path, body, by, NOVA, **keep)


def _cinder(method: str, path: str, body: Any = None, by: str = "tenant", **keep: str) -> Step:
    return _do("volume", method, path, body, by, CINDER, **keep)


def _neutron(method: str, path: str, body: Any = None, by: str = "tenant", **keep: str) -> Step:
    return _do("network", method, path, body, by, **keep)


def _glance(method: str, path: str, body: Any = None, by: str = "tenant", **keep: str) -> Step:
    return _do("image", method, path, body, by, **keep)


_NOVA_QUOTA = _nova("GET", "/os-quota-sets/{tenant_project}/detail")
_CINDER_QUOTA = _cinder("GET", "/os-quota-sets/{tenant_project}?usage=True")
_NEUTRON_QUOTA = _neutron("GET", "/quotas/{tenant_project}/details.json")
_NEW = "/servers/{new_server}"
_ACTION = f"{_NEW}/action"


def _becomes(status: str) -> Step:
    return _get("compute", _NEW, version=NOVA, until=("server.status", status))


def _volume_becomes(status: str) -> Step:
    return _get("volume", "/volumes/{new_volume}", version=CINDER, until=("volume.status", status))


_SERVER = Story(
    "a server uses quota, room and an address, and gives them back",
    (
        _NOVA_QUOTA,
        _nova(
            "POST", "/servers",
            {"server": {"name": "parity-new", "flavorRef": "{flavor_tiny}", "imageRef": "{image}",
                        "networks": [{"uuid": "{network}"}]}},
            new_server="server.id",
        ),
        _becomes("ACTIVE"),
        _NOVA_QUOTA,
        _get("network", "/ports?device_id={new_server}"),
        _get("placement", "/allocations/{new_server}", "admin", PLACEMENT),
        _get("placement", "/usages?project_id={tenant_project}", version=PLACEMENT),
        _nova("GET", "/servers?name=parity-new"),
        _nova("POST", _ACTION, {"os-start": None}),
        _nova("POST", _ACTION, {"os-stop": None}),
        _becomes("SHUTOFF"),
        _nova("POST", _ACTION, {"os-stop": None}),
        _nova("POST", _ACTION, {"os-start": None}),
        _becomes("ACTIVE"),
        _nova("POST", _ACTION, {"reboot": {"type": "SOFT"}}),
        _becomes("ACTIVE"),
        # RegionOne has one host: a resize finds no other one, and says so to nobody
        _nova("POST", _ACTION, {"resize": {"flavorRef": "{flavor_more}"}}),
        _get("compute", _NEW, version=NOVA, until=("server.OS-EXT-STS:task_state", None)),
        _nova("POST", _ACTION, {"resize": {"flavorRef": "{flavor_tiny}"}}),
        _nova("POST", _ACTION, {"confirmResize": None}),
        _nova("POST", _ACTION, {"revertResize": None}),
        _NOVA_QUOTA,
        _get("placement", "/allocations/{new_server}", "admin", PLACEMENT),
        _nova("PUT", _NEW, {"server": {"name": "parity-renamed"}}),
        _nova("DELETE", _NEW),
        _get("compute", _NEW, version=NOVA, until=404),
        _NOVA_QUOTA,
        _get("network", "/ports?device_id={new_server}"),
        _get("placement", "/allocations/{new_server}", "admin", PLACEMENT),
        _nova("GET", "/servers/detail?changes-since=2020-01-01T00:00:00Z&name=parity-renamed"),
        _nova("GET", "/servers/detail?name=parity-renamed"),
    ),
)  # fmt: skip

_VOLUME = Story(
    "a volume is made, attached, grown, copied and deleted",
    (
        _CINDER_QUOTA,
        _cinder("POST", "/volumes", {"volume": {"name": "parity-new", "size": 2}}, new_volume="volume.id"),
        Step(
            Request("volume", "GET", "/volumes/{new_volume}", version=CINDER),
            (("since", "volume.updated_at"),),
            ("volume.status", "available"),
        ),
        _CINDER_QUOTA,
        _cinder("GET", "/volumes/detail?updated_at=gte:{since}&name=parity-new"),
        _cinder("POST", "/volumes/{new_volume}/action", {"os-extend": {"new_size": 3}}),
        _get("volume", "/volumes/{new_volume}", version=CINDER, until=("volume.size", 3)),
        _volume_becomes("available"),
        _CINDER_QUOTA,
        _nova(
            "POST", "/servers/{server}/os-volume_attachments",
            {"volumeAttachment": {"volumeId": "{new_volume}"}},
        ),
        _volume_becomes("in-use"),
        _nova(
            "POST", "/servers/{server}/os-volume_attachments",
            {"volumeAttachment": {"volumeId": "{new_volume}"}},
        ),
        _cinder("DELETE", "/volumes/{new_volume}"),
        _cinder("POST", "/volumes/{new_volume}/action", {"os-extend": {"new_size": 4}}),
        _cinder("POST", "/snapshots", {"snapshot": {"volume_id": "{new_volume}"}}),
        _cinder("POST", "/backups", {"backup": {"volume_id": "{new_volume}"}}),
        _nova("DELETE", "/servers/{server}/os-volume_attachments/{new_volume}"),
        _volume_becomes("available"),
        _nova("DELETE", "/servers/{server}/os-volume_attachments/{new_volume}"),
        _cinder(
            "POST", "/snapshots", {"snapshot": {"volume_id": "{new_volume}", "name": "parity-copy"}},
            new_snapshot="snapshot.id",
        ),
        _get("volume", "/snapshots/{new_snapshot}", version=CINDER, until=("snapshot.status", "available")),
        _CINDER_QUOTA,
        _cinder("DELETE", "/volumes/{new_volume}"),
        _cinder("DELETE", "/snapshots/{new_snapshot}"),
        _get("volume", "/snapshots/{new_snapshot}", version=CINDER, until=404),
        _cinder("PUT", "/volumes/{new_volume}", {"volume": {"name": "parity-renamed", "description": "x"}}),
        _cinder("DELETE", "/volumes/{new_volume}"),
        _get("volume", "/volumes/{new_volume}", version=CINDER, until=404),
        _CINDER_QUOTA,
    ),
)  # fmt: skip


def _quota(to: str, key: str, **limits: object) -> Step:
    path = "/quotas/{tenant_project}" if to == "network" else "/os-quota-sets/{tenant_project}"
    return _do(to, "PUT", path, {key: limits}, "admin")


_QUOTAS = Story(
    "quotas are set, hold, and are taken back",
    (
        _quota("compute", "quota_set", instances=1, cores=7),
        _NOVA_QUOTA,
        _nova(
            "POST", "/servers",
            {"server": {"name": "parity-no", "flavorRef": "{flavor_tiny}", "imageRef": "{image}",
                        "networks": "none"}},
        ),
        _quota("compute", "quota_set", instances=0),
        _quota("compute", "quota_set", instances=0, force=True),
        _nova("DELETE", "/os-quota-sets/{tenant_project}", by="admin"),
        _NOVA_QUOTA,
        _quota("volume", "quota_set", volumes=1),
        _quota("volume", "quota_set", volumes=1),
        _quota("volume", "quota_set", nothing=3),
        _quota("volume", "quota_set", volumes=2, gigabytes=5),
        _CINDER_QUOTA,
        _cinder("POST", "/volumes", {"volume": {"name": "parity-no", "size": 1}}),
        _cinder("POST", "/volumes", {"volume": {"name": "parity-no", "size": 10}}),
        _quota("volume", "quota_set", volumes=9, per_volume_gigabytes=2, snapshots=1, backups=1),
        _cinder("POST", "/volumes", {"volume": {"name": "parity-no", "size": 3}}),
        _cinder("POST", "/snapshots", {"snapshot": {"volume_id": "{free}"}}),
        _cinder("POST", "/backups", {"backup": {"volume_id": "{free}"}}),
        _cinder("DELETE", "/os-quota-sets/{tenant_project}", by="admin"),
        _CINDER_QUOTA,
        _quota("network", "quota", port=1),
        _quota("network", "quota", network=1, floatingip=1, port=3),
        _NEUTRON_QUOTA,
        _neutron("GET", "/quotas/{tenant_project}"),
        _neutron("POST", "/networks", {"network": {"name": "parity-no"}}),
        _neutron("POST", "/floatingips", {"floatingip": {"floating_network_id": "{external}"}}),
        _neutron("POST", "/ports", {"port": {"network_id": "{network}", "name": "parity-no"}}),
        _neutron("DELETE", "/quotas/{tenant_project}", by="admin"),
        _neutron("GET", "/quotas/{tenant_project}"),
    ),
)  # fmt: skip

_SECOND = "server.addresses.parity-net.1"
_FLOATING = Story(
    "a floating IP leads to a server and away again",
    (
        _neutron("GET", "/ports?device_id={server}", server_port="ports.0.id"),
        _neutron("PUT", "/floatingips/{floating}", {"floatingip": {"port_id": "{server_port}"}}),
        _neutron("GET", "/floatingips/{floating}"),
        _neutron("GET", "/floatingips?port_id={server_port}"),
        _get("compute", "/servers/{server}", version=NOVA, until=(f"{_SECOND}.OS-EXT-IPS:type", "floating")),
        _neutron(
            "POST", "/floatingips",
            {"floatingip": {"floating_network_id": "{external}", "port_id": "{server_port}"}},
        ),
        _neutron("PUT", "/floatingips/{floating}", {"floatingip": {"port_id": "{other_port}"}}),
        _neutron("PUT", "/floatingips/{floating}", {"floatingip": {"port_id": None}}),
        _neutron("GET", "/floatingips/{floating}"),
        # Nova hears of it a moment later; what comes after this story must not meet what it knew before.
        _get("compute", "/servers/{server}", version=NOVA, until=(_SECOND, None)),
        _neutron(
            "POST", "/floatingips",
            {"floatingip": {"floating_network_id": "{external}", "description": "parity-new"}},
            new_floating="floatingip.id",
        ),
        _NEUTRON_QUOTA,
        _neutron("DELETE", "/floatingips/{new_floating}"),
        _neutron("GET", "/floatingips/{new_floating}"),
        _NEUTRON_QUOTA,
    ),
)  # fmt: skip

_AVAILABLE = _neutron("GET", "/network-ip-availabilities/{new_net}", by="admin")
_NETWORK = Story(
    "ports take the addresses of a network's subnet, and give them back",
    (
        _neutron("POST", "/networks", {"network": {"name": "parity-new"}}, new_net="network.id"),
        _neutron("POST", "/ports", {"port": {"network_id": "{new_net}"}}, bare="port.id"),
        _neutron("DELETE", "/ports/{bare}"),
        _neutron(
            "POST", "/subnets",
            {"subnet": {"network_id": "{new_net}", "name": "parity-v4", "ip_version": 4,
            "cidr": "10.79.0.0/29"}},
            new_subnet="subnet.id",
        ),
        _neutron("GET", "/networks/{new_net}"),
        _AVAILABLE,
        _neutron(
            "POST", "/ports",
            {"port": {"network_id": "{new_net}", "name": "parity-new",
            "fixed_ips": [{"ip_address": "10.79.0.5"}]}},
            new_port="port.id",
        ),
        _neutron("GET", "/ports/{new_port}"),
        _AVAILABLE,
        _neutron(
            "POST", "/ports", {"port": {"network_id": "{new_net}",
            "fixed_ips": [{"ip_address": "10.79.0.5"}]}}
        ),
        _neutron("GET", "/ports?network_id={new_net}"),
        _neutron("GET", "/ports?fixed_ips=ip_address%3D10.79.0.5"),
        _neutron("PUT", "/ports/{new_port}", {"port": {"name": "parity-renamed"}}),
        _neutron("DELETE", "/subnets/{new_subnet}"),
        _neutron("DELETE", "/networks/{new_net}"),
        _neutron("POST", "/routers", {"router": {"name": "parity-new"}}, new_router="router.id"),
        _neutron("PUT", "/routers/{new_router}/add_router_interface", {"subnet_id": "{new_subnet}"}),
        _AVAILABLE,
        _neutron(
            "PUT", "/routers/{new_router}", {"router": {"external_gateway_info": {"network_id": "{new_net}"}}}
        ),
        _neutron(
            "PUT", "/routers/{new_router}",
            {"router": {"external_gateway_info": {"network_id": "{external}"}}}
        ),
        _neutron("DELETE", "/routers/{new_router}"),
        _neutron("PUT", "/routers/{new_router}/remove_router_interface", {"subnet_id": "{new_subnet}"}),
        _neutron("PUT", "/routers/{new_router}/remove_router_interface", {"subnet_id": "{new_subnet}"}),
        _neutron("DELETE", "/routers/{new_router}"),
        _neutron("DELETE", "/ports/{new_port}"),
        _AVAILABLE,
        _neutron("PUT", "/networks/{new_net}", {"network": {"name": "parity-renamed",
        "admin_state_up": False}}),
        _neutron("GET", "/networks?name=parity-renamed"),
        _neutron("DELETE", "/networks/{new_net}"),
        _neutron("GET", "/subnets/{new_subnet}"),
        _NEUTRON_QUOTA,
    ),
)  # fmt: skip

_GROUP = Story(
    "a security group gets a rule and goes",
    (
        _neutron("POST", "/security-groups", {"security_group": {"name": "parity-new"}},
        new_group="security_group.id"),
        _neutron(
            "POST", "/security-group-rules",
            {"security_group_rule": {"security_group_id": "{new_group}", "direction": "ingress",
                                     "protocol": "tcp", "port_range_min": 22, "port_range_max": 22}},
            new_rule="security_group_rule.id",
        ),
        _neutron(
            "POST", "/security-group-rules",
            {"security_group_rule": {"security_group_id": "{new_group}", "direction": "ingress",
                                     "protocol": "tcp", "port_range_min": 22, "port_range_max": 22}},
        ),
        _neutron("GET", "/security-groups/{new_group}"),
        _neutron("DELETE", "/security-group-rules/{new_rule}"),
        _neutron("PUT", "/security-groups/{new_group}", {"security_group": {"name": "parity-renamed"}}),
        _neutron("POST", "/security-groups", {"security_group": {"name": "default"}}),
        _neutron("DELETE", "/security-groups/{new_group}"),
        _neutron("GET", "/security-groups/{new_group}"),
    ),
)  # fmt: skip


def _patch(path: str, *changes: dict[str, Any], by: str = "tenant") -> Step:
    return Step(Request("image", "PATCH", path, by, body=list(changes), headers=PATCH))


_IMAGE = Story(
    "an image gets data and members, is protected, and goes",
    (
        _glance(
            "POST", "/images",
            {"name": "parity-new", "disk_format": "raw", "container_format": "bare", "purpose": "x",
            "tags": ["a"]},
            new_image="id",
        ),
        _glance("POST", "/images", {"id": "{new_image}"}),
        _glance("GET", "/images/{new_image}"),
        _glance("GET", "/images/{new_image}", by="other"),
        Step(Request("image", "PUT", "/images/{new_image}/file", body="x" * 100, headers=OCTETS)),
        Step(Request("image", "PUT", "/images/{new_image}/file", body="x" * 100, headers=OCTETS)),
        Step(Request("image", "GET", "/images/{new_image}"), (("since", "updated_at"),)),
        _glance("GET", "/images?updated_at=gte:{since}&name=parity-new"),
        _glance("POST", "/images/{new_image}/members", {"member": "{other_project}"}),
        _glance("POST", "/images/{new_image}/members", {"member": "{other_project}"}),
        _glance("GET", "/images/{new_image}", by="other"),
        _glance("GET", "/images?name=parity-new", by="other"),
        _glance("PUT", "/images/{new_image}/members/{other_project}", {"status": "accepted"}),
        _glance("PUT", "/images/{new_image}/members/{other_project}", {"status": "accepted"}, "other"),
        _glance("GET", "/images?name=parity-new", by="other"),
        _glance("GET", "/images/{new_image}/members", by="other"),
        _patch("/images/{new_image}", {"op": "replace", "path": "/name", "value": "parity-no"}, by="other"),
        _patch("/images/{new_image}", {"op": "replace", "path": "/name", "value": "parity-renamed"},
               {"op": "add", "path": "/more", "value": "y"}, {"op": "remove", "path": "/purpose"}),
        _patch("/images/{new_image}", {"op": "replace", "path": "/protected", "value": True}),
        _glance("DELETE", "/images/{new_image}"),
        _glance("DELETE", "/images/{new_image}", by="other"),
        _patch("/images/{new_image}", {"op": "replace", "path": "/protected", "value": False},
               {"op": "replace", "path": "/os_hidden", "value": True}),
        _glance("GET", "/images?name=parity-renamed"),
        _glance("GET", "/images?name=parity-renamed&os_hidden=true"),
        _patch("/images/{new_image}", {"op": "replace", "path": "/visibility", "value": "community"}),
        _glance("GET", "/images/{new_image}/members"),
        _glance("GET", "/images?name=parity-renamed&os_hidden=true", by="other"),
        _glance("GET", "/images?name=parity-renamed&os_hidden=true&visibility=community", by="other"),
        _glance("PUT", "/images/{new_image}/tags/b"),
        _glance("DELETE", "/images/{new_image}"),
        _glance("GET", "/images/{new_image}"),
        _glance("DELETE", "/images/{new_image}"),
    ),
)  # fmt: skip


def _keystone(method: str, path: str, body: Any = None, by: str = "admin", **keep: str) -> Step:
    return _do("identity", method, path, body, by, **keep)


def _log_in(user: str, password: str, project: str, **keep: str) -> Step:
    domain = {"id": "default"}
    held = {"user": {"name": user, "domain": domain, "password": password}}
    scope = {"project": {"name": project, "domain": domain}}
    auth = {"identity": {"methods": ["password"], "password": held}, "scope": scope}
    return Step(
        Request("identity", "POST", "/auth/tokens", "nobody", body={"auth": auth}),
        tuple(keep.items()),
        exact=False,
    )


def _subject(method: str, subject: str, by: str) -> Step:
    request = Request("identity", method, "/auth/tokens", by, headers={"X-Subject-Token": subject})
    return Step(request, exact=False)


def _by_credential(identity: str, secret: str, **keep: str) -> Step:
    held = {"id": identity, "secret": secret}
    auth = {"identity": {"methods": ["application_credential"], "application_credential": held}}
    return Step(
        Request("identity", "POST", "/auth/tokens", "nobody", body={"auth": auth}),
        tuple(keep.items()),
        exact=False,
    )


_TOKEN = Story(
    "a token is given out, used, and ended",
    (
        _log_in("parity-a", "parity-lab", "parity-a", story_token="header x-subject-token"),
        _subject("GET", "{story_token}", "admin"),
        _subject("GET", "{story_token}", "story"),
        _keystone("GET", "/auth/projects", by="story"),
        _subject("DELETE", "{story_token}", "other"),
        _subject("DELETE", "{story_token}", "story"),
        _subject("GET", "{story_token}", "admin"),
        _subject("DELETE", "{story_token}", "admin"),
        _get(
            "identity", "/auth/projects", "story", until=401
        ),  # Keystone itself takes it for a second longer
    ),
)

_CREDENTIAL = Story(
    "an application credential stands for its user until it is deleted",
    (
        _keystone(
            "POST", "/users/{tenant_user}/application_credentials",
            {"application_credential": {"name": "parity-new"}}, "tenant",
            credential="application_credential.id", secret="application_credential.secret",
        ),
        _keystone("GET", "/users/{tenant_user}/application_credentials", by="tenant"),
        _keystone(
            "POST", "/users/{tenant_user}/application_credentials",
            {"application_credential": {"name": "parity-new"}}, "tenant",
        ),
        _by_credential("{credential}", "{secret}", story_token="header x-subject-token"),
        _get("compute", "/servers", "story", NOVA),
        _keystone(
            "POST", "/users/{tenant_user}/application_credentials",
            {"application_credential": {"name": "parity-more"}}, "story",
        ),
        _by_credential("{credential}", "wrong"),
        _keystone("GET", "/users/{tenant_user}/application_credentials", by="other"),
        _keystone("DELETE", "/users/{tenant_user}/application_credentials/{credential}", by="tenant"),
        _by_credential("{credential}", "{secret}"),
        _get("volume", "/volumes", "story", until=401),  # Keystone itself would say 404
    ),
)  # fmt: skip

_PROJECT = Story(
    "a project and its user come and go",
    (
        _keystone("POST", "/projects", {"project": {"name": "parity-new", "domain_id": "default"}},
        new_project="project.id"),
        _keystone("POST", "/projects", {"project": {"name": "parity-new", "domain_id": "default"}}),
        _keystone("POST", "/users", {"user": {"name": "parity-new", "domain_id": "default",
        "password": "x"}}, new_user="user.id"),
        _log_in("parity-new", "x", "parity-new"),
        _keystone("GET", "/roles?name=member", member="roles.0.id"),
        _keystone("PUT", "/projects/{new_project}/users/{new_user}/roles/{member}"),
        _keystone("PUT", f"/projects/{{new_project}}/users/{{new_user}}/roles/{NOBODY}"),
        _keystone("GET", "/role_assignments?user.id={new_user}&scope.project.id={new_project}"),
        _log_in("parity-new", "x", "parity-new", story_token="header x-subject-token"),
        _keystone("PATCH", "/projects/{new_project}", {"project": {"enabled": False}}),
        _get("compute", "/servers", "story", NOVA, until=401),
        _log_in("parity-new", "x", "parity-new"),
        _keystone("PATCH", "/projects/{new_project}", {"project": {"enabled": True, "description": "x"}}),
        _log_in("parity-new", "x", "parity-new", story_token="header x-subject-token"),
        _keystone("DELETE", "/projects/{new_project}/users/{new_user}/roles/{member}"),
        _keystone("DELETE", "/projects/{new_project}/users/{new_user}/roles/{member}"),
        _log_in("parity-new", "x", "parity-new"),
        _keystone("DELETE", "/users/{new_user}"),
        _keystone("DELETE", "/projects/{new_project}"),
        _keystone("GET", "/projects/{new_project}"),
        _keystone("GET", f"/projects/{NOWHERE}"),
    ),
)  # fmt: skip

STORIES = (
    _SERVER, _VOLUME, _QUOTAS, _FLOATING, _NETWORK, _GROUP, _IMAGE, _TOKEN, _CREDENTIAL, _PROJECT,
)  # fmt: skip
