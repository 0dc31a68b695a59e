"""Events reach webhooks: signed, in order, once while nothing breaks, else at least once."""

import asyncio
import logging
import re
import ssl
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from multisite.clock import FixedClock
from multisite.db.engine import Database
from multisite.db.lease import Lease
from multisite.db.quota_tables import quota_deliveries, quota_events
from multisite.quotas import eventlog
from multisite.quotas.delivery import deliverer as module
from multisite.quotas.delivery.deliverer import ATTEMPTS, Deliverer, pause_after
from multisite.quotas.delivery.outbox import Outbox
from multisite.quotas.events import Event
from multisite.quotas.history.store import QuotaHistoryStore
from multisite.quotas.keeping import Keeper
from multisite.settings import HistorySettings
from multisite.webhooks import Endpoint, Webhooks
from tests.integration.quotas.receiver import Receiver, answer, hang, receiving, take

SECRET, OLD = "s" * 32, "o" * 32
TTL = 20.0


@pytest_asyncio.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


def deliverer(
    database: Database, clock: FixedClock, *receivers: Receiver, name: str = "one", deadline: float = 5.0
) -> Deliverer:
    lease = Lease(database, clock, name="webhooks", holder=name, seconds=TTL)
    webhooks = Webhooks([SECRET, OLD], deadline=deadline)
    return Deliverer(Outbox(database), webhooks, [Endpoint(each.url) for each in receivers], lease, clock)


async def tell(database: Database, clock: FixedClock, project: str, *sentences: str) -> None:
    events = [Event("warning", each, "compute/cores", "oslo", {"used": 8}) for each in sentences]
    async with database.write() as connection:
        await eventlog.tell(connection, project, events, clock.now())


async def work(each: Deliverer, times: int = 1) -> None:
    for _ in range(times):
        await each.look()
        await each.idle()


async def rows(database: Database, table: sa.Table) -> int:
    async with database.read() as connection:
        return int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)


def verified(receiver: Receiver, secret: str, now: float) -> bool:
    """What docs/howto/quota-events.md gives receivers to check the last message with."""
    page = (Path(__file__).parents[3] / "docs" / "howto" / "quota-events.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    names["time"] = SimpleNamespace(time=lambda: now)
    message = receiver.messages[-1]
    return bool(names["genuine"](secret, message.headers, message.body))


async def test_an_event_arrives_as_the_api_tells_it_with_a_signature_that_holds(
    database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    await tell(database, clock, "p", "8 of 10 used")
    one = deliverer(database, clock, receiver)

    await work(one, 3)
    await one.stop()

    (message,) = receiver.messages
    assert message.event == {
        "id": 1,
        "at": clock.now().isoformat().replace("+00:00", "Z"),
        "kind": "warning",
        "project_id": "p",
        "resource": "compute/cores",
        "region": "oslo",
        "figures": {"used": 8},
        "sentence": "8 of 10 used",
    }
    assert message.headers["Content-Type"] == "application/json"
    assert (message.headers["Multisite-Event"], message.headers["Multisite-Event-Id"]) == ("warning", "1")
    now = clock.now().timestamp()
    assert verified(receiver, SECRET, now)
    assert verified(receiver, OLD, now)
    assert not verified(receiver, "x" * 32, now)
    assert not verified(receiver, SECRET, now + 301)
    message.body += b" "
    assert not verified(receiver, SECRET, now)
    assert one.status.events == {"warning": 1}
    assert (one.status.delivered, one.status.failures) == (1, 0)
    assert await rows(database, quota_deliveries) == 0
    assert await rows(database, quota_events) == 1


async def test_every_endpoint_gets_every_event_and_a_dead_one_keeps_no_other_from_it(
    database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    async with receiving() as other:
        other.behave = hang
        one = deliverer(database, clock, other, receiver, deadline=0.3)
        await tell(database, clock, "p", "first", "second")

        await one.look()
        await receiver.got(1)
        first = next(task for (key, _), task in one._running.items() if key == Endpoint(receiver.url).key)
        await first
        await one.look()
        await receiver.got(2)

        assert one._running  # the other still hangs
        assert receiver.ids == [1, 2]
        async with asyncio.timeout(10):
            await one.idle()
        assert other.ids == [1]
        await one.stop()


async def test_looking_never_waits_for_an_endpoint_that_hangs(
    database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    receiver.behave = hang
    one = deliverer(database, clock, receiver, deadline=60.0)
    await tell(database, clock, "p", "first")

    async with asyncio.timeout(5):
        await work_without_waiting(one)

    assert len(one._running) == 1
    one._cancel()
    await one.stop()


async def work_without_waiting(each: Deliverer) -> None:
    for _ in range(3):
        await each.look()


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 503])
async def test_what_is_not_taken_is_sent_again_after_pauses_that_grow(
    database: Database, clock: FixedClock, receiver: Receiver, status: int
) -> None:
    receiver.behave = answer(status, Location=receiver.url)
    one = deliverer(database, clock, receiver)
    await tell(database, clock, "p", "first")

    await work(one, 3)
    assert len(receiver.messages) == 1  # not followed, not repeated at once
    clock.advance(timedelta(seconds=5.6))
    await work(one, 3)
    assert len(receiver.messages) == 2
    clock.advance(timedelta(seconds=5.6))
    await work(one)
    assert len(receiver.messages) == 2
    clock.advance(timedelta(seconds=5.6))
    receiver.behave = take
    await work(one, 2)

    assert receiver.ids == [1, 1, 1]
    assert await rows(database, quota_deliveries) == 0
    assert (one.status.delivered, one.status.failures) == (1, 2)
    await one.stop()


def test_pauses_double_up_to_an_hour_and_attempts_last_for_over_six_hours() -> None:
    pauses = [pause_after(attempt) for attempt in range(1, ATTEMPTS)]

    assert pauses[:3] == [5, 10, 20]
    assert max(pauses) == 3600
    assert pauses == sorted(pauses)
    assert 6 * 3600 < sum(pauses) < 7 * 3600


async def test_an_event_that_nobody_takes_is_given_up_and_told(
    database: Database, clock: FixedClock, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    receiver.behave = answer(500)
    one = deliverer(database, clock, receiver)
    await tell(database, clock, "p", "first", "second")

    for _ in range(ATTEMPTS):
        await work(one)
        clock.advance(timedelta(seconds=2 * module.LONGEST_PAUSE))
    assert receiver.ids == [1] * ATTEMPTS
    receiver.behave = take
    await work(one)

    assert receiver.ids[-1] == 2
    assert one.status.given_up == 1
    assert "event 1 (warning) of project p is given up" in caplog.text
    for hidden in ("token-in-the-path", SECRET, OLD):
        assert hidden not in caplog.text
    await one.stop()


async def test_events_of_a_project_come_in_order_and_do_not_hold_up_those_of_others(
    database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    async def refuse_first(message: object) -> web.StreamResponse:
        first = getattr(message, "event", {})["id"] == 1
        return web.Response(status=500 if first else 200)

    receiver.behave = refuse_first
    one = deliverer(database, clock, receiver)
    await tell(database, clock, "p", "first", "second")
    await tell(database, clock, "q", "third")
    await tell(database, clock, "p", "fourth")

    await work(one, 5)
    assert sorted(receiver.ids) == [1, 3]
    receiver.behave = take
    clock.advance(timedelta(seconds=6))
    await work(one, 5)

    assert receiver.ids[-3:] == [1, 2, 4]
    await one.stop()


async def test_two_processes_deliver_each_event_once(
    database: Database, second_database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    one = deliverer(database, clock, receiver, name="one")
    two = deliverer(second_database, clock, receiver, name="two")
    for number in range(30):
        await tell(database, clock, f"p{number % 3}", f"event {number}")

    while await rows(database, quota_deliveries) or not receiver.messages:
        await asyncio.gather(work(one), work(two))

    assert sorted(receiver.ids) == list(range(1, 31))
    assert one.status.delivered + two.status.delivered == 30
    assert (one.status.events + two.status.events)["warning"] == 30
    for project in range(3):
        mine = [each.event["id"] for each in receiver.messages if each.event["project_id"] == f"p{project}"]
        assert mine == sorted(mine)
    await one.stop()
    await two.stop()


async def test_one_that_dies_in_mid_delivery_loses_nothing(
    database: Database, second_database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    receiver.behave = hang
    one = deliverer(database, clock, receiver, name="one", deadline=60)
    await tell(database, clock, "p", "first", "second")
    await one.look()
    await receiver.got(1)
    for task in one._cancel():  # kill -9: nothing of it is stored any more
        await asyncio.wait([task])

    receiver.behave = take
    two = deliverer(second_database, clock, receiver, name="two")
    await work(two)
    assert receiver.ids == [1]  # the lease of the dead one holds a while
    clock.advance(timedelta(seconds=TTL + 1))
    await work(two, 3)

    assert receiver.ids == [1, 1, 2]
    await one.webhooks.close()
    await two.stop()


async def test_a_process_that_lost_the_lease_ends_what_it_sends(
    database: Database, second_database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    receiver.behave = hang
    one = deliverer(database, clock, receiver, name="one", deadline=60)
    await tell(database, clock, "p", "first")
    await one.look()
    clock.advance(timedelta(seconds=TTL + 1))
    two = deliverer(second_database, clock, receiver, name="two", deadline=60)
    await two.look()

    await one.look()
    async with asyncio.timeout(10):
        await one.idle()

    assert not one._running
    assert two._running
    for each in (one, two):
        each._cancel()
        await each.stop()


async def test_a_stop_lets_what_is_under_way_come_to_its_end(
    database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    async def slowly(message: object) -> web.StreamResponse:
        del message
        await asyncio.sleep(0.3)
        return web.Response()

    receiver.behave = slowly
    one = deliverer(database, clock, receiver)
    await tell(database, clock, "p", "first")
    await one.look()

    await one.stop()
    await one.look()

    assert await rows(database, quota_deliveries) == 0
    assert receiver.ids == [1]
    assert not one._running


async def test_after_a_stop_the_next_process_delivers_at_once(
    database: Database, second_database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    receiver.behave = answer(503)
    one = deliverer(database, clock, receiver, name="one")
    await tell(database, clock, "p", "first")
    await work(one)
    await one.stop()
    receiver.behave = take
    await tell(database, clock, "q", "second")

    two = deliverer(second_database, clock, receiver, name="two")
    await work(two)

    assert receiver.ids == [1, 2]
    await two.stop()


async def test_a_name_server_that_hangs_takes_no_thread_from_others(receiver: Receiver) -> None:
    """The loop's own threads are all busy: neither does a webhook wait for them, nor take one."""
    busy = threading.Event()
    with ThreadPoolExecutor(1) as only:
        asyncio.get_running_loop().set_default_executor(only)
        waiting = asyncio.get_running_loop().run_in_executor(None, busy.wait)
        webhooks = Webhooks([SECRET], deadline=5)
        try:
            named = Endpoint(receiver.url.replace("127.0.0.1", "localhost"))
            assert await webhooks.post(named, b"{}", 1, {}) is None
        finally:
            busy.set()
            await waiting
            await webhooks.close()


async def test_a_name_that_leads_nowhere_is_a_failure_like_others() -> None:
    webhooks = Webhooks([SECRET])

    failure = await webhooks.post(Endpoint("http://nowhere.invalid/"), b"{}", 1, {})

    assert failure is not None
    assert failure.startswith("no connection: ")
    await webhooks.close()


async def test_who_names_an_address_later_gets_what_happens_from_then_on(
    database: Database, clock: FixedClock, receiver: Receiver
) -> None:
    nobody = deliverer(database, clock)
    await tell(database, clock, "p", "first")
    await work(nobody)
    assert nobody.status.events == {"warning": 1}

    one = deliverer(database, clock, receiver)
    await tell(database, clock, "p", "second")
    await work(one, 3)

    assert receiver.ids == [2]
    await one.stop()


async def test_what_was_for_an_address_that_is_named_no_more_is_dropped(
    database: Database, clock: FixedClock, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    async with receiving() as gone:
        gone.behave = answer(500)
        before = deliverer(database, clock, gone)
        await tell(database, clock, "p", "first")
        await work(before)
        await before.stop()
    after = deliverer(database, clock, receiver)

    await work(after, 2)

    assert await rows(database, quota_deliveries) == 0
    assert "1 webhook deliveries are dropped" in caplog.text
    await after.stop()


def self_signed(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1 that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    plain = serialization.NoEncryption()
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, pkcs8, plain))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tmp_path: Path) -> None:
    webhooks = Webhooks([SECRET])
    async with receiving(self_signed(tmp_path)) as impostor:
        failure = await webhooks.post(Endpoint(impostor.url), b"{}", 1, {})

        assert failure == "its certificate is not to be trusted"
        assert impostor.messages == []
    await webhooks.close()


async def test_an_address_where_nobody_listens_is_told_without_its_path() -> None:
    webhooks = Webhooks([SECRET])
    endpoint = Endpoint("http://127.0.0.1:9/hook/token-in-the-path?key=k")

    failure = await webhooks.post(endpoint, b"{}", 1, {})

    assert failure is not None
    assert failure.startswith("no connection: ")
    assert endpoint.host == "http://127.0.0.1:9"
    assert "token" not in f"{failure} {endpoint} {endpoint.key}"
    await webhooks.close()


async def test_old_events_go_and_what_was_never_taken_is_told(
    database: Database, clock: FixedClock, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.behave = answer(500)
    one = deliverer(database, clock, receiver)
    keeper = Keeper(QuotaHistoryStore(database), Outbox(database), HistorySettings(3600, 7200), 30, clock)
    await tell(database, clock, "p", "first")
    await work(one)
    clock.advance(timedelta(days=29))
    await tell(database, clock, "p", "second")
    await keeper.maintain([])
    assert await rows(database, quota_events) == 2

    clock.advance(timedelta(days=1, seconds=61))
    await keeper.maintain([])

    assert await rows(database, quota_events) == 1
    assert await rows(database, quota_deliveries) == 0
    assert "1 webhook deliveries are given up" in caplog.text
    await tell(database, clock, "p", "third")
    receiver.behave = take
    await work(one, 3)
    assert receiver.ids[-2:] == [2, 3]
    await one.stop()


async def test_the_number_of_an_event_is_never_used_again(database: Database, clock: FixedClock) -> None:
    await tell(database, clock, "p", "first")
    await Outbox(database).thin(clock.now() + timedelta(seconds=1))
    assert await rows(database, quota_events) == 0

    await tell(database, clock, "p", "second")

    async with database.read() as connection:
        assert await connection.scalar(sa.select(quota_events.c.id)) == 2
