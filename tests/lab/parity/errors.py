"""Requests that are wrong on purpose, in every way that comes to mind. They change nothing."""

from itertools import product
from typing import Any

from tests.lab.parity.asking import Case, Request
from tests.lab.parity.reads import CINDER, NOVA, NOWHERE, PLACEMENT

NOBODY = "0" * 32
OCTETS = {"Content-Type": "application/octet-stream"}
PATCH = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
_ONE = {
    "identity": "/projects/{tenant_project}", "compute": "/servers/detail", "volume": "/volumes/detail",
    "network": "/networks", "image": "/images", "placement": "/resource_providers",
}  # fmt: skip
_PASSWORD = {
    "methods": ["password"],
    "password": {"user": {"name": "parity-a", "domain": {"id": "default"}, "password": "parity-lab"}},
}


def _auth(identity: object, scope: object = None) -> dict[str, Any]:
    return {"auth": {"identity": identity} | ({"scope": scope} if scope else {})}


def _wrong_password(**user: object) -> dict[str, Any]:
    found = {"name": "parity-a", "domain": {"id": "default"}, "password": "wrong"} | user
    return {"methods": ["password"], "password": {"user": found}}


#: Log-ins: good ones and bad ones.
LOG_INS: tuple[dict[str, Any], ...] = (
    _auth(_PASSWORD),
    _auth(_PASSWORD, "unscoped"),
    _auth(_PASSWORD, {"project": {"id": "{tenant_project}"}}),
    _auth(_PASSWORD, {"project": {"name": "parity-a", "domain": {"name": "Default"}}}),
    _auth(_PASSWORD, {"project": {"id": "{other_project}"}}),
    _auth(_PASSWORD, {"project": {"id": NOBODY}}),
    _auth(_PASSWORD, {"domain": {"id": "default"}}),
    _auth(_PASSWORD, {"system": {"all": True}}),
    _auth(_wrong_password()),
    _auth(_wrong_password(name="nobody")),
    _auth(_wrong_password(domain={"id": "nowhere"})),
    _auth({"methods": ["token"], "token": {"id": "{tenant_token}"}}, {"project": {"id": "{tenant_project}"}}),
    _auth({"methods": ["token"], "token": {"id": "forged"}}),
    _auth({"methods": ["application_credential"], "application_credential": {"id": NOBODY, "secret": "x"}}),
    _auth({"methods": ["magic"], "magic": {}}),
    _auth({}),
    {"auth": {}},
    {},
)


def _errors() -> list[Case]:
    asks = [Request(to, "GET", path, by) for (to, path), by in product(_ONE.items(), ("nobody", "forged"))]
    asks += [Request("identity", "POST", "/auth/tokens", "nobody", body=body) for body in LOG_INS]
    asks += [
        Request("identity", method, f"/auth/tokens{query}", by, headers={"X-Subject-Token": subject})
        for method, query in (("GET", ""), ("GET", "?nocatalog"), ("HEAD", ""))
        for by, subject in (
            ("admin", "{tenant_token}"), ("admin", "forged"), ("tenant", "{tenant_token}"),
            ("tenant", "{other_token}"), ("nobody", "{tenant_token}"), ("forged", "{tenant_token}"),
        )
    ]  # fmt: skip
    asks += [
        Request("identity", "GET", "/auth/tokens", "admin"),
        Request("identity", "DELETE", "/auth/tokens", "admin", headers={"X-Subject-Token": "forged"}),
        Request("identity", "GET", f"/projects/{NOBODY}", "admin"),
        Request("identity", "GET", f"/projects/{NOBODY}"),
        Request("identity", "GET", f"/users/{NOBODY}", "admin"),
        Request("identity", "GET", "/domains/nowhere", "admin"),
        Request("identity", "GET", "/nothing", "admin"),
        Request("identity", "PUT", "/projects", "admin", body={}),
        Request("identity", "POST", "/projects", body={"project": {"name": "parity-no"}}),
        Request("identity", "POST", "/projects", "admin", body={"project": {"name": "parity-a"}}),
        Request("identity", "POST", "/projects", "admin", body={"project": {}}),
        Request("identity", "POST", "/projects", "admin", body="{not json"),
        Request("identity", "POST", "/users", "admin", body={"user": {"name": "parity-a"}}),
        Request("identity", "DELETE", f"/projects/{NOBODY}", "admin"),
    ]
    asks += [Request(to, "GET", "", by, root=True) for to in _ONE for by in ("nobody", "tenant")]
    asks += [
        Request(to, "PATCH", path, body={})
        for to, paths in (
            ("compute", ("/nothing", "/servers", f"/servers/{NOWHERE}/nothing")),
            ("volume", ("/nothing", "/volumes", f"/volumes/{NOWHERE}/nothing")),
            ("network", ("/nothing", "/networks")),
            ("image", ("/nothing", "/images")),
            ("placement", ("/nothing", "/resource_providers")),
        )
        for path in paths
    ]
    asks += [Request(to, "GET", "/nothing") for to in ("compute", "volume", "network", "image", "placement")]
    asks += _bad_versions() + _unknown_ids() + _bad_pages() + _bad_bodies()
    return [Case(ask) for ask in asks]


def _bodies(*bodies: Any) -> tuple[Any, ...]:
    """Bodies of any type."""
    return bodies


def _bad_versions() -> list[Request]:
    return [
        Request(to, "GET", _ONE[to], "admin", version)
        for to in ("compute", "volume", "placement")
        for version in ("2.999", "3.999", "1.999", "0.1", "x", "1.2.3", "latest")
    ]


def _unknown_ids() -> list[Request]:
    named = [
        ("compute", "/servers/{id}"), ("compute", "/flavors/{id}"), ("compute", "/os-keypairs/{id}"),
        ("compute", "/servers/{id}/os-volume_attachments"), ("compute", "/servers/{id}/os-interface"),
        ("volume", "/volumes/{id}"), ("volume", "/snapshots/{id}"), ("volume", "/backups/{id}"),
        ("volume", "/types/{id}"), ("image", "/images/{id}"), ("image", "/images/{id}/members"),
        *(
            ("network", f"/{key}/{{id}}")
            for key in (
                "networks", "subnets", "ports", "routers", "floatingips", "security-groups", "subnetpools",
                "rbac-policies", "network-ip-availabilities",
            )
        ),
    ]  # fmt: skip
    asks = [
        Request(to, "GET", path.replace("{id}", name))
        for (to, path), name in product(named, (NOWHERE, "no-uuid"))
    ]
    asks += [
        Request(to, "DELETE", path.replace("{id}", NOWHERE))
        for to, path in named
        if path.endswith("{id}") and not path.startswith(("/flavors", "/types", "/network-ip", "/rbac"))
    ]
    for route in ("inventories", "usages", "aggregates"):
        asks.append(Request("placement", "GET", f"/resource_providers/{NOWHERE}/{route}", "admin", PLACEMENT))
    asks.append(Request("placement", "GET", f"/resource_providers/{NOWHERE}", "admin", PLACEMENT))
    deletes = [
        ("compute", "/servers/{other_server}"), ("volume", "/volumes/{other_free}"),
        ("network", "/networks/{other_network}"), ("network", "/floatingips/{other_floating}"),
        ("network", "/ports/{other_port}"), ("network", "/networks/{external}"), ("image",
        "/images/{other_image}"),
    ]  # fmt: skip
    return asks + [Request(to, "DELETE", path) for to, path in deletes]


def _bad_pages() -> list[Request]:
    listings = (
        ("compute", "/servers/detail"), ("compute", "/flavors/detail"), ("volume", "/volumes/detail"),
        ("volume", "/snapshots"), ("volume", "/backups"), ("network", "/networks"), ("network", "/ports"),
        ("image", "/images"),
    )  # fmt: skip
    bad = (
        f"marker={NOWHERE}",
        "limit=-1",
        "limit=x",
        "limit=0",
        "sort_key=nothing",
        "sort_dir=up&sort_key=name",
    )
    asks = [Request(to, "GET", f"{path}?{query}") for (to, path), query in product(listings, bad)]
    admin = Request("compute", "GET", f"/os-hypervisors/detail?marker={NOWHERE}&limit=1", "admin", NOVA)
    return [
        *asks, admin,
        Request("compute", "GET", "/servers/detail?changes-since=yesterday"),
        Request("compute", "GET", "/servers/detail?all_tenants=maybe"),
        Request("compute", "GET", "/servers/detail?nothing=1"),
        Request("compute", "GET", "/servers/detail?nothing=1", version="2.75"),
        Request("compute", "GET", "/servers/detail?status=nothing"),
        Request("compute", "GET", "/servers/detail?status=deleted"),
        Request("volume", "GET", "/volumes/detail?updated_at=gte:yesterday", version=CINDER),
        Request("volume", "GET", "/volumes/detail?updated_at=near:2020-01-01T00:00:00", version=CINDER),
        Request("volume", "GET", "/volumes/detail?nothing=1", version=CINDER),
        Request("volume", "GET", "/volumes/detail?nothing=1", "admin", CINDER),
        Request("volume", "GET", "/volumes/detail?nothing=1"),
        Request("network", "GET", "/networks?changed_since=yesterday"),
        Request("network", "GET", f"/networks?limit=1&marker={NOWHERE}"),
        Request("network", "GET", "/networks?sort_key=nothing&sort_dir=asc"),
        Request("network", "GET", "/networks?sort_key=name&sort_dir=asc"),
        Request("network", "GET", "/rbac-policies?limit=1", "admin"),
        Request("network", "GET", "/networks?nothing=1"),
        Request("image", "GET", "/images?updated_at=gte:yesterday"),
        Request("image", "GET", "/images?visibility=nothing"),
        Request("image", "GET", "/images?member_status=nothing"),
        Request("image", "GET", "/images?nothing=1"),
        Request("image", "GET", "/images?changes-since=2020-01-01T00:00:00Z"),
    ]  # fmt: skip


def _bad_bodies() -> list[Request]:
    posts = (
        ("compute", "/servers", "server"), ("compute", "/os-keypairs", "keypair"), ("volume", "/volumes",
        "volume"),
        ("volume", "/snapshots", "snapshot"), ("volume", "/backups", "backup"), ("network", "/networks",
        "network"),
        ("network", "/subnets", "subnet"), ("network", "/ports", "port"), ("network", "/floatingips",
        "floatingip"),
        ("image", "/images", "image"),
    )  # fmt: skip
    asks = []
    for to, path, key in posts:
        for body in _bodies("{not json", "[1]", "{}", {key: {}}, {key: None}, {key: []}):
            if to == "image" and not isinstance(body, str):
                continue  # a Glance body has no such envelope
            if body in ("{}", {"network": {}}) and path in {"/images", "/networks"}:
                continue  # enough for an image, or a network
            if (to, body) == ("image", "[1]"):
                continue  # Glance fails
            asks.append(Request(to, "POST", path, body=body))
    server = {"name": "parity-no", "flavorRef": "{flavor_tiny}", "imageRef": "{image}", "networks": "none"}
    volume = {"name": "parity-no", "size": 1}
    return [
        *asks,
        *(
            Request("compute", "POST", "/servers", version=NOVA, body={"server": server | change})
            for change in (
                {"flavorRef": NOWHERE}, {"flavorRef": None}, {"imageRef": NOWHERE}, {"imageRef": "x"},
                {"networks": [{"uuid": NOWHERE}]}, {"networks": [{"uuid": "x"}]}, {"networks": "some"},
                {"networks": [{"uuid": "{other_network}"}]}, {"networks": None}, {"key_name": "nobody"},
                {"name": ""}, {"name": 5}, {"name": "x" * 256}, {"availability_zone": "nowhere"},
                {"nothing": 1}, {"metadata": {"a": 1}}, {"security_groups": [{"name": "nobody"}]},
                {"imageRef": "{queued}"}, {"networks": [{"port": NOWHERE}]},
            )
        ),
        Request("compute", "POST", "/servers", "reader", NOVA, {"server": server}),
        *(
            Request("volume", "POST", "/volumes", version=CINDER, body={"volume": volume | change})
            for change in (
                {"size": 0}, {"size": -1}, {"size": "x"}, {"size": 1.5}, {"size": None}, {"size": 100_000},
                {"volume_type": "nothing"}, {"imageRef": NOWHERE}, {"snapshot_id": NOWHERE},
                {"snapshot_id": "x"},
                {"source_volid": NOWHERE}, {"nothing": 1}, {"name": "x" * 256}, {"metadata": {"a": 1}},
                {"availability_zone": "nowhere"},
            )
        ),
        Request("volume", "POST", "/volumes", "reader", CINDER, {"volume": volume}),
        Request("volume", "POST", "/snapshots", body={"snapshot": {"volume_id": NOWHERE}}),
        Request("volume", "POST", "/snapshots", body={"snapshot": {"volume_id": "{volume}"}}),
        Request("volume", "POST", "/snapshots", body={"snapshot": {"volume_id": "{other_volume}"}}),
        Request("volume", "POST", "/backups", body={"backup": {"volume_id": "{volume}"}}),
        Request("volume", "POST", "/backups", body={"backup": {"volume_id": NOWHERE}}),
        Request("volume", "DELETE", "/volumes/{volume}"),
        Request("volume", "DELETE", "/volumes/{free}"),
        Request("volume", "DELETE", "/volumes/{free}", "reader"),
        Request("volume", "PUT", "/volumes/{volume}", body={"volume": {"size": 3}}),
        Request("volume", "POST", "/volumes/{volume}/action", body={"nothing": {}}),
        Request("volume", "POST", "/volumes/{volume}/action", body={"os-extend": {"new_size": 2}}),
        Request("volume", "POST", "/volumes/{free}/action", body={"os-extend": {"new_size": 1}}),
        Request("volume", "POST", "/volumes/{free}/action", body={"os-reset_status": {"status": "error"}}),
        Request("volume", "PUT", "/os-quota-sets/{tenant_project}", body={"quota_set": {"volumes": 5}}),
        Request("volume", "PUT", "/os-quota-sets/{tenant_project}", "admin",
        body={"quota_set": {"volumes": "x"}}),
        Request("volume", "PUT", "/os-quota-sets/{tenant_project}", "admin",
        body={"quota_set": {"volumes": -2}}),
        Request("volume", "PUT", "/os-quota-sets/{tenant_project}", "admin", body={"quota_set": {}}),
        *(
            Request("compute", "POST", "/servers/{server}/action", version=NOVA, body=body)
            for body in _bodies(
                {"os-start": None}, {"confirmResize": None}, {"revertResize": None}, {"nothing": None}, {},
                {"resize": {"flavorRef": "{flavor_tiny}"}}, {"resize": {"flavorRef": NOWHERE}},
                {"resize": {}},
                {"reboot": {"type": "GENTLE"}}, {"reboot": {}},
            )
        ),
        Request("compute", "POST", "/servers/{server}/action", "reader", NOVA, {"os-stop": None}),
        Request("compute", "POST", "/servers/{other_server}/action", version=NOVA, body={"os-stop": None}),
        *(
            Request("compute", "POST", "/servers/{server}/os-volume_attachments",
            body={"volumeAttachment": body})
            for body in ({"volumeId": "{volume}"}, {"volumeId": NOWHERE}, {"volumeId": "x"}, {},
                         {"volumeId": "{other_free}"})
        ),
        Request("compute", "DELETE", f"/servers/{{server}}/os-volume_attachments/{NOWHERE}"),
        Request("compute", "DELETE", "/servers/{server}", "reader"),
        Request("compute", "POST", "/os-keypairs", body={"keypair": {"name": "parity-key",
        "public_key": "x"}}),
        Request("compute", "POST", "/os-keypairs", body={"keypair": {"name": "parity-no",
        "public_key": "x"}}),
        Request("compute", "PUT", "/os-quota-sets/{tenant_project}", body={"quota_set": {"cores": 5}}),
        Request("compute", "PUT", "/os-quota-sets/{tenant_project}", "admin",
        body={"quota_set": {"cores": 0}}),
        Request("compute", "PUT", "/os-quota-sets/{tenant_project}", "admin",
        body={"quota_set": {"nothing": 1}}),
        Request("compute", "PUT", "/os-quota-sets/{tenant_project}", "admin",
        body={"quota_set": {"cores": "x"}}),
        Request("compute", "POST", "/flavors", body={"flavor": {"name": "parity-no"}}),
        Request("compute", "POST", "/flavors", "admin", body={"flavor": {"name": "parity-no"}}),
        *_bad_network_bodies(),
        *_bad_image_bodies(),
    ]  # fmt: skip


def _bad_network_bodies() -> list[Request]:
    subnet = {"network_id": "{network}", "ip_version": 4, "cidr": "10.78.0.0/24"}
    return [
        Request("network", "POST", "/networks", body={"network": {"router:external": True}}),
        Request("network", "POST", "/networks", body={"network": {"shared": True}}),
        Request("network", "POST", "/networks", body={"network": {"nothing": 1}}),
        Request("network", "POST", "/networks", body={"network": {"name": 5}}),
        Request("network", "POST", "/networks", "reader", body={"network": {"name": "parity-no"}}),
        *(
            Request("network", "POST", "/subnets", body={"subnet": subnet | change})
            for change in (
                {"cidr": "x"}, {"cidr": "10.77.0.0/25"}, {"network_id": NOWHERE}, {"ip_version": 5},
                {"network_id": "{other_network}"}, {"gateway_ip": "x"},
                {"allocation_pools": [{"start": "1.1.1.1", "end": "1.1.1.2"}]},
            )
        ),
        *(
            Request("network", "POST", "/ports", body={"port": {"network_id": "{network}"} | change})
            for change in (
                {"network_id": NOWHERE}, {"network_id": "{other_network}"},
                {"fixed_ips": [{"ip_address": "10.77.0.1"}]}, {"fixed_ips": [{"ip_address": "10.99.0.1"}]},
                {"fixed_ips": [{"subnet_id": NOWHERE}]}, {"mac_address": "x"}, {"binding:host_id": "x"},
            )
        ),
        Request("network", "POST", "/floatingips", body={"floatingip": {"floating_network_id": NOWHERE}}),
        Request("network", "POST", "/floatingips", body={"floatingip": {"floating_network_id": "{network}"}}),
        Request("network", "PUT", "/floatingips/{floating}", body={"floatingip": {"port_id": NOWHERE}}),
        Request("network", "PUT", "/floatingips/{floating}",
        body={"floatingip": {"port_id": "{other_port}"}}),
        Request("network", "PUT", f"/floatingips/{NOWHERE}", body={"floatingip": {"port_id": None}}),
        Request("network", "DELETE", "/networks/{network}"),
        Request("network", "DELETE", "/subnets/{subnet}"),
        Request("network", "DELETE", "/routers/{router}"),
        Request("network", "DELETE", "/networks/{network}", "reader"),
        Request("network", "PUT", "/routers/{router}/add_router_interface", body={"subnet_id": "{subnet}"}),
        Request("network", "PUT", "/routers/{router}/add_router_interface", body={"subnet_id": NOWHERE}),
        Request("network", "PUT", "/routers/{router}/add_router_interface", body={}),
        Request("network", "PUT", "/quotas/{tenant_project}", body={"quota": {"port": 5}}),
        Request("network", "PUT", "/quotas/{tenant_project}", "admin", body={"quota": {"nothing": 1}}),
        Request("network", "PUT", "/quotas/{tenant_project}", "admin", body={"quota": {"port": "x"}}),
    ]  # fmt: skip


def _bad_image_bodies() -> list[Request]:
    return [
        *(
            Request("image", "POST", "/images", body=body)
            for body in (
                {"name": 5}, {"visibility": "public"}, {"visibility": "nothing"}, {"id": "x"},
                {"id": "{image}"},
                {"owner": "{other_project}"}, {"size": 5}, {"status": "active"}, {"min_ram": "x"},
                {"min_ram": -1},
                {"disk_format": "nothing"}, {"nothing": 5}, {"protected": "x"}, {"tags": "x"},
                {"location": "x"},
            )
        ),
        Request("image", "POST", "/images", "reader", body={"name": "parity-no"}),
        Request("image", "PUT", "/images/{queued}/file", body="{}"),
        Request("image", "PUT", "/images/{image}/file", body="x", headers=OCTETS),
        Request("image", "PUT", f"/images/{NOWHERE}/file", body="x", headers=OCTETS),
        Request("image", "PATCH", "/images/{image}", body=[]),
        *(
            Request("image", "PATCH", "/images/{image}", body=body, headers=PATCH)
            for body in _bodies(
                {}, [{}], [{"op": "move", "path": "/name"}], [{"op": "replace", "path": "name",
                "value": "x"}],
                [{"op": "replace", "path": "/size", "value": 1}], [{"op": "remove", "path": "/nothing"}],
                [{"op": "replace", "path": "/nothing", "value": "x"}], [{"op": "remove", "path": "/name"}],
                [{"op": "replace", "path": "/visibility", "value": "public"}], [{"op": "replace",
                "path": "/name"}],
                [{"op": "replace", "path": "/min_ram", "value": "x"}], "{not json",
            )
        ),
        Request("image", "PATCH", "/images/{other_image}", body=[{"op": "replace", "path": "/name",
        "value": "x"}], headers=PATCH),
        Request("image", "PATCH", f"/images/{NOWHERE}", body=[{"op": "replace", "path": "/name",
        "value": "x"}], headers=PATCH),
        Request("image", "POST", "/images/{image}/members", body={}),
        Request("image", "POST", "/images/{other_image}/members", body={"member": "{tenant_project}"}),
        Request("image", "POST", "/images/{other_image}/members", "other",
        body={"member": "{tenant_project}"}),
        Request("image", "PUT", "/images/{other_image}/members/{tenant_project}", body={"status": "nothing"}),
        Request("image", "PUT", "/images/{other_image}/members/{tenant_project}", body={}),
        Request("image", "PUT", "/images/{other_image}/members/{tenant_project}", "other",
        body={"status": "accepted"}),
        Request("image", "PUT", "/images/{other_image}/members/{admin_project}", body={"status": "accepted"}),
        Request("image", "POST", "/images/{image}/import", body={"method": {"name": "web-download"}}),
        Request("image", "POST", "/images/{image}/import", body={}),
    ]  # fmt: skip


ERRORS = _errors()
