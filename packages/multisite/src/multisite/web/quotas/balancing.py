"""Two buttons: have a quota balanced now, or say in which region more is wanted.

What began is followed on the quota's own page. A tenant who asks too often reads there when to ask again.
"""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from multisite.engine.model import Operation
from multisite.errors import BadRequest, Conflict, NotFound, TooManyRequests
from multisite.web.inventory.acts import one, own_fields
from multisite.web.inventory.asked import plain_text
from multisite.web.once import Once
from multisite.web.quotas.project import QuotaPage
from multisite.web.quotas.sending import once_of
from multisite.web.quotas.services import QuotaServices
from multisite.web.urls import Urls
from multisite.web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class BalancePage:
    """Begins rounds."""

    services: QuotaServices
    quota: QuotaPage
    once: Once[Operation]

    async def submit(self, request: Request, visitor: Visitor) -> Response:
        """Begin one, and go to the quota."""
        fields = await own_fields(request, visitor)
        project_id = plain_text(str(request.path_params["project_id"]))
        requester = visitor.acting_in(request)
        region = plain_text(one(fields, "region"))

        async def work() -> Operation:
            return await self.services.quotas.balance(requester, project_id, [region] if region else [])

        try:
            key = (requester.user_id, requester.project_id, "balance", project_id, once_of(fields))
            operation = await self.once.do(key, work)
        except (BadRequest, Conflict, NotFound, TooManyRequests) as error:
            return await self.quota.shown(request, visitor, error)
        query = {"operation": operation.id, "resource": plain_text(one(fields, "resource"), 300)}
        return RedirectResponse(Urls.of(request).quota(project_id, query=query), 303)
