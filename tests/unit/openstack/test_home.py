"""Log-in with the home Keystone: which answers mean what.

The session here stands where aiohttp's would, and gives answers from a list.
"""

from typing import Any, Self, cast

import aiohttp
import pytest
from multidict import CIMultiDict

from multisite.errors import Forbidden, KeystoneAway, Unauthenticated
from multisite.openstack.home import HomeKeystone

TOKEN = {
    "token": {
        "expires_at": "2026-11-22T13:00:00.000000Z",
        "user": {"name": "alpha"},
        "project": {"id": "p1", "name": "alpha"},
    }
}
UNSCOPED = {"token": {key: value for key, value in TOKEN["token"].items() if key != "project"}}


class Answer:
    """What aiohttp gives for one call."""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        self.status = status
        self.body = body
        self.headers = CIMultiDict(headers)
        self.content_length = 0 if body is None else 1

    async def json(self, *, content_type: None) -> Any:
        assert content_type is None
        if isinstance(self.body, Exception):
            raise self.body
        return self.body

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        return None


class Session:
    """Gives answers in turn and notes the calls; an exception is raised instead."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.answers = list(answers)
        self.calls: list[tuple[str, str, Any]] = []

    def request(self, method: str, url: str, *, headers: dict[str, str], json: Any) -> Answer:
        self.calls.append((method, url.removeprefix("http://k:5000/v3"), json or headers))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def keystone(*answers: Answer | Exception) -> tuple[HomeKeystone, Session]:
    home, session = HomeKeystone("http://k:5000/", deadline=1.0), Session(*answers)
    home._session = cast("aiohttp.ClientSession", session)
    return home, session


def issued(token: str = "t1", body: Any = None) -> Answer:  # noqa: S107
    return Answer(201, body or TOKEN, **{"X-Subject-Token": token})


async def log_in(home: HomeKeystone, project: str | None = "alpha") -> Any:
    return await home.issue_token(
        user_name="alpha", password="geheim", user_domain="Default", project=project, project_domain=None
    )


async def test_a_token_for_a_project() -> None:
    home, session = keystone(issued())
    found = await log_in(home)

    assert (found.token, found.user_name, found.project_id) == ("t1", "alpha", "p1")
    assert found.expires_at.isoformat() == "2026-11-22T13:00:00+00:00"
    ((method, path, body),) = session.calls
    assert (method, path) == ("POST", "/auth/tokens")
    assert body["auth"]["scope"] == {"project": {"name": "alpha", "domain": {"name": "Default"}}}


async def test_a_proxy_may_write_headers_in_small_letters() -> None:
    home, _ = keystone(Answer(201, TOKEN, **{"x-subject-token": "t1"}))
    assert (await log_in(home)).token == "t1"


async def test_a_wrong_password() -> None:
    home, _ = keystone(Answer(401, {}), Answer(401, {}))
    with pytest.raises(Unauthenticated, match="user, domain or password is wrong"):
        await log_in(home)


async def test_a_project_without_role_is_told_apart_and_the_token_ended() -> None:
    home, session = keystone(Answer(401, {}), issued("unscoped", UNSCOPED), Answer(204))
    with pytest.raises(Forbidden, match="no role in that project"):
        await log_in(home)
    assert session.calls[-1][0] == "DELETE"
    assert session.calls[-1][2]["X-Subject-Token"] == "unscoped"


async def test_without_a_project_the_default_one_or_the_first_by_name() -> None:
    home, session = keystone(issued())
    assert (await log_in(home, None)).project_id == "p1"
    assert "scope" not in session.calls[0][2]["auth"]

    projects = {"projects": [{"id": "p2", "name": "zeta"}, {"id": "p1", "name": "alpha"}]}
    home, session = keystone(issued("unscoped", UNSCOPED), Answer(200, projects), issued("scoped"))
    assert (await log_in(home, None)).token == "scoped"
    assert session.calls[-1][2]["auth"]["scope"] == {"project": {"id": "p1"}}
    assert session.calls[-1][2]["auth"]["identity"]["methods"] == ["token"]


async def test_without_any_project() -> None:
    home, session = keystone(issued("unscoped", UNSCOPED), Answer(200, {"projects": []}), Answer(204))
    with pytest.raises(Forbidden, match="no role in any project"):
        await log_in(home, None)
    assert session.calls[-1][0] == "DELETE"


@pytest.mark.parametrize(
    "answer",
    [
        aiohttp.ClientError("refused"),
        TimeoutError(),
        OSError("no route"),
        Answer(500, {}),
        Answer(503, None),
        Answer(201, ValueError("no JSON")),
    ],
)
async def test_a_keystone_that_is_away_is_not_a_wrong_password(answer: Answer | Exception) -> None:
    home, _ = keystone(answer)
    with pytest.raises(KeystoneAway) as caught:
        await log_in(home)
    assert "geheim" not in caught.value.detail


async def test_alive_means_that_it_answers() -> None:
    for answer, alive in (
        (Answer(300, {}), True),
        (Answer(404, None), True),
        (Answer(503, None), False),
        (aiohttp.ClientError("refused"), False),
    ):
        home, _ = keystone(answer)
        assert await home.alive() is alive


async def test_a_token_that_has_ended_already_may_be_revoked() -> None:
    home, _ = keystone(Answer(404, {}))
    await home.revoke_token("t1")
