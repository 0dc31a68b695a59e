"""Operations on the page: the list, one of them, its buttons, live."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from multisite.engine.model import Failure, Part, State
from multisite.engine.writes import WriteRecord
from multisite.web.operations import ROWS

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser
    from tests.unit.web.work import Operations

LACKING = Failure("credential-lacking", "the credential 'lab' lacks: roles", "req-region-7")
DONE = Part("RegionOne", State.SUCCEEDED, 100, None, 1)
ILL = Part("RegionTwo", State.FAILED, 0, "examine", 2, LACKING)


async def stream_of(browser: Browser, path: str) -> str:
    found = re.search(r'sse-connect="([^"]+)"', (await browser.get(path)).text)
    assert found
    return found.group(1).replace("&amp;", "&")


async def test_the_list_says_what_runs_and_what_went_wrong(work: Operations, browser: Browser) -> None:
    work.add("one", DONE, ILL)
    await browser.log_in("root")
    answer = await browser.get("/operations")

    assert answer.status == 200
    assert "Test of regions 1 succeeded, 1 failed" in answer.words
    assert '<progress max="100" value="50" aria-label="Test of regions, done">' in answer.text
    assert "credential-lacking" in answer.words
    assert 'href="/operations/one"' in answer.text
    assert 'href="/operations" aria-current="page"' in answer.text


async def test_an_empty_list_says_why(work: Operations, browser: Browser) -> None:
    await browser.log_in("root")
    assert "No operation was begun yet." in (await browser.get("/operations")).words
    work.add("one", DONE)
    answer = await browser.get("/operations?state=failed")
    assert "No operation fits the filter." in answer.words
    assert '<option value="failed" selected>' in answer.text


@pytest.mark.parametrize(("query", "said"), [
    ("state=perhaps", "State: there is no state 'perhaps'; there are: queued, running,"),
    ("kind=dance", "Kind: there is no kind 'dance'."),
    ("region=nope", "There is no region called 'nope'."),
])  # fmt: skip
async def test_a_filter_that_means_nothing_is_told(
    work: Operations, browser: Browser, query: str, said: str
) -> None:
    work.add("one", DONE)
    await browser.log_in("root")
    answer = await browser.get(f"/operations?{query}")
    assert said in answer.words
    assert 'href="/operations/one"' not in answer.text


async def test_the_list_has_pages(work: Operations, browser: Browser) -> None:
    for number in range(ROWS + 1):
        work.add(f"op-{number}", DONE)
    await browser.log_in("root")
    first = await browser.get("/operations")
    assert f'href="/operations?after=op-{ROWS - 1}"' in first.text
    second = await browser.get(f"/operations?after=op-{ROWS - 1}")
    assert second.text.count('<tr id="operation-') == 1
    assert ">Newest</a>" in second.text


async def test_a_tenant_sees_those_of_its_project_only(work: Operations, browser: Browser) -> None:
    work.add("mine", DONE)
    work.add("theirs", DONE, project="p-beta")
    await browser.log_in("alice")
    answer = await browser.get("/operations")
    assert "/operations/mine" in answer.text
    assert "theirs" not in answer.text
    assert "Test all regions" not in answer.text
    assert (await browser.get("/operations/theirs")).status == 404
    assert (await browser.get("/events?view=operation&id=theirs")).status == 404


async def test_one_shows_each_region_the_worst_first(work: Operations, browser: Browser) -> None:
    work.add("one", DONE, ILL)
    await browser.log_in("root")
    answer = await browser.get("/operations/one")
    assert answer.words.index("RegionTwo") < answer.words.index("RegionOne")
    assert "examine 2" in answer.words
    assert "the credential 'lab' lacks: roles" in answer.words
    assert "req-region-7" in answer.words
    assert "Nothing was written to a region." in answer.words


async def test_one_shows_what_was_written(work: Operations, browser: Browser) -> None:
    work.add("one", DONE)
    at = datetime(2026, 11, 22, tzinfo=UTC)
    record = WriteRecord(
        7, at, at, "RegionOne", "compute", "PUT", "/os-quota-sets/p", "set the quota of alpha", None, None,
        "p-alpha", "root", "root", "one", "set quota", "req-1", "req-region-8", "not-sent", 409, "over quota",
    )  # fmt: skip
    work.written["one"] = [record]
    await browser.log_in("root")
    words = (await browser.get("/operations/one")).words
    assert "set the quota of alpha PUT /os-quota-sets/p" in words
    assert "not sent HTTP 409 over quota" in words
    assert "req-region-8" in words


@pytest.mark.parametrize(
    ("part", "cancel", "retry"),
    [
        (Part("A", State.QUEUED), True, False),
        (Part("A", State.RUNNING, 50, "examine", 1), True, False),
        (Part("A", State.UNDOING, 99, "undo examine", 1), False, False),
        (DONE, False, False),
        (ILL, False, True),
        (Part("A", State.CANCELLED), False, True),
        (Part("A", State.ROLLBACK_FAILED, 99, "undo it", 1, LACKING), False, True),
    ],
    ids=lambda each: each.state if isinstance(each, Part) else "",
)
async def test_the_buttons_fit_the_state(
    work: Operations, browser: Browser, part: Part, *, cancel: bool, retry: bool
) -> None:
    work.add("one", part)
    await browser.log_in("alice")
    text = (await browser.get("/operations/one")).text
    assert ('action="/operations/one/cancel"' in text) is cancel
    assert ('action="/operations/one/retry"' in text) is retry
    assert ("Go on undoing" in text) is (part.state is State.ROLLBACK_FAILED)


async def test_who_may_not_steer_has_no_buttons(work: Operations, browser: Browser) -> None:
    work.add("one", ILL, project="p-beta")
    await browser.log_in("root")
    answer = await browser.get("/operations/one")
    assert answer.status == 200
    assert "/operations/one/retry" not in answer.text


async def test_a_button_steers_and_leads_back(work: Operations, browser: Browser) -> None:
    work.add("one", ILL)
    await browser.log_in("alice")
    token = (await browser.get("/operations/one")).field("form_token")
    answer = await browser.post("/operations/one/retry", {"form_token": token})
    assert (answer.status, answer.headers["location"]) == (303, "/operations/one")
    assert work.steered == [("retry", "one", "alice")]


@pytest.mark.parametrize("path", ["/operations/one/cancel", "/operations/one/retry", "/operations/test"])
async def test_a_form_from_elsewhere_does_nothing(work: Operations, browser: Browser, path: str) -> None:
    work.add("one", ILL)
    await browser.log_in("root")
    token = (await browser.get("/operations/one")).field("form_token")
    assert (await browser.post(path, {})).status == 403
    assert (await browser.post(path, {"form_token": token}, origin="http://evil.example")).status == 403
    assert (work.steered, work.tested) == ([], [])


async def test_what_cannot_be_cancelled_says_why(work: Operations, browser: Browser) -> None:
    work.add("one", Part("A", State.UNDOING, 99, "undo it", 1), ILL)
    await browser.log_in("alice")
    token = (await browser.get("/operations")).field("form_token")
    answer = await browser.post("/operations/one/cancel", {"form_token": token})
    assert answer.status == 409
    assert "It is being undone already" in answer.words
    assert 'data-address="/operations/one"' in answer.text, "page.js puts it in the place of …/cancel"


async def test_an_operator_tests_all_regions(work: Operations, browser: Browser) -> None:
    await browser.log_in("root")
    page = await browser.get("/operations")
    assert "Test all regions" in page.words
    answer = await browser.post("/operations/test", {"form_token": page.field("form_token")})
    assert (answer.status, answer.headers["location"]) == (303, "/operations/tested")
    assert work.tested == ["root"]


async def test_a_tenant_may_not_test(work: Operations, browser: Browser) -> None:
    await browser.log_in("alice")
    token = (await browser.get("/operations")).field("form_token")
    assert (await browser.post("/operations/test", {"form_token": token})).status == 403
    assert work.tested == []


async def test_the_list_is_live(work: Operations, browser: Browser) -> None:
    work.add("one", Part("RegionOne", State.RUNNING, 40, "examine", 1))
    await browser.log_in("root")
    work.add("two", DONE)
    path = await stream_of(browser, "/operations")
    work.add("three", DONE)
    async with browser.stream(path) as stream:
        event = await stream.next()
        assert event
        assert '<template><tbody id="operations"' in event[1], "one more: all of them in their order"
        work.add("one", DONE)
        event = await stream.next()
        assert event
        assert event[1].startswith('<template><tr id="operation-one"'), "one that changed: that row"
        assert 'value="100"' in event[1]
        assert "operation-two" not in event[1]


async def test_one_is_live_and_its_buttons_are_the_sessions_own(work: Operations, browser: Browser) -> None:
    work.add("one", Part("RegionOne", State.RUNNING, 40, "examine", 1))
    await browser.log_in("alice")
    page = await browser.get("/operations/one")
    async with browser.stream(await stream_of(browser, "/operations/one")) as stream:
        work.add("one", ILL)
        event = await stream.next()
        assert event
        assert 'action="/operations/one/retry"' in event[1]
        assert page.field("form_token") in event[1]
        assert '<template><tbody id="parts"' in event[1]
