"""Quotas of the classic APIs: who reads and writes them, what is refused in which words, that they hold."""

from typing import Any

from tests.lab.parity.asking import Case, Request
from tests.lab.parity.errors import NOBODY
from tests.lab.parity.reads import CINDER, NOWHERE
from tests.lab.parity.scene import KEY
from tests.lab.parity.stories import Step, Story

NOVA = "2.104"
SERVICES = (
    ("compute", "/os-quota-sets", "quota_set", NOVA),
    ("volume", "/os-quota-sets", "quota_set", CINDER),
    ("network", "/quotas", "quota", ""),
)
#: Bodies that are refused, or change nothing, per service; the scene's tenant has some of everything.
_NUMBERS = (-2, 2**31, "x", None, True, 1.5)
_BODIES: dict[str, tuple[Any, ...]] = {
    "compute": (
        *({"cores": number} for number in _NUMBERS),
        {"cores": 0}, {"instances": 0, "cores": 50}, {"nothing": 1}, {"injected_files": 3},
        {"floating_ips": 3},
        {"force": "perhaps", "cores": 7}, {"tenant_id": "x"}, {}, [],
    ),
    "volume": (
        *({"volumes": number} for number in _NUMBERS),
        {"volumes": "7"}, {"nothing": 1, "nor_this": 2}, {"force": True, "volumes": 9},
        {"skip_validation": True, "volumes": 9}, {"volumes_nothing": 1}, {"tenant_id": "x"}, {}, [],
    ),
    "network": (
        *({"network": number} for number in (-2, 2**31, "x", None)),
        {"network": 0}, {"port": 1, "force": "true"}, {"port": 1, "check_limit": False},
        {"port": 0, "check_limit": True}, {"nothing": 1}, {"trunk": 5}, {"tenant_id": "x"},
        {"project_id": "x", "network": 70}, [],
    ),
}  # fmt: skip
_CLASSES: tuple[dict[str, Any], ...] = (
    *({"{}": number} for number in (-2, 2**31, "x", True, None)),
    {"nothing": 1},
    {},
)


def _reads() -> list[Request]:
    asks = []
    for to, path, _, version in SERVICES:
        tails = ["", "/default", "/details"] if to == "network" else ["", "/defaults"]
        tails += ["/detail"] if to == "compute" else []
        asks += [
            Request(to, "GET", f"{path}/{whose}{tail}", by, version)
            for whose in ("{tenant_project}", "{other_project}", NOBODY)
            for tail in tails
            for by in ("admin", "tenant", "reader")
        ]
    for version in ("2.1", "2.35", "2.36", "2.49", "2.50", "2.56", "2.57", "2.75", "2.102"):
        asks += [
            Request("compute", "GET", path, "admin", version)
            for path in (
                "/os-quota-sets/{tenant_project}", "/os-quota-sets/{tenant_project}?nothing=1",
                "/os-quota-sets/{tenant_project}?user_id={tenant_user}",
                "/os-quota-sets/{tenant_project}/detail?user_id={tenant_user}",
                "/os-quota-class-sets/default", "/os-quota-class-sets/default?nothing=1",
                "/os-quota-class-sets/another", "/limits?tenant_id={tenant_project}",
            )
        ]  # fmt: skip
    asks += [
        Request(to, "GET", f"/os-quota-class-sets/{name}", by, version)
        for to, version in (("compute", NOVA), ("volume", CINDER))
        for name in ("default", "another")
        for by in ("admin", "tenant")
    ]
    asks += [
        Request("volume", "GET", f"/os-quota-sets/{{tenant_project}}?usage={word}", "admin", CINDER)
        for word in ("true", "no", "perhaps")
    ]
    asks += [Request("network", "GET", path, "tenant") for path in ("/quotas/tenant", "/quotas/project")]
    asks.append(Request("network", "POST", "/quotas", "admin", body={"quota": {"network": 5}}))
    return asks


def _refusals() -> list[Request]:
    asks = []
    for to, path, key, version in SERVICES:
        one = f"{path}/{{tenant_project}}"
        asks += [Request(to, "PUT", one, "admin", version, {key: body}) for body in _BODIES[to]]
        asks += [
            Request(to, "PUT", one, "tenant", version, {key: {"port" if to == "network" else "nothing": 5}}),
            Request(to, "PUT", one, "admin", version, {}),
            Request(to, "DELETE", one, "tenant", version),
            Request(to, "DELETE", f"{path}/{NOBODY}", "admin", version),
        ]
        if to != "network":
            asks.append(Request(to, "PUT", one, "admin", version, {key: {}, "more": 1}))
    asks.append(
        Request("compute", "PUT", f"/os-quota-sets/{NOBODY}", "admin", NOVA, {"quota_set": {"cores": 5}})
    )
    for to, name, version in (("compute", "cores", NOVA), ("volume", "volumes", CINDER)):
        for body in _CLASSES:
            filled = {key.format(name): value for key, value in body.items()}
            for by in ("admin", "tenant"):
                more = {"quota_class_set": filled}
                asks.append(Request(to, "PUT", "/os-quota-class-sets/parity", by, version, more))
    asks += [
        Request("compute", "POST", "/os-server-groups", "tenant", NOVA, {"server_group": group})
        for group in ({"name": "x", "policy": "nothing"}, {"name": "", "policy": "affinity"}, {"name": "x"})
    ]
    asks += [
        Request("compute", method, f"/os-server-groups/{NOWHERE}", "tenant", NOVA)
        for method in ("GET", "DELETE")
    ]
    return asks


#: One request each; the words of what is refused have to be the same, too.
QUOTA_CASES = [Case(ask) for ask in (*_reads(), *_refusals())]


# -- stories ---------------------------------------------------------------------------------------------


def _do(to: str, method: str, path: str, body: Any = None, by: str = "tenant", **keep: str) -> Step:
    version = {"compute": NOVA, "volume": CINDER}.get(to, "")
    return Step(Request(to, method, path, by, version, body), tuple(keep.items()))


def _set(to: str, /, *queries: str, **limits: Any) -> Step:
    query = "".join(queries)
    path, key = next((path, key) for service, path, key, _ in SERVICES if service == to)
    return _do(to, "PUT", f"{path}/{{tenant_project}}{query}", {key: limits}, "admin")


def _shown(to: str, query: str = "") -> Step:
    tails = {"compute": "os-quota-sets/{tenant_project}/detail", "volume": "os-quota-sets/{tenant_project}",
             "network": "quotas/{tenant_project}/details"}  # fmt: skip
    query = query or ("?usage=True" if to == "volume" else "")
    return _do(to, "GET", f"/{tails[to]}{query}", by="admin")


def _reset(to: str, query: str = "") -> Step:
    path = next(path for service, path, _, _ in SERVICES if service == to)
    return _do(to, "DELETE", f"{path}/{{tenant_project}}{query}", by="admin")


def _server(**more: Any) -> Step:
    body = {"name": "parity-no", "flavorRef": "{flavor_tiny}", "imageRef": "{image}", "networks": "none"}
    return _do("compute", "POST", "/servers", {"server": body | more})


_A_GROUP = {"server_group": {"name": "parity", "policy": "affinity"}}
_OF_NOVA = Story(
    "Nova's limits hold: servers, cores, memory, keypairs, metadata, groups",
    (
        *(step for name in ("instances", "cores", "ram") for step in (
            _set("compute", force=True, **{name: 0}), _server(), _server(min_count=2, max_count=3),
            _reset("compute"))),
        _set("compute", instances=0, cores=0, ram=0, force=True), _server(), _reset("compute"),
        _set("compute", metadata_items=0), _server(metadata={"a": "b"}),
        _set("compute", metadata_items=1), _server(metadata={"a": "b", "c": "d"}),
        _set("compute", key_pairs=0),
        _do("compute", "POST", "/os-keypairs",
            {"keypair": {"name": "parity-no", "public_key": KEY, "type": "ssh"}}),
        _set("compute", server_groups=1, server_group_members=0),
        _do("compute", "POST", "/os-server-groups", _A_GROUP, group_of_servers="server_group.id"),
        _do("compute", "POST", "/os-server-groups", _A_GROUP),
        _do("compute", "GET", "/os-server-groups"),
        _do("compute", "GET", "/os-server-groups/{group_of_servers}"),
        _shown("compute"),
        _do("compute", "POST", "/servers",
            {"server": {"name": "parity-no", "flavorRef": "{flavor_tiny}", "imageRef": "{image}",
             "networks": "none"}, "os:scheduler_hints": {"group": "{group_of_servers}"}}),
        _do("compute", "POST", "/servers",
            {"server": {"name": "parity-no", "flavorRef": "{flavor_tiny}", "imageRef": "{image}",
             "networks": "none"}, "os:scheduler_hints": {"group": NOWHERE}}),
        _do("compute", "DELETE", "/os-server-groups/{group_of_servers}"),
        _reset("compute"), _shown("compute"),
    ),
)  # fmt: skip

_OF_USERS = Story(
    "a user has less than his project, and loses it with it",
    (
        _set("compute", "?user_id={tenant_user}", cores=15),
        _set("compute", "?user_id={tenant_user}", cores=25),
        _set("compute", "?user_id={tenant_user}", cores=0),
        _set("compute", "?user_id={tenant_user}", cores=-1),
        _shown("compute", "?user_id={tenant_user}"),
        _set("compute", cores=10),
        _set("compute", "?user_id={other_user}", cores=6),
        _set("compute", "?user_id={other_user}", cores=5),
        _do("compute", "GET", "/os-quota-sets/{tenant_project}?user_id={other_user}", by="admin"),
        _reset("compute", "?user_id={tenant_user}"),
        _shown("compute", "?user_id={tenant_user}"),
        _reset("compute"),
        _do("compute", "GET", "/os-quota-sets/{tenant_project}?user_id={other_user}", by="admin"),
        _set("compute", "?user_id={tenant_user}", instances=1), _server(), _server(min_count=2),
        _do("compute", "GET", "/limits"),
        _reset("compute"),
    ),
)  # fmt: skip

_OF_CLASSES = Story(
    "defaults are those of the class default",
    (
        _do("compute", "PUT", "/os-quota-class-sets/default",
            {"quota_class_set": {"cores": 21, "ram": "51201"}}, "admin"),
        _do("compute", "PUT", "/os-quota-class-sets/parity", {"quota_class_set": {"cores": 3}}, "admin"),
        _do("compute", "GET", "/os-quota-class-sets/parity", by="admin"),
        _shown("compute"),
        _do("compute", "GET", "/os-quota-sets/{tenant_project}/defaults"),
        _do("compute", "PUT", "/os-quota-class-sets/default",
            {"quota_class_set": {"cores": 20, "ram": 51200}}, "admin"),
        _do("volume", "PUT", "/os-quota-class-sets/default",
            {"quota_class_set": {"volumes": "12", "groups": 3}}, "admin"),
        _do("volume", "GET", "/os-quota-sets/{tenant_project}/defaults"), _shown("volume"),
        _do("volume", "PUT", "/os-quota-class-sets/parity", {"quota_class_set": {"volumes": 1}}, "admin"),
        _do("volume", "GET", "/os-quota-class-sets/parity", by="admin"),
        _do("volume", "PUT", "/os-quota-class-sets/default",
            {"quota_class_set": {"volumes": 10, "groups": 10}}, "admin"),
        _shown("volume"), _shown("compute"),
    ),
)  # fmt: skip

_NEW_VOLUME = _do("volume", "POST", "/volumes", {"volume": {"name": "parity-no", "size": 1}})
_NEW_SNAPSHOT = _do("volume", "POST", "/snapshots", {"snapshot": {"volume_id": "{free}"}})
_NEW_BACKUP = _do("volume", "POST", "/backups", {"backup": {"volume_id": "{free}"}})
_GROWTH = _do("volume", "POST", "/volumes/{free}/action", {"os-extend": {"new_size": 2}})
_OF_CINDER = Story(
    "Cinder's limits hold: volumes, sizes, snapshots, backups",
    (
        *(step for limits, asked in (
            ({"volumes": 0}, _NEW_VOLUME), ({"gigabytes": 0}, _NEW_VOLUME),
            ({"volumes": 0, "gigabytes": 0}, _NEW_VOLUME), ({"per_volume_gigabytes": 0}, _NEW_VOLUME),
            ({"gigabytes": 0}, _GROWTH), ({"per_volume_gigabytes": 1}, _GROWTH),
            ({"snapshots": 0}, _NEW_SNAPSHOT), ({"snapshots": 0, "gigabytes": 0}, _NEW_SNAPSHOT),
            ({"backups": 0}, _NEW_BACKUP), ({"backup_gigabytes": 0}, _NEW_BACKUP),
            ({"backups": 0, "backup_gigabytes": 0}, _NEW_BACKUP),
        ) for step in (_set("volume", **limits), asked, _reset("volume"))),
        _set("volume", volumes=0), _set("volume", volumes=0), _set("volume", volumes=-1), _shown("volume"),
        _set("volume", volumes=2**31 - 1, snapshots="1"), _set("volume", tenant_id="x"), _shown("volume"),
        _reset("volume"), _shown("volume"),
    ),
)  # fmt: skip

_KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "network": ("networks", {"name": "parity-no"}),
    "subnet": ("subnets", {"network_id": "{network}", "ip_version": 4, "cidr": "10.88.0.0/24"}),
    "port": ("ports", {"network_id": "{network}"}),
    "router": ("routers", {"name": "parity-no"}),
    "floatingip": ("floatingips", {"floating_network_id": "{external}"}),
    "security_group": ("security-groups", {"name": "parity-no"}),
    "security_group_rule": (
        "security-group-rules",
        {"security_group_id": "{group}", "direction": "ingress", "protocol": "udp"},
    ),
    "subnetpool": ("subnetpools", {"name": "parity-no", "prefixes": ["10.98.0.0/16"]}),
    "rbac_policy": (
        "rbac-policies",
        {"object_type": "network", "object_id": "{network}", "action": "access_as_shared",
         "target_tenant": "{other_project}"},
    ),
}  # fmt: skip
_OF_NEUTRON = Story(
    "Neutron's limits hold for all that it has",
    (
        _set("network", force=True, router_route=0, **dict.fromkeys(_KINDS, 0)), _shown("network"),
        *(_do("network", "POST", f"/{path}", {kind: body}) for kind, (path, body) in _KINDS.items()),
        _do("network", "POST", "/networks", {"network": {"name": "x", "project_id": "{tenant_project}"}},
            "admin"),
        _do("network", "GET", "/quotas/{tenant_project}"),
        _server(networks=[{"uuid": "{network}"}]),
        _set("network", force=True, security_group=50, security_group_rule=9),
        _do("network", "POST", "/security-groups", {"security_group": {"name": "parity-no"}}),
        _set("network", port=-1, network="60", subnet=2**31 - 1), _shown("network"),
        _set("network"),
        _reset("network"), _reset("network"), _shown("network"),
        _do("network", "PUT", f"/quotas/{NOBODY}", {"quota": {"network": 5}}, "admin"),
        _do("network", "GET", f"/quotas/{NOBODY}", by="admin"),
        _do("network", "DELETE", f"/quotas/{NOBODY}", by="admin"),
    ),
)  # fmt: skip

QUOTA_STORIES = (_OF_NOVA, _OF_USERS, _OF_CLASSES, _OF_CINDER, _OF_NEUTRON)
