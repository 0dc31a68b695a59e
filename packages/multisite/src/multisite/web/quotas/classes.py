"""The page of quota classes: named sets of limits that projects follow, to see and to change."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.engine.writes import RegionWrite
from multisite.errors import BadRequest, MultisiteError
from multisite.quotas import policies
from multisite.quotas.model import CLASS_NAME, DEFAULT_CLASS, ClassDryRun, MissingService
from multisite.quotas.resources import Kind, listed
from multisite.requester import Requester
from multisite.web.inventory.acts import one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.forms import limit_rows, limits_of
from multisite.web.quotas.plans import again, plan_table
from multisite.web.quotas.sending import TOLD, Fields
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import amount, limit_text
from multisite.web.rendering import Renderer
from multisite.web.urls import Urls
from multisite.web.usage_rows import label
from multisite.web.visitors import Visitor

_NAME = re.compile(CLASS_NAME)
_LONGEST_NAME = 64
#: Empty rows of the form.
SPARE = 3

Decide = Callable[[Requester, str, Fields], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class ClassesPage:
    """All classes, and the form that changes one."""

    services: QuotaServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The classes."""
        return await self._shown(request, visitor, {"name": [request.query_params.get("name", "")]})

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Set limits of a class, which makes it where there is none of that name; or try that out."""
        fields = await own_fields(request, visitor)
        if one(fields, "step") != "plan":
            return await self._do(request, visitor, fields, self._set)
        requester = visitor.acting_in(request)
        try:
            planned = await self.services.rules.plan_class(requester, _name(fields), limits_of(fields))
        except TOLD as error:
            return await self._shown(request, visitor, fields, error=error)
        return await self._shown(request, visitor, fields, planned=planned)

    async def take_out(self, request: Request, visitor: Visitor) -> Response:
        """Take a limit out of a class."""
        return await self._do(request, visitor, await own_fields(request, visitor), self._take_out)

    async def delete(self, request: Request, visitor: Visitor) -> Response:
        """Forget a class that nobody follows."""
        return await self._do(request, visitor, await own_fields(request, visitor), self._delete)

    async def _do(self, request: Request, visitor: Visitor, fields: Fields, decide: Decide) -> Response:
        requester = visitor.acting_in(request)
        try:
            await decide(requester, _name(fields), fields)
        except TOLD as error:
            return await self._shown(request, visitor, fields, error=error)
        return RedirectResponse(Urls.of(request).page("quotas/classes"), 303)

    async def _set(self, requester: Requester, name: str, fields: Fields) -> None:
        await self.services.rules.set_class(requester, name, limits_of(fields))

    async def _take_out(self, requester: Requester, name: str, fields: Fields) -> None:
        resource = plain_text(one(fields, "resource"), 300)
        await self.services.rules.set_class(requester, name, {resource: None})

    async def _delete(self, requester: Requester, name: str, fields: Fields) -> None:
        del fields
        await self.services.rules.delete_class(requester, name)

    async def _shown(
        self,
        request: Request,
        visitor: Visitor,
        fields: Fields,
        *,
        planned: ClassDryRun | None = None,
        error: MultisiteError | None = None,
    ) -> Response:
        classes = await self.services.rules.classes(visitor.requester)
        rows = limit_rows(fields) if "limit" in fields else []
        context = {
            "visitor": visitor,
            "here": "quotas",
            "classes": {
                name: [
                    {
                        "resource": resource,
                        "label": label(resource),
                        "limit": limit_text(resource, each.limit),
                        "kind": each.kind,
                        "burst": "" if each.burst is None else amount(resource, each.burst),
                    }
                    for resource, each in sorted(limits.items())
                ]
                for name, limits in sorted(classes.items())
            },
            "default": DEFAULT_CLASS,
            "may_set": self.services.policy.allows(visitor.requester, policies.SET_CLASS),
            "name": plain_text(one(fields, "name"), _LONGEST_NAME),
            "rows": rows,
            "spare": 1 if rows else SPARE,
            "kinds": [Kind.HARD, Kind.SOFT],
            "known": listed(),
            "problem": error.detail if error else "",
            "planned": plan_table(_writes(planned), _missing(planned)) if planned else None,
            "left_out": planned.left_out if planned else 0,
            "again": again(fields),
            "address": Urls.of(request).page("quotas/classes"),
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/classes.html", context, status=status)


def _writes(planned: ClassDryRun) -> list[tuple[str, RegionWrite]]:
    """All writes, each with the project that it is for."""
    return [(project.name or project.id, write) for project, plan in planned.plans for write in plan.writes]


def _missing(planned: ClassDryRun) -> list[MissingService]:
    return [each for _, plan in planned.plans for each in plan.missing]


def _name(fields: Fields) -> str:
    name = one(fields, "name")
    if not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME:
        raise BadRequest(
            f"name: {name[:_LONGEST_NAME]!r} is none; write letters, digits, '.', '_' and '-', "
            f"{_LONGEST_NAME} at most, a letter or a digit first"
        )
    return name
