"""Quotas as the three services have them: who may write them, what is refused, and that they hold."""

import json
from typing import Any

import pytest

from tests.unit.sim.conftest import Reply, SimulatedCloud
from tests.unit.sim.test_sim_compute import wish

NOVA, CINDER, NEUTRON = "/one/compute/v2.1", "/one/volume/v3", "/one/network/v2.0"
NEW: dict[str, Any] = {"OpenStack_API_Version": "compute 2.100"}
TENANT = "project-001"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIG5vYm9keS1ob2xkcy10aGUtcHJpdmF0ZS1rZXktbGFi x@y"


@pytest.fixture
def project(cloud: SimulatedCloud) -> str:
    return cloud.project_id(TENANT)


def ask(
    cloud: SimulatedCloud, method: str, path: str, body: Any = None, user: str = "admin", **headers: str
) -> Reply:
    return cloud.call(method, path, body, token=cloud.token(user), **headers)


def message(reply: Reply) -> str:
    [error] = reply.json.values()
    return str(error["message"])


# -- Nova ------------------------------------------------------------------------------------------------


def nova(cloud: SimulatedCloud, project: str, /, *users: str, **limits: Any) -> Reply:
    query = f"?user_id={users[0]}" if users else ""
    return ask(cloud, "PUT", f"{NOVA}/os-quota-sets/{project}{query}", {"quota_set": limits}, **NEW)


def limits_of(cloud: SimulatedCloud, project: str, query: str = "") -> dict[str, Any]:
    return dict(cloud.ask(f"{NOVA}/os-quota-sets/{project}{query}", **NEW)["quota_set"])


def used_by(cloud: SimulatedCloud, project: str, name: str) -> int:
    return int(cloud.ask(f"{NOVA}/os-quota-sets/{project}/detail", **NEW)["quota_set"][name]["in_use"])


def test_a_limit_below_what_is_used_takes_force(cloud: SimulatedCloud, project: str) -> None:
    used = used_by(cloud, project, "cores")
    assert used > 1
    reply = nova(cloud, project, cores=1)
    says = "Quota limit 1 for cores must be greater than or equal to already used and reserved"
    assert (reply.status, message(reply)) == (400, f"{says} {used}.")
    assert nova(cloud, project, cores=1, force=True).status == 200
    assert limits_of(cloud, project)["cores"] == 1


@pytest.mark.parametrize(
    "limits",
    [{"cores": -2}, {"cores": 2**31}, {"cores": "x"}, {"cores": None}, {"cores": True}, {"cores": 1.5},
     {"nothing": 1}, {"injected_files": 3}, {"force": "perhaps", "cores": 50}],
)  # fmt: skip
def test_what_is_no_limit_is_refused_and_nothing_of_it_taken(
    cloud: SimulatedCloud, project: str, limits: dict[str, Any]
) -> None:
    before = limits_of(cloud, project)
    assert nova(cloud, project, ram=10**6, **limits).status == 400
    assert limits_of(cloud, project) == before


def test_a_limit_may_be_text_nothing_at_all_or_none(cloud: SimulatedCloud, project: str) -> None:
    assert nova(cloud, project, cores="77", ram=2**31 - 1, instances=-1).status == 200
    found = limits_of(cloud, project)
    assert (found["cores"], found["ram"], found["instances"]) == (77, 2**31 - 1, -1)


def test_who_may_read_and_write_quotas_of_nova(cloud: SimulatedCloud, project: str) -> None:
    other, path = cloud.project_id("project-002"), f"{NOVA}/os-quota-sets"
    for word, status in (("", 403), ("/detail", 403), ("/defaults", 200)):
        assert ask(cloud, "GET", f"{path}/{other}{word}", user=TENANT).status == status
        assert ask(cloud, "GET", f"{path}/{project}{word}", user=TENANT).status == 200
    assert ask(cloud, "PUT", f"{path}/{project}", {"quota_set": {"cores": 99}}, TENANT).status == 403
    assert ask(cloud, "DELETE", f"{path}/{project}", user=TENANT).status == 403
    assert ask(cloud, "GET", f"{path}/{'0' * 32}").status == 400
    assert ask(cloud, "PUT", f"{path}/{'0' * 32}", {"quota_set": {"cores": 99}}).status == 400
    assert ask(cloud, "DELETE", f"{path}/{'0' * 32}").status == 202


def test_a_body_that_does_not_fit_is_refused_before_its_sender(cloud: SimulatedCloud, project: str) -> None:
    path = f"{NOVA}/os-quota-sets/{project}"
    assert ask(cloud, "PUT", path, {"quota_set": {"nothing": 99}}, TENANT).status == 400
    assert ask(cloud, "GET", f"{path}?nothing=1", OpenStack_API_Version="compute 2.75").status == 400
    assert ask(cloud, "GET", f"{path}?nothing=1", OpenStack_API_Version="compute 2.74").status == 200


def test_old_microversions_know_files_and_networks(cloud: SimulatedCloud, project: str) -> None:
    path = f"{NOVA}/os-quota-sets/{project}"
    cloud.send("PUT", path, {"quota_set": {"floating_ips": 2, "injected_files": 3}}, status=200)
    found = cloud.ask(path)["quota_set"]
    assert (found["floating_ips"], found["injected_files"], found["fixed_ips"]) == (2, 3, -1)
    at_236 = cloud.ask(path, OpenStack_API_Version="compute 2.36")["quota_set"]
    assert ("floating_ips" in at_236, at_236["injected_files"]) == (False, 3)
    assert "injected_files" not in limits_of(cloud, project)


def test_a_user_has_less_than_his_project_and_loses_it_with_it(cloud: SimulatedCloud, project: str) -> None:
    nova(cloud, project, cores=300)
    assert nova(cloud, project, "somebody", cores=120).status == 200
    assert message(nova(cloud, project, "another", cores=181)).endswith("less than or equal to 180.")
    assert message(nova(cloud, project, cores=119)).endswith("already used and reserved 120.")
    assert limits_of(cloud, project, "?user_id=somebody")["cores"] == 120
    assert limits_of(cloud, project, "?user_id=another")["cores"] == 300
    cloud.send("DELETE", f"{NOVA}/os-quota-sets/{project}", status=202)
    assert limits_of(cloud, project, "?user_id=somebody")["cores"] == 20


def test_only_a_users_limits_are_deleted_when_he_is_named(cloud: SimulatedCloud, project: str) -> None:
    nova(cloud, project, cores=300)
    nova(cloud, project, "somebody", cores=120)
    cloud.send("DELETE", f"{NOVA}/os-quota-sets/{project}?user_id=somebody", status=202)
    assert limits_of(cloud, project, "?user_id=somebody")["cores"] == 300
    assert limits_of(cloud, project)["cores"] == 300


def test_a_users_limit_holds(cloud: SimulatedCloud, project: str) -> None:
    user = cloud.world.keystone("one").find("users", {"name": TENANT})
    assert user
    nova(cloud, project, user["id"], instances=used_by(cloud, project, "instances"))
    cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=403)


def test_the_class_default_is_everybodys_default(cloud: SimulatedCloud) -> None:
    path, admin = f"{NOVA}/os-quota-class-sets", cloud.project_id("admin")
    cloud.send("PUT", f"{path}/default", {"quota_class_set": {"cores": 21}}, status=200)
    cloud.send("PUT", f"{path}/other", {"quota_class_set": {"cores": 3}}, status=200)
    assert limits_of(cloud, admin)["cores"] == limits_of(cloud, admin, "/defaults")["cores"] == 21
    cloud.send("PUT", f"{path}/default", {"quota_class_set": {"ram": 51201}}, status=200)
    other = cloud.ask(f"{path}/other", **NEW)["quota_class_set"]
    assert (other["cores"], other["ram"]) == (3, 51200)  # the configuration's, not the default class's
    assert "server_groups" not in cloud.ask(f"{path}/default")["quota_class_set"]
    cloud.ask(f"{path}/default", user=TENANT, status=403)


@pytest.mark.parametrize("name", ["instances", "cores", "ram"])
def test_servers_past_a_limit_are_refused_and_zero_is_a_limit(
    cloud: SimulatedCloud, project: str, name: str
) -> None:
    used = used_by(cloud, project, name)
    for limit in (0, used):
        nova(cloud, project, force=True, **{name: limit})
        reply = ask(cloud, "POST", f"{NOVA}/servers", wish(cloud), TENANT)
        assert reply.status == 403
        assert f"but already used {used} of {limit} {name}" in message(reply)
    nova(cloud, project, **{name: -1})
    cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=202)


def test_as_many_servers_are_made_as_the_quota_allows_and_no_fewer_than_the_least(
    cloud: SimulatedCloud, project: str
) -> None:
    used = used_by(cloud, project, "instances")
    nova(cloud, project, instances=used + 2)
    reply = ask(cloud, "POST", f"{NOVA}/servers", wish(cloud, min_count=3, max_count=4), TENANT)
    assert message(reply) == (
        f"Quota exceeded for instances: Requested 3-4, but already used {used} of {used + 2} instances"
    )
    assert used_by(cloud, project, "instances") == used
    cloud.send("POST", f"{NOVA}/servers", wish(cloud, min_count=1, max_count=4), user=TENANT, status=202)
    assert used_by(cloud, project, "instances") == used + 2


def test_a_server_without_a_port_left_for_it_is_refused_by_nova(cloud: SimulatedCloud, project: str) -> None:
    used = cloud.ask(f"{NEUTRON}/quotas/{project}/details")["quota"]["port"]["used"]
    neutron(cloud, project, port=0, force=True)
    reply = ask(cloud, "POST", f"{NOVA}/servers", wish(cloud), TENANT)
    assert (reply.status, message(reply)) == (
        403, f"The number of defined ports: {used} is over the limit: 0",
    )  # fmt: skip


def test_a_resize_past_a_limit_is_refused(cloud: SimulatedCloud, project: str) -> None:
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=202)["server"]
    larger = wish(cloud, "m1.large")["server"]["flavorRef"]
    nova(cloud, project, cores=used_by(cloud, project, "cores") + 2)
    path = f"{NOVA}/servers/{made['id']}/action"
    reply = ask(cloud, "POST", path, {"resize": {"flavorRef": larger}}, TENANT)
    assert (reply.status, "cores: Requested 3" in message(reply)) == (403, True)


def test_keypairs_metadata_groups_and_their_members_are_limited(cloud: SimulatedCloud, project: str) -> None:
    nova(cloud, project, key_pairs=0, metadata_items=1, server_groups=1, server_group_members=0)
    pair = {"keypair": {"name": "more", "public_key": KEY}}
    assert ask(cloud, "POST", f"{NOVA}/os-keypairs", pair, TENANT).status == 403
    body = wish(cloud, metadata={"a": "1", "b": "2"})
    assert message(ask(cloud, "POST", f"{NOVA}/servers", body, TENANT)).endswith("metadata items exceeds 1")
    group = {"server_group": {"name": "pair", "policies": ["affinity"]}}
    made = cloud.send("POST", f"{NOVA}/os-server-groups", group, user=TENANT, status=200)["server_group"]
    assert ask(cloud, "POST", f"{NOVA}/os-server-groups", group, TENANT).status == 403
    assert used_by(cloud, project, "server_groups") == 1
    hinted = wish(cloud) | {"os:scheduler_hints": {"group": made["id"]}}
    reply = ask(cloud, "POST", f"{NOVA}/servers", hinted, TENANT)
    assert message(reply).endswith("too many servers in group")
    nova(cloud, project, server_group_members=1)
    server = cloud.send("POST", f"{NOVA}/servers", hinted, user=TENANT, status=202)["server"]
    assert ask(cloud, "POST", f"{NOVA}/servers", hinted, TENANT).status == 403
    cloud.send("DELETE", f"{NOVA}/servers/{server['id']}", user=TENANT, status=204)
    path = f"{NOVA}/os-server-groups/{made['id']}"
    assert cloud.ask(path, user=TENANT)["server_group"]["members"] == []
    cloud.send("DELETE", path, user=TENANT, status=204)
    assert used_by(cloud, project, "server_groups") == 0


# -- Cinder ----------------------------------------------------------------------------------------------


def cinder(cloud: SimulatedCloud, project: str, **limits: Any) -> Reply:
    return ask(cloud, "PUT", f"{CINDER}/os-quota-sets/{project}", {"quota_set": limits})


def volume(cloud: SimulatedCloud, size: int = 1) -> Reply:
    return ask(cloud, "POST", f"{CINDER}/volumes", {"volume": {"size": size}}, TENANT)


def test_cinder_refuses_less_than_is_used_from_the_second_time_on(
    cloud: SimulatedCloud, project: str
) -> None:
    """As the real one: it compares with use only where the project has a limit of its own already."""
    assert volume(cloud).status == 202
    assert cinder(cloud, project, backups=0).status == 200
    cloud.send("DELETE", f"{CINDER}/os-quota-sets/{project}", status=200)
    assert cinder(cloud, project, volumes=0).status == 200
    assert cinder(cloud, project, volumes=0).status == 400
    assert cinder(cloud, project, volumes=-1).status == 200


@pytest.mark.parametrize(
    "limits",
    [{"volumes": -2}, {"volumes": 2**31}, {"volumes": "7"}, {"volumes": None}, {"volumes": True},
     {"force": 1},
     {"skip_validation": True}, {"gigabytes_nothing": 1}, {}],
)  # fmt: skip
def test_what_is_no_limit_of_cinder_is_refused(
    cloud: SimulatedCloud, project: str, limits: dict[str, Any]
) -> None:
    assert cinder(cloud, project, **limits).status == 400


def test_cinder_takes_limits_for_whom_nobody_knows(cloud: SimulatedCloud, project: str) -> None:
    assert cinder(cloud, "0" * 32, volumes=3, tenant_id="x").json["quota_set"]["volumes"] == 3
    assert cinder(cloud, project, gigabytes_ssd=5).json["quota_set"]["gigabytes_ssd"] == 5
    path = f"{CINDER}/os-quota-sets/{project}"
    assert ask(cloud, "PUT", path, {"quota_set": {"volumes": 99}}, TENANT).status == 403
    assert ask(cloud, "DELETE", path, user=TENANT).status == 403
    assert ask(cloud, "GET", f"{path}?usage=perhaps").status == 400


def test_the_class_default_is_cinders_default(cloud: SimulatedCloud) -> None:
    path, admin = f"{CINDER}/os-quota-class-sets/default", cloud.project_id("admin")
    cloud.send("PUT", path, {"quota_class_set": {"volumes": "12"}}, status=200)
    for limits in ({"volumes": "-1"}, {"volumes": True}, {"nothing": 1}, {"volumes": -2}):
        cloud.send("PUT", path, {"quota_class_set": limits}, status=400)
    assert cloud.ask(f"{CINDER}/os-quota-sets/{admin}")["quota_set"]["volumes"] == 12
    assert cloud.ask(path)["quota_class_set"]["id"] == "default"
    cloud.ask(path, user=TENANT, status=403)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        (
            "volumes",
            "VolumeLimitExceeded: Maximum number of volumes allowed (0) exceeded",
        ),
        ("volumes_ssd", "(0) exceeded for quota 'volumes_ssd'."),
        ("gigabytes", "exceeds allowed gigabytes quota. Requested 1G, quota is 0G"),
        ("gigabytes_ssd", "exceeds allowed gigabytes_ssd quota. Requested 1G, quota is 0G"),
        ("per_volume_gigabytes", "1G is larger than maximum allowed limit 0G."),
    ],
)
def test_volumes_past_a_limit_are_refused(cloud: SimulatedCloud, project: str, limit: str, says: str) -> None:
    cloud.send("DELETE", f"{CINDER}/os-quota-sets/{project}", status=200)
    assert cinder(cloud, project, **{limit: 0}).status == 200
    reply = volume(cloud)
    assert (reply.status, says in message(reply)) == (413, True), message(reply)
    cinder(cloud, project, **{limit: -1})
    assert volume(cloud).status == 202


@pytest.mark.parametrize(
    ("limits", "path", "body"),
    [
        ({"snapshots": 0}, "/snapshots", {"snapshot": {"volume_id": "{volume}"}}),
        ({"gigabytes": 0}, "/snapshots", {"snapshot": {"volume_id": "{volume}"}}),
        ({"backups": 0}, "/backups", {"backup": {"volume_id": "{volume}"}}),
        ({"backup_gigabytes": 0}, "/backups", {"backup": {"volume_id": "{volume}"}}),
        ({"gigabytes": 0}, "/volumes/{volume}/action", {"os-extend": {"new_size": 2}}),
        ({"per_volume_gigabytes": 1}, "/volumes/{volume}/action", {"os-extend": {"new_size": 2}}),
    ],
)
def test_snapshots_backups_and_growth_past_a_limit_are_refused(
    cloud: SimulatedCloud, project: str, limits: dict[str, int], path: str, body: dict[str, Any]
) -> None:
    made = volume(cloud).json["volume"]["id"]
    text = json.dumps(body).replace("{volume}", made)
    url = CINDER + path.replace("{volume}", made)
    cloud.send("DELETE", f"{CINDER}/os-quota-sets/{project}", status=200)
    assert cinder(cloud, project, **limits).status == 200
    assert ask(cloud, "POST", url, json.loads(text), TENANT).status == 413
    cloud.send("DELETE", f"{CINDER}/os-quota-sets/{project}", status=200)
    assert ask(cloud, "POST", url, json.loads(text), TENANT).status == 202


# -- Neutron ---------------------------------------------------------------------------------------------


def neutron(cloud: SimulatedCloud, project: str, **limits: Any) -> Reply:
    return ask(cloud, "PUT", f"{NEUTRON}/quotas/{project}", {"quota": limits})


def test_neutron_refuses_less_than_is_used_unless_forced(cloud: SimulatedCloud, project: str) -> None:
    used = cloud.ask(f"{NEUTRON}/quotas/{project}/details")["quota"]["port"]["used"]
    assert used > 1
    for more in ({}, {"check_limit": False}, {"force": "true"}, {"force": 1}):
        reply = neutron(cloud, project, port=1, **more)
        assert (reply.status, message(reply)) == (
            400, f"Quota limit 1 for port must be greater than or equal to already used {used}",
        )  # fmt: skip
    assert neutron(cloud, project, port=1, force=True).status == 200
    assert neutron(cloud, project, port=-1, check_limit=True).status == 200


@pytest.mark.parametrize(
    ("limits", "status"),
    [({"network": -2}, 400), ({"network": 2**31}, 400), ({"network": "x"}, 400), ({"network": None}, 400),
     ({"nothing": 1}, 400), ({"trunk": 1}, 400), ({"project_id": "x"}, 400), ({"network": "60"}, 200),
     ({}, 200), ({"router_route": 5, "rbac_policy": 0, "subnetpool": 3}, 200)],
)  # fmt: skip
def test_what_neutron_takes_for_a_limit(
    cloud: SimulatedCloud, project: str, limits: dict[str, Any], status: int
) -> None:
    assert neutron(cloud, project, **limits).status == status


def test_who_may_read_and_write_quotas_of_neutron(cloud: SimulatedCloud, project: str) -> None:
    other = cloud.project_id("project-002")
    for word in ("", "/default", "/details", "/details.json"):
        assert ask(cloud, "GET", f"{NEUTRON}/quotas/{project}{word}", user=TENANT).status == 200
        assert ask(cloud, "GET", f"{NEUTRON}/quotas/{other}{word}", user=TENANT).status == 403
    assert ask(cloud, "GET", f"{NEUTRON}/quotas", user=TENANT).status == 403
    assert ask(cloud, "PUT", f"{NEUTRON}/quotas/{project}", {"quota": {}}, TENANT).status == 403
    assert ask(cloud, "PUT", f"{NEUTRON}/quotas/{project}", {}).status == 500
    assert neutron(cloud, "0" * 32, network=3).status == 200
    assert [row["project_id"] for row in cloud.ask(f"{NEUTRON}/quotas")["quotas"]] == ["0" * 32]
    assert ask(cloud, "DELETE", f"{NEUTRON}/quotas/{'0' * 32}").status == 204
    assert ask(cloud, "DELETE", f"{NEUTRON}/quotas/{'0' * 32}").status == 404


def test_everything_of_neutron_is_limited(cloud: SimulatedCloud, project: str) -> None:
    networks = cloud.ask(f"{NEUTRON}/networks?project_id={project}")["networks"]
    groups = cloud.ask(f"{NEUTRON}/security-groups?project_id={project}")["security_groups"]
    external = cloud.ask(f"{NEUTRON}/networks?router:external=True")["networks"][0]["id"]
    network_id, group_id = networks[0]["id"], groups[0]["id"]
    wanted: dict[str, tuple[str, dict[str, Any]]] = {
        "network": ("networks", {}),
        "subnet": ("subnets", {"network_id": network_id, "ip_version": 4, "cidr": "192.168.7.0/24"}),
        "subnetpool": ("subnetpools", {"name": "pool", "prefixes": ["10.99.0.0/16"]}),
        "port": ("ports", {"network_id": network_id}),
        "router": ("routers", {}),
        "floatingip": ("floatingips", {"floating_network_id": external}),
        "security_group": ("security-groups", {"name": "more"}),
        "security_group_rule": (
            "security-group-rules",
            {"security_group_id": group_id, "direction": "ingress", "protocol": "udp"},
        ),
        "rbac_policy": (
            "rbac-policies",
            {"object_type": "network", "object_id": network_id, "action": "access_as_shared",
             "target_tenant": cloud.project_id("project-002")},
        ),
    }  # fmt: skip
    neutron(cloud, project, force=True, **dict.fromkeys(wanted, 0))
    for kind, (path, body) in wanted.items():
        reply = ask(cloud, "POST", f"{NEUTRON}/{path}", {kind: body}, TENANT)
        assert (reply.status, message(reply)) == (409, f"Quota exceeded for resources: ['{kind}'].")
    neutron(cloud, project, **dict.fromkeys(wanted, -1))
    for kind, (path, body) in wanted.items():
        assert ask(cloud, "POST", f"{NEUTRON}/{path}", {kind: body}, TENANT).status == 201, kind


def test_a_security_group_needs_room_for_its_two_rules(cloud: SimulatedCloud, project: str) -> None:
    used = cloud.ask(f"{NEUTRON}/quotas/{project}/details")["quota"]["security_group_rule"]["used"]
    body = {"security_group": {"name": "more"}}
    neutron(cloud, project, security_group_rule=used + 1)
    assert ask(cloud, "POST", f"{NEUTRON}/security-groups", body, TENANT).status == 409
    neutron(cloud, project, security_group_rule=used + 2)
    assert ask(cloud, "POST", f"{NEUTRON}/security-groups", body, TENANT).status == 201


def test_what_neutron_counts_is_what_there_is_after_everything_came_and_went(
    cloud: SimulatedCloud, project: str
) -> None:
    before = cloud.ask(f"{NEUTRON}/quotas/{project}/details")["quota"]
    made = cloud.send("POST", f"{NOVA}/servers", wish(cloud), user=TENANT, status=202)["server"]
    after = cloud.ask(f"{NEUTRON}/quotas/{project}/details")["quota"]
    assert after["port"]["used"] == before["port"]["used"] + 1
    cloud.send("DELETE", f"{NOVA}/servers/{made['id']}", user=TENANT, status=204)
    assert cloud.ask(f"{NEUTRON}/quotas/{project}/details")["quota"] == before
    state = cloud.world.region("one").network
    for kind, item in before.items():
        if kind != "router_route":
            owned = [each for each in state.collection(kind).values() if each.project_id == project]
            assert item["used"] == len(owned)
