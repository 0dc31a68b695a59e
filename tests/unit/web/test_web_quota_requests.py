"""Requests for more quota on the page: the list, asking, answering, taking back, what tenants do not see."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from multisite import errors
from multisite.quotas.limits import CapExceeded
from multisite.quotas.requests.model import RequestState
from multisite.quotas.requests.service import TooManyQuotaRequests
from multisite.web.quotas.requests import MOST_COUNTED, ROWS
from tests.unit.web.quotas import CORES, NOW, RAM, region, resource

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser, World
    from tests.unit.web.items import Items
    from tests.unit.web.quotas import Quotas
    from tests.unit.web.requests import Requests

LIST, ASK, ONE = "/quotas/requests", "/quotas/requests/create", "/quotas/requests/r1"


def hidden_of(answer: Answer, form: str) -> dict[str, str | list[str]]:
    """The hidden fields of the form that is sent to an address."""
    text = answer.text.partition(f'action="{form}"')[2].partition("</form>")[0]
    assert text, f"no form that is sent to {form}"
    found: dict[str, str | list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', text):
        found[name] = [*found.get(name, []), unescape(value)]
    return found


def values_of(answer: Answer, name: str) -> list[str]:
    """What stands in the fields of a name that can be seen."""
    tags = re.findall(rf'<input name="{name}"[^>]*>', answer.text)
    return [unescape(found.group(1)) for tag in tags if (found := re.search(r'value="([^"]*)"', tag))]


@pytest.fixture
def governed(quotas: Quotas) -> Quotas:
    """Alpha has 100 cores, of which 93 are used, and 50 GiB memory."""
    quotas.add(
        "p-alpha",
        resource(CORES, 100, region("north", 60, 60), region("south", 40, 33)),
        resource(RAM, 51200, region("north", 40960, 2048)),
    )
    return quotas


@pytest.fixture
def waiting(governed: Quotas, asked: Requests) -> Requests:
    """Alice asked for 120 cores and 100 GiB memory; beta for servers."""
    assert governed.there
    asked.add("r0", {"compute/instances": 7}, project_id="p-beta", project_name="beta", user_name="bob")
    asked.add("r1", {CORES: 120, RAM: 102400})
    return asked


# -- the list ----------------------------------------------------------------------------------------


async def test_operators_see_all_requests_the_newest_first(waiting: Requests, browser: Browser) -> None:
    waiting.add("r2", {CORES: 110}, state=RequestState.APPROVED, granted={CORES: 105}, answer="until May")
    await browser.log_in("root")
    answer = await browser.get(LIST)
    assert answer.status == 200
    assert re.findall(rf'href="{LIST}/(r\d)"', answer.text) == ["r2", "r1", "r0"]
    assert "Memory 100 GiB, VCPU 120 has Memory 50 GiB, VCPU 100 now alpha alice 9 min ago" in answer.words
    assert "VCPU 110 granted: VCPU 105 alpha" in answer.words
    assert "open a second cell –" in answer.words
    assert "until May" in answer.words
    assert "Servers 7 beta bob" in answer.words
    assert 'href="/quotas" aria-current="page"' in answer.text


async def test_a_tenant_sees_those_of_its_project(waiting: Requests, browser: Browser) -> None:
    await browser.log_in("alice")
    for query in ("", "?project=p-beta"):
        answer = await browser.get(LIST + query)
        assert re.findall(rf'href="{LIST}/(r\d)"', answer.text) == ["r1"]
    assert "has Memory 50 GiB, VCPU 100 now" in answer.words
    assert 'name="project"' not in answer.text
    assert f'href="{ASK}"' in answer.text
    assert waiting.there["r0"].state is RequestState.OPEN
    for path in (f"{LIST}/r0", f"{LIST}/nothing"):
        assert (await browser.get(path)).status == 404


@pytest.mark.parametrize(
    ("query", "shown", "told"),
    [
        ("state=open", ["r1", "r0"], "2 requests, the newest first"),
        ("state=refused", [], "No request fits the filter."),
        ("state=perhaps", [], "State: there is no state 'perhaps'; there are: open, approved,"),
        ("project=alpha", ["r1"], "1 request, the newest first"),
        (f"project={'b' * 32}", [], "No request fits the filter."),
        ("project=nope", [], "nope"),
        ("after=gone", [], "Marker: there is no request 'gone' to continue after."),
    ],
)
async def test_the_list_has_filters_and_says_what_they_cannot_be(
    waiting: Requests, items: Items, browser: Browser, query: str, shown: list[str], told: str
) -> None:
    assert waiting.there
    items.add("server", "db-1")
    await browser.log_in("root")
    answer = await browser.get(f"{LIST}?{query}")
    assert re.findall(rf'href="{LIST}/(r\d)"', answer.text) == shown
    assert told in answer.words


async def test_the_list_has_pages(asked: Requests, browser: Browser) -> None:
    for number in range(ROWS + 1):
        asked.add(f"n{number}", {CORES: number})
    await browser.log_in("root")
    first = await browser.get(f"{LIST}?state=open")
    assert f'href="{LIST}?state=open&amp;after=n1"' in first.text
    second = await browser.get(f"{LIST}?state=open&after=n1")
    assert re.findall(rf'href="{LIST}/(n\d+)"', second.text) == ["n0"]
    assert f'class="button" href="{LIST}?state=open"' in second.text


async def test_nobody_asked_yet(asked: Requests, browser: Browser) -> None:
    assert not asked.there
    await browser.log_in("alice")
    assert "Nobody asked for more yet." in (await browser.get(LIST)).words


# -- the way there -----------------------------------------------------------------------------------


async def test_the_list_of_quotas_says_how_many_wait_and_is_live(waiting: Requests, browser: Browser) -> None:
    waiting.add("r2", {CORES: 110}, state=RequestState.REFUSED)
    await browser.log_in("root")
    page = await browser.get("/quotas")
    assert "Requests 2 open" in page.words
    assert f'href="{LIST}?state=open"' in page.text
    found = re.search(r'sse-connect="([^"]+)"', page.text)
    assert found
    async with browser.stream(unescape(found.group(1))) as events:
        for number in range(MOST_COUNTED):
            waiting.add(f"n{number}", {CORES: 200})
        news = await events.next()
    assert news is not None
    assert f"more than {MOST_COUNTED} open" in news[1]


async def test_a_quota_leads_to_its_own_requests_and_to_asking(waiting: Requests, browser: Browser) -> None:
    await browser.log_in("alice")
    page = await browser.get("/quotas/p-alpha?resource=compute/ram")
    assert "Requests 1 open" in page.words
    assert f'href="{ASK}?resource=compute%2Fram">Ask for more…</a>' in page.text
    assert f'href="{LIST}">Requests' in page.text
    waiting.there.clear()
    assert "open" not in (await browser.get("/quotas/p-alpha")).words
    await browser.log_in("root")
    assert f'href="{LIST}?project=p-alpha">Requests' in (await browser.get("/quotas/p-alpha")).text
    waiting.quotas.add("p-beta", name="beta")
    other = await browser.get("/quotas/p-beta")
    assert other.status == 200
    assert ASK not in other.text


async def test_a_project_without_a_quota_can_ask_for_one(asked: Requests, browser: Browser) -> None:
    assert not asked.there
    await browser.log_in("alice")
    none = await browser.get("/quotas/p-alpha")
    assert none.status == 404
    assert f'href="{ASK}"' in none.text
    form = await browser.get(ASK)
    assert "compute/instances" in values_of(form, "resource")


async def test_readers_see_and_do_not_ask(waiting: Requests, world: World, browser: Browser) -> None:
    world.person("rita", "reader")
    await browser.log_in("rita")
    for path in (LIST, "/quotas/p-alpha"):
        assert ASK not in (await browser.get(path)).text
    one = await browser.get(ONE)
    assert one.status == 200
    assert "Take it back" not in one.words
    assert (await browser.get(ASK)).status == 403
    assert waiting.there["r1"].state is RequestState.OPEN


# -- asking ------------------------------------------------------------------------------------------


async def test_the_form_begins_with_what_there_is(governed: Quotas, browser: Browser) -> None:
    assert governed.there
    await browser.log_in("alice")
    every = await browser.get(ASK)
    assert values_of(every, "resource") == [CORES, RAM, "", ""]
    assert values_of(every, "limit") == ["", "", "", ""]
    assert "VCPU: 100, 93 used" in every.words
    assert "Memory: 51200 MiB, 2048 MiB used" in every.words
    one = await browser.get(f"{ASK}?resource=compute/ram")
    assert values_of(one, "resource") == [RAM, "", ""]
    assert "VCPU:" not in one.words


async def test_a_tenant_asks_once(governed: Quotas, asked: Requests, browser: Browser) -> None:
    assert governed.there
    await browser.log_in("alice")
    fields = hidden_of(await browser.get(ASK), ASK)
    fields |= {"resource": [CORES, RAM, ""], "limit": ["120", "", ""], "reason": "a second\r\ncell"}
    answer = await browser.post(ASK, fields)
    again = await browser.post(ASK, fields)
    [made] = asked.there.values()
    assert answer.status == 303
    assert answer.headers["location"] == again.headers["location"] == f"{LIST}/{made.id}"
    assert (made.limits, made.reason, made.user_name) == ({CORES: 120}, "a second cell", "alice")
    shown = await browser.get(f"{LIST}/{made.id}")
    assert "alpha asks for more" in shown.words
    assert "VCPU compute/cores 120 100 93" in shown.words


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"limit": ["many"]}, "Limits: compute/cores: 'many' is no whole number; -1 is unlimited"),
        ({"limit": [""]}, "Limits: there is nothing to change: write a limit beside a resource"),
        ({"resource": [""]}, "Limits: 120 is the limit of what?"),
        ({"reason": " "}, "Reason: write a few words: what is it for?"),
        ({"reason": "x" * 1001}, "Reason: write 1000 characters at most; these are 1001"),
        ({"reason": "a \x1b[31mcell"}, "Reason: it holds the invisible character U+001B; write plain text"),
        ({"once": "short"}, "The form was too old."),
    ],
)
async def test_what_is_wrong_with_it_is_told_and_what_was_typed_stays(
    asked: Requests, browser: Browser, typed: dict[str, str | list[str]], sentence: str
) -> None:
    await browser.log_in("alice")
    fields = {"resource": [CORES], "limit": ["120"], "reason": "a second cell", **typed}
    answer = await browser.post(ASK, {**hidden_of(await browser.get(ASK), ASK), **fields})
    assert answer.status == 400
    assert sentence in answer.words
    assert values_of(answer, "resource")[0] == fields["resource"][0]
    assert values_of(answer, "limit")[0] == fields["limit"][0]
    assert f">{str(fields['reason']).strip()}</textarea>" in answer.text
    assert not asked.there


async def test_what_the_service_refuses_stands_above_the_form(asked: Requests, browser: Browser) -> None:
    asked.refusal = TooManyQuotaRequests("5 requests of this project are open already; wait for an answer")
    await browser.log_in("alice")
    fields = {"resource": [CORES], "limit": ["120"], "reason": "a second cell"}
    answer = await browser.post(ASK, {**hidden_of(await browser.get(ASK), ASK), **fields})
    assert answer.status == 409
    assert "5 requests of this project are open already" in answer.words
    assert values_of(answer, "limit")[0] == "120"


async def test_who_is_in_no_project_cannot_ask(asked: Requests, world: World, browser: Browser) -> None:
    world.person("system", "admin", system_scope=True)
    await browser.log_in("system")
    assert ASK not in (await browser.get(LIST)).text
    assert (await browser.get(ASK)).status == 400
    assert not asked.there


# -- answering ---------------------------------------------------------------------------------------


async def test_an_operator_approves_with_less_once_and_follows_it(
    waiting: Requests, browser: Browser
) -> None:
    await browser.log_in("root")
    page = await browser.get(ONE)
    assert "VCPU compute/cores 120 100 93" in page.words
    assert values_of(page, "limit") == ["102400", "120"]
    fields = hidden_of(page, f"{ONE}/approve")
    assert fields["resource"] == [RAM, CORES]
    fields |= {"limit": ["", "110"], "answer": "until May"}
    answer = await browser.post(f"{ONE}/approve", fields)
    again = await browser.post(f"{ONE}/approve", fields)
    followed = f"/quotas/p-alpha?operation=approving&resource={CORES.replace('/', '%2F')}"
    assert (answer.status, answer.headers["location"]) == (303, followed)
    assert again.headers["location"] == followed
    assert waiting.approved == [("r1", {CORES: 110}, "until May")]
    assert "queued" in (await browser.get(followed)).words
    seen = await browser.get(ONE)
    assert 'href="/operations/approving"' in seen.text
    assert "by root" in seen.words
    assert "VCPU compute/cores 120 100 93 110" in seen.words
    assert "Memory compute/ram 100 GiB 50 GiB 2 GiB nothing" in seen.words


async def test_the_tenant_sees_the_answer_and_not_who_gave_it(waiting: Requests, browser: Browser) -> None:
    more = {"state": RequestState.APPROVED, "decided_at": NOW, "decided_by": "root", "answer": "until May"}
    waiting.add("r1", {CORES: 120}, granted={CORES: 110}, operation_id="approving", **more)
    await browser.log_in("alice")
    seen = await browser.get(ONE)
    assert "Answer until May" in seen.words
    assert "root" not in seen.words
    assert "approving" not in seen.text
    for act in ("approve", "refuse", "cancel"):
        assert f"{ONE}/{act}" not in seen.text


async def test_an_operator_refuses_with_a_reason(waiting: Requests, browser: Browser) -> None:
    await browser.log_in("root")
    fields = hidden_of(await browser.get(ONE), f"{ONE}/refuse")
    empty = await browser.post(f"{ONE}/refuse", {**fields, "reason": "  "})
    assert empty.status == 400
    assert "Reason: write why; the project reads it" in empty.words
    assert waiting.there["r1"].state is RequestState.OPEN
    answer = await browser.post(f"{ONE}/refuse", {**fields, "reason": "no room"})
    assert (answer.status, answer.headers["location"]) == (303, ONE)
    seen = await browser.get(ONE)
    assert "Answer no room" in seen.words
    assert "Approve" not in seen.words


async def test_who_comes_later_reads_what_was_decided(waiting: Requests, browser: Browser) -> None:
    await browser.log_in("root")
    page = await browser.get(ONE)
    sent = {act: hidden_of(page, f"{ONE}/{act}") for act in ("approve", "refuse")}
    waiting.add("r1", {CORES: 120}, state=RequestState.CANCELLED, decided_at=NOW, decided_by="alice")
    for act, fields in sent.items():
        answer = await browser.post(f"{ONE}/{act}", {**fields, "limit": ["120", "120"], "reason": "no room"})
        assert answer.status == 409
        assert "The request r1 is cancelled already" in answer.words
        assert "Taken back" in answer.words
        assert f"{ONE}/{act}" not in answer.text
    assert not waiting.approved


async def test_what_an_approval_is_refused_for_keeps_what_was_typed(
    waiting: Requests, browser: Browser
) -> None:
    await browser.log_in("root")
    fields = hidden_of(await browser.get(ONE), f"{ONE}/approve")
    fields |= {"limit": ["", "119"], "answer": "until May"}
    bad = await browser.post(f"{ONE}/approve", {**fields, "limit": ["x", "119"]})
    assert (bad.status, values_of(bad, "limit")) == (400, ["x", "119"])
    waiting.refusal = CapExceeded("compute/cores: domain d1 may have 50 in all")
    answer = await browser.post(f"{ONE}/approve", fields)
    assert answer.status == 409
    assert "Compute/cores: domain d1 may have 50 in all" in answer.words
    assert values_of(answer, "limit") == ["", "119"]
    assert ">until May</textarea>" in answer.text
    assert waiting.there["r1"].state is RequestState.OPEN


async def test_an_approval_that_begins_to_govern_says_so(asked: Requests, browser: Browser) -> None:
    asked.add("r1", {CORES: 120})
    await browser.log_in("root")
    page = await browser.get(ONE)
    assert "The project has no limits over all regions yet" in page.words
    assert "VCPU compute/cores 120 none –" in page.words


async def test_a_first_limit_of_a_resource_is_told_to_be_one(
    governed: Quotas, asked: Requests, browser: Browser
) -> None:
    assert governed.there
    told = "What has no limit over all regions yet gets one, which cannot be less than its regions give now."
    asked.add("r1", {"network/port": 50})
    asked.add("r2", {CORES: 120})
    await browser.log_in("root")
    assert told in (await browser.get(ONE)).words
    assert told not in (await browser.get(f"{LIST}/r2")).words


async def test_a_tenant_takes_its_own_back_and_decides_nothing(waiting: Requests, browser: Browser) -> None:
    await browser.log_in("alice")
    page = await browser.get(ONE)
    assert f"{ONE}/approve" not in page.text
    fields = hidden_of(page, f"{ONE}/cancel")
    for act in ("approve", "refuse"):
        sly = await browser.post(f"{ONE}/{act}", {**fields, "resource": CORES, "limit": "9", "reason": "x"})
        assert sly.status == 403
    assert (await browser.post(f"{LIST}/r0/cancel", fields)).status == 404
    answer = await browser.post(f"{ONE}/cancel", fields)
    again = await browser.post(f"{ONE}/cancel", fields)
    assert answer.headers["location"] == again.headers["location"] == ONE
    assert waiting.there["r1"].state is RequestState.CANCELLED
    assert waiting.there["r0"].state is RequestState.OPEN
    assert "Taken back" in (await browser.get(ONE)).words


async def test_foreign_forms_are_refused(waiting: Requests, browser: Browser) -> None:
    await browser.log_in("root")
    fields = hidden_of(await browser.get(ONE), f"{ONE}/approve")
    fields |= {"limit": ["1", "2"], "reason": "x"}
    for path in (ASK, f"{ONE}/approve", f"{ONE}/refuse", f"{ONE}/cancel"):
        assert (await browser.post(path, fields, origin="http://evil.example")).status == 403
        assert (await browser.post(path, {**fields, "form_token": "x"})).status == 403
    assert len(waiting.there) == 2
    assert waiting.there["r1"].state is RequestState.OPEN


async def test_texts_with_markup_are_text(asked: Requests, browser: Browser) -> None:
    evil = "</textarea><script>x</script>"
    names = {"project_name": "<u>alpha", "user_name": "<i>eve"}
    asked.add("r1", {'<u>/"x': 5}, reason=evil, answer="<img src=x>", **names)
    await browser.log_in("root")
    one = await browser.get(ONE)
    fields = hidden_of(one, f"{ONE}/refuse") | {"once": "short", "reason": evil}
    typed = {**fields, "resource": [evil], "limit": [evil], "reason": evil}
    pages = [await browser.get(LIST), one, await browser.post(f"{ONE}/refuse", fields)]
    pages.append(await browser.post(ASK, typed))
    for page in pages:
        for mark in ("<script>x", "<u>", "<i>eve", "<img"):
            assert mark not in page.text
    assert errors.BadRequest.status == pages[-1].status == pages[-2].status
