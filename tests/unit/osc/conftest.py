"""The real `openstack` program in this process, over a transport that needs no socket.

Everything is as a user has it: OpenStackClient's shell with its global options, the entry points of the
installed package, clouds.yaml, keystoneauth and openstacksdk. Only requests' adapter is replaced: it hands
each request to a small cloud with a Keystone that gives tokens with a catalog, and a multisite that
answers what the test recorded. The recorded documents are those of docs/reference/api.md itself.
"""

from __future__ import annotations

import copy
import json
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

ROOT = Path(__file__).parents[3]
KEYSTONE = "http://keystone.example:5000/v3"
MULTISITE = "http://multisite.example:8118"
CLOUDS = f"""
clouds:
  RegionOne-admin: &entry
    auth:
      auth_url: {KEYSTONE}
      username: admin
      password: secret
      project_name: alpha
      user_domain_name: Default
      project_domain_name: Default
    region_name: RegionOne
    interface: public
  RegionTwo-admin:
    <<: *entry
    region_name: RegionTwo
  mycloud:
    <<: *entry
  internal:
    <<: *entry
    region_name: RegionTwo
    interface: internal
  overridden:
    <<: *entry
    multisite_endpoint_override: http://from-clouds-yaml.example:8118
"""
ALPHA = "a1" * 16

Json = dict[str, Any]


def contract_examples() -> dict[str, Json]:
    """The JSON documents of the API reference by their heading: REGION, HEALTH, CAPACITY, PROJECT."""
    text = (ROOT / "docs/reference/api.md").read_text()
    found = re.findall(r"^([A-Z]+):\n\n```json\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return {name: json.loads(block) for name, block in found}


@dataclass
class Call:
    """A request that reached multisite."""

    method: str
    host: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Json | None


@dataclass
class Answer:
    """What multisite answers; an exception is what the network does instead."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: Exception | None = None


@dataclass
class Outcome:
    """What a user sees of a command."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Cloud:
    """A Keystone and a multisite."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.keystone_calls: list[str] = []
        self.tokens_issued = 0
        self.project_domain = "Default"
        self.catalog: list[Json] = [
            {"type": "multisite", "name": "multisite", "endpoints": [endpoint("RegionOne", MULTISITE)]},
            {"type": "identity", "name": "keystone", "endpoints": [endpoint("RegionOne", KEYSTONE)]},
            {"type": "identity", "name": "keystone", "endpoints": [endpoint("RegionTwo", KEYSTONE)]},
        ]
        self._answers: dict[tuple[str, str], list[Answer]] = {}
        self._examples = contract_examples()

    def example(self, name: str, /, **changes: Any) -> Json:
        """A document of the contract, with some of its fields changed."""
        return copy.deepcopy(self._examples[name]) | changes

    def answer(self, method: str, path: str, *answers: Any) -> None:
        """Record what a path answers, call by call; the last answer stays."""
        self._answers[method, path] = [
            one if isinstance(one, Answer) else Answer(copy.deepcopy(one)) for one in answers
        ]

    def refuse(self, method: str, path: str, status: int, code: str, detail: str) -> None:
        """Record an error in the contract's form."""
        error = {"status": status, "code": code, "title": "t", "detail": detail, "request_id": "req-7"}
        headers = {"X-OpenStack-Request-Id": "req-7"}
        self.answer(method, path, Answer({"errors": [error]}, status, headers))

    def accept(self, method: str, path: str) -> None:
        """Record an answer without a body."""
        self._answers[method, path] = [Answer(None, 204)]

    def page_of_a_stranger(self, method: str, path: str, status: int) -> None:
        """Record what a web server or proxy answers that is not multisite."""
        self._answers[method, path] = [Answer("<html>nginx</html>", status)]

    def fail(self, method: str, path: str, fault: Exception) -> None:
        """Record what the network does instead of answering."""
        self._answers[method, path] = [Answer(fault=fault)]

    def send(self, request: requests.PreparedRequest) -> requests.Response:
        """What the network does with a request."""
        url = urlsplit(request.url or "")
        body = json.loads(cast("bytes", request.body)) if request.body else None
        if url.netloc == urlsplit(KEYSTONE).netloc:
            return response(request, self._keystone(request.method or "", url.path, url.query, body))
        headers = {name: str(value) for name, value in request.headers.items()}
        call = Call(request.method or "", url.netloc, url.path, parse_qsl(url.query), headers, body)
        self.calls.append(call)
        recorded = self._answers.get((call.method, call.path), [Answer({"detail": "not recorded"}, 404)])
        answer = recorded.pop(0) if len(recorded) > 1 else recorded[0]
        if answer.fault:
            raise answer.fault
        return response(request, answer)

    def _keystone(self, method: str, path: str, query: str, body: Json | None) -> Answer:
        self.keystone_calls.append(f"{method} {path}" + (f"?{query}" if query else ""))
        if method == "POST":
            self.tokens_issued += 1
            return Answer(
                self._token(scoped="scope" in (body or {})["auth"]),
                201,
                {"X-Subject-Token": f"token-{self.tokens_issued}"},
            )
        if path.startswith("/v3/"):
            missing = Answer({"error": {"code": 404, "message": "no such thing", "title": "Not Found"}}, 404)
            return self._answers.get((method, path), [missing])[0]
        version = {"id": "v3.14", "status": "stable", "links": [{"rel": "self", "href": KEYSTONE}]}
        return Answer({"version": version})

    def _token(self, *, scoped: bool) -> Json:
        token: Json = {
            "methods": ["password"],
            "user": {"id": "u1", "name": "admin", "domain": {"id": "default", "name": "Default"}},
            "issued_at": "2026-11-22T00:00:00.000000Z",
            "expires_at": "2126-11-22T00:00:00.000000Z",
            "audit_ids": ["x"],
        }
        if scoped:
            domain = {"id": self.project_domain.lower(), "name": self.project_domain}
            token |= {
                "project": {"id": ALPHA, "name": "alpha", "domain": domain},
                "roles": [{"id": "r1", "name": "admin"}],
                "catalog": self.catalog,
            }
        return {"token": token}


def endpoint(region: str, url: str, interface: str = "public") -> Json:
    """An endpoint as a catalog has it."""
    return {"id": url, "interface": interface, "region": region, "region_id": region, "url": url}


def response(request: requests.PreparedRequest, answer: Answer) -> requests.Response:
    """An answer as requests gives it."""
    made = requests.Response()
    made.status_code = answer.status
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    made._content = b"" if answer.body is None else text.encode()
    kind = "text/html" if isinstance(answer.body, str) else "application/json"
    made.headers.update({"Content-Type": kind, **answer.headers})
    made.request, made.url, made.encoding = request, request.url or "", "utf-8"
    return made


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, socket_disabled: None) -> Cloud:  # noqa: ARG001
    """The cloud behind requests' adapter, and a clouds.yaml that leads to it."""
    made = Cloud()
    for name in os.environ:
        if name.startswith("OS_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(
        requests.adapters.HTTPAdapter, "send", lambda _adapter, request, **_options: made.send(request)
    )
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(CLOUDS)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["openstack"])
    monkeypatch.setattr("cliff.app.App.NAME", "openstack")  # cliff reads argv once, at its first import
    return made


@pytest.fixture(autouse=True)
def _openstack_libraries_may_warn() -> Iterator[None]:
    """OpenStackClient's own deprecations are not errors of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def openstack(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:  # noqa: ARG001
    """Run `openstack multisite …` (or any other words) and return what a user sees."""
    from openstackclient import shell
    from osc_lib import clientmanager

    root = logging.getLogger()
    before = root.level, root.handlers[:]

    def forget_clients() -> None:
        """OpenStackClient keeps its clients for the life of the process, which here are many commands."""
        for kept in vars(clientmanager.ClientManager).values():
            if isinstance(kept, clientmanager.ClientCache):
                kept._handle = None

    def run(*words: str, cloud_entry: str = "RegionOne-admin", multisite: bool = True) -> Outcome:
        entry = ["--os-cloud", cloud_entry] if cloud_entry else []
        forget_clients()
        try:
            status = shell.OpenStackShell().run([*entry, *(["multisite"] if multisite else []), *words])
        except SystemExit as ended:
            status = int(ended.code or 0)
        finally:
            for handler in root.handlers[:]:
                if handler not in before[1]:
                    root.removeHandler(handler)
        return Outcome(status, *capsys.readouterr())

    yield run
    root.setLevel(before[0])
