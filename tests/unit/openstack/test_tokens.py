"""One token per credential, however many ask, and whatever Keystone does.

The plugin here stands where keystoneauth's would: it gives access objects, or raises what keystoneauth
raises.
"""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from keystoneauth1 import exceptions

from multisite.clock import FixedClock
from multisite.openstack.clouds import Credential
from multisite.openstack.failures import RegionCallError
from multisite.openstack.tokens import FAILURE_PAUSE, RENEW_BEFORE, RENEW_PAUSE, Access, Tokens


@dataclass
class Given:
    """What keystoneauth calls an access."""

    auth_token: str
    expires: datetime
    issued: datetime | None = None
    project_id: str = "p"
    user_id: str = "u"
    role_names: tuple[str, ...] = ("Admin", "reader")

    def has_service_catalog(self) -> bool:
        return False


@dataclass
class Plugin:
    """Gives a new token each time, or fails as long as `failure` is set."""

    clock: FixedClock
    lifetime: timedelta = timedelta(hours=1)
    failure: Exception | None = None
    calls: int = 0
    gate: threading.Event | None = None
    started: threading.Event = field(default_factory=threading.Event)

    def invalidate(self) -> None:
        pass

    def get_access(self, session: Any) -> Given:
        assert session.timeout == 2.0
        self.calls += 1
        self.started.set()
        if self.gate:
            assert self.gate.wait(10)
        if self.failure:
            raise self.failure
        return Given(f"token-{self.calls}", self.clock.now() + self.lifetime, self.clock.now())


@pytest.fixture
def plugin(clock: FixedClock) -> Plugin:
    return Plugin(clock)


@pytest.fixture
def credential(plugin: Plugin) -> Credential:
    return Credential("lab", "key", "http://keystone", plugin, True, None, None, "public")


@pytest.fixture
def tokens(clock: FixedClock) -> Iterator[Tokens]:
    made = Tokens(clock, deadline=2.0)
    yield made
    made.close()


async def failed(work: Any) -> str:
    with pytest.raises(RegionCallError) as caught:
        await work
    return caught.value.code


async def test_a_token_is_kept_until_shortly_before_its_end(
    tokens: Tokens, credential: Credential, plugin: Plugin, clock: FixedClock
) -> None:
    first = await tokens.access(credential)
    assert (first.token, first.roles, first.project_id) == ("token-1", frozenset({"admin", "reader"}), "p")

    clock.advance(plugin.lifetime - RENEW_BEFORE - timedelta(seconds=1))
    assert await tokens.access(credential) is first
    clock.advance(timedelta(seconds=1))
    assert (await tokens.access(credential)).token == "token-2"


async def test_callers_at_the_same_time_share_one_authentication(
    tokens: Tokens, credential: Credential, plugin: Plugin
) -> None:
    found = await asyncio.gather(*(tokens.access(credential) for _ in range(50)))
    assert plugin.calls == 1
    assert {access.token for access in found} == {"token-1"}


async def test_two_entries_for_one_user_share_one_token(
    tokens: Tokens, credential: Credential, plugin: Plugin
) -> None:
    other = replace(credential, name="RegionTwo-admin")
    for entry in (credential, other, credential, other):
        assert (await tokens.access(entry)).token == "token-1"
    assert plugin.calls == 1


async def test_an_entry_that_was_read_anew_authenticates_anew(
    tokens: Tokens, credential: Credential, plugin: Plugin
) -> None:
    await tokens.access(credential)
    assert (await tokens.access(replace(credential))).token == "token-2"
    assert plugin.calls == 2


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (exceptions.ConnectFailure("refused"), "keystone-unreachable"),
        (exceptions.DiscoveryFailure("no versions"), "keystone-unreachable"),
        (exceptions.InternalServerError("broken"), "keystone-unreachable"),
        (exceptions.ServiceUnavailable("later"), "keystone-unreachable"),
        (exceptions.Unauthorized("no"), "authentication-failed"),
        (exceptions.NotFound("what"), "authentication-failed"),
        (exceptions.MissingRequiredOptions([]), "authentication-failed"),
    ],
)
async def test_what_keystone_does_becomes_a_code(
    tokens: Tokens, credential: Credential, plugin: Plugin, failure: Exception, code: str
) -> None:
    plugin.failure = failure
    assert await failed(tokens.access(credential)) == code


async def test_a_keystone_that_failed_is_left_alone_for_a_moment(
    tokens: Tokens, credential: Credential, plugin: Plugin, clock: FixedClock
) -> None:
    plugin.failure = exceptions.ConnectFailure("refused")
    codes = await asyncio.gather(*(failed(tokens.access(credential)) for _ in range(20)))
    assert set(codes) == {"keystone-unreachable"}
    assert plugin.calls == 1

    plugin.failure = None
    clock.advance(timedelta(seconds=FAILURE_PAUSE - 0.1))
    assert await failed(tokens.access(credential)) == "keystone-unreachable"
    clock.advance(timedelta(seconds=0.1))
    assert (await tokens.access(credential)).token == "token-2"


async def test_while_keystone_is_away_the_token_in_hand_is_used_until_it_ends(
    tokens: Tokens, credential: Credential, plugin: Plugin, clock: FixedClock
) -> None:
    held = await tokens.access(credential)
    plugin.failure = exceptions.ConnectFailure("refused")

    clock.advance(plugin.lifetime - timedelta(seconds=1))
    assert await tokens.access(credential) is held
    clock.advance(timedelta(seconds=1))
    assert await failed(tokens.access(credential)) == "keystone-unreachable"


async def test_a_refused_token_is_replaced_once_for_all_who_waited(
    tokens: Tokens, credential: Credential, plugin: Plugin
) -> None:
    held = await tokens.access(credential)
    renewed = await asyncio.gather(*(tokens.renewed(credential, held.token) for _ in range(20)))

    assert {access.token for access in renewed} == {"token-2"}
    assert plugin.calls == 2


async def test_a_service_that_refuses_every_token_does_not_make_us_authenticate_at_every_call(
    tokens: Tokens, credential: Credential, plugin: Plugin, clock: FixedClock
) -> None:
    access = await tokens.access(credential)
    for _ in range(10):
        access = await tokens.renewed(credential, access.token)
    assert plugin.calls == 2

    clock.advance(timedelta(seconds=RENEW_PAUSE))
    await tokens.renewed(credential, access.token)
    assert plugin.calls == 3


async def test_a_refused_token_cannot_be_replaced_while_keystone_is_away(
    tokens: Tokens, credential: Credential, plugin: Plugin
) -> None:
    held = await tokens.access(credential)
    plugin.failure = exceptions.ConnectFailure("refused")
    assert await failed(tokens.renewed(credential, held.token)) == "keystone-unreachable"


async def test_a_caller_that_gives_up_leaves_the_others_unharmed(
    tokens: Tokens, credential: Credential, plugin: Plugin
) -> None:
    plugin.gate = threading.Event()
    impatient = asyncio.create_task(tokens.access(credential))
    await asyncio.to_thread(plugin.started.wait, 10)
    patient = asyncio.create_task(tokens.access(credential))
    impatient.cancel()
    plugin.gate.set()

    assert (await patient).token in {"token-1", "token-2"}
    assert impatient.cancelled() or impatient.done()


async def test_a_keystone_that_hangs_is_given_up_at_the_deadline(
    clock: FixedClock, credential: Credential, plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at_once(_seconds: float) -> asyncio.Timeout:
        return asyncio.timeout_at(asyncio.get_running_loop().time())

    tokens = Tokens(clock, deadline=2.0)
    plugin.gate = threading.Event()
    monkeypatch.setattr("multisite.openstack.tokens.asyncio.timeout", at_once)

    with pytest.raises(RegionCallError, match="did not answer within 2 s") as caught:
        await tokens.access(credential)
    plugin.gate.set()
    tokens.close()

    assert caught.value.code == "keystone-unreachable"
    assert "http://keystone" in caught.value.detail


async def test_the_clock_of_keystone_is_compared_with_ours(
    tokens: Tokens, credential: Credential, clock: FixedClock
) -> None:
    class Ahead(Plugin):
        def get_access(self, session: Any) -> Given:
            given = super().get_access(session)
            return replace(given, issued=given.issued + timedelta(seconds=90) if given.issued else None)

    access: Access = await tokens.access(replace(credential, plugin=Ahead(clock)))
    assert access.clock_skew == 90.0
