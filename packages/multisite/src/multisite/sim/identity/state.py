"""Keystone's state: domains, projects, users, roles, tokens, the catalog, limits."""

import hashlib
import json
import random
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from multisite.sim.http import Json, Refusal, parse_stamp, stamp_micro
from multisite.sim.identity.endpoint_filter import EndpointFilter
from multisite.sim.identity.limits import UnifiedLimits
from multisite.sim.plan import password

#: Each role brings the next one along.
ROLES = ("admin", "manager", "member", "reader")
UNAUTHORIZED = "The request you have made requires authentication."
NOT_ALLOWED = "You are not authorized to perform the requested action: {}."


@dataclass(slots=True)
class Token:
    """A token: who, with which roles, for what, until when (seconds since the epoch)."""

    id: str
    user: Json
    roles: tuple[str, ...]
    issued_at: float
    expires_at: float
    methods: tuple[str, ...]
    project: Json | None = None
    domain: Json | None = None
    system: bool = False
    application_credential: Json | None = None
    audit_ids: tuple[str, ...] = ()

    @property
    def admin(self) -> bool:
        """Whether it may see and do everything."""
        return "admin" in self.roles

    @property
    def project_id(self) -> str:
        """The id of its project, empty without one."""
        return str(self.project["id"]) if self.project else ""

    @property
    def user_id(self) -> str:
        """The id of its user."""
        return str(self.user["id"])

    @property
    def view(self) -> tuple[str, bool]:
        """What two tokens have to share to get the same answers."""
        return self.project_id, self.admin


@dataclass(slots=True)
class Keystone:
    """One Keystone. `now` is its clock, `seed` what its ids are made of."""

    seed: str
    now: Callable[[], float]
    token_seconds: float
    collections: dict[str, dict[str, Json]] = field(default_factory=dict)
    #: Per (user id, target): ids of roles; a target is a project's id, `domain:ID` or `system`.
    assignments: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    limits: UnifiedLimits = field(default_factory=UnifiedLimits)
    filter: EndpointFilter = field(default_factory=EndpointFilter)
    _catalog: bytes | None = None
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._random = random.Random(f"{self.seed}/run")  # noqa: S311
        for name in (
            "domains", "projects", "users", "roles", "regions", "services", "endpoints",
            "application_credentials",
        ):  # fmt: skip
            self.collections[name] = {}
        self.add(
            "domains",
            {
                "id": "default",
                "name": "Default",
                "enabled": True,
                "description": "",
                "tags": [],
                "options": {},
            },
        )
        for role in (*ROLES, "service"):
            self.add(
                "roles",
                {
                    "id": self.fixed_id("role", role),
                    "name": role,
                    "domain_id": None,
                    "description": None,
                    "options": {"immutable": True},
                },
            )

    # -- making things -------------------------------------------------------------------------------

    def fixed_id(self, *words: str) -> str:
        """An id that follows from the seed and from what it is for."""
        return hashlib.md5("/".join((self.seed, *words)).encode(), usedforsecurity=False).hexdigest()

    def new_id(self) -> str:
        """An id for something that is made at run time."""
        return uuid.UUID(int=self._random.getrandbits(128), version=4).hex

    def add(self, collection: str, item: Json) -> Json:
        """Put an item into a collection."""
        self.collections[collection][item["id"]] = item
        if collection in {"services", "endpoints"}:
            self._catalog = None
        return item

    def drop(self, collection: str, item_id: str) -> None:
        """Take an item out of a collection."""
        self.get(collection, item_id)
        del self.collections[collection][item_id]
        if collection in {"services", "endpoints"}:
            self._catalog = None
        if collection in {"users", "projects"}:
            self.revoke_all(item_id)
            self.limits.forget(item_id)
        if collection in {"endpoints", "projects"}:
            self.filter.forget(item_id)

    def get(self, collection: str, item_id: str) -> Json:
        """An item. Raises `Refusal` (404)."""
        item = self.collections[collection].get(item_id)
        if item is None:
            raise Refusal(404, f"Could not find {collection.rstrip('s').replace('_', ' ')}: {item_id}.")
        return item

    def make_project(self, name: str) -> Json:
        """A project in the default domain, its user of the same name, and its role `member`."""
        project = self.add(
            "projects",
            {
                "id": self.fixed_id("project", name), "name": name, "domain_id": "default", "enabled": True,
                "description": "", "is_domain": False, "parent_id": "default", "tags": [], "options": {},
            },
        )  # fmt: skip
        user = self.make_user(name)
        self.assign(user["id"], project["id"], "admin" if name == "admin" else "member")
        return project

    def make_user(self, name: str) -> Json:
        """A user in the default domain, with the password that its name gives."""
        user = self.add(
            "users",
            {
                "id": self.fixed_id("user", name), "name": name, "domain_id": "default", "enabled": True,
                "password_expires_at": None, "options": {},
            },
        )  # fmt: skip
        self.passwords[user["id"]] = password(name)
        return user

    def role_id(self, name: str) -> str:
        """The id of a role."""
        return next(str(item["id"]) for item in self.collections["roles"].values() if item["name"] == name)

    def assign(self, user_id: str, target: str, role: str) -> None:
        """Give a user a role, by name, on a target."""
        self.assignments.setdefault((user_id, target), set()).add(self.role_id(role))

    def roles_of(self, user_id: str, target: str) -> tuple[str, ...]:
        """The names of a user's roles on a target, those that others bring along included."""
        held = self.assignments.get((user_id, target), set())
        names = {
            self.collections["roles"][role]["name"] for role in held if role in self.collections["roles"]
        }
        for index, role in enumerate(ROLES):
            if role in names:
                names.update(ROLES[index:])
        return tuple(sorted(names))

    # -- tokens --------------------------------------------------------------------------------------

    def find(self, collection: str, wanted: Json) -> Json | None:
        """A domain, project or user that is named by id, or by name (and domain)."""
        items = self.collections[collection]
        if wanted.get("id"):
            return items.get(str(wanted["id"]))
        domain = (
            self.find("domains", wanted.get("domain") or {"id": "default"})
            if collection != "domains"
            else None
        )
        for item in items.values():
            if item["name"] == wanted.get("name") and (domain is None or item["domain_id"] == domain["id"]):
                return item
        return None

    def user_by_password(self, wanted: Json) -> Json:
        """The user with this password. Raises `Refusal` (401)."""
        user = self.find("users", wanted)
        if not user or not user["enabled"] or self.passwords.get(user["id"]) != wanted.get("password"):
            raise Refusal(401, UNAUTHORIZED)
        return user

    def user_by_application_credential(self, wanted: Json) -> tuple[Json, Json]:
        """The user and the application credential. Raises `Refusal`: a wrong secret (401), unknown (404)."""
        for credential in self.collections["application_credentials"].values():
            user = self.collections["users"].get(credential["user_id"])
            named = wanted.get("name") == credential["name"]
            named = named and user == self.find("users", wanted.get("user") or {})
            if user and (wanted.get("id") == credential["id"] or named):
                right = self.secrets.get(credential["id"]) == wanted.get("secret")
                if not right or self._end_of(credential) <= self.now():
                    raise Refusal(401, UNAUTHORIZED)
                return user, credential
        raise Refusal(
            404, f"Could not find Application Credential: {wanted.get('id') or wanted.get('name')}."
        )

    def _end_of(self, credential: Json) -> float:
        """When an application credential ends (seconds since the epoch)."""
        text = credential["expires_at"]
        return parse_stamp(str(text)) if text else float("inf")

    def issue(self, user: Json, methods: Iterable[str], scope: Json, credential: Json | None = None) -> Token:
        """A token of `user` for `scope`. Raises `Refusal` (401) where the user has no role there."""
        now = self.now()
        token = Token(
            id="gAAAA" + hashlib.sha256(f"{self.seed}{self.new_id()}".encode()).hexdigest() * 2,
            user=user, roles=(), issued_at=now, expires_at=now + self.token_seconds, methods=tuple(methods),
            application_credential=credential, audit_ids=(self.new_id()[:22],),
        )  # fmt: skip
        if credential:
            scope = {"project": {"id": credential["project_id"]}}
            token.expires_at = min(token.expires_at, self._end_of(credential))
        if "project" in scope:
            token.project = self.find("projects", scope["project"])
            target = token.project["id"] if token.project and token.project["enabled"] else ""
        elif "domain" in scope:
            token.domain = self.find("domains", scope["domain"])
            target = f"domain:{token.domain['id']}" if token.domain else ""
        elif "system" in scope:
            token.system, target = True, "system"
        else:
            self.tokens[token.id] = token
            return token
        token.roles = self.roles_of(user["id"], target)
        if credential:
            token.roles = tuple(role["name"] for role in credential["roles"])
        if not token.roles:
            raise Refusal(401, UNAUTHORIZED)
        self.tokens[token.id] = token
        return token

    def valid(self, token_id: str | None) -> Token | None:
        """The token with this id, if it is known and has not ended."""
        token = self.tokens.get(token_id or "")
        if token is None:
            return None
        if token.expires_at <= self.now():
            del self.tokens[token.id]
            return None
        return token

    def revoke(self, token_id: str) -> None:
        """End a token. Raises `Refusal` (404)."""
        if self.tokens.pop(token_id, None) is None:
            raise Refusal(404, f"Could not find token: {token_id}.")

    def revoke_all(self, owner_id: str) -> None:
        """End all tokens of a user or project."""
        for token in list(self.tokens.values()):
            if owner_id in {token.user_id, token.project_id}:
                del self.tokens[token.id]

    # -- what a token says ----------------------------------------------------------------------------

    def describe(self, token: Token, *, catalog: bool) -> bytes:
        """The body of an answer about a token; the catalog, which can be large, is kept ready."""
        body: dict[str, Any] = {
            "methods": list(token.methods),
            "user": self._named(token.user) | {"password_expires_at": None},
            "audit_ids": list(token.audit_ids),
            "expires_at": stamp_micro(token.expires_at) + "Z",
            "issued_at": stamp_micro(token.issued_at) + "Z",
        }
        if token.project:
            body["project"] = self._named(token.project)
            body["is_domain"] = False
        if token.domain:
            body["domain"] = {"id": token.domain["id"], "name": token.domain["name"]}
        if token.system:
            body["system"] = {"all": True}
        if token.application_credential:
            held = token.application_credential
            body["application_credential"] = {
                "id": held["id"], "name": held["name"], "restricted": not held["unrestricted"],
            }  # fmt: skip
        if token.roles:
            body["roles"] = [{"id": self.role_id(role), "name": role} for role in token.roles]
        text = json.dumps(body, separators=(",", ":")).encode()
        if catalog and token.roles:
            text = text[:-1] + b',"catalog":' + self._catalog_for(token) + b"}"
        return b'{"token":' + text + b"}"

    def catalog(self) -> bytes:
        """The catalog as JSON: a list of services with the endpoints of all regions."""
        if self._catalog is None:
            self._catalog = _written(self._services(self.collections["endpoints"]))
        return self._catalog

    def _catalog_for(self, token: Token) -> bytes:
        """The catalog of a token: only what its project is confined to, where it is."""
        allowed = self.filter.allowed(token.project_id, self.collections["endpoints"])
        if not allowed:
            return self.catalog()
        return _written([each for each in self._services(allowed) if each["endpoints"]])

    def _services(self, endpoints: Mapping[str, Json]) -> list[Json]:
        """The services with those of these endpoints that are enabled."""
        by_service: dict[str, list[Json]] = {}
        for endpoint in endpoints.values():
            if endpoint["enabled"]:
                shown = {key: endpoint[key] for key in ("id", "interface", "region_id", "url", "region")}
                by_service.setdefault(endpoint["service_id"], []).append(shown)
        return [
            {
                "endpoints": by_service.get(item["id"], []),
                "id": item["id"],
                "type": item["type"],
                "name": item["name"],
            }
            for item in self.collections["services"].values()
            if item["enabled"]
        ]

    def _named(self, item: Json) -> Json:
        domain = self.collections["domains"][item["domain_id"]]
        return {
            "id": item["id"],
            "name": item["name"],
            "domain": {"id": domain["id"], "name": domain["name"]},
        }


def _written(services: list[Json]) -> bytes:
    return json.dumps(services, separators=(",", ":")).encode()
