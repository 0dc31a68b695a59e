"""Sparklines on the wall, and the chart on a region's page."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from multisite.capacity.history.model import Figures, Point
from multisite.capacity.history.trends import Trend
from multisite.web.history import COLUMNS, sampled
from multisite.web.sparks import WIDTH, paths, spark

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser, World

HOUR = timedelta(hours=1)


def test_a_gap_is_no_line_and_what_was_before_the_first_reading_is_no_gap() -> None:
    line, ground, gaps = paths([None, 10, 20, None, None, 30], 0, 100)

    assert line.count("M") == ground.count("M") == 2
    assert re.findall(r"M(\d+\.\d)", line) == ["40.0", "200.0"]
    assert gaps == "M120.0,26H200.0"


def test_a_zero_is_a_line_on_the_ground_and_no_gap() -> None:
    line, _, gaps = paths([0.0, 0.0], 0, 100)
    assert line == "M0.0,26.0V26.0h120.00V26.0h120.00"
    assert gaps == ""


@pytest.mark.parametrize("values", [(0.0,), (100.0, 0.0), (50.0, 50.1), (3.0, None, 100.0)])
def test_a_line_stays_in_its_box(values: tuple[float | None, ...]) -> None:
    drawn = spark(Trend(HOUR, values), "VCPU")
    assert drawn
    heights = [float(each) for each in re.findall(r"V(-?[\d.]+)", drawn.line)]
    widths = [float(each) for each in re.findall(r"h([\d.]+)", drawn.line)]
    assert all(0 <= height <= 28 for height in heights)
    assert sum(widths) <= WIDTH + 0.1


def test_a_spark_says_in_words_what_it_shows() -> None:
    drawn = spark(Trend(6 * HOUR, (30.2, None, 48.0, None, 42.0)), "VCPU")
    assert drawn
    assert drawn.label.replace("\u00a0", " ") == (
        "VCPU in use, last 6 h: 30–48 %, now 42 %; not known 2 times in between"
    )
    assert spark(Trend(HOUR, (None, None)), "VCPU") is None
    assert spark(None, "VCPU") is None


def test_columns_hold_values_until_the_next_and_keep_peaks_and_gaps(world: World) -> None:
    since = world.clock.now()
    until = since + timedelta(seconds=COLUMNS)
    times = [since + timedelta(seconds=second) for second in (-5, 10, 10.5, 20, 30)]
    columns = sampled(times, [1.0, 9.0, 2.0, None, 3.0], since, until)

    assert columns[:10] == [1.0] * 10
    assert columns[10:12] == [9.0, 2.0]
    assert columns[20] == 2.0
    assert columns[21:30] == [None] * 9
    assert columns[30:] == [3.0] * (COLUMNS - 30)


async def test_the_wall_has_a_sparkline_that_needs_no_script_and_no_style(
    world: World, browser: Browser
) -> None:
    world.region("one")
    world.region("two")
    world.trends["one"] = Trend(HOUR, (10.0, None, 12.0))
    await browser.log_in("root")
    answer = await browser.get("/wall")

    assert '<svg class="spark"' in answer.tile("one")
    assert "style=" not in answer.text
    assert "12\u00a0%" in answer.tile("one")
    assert '<figure class="trend" id="trend-two" hx-swap-oob="true"></figure>' in answer.tile("two")


async def test_a_new_value_sends_the_line_and_not_the_tile(world: World, browser: Browser) -> None:
    world.region("one")
    world.trends["one"] = Trend(HOUR, (10.0,))
    await browser.log_in("root")
    page = await browser.get("/wall")
    address = re.search(r'sse-connect="([^"]*)"', page.text)
    assert address
    async with browser.stream(address.group(1).replace("&amp;", "&")) as stream:
        ages = await stream.next()
        assert ages
        world.trends["one"] = Trend(HOUR, (10.0, 30.0))
        update = await stream.next()
        assert update

    assert 'id="trend-one"' in update[1]
    assert 'id="tile-one"' not in update[1]


async def test_the_page_of_a_region_has_the_chart_as_image_and_as_table(
    world: World, browser: Browser
) -> None:
    world.region("one")
    now = world.clock.now()
    world.points = [
        Point("one", now - HOUR, {"VCPU": Figures(10, 40, 4, 36)}),
        Point("one", now - HOUR / 2, {}),
        Point("one", now - HOUR / 4, {"VCPU": Figures(10, 40, 0, 40)}),
    ]
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/one?span=week")

    assert 'data-points="/wall/regions/one/history?resource=VCPU&amp;span=week"' in answer.text
    table = answer.text[answer.text.index("The same as a table") :].partition("</table>")[0]
    assert table.count("not known") == 1
    assert "<b>0</b>" in table
    assert world.questions[-1].resources == ["VCPU"]
    assert "style=" not in answer.text


async def test_the_points_for_the_script_have_null_for_a_gap(world: World, browser: Browser) -> None:
    world.region("one")
    now = world.clock.now()
    world.points = [
        Point("one", now - HOUR, {"MEMORY_MB": Figures(2048, 2048, 4, None)}),
        Point("one", now, {}),
    ]
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/one/history?resource=MEMORY_MB")

    assert json.loads(answer.text)["used"] == [4, None]
    assert json.loads(answer.text)["free"] == [None, None]
    assert json.loads(answer.text)["scale"] == "MiB"


async def test_a_tenant_gets_neither(world: World, browser: Browser) -> None:
    world.region("one")
    world.trends["one"] = Trend(HOUR, (10.0,))

    await browser.log_in("alice")
    assert (await browser.get("/wall/regions/one/history")).status == 403
    assert "spark" not in (await browser.get("/regions")).text


@pytest.mark.parametrize("query", ["resource=%00", "resource=" + "x" * 9999, "resource=%3Cb%3E"])
async def test_a_wrong_address_shows_a_chart_all_the_same(world: World, browser: Browser, query: str) -> None:
    world.region("one")
    await browser.log_in("root")
    answer = await browser.get(f"/wall/regions/one?{query}")

    assert answer.status == 200
    assert "<b>" not in answer.text.partition("How it was")[2].partition("</form>")[0]


async def test_a_span_that_there_is_not_is_told(world: World, browser: Browser) -> None:
    world.region("one")
    await browser.log_in("root")
    answer = await browser.get("/wall/regions/one?span=century")
    assert answer.status == 400
    assert "span: there is no 'century'; there are: " in answer.words
