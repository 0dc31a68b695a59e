"""Taking over what is there: global limits as the regions' limits of today add up, to look at first.

Nothing is written or stored here. What is known of all regions can be put into the form of limits, which
shows the exact writes before it makes them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from multisite.errors import Forbidden, MultisiteError
from multisite.quotas import policies
from multisite.quotas.model import Proposal
from multisite.quotas.resources import Kind, listed
from multisite.web.filters import one_of
from multisite.web.inventory.asked import plain_text
from multisite.web.quotas.sending import TOLD, project_of
from multisite.web.quotas.services import QuotaServices
from multisite.web.quotas.words import amount, limit_text
from multisite.web.rendering import Renderer
from multisite.web.session import new_form_token
from multisite.web.usage_rows import label
from multisite.web.visitors import Visitor

#: Regions of one proposal that are shown.
MOST_REGIONS = 12
KINDS = (Kind.HARD.value, Kind.SOFT.value)


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Proposals."""

    services: QuotaServices
    renderer: Renderer

    async def page(self, request: Request, visitor: Visitor) -> Response:
        """The proposals for a project; of all resources where the address names none."""
        requester, query = visitor.requester, request.query_params
        if not self.services.policy.allows(requester, policies.IMPORT):
            raise Forbidden("Your roles do not allow to take over limits.")
        text, resources = plain_text(query.get("project", "")), _names(query.get("resource", ""))
        kind = one_of(query, "kind", KINDS)
        project_id, found, error = "", None, None
        if text:
            try:
                project_id = await project_of(self.services.projects, requester, text)
                found = await self.services.quotas.propose(
                    requester, project_id, resources, Kind(kind) if kind else None
                )
            except TOLD as told:
                error = told
        return self._shown(request, visitor, (text, " ".join(resources), kind), project_id, found, error)

    def _shown(
        self,
        request: Request,
        visitor: Visitor,
        asked: tuple[str, str, str],
        project_id: str,
        found: Sequence[Proposal] | None,
        error: MultisiteError | None,
    ) -> Response:
        rows = None if found is None else [_row(each) for each in found if each.regions or each.missing]
        context: dict[str, Any] = {
            "visitor": visitor,
            "here": "quotas",
            "project": asked[0],
            "resource": asked[1],
            "kind": asked[2],
            "kinds": KINDS,
            "known": listed(),
            "project_id": project_id,
            "rows": rows,
            "whole": [row for row in rows or () if row["whole"]],
            "most": MOST_REGIONS,
            "once": new_form_token(),
            "may_set": self.services.policy.allows(visitor.requester, policies.SET),
            "problem": error.detail if error else "",
        }
        status = error.status if error else 200
        return self.renderer.page(request, "quotas/import.html", context, status=status)


def _names(text: str) -> list[str]:
    """Resources with spaces or commas between them, each once."""
    return list(dict.fromkeys(name for name in re.split(r"[\s,]+", plain_text(text, 3000)) if name))


def _row(proposal: Proposal) -> dict[str, Any]:
    """One resource. `whole`: its limit is known of all regions, so it can be taken over."""
    name = proposal.resource
    return {
        "proposal": proposal,
        "label": label(name),
        "limit": limit_text(name, proposal.limit),
        "used": "" if proposal.kind is Kind.COPIED else amount(name, proposal.used),
        "regions": [(region, limit_text(name, each)) for region, each in sorted(proposal.regions.items())],
        "whole": proposal.limit is not None and not proposal.missing,
        "kind": "" if proposal.kind is Kind.COPIED else proposal.kind.value,
    }
