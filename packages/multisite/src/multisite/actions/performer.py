"""Carries an action to its region, on the region loop, and says in one sentence what became of it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from multisite.actions.errors import (
    AnswerMissing,
    RegionFailed,
    RegionLacksService,
    RegionRefused,
    RegionUnavailable,
)
from multisite.actions.model import MARK, Deed
from multisite.clock import Clock
from multisite.engine.recording import Recording
from multisite.engine.writes import Author, Journal
from multisite.errors import MultisiteError
from multisite.inventory.kinds import BY_PLURAL
from multisite.openstack import cinder, nova
from multisite.openstack.failures import GARBAGE
from multisite.openstack.loop import RegionLoop
from multisite.openstack.once import AnswerLost, NeverSent, NoService
from multisite.openstack.users import Refused, Reply, Stumbled, UserCalls, UserClient, UserToken
from multisite.regions.discovery import target_of
from multisite.regions.model import Region

LOG = logging.getLogger(__name__)

_GONE = 404
_MICROVERSIONS = {"compute": nova.MICROVERSION, "volume": cinder.MICROVERSION}


@dataclass(frozen=True, slots=True)
class Found:
    """An item that an earlier request made, and the digest of what that request said."""

    id: str
    digest: str


@dataclass(frozen=True, slots=True)
class Performer:
    """Asks regions in the name of users."""

    loop: RegionLoop
    calls: UserCalls
    journal: Journal
    clock: Clock

    async def perform(self, deed: Deed) -> Reply:
        """Do it. Raises `RegionUnavailable`, `RegionRefused`, `RegionFailed`, `AnswerMissing`, `Conflict`."""

        async def work() -> Reply:
            return await deed.action.perform(self._client(deed), deed)

        try:
            return await self.loop.run(work())
        except (NeverSent, Refused, Stumbled, AnswerLost, *GARBAGE) as error:
            raise told(error, deed.region, deed.action.what) from error

    async def find(self, deed: Deed, key: str) -> Found | None:
        """The item that a request with this key made, if it is there. Raises as `perform`."""

        async def work() -> Found | None:
            assert deed.action.find is not None  # noqa: S101 - asked for kinds with marks only
            for each in await deed.action.find(self._client(deed), deed.name):
                marked, _, said = str((each.get("metadata") or {}).get(MARK) or "").partition(" ")
                if marked == key:
                    return Found(str(each["id"]), said)
            return None

        try:
            return await self.loop.run(work())
        except (NeverSent, Refused, *GARBAGE) as error:
            raise told(error, deed.region, deed.action.what) from error

    async def item(self, deed: Deed, item_id: str) -> Mapping[str, Any] | None:
        """The item as its region tells it now; `None` where it is gone. Raises `RegionUnavailable`."""
        kind = BY_PLURAL[deed.action.kind]

        async def work() -> Mapping[str, Any]:
            version = _MICROVERSIONS.get(kind.service)
            return await self._client(deed).read(kind.service, (kind.path[1:], item_id), microversion=version)

        try:
            body = await self.loop.run(work())
            return dict(body[kind.key.removesuffix("s")])
        except Refused as error:
            if error.status == _GONE:
                return None
            raise told(error, deed.region, "show it") from error
        except (NeverSent, *GARBAGE) as error:
            raise told(error, deed.region, "show it") from error

    def client(self, region: Region, token: UserToken, request_id: str) -> UserClient:
        """The client of a region for one request of a user; for work on the region loop."""
        return self.calls.client(target_of(region), token, request_id)

    def _client(self, deed: Deed) -> UserClient:
        who = deed.requester
        author = Author(who.project_id, who.user_id, who.user_name, who.request_id)
        what = f"{deed.action.what}: {deed.target}"
        recording = Recording(self.journal, self.journal.store, author, self.clock, what, after=deed.asked)
        return self.calls.client(target_of(deed.region), deed.token, who.request_id, recording)


def told(error: Exception, region: Region, what: str) -> MultisiteError:
    """What happened, for the user: their region's own words, but no internal address."""
    if isinstance(error, Refused):
        return _refused(error, region, what)
    LOG.warning("region %s: could not %s: %s: %s", region.name, what, type(error).__name__, error)
    if isinstance(error, NoService):
        return RegionLacksService(f"region {region.name!r} does not have the service to {what}")
    if isinstance(error, NeverSent):
        return RegionUnavailable(
            f"region {region.name!r} cannot be reached now to {what}; nothing was done, try again later"
        )
    if isinstance(error, Stumbled):
        return RegionFailed(
            f"region {region.name!r} stumbled (HTTP {error.status}) when asked to {what}"
            f"{_id(error.request_id)}; it may have been done: look before you repeat"
        )
    return AnswerMissing(
        f"region {region.name!r} did not answer when asked to {what}; "
        "it may have been done: look before you repeat"
    )


def _refused(error: Refused, region: Region, what: str) -> RegionRefused:
    if error.status == 401:  # noqa: PLR2004 - as ours it would say that our caller's token is wrong
        detail = f"region {region.name!r} does not accept your token{_id(error.request_id)}"
        return RegionRefused(403, f"{detail}; is it revoked, or does the region have a Keystone of its own?")
    said = error.message or f"HTTP {error.status}"
    detail = f"region {region.name!r} refused to {what}: {said}{_id(error.request_id)}"
    return RegionRefused(error.status, detail)


def _id(request_id: str | None) -> str:
    return f" ({request_id} there)" if request_id else ""
