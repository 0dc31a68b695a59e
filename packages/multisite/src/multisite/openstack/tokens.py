"""Tokens: one per credential, shared by all regions that use it.

keystoneauth authenticates (every plugin that clouds.yaml knows works), in a thread because it blocks.
Waiting callers share one authentication; a Keystone that is away is asked again after a few seconds,
not once per region; and while it is away, the token in hand is used until it ends.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from multisite.clock import Clock
from multisite.openstack.catalog import Catalog, parse
from multisite.openstack.clouds import Credential
from multisite.openstack.failures import RegionCallError

#: A token that ends within this time is replaced before it is used.
RENEW_BEFORE = timedelta(minutes=5)
#: A Keystone that failed is not asked again for this long (seconds).
FAILURE_PAUSE = 5.0
#: A token that services refuse is replaced at most this often (seconds).
RENEW_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class Access:
    """A token, and what Keystone said with it.

    `clock_skew`: Keystone's clock minus ours, in seconds, positive when Keystone is ahead.
    `latency`: milliseconds that the authentication took.
    """

    token: str
    expires_at: datetime
    catalog: Catalog
    project_id: str | None
    user_id: str | None
    roles: frozenset[str]
    clock_skew: float | None
    latency: float


class Tokens:
    """The tokens of all credentials; lives on the region loop."""

    def __init__(self, clock: Clock, *, deadline: float) -> None:
        self._clock = clock
        self._deadline = deadline
        self._sources: dict[str, _Source] = {}
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="keystone")

    def held(self, credential: Credential) -> Access | None:
        """A valid token of `credential`, if one is in memory."""
        return self._source(credential).held()

    async def access(self, credential: Credential) -> Access:
        """A valid token of `credential`, from memory where there is one.

        Raises `RegionCallError`: `keystone-unreachable`, `authentication-failed`.
        """
        return await self._source(credential).access()

    async def renewed(self, credential: Credential, rejected: str) -> Access:
        """Another token than the `rejected` one, which a service refused."""
        return await self._source(credential).renewed(rejected)

    def close(self) -> None:
        """Stop the threads; what still waits for a Keystone is abandoned."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _source(self, credential: Credential) -> "_Source":
        source = self._sources.get(credential.key)
        if source is None or _reloaded(source.credential, credential):
            source = _Source(credential, self._clock, self._deadline, self._threads)
            self._sources[credential.key] = source
        return source


def _reloaded(held: Credential, asked: Credential) -> bool:
    """Whether clouds.yaml was read anew; another entry for the same user shares what is held."""
    return held is not asked and held.name == asked.name


class _Source:
    """The token of one credential."""

    def __init__(
        self, credential: Credential, clock: Clock, deadline: float, threads: ThreadPoolExecutor
    ) -> None:
        self.credential = credential
        self._clock = clock
        self._deadline = deadline
        self._threads = threads
        self._lock = asyncio.Lock()
        self._access: Access | None = None
        self._failure: RegionCallError | None = None
        self._failed_at = float("-inf")
        self._renewed_at = float("-inf")

    def held(self) -> Access | None:
        held = self._access
        return held if held and held.expires_at - self._clock.now() > RENEW_BEFORE else None

    async def access(self) -> Access:
        if valid := self.held():
            return valid
        held = self._access
        async with self._lock:
            if self._access is held:
                try:
                    await self._authenticate()
                except RegionCallError:
                    if held is None or held.expires_at <= self._clock.now():
                        raise
                    return held
            if self._access is None:
                raise self._failure or RegionCallError("authentication-failed", "no token")
            return self._access

    async def renewed(self, rejected: str) -> Access:
        async with self._lock:
            held = self._access
            if held and held.token != rejected:
                return held
            if held and self._clock.monotonic() - self._renewed_at < RENEW_PAUSE:
                return held
            self._renewed_at = self._clock.monotonic()
            await self._authenticate()
            return self._access or _impossible()

    async def _authenticate(self) -> None:
        if self._failure and self._clock.monotonic() - self._failed_at < FAILURE_PAUSE:
            raise self._failure
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._deadline + 1):
                self._access = await loop.run_in_executor(self._threads, self._blocking)
            self._failure = None
        except (RegionCallError, TimeoutError) as error:
            self._failure = error if isinstance(error, RegionCallError) else self._silence()
            self._failed_at = self._clock.monotonic()
            raise self._failure from error

    def _silence(self) -> RegionCallError:
        detail = f"Keystone at {self.credential.auth_url} did not answer within {self._deadline:g} s"
        return RegionCallError("keystone-unreachable", detail)

    def _blocking(self) -> Access:
        # Imported here: only a process that talks to regions pays for it.
        from keystoneauth1 import exceptions
        from keystoneauth1.session import Session

        session = Session(
            verify=self.credential.verify,
            cert=self.credential.client_certificate,
            timeout=self._deadline,
            app_name="multisite",
        )
        plugin, where = self.credential.plugin, self.credential.auth_url
        plugin.invalidate()
        started, before = self._clock.monotonic(), self._clock.now()
        try:
            access = plugin.get_access(session)
        except exceptions.Unauthorized as error:
            detail = f"Keystone at {where} refused the credential {self.credential.name!r}"
            raise RegionCallError("authentication-failed", detail) from error
        except (exceptions.ConnectFailure, exceptions.DiscoveryFailure, exceptions.HttpServerError) as error:
            detail = f"Keystone at {where} cannot be used: {_first_line(error)}"
            raise RegionCallError("keystone-unreachable", detail) from error
        except exceptions.ClientException as error:
            detail = f"Keystone at {where} answered: {_first_line(error)}"
            raise RegionCallError("authentication-failed", detail) from error
        took = self._clock.monotonic() - started
        return Access(
            token=access.auth_token,
            expires_at=access.expires,
            catalog=parse(access.service_catalog.catalog if access.has_service_catalog() else ()),
            project_id=access.project_id,
            user_id=access.user_id,
            roles=frozenset(name.lower() for name in access.role_names),
            clock_skew=_skew(access.issued, before, took),
            latency=took * 1000,
        )


def _skew(issued: datetime | None, before: datetime, took: float) -> float | None:
    """Keystone's `issued_at` against the middle of our call, in seconds; whole-second stamps are rough."""
    if issued is None:
        return None
    middle = before + timedelta(seconds=took / 2)
    return round((issued - middle).total_seconds(), 1)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def _impossible() -> Access:
    raise RegionCallError("authentication-failed", "Keystone gave no token")
