"""Writes limits to regions: what exactly is sent for each back end, and what came of it.

Classic: one PUT for all resources of a service; its answer tells the limits that are in force afterwards.
Unified: a call to Keystone for each resource that changes (new ones together); 0 is a DELETE and a POST,
since Keystone ignores a change to 0. `force` is never sent: what a region refuses is read again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from multisite.engine.executors import Fence
from multisite.engine.recording import outcome_of
from multisite.engine.writes import Outcome, RegionWrite
from multisite.openstack.client import Regions
from multisite.openstack.failures import RegionCallError
from multisite.openstack.limits import Limit
from multisite.openstack.once import AnswerLost, NeverSent
from multisite.openstack.users import Refused, Reply, Stumbled, UserCalls, UserToken
from multisite.quotas.model import Backend, Share
from multisite.quotas.reading import Facts
from multisite.quotas.resources import name_of, unified_name
from multisite.regions.discovery import target_of
from multisite.regions.model import Region

_UNAUTHORIZED = 401
_NOVA = "compute 2.53"


@dataclass(frozen=True, slots=True)
class Write:
    """One write, and the resources that it changes."""

    write: RegionWrite
    resources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written to one service of one region.

    `values`: resource → limit; `None` takes the project's own limit away.
    """

    region: Region
    share: Share
    values: Mapping[str, int | None]
    writes: Sequence[Write]


@dataclass(slots=True)
class Came:
    """What came of a change, by resource.

    `confirmed`: in force, as the answer says. `ignored`: the answer was good, and tells another limit.
    `refused`: nothing was done. What is in none of them may have been done. `outcomes` are the journal's.
    """

    confirmed: dict[str, int] = field(default_factory=dict)
    ignored: dict[str, int | None] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    sentence: str | None = None
    outcomes: list[Outcome] = field(default_factory=list)


def change(region: Region, share: Share, values: Mapping[str, int | None], facts: Facts) -> Change:
    """The exact writes that bring these limits about, which a dry run shows."""
    make = _unified if share.backend is Backend.UNIFIED else _classic
    return Change(region, share, values, make(region, share, values, facts))


def passes_default(region: Region, share: Share, resource: str, facts: Facts) -> int | None:
    """What would be in force for a moment while 0 is written; `None` where nothing else would be."""
    if share.backend is not Backend.UNIFIED:
        return None
    name = name_of(resource)
    if facts.limit_of(share.service, region, name) is None:
        return None
    return facts.registered_in(share.service, region).get(name)


def reset(region: Region, share: Share, resources: Iterable[str]) -> Change:
    """Takes all of a project's own limits away from a service with a quota API of its own."""
    gone = frozenset(resources)
    write = RegionWrite(
        region.name,
        share.service,
        "DELETE",
        _path(share),
        f"limits of {share.service} in {region.name} back to the defaults",
        before={name_of(name): share.figures[name].limit for name in sorted(gone)},
    )
    return Change(region, share, dict.fromkeys(sorted(gone)), [Write(write, gone)])


def _path(share: Share) -> tuple[str, str]:
    return ("quotas" if share.service == "network" else "os-quota-sets", share.local_id or "")


def _classic(region: Region, share: Share, values: Mapping[str, int | None], facts: Facts) -> list[Write]:
    del facts
    numbers = {name_of(resource): value for resource, value in values.items() if value is not None}
    before = {name_of(each): share.figures[each].limit for each in values if each in share.figures}
    write = RegionWrite(
        region.name,
        share.service,
        "PUT",
        _path(share),
        f"limits of {share.service} in {region.name}: {_told(numbers)}",
        before=before,
        after=numbers,
        body={"quota" if share.service == "network" else "quota_set": dict(numbers)},
        microversion=_NOVA if share.service == "compute" else None,
    )
    return [Write(write, frozenset(values))]


def _unified(region: Region, share: Share, values: Mapping[str, int | None], facts: Facts) -> list[Write]:
    writes: list[Write] = []
    fresh: dict[str, int] = {}
    for resource, value in values.items():
        held = facts.limit_of(share.service, region, name_of(resource))
        if held is not None:
            write = _own(region, share, resource, held, value)
            writes.append(Write(write, frozenset({resource})))
        if value is not None and (held is None or value == 0):
            fresh[resource] = value
    if fresh:
        writes.append(Write(_new(region, share, fresh, facts), frozenset(fresh)))
    return writes


def _own(region: Region, share: Share, resource: str, held: Limit, value: int | None) -> RegionWrite:
    """Changes a limit that the project has in Keystone, or takes it away."""
    told = f"limit of {share.service} in {region.name}: {unified_name(resource)}"
    path = ("limits", held.id)
    if not value:
        return RegionWrite(region.name, "identity", "DELETE", path, f"{told} away", before=held.value)
    body = {"limit": {"resource_limit": value}}
    return RegionWrite(region.name, "identity", "PATCH", path, f"{told}={value}", held.value, value, body)


def _new(region: Region, share: Share, fresh: Mapping[str, int], facts: Facts) -> RegionWrite:
    """Makes limits that the project has not yet."""
    numbers = {unified_name(resource): value for resource, value in fresh.items()}
    items = [
        {
            "service_id": facts.registered.service_ids[share.service],
            "region_id": region.region_name,
            "project_id": share.local_id,
            "resource_name": name,
            "resource_limit": value,
        }
        for name, value in numbers.items()
    ]
    told = f"limits of {share.service} in {region.name}: {_told(numbers)}"
    return RegionWrite(region.name, "identity", "POST", ("limits",), told, None, numbers, {"limits": items})


def _told(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(numbers.items()))


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends changes, each once; lives on the region loop. `may_send` is asked right before each byte."""

    calls: UserCalls
    may_send: Callable[[Fence], bool]

    async def send(self, change: Change, request_id: str, fence: Fence) -> Came:
        """Send the writes of one change, one after the other; the first that fails ends it."""
        came = Came()
        replies: list[Reply] = []
        for write in change.writes:
            try:
                reply = await self._send(change.region, write.write, request_id, fence)
            except (NeverSent, Refused, Stumbled, AnswerLost, RegionCallError) as error:
                came.outcomes.append(outcome_of(_as_unsent(error)))
                came.sentence = f"{write.write.what}: {str(error) or type(error).__name__}"
                if isinstance(error, NeverSent | Refused | RegionCallError):
                    touched = {name for each in change.writes[: len(replies)] for name in each.resources}
                    came.refused = set(change.values) - touched
                break
            came.outcomes.append(outcome_of(reply))
            replies.append(reply)
        came.outcomes += [Outcome("not-sent")] * (len(change.writes) - len(came.outcomes))
        _judge(change, replies, came)
        return came

    async def _send(self, region: Region, write: RegionWrite, request_id: str, fence: Fence) -> Reply:
        regions: Regions = self.calls.regions
        target = target_of(region)
        access = await regions.client(target).access()
        try:
            return await self._once(region, access.token, write, request_id, fence)
        except Refused as error:
            if error.status != _UNAUTHORIZED:
                raise
        renewed = await regions.tokens.renewed(regions.clouds.credential(target.credential), access.token)
        return await self._once(region, renewed.token, write, request_id, fence)

    async def _once(
        self, region: Region, token: str, write: RegionWrite, request_id: str, fence: Fence
    ) -> Reply:
        alive = partial(self.may_send, fence)
        client = self.calls.client(target_of(region), UserToken(token), request_id, alive=alive)
        body: Any = write.body if write.body is not None else write.after
        return await client.write(
            write.method, write.service, write.path, body, microversion=write.microversion
        )

    async def send_all(self, changes: Sequence[Change], request_id: str, fence: Fence) -> list[Came]:
        """Send changes to several regions at once, as long as the fence stands."""
        return list(await asyncio.gather(*(self.send(each, request_id, fence) for each in changes)))


def _as_unsent(error: Exception) -> Exception:
    return NeverSent(error.detail) if isinstance(error, RegionCallError) else error


def _known_as(change: Change, resource: str) -> str:
    return unified_name(resource) if change.share.backend is Backend.UNIFIED else name_of(resource)


def _judge(change: Change, replies: Sequence[Reply], came: Came) -> None:
    """Hold what the answers tell against what was asked for."""
    told: dict[str, int] = {}
    for reply in replies:
        told |= _told_by(reply)
    for resource, value in change.values.items():
        if resource in came.refused:
            continue
        shown = told.get(_known_as(change, resource))
        if shown is None:
            continue
        if shown == value:
            came.confirmed[resource] = shown
        else:
            came.ignored[resource] = shown


def _told_by(reply: Reply) -> dict[str, int]:
    """The limits that an answer tells, by the names that the back end has for them."""
    body = reply.body
    for key in ("quota_set", "quota"):
        if isinstance(body.get(key), dict):
            return {name: value for name, value in body[key].items() if isinstance(value, int)}
    items = body.get("limits") if isinstance(body.get("limits"), list) else [body.get("limit")]
    return {
        str(item["resource_name"]): item["resource_limit"]
        for item in items or ()
        if isinstance(item, dict) and isinstance(item.get("resource_limit"), int) and "resource_name" in item
    }
