"""From stored items to what users see: states, names for nothing, and what only operators may see."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from multisite.inventory.kinds import BY_NAME
from multisite.inventory.listing import RegionSync, StoredItem, time_of
from multisite.inventory.model import InventoryRow, Missing, MissingKind, Sync
from multisite.regions.states import Last, State, service_state


def state_of(sync: Sync, now: datetime, patience: timedelta) -> State:
    """How much what is stored of a kind of a region is worth."""
    return service_state(
        enabled=True,
        present=sync.error_code != "no-endpoint",
        calls=Last(),
        figures=Last(sync.observed_at, sync.failed_at),
        now=now,
        patience=patience,
    )


@dataclass(frozen=True, slots=True)
class Freshness:
    """The syncs that matter for some rows, and the time."""

    syncs: Mapping[tuple[int, str], RegionSync]
    now: datetime
    patience: timedelta

    def missing(self) -> Missing:
        """The services of regions that were not read well, each once."""
        found: dict[tuple[str, str], MissingKind] = {}
        for each in self.syncs.values():
            state, sync = state_of(each.sync, self.now, self.patience), each.sync
            if state is State.ABSENT or (state is State.FRESH and not sync.malformed):
                continue
            service = BY_NAME[each.kind].service
            detail = (sync.error_code, sync.error_detail) if state is not State.STALE else (None, None)
            found.setdefault((each.region, service), MissingKind(each.region, service, state, *detail))
        return Missing.of(tuple(found.values()))

    def row(self, item: StoredItem, *, operator: bool) -> InventoryRow:
        """The item as a user sees it."""
        synced = self.syncs.get((item.region_id, item.kind))
        sync = synced.sync if synced else Sync()
        observed = max(filter(None, (sync.observed_at, item.observed_at)), default=None)
        sync = replace(sync, observed_at=observed) if observed != sync.observed_at else sync
        hidden = frozenset() if operator else BY_NAME[item.kind].operator_attributes
        return InventoryRow(
            region=item.region,
            kind=item.kind,
            id=item.id,
            name=item.name,
            project_id=item.project_id or None,
            project_name=item.project_name or None,
            user_id=item.user_id,
            status=item.status or None,
            addresses=tuple(item.addresses),
            created_at=time_of(item.created_at),
            updated_at=time_of(item.updated_at),
            observed_at=sync.observed_at,
            state=state_of(sync, self.now, self.patience),
            dashboard_url=synced.dashboard_url if synced else None,
            attributes={name: value for name, value in item.attributes.items() if name not in hidden},
        )


def freshness(syncs: Iterable[RegionSync], now: datetime, patience: timedelta) -> Freshness:
    """The syncs by region and kind."""
    return Freshness({(each.region_id, each.kind): each for each in syncs}, now, patience)
