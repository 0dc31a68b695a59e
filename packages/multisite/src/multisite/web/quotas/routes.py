"""The routes of the pages of quotas: a table, as in `web/pages.py`."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from multisite.clock import Clock
from multisite.engine.model import Operation
from multisite.quotas.requests.model import QuotaRequest
from multisite.web.once import Once
from multisite.web.quotas.answering import AnswerPage
from multisite.web.quotas.asking import AskPage
from multisite.web.quotas.backends import BackendsPage
from multisite.web.quotas.balancing import BalancePage
from multisite.web.quotas.caps import CapsPage
from multisite.web.quotas.changing import ChangePage
from multisite.web.quotas.classes import ClassesPage
from multisite.web.quotas.importing import ImportPage
from multisite.web.quotas.listing import QuotasPage
from multisite.web.quotas.project import QuotaPage
from multisite.web.quotas.requests import RequestPage, RequestsPage
from multisite.web.quotas.services import QuotaServices
from multisite.web.rendering import Renderer
from multisite.web.visitors import Visitor

Endpoint = Callable[[Request, Visitor], Awaitable[Response]]


def quota_pages(
    services: QuotaServices, listing: QuotasPage, quota: QuotaPage, renderer: Renderer, clock: Clock
) -> list[tuple[str, str, Endpoint]]:
    """Method, path, and endpoint of each page; `listing` and `quota` are live views, too."""
    once: Once[Operation] = Once(clock)
    asked: Once[QuotaRequest] = Once(clock)
    classes = ClassesPage(services, renderer)
    change = ChangePage(services, renderer, once)
    balance = BalancePage(services, quota, once)
    caps = CapsPage(services, renderer)
    backends = BackendsPage(services, renderer)
    ask = AskPage(services, renderer, asked)
    one = RequestPage(services, renderer)
    answer = AnswerPage(services, one, once, asked)
    return [
        ("GET", "/quotas", listing.page),
        ("GET", "/quotas/govern", change.govern),
        ("GET", "/quotas/import", ImportPage(services, renderer).page),
        ("GET", "/quotas/requests", RequestsPage(services, renderer).page),
        ("GET", "/quotas/requests/create", ask.page),
        ("POST", "/quotas/requests/create", ask.submit),
        ("GET", "/quotas/requests/{request_id}", one.page),
        ("POST", "/quotas/requests/{request_id}/cancel", answer.cancel),
        ("POST", "/quotas/requests/{request_id}/approve", answer.approve),
        ("POST", "/quotas/requests/{request_id}/refuse", answer.refuse),
        ("GET", "/quotas/caps", caps.page),
        ("POST", "/quotas/caps", caps.submit),
        ("POST", "/quotas/caps/take-away", caps.take_away),
        ("GET", "/quotas/backends", backends.page),
        ("POST", "/quotas/backends", backends.submit),
        ("POST", "/quotas/backends/unpin", backends.unpin),
        ("GET", "/quotas/classes", classes.page),
        ("POST", "/quotas/classes", classes.submit),
        ("POST", "/quotas/classes/take-out", classes.take_out),
        ("POST", "/quotas/classes/delete", classes.delete),
        ("GET", "/quotas/{project_id}", quota.page),
        ("POST", "/quotas/{project_id}/balance", balance.submit),
        ("GET", "/quotas/{project_id}/{form}", change.page),
        ("POST", "/quotas/{project_id}/{form}", change.submit),
    ]
