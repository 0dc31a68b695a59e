"""Lists of the inventory: what they show to whom, filters and pages in the address, mistakes as sentences."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from multisite.inventory.keypairs import Keypair
from multisite.inventory.kinds import BY_PLURAL
from multisite.inventory.model import MissingKind
from multisite.regions.states import State
from multisite.web.inventory.words import TITLES
from tests.unit.web.items import NOW

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser
    from tests.unit.web.items import Items

HOSTILE = '<script>alert(1)</script>" onmouseover="x'


def names(answer: Answer) -> list[str]:
    """The items in the order of the list."""
    return [unescape(each) for each in re.findall(r'<th scope="row"><a [^>]*>([^<]*)</a>', answer.text)]


def link(answer: Answer, words: str) -> str:
    """Where the link with these words leads."""
    for href, text in re.findall(r'<a [^>]*?href="([^"]*)"[^>]*>(.*?)</a>', answer.text, re.DOTALL):
        if " ".join(re.sub(r"<[^>]*>", "", text).split()) == words:
            return unescape(href)
    raise AssertionError(f"there is no link {words!r}")


@pytest.mark.parametrize("kind", TITLES)
@pytest.mark.parametrize("person", ["root", "alice"])
async def test_every_kind_has_a_list_with_a_sentence_where_there_is_nothing(
    browser: Browser, kind: str, person: str
) -> None:
    await browser.log_in(person)
    answer = await browser.get(f"/inventory/{kind}")
    assert answer.status == 200
    assert "There are no " in answer.words
    assert f'href="/inventory/{kind}" aria-current="page"' in answer.text


async def test_there_is_no_list_of_something_else(browser: Browser) -> None:
    await browser.log_in("root")
    assert (await browser.get("/inventory/unicorns")).status == 404
    assert (await browser.get("/inventory")).headers["location"] == "/inventory/servers"


async def test_a_row_has_what_matters_and_leads_on(browser: Browser, items: Items) -> None:
    items.add(
        "server",
        "db-1",
        addresses=("10.0.0.5", "fd00::5"),
        attributes={"flavor": "m1.small", "vcpus": 2, "ram": 2048, "host": "compute-7"},
        updated_at=NOW - timedelta(minutes=5),
        dashboard_url="https://one.example/",
    )
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers")
    assert names(answer) == ["db-1"]
    for text in ("ACTIVE", "RegionOne", "alpha", "m1.small", "2 GiB", "10.0.0.5", "fd00::5", "compute-7"):
        assert text in answer.words
    assert link(answer, "db-1") == "/inventory/servers/RegionOne/id-of-db-1"
    assert link(answer, "RegionOne") == "/wall/regions/RegionOne"
    assert link(answer, "alpha") == "/inventory/servers?project=p-alpha"
    assert link(answer, "dashboard of RegionOne") == "https://one.example/"
    assert "12 s ago" in answer.words
    assert "1 server" in answer.words


async def test_a_tenant_sees_only_its_own_and_nothing_for_operators(browser: Browser, items: Items) -> None:
    items.add("server", "mine", attributes={"host": "compute-7"})
    items.add("server", "theirs", project_id="p-beta", project_name="beta")
    await browser.log_in("alice")
    answer = await browser.get("/inventory/servers")
    assert names(answer) == ["mine"]
    assert "compute-7" not in answer.text, "an attribute for operators, even if the service let it through"
    assert "Host" not in answer.words
    assert 'name="project"' not in answer.text
    assert items.questions[-1].project_id is None
    assert link(answer, "RegionOne") == "/project?region=RegionOne"


async def test_a_dashboard_that_is_no_web_address_is_no_link(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", dashboard_url="javascript:alert(1)")
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers")
    assert "javascript:" not in answer.text
    assert "dashboard" not in answer.words


async def test_whatever_a_region_tells_is_text(browser: Browser, items: Items) -> None:
    items.add("server", HOSTILE, status=HOSTILE, project_name=HOSTILE, addresses=(HOSTILE,))
    items.rows[-1].attributes["flavor"] = HOSTILE  # type: ignore[index]
    items.rows[-1].attributes["vcpus"] = HOSTILE  # type: ignore[index]
    await browser.log_in("root")
    items.rows[-1] = replace(items.rows[-1], id="id-x")
    for path in ("/inventory/servers", "/search?q=script", "/inventory/servers/RegionOne/id-x"):
        answer = await browser.get(path)
        assert answer.status == 200, path
        assert "<script>alert" not in answer.text
        assert 'onmouseover="x' not in answer.text
        assert HOSTILE in unescape(answer.text)


async def test_filters_are_asked_as_they_are_in_the_address(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", "RegionTwo", status="ERROR")
    items.add("server", "web-1", "RegionTwo")
    await browser.log_in("root")
    path = "/inventory/servers?name=DB&region=RegionTwo&status=ERROR&address=10.0.&project=alpha"
    answer = await browser.get(path)
    question = items.questions[-1]
    assert (question.name, question.regions, question.status) == ("DB", ("RegionTwo",), "ERROR")
    assert (question.address, question.project_id) == ("10.0.", "p-alpha")
    assert names(answer) == ["db-1"]
    assert 'name="name" value="DB"' in answer.text
    assert 'name="region" value="RegionTwo" checked' in answer.text
    csv = link(answer, "All of these as CSV")
    assert "name=DB" in csv
    assert "format=csv" in csv


async def test_filters_that_a_kind_does_not_have_are_not_asked_for(browser: Browser, items: Items) -> None:
    await browser.log_in("root")
    await browser.get("/inventory/security-groups?visible=1")
    assert (items.questions[-1].status, items.questions[-1].address) == (None, None)
    await browser.log_in("alice")
    await browser.get("/inventory/images?visible=1")
    await browser.get("/inventory/servers?visible=1")
    asked = [question.visible for question in items.questions]
    assert asked == [False, True, False], "operators see everything anyway, and servers are never shared"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("servers?sort=bogus", "Sort: there is no 'bogus'; there are: "),
        ("servers?direction=up", "Direction: there is no 'up'; there are: asc, desc"),
        ("servers?project=beta", "Servers cannot be filtered by project"),
        ("images?address=10.1.2.3", "Images cannot be filtered by address"),
    ],
)
async def test_what_cannot_be_asked_is_told_and_no_other_list_is_shown(
    browser: Browser, items: Items, path: str, told: str
) -> None:
    items.add("server", "db-1")
    items.add("image", "debian")
    await browser.log_in("alice")
    answer = await browser.get(f"/inventory/{path}")
    assert (answer.status, names(answer)) == (400, [])
    assert told in answer.words
    sheet = await browser.get(f"/inventory/{path}&format=csv")
    assert sheet.status == 400
    assert "db-1" not in sheet.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("name=%00", "Name: it holds a control character; write plain text"),
        ("project=web%00x", "Project: it holds a control character; write plain text"),
        (f"name={'x' * 256}", "Name: write 255 characters at most"),
    ],
)
async def test_a_filter_that_nothing_can_fit_is_a_mistake(
    browser: Browser, items: Items, query: str, said: str
) -> None:
    items.add("server", "db-1")
    await browser.log_in("root")
    answer = await browser.get(f"/inventory/servers?{query}")
    assert answer.status == 400
    assert said in answer.words
    assert names(answer) == []


@pytest.mark.parametrize("query", ["sort=nothing&direction=up", "name=%00%01", "after=x" * 3])
async def test_what_means_nothing_does_no_harm(browser: Browser, query: str) -> None:
    await browser.log_in("root")
    assert (await browser.get(f"/inventory/servers?{query}")).status in {200, 400}


async def test_a_mistake_is_a_sentence_above_an_empty_list(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers?address=no+address")
    assert answer.status == 400
    assert "Address: 'no address' is no address." in answer.words
    assert names(answer) == []
    assert "There is none with the name or id 'omega'" in (
        await browser.get("/inventory/servers?project=omega")
    ).words.replace("Project: there", "There")


async def test_a_column_sorts_and_sorts_the_other_way_round(browser: Browser, items: Items) -> None:
    items.add("server", "b")
    items.add("server", "A", "RegionTwo")
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers")
    assert names(answer) == ["A", "b"]
    assert re.search(r'aria-sort="ascending"[^>]*><a [^>]*>Name', answer.text)
    turned = await browser.get(link(answer, "Name"))
    assert names(turned) == ["b", "A"]
    assert re.search(r'aria-sort="descending"[^>]*><a [^>]*>Name', turned.text)
    assert link(turned, "Name") == "/inventory/servers"
    by_region = await browser.get(link(answer, "Region"))
    assert names(by_region) == ["b", "A"]


@pytest.mark.parametrize("query", ["", "?sort=updated_at&direction=desc", "?sort=status&direction=desc"])
async def test_pages_lead_forward_and_back(
    browser: Browser, items: Items, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setattr("multisite.web.inventory.listing.ROWS", 3)
    for number in range(8):
        updated = NOW - timedelta(hours=number % 3)
        items.add("server", f"Server-{number}", updated_at=updated, status=("ACTIVE", None)[number % 2])
    await browser.log_in("root")
    first = await browser.get(f"/inventory/servers{query}")
    assert "Previous page" not in first.words
    second = await browser.get(link(first, "Next page"))
    third = await browser.get(link(second, "Next page"))
    assert len({*names(first), *names(second), *names(third)}) == 8
    assert [len(names(each)) for each in (first, second, third)] == [3, 3, 2]
    assert "3 servers on this page, more follow" in second.words
    assert "2 servers on this page, the last ones" in third.words
    assert "Next page" not in third.words
    back = await browser.get(link(third, "Previous page"))
    assert names(back) == names(second)
    start = await browser.get(link(back, "Previous page"))
    assert names(start) == names(first)
    assert "Previous page" not in start.words


async def test_a_script_gets_the_list_alone_and_its_address(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("root")
    answer = await browser.get("/inventory/servers?name=db&status=&region=", hx_request="true")
    assert answer.headers["hx-replace-url"] == "/inventory/servers?name=db"
    assert answer.headers["vary"] == "HX-Request"
    assert "<html" not in answer.text
    assert names(answer) == ["db-1"]
    assert 'id="count"' in answer.text
    assert link(answer, "Clear") == "/inventory/servers"
    mistaken = await browser.get("/inventory/servers?address=no+address", hx_request="true")
    assert mistaken.status == 200, "htmx shows no answer that is an error"
    assert "is no address" in mistaken.words


async def test_a_script_whose_session_ended_is_sent_to_the_log_in(browser: Browser) -> None:
    answer = await browser.get("/inventory/servers?name=ab", hx_request="true")
    assert answer.headers["hx-redirect"].startswith("/login?next=%2Finventory%2Fservers%3Fname%3Dab")


async def test_what_is_missing_is_said_in_words(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", "RegionTwo", state=State.UNREACHABLE)
    secret = "http://10.20.30.40:8774"
    items.missing = (MissingKind("RegionTwo", "compute", State.UNREACHABLE, "timeout", secret),)
    await browser.log_in("alice")
    answer = await browser.get("/inventory/servers")
    assert "Incomplete: 1 region was not read well: RegionTwo." in answer.words
    assert "compute unreachable" in answer.words
    assert 'data-state="unreachable"' in answer.text
    assert secret not in answer.text


async def test_keypairs_are_a_list_too(browser: Browser, items: Items) -> None:
    items.keypairs = [
        Keypair("RegionOne", "laptop", "ssh", "ab:cd", "ssh-ed25519 AAAA"),
        Keypair("RegionTwo", "other", "ssh", "ef:01", "ssh-ed25519 BBBB"),
    ]
    await browser.log_in("alice")
    answer = await browser.get("/inventory/keypairs?name=LAP")
    assert "laptop" in answer.words
    assert "ab:cd" in answer.words
    assert "other" not in answer.words
    assert "1 keypair" in answer.words


async def test_a_list_as_csv_has_the_same_filters(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", attributes={"host": "compute-7"})
    items.add("server", "web-1")
    await browser.log_in("alice")
    answer = await browser.get("/inventory/servers?name=db&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="servers.csv"' in answer.headers["content-disposition"]
    assert "db-1" in answer.text
    assert "web-1" not in answer.text
    assert "host" not in answer.text.splitlines()[0].split(",")


async def test_below_another_root_every_link_stays_below(below: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await below.log_in("root", "/multisite")
    answer = await below.get("/multisite/inventory/servers")
    assert names(answer) == ["db-1"]
    inside = re.findall(r'(?:href|action|src|hx-get)="(/[^"]*)"', answer.text)
    assert inside
    assert [each for each in inside if not each.startswith("/multisite/")] == []


def test_every_kind_of_the_inventory_has_columns_and_a_title() -> None:
    from multisite.web.inventory.columns import COLUMNS

    assert set(COLUMNS) == set(BY_PLURAL)
    assert set(TITLES) == {*BY_PLURAL, "keypairs"}
