"""Quotas on the page: the list, one project, balancing, forms with a dry run first, classes, live."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from multisite import errors
from multisite.engine.model import Part
from multisite.engine.model import State as Operated
from multisite.engine.writes import RegionWrite
from multisite.quotas.history.forecast import Basis, Forecast, Outlook
from multisite.quotas.history.model import Point, Totals
from multisite.quotas.limits import BoundsChange, CapExceeded
from multisite.quotas.model import GlobalLimit, LimitChange, MissingService, State
from multisite.quotas.resources import Kind
from multisite.web.quotas.asked import ROWS
from multisite.web.quotas.project import EVENTS
from multisite.web.quotas.words import amount, bar, limit_text
from tests.unit.web.quotas import CORES, NOW, RAM, region, resource

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser, World
    from tests.unit.web.items import Items
    from tests.unit.web.quotas import Quotas
    from tests.unit.web.work import Operations

QUOTA = "/quotas/p-alpha"
WRITE = RegionWrite(
    "north", "compute", "PUT", ("os-quota-sets", "p-alpha"), "limits", {"cores": 20}, {"cores": 12}
)


def field_of(answer: Answer, name: str, form: str) -> str:
    """A hidden field of the first form that is sent to an address."""
    text = answer.text.partition(f'action="{form}')[2].partition("</form>")[0]
    found = re.search(rf'name="{name}" value="([^"]*)"', text)
    assert found, f"no field {name} in the form of {form}"
    return unescape(found.group(1))


def hidden_of(answer: Answer) -> dict[str, list[str]]:
    """The hidden fields of the form that writes what was planned."""
    form = answer.text.partition('<form class="write"')[2].partition("</form>")[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form):
        found.setdefault(name, []).append(unescape(value))
    return found


async def dry_run(browser: Browser, form: str, **typed: str | list[str]) -> Answer:
    """Fill in a form, and look at what it would write."""
    path = f"{QUOTA}/{form}"
    shown = await browser.get(path)
    assert shown.status == 200
    fields = {name: field_of(shown, name, path) for name in ("form_token", "once", "generation", "step")}
    return await browser.post(path, {**fields, **typed})


@pytest.fixture
def governed(quotas: Quotas) -> Quotas:
    """Alpha has 100 cores in two regions, of which 93 are used, and 50 GiB memory."""
    quotas.add(
        "p-alpha",
        resource(
            CORES,
            100,
            region("north", 60, 60, refuses="region-share", minimum=10),
            region("south", 40, 33, note="cannot be read (timed-out); it counts with what was last known"),
        ),
        resource(RAM, 51200, region("north", 40960, 2048)),
    )
    quotas.writes = [WRITE]
    return quotas


# -- seeing ------------------------------------------------------------------------------------------


async def test_the_list_has_the_most_pressed_first_with_bars(governed: Quotas, browser: Browser) -> None:
    governed.add("p-beta", resource(CORES, 10, region("north", 10, 11), state=State.OVER), name="beta")
    await browser.log_in("root")
    answer = await browser.get("/quotas")
    assert answer.status == 200
    assert answer.text.index("/quotas/p-beta") < answer.text.index("/quotas/p-alpha")
    assert "93 of 100" in answer.words
    assert "2 GiB of 50 GiB" in answer.words
    assert '<rect class="used" width="93.0"' in answer.text
    assert 'href="/quotas" aria-current="page"' in answer.text
    assert "2 projects" in answer.words


@pytest.mark.parametrize(
    ("query", "shown", "told"),
    [
        ("text=BET", ["p-beta"], "1 project"),
        ("text=default", ["p-alpha", "p-beta"], "2 projects"),
        ("state=over", ["p-beta"], "1 project"),
        ("state=releasing", [], "No quota fits the filter."),
        ("state=perhaps", [], "State: there is no state 'perhaps'; there are: establishing,"),
        ("sort=compute/nonsense", [], "There is no resource 'compute/nonsense'"),
        ("after=gone", [], "After: project 'gone' is not in this list any more; begin it anew."),
    ],
)
async def test_the_list_has_filters_and_says_what_they_cannot_be(
    governed: Quotas, browser: Browser, query: str, shown: list[str], told: str
) -> None:
    governed.add("p-beta", resource(CORES, 10, region("north", 10, 11), state=State.OVER), name="beta")
    await browser.log_in("root")
    answer = await browser.get(f"/quotas?{query}")
    found = re.findall(r'<tr id="quota-([a-z-]+)"', answer.text)
    assert sorted(found) == shown
    assert told in answer.words


async def test_the_list_has_pages(quotas: Quotas, browser: Browser) -> None:
    for number in range(ROWS + 1):
        quotas.add(f"p-{number}", resource(CORES, 1000, region("north", 999, ROWS + 1 - number)))
    await browser.log_in("root")
    first = await browser.get("/quotas")
    assert f'href="/quotas?after=p-{ROWS - 1}"' in first.text
    second = await browser.get(f"/quotas?after=p-{ROWS - 1}")
    assert re.findall(r'<tr id="quota-([^"]+)"', second.text) == [f"p-{ROWS}"]
    assert 'href="/quotas"' in second.text


async def test_a_tenant_goes_to_its_own_quota_and_sees_no_other(governed: Quotas, browser: Browser) -> None:
    governed.add("p-beta", name="beta")
    governed.event(1, "of another project", "p-beta")
    await browser.log_in("alice")
    answer = await browser.get("/quotas")
    assert (answer.status, answer.headers["location"]) == (303, QUOTA)
    own = await browser.get(QUOTA)
    assert own.status == 200
    assert "Set limits" not in own.words
    assert "of another project" not in own.words
    others = await browser.get("/quotas/p-beta")
    assert others.status == 404
    assert "has no limits" not in others.words
    assert (await browser.get("/events?view=quota&id=p-beta")).status == 404
    for form in ("limits", "class", "unset"):
        assert (await browser.get(f"{QUOTA}/{form}")).status == 403
    assert (await browser.get("/quotas/govern")).status == 403
    assert (await browser.get("/quotas/classes")).status == 403


async def test_a_project_without_a_quota_has_a_sentence(quotas: Quotas, browser: Browser) -> None:
    assert not quotas.there
    await browser.log_in("alice")
    answer = await browser.get(QUOTA)
    assert answer.status == 404
    assert "Your project has no limits over all regions." in answer.words
    await browser.log_in("root")
    assert f'href="{QUOTA}/limits"' in (await browser.get(QUOTA)).text


async def test_one_project_shows_resources_and_the_regions_of_the_most_pressed(
    governed: Quotas, browser: Browser
) -> None:
    governed.event(7, "compute/cores: 93 of 100 used over all regions")
    await browser.log_in("root")
    answer = await browser.get(QUOTA)
    assert "VCPU in each region" in answer.words
    assert "refuses more: its share is used up; there is some left elsewhere" in answer.words
    assert "cannot be read (timed-out)" in answer.words
    assert "at least 10" in answer.words
    assert "Limits in force and use can add up to 100 of 100." in answer.words
    assert "compute/cores: 93 of 100 used over all regions" in answer.words
    memory = await browser.get(f"{QUOTA}?resource=compute/ram")
    assert "Memory in each region" in memory.words
    assert "2 GiB of 40 GiB" in memory.words
    nothing = await browser.get(f"{QUOTA}?resource=volume/volumes")
    assert "There is no global limit of volume/volumes here." in nothing.words


async def test_use_that_is_not_known_is_no_zero(quotas: Quotas, browser: Browser) -> None:
    unread = {"used": None, "left": None, "bound": None, "pressure": None, "state": State.ESTABLISHING}
    quotas.add("p-alpha", resource(CORES, 100, **unread), balanced_at=None)
    await browser.log_in("alice")
    answer = await browser.get(QUOTA)
    assert "– of 100" in answer.words
    assert "It was not read in any region yet." in answer.words
    assert '<rect class="used"' not in answer.text


async def test_events_go_back_page_by_page(governed: Quotas, browser: Browser) -> None:
    for number in range(1, EVENTS + 2):
        governed.event(number, f"event number {number}.")
    await browser.log_in("alice")
    first = await browser.get(QUOTA)
    assert "event number 2." in first.words
    assert "event number 1." not in first.words
    assert f'href="{QUOTA}?before=2#happened"' in first.text
    assert "event number 1." in (await browser.get(f"{QUOTA}?before=2")).words
    assert (await browser.get(f"{QUOTA}?before=x")).status == 400


async def test_a_name_with_markup_is_text(quotas: Quotas, browser: Browser) -> None:
    quotas.add("p-alpha", resource(CORES, 5, region("<b>north</b>", 5, 1)), name="<script>x</script>")
    quotas.event(1, "<img src=x>")
    await browser.log_in("root")
    for path in ("/quotas", QUOTA):
        text = (await browser.get(path)).text
        assert "<script>x" not in text
        assert "<b>north" not in text
        assert "<img" not in text


async def test_the_project_page_and_the_menu_lead_here(
    governed: Quotas, browser: Browser, world: World
) -> None:
    assert governed.there
    world.project({}, RegionOne=True)
    await browser.log_in("alice")
    answer = await browser.get("/project")
    assert f'<a href="{QUOTA}">Quota over all regions</a>' in answer.text
    assert '<a href="/quotas">Quotas</a>' in answer.text


# -- over time ---------------------------------------------------------------------------------------


async def test_the_chart_has_all_points_and_its_gaps(governed: Quotas, browser: Browser) -> None:
    for minutes, used in ((50, 70), (40, None), (30, 80), (20, 90), (10, 93)):
        known = {} if used is None else {CORES: Totals(used, 100, 100)}
        governed.points.append(Point(NOW - timedelta(minutes=minutes), known))
    await browser.log_in("alice")
    answer = await browser.get(f"{QUOTA}?span=week")
    assert "VCPU over time" in answer.words
    assert "VCPU, last 7 days: in use (filled) and the limit (dashed), up to 100." in answer.words
    assert "11:50:00 UTC 93 100 100" in answer.words
    assert "11:20:00 UTC not known" in answer.words
    assert [each.after for each in governed.questions] == [None, NOW - timedelta(minutes=30)]
    assert governed.questions[0].since == NOW - timedelta(days=7)
    assert 'aria-current="true">7 days' in answer.text
    assert (await browser.get(f"{QUOTA}?span=year")).status == 400


@pytest.mark.parametrize(
    ("outlook", "per_day", "sentence"),
    [
        (Outlook.RUNS_OUT, 2.5, "By the trend of two weeks it is used up on 2026-11-25, at 2.5 a day."),
        (Outlook.STEADY, 0.0, "Its use does not grow."),
        (Outlook.SHORT, None, "When it runs out can be told after a day of history."),
        (Outlook.USED_UP, 3.0, "It is used up."),
        (Outlook.FAR, 0.01, "By the trend of two weeks it lasts for more than ten years"),
        (Outlook.UNLIMITED, 3.0, "It has no limit that could be reached."),
    ],
)
async def test_the_forecast_is_a_sentence(
    governed: Quotas, browser: Browser, outlook: Outlook, per_day: float | None, sentence: str
) -> None:
    at = NOW + timedelta(days=3) if outlook is Outlook.RUNS_OUT else None
    governed.expected[CORES] = Forecast(at, per_day, outlook, Basis(4, NOW, NOW))
    await browser.log_in("alice")
    assert sentence in (await browser.get(QUOTA)).words


# -- live --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [QUOTA, "/quotas"])
async def test_pages_are_live(governed: Quotas, browser: Browser, path: str) -> None:
    await browser.log_in("root")
    found = re.search(r'sse-connect="([^"]+)"', (await browser.get(path)).text)
    assert found
    async with browser.stream(unescape(found.group(1))) as events:
        governed.add("p-alpha", resource(CORES, 100, region("north", 100, 97)))
        news = await events.next()
        assert news is not None
        assert news[0] == "update"
        assert "97" in news[1]
        assert 'hx-swap-oob="true"' in news[1]
        assert "form_token" not in news[1]


# -- balancing ---------------------------------------------------------------------------------------


async def test_a_tenant_asks_for_more_in_a_region_and_follows_it(
    governed: Quotas, browser: Browser, work: Operations
) -> None:
    await browser.log_in("alice")
    page = await browser.get(QUOTA)
    fields = {"form_token": page.field("form_token"), "once": page.field("once"), "region": "south"}
    answer = await browser.post(f"{QUOTA}/balance", fields)
    again = await browser.post(f"{QUOTA}/balance", fields)
    assert answer.headers["location"] == again.headers["location"] == f"{QUOTA}?operation=balance-1"
    assert governed.balanced == [("p-alpha", ["south"])]
    followed = await browser.get(answer.headers["location"])
    assert 'href="/operations/balance-1"' in followed.text
    assert "queued" in followed.words
    work.add("theirs", Part("p-beta"), kind="quota-balance", project="p-alpha")
    assert "/operations/theirs" not in (await browser.get(f"{QUOTA}?operation=theirs")).text


async def test_a_balance_that_ended_is_an_operation_like_others(browser: Browser, work: Operations) -> None:
    result = {"written": 7, "resources": {}, "summary": "7 limits written"}
    done = Part("p-alpha", Operated.SUCCEEDED, 100, None, 1, result=result)
    work.add("done", done, kind="quota-balance")
    await browser.log_in("alice")
    answer = await browser.get("/operations/done")
    assert answer.status == 200
    assert "Balance of a quota" in answer.words
    assert "7 limits written" in answer.words
    assert f'<th scope="row"><a href="{QUOTA}">p-alpha</a></th>' in answer.text


async def test_who_asks_too_often_reads_when_to_ask_again(governed: Quotas, browser: Browser) -> None:
    governed.lately = True
    await browser.log_in("alice")
    page = await browser.get(QUOTA)
    fields = {"form_token": page.field("form_token"), "once": page.field("once")}
    answer = await browser.post(f"{QUOTA}/balance", fields)
    assert answer.status == 429
    assert "This quota was balanced a moment ago; ask again in 10 s" in answer.words
    assert "VCPU in each region" in answer.words


async def test_readers_get_no_buttons_and_foreign_forms_are_refused(
    governed: Quotas, browser: Browser, world: World
) -> None:
    world.person("rita", "reader")
    await browser.log_in("rita")
    assert "Balance now" not in (await browser.get(QUOTA)).words
    await browser.log_in("root")
    page = await browser.get(QUOTA)
    fields = {"form_token": page.field("form_token"), "once": page.field("once")}
    for path in (f"{QUOTA}/balance", f"{QUOTA}/unset", "/quotas/classes"):
        assert (await browser.post(path, fields, origin="http://evil.example")).status == 403
        assert (await browser.post(path, {**fields, "form_token": "x"})).status == 403
    assert not governed.balanced
    assert not governed.planned


# -- deciding ----------------------------------------------------------------------------------------


async def test_limits_are_planned_then_written_once(governed: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    typed = {"resource": [CORES, RAM, ""], "limit": ["80", "", ""], "kind": ["soft", "", ""]}
    planned = await dry_run(browser, "limits", **typed, burst=["5", "", ""])
    assert planned.status == 200
    assert not governed.changed
    assert "1 write would be made now" in planned.words
    assert "north compute cores 20 12 PUT /os-quota-sets/p-alpha" in planned.words
    assert "could not be read" not in planned.words
    fields = hidden_of(planned)
    answer = await browser.post(f"{QUOTA}/limits", fields)
    await browser.post(f"{QUOTA}/limits", fields)
    assert (answer.status, answer.headers["location"]) == (303, f"{QUOTA}?operation=change-1")
    [(who, project, change)] = governed.changed
    assert (who, project, change) == ("root", "p-alpha", governed.planned[0])
    assert change.limits == {CORES: LimitChange(80, Kind.SOFT, 5)}
    assert change.generation == 3


async def test_a_dry_run_names_what_could_not_be_read(governed: Quotas, browser: Browser) -> None:
    governed.missing = [MissingService(f"r-{number}", "volume", "timeout") for number in range(7)]
    await browser.log_in("root")
    planned = await dry_run(browser, "limits", resource=[CORES], limit=["80"], kind=[""], burst=[""])
    assert "volume could not be read in r-0, r-1, r-2, r-3, r-4 and 2 more" in planned.words


async def test_what_somebody_else_decided_is_not_overwritten(governed: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    planned = await dry_run(browser, "limits", resource=[CORES], limit=["80"], kind=[""], burst=[""])
    governed.add("p-alpha", resource(CORES, 300, region("north", 60, 60)), generation=4)
    answer = await browser.post(f"{QUOTA}/limits", hidden_of(planned))
    assert answer.status == 409
    assert "It was changed since generation 3; it is 4 now" in answer.words
    assert not governed.changed
    assert 'name="limit" value="80"' in answer.text
    assert field_of(answer, "generation", f"{QUOTA}/limits") == "4"


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ((CORES, "many", "", ""), "Limits: compute/cores: 'many' is no whole number; -1 is unlimited"),
        ((CORES, "1.5", "", ""), "Limits: compute/cores: '1.5' is no whole number"),
        (("", "7", "", ""), "Limits: 7 is the limit of what?"),
        ((CORES, "", "", "5"), "Limits: compute/cores: write a limit beside the burst"),
        ((CORES, "7", "firm", ""), "Limits: compute/cores: there is no kind 'firm'; there are: hard"),
        (("", "", "", ""), "Limits: there is nothing to change"),
    ],
)
async def test_bad_input_has_a_sentence_and_stays(
    governed: Quotas, browser: Browser, row: tuple[str, str, str, str], sentence: str
) -> None:
    await browser.log_in("root")
    names = ("resource", "limit", "kind", "burst")
    answer = await dry_run(browser, "limits", **{name: [each] for name, each in zip(names, row, strict=True)})
    assert answer.status == 400
    assert sentence in answer.words
    assert f'name="limit" value="{row[1]}"' in answer.text
    assert f'name="burst" value="{row[3]}"' in answer.text
    assert not governed.planned


async def test_the_sentence_of_the_api_stands_above_the_form(governed: Quotas, browser: Browser) -> None:
    governed.refusal = CapExceeded("compute/cores: domain d1 may have 50 in all")
    await browser.log_in("root")
    answer = await dry_run(browser, "limits", resource=[CORES], limit=["80"], kind=[""], burst=[""])
    assert answer.status == 409
    assert "Compute/cores: domain d1 may have 50 in all" in answer.words
    assert 'name="limit" value="80"' in answer.text


@pytest.mark.parametrize(
    ("form", "typed", "expected"),
    [
        ("class", {"class_name": "gold"}, {"follow": True, "class_name": "gold"}),
        ("class", {"class_name": ""}, {"follow": True, "class_name": None}),
        ("take-away", {"resource": CORES}, {"limits": {CORES: None}}),
        ("end-raise", {"resource": CORES}, {"raises": {CORES: None}}),
        (
            "raise",
            {"resource": CORES, "limit": "unlimited", "ends_at": "2026-12-01T08:30"},
            {"raises": {CORES: (-1, datetime(2026, 12, 1, 8, 30, tzinfo=UTC))}},
        ),
        (
            "bounds",
            {"resource": CORES, "region": "north", "minimum": "4", "maximum": "", "weight": "2"},
            {"bounds": {("north", CORES): BoundsChange(4, None, 2, no_maximum=True)}},
        ),
        (
            "bounds",
            {"resource": CORES, "region": "north", "minimum": "0", "maximum": "", "weight": "1"},
            {"bounds": {("north", CORES): None}},
        ),
        ("unset", {}, {"limits": {CORES: None, RAM: None}, "follow": True, "class_name": None}),
    ],
)
async def test_each_form_means_one_change(
    governed: Quotas, browser: Browser, form: str, typed: dict[str, str], expected: dict[str, object]
) -> None:
    await browser.log_in("root")
    planned = await dry_run(browser, form, **typed)
    assert planned.status == 200, planned.words
    assert (await browser.post(f"{QUOTA}/{form}", hidden_of(planned))).status == 303
    [(_, _, change)] = governed.changed
    assert change.generation == 3
    for name, value in expected.items():
        assert getattr(change, name) == value


@pytest.mark.parametrize(
    ("form", "typed", "sentence"),
    [
        ("raise", {"resource": CORES, "limit": "9", "ends_at": "soon"}, "write a day and a time, in UTC"),
        ("raise", {"resource": CORES, "limit": "", "ends_at": "2026-12-01T08:30"}, "write the higher limit"),
        ("bounds", {"resource": CORES, "region": "", "minimum": "1"}, "Regions: choose a region"),
        (
            "bounds",
            {"resource": CORES, "region": "north", "weight": "x"},
            "north: compute/cores: weight: 'x'",
        ),
        ("take-away", {"resource": ""}, "Resource: write one, such as compute/cores"),
    ],
)
async def test_other_forms_say_what_is_wrong(
    governed: Quotas, browser: Browser, form: str, typed: dict[str, str], sentence: str
) -> None:
    await browser.log_in("root")
    answer = await dry_run(browser, form, **typed)
    assert answer.status == 400
    assert sentence in answer.words
    assert not governed.planned


async def test_forms_begin_with_what_holds(governed: Quotas, browser: Browser) -> None:
    governed.sets = {"gold": {CORES: GlobalLimit(5, Kind.HARD)}}
    await browser.log_in("root")
    limits = await browser.get(f"{QUOTA}/limits?resource=compute/cores")
    assert 'name="limit" value="100"' in limits.text
    bounds = await browser.get(f"{QUOTA}/bounds?resource=compute/cores&region=north")
    assert 'name="minimum" inputmode="numeric" maxlength="40" autocomplete="off" value="10"' in bounds.text
    assert "<option selected>north</option>" in bounds.text
    assert "<option>gold</option>" in (await browser.get(f"{QUOTA}/class")).text
    assert (await browser.get(f"{QUOTA}/nonsense")).status == 404


async def test_the_form_of_limits_begins_with_those_that_there_are(
    governed: Quotas, browser: Browser
) -> None:
    await browser.log_in("root")
    text = (await browser.get(f"{QUOTA}/limits")).text
    own = [each for each in governed.there["p-alpha"].resources if each.source == "project"]
    assert own
    for each in own:
        assert f'name="resource" list="known" value="{each.resource}"' in text
        assert f'name="limit" value="{each.limit}"' in text


async def test_forms_that_make_no_sense_are_not_offered(quotas: Quotas, browser: Browser) -> None:
    quotas.add("p-alpha", resource(CORES, 100, region("north", 60, 6), source="class gold"))
    await browser.log_in("root")
    offered = re.findall(rf'href="{QUOTA}/([a-z-]+)\??', (await browser.get(QUOTA)).text)
    assert offered == ["limits", "raise", "bounds", "class", "unset"]
    quotas.add("p-alpha", resource(CORES, 100, region("north", 60, 6), raised_until=NOW))
    offered = re.findall(rf'href="{QUOTA}/([a-z-]+)\??', (await browser.get(QUOTA)).text)
    assert offered == ["limits", "raise", "end-raise", "bounds", "class", "take-away", "unset"]


async def test_a_project_that_keystone_lost_can_be_given_back(governed: Quotas, browser: Browser) -> None:
    governed.refusal = errors.NotFound("there is no project 'p-alpha'")
    await browser.log_in("root")
    answer = await dry_run(browser, "unset")
    assert answer.status == 404
    assert "Its regions can still be given back what they had." in answer.words
    once = answer.text.rpartition("data-once")[2]
    fields = dict(re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', once))
    assert fields["step"] == "give-back"
    assert (await browser.post(f"{QUOTA}/unset", fields)).status == 303
    assert governed.given_back == ["p-alpha"]
    sly = await browser.post(f"{QUOTA}/limits", {**fields, "resource": CORES, "limit": "1", "once": "x" * 20})
    assert sly.status == 404
    assert governed.given_back == ["p-alpha"]


async def test_a_project_is_governed_by_its_name(quotas: Quotas, items: Items, browser: Browser) -> None:
    items.add("server", "db-1")
    await browser.log_in("root")
    found = await browser.get("/quotas/govern?project=alpha")
    assert (found.status, found.headers["location"]) == (303, f"{QUOTA}/limits")
    form = await browser.get(f"{QUOTA}/limits")
    assert 'value="compute/instances"' in form.text
    assert field_of(form, "generation", f"{QUOTA}/limits") == ""
    young = "e" * 32  # the listing of projects does not have it yet
    unknown = await browser.get(f"/quotas/govern?project={young}")
    assert unknown.headers["location"] == f"/quotas/{young}/limits"
    missing = await browser.get("/quotas/govern?project=nope")
    assert missing.status == 400
    assert 'value="nope"' in missing.text
    assert not quotas.there


# -- classes -----------------------------------------------------------------------------------------


async def test_classes_are_seen_and_changed(governed: Quotas, browser: Browser) -> None:
    governed.sets = {"gold": {RAM: GlobalLimit(2048, Kind.SOFT, 512)}}
    await browser.log_in("root")
    page = await browser.get("/quotas/classes")
    assert "gold" in page.words
    assert "Memory compute/ram 2 GiB soft 512 MiB" in page.words
    fields: dict[str, str | list[str]] = {"form_token": page.field("form_token"), "name": "gold"}
    rows: dict[str, str | list[str]] = {"resource": [CORES], "limit": ["7"], "kind": [""], "burst": [""]}
    answer = await browser.post("/quotas/classes", {**fields, **rows})
    assert (answer.status, answer.headers["location"]) == (303, "/quotas/classes")
    await browser.post("/quotas/classes/take-out", {**fields, "resource": RAM})
    assert governed.classes_changed == [("gold", {CORES: LimitChange(7)}), ("gold", {RAM: None})]
    refused = await browser.post("/quotas/classes/delete", fields)
    assert refused.status == 409
    assert "Quota class 'gold' is followed by project p-alpha" in refused.words


async def test_a_change_of_a_class_shows_what_it_would_write_first(
    governed: Quotas, browser: Browser
) -> None:
    write = RegionWrite(
        "oslo", "compute", "PUT", ("os-quota-sets", "p"), "limits", {"cores": 20}, {"cores": 7}
    )
    governed.writes, governed.left_out = [write], 3
    governed.missing = [MissingService("bergen", "volume", "timeout")]
    await browser.log_in("root")
    token = (await browser.get("/quotas/classes")).field("form_token")
    rows: dict[str, str | list[str]] = {"resource": [CORES], "limit": ["7"], "kind": [""], "burst": [""]}
    fields = {"form_token": token, "name": "gold", "step": "plan", **rows}

    page = await browser.post("/quotas/classes", fields)

    assert page.status == 200
    assert governed.classes_planned == [("gold", {CORES: LimitChange(7)})]
    assert not governed.classes_changed
    count = len(governed.there)
    assert f"{count} {'write' if count == 1 else 'writes'} would be made now" in page.words
    assert f"oslo compute, name of {min(governed.there)} cores 20 7 PUT" in page.words
    assert "volume could not be read in bergen" in page.words
    assert "3 projects more follow the class" in page.words
    assert 'name="limit" value="7"' in page.text

    answer = await browser.post("/quotas/classes", {**fields, "step": "set"})
    assert answer.status == 303
    assert governed.classes_changed == [("gold", {CORES: LimitChange(7)})]


async def test_a_dry_run_of_a_class_that_is_refused_says_why(governed: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    token = (await browser.get("/quotas/classes")).field("form_token")
    governed.refusal = errors.Conflict("the caps say no")
    rows: dict[str, str | list[str]] = {"resource": [CORES], "limit": ["7"], "kind": [""], "burst": [""]}
    fields = {"form_token": token, "name": "gold", "step": "plan", **rows}
    page = await browser.post("/quotas/classes", fields)
    assert page.status == 409
    assert "The caps say no" in page.words
    assert 'name="limit" value="7"' in page.text


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65])
async def test_a_class_needs_a_proper_name_and_what_was_typed_stays(
    governed: Quotas, browser: Browser, name: str
) -> None:
    await browser.log_in("root")
    token = (await browser.get("/quotas/classes")).field("form_token")
    rows: dict[str, str | list[str]] = {"resource": [CORES], "limit": ["7"], "kind": [""], "burst": [""]}
    answer = await browser.post("/quotas/classes", {"form_token": token, "name": name, **rows})
    assert answer.status == 400
    assert "write letters, digits" in answer.words
    assert 'name="limit" value="7"' in answer.text
    assert not governed.classes_changed


# -- words -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [
        (CORES, 12480, "12\u202f480"),
        (RAM, 51200, "50\u00a0GiB"),
        ("volume/gigabytes_ssd", 2048, "2\u00a0TiB"),
        (RAM, None, "–"),
        (CORES, -1, "-1"),
    ],
)
def test_amounts_have_the_unit_of_their_resource(name: str, number: int | None, expected: str) -> None:
    assert amount(name, number) == expected


def test_what_is_left_can_be_less_than_nothing_and_a_limit_unlimited() -> None:
    assert limit_text(CORES, -1) == "unlimited"
    assert bar(CORES, 5, -1).share is None
    assert bar(CORES, None, 5).share is None
    assert bar(CORES, 0, 0).share == 0.0
    assert (bar(CORES, 7, 5).share, bar(CORES, 7, 5).over) == (100.0, True)
