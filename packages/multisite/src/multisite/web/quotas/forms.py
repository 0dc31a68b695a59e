"""What can be decided of a quota from the page, in one table: each form, and the change that it means.

Numbers are read here, because a form has only texts; whether they make sense the service says, in the
sentences of the API. What was typed stays in the fields whatever is said of it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest

from multisite.errors import BadRequest
from multisite.quotas.limits import BoundsChange, QuotaChange, end_of
from multisite.quotas.model import LimitChange, ProjectQuota, ResourceQuota
from multisite.quotas.resources import UNLIMITED, Kind
from multisite.web.inventory.acts import one
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.sending import Fields

_WHOLE = re.compile(r"-?[0-9]{1,10}")
_LONGEST = 300
#: The columns of a row of limits.
LIMIT_FIELDS = ("resource", "limit", "kind", "burst")


@dataclass(frozen=True, slots=True)
class Form:
    """One form: its place in the address, its button and title, and the change that its fields mean.

    `change` gets the quota, `None` where the project is not governed yet. `one_resource`: it is about the
    resource that is chosen. `danger`: it takes something away.
    """

    name: str
    label: str
    title: str
    change: Callable[[Fields, ProjectQuota | None], QuotaChange]
    one_resource: bool = False
    danger: bool = False


def number(fields: Fields, name: str, where: str = "") -> int | None:
    """A whole number; `None` for an empty field. Raises `BadRequest` for another text."""
    return _number(one(fields, name), where or name)


def _number(text: str, where: str) -> int | None:
    typed = plain_text(text)
    if not typed:
        return None
    if typed.casefold() == "unlimited":
        return UNLIMITED
    if not _WHOLE.fullmatch(typed):
        raise BadRequest(f"{where}: {typed[:40]!r} is no whole number; -1 is unlimited")
    return int(typed)


def limit_rows(fields: Fields) -> list[tuple[str, str, str, str]]:
    """The rows of a form of limits: resource, limit, kind, burst, as they were typed."""
    columns = [[plain_text(each, _LONGEST) for each in fields.get(name, ())] for name in LIMIT_FIELDS]
    return [(row[0], row[1], row[2], row[3]) for row in zip_longest(*columns, fillvalue="")]


def limits_of(fields: Fields) -> dict[str, LimitChange | None]:
    """The limits that a form sets; rows without a limit set none. Raises `BadRequest` for what is none."""
    found: dict[str, LimitChange | None] = {}
    for resource, limit, kind, burst in limit_rows(fields):
        if not limit and not burst:
            continue
        if not resource:
            raise BadRequest(f"limits: {limit or burst} is the limit of what? Write a resource beside it")
        if resource in found:
            raise BadRequest(f"limits: {resource} is there twice")
        value = _number(limit, f"limits: {resource}")
        if value is None:
            raise BadRequest(f"limits: {resource}: write a limit beside the burst")
        if kind and kind not in set(Kind):
            raise BadRequest(f"limits: {resource}: there is no kind {kind!r}; there are: {', '.join(Kind)}")
        more = _number(burst, f"limits: {resource}: burst")
        found[resource] = LimitChange(value, Kind(kind) if kind else None, more)
    if not found:
        raise BadRequest("limits: there is nothing to change: write a limit beside a resource")
    return found


def _limits(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del quota
    return QuotaChange(limits=limits_of(fields))


def _take_away(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del quota
    return QuotaChange(limits={_resource(fields): None})


def _follow(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del quota
    return QuotaChange(follow=True, class_name=plain_text(one(fields, "class_name"), 64) or None)


def _bounds(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del quota
    resource, region = _resource(fields), plain_text(one(fields, "region"))
    if not region:
        raise BadRequest("regions: choose a region")
    where = f"regions: {region}: {resource}"
    minimum, maximum, weight = (
        number(fields, name, f"{where}: {name}") for name in ("minimum", "maximum", "weight")
    )
    nothing = (minimum or 0) == 0 and maximum is None and weight in {None, 1}
    asked = BoundsChange(minimum or 0, maximum, 1 if weight is None else weight, maximum is None)
    return QuotaChange(bounds={(region, resource): None if nothing else asked})


def _raise(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del quota
    resource = _resource(fields)
    limit = number(fields, "limit", f"raises: {resource}")
    if limit is None:
        raise BadRequest(f"raises: {resource}: write the higher limit")
    return QuotaChange(raises={resource: (limit, _moment(one(fields, "ends_at"), resource))})


def _end_raise(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del quota
    return QuotaChange(raises={_resource(fields): None})


def _unset(fields: Fields, quota: ProjectQuota | None) -> QuotaChange:
    del fields
    return end_of({each.resource: each for each in quota.resources} if quota else {})


def _resource(fields: Fields) -> str:
    resource = plain_text(one(fields, "resource"), _LONGEST)
    if not resource:
        raise BadRequest("resource: write one, such as compute/cores")
    return resource


def _moment(text: str, resource: str) -> datetime:
    """A moment as forms send it, which is UTC here. Raises `BadRequest`."""
    try:
        at = datetime.fromisoformat(plain_text(text))
    except ValueError:
        raise BadRequest(f"raises: {resource}: until: write a day and a time, in UTC") from None
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:
        raise BadRequest(f"raises: {resource}: until: {at} is beyond the calendar") from None


FORMS: Mapping[str, Form] = {
    form.name: form
    for form in (
        Form("limits", "Set limits", "Set limits", _limits),
        Form("raise", "Raise for a time", "Raise a limit for a time", _raise, one_resource=True),
        Form("end-raise", "End the raise", "End a raise now", _end_raise, one_resource=True),
        Form(
            "bounds",
            "Bound a region",
            "What one region has to have, and may have",
            _bounds,
            one_resource=True,
        ),
        Form("class", "Follow a class", "Follow a class of limits", _follow),
        Form(
            "take-away",
            "Take the limit away",
            "Take a limit away",
            _take_away,
            one_resource=True,
            danger=True,
        ),
        Form("unset", "Govern it no more", "Govern this project no more", _unset, danger=True),
    )
}


def forms_for(quota: ProjectQuota, chosen: ResourceQuota | None) -> Sequence[Form]:
    """The forms that make sense for a quota, and for the resource that is chosen."""
    without: set[str] = set()
    if chosen is None or chosen.raised_until is None:
        without.add("end-raise")
    if chosen is None or chosen.kind is Kind.COPIED:
        without.add("bounds")
    if chosen is None or chosen.source != "project":
        without.add("take-away")
    if chosen is None or chosen.limit == UNLIMITED:
        without.add("raise")
    if not quota.resources:
        without.add("unset")
    return [form for form in FORMS.values() if form.name not in without]
