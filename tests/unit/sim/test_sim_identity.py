"""Simulated Keystone: log-in, validation, revocation, the catalog, projects."""

import pytest

from tests.unit.sim.conftest import SimulatedCloud


def test_a_log_in_gives_a_token_with_roles_and_catalog(cloud: SimulatedCloud) -> None:
    token = cloud.log_in("project-001").json["token"]
    assert token["project"]["name"] == "project-001"
    assert {role["name"] for role in token["roles"]} == {"member", "reader"}
    types = {service["type"] for service in token["catalog"]}
    assert types == {"identity", "compute", "placement", "block-storage", "network", "image"}
    compute = next(service for service in token["catalog"] if service["type"] == "compute")
    assert {endpoint["region"] for endpoint in compute["endpoints"]} == {"one", "two"}


@pytest.mark.parametrize(
    ("user", "secret", "project"),
    [
        ("admin", "wrong", "admin"),
        ("nobody", "nobody-sim", "admin"),
        ("project-001", "project-001-sim", "admin"),
    ],
)
def test_a_wrong_log_in_is_401(cloud: SimulatedCloud, user: str, secret: str, project: str) -> None:
    identity = {"user": {"name": user, "domain": {"name": "Default"}, "password": secret}}
    scope = {"project": {"name": project, "domain": {"name": "Default"}}}
    body = {"auth": {"identity": {"methods": ["password"], "password": identity}, "scope": scope}}
    reply = cloud.call("POST", "/identity/v3/auth/tokens", body)
    assert reply.status == 401
    assert reply.json["error"]["title"] == "Unauthorized"


def test_a_revoked_token_is_refused_everywhere(cloud: SimulatedCloud) -> None:
    token = cloud.token("project-001")
    assert cloud.call("GET", "/one/compute/v2.1/servers", token=token).status == 200
    reply = cloud.call("DELETE", "/identity/v3/auth/tokens", token=token, x_subject_token=token)
    assert reply.status == 204
    refused = cloud.call("GET", "/one/compute/v2.1/servers", token=token)
    assert refused.status == 401
    assert refused.headers["www-authenticate"].startswith("Keystone uri=")


def test_a_token_ends(cloud: SimulatedCloud) -> None:
    token = cloud.token("project-001")
    cloud.now += 3601
    assert cloud.call("GET", "/one/compute/v2.1/servers", token=token).status == 401


def test_a_service_validates_a_users_token_and_a_stranger_does_not(cloud: SimulatedCloud) -> None:
    users = cloud.token("project-001")
    path = "/identity/v3/auth/tokens?nocatalog"
    seen = cloud.call("GET", path, token=cloud.token("service"), x_subject_token=users)
    assert seen.status == 200
    assert "catalog" not in seen.json["token"]
    stranger = cloud.call("GET", path, token=cloud.token("project-002"), x_subject_token=users)
    assert stranger.status == 403
    unknown = cloud.call("GET", path, token=cloud.token("service"), x_subject_token="never")
    assert unknown.status == 404


def test_an_application_credential_logs_in_and_ends_with_its_deletion(cloud: SimulatedCloud) -> None:
    user_id = cloud.log_in("project-001").json["token"]["user"]["id"]
    path = f"/identity/v3/users/{user_id}/application_credentials"
    wanted = {"application_credential": {"name": "ci", "roles": [{"name": "reader"}]}}
    made = cloud.send("POST", path, wanted, user="project-001", status=201)["application_credential"]
    identity = {
        "methods": ["application_credential"],
        "application_credential": {"id": made["id"], "secret": made["secret"]},
    }
    body = {"auth": {"identity": identity}}
    token = cloud.call("POST", "/identity/v3/auth/tokens", body)
    assert token.status == 201
    assert [role["name"] for role in token.json["token"]["roles"]] == ["reader"]
    cloud.send("DELETE", f"{path}/{made['id']}", user="project-001", status=204)
    assert cloud.call("POST", "/identity/v3/auth/tokens", body).status == 404


def test_projects_are_for_administrators_and_one_for_its_own(cloud: SimulatedCloud) -> None:
    listed = cloud.ask("/identity/v3/projects")["projects"]
    assert {"admin", "service", "project-001"} <= {project["name"] for project in listed}
    cloud.ask("/identity/v3/projects", user="project-001", status=403)
    own = cloud.project_id("project-001")
    assert cloud.ask(f"/identity/v3/projects/{own}", user="project-001")["project"]["id"] == own
    other = cloud.project_id("project-002")
    cloud.ask(f"/identity/v3/projects/{other}", user="project-001", status=403)


def test_two_projects_of_one_name_are_a_conflict(cloud: SimulatedCloud) -> None:
    cloud.send("POST", "/identity/v3/projects", {"project": {"name": "new"}}, status=201)
    cloud.send("POST", "/identity/v3/projects", {"project": {"name": "new"}}, status=409)


def test_a_new_endpoint_shows_in_the_next_catalog(cloud: SimulatedCloud) -> None:
    service = {"service": {"type": "multisite", "name": "multisite"}}
    made = cloud.send("POST", "/identity/v3/services", service, status=201)["service"]
    endpoint = {"service_id": made["id"], "interface": "public", "url": "http://here", "region_id": "one"}
    cloud.send("POST", "/identity/v3/endpoints", {"endpoint": endpoint}, status=201)
    types = {item["type"] for item in cloud.log_in().json["token"]["catalog"]}
    assert "multisite" in types


def test_a_keystone_of_its_own_knows_only_its_own_tokens() -> None:
    cloud = SimulatedCloud(regions=2, servers=2, own_keystone=True, names=("one", "two"))
    token = cloud.token(region="one")
    assert cloud.call("GET", "/one/compute/v2.1/servers", token=token).status == 200
    assert cloud.call("GET", "/two/compute/v2.1/servers", token=token).status == 401
    one = cloud.world.keystone("one").find("projects", {"name": "project-001"})
    two = cloud.world.keystone("two").find("projects", {"name": "project-001"})
    assert one is not None
    assert two is not None
    assert one["id"] != two["id"]


def test_a_limit_of_zero_is_answered_and_not_taken(cloud: SimulatedCloud) -> None:
    """Keystone 30 does so: whoever wants 0 has to delete and create."""
    service_id = cloud.ask("/identity/v3/services?type=compute")["services"][0]["id"]
    wanted = {"service_id": service_id, "resource_name": "servers", "resource_limit": 5, "region_id": "one"}
    registered = wanted | {"default_limit": 10}
    del registered["resource_limit"]
    cloud.send("POST", "/identity/v3/registered_limits", {"registered_limits": [registered]}, status=201)
    wanted["project_id"] = cloud.project_id("project-001")
    [made] = cloud.send("POST", "/identity/v3/limits", {"limits": [wanted]}, status=201)["limits"]
    path = f"/identity/v3/limits/{made['id']}"
    cloud.send("PATCH", path, {"limit": {"resource_limit": 0}}, status=200)
    assert cloud.ask(path)["limit"]["resource_limit"] == 5
