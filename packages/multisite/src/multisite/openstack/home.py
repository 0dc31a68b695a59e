"""The home Keystone, for people who log in on the page.

Log-in is a password grant: Keystone v3, `POST /auth/tokens`. Someone who names no project gets the
default one, or the first in which they have a role. Runs on the loop of the API.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp

from multisite.errors import Forbidden, KeystoneAway, Unauthenticated


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token, until when it holds, and for whom and what."""

    token: str
    expires_at: datetime
    user_name: str
    project_id: str | None
    project_name: str | None


class HomeKeystone:
    """Issues and revokes tokens; `deadline` (seconds) bounds each call."""

    def __init__(self, auth_url: str, *, deadline: float) -> None:
        base = auth_url.rstrip("/")
        self._url = base if base.endswith("/v3") else f"{base}/v3"
        self._deadline = deadline
        self._session: aiohttp.ClientSession | None = None

    async def issue_token(
        self,
        *,
        user_name: str,
        password: str,
        user_domain: str,
        project: str | None,
        project_domain: str | None,
    ) -> IssuedToken:
        """A token for a user with a password.

        Raises `Unauthenticated` (user, domain or password wrong), `Forbidden` (no role in that project, or
        in any), `KeystoneAway`.
        """
        user = {"name": user_name, "password": password, "domain": {"name": user_domain}}
        identity: dict[str, Any] = {"methods": ["password"], "password": {"user": user}}
        if project:
            scope = {"project": {"name": project, "domain": {"name": project_domain or user_domain}}}
            return await self._password(identity, scope)
        issued = await self._password(identity, None)
        if issued.project_id:
            return issued
        return await self._first_project(issued)

    async def revoke_token(self, token: str) -> None:
        """End a token before its time; one that has ended already is fine. Raises `KeystoneAway`."""
        await self._call("DELETE", "/auth/tokens", {"X-Auth-Token": token, "X-Subject-Token": token})

    async def alive(self) -> bool:
        """Whether Keystone answers."""
        try:
            status, _, _ = await self._call("GET", "", {})
        except KeystoneAway:
            return False
        return status < 500  # noqa: PLR2004 - HTTP's own boundary

    async def close(self) -> None:
        """Close the connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _password(self, identity: dict[str, Any], scope: dict[str, Any] | None) -> IssuedToken:
        auth: dict[str, Any] = {"identity": identity}
        if scope:
            auth["scope"] = scope
        status, headers, body = await self._call("POST", "/auth/tokens", {}, {"auth": auth})
        if status == 401 and scope:  # noqa: PLR2004
            await self._explain(identity)
        return _issued(status, headers, body)

    async def _explain(self, identity: dict[str, Any]) -> None:
        """Keystone answers 401 for a wrong password and for a project without a role: tell them apart."""
        unscoped = {"auth": {"identity": identity, "scope": "unscoped"}}
        status, headers, _ = await self._call("POST", "/auth/tokens", {}, unscoped)
        if status == 201:  # noqa: PLR2004
            await self.revoke_token(headers["X-Subject-Token"])
            raise Forbidden("this user has no role in that project, or there is no such project")

    async def _first_project(self, issued: IssuedToken) -> IssuedToken:
        status, _, body = await self._call("GET", "/auth/projects", {"X-Auth-Token": issued.token})
        projects = body.get("projects") if status == 200 else None  # noqa: PLR2004
        if not projects:
            await self.revoke_token(issued.token)
            raise Forbidden("this user has no role in any project")
        first = min(projects, key=lambda item: str(item.get("name")))
        identity = {"methods": ["token"], "token": {"id": issued.token}}
        return await self._password(identity, {"project": {"id": first["id"]}})

    async def _call(
        self, method: str, path: str, headers: dict[str, str], body: dict[str, Any] | None = None
    ) -> tuple[int, Mapping[str, str], dict[str, Any]]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._deadline))
        try:
            async with self._session.request(method, self._url + path, headers=headers, json=body) as answer:
                parsed = await answer.json(content_type=None) if answer.content_length != 0 else {}
                status, said = answer.status, answer.headers  # whose names know no case: proxies change it
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            raise KeystoneAway("the home Keystone does not answer; try again later") from error
        if status >= 500 and method == "POST":  # noqa: PLR2004
            raise KeystoneAway(f"the home Keystone answered with an error (HTTP {status}); try again later")
        return status, said, parsed if isinstance(parsed, dict) else {}


def _issued(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> IssuedToken:
    if status != 201 or "X-Subject-Token" not in headers:  # noqa: PLR2004
        raise Unauthenticated("user, domain or password is wrong")
    token = body["token"]
    project = token.get("project") or {}
    return IssuedToken(
        token=headers["X-Subject-Token"],
        expires_at=datetime.fromisoformat(token["expires_at"]),
        user_name=token["user"]["name"],
        project_id=project.get("id"),
        project_name=project.get("name"),
    )
