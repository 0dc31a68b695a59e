"""The two worlds that are asked the same: a region of the lab, and one of the simulator.

Both are spoken to over a socket by the same client, which sends what multisite sends. A world knows the
ids of the things that the scene put into it by name: requests write `{server}`, and so do
answers once `normal` has gone over them.
"""

import json
import re
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from tests.lab.parity.asking import Answer, Request

#: Where each service's API begins, below what the catalog says.
BELOW = {"network": "/v2.0", "image": "/v2"}
TYPES = {"volumev3": "volume", "block-storage": "volume"}
SECONDS = 60.0


class World:
    """A region with its Keystone."""

    def __init__(self, name: str, auth_url: str, password: str, region: str) -> None:
        self.name = name
        self.region = region
        self.urls = {"identity": auth_url.rstrip("/")}
        self.tokens: dict[str, str] = {"forged": "gAAAAABforged"}
        self.things: dict[str, str] = {}
        self.login("admin", "admin", password, "admin")

    def login(self, who: str, user: str, password: str, project: str) -> None:
        """Get a token and call its holder `who`; the ids of its user and project get names, too."""
        domain = {"id": "default"}
        auth = {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"name": user, "domain": domain, "password": password}},
            },
            "scope": {"project": {"name": project, "domain": domain}},
        }
        answer = self.ask(Request("identity", "POST", "/auth/tokens", by="nobody", body={"auth": auth}))
        assert answer.status == 201, answer
        token = answer.body["token"]
        self.tokens[who] = answer.headers["x-subject-token"]
        self.things |= {f"{who}_user": token["user"]["id"], f"{who}_project": token["project"]["id"]}
        self.things[f"{who}_token"] = self.tokens[who]
        for service in token["catalog"]:
            kind = TYPES.get(service["type"], service["type"])
            for endpoint in service["endpoints"]:
                if endpoint["region"] == self.region and endpoint["interface"] == "public":
                    self.urls[kind] = endpoint["url"].rstrip("/") + BELOW.get(kind, "")

    def ask(self, request: Request) -> Answer:
        """Send a request. Every status is an answer."""
        url = self.urls[request.to]
        if request.root:
            parts = urlsplit(url)
            below = re.sub(r"/v[\d.]+$", "", parts.path)
            url = f"{parts.scheme}://{parts.netloc}{below}"
        headers = {"Accept": "application/json"}
        if request.by != "nobody":
            headers["X-Auth-Token"] = self.tokens[request.by]
        if request.version:
            word = {"volume": "volume"}.get(request.to, request.to)
            headers["OpenStack-API-Version"] = f"{word} {request.version}"
        data = None
        if request.body is not None:
            text = request.body if isinstance(request.body, str) else json.dumps(self.filled(request.body))
            data = text.encode()
            headers["Content-Type"] = "application/json"
        headers |= {name: self.filled(value) for name, value in request.headers.items()}
        call = urllib.request.Request(url + self.filled(request.path), data, headers, method=request.method)
        try:
            with _opener.open(call, timeout=SECONDS) as answer:
                return _answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())

    def filled(self, value: Any) -> Any:
        """A path, header or body with the ids of this world in it."""
        if isinstance(value, str):
            return re.sub(r"\{(\w+)\}", lambda found: self.things.get(found[1], found[0]), value)
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        return value

    def normal(self, answer: Answer) -> Answer:
        """The same answer without what belongs to this world: addresses of services, ids that have names."""
        headers = {name: self._named(value) for name, value in answer.headers.items()}
        return replace(answer, headers=headers, body=self._normal(answer.body))

    def _normal(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._named(value)
        if isinstance(value, dict):
            return {self._named(key): self._normal(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._normal(item) for item in value]
        return value

    def _named(self, text: str) -> str:
        for kind, url in self.urls.items():
            root = re.sub(r"/v[\d.]+$", "", url)
            text = text.replace(url, f"<{kind}>").replace(root, f"<{kind} root>")
        if len(text) >= 32:  # shorter ones are no ids
            for name, identity in self.things.items():
                if identity:
                    text = text.replace(identity, f"{{{name}}}")
        return text


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A 300 is an answer here."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


def _answer(status: int, headers: Any, raw: bytes) -> Answer:
    text = raw.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except ValueError:
        body = text
    found: dict[str, str] = {}
    for name, value in headers.items():
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return Answer(status, found, body)
