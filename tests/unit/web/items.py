# ruff: noqa: ARG002 - the shapes that the page relies on
"""An inventory of plain values behind the page, that counts what it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from multisite import errors
from multisite.actions.model import Acted
from multisite.actions.offers import OfferedFlavor, Offers
from multisite.filters.model import SavedFilter, proper_name, proper_query
from multisite.inventory.keypairs import Keypair, Keypairs
from multisite.inventory.kinds import BY_NAME, BY_PLURAL
from multisite.inventory.model import UNKNOWN_TIME, InventoryRow, Missing, MissingKind
from multisite.inventory.queries import Direction, Order, Place, Sort
from multisite.inventory.search import Found, Match, SearchResult
from multisite.inventory.service import Export, InventoryPage, Question
from multisite.quotas import policies as quota_policies
from multisite.quotas.requests import policies as request_policies
from multisite.regions import policies
from multisite.regions.states import State
from multisite.web.inventory.services import InventoryServices

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from multisite.actions.bodies import ActionBody
    from multisite.actions.model import Action
    from multisite.openstack.users import UserToken
    from multisite.requester import Requester

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def a_row(kind: str, name: str, region: str = "RegionOne", **more: Any) -> InventoryRow:
    """An item of project `p-alpha`, read 12 s before the clock of the tests."""
    fields: dict[str, Any] = {
        "id": f"id-of-{name}",
        "project_id": "p-alpha",
        "project_name": "alpha",
        "user_id": None,
        "status": "ACTIVE" if kind == "server" else None,
        "addresses": (),
        "created_at": None,
        "updated_at": None,
        "observed_at": NOW - timedelta(seconds=12),
        "state": State.FRESH,
        "dashboard_url": None,
        "attributes": {},
    }
    return InventoryRow(region=region, kind=kind, name=name, **(fields | more))


@dataclass
class Items:
    """What there is; `questions` is what was asked of listings, `missing` what no listing has."""

    rows: list[InventoryRow] = field(default_factory=list)
    related: list[InventoryRow] = field(default_factory=list)
    keypairs: list[Keypair] = field(default_factory=list)
    missing: tuple[MissingKind, ...] = ()
    questions: list[Question] = field(default_factory=list)
    searches: list[str] = field(default_factory=list)
    acted: list[tuple[str, str, str, Any, str | None, str]] = field(default_factory=list)
    refusal: errors.MultisiteError | None = None
    gate: asyncio.Event | None = None
    saved: dict[tuple[str, str], SavedFilter] = field(default_factory=dict)

    def add(self, kind: str, name: str, region: str = "RegionOne", **more: Any) -> InventoryRow:
        """One more item."""
        self.rows.append(a_row(kind, name, region, **more))
        return self.rows[-1]

    def services(self) -> InventoryServices:
        """What the page asks."""
        return InventoryServices(
            items=self,
            relations=self,
            projects=self,
            search=_Search(self),
            keypairs=_Keypairs(self),
            filters=_Filters(self),
            actions=_Actions(self),
            offers=_Offers(self),
            policy=_Policy(),
        )

    async def list(
        self,
        requester: Requester,
        plural: str,
        question: Question,
        order: Order,
        *,
        limit: int,
        marker: str | None = None,
    ) -> InventoryPage:
        found = self._fitting(requester, plural, question, order)
        if marker is not None:
            place = order.place(marker)
            after = (place.value, place.region, place.id)
            ahead = order.direction is Direction.ASC
            found = [
                row for row in found if (_key(order, row) > after) is ahead and _key(order, row) != after
            ]
        shown = found[:limit]
        more = len(found) > limit
        return InventoryPage(
            tuple(shown), Missing.of(self.missing), _marker(order, shown[-1]) if more else None
        )

    async def export(self, requester: Requester, plural: str, question: Question, order: Order) -> Export:
        rows = tuple(self._fitting(requester, plural, question, order))

        async def slices() -> AsyncIterator[tuple[InventoryRow, ...]]:
            yield rows

        return Export(BY_PLURAL[plural], requester.operator_reader, Missing.of(self.missing), slices())

    async def show(
        self, requester: Requester, plural: str, region: str, identity: str, *, fresh: bool = False
    ) -> InventoryRow:
        assert not fresh
        for row in self._seen(requester):
            if (BY_NAME[row.kind].plural, row.region, row.id) == (plural, region, identity):
                return row
        raise errors.NotFound(f"there is no {identity!r}")

    async def around(self, requester: Requester, row: InventoryRow) -> Sequence[InventoryRow]:
        return self.related

    async def id_of(self, requester: Requester, text: str) -> str:
        known = {row.project_name: row.project_id for row in self.rows}
        if text not in {*known, *known.values()}:
            raise errors.BadRequest(f"project: there is none with the name or id {text!r}")
        return known.get(text) or text

    def _seen(self, requester: Requester) -> Sequence[InventoryRow]:
        everything = requester.operator_reader
        return [row for row in self.rows if everything or row.project_id == requester.project_id]

    def _fitting(
        self, requester: Requester, plural: str, question: Question, order: Order
    ) -> Sequence[InventoryRow]:
        self.questions.append(question)
        if question.address == "no address":
            raise errors.BadRequest("address: 'no address' is no address")
        rows = [
            row
            for row in self._seen(requester)
            if BY_NAME[row.kind].plural == plural
            and (not question.regions or row.region in question.regions)
            and (not question.name or question.name.casefold() in row.name.casefold())
            and (not question.status or row.status == question.status)
            and (not question.project_id or row.project_id == question.project_id)
        ]
        return sorted(rows, key=lambda row: _key(order, row), reverse=order.direction is Direction.DESC)


@dataclass
class _Search:
    items: Items

    async def search(self, requester: Requester, text: str, *, limit: int = 200) -> SearchResult:
        self.items.searches.append(text)
        found = [
            Found(Match.NAME, row.name.casefold() == text.casefold(), row)
            for row in self.items._seen(requester)
            if text.casefold() in row.name.casefold()
        ]
        missing = Missing.of(self.items.missing)
        shown = tuple(found[:limit])
        return SearchResult(shown, len(found) > limit, not missing.regions, missing.named, missing.regions)


@dataclass
class _Keypairs:
    items: Items

    async def list(
        self, requester: Requester, user_id: str | None = None, names: Sequence[str] = ()
    ) -> Keypairs:
        found = tuple(each for each in self.items.keypairs if not names or each.region in names)
        return Keypairs(found, complete=True, missing=(), missing_regions=0)


@dataclass
class _Filters:
    items: Items

    async def list(self, requester: Requester) -> Sequence[SavedFilter]:
        return [each for (user, _), each in self.items.saved.items() if user == requester.user_id]

    async def save(self, requester: Requester, name: str, kind: str, query: str) -> SavedFilter:
        saved = SavedFilter(proper_name(name), kind, proper_query(query))
        self.items.saved[requester.user_id, saved.name] = saved
        return saved

    async def delete(self, requester: Requester, name: str) -> None:
        self.items.saved.pop((requester.user_id, name), None)


@dataclass
class _Actions:
    items: Items

    async def act(  # noqa: PLR0913
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
        if not _Policy().allows(requester, action.rule):
            raise errors.Forbidden("the policy does not allow this")
        asked = body.model_dump(exclude_defaults=True) if body else None
        self.items.acted.append((action.full_name, region_name, item_id, asked, key, token.value))
        if self.items.gate is not None:
            await self.items.gate.wait()
        if self.items.refusal is not None:
            raise self.items.refusal
        item = next((row for row in self.items.rows if row.id == item_id), None)
        if action.creates:
            item = self.items.add(action.noun, "made", region_name, id="id-of-new")
        identity = item_id or "id-of-new"
        return Acted(action.full_name, region_name, identity, "req-1", "req-2", repeated=False, item=item)


@dataclass
class _Offers:
    items: Items

    async def show(self, requester: Requester, token: UserToken, name: str) -> Offers:
        flavors = (
            OfferedFlavor("f1", "m1.small", 1, 2048, 20, 7),
            OfferedFlavor("f2", "m1.big", 64, 1024, 1, 0),
        )
        return Offers(
            region=name,
            images=(a_row("image", "debian", name),),
            flavors=flavors,
            networks=(a_row("network", "net-a", name), a_row("network", "net-b", name)),
            security_groups=(a_row("security_group", "default", name),),
            keypairs=("laptop",),
            availability_zones=("az1",),
            volume_types=("ceph", "lvm"),
            complete=True,
            missing=(),
        )


OF_OPERATORS = (
    policies.TEST,
    quota_policies.SET,
    quota_policies.SET_CLASS,
    quota_policies.CLASSES,
    quota_policies.CAPS,
    quota_policies.SET_CAP,
    quota_policies.BACKENDS,
    quota_policies.SET_BACKEND,
    quota_policies.IMPORT,
    request_policies.DECIDE,
)
OF_MEMBERS = (quota_policies.BALANCE, request_policies.CREATE, request_policies.CANCEL)


class _Policy:
    def allows(self, requester: Requester, rule: str, target: Mapping[str, Any] | None = None) -> bool:
        if rule in OF_OPERATORS:
            return "admin" in requester.roles
        if rule in OF_MEMBERS and target != {"project_id": requester.project_id}:
            return "admin" in requester.roles
        if rule == request_policies.LIST:
            return True
        return bool({"member", "manager", "admin"} & requester.roles)


def _value(order: Order, row: InventoryRow) -> Any:
    if order.sort is Sort.UPDATED_AT:
        return row.updated_at or UNKNOWN_TIME
    return {Sort.NAME: row.name.casefold(), Sort.REGION: row.region, Sort.STATUS: row.status or ""}[
        order.sort
    ]


def _key(order: Order, row: InventoryRow) -> tuple[Any, str, str]:
    return _value(order, row), row.region, row.id


def _marker(order: Order, row: InventoryRow) -> str:
    return order.marker(Place(*_key(order, row)))
