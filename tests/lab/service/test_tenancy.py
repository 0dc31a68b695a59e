"""What must be seen, 3: a tenant sees nothing of another project by any route; tokens are what they are."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from multisite.clock import SystemClock
from multisite.inventory.kinds import BY_PLURAL
from tests.lab.service.conftest import Api, Cloud, eventually, new_service

pytestmark = pytest.mark.lab

#: Everything that may be read without a token; the page's own are its log-in and its assets.
PUBLIC = {"/", "/v1", "/healthcheck"}


def operations(cloud: Cloud) -> list[tuple[str, str]]:
    document = requests.get(f"{cloud.service.url}/openapi.json", timeout=10).json()
    return [(method.upper(), path) for path, item in document["paths"].items() for method in item]


def filled(path: str, project_id: str) -> str:
    return (
        path.replace("{name}", "RegionOne")
        .replace("{region}", "RegionOne")
        .replace("{project_id}", project_id)
        .replace("{kind}", "servers")
    )


def test_without_a_token_only_the_public_routes_answer(cloud: Cloud) -> None:
    walked = set()
    for method, path in operations(cloud):
        answer = requests.request(method, cloud.service.url + filled(path, "x"), json={}, timeout=30)
        assert answer.status_code == (200 if path in PUBLIC else 401), f"{method} {path}: {answer.text}"
        walked.add(path)
    assert walked > PUBLIC


def test_a_foreign_token_learns_nothing_by_any_route(fresh: Cloud, admin: Api) -> None:
    alpha_project = str(fresh.connection("RegionOne-alpha").current_project_id)
    fresh.api("RegionOne-alpha").get(f"/v1/usage/{alpha_project}")
    beta = fresh.api("RegionOne-beta")
    secrets = [alpha_project, "alpha", "127.0.0.1", f"{fresh.regions[0]}-admin", "admin-lab"]
    allowed = {"/", "/v1", "/healthcheck", "/v1/regions", "/v1/regions/{name}", "/v1/regions/{name}/health"}
    allowed |= {"/v1/health", "/v1/usage", "/v1/inventory/keypairs", "/v1/inventory/offers/{region}"}
    allowed |= {"/v1/inventory/{kind}", "/v1/operations"}
    allowed |= {"/v1/quotas", "/v1/quota-events", "/v1/quota-requests"}
    for method, path in operations(fresh):
        body = (
            {"generation": 1}
            if method == "PATCH"
            else {"credential": "x", "name": "x"}
            if method == "POST"
            else None
        )
        answer = beta.request(method, filled(path, alpha_project), json=body)
        if path not in allowed or method != "GET":
            assert answer.status_code in {400, 403, 404}, (
                f"{method} {path}: {answer.status_code} {answer.text}"
            )
        if path in PUBLIC:
            continue
        text = answer.text.replace(beta.token, "")
        leaked = [
            secret for secret in secrets if secret in text and secret not in filled(path, alpha_project)
        ]
        assert not leaked, f"{method} {path} tells {leaked}: {text[:500]}"
    assert admin.get("/v1/regions")["regions"]


@pytest.mark.parametrize("kind", list(BY_PLURAL))
def test_a_foreign_token_learns_nothing_of_any_kind_of_items(fresh: Cloud, admin: Api, kind: str) -> None:
    alpha, beta = fresh.api("RegionOne-alpha"), fresh.api("RegionOne-beta")
    project = str(fresh.connection("RegionOne-alpha").current_project_id)
    mine = alpha.get(f"/v1/inventory/{kind}", fresh="true")["items"]
    assert {item["project_id"] for item in mine} <= {project}
    for question in ({"fresh": "true"}, {"project_id": project}, {"region": "RegionOne", "sort": "project"}):
        theirs = beta.get(f"/v1/inventory/{kind}", **question)["items"]
        assert project not in {item["project_id"] for item in theirs}
    csv = beta.request("GET", f"/v1/inventory/{kind}?format=csv").text
    for item in mine[:3]:
        assert item["id"] not in csv
        path = f"/v1/inventory/{kind}/{item['region']}/{item['id']}"
        shown = admin.get(f"/v1/inventory/{kind}/{item['region']}/{item['id']}")
        assert shown["id"] == item["id"]
        foreign, nobody = beta.request("GET", path), beta.request("GET", f"{path}0")
        assert foreign.status_code == nobody.status_code == 404
        assert foreign.text.count(item["id"]) == nobody.text.count(item["id"])
        for text in (item["id"], item["id"][:8], item["name"], *item["addresses"]):
            if text:
                found = beta.get("/v1/inventory/search", q=text)["found"]
                assert project not in {each["item"]["project_id"] for each in found}


def test_another_projects_use_is_404_and_one_that_is_not_there_looks_the_same(cloud: Cloud) -> None:
    alpha_project = str(cloud.connection("RegionOne-alpha").current_project_id)
    beta = cloud.api("RegionOne-beta")
    foreign = beta.request("GET", f"/v1/usage/{alpha_project}")
    nobody = beta.request("GET", "/v1/usage/" + "0" * 32)
    assert foreign.status_code == nobody.status_code == 404
    assert foreign.json()["errors"][0]["code"] == nobody.json()["errors"][0]["code"] == "not-found"


def test_a_reader_cannot_write_and_a_system_reader_sees_what_operators_see(cloud: Cloud) -> None:
    identity = cloud.connection("RegionOne-admin").identity
    name = f"reader-{time.time_ns()}"
    user = identity.create_user(name=name, password="reader-lab", domain_id="default")
    try:
        role = identity.find_role("reader")
        identity.assign_project_role_to_user(identity.find_project("alpha"), user, role)
        identity.assign_system_role_to_user(user, role, "all")
        project = Api(cloud.service.url, password_token(cloud, name, {"project": named("alpha")}))
        system = Api(cloud.service.url, password_token(cloud, name, {"system": {"all": True}}))
        identity.assign_domain_role_to_user("default", user, role)
        domain_scope = password_token(cloud, name, {"domain": {"id": "default"}})
        assert project.get("/v1/regions")["regions"][0]["credential"] is None
        assert project.request("GET", "/v1/capacity").status_code == 403
        assert system.get("/v1/capacity")["regions"]
        for reader in (project, system):
            for method, path, body in (
                ("POST", "/v1/regions", {"name": "x", "credential": "y"}),
                ("POST", "/v1/regions/discover", {"credential": "y"}),
                ("PATCH", "/v1/regions/RegionOne", {"generation": 1, "enabled": False}),
                ("POST", "/v1/regions/RegionOne/test", None),
                ("DELETE", "/v1/regions/RegionOne", None),
            ):
                assert reader.request(method, path, json=body).status_code == 403, (method, path)
        answer = Api(cloud.service.url, domain_scope).request("GET", "/v1/regions")
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "project-scope-required")
    finally:
        identity.delete_user(user)


def test_a_wrong_token_is_401_at_once(cloud: Cloud) -> None:
    for token in ("nonsense", "gAAAAA" + "x" * 180, "\xff" * 8):
        started = time.monotonic()
        answer = requests.get(
            cloud.service.url + "/v1/regions", headers={"X-Auth-Token": token.encode("latin-1")}, timeout=30
        )
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, "unauthenticated")
        assert "WWW-Authenticate" in answer.headers
        assert time.monotonic() - started < 5


def test_a_token_ends_with_its_application_credential(cloud: Cloud) -> None:
    """An application credential that expires in seconds gives a token that does."""
    connection = cloud.connection("RegionOne-alpha")
    expires = datetime.now(UTC) + timedelta(seconds=8)
    credential = connection.identity.create_application_credential(
        connection.current_user_id,
        name=f"short-{time.time_ns()}",
        secret="short-lab",
        expires_at=expires.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    body = {
        "auth": {
            "identity": {
                "methods": ["application_credential"],
                "application_credential": {"id": credential.id, "secret": "short-lab"},
            }
        }
    }
    token = issue(cloud, body)
    api = Api(cloud.service.url, token)
    assert api.request("GET", "/v1/regions").status_code == 200
    eventually(
        lambda: api.request("GET", "/v1/regions").status_code, lambda status: status == 401, seconds=20
    )
    assert SystemClock().now() >= expires - timedelta(seconds=1), "401 came before the token's end"


def test_a_revoked_token_lives_for_token_cache_time_at_most(cloud: Cloud) -> None:
    connection = cloud.connection("RegionOne-alpha")
    token = str(connection.authorize())
    api = Api(cloud.service.url, token)
    assert api.request("GET", "/v1/regions").status_code == 200
    revoke(cloud, token)
    eventually(
        lambda: api.request("GET", "/v1/regions").status_code, lambda status: status == 401, seconds=5 + 5
    )


def test_a_revoked_token_is_refused_at_once_without_a_cache(cloud: Cloud, tmp_path: Path) -> None:
    settings = cloud.service.settings | {"keystone_authtoken": {"token_cache_time": -1}}
    service = new_service(cloud.service.cloud, tmp_path, settings)
    service.start()
    try:
        token = str(cloud.connection("RegionOne-alpha").authorize())
        api = Api(service.url, token)
        assert api.request("GET", "/v1/regions").status_code == 200
        revoke(cloud, token)
        assert api.request("GET", "/v1/regions").status_code == 401
    finally:
        service.stop()
        cloud.service.run(
            "service", "register", "--credential", "RegionOne-admin", "--url", cloud.service.url
        )


def named(project: str) -> dict[str, Any]:
    return {"name": project, "domain": {"id": "default"}}


def password_token(cloud: Cloud, user: str, scope: dict[str, Any]) -> str:
    identity = {
        "methods": ["password"],
        "password": {"user": {"name": user, "password": "reader-lab", "domain": {"id": "default"}}},
    }
    return issue(cloud, {"auth": {"identity": identity, "scope": scope}})


def issue(cloud: Cloud, body: dict[str, Any]) -> str:
    url = cloud.service.cloud.auth_url
    answer = requests.post(f"{url}/auth/tokens", data=json.dumps(body), timeout=30)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["X-Subject-Token"])


def revoke(cloud: Cloud, token: str) -> None:
    url = cloud.service.cloud.auth_url
    headers = {"X-Auth-Token": token, "X-Subject-Token": token}
    assert requests.delete(f"{url}/auth/tokens", headers=headers, timeout=30).status_code == 204
