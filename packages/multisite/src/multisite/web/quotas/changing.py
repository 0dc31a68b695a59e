"""Deciding on a quota from the page: a form, then the exact writes that it would make, then those writes.

The dry run is the service's own, so it refuses what the change would refuse, in the same words. Both carry
the generation of the quota that was shown: what somebody else decided in between is never overwritten.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.engine.model import Operation
from multisite.errors import BadRequest, Forbidden, MultisiteError, NotFound
from multisite.quotas import policies
from multisite.quotas.model import DryRun, ProjectQuota, ResourceQuota
from multisite.quotas.resources import Kind, listed
from multisite.requester import Requester
from multisite.web.inventory.acts import one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.once import Once
from multisite.web.quotas.forms import FORMS, LIMIT_FIELDS, Form, limit_rows
from multisite.web.quotas.plans import again, plan_table
from multisite.web.quotas.project import chosen_of
from multisite.web.quotas.sending import TOLD, Fields, once_of, project_of
from multisite.web.quotas.services import QuotaServices
from multisite.web.rendering import Renderer
from multisite.web.session import new_form_token
from multisite.web.urls import Urls
from multisite.web.usage_rows import MAIN
from multisite.web.visitors import Visitor

#: Empty rows of a form of limits.
SPARE = 3


@dataclass(frozen=True, slots=True)
class ChangePage:
    """The forms of one project's quota."""

    services: QuotaServices
    renderer: Renderer
    once: Once[Operation]

    async def govern(self, request: Request, visitor: Visitor) -> Response:
        """To the form that governs a project, which is named by its name or id."""
        self._require(visitor)
        text = plain_text(request.query_params.get("project", ""))
        urls, problem, status = Urls.of(request), "", 200
        if text:
            try:
                found = await project_of(self.services.projects, visitor.requester, text)
            except BadRequest as error:
                problem, status = error.detail, error.status
            else:
                return RedirectResponse(urls.quota(found, "limits"), 303)
        context = {
            "visitor": visitor,
            "here": "quotas",
            "project": text,
            "problem": problem,
            "may_import": self.services.policy.allows(visitor.requester, policies.IMPORT),
        }
        return self.renderer.page(request, "quotas/govern.html", context, status=status)

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """A form, filled with what holds now."""
        self._require(visitor)
        form, project_id = _form_of(request), _project(request)
        quota = await self._quota(visitor.requester, project_id)
        filled = _filled(form, quota, request.query_params)
        return await self._shown(request, visitor, form, quota, filled)

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """The dry run; after it, the change. Before both, limits that were proposed are put into the form."""
        fields = await own_fields(request, visitor)
        self._require(visitor)
        form, project_id = _form_of(request), _project(request)
        requester = visitor.acting_in(request)
        quota = await self._quota(requester, project_id)
        step = one(fields, "step")
        if step == "give-back" and form.name != "unset":
            raise NotFound(f"There is no form {form.name!r} that gives back.")
        if step == "fill" and form.name == "limits":
            return await self._shown(request, visitor, form, quota, fields)
        try:
            change = replace(form.change(fields, quota), generation=_generation(fields))
            if step not in {"write", "give-back"}:
                planned = await self.services.quotas.plan(requester, project_id, change)
                return await self._shown(request, visitor, form, quota, fields, planned=planned)

            async def work() -> Operation:
                if step == "give-back":
                    return await self.services.quotas.unset(requester, project_id)
                return await self.services.quotas.change(requester, project_id, change)

            key = (requester.user_id, requester.project_id, form.name, project_id, once_of(fields))
            operation = await self.once.do(key, work)
        except TOLD as error:
            return await self._shown(request, visitor, form, quota, fields, error=error)
        query = {"operation": operation.id, "resource": _one_resource(fields)}
        return RedirectResponse(Urls.of(request).quota(project_id, query=query), 303)

    def _require(self, visitor: Visitor) -> None:
        if not self.services.policy.allows(visitor.requester, policies.SET):
            raise Forbidden("Your roles do not allow to decide on quotas.")

    async def _quota(self, requester: Requester, project_id: str) -> ProjectQuota | None:
        try:
            return await self.services.quotas.show(requester, project_id)
        except NotFound:
            return None

    async def _shown(  # noqa: PLR0913 - what the page is made of
        self,
        request: Request,
        visitor: Visitor,
        form: Form,
        quota: ProjectQuota | None,
        fields: Fields,
        *,
        planned: DryRun | None = None,
        error: MultisiteError | None = None,
    ) -> Response:
        project_id = _project(request)
        urls, may_see = Urls.of(request), self.services.policy.allows(visitor.requester, policies.CLASSES)
        classes = (
            await self.services.rules.classes(visitor.requester) if form.name == "class" and may_see else {}
        )
        rows = limit_rows(fields) if form.name == "limits" else []
        gone = form.name == "unset" and quota is not None and isinstance(error, NotFound)
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "quotas",
            "form": form,
            "quota": quota,
            "project_id": project_id,
            "filled": {name: one(fields, name) for name in fields},
            "rows": rows,
            "spare": max(1, SPARE - sum(1 for row in rows if not any(row))) if rows else SPARE + 2,
            "kinds": [Kind.HARD, Kind.SOFT],
            "known": listed(),
            "resources": [each.resource for each in quota.resources] if quota else [],
            "regions": sorted({each.region for one_ in quota.resources for each in one_.regions})
            if quota
            else [],
            "classes": sorted(classes),
            "planned": plan_table([("", each) for each in planned.writes], planned.missing)
            if planned
            else None,
            "again": again(fields),
            "generation": str(quota.generation) if quota else "",
            "planned_generation": one(fields, "generation"),
            "once": new_form_token(),
            "problem": error.detail if error else "",
            "gone": gone,
            "address": urls.quota(project_id, form.name, {"resource": _one_resource(fields)}),
        }
        return self.renderer.page(
            request, "quotas/change.html", context, status=error.status if error else 200
        )


def _form_of(request: Request) -> Form:
    form = FORMS.get(str(request.path_params["form"]))
    if form is None:
        raise NotFound(f"There is no form {request.path_params['form']!r} of quotas.")
    return form


def _project(request: Request) -> str:
    return plain_text(str(request.path_params["project_id"]), 64)


def _generation(fields: Fields) -> int | None:
    text = one(fields, "generation")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - as int


def _one_resource(fields: Fields) -> str:
    """The resource that a form is about, where it is about one."""
    named = {each.strip() for each in fields.get("resource", ()) if each.strip()}
    return plain_text(named.pop(), 300) if len(named) == 1 else ""


def _filled(form: Form, quota: ProjectQuota | None, query: Mapping[str, str]) -> Fields:
    """What a form begins with."""
    resource, region = plain_text(query.get("resource", ""), 300), plain_text(query.get("region", ""))
    if form.name == "limits":
        return _limit_fields(quota, resource)
    held = chosen_of(quota, resource) if quota else None
    filled = {"resource": resource or (held.resource if held else ""), "region": region}
    if quota is not None and form.name == "class":
        filled["class_name"] = quota.class_name or ""
    if held is not None and form.name == "bounds":
        bounds = next((each for each in held.regions if each.region == region), None)
        filled |= {
            "minimum": str(bounds.minimum) if bounds else "0",
            "maximum": "" if bounds is None or bounds.maximum is None else str(bounds.maximum),
            "weight": str(bounds.weight) if bounds else "1",
        }
    if held is not None and held.raised_until is not None and form.name == "raise":
        filled |= {"limit": str(held.limit), "ends_at": held.raised_until.strftime("%Y-%m-%dT%H:%M")}
    return {name: [value] for name, value in filled.items()}


def _limit_fields(quota: ProjectQuota | None, resource: str) -> Fields:
    """A row for the resource that is asked for, else for all that the project has limits of its own of.

    For a project that has no quota, rows of usual resources.
    """
    if quota is None and not resource:
        rows = [(name, "", "", "") for name in MAIN]
    elif resource:
        held = chosen_of(quota, resource) if quota else None
        rows = [(resource, _lasting(held), "", "")]
    else:
        own = [each for each in quota.resources if each.source == "project"] if quota else []
        rows = [(each.resource, _lasting(each), "", "") for each in own]
    columns = zip(*rows, strict=True) if rows else ([] for _ in LIMIT_FIELDS)
    return {name: list(column) for name, column in zip(LIMIT_FIELDS, columns, strict=True)}


def _lasting(held: ResourceQuota | None) -> str:
    """The limit that a form begins with; that of a raise is not what would be set."""
    return str(held.limit) if held is not None and held.raised_until is None else ""
