"""Operations in a real browser: begun by a button, watched without a reload, tried again."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.lab.service.browser import OpenTab, Tab, opened_tabs, running_chromium, take_picture
from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually

pytestmark = pytest.mark.lab

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def open_tab(browser: Browser, fresh: Cloud) -> Iterator[OpenTab]:
    """Open a tab; at the end, no tab may have seen an error or asked anybody but the service."""
    with opened_tabs(browser, fresh) as open_one:
        yield open_one


def whole_test(admin: Api) -> Any:
    """Begin a test of all regions over the API, and let it end."""
    begun = admin.request("POST", "/v1/regions/test", json={}).json()
    ended = {"succeeded", "failed"}
    return eventually(
        lambda: admin.get(f"/v1/operations/{begun['id']}")["operation"],
        lambda operation: operation["state"] in ended,
    )


def standing_of(tab: Tab, region: str) -> Locator:
    """The state of a part of the operation that is shown."""
    header = tab.page.get_by_role("rowheader", name=region, exact=True)
    return tab.page.locator("#parts tr").filter(has=header).locator(".standing")


def test_an_operator_begins_a_test_sees_a_region_fail_and_tries_again(
    open_tab: OpenTab, admin: Api, lab: Any
) -> None:
    lab.stop("RegionThree")
    tab = open_tab("admin")
    tab.page.get_by_role("link", name="Operations").click()
    expect(tab.page.get_by_role("heading", name="Operations")).to_be_visible()
    tab.page.get_by_role("button", name="Test all regions").click()
    expect(tab.page.get_by_role("heading", name="Test of regions")).to_be_visible()
    tab.remember_the_document()

    expect(standing_of(tab, "RegionThree")).to_have_text("failed")
    expect(tab.page.locator("#head .standing")).to_have_text("failed")
    expect(tab.page.locator("#parts tr").first).to_contain_text("RegionThree")
    expect(standing_of(tab, "RegionOne")).to_have_text("succeeded")
    tab.assert_never_reloaded()
    take_picture(tab, "operation", whole=True)

    lab.start("RegionThree")
    eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.locator("#head .standing")).to_have_text("succeeded")
    expect(tab.page.get_by_role("progressbar", name="Done of the operation")).to_have_js_property(
        "value", 100
    )
    expect(tab.page.get_by_role("button", name="Try again")).to_have_count(0)


def test_the_list_follows_what_happens_and_has_filters(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab("admin")
    assert tab.go("/operations") == 200
    tab.remember_the_document()
    expect(tab.page.locator("#live")).to_have_attribute("data-live", "on")

    operation = whole_test(admin)

    row = tab.page.locator(f"#operation-{operation['id']}")
    expect(row.locator(".standing")).to_have_text(operation["state"])
    expect(row).to_contain_text("3 succeeded")
    tab.assert_never_reloaded()
    take_picture(tab, "operations")
    tab.page.get_by_label("State").select_option("rollback-failed")
    expect(tab.page.locator("#told")).to_have_text("No operation fits the filter.")
    assert "state=rollback-failed" in tab.page.url
    tab.page.get_by_role("link", name="Clear").click()
    expect(row).to_be_visible()


def test_a_tenant_has_an_empty_list_and_nothing_to_begin(open_tab: OpenTab, admin: Api) -> None:
    operation = whole_test(admin)
    tab = open_tab("beta")  # alpha's quota is balanced in other tests
    assert tab.go("/operations") == 200
    expect(tab.page.locator("#told")).to_have_text("No operation was begun yet.")
    expect(tab.page.get_by_role("button", name="Test all regions")).to_have_count(0)
    assert tab.go(f"/operations/{operation['id']}") == 404
    tab.forgive(404)


def test_nothing_scrolls_sideways_on_a_phone(open_tab: OpenTab, admin: Api) -> None:
    operation = whole_test(admin)
    tab = open_tab("admin", **PHONE)
    for path in ("/operations", f"/operations/{operation['id']}"):
        assert tab.go(path) == 200
        tab.assert_no_sideways_scroll()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_readable_in_both_colour_schemes(
    open_tab: OpenTab, admin: Api, lab: Any, scheme: str
) -> None:
    lab.stop("RegionThree")
    operation = whole_test(admin)
    tab = open_tab("admin", color_scheme=scheme)
    for path in ("/operations", f"/operations/{operation['id']}"):
        assert tab.go(path) == 200
        assert tab.hard_to_read() == []
    assert (tab.ground_luminance() < 0.1) is (scheme == "dark")


def test_a_refused_cancel_is_not_sent_again_by_a_reload(open_tab: OpenTab, admin: Api) -> None:
    operation = whole_test(admin)
    tab = open_tab("admin")
    address = f"/operations/{operation['id']}"
    assert tab.go("/operations") == 200
    with tab.page.expect_navigation():
        tab.page.evaluate(
            """address => {
                const form = document.querySelector("form.begin");
                form.action = address;
                form.submit();
            }""",
            f"{address}/cancel",
        )
    expect(tab.page.get_by_role("alert")).to_contain_text("it has ended")
    tab.forgive(409)
    assert tab.path == address
    answer = tab.page.reload()
    assert answer
    assert (answer.status, answer.request.method) == (200, "GET")


def test_it_works_without_a_script(open_tab: OpenTab) -> None:
    tab = open_tab("admin", java_script_enabled=False)
    tab.go("/operations")
    tab.page.get_by_role("button", name="Test all regions").click()
    expect(tab.page.get_by_role("heading", name="Test of regions")).to_be_visible()
    assert tab.path.startswith("/operations/")
