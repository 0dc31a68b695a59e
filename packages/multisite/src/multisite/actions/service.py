"""Actions, for users: who may, in which region, and the item as it is afterwards."""

import logging

from multisite.actions.asking import Asker
from multisite.actions.bodies import ActionBody
from multisite.actions.errors import NotOffered, RegionDisabled, RegionOwnKeystone
from multisite.actions.lines import NOUNS, VERBS, line
from multisite.actions.model import Acted, Action, Deed
from multisite.clock import Clock
from multisite.errors import BadRequest, DomainScopedToken, MultisiteError, NotFound
from multisite.inventory.kinds import BY_PLURAL
from multisite.inventory.model import InventoryRow
from multisite.inventory.parsing import Malformed, parse
from multisite.inventory.service import InventoryService, kind_called
from multisite.inventory.store import InventoryStore
from multisite.openstack.users import UserToken
from multisite.policy import Policy
from multisite.regions.model import Identity, Region
from multisite.regions.service import RegionService
from multisite.requester import Requester

LOG = logging.getLogger(__name__)


class ActionService:
    """Actions, for users."""

    def __init__(
        self,
        asker: Asker,
        items: InventoryStore,
        inventory: InventoryService,
        regions: RegionService,
        policy: Policy,
        clock: Clock,
    ) -> None:
        self._asker = asker
        self._items = items
        self._inventory = inventory
        self._regions = regions
        self._policy = policy
        self._clock = clock

    async def act(  # noqa: PLR0913 - who, with what, does what, where, to what, how
        self,
        requester: Requester,
        token: UserToken,
        action: Action,
        region_name: str,
        item_id: str = "",
        body: ActionBody | None = None,
        *,
        key: str | None = None,
    ) -> Acted:
        """Do it in the region, as the user.

        `key` is the client's own name of a creation: the same request with the same key is done once.
        Raises `Forbidden`, `NotFound`, and the errors of `actions/errors.py`.
        """
        self._policy.require(requester, action.rule)
        region = await region_to_act_in(self._regions, requester, region_name)
        deed = Deed(requester, token, region, action, item_id, body)
        require_reachable(region, line(region, action.line(deed)))
        if key is not None and action.find is None:
            raise BadRequest("Idempotency-Key: only servers and volumes carry the mark that this needs")
        done = await (self._asker.create(deed, key) if action.find else self._asker.ask(deed))
        return Acted(
            action=action.full_name,
            region=region.name,
            id=done.id,
            request_id=requester.request_id,
            region_request_id=done.region_request_id,
            repeated=done.repeated,
            item=await self._read_back(deed, done.id),
        )

    async def refuse(
        self, requester: Requester, plural: str, region_name: str, item_id: str, verb: str
    ) -> None:
        """Say what to do instead. Always raises: `NotOffered`, or `NotFound` for what nobody does."""
        self._inventory.tenant(requester)
        kind = kind_called(plural)
        region = (await self._regions.views([region_name]))[0].region
        if verb not in VERBS[plural]:
            raise NotFound(f"there is no action {verb!r} of a {kind.name.replace('_', ' ')}")
        words = [*NOUNS[plural].split(), verb, item_id]
        raise NotOffered(f"multisite does not {verb} {plural}", line(region, words))

    async def _read_back(self, deed: Deed, item_id: str) -> InventoryRow | None:
        """The item as it is now, stored for the next listing; `None` where it is gone or was not read."""
        kind = BY_PLURAL[deed.action.kind]
        try:
            at = self._clock.now()
            raw = await self._asker.performer.item(deed, item_id)
            if raw is None:
                await self._items.remove(deed.region, kind.name, item_id, at)
                return None
            names = {deed.requester.project_id or "": deed.requester.project_name or ""}
            await self._items.put(deed.region, kind.name, parse(kind, raw), names, at)
            return await self._inventory.show(deed.requester, kind.plural, deed.region.name, item_id)
        except (MultisiteError, Malformed) as error:
            LOG.warning("region %s: %s %s was not read back: %s", deed.region.name, kind.name, item_id, error)
            return None


async def region_to_act_in(regions: RegionService, requester: Requester, name: str) -> Region:
    """The region. Raises `NotFound`, and `DomainScopedToken` for a token that no region takes."""
    if requester.project_id is None:
        raise DomainScopedToken("regions act for projects: get a token that is scoped to one")
    return (await regions.views([name]))[0].region


def require_reachable(region: Region, instead: str) -> None:
    """Raise the error of a region in which users cannot act."""
    if region.identity is Identity.OWN:
        raise RegionOwnKeystone(region.name, instead)
    if not region.enabled:
        raise RegionDisabled(f"region {region.name!r} is disabled here; nothing is done in it")
