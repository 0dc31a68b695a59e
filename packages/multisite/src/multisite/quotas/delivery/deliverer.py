"""Sends events of quotas to webhooks; lives on the region loop, in tasks of its own.

One process delivers for all: the one with the lease, which the next one takes over when it dies. What it
was sending then is sent again, and nothing is lost, because a delivery stays stored until it was taken. So
an event comes at least once, and once while nothing breaks; receivers know it by its id.

An endpoint gets few messages at a time, and of a project one after the other. One that refuses, hangs or is
away is asked again after 5 s, and each time after twice as long, up to an hour; meanwhile later events of the
same project wait. After `ATTEMPTS` the event is given up, with a line in the log. No round waits for any of
this.
"""

import asyncio
import json
import logging
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import partial

from multisite.clock import Clock
from multisite.db.lease import Lease
from multisite.errors import MultisiteError
from multisite.quotas.delivery.outbox import Delivery, Outbox
from multisite.webhooks import Endpoint, Webhooks

LOG = logging.getLogger(__name__)

#: Seconds between two looks at what is to be delivered.
LOOK = 1.0
#: Messages that one endpoint gets at a time.
AT_ONCE = 4
#: How often an event is sent to an endpoint before it is given up: over six hours.
ATTEMPTS = 16
#: Seconds before the second attempt, and between two attempts at most; parts of it are left to chance.
FIRST_PAUSE, LONGEST_PAUSE, CHANCE = 5.0, 3600.0, 0.1
#: Seconds that a stop waits for what is being sent.
PATIENCE = 2.0


@dataclass(slots=True)
class DelivererStatus:
    """What the metrics tell since the start: events by kind that this process handed out, and messages."""

    events: Counter[str] = field(default_factory=Counter)
    delivered: int = 0
    failures: int = 0
    given_up: int = 0


@dataclass(slots=True)
class Deliverer:
    """Delivers until it is cancelled; `stop` tidies up."""

    outbox: Outbox
    webhooks: Webhooks
    endpoints: Sequence[Endpoint]
    lease: Lease
    clock: Clock
    status: DelivererStatus = field(default_factory=DelivererStatus)
    _running: dict[tuple[str, int], "asyncio.Task[None]"] = field(default_factory=dict)
    _stopped: bool = False
    _holds: bool = False

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            try:
                await self.look()
            except MultisiteError as error:
                LOG.log(error.log_level, "webhooks wait: %s", error.detail)
            except Exception:
                LOG.exception("the delivery of events stumbled and goes on")
            await asyncio.sleep(LOOK)

    async def look(self) -> None:
        """Hand out what was told, and begin to send what is due, if this process delivers."""
        if self._stopped or not await self.outbox.busy():
            return
        self._holds = await self.lease.hold()
        if not self._holds:
            self._cancel()  # another process took over, and sends this again
            return
        keys = [endpoint.key for endpoint in self.endpoints]
        self.status.events += await self.outbox.hand_out(keys, self.clock.now())
        dropped = await self.outbox.drop_others(keys)
        if dropped:
            LOG.warning("%d webhook deliveries are dropped: their address is configured no more", dropped)
        for endpoint in self.endpoints:
            await self._begin(endpoint)

    async def idle(self) -> None:
        """Wait until nothing is being sent."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    async def stop(self) -> None:
        """Let what is being sent come to its end for a moment, then cut it off: it is sent again later."""
        self._stopped = True
        if self._running:
            await asyncio.wait(list(self._running.values()), timeout=PATIENCE)
        running = self._cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self.webhooks.close()
        if self._holds:
            await self._give_up()

    async def _give_up(self) -> None:
        """Let the next process deliver at once."""
        try:
            await self.lease.release()
        except MultisiteError as error:
            LOG.log(error.log_level, "the lease of webhooks runs out by itself: %s", error.detail)

    def _cancel(self) -> list["asyncio.Task[None]"]:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        return running

    async def _begin(self, endpoint: Endpoint) -> None:
        busy = sum(key == endpoint.key for key, _ in self._running)
        if busy >= AT_ONCE:
            return
        due = await self.outbox.due(endpoint.key, self.clock.now(), AT_ONCE + busy)
        waiting = [each for each in due if (each.endpoint, each.event_id) not in self._running]
        for delivery in waiting[: AT_ONCE - busy]:
            name = (delivery.endpoint, delivery.event_id)
            task = asyncio.create_task(self._deliver(endpoint, delivery))
            self._running[name] = task
            task.add_done_callback(partial(self._ended, name))

    def _ended(self, name: tuple[str, int], task: "asyncio.Task[None]") -> None:
        del task
        self._running.pop(name, None)

    async def _deliver(self, endpoint: Endpoint, delivery: Delivery) -> None:
        try:
            await self._send(endpoint, delivery)
        except MultisiteError as error:
            LOG.log(error.log_level, "event %d is sent again: %s", delivery.event_id, error.detail)
        except Exception:
            LOG.exception("event %d: the delivery to %s stumbled", delivery.event_id, endpoint.host)

    async def _send(self, endpoint: Endpoint, delivery: Delivery) -> None:
        headers = {"Multisite-Event": delivery.kind, "Multisite-Event-Id": str(delivery.event_id)}
        timestamp = int(self.clock.now().timestamp())
        failure = await self.webhooks.post(endpoint, message(delivery), timestamp, headers)
        if failure is None:
            self.status.delivered += 1
            await self.outbox.done(delivery)
            return
        self.status.failures += 1
        attempt = delivery.attempts + 1
        if attempt >= ATTEMPTS:
            self.status.given_up += 1
            LOG.error(
                "event %d (%s) of project %s is given up: %s refused it %d times, last: %s",
                delivery.event_id,
                delivery.kind,
                delivery.project_id,
                endpoint.host,
                attempt,
                failure,
            )
            await self.outbox.done(delivery)
            return
        pause = pause_after(attempt) * random.uniform(1 - CHANCE, 1 + CHANCE)  # noqa: S311 - no secret
        level = logging.WARNING if attempt == 1 else logging.INFO
        LOG.log(
            level,
            "event %d is sent to %s again in %d s: %s",
            delivery.event_id,
            endpoint.host,
            pause,
            failure,
        )
        await self.outbox.later(delivery, self.clock.now() + timedelta(seconds=pause))


def pause_after(attempt: int) -> float:
    """Seconds from the failure of an attempt (counted from 1) to the next one."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (attempt - 1))


def message(delivery: Delivery) -> bytes:
    """The body: the event as the API answers it, JSON in UTF-8."""
    document = {
        "id": delivery.event_id,
        "at": delivery.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "kind": delivery.kind,
        "project_id": delivery.project_id,
        "resource": delivery.resource,
        "region": delivery.region,
        "figures": dict(delivery.figures),
        "sentence": delivery.sentence,
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
