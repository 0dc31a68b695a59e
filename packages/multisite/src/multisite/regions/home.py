"""Questions to the home Keystone, asked with the credentials of the regions that share it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from multisite.openstack.client import RegionClient
from multisite.openstack.failures import GARBAGE, RegionCallError, what_is_odd
from multisite.regions.model import Identity, Region

_Answer = TypeVar("_Answer")


class Clients(Protocol):
    """Gives the client of a region."""

    def client(self, region: Region) -> RegionClient:
        """The client of a region."""
        ...


async def ask_home(
    clients: Clients, regions: Sequence[Region], question: Callable[[RegionClient], Awaitable[_Answer]]
) -> _Answer:
    """The first answer that one of `regions` gets. Raises the last `RegionCallError` where none gets one."""
    failure = RegionCallError("no-endpoint", "no enabled region shares the home Keystone")
    for region in regions:
        if region.identity is Identity.HOME:
            try:
                return await question(clients.client(region))
            except RegionCallError as error:
                failure = error
            except GARBAGE as error:
                failure = RegionCallError("unexpected-answer", what_is_odd(error))
    raise failure
