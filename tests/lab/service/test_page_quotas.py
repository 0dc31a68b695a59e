"""Quotas in a real browser: limits are planned, written, watched, asked for, and given back."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.lab.service.browser import OpenTab, Tab, opened_tabs, running_chromium, take_picture
from tests.lab.service.conftest import Api, Cloud, eventually

pytestmark = pytest.mark.lab

PHONE = {"viewport": {"width": 400, "height": 740}, "has_touch": True, "is_mobile": True}
CORES, VOLUMES = "compute/cores", "volume/gigabytes"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def open_tab(browser: Browser, fresh: Cloud) -> Iterator[OpenTab]:
    """Open a tab; at the end, no tab may have seen an error or asked anybody but the service."""
    with opened_tabs(browser, fresh) as open_one:
        yield open_one


@pytest.fixture
def alpha(cloud: Cloud, admin: Api) -> Iterator[str]:
    """The id of alpha's project, which nobody governs before and after."""
    project = str(cloud.connection(f"{cloud.regions[0]}-alpha").current_project_id)
    yield project
    if admin.request("GET", f"/v1/quotas/{project}").status_code == 200:
        admin.request("DELETE", f"/v1/quotas/{project}")
        eventually(lambda: admin.request("GET", f"/v1/quotas/{project}").status_code, lambda got: got == 404)


@pytest.fixture
def governed(alpha: str, admin: Api) -> str:
    """Alpha with two global limits that all regions keep."""
    body = {"limits": {CORES: 30, VOLUMES: 300}}
    assert admin.request("PATCH", f"/v1/quotas/{alpha}", json=body).status_code == 202
    established(admin, alpha)
    return alpha


@pytest.fixture
def requested(cloud: Cloud, governed: str) -> Iterator[str]:
    """Where the page of a request of alpha is, which is open."""
    assert governed
    own = cloud.api(f"{cloud.regions[0]}-alpha")
    body = {"limits": {CORES: 60, VOLUMES: 900}, "reason": "a second cell in the north"}
    made = own.request("POST", "/v1/quota-requests", json=body).json()
    yield f"/quotas/requests/{made['id']}"
    own.request("POST", f"/v1/quota-requests/{made['id']}/cancel")


def established(admin: Api, project: str) -> Any:
    """The project's quota, once all regions keep it."""
    return eventually(
        lambda: admin.get(f"/v1/quotas/{project}"),
        lambda quota: {each["state"] for each in quota["resources"]} == {"established"},
    )


def row_of(tab: Tab, table: str, name: str) -> Locator:
    """A row of one of the page's tables."""
    return tab.page.locator(f"{table} tr").filter(has_text=name)


def test_an_operator_plans_limits_writes_them_and_watches(open_tab: OpenTab, alpha: str, admin: Api) -> None:
    tab = open_tab("admin")
    tab.page.get_by_role("link", name="Quotas").click()
    expect(tab.page.locator("#told")).to_have_text("No project has limits over all regions yet.")
    tab.page.get_by_role("link", name="Govern a project").click()
    tab.page.get_by_label("Project").fill("alpha")
    tab.page.get_by_role("button", name="Choose its limits").click()
    assert tab.path == f"/quotas/{alpha}/limits"

    cores = tab.page.get_by_role("group", name="Limit 2")
    expect(cores.get_by_label("Resource")).to_have_value(CORES)
    cores.get_by_label("Limit").fill("many")
    tab.page.get_by_role("button", name="Show what would be written").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("'many' is no whole number")
    expect(cores.get_by_label("Limit")).to_have_value("many")
    tab.forgive(400)

    cores.get_by_label("Limit").fill("30")
    tab.page.get_by_role("button", name="Show what would be written").click()
    expect(tab.page.locator("#planned")).to_contain_text("would be made now")
    plan = tab.page.locator("#plan tbody")
    for region in tab.cloud.regions:
        expect(plan.locator("tr").filter(has_text=region).first).to_be_visible()
    assert admin.request("GET", f"/v1/quotas/{alpha}").status_code == 404, "a dry run governs nothing"
    tab.page.get_by_role("button", name="Write these").click()
    tab.remember_the_document()
    expect(tab.page.locator("#following .standing")).to_have_text("succeeded")
    row = row_of(tab, "#resources", CORES)
    expect(row.locator(".standing")).to_have_text("established")
    expect(row).to_contain_text("of 30")
    tab.assert_never_reloaded()
    tab.page.locator("#following a").click()
    expect(tab.page.get_by_role("heading", name="Writing of a quota")).to_be_visible()
    expect(tab.page.locator("#writes")).to_contain_text("limits of compute in")
    tab.page.locator("#parts a").click()
    assert tab.path == f"/quotas/{alpha}"


def test_a_tenant_sees_its_own_asks_for_more_and_is_told_to_wait(
    open_tab: OpenTab, governed: str, admin: Api
) -> None:
    tab = open_tab("alpha")
    tab.page.get_by_role("link", name="Quotas").click()
    expect(tab.page.locator("#resources tr")).to_have_count(2)
    assert tab.path == f"/quotas/{governed}"
    expect(tab.page.get_by_role("link", name="Set limits")).to_have_count(0)
    region = tab.cloud.regions[-1]
    tab.page.get_by_label("I need more in").select_option(region)
    tab.page.get_by_role("button", name="Ask for it").click()
    expect(tab.page.locator("#following .standing")).to_have_text("succeeded")
    shares = {each["region"]: each for each in established(admin, governed)["resources"][0]["regions"]}
    others = [each["limit"] - each["used"] for name, each in shares.items() if name != region]
    assert shares[region]["limit"] - shares[region]["used"] > max(others)

    own = tab.cloud.api(f"{tab.cloud.regions[0]}-alpha")
    assert own.request("POST", f"/v1/quotas/{governed}/balance", json={}).status_code == 202
    tab.page.get_by_role("button", name="Balance now").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("was balanced a moment ago; ask again in")
    tab.forgive(429)
    answer = tab.page.reload()
    assert answer
    assert (answer.status, answer.request.method) == (200, "GET")
    assert tab.go("/quotas/" + "0" * 32) == 404
    assert tab.go(f"/quotas/{governed}/limits") == 403
    tab.forgive(404)
    tab.forgive(403)


def test_the_page_follows_without_a_reload_when_use_grows(
    open_tab: OpenTab, governed: str, admin: Api
) -> None:
    tab = open_tab("admin")
    assert tab.go("/quotas") == 200
    tab.remember_the_document()
    expect(tab.page.locator("#live")).to_have_attribute("data-live", "on")
    row = tab.page.locator(f"#quota-{governed}")
    expect(row).to_contain_text("of 30")
    body = {"limits": {CORES: 44}}
    assert admin.request("PATCH", f"/v1/quotas/{governed}", json=body).status_code == 202
    expect(row).to_contain_text("of 44")
    tab.assert_never_reloaded()
    tab.page.get_by_label("State").select_option("releasing")
    expect(tab.page.locator("#told")).to_have_text("No quota fits the filter.")
    tab.page.get_by_role("link", name="Clear").click()
    tab.page.get_by_label("Project").fill("alph")
    tab.page.keyboard.press("Enter")
    row.get_by_role("link").click()
    take_picture(tab, "quota", whole=True)


def test_bounds_a_class_and_the_end_are_decided_with_a_dry_run_each(
    open_tab: OpenTab, governed: str, admin: Api
) -> None:
    tab = open_tab("admin")
    first = tab.cloud.regions[0]
    assert tab.go(f"/quotas/{governed}?resource={CORES}") == 200
    tab.page.get_by_role("link", name="Bound a region").click()
    tab.page.locator('select[name="region"]').select_option(first)
    tab.page.get_by_label("At least").fill("25")
    decide(tab)
    shares = {each["region"]: each for each in established(admin, governed)["resources"][0]["regions"]}
    assert shares[first]["limit"] >= 25
    assert shares[first]["minimum"] == 25

    tab.page.get_by_role("link", name="Govern it no more").click()
    tab.page.get_by_role("button", name="Show what would be written").click()
    tab.page.get_by_role("button", name="Write these").click()
    eventually(lambda: admin.request("GET", f"/v1/quotas/{governed}").status_code, lambda got: got == 404)
    assert tab.go(f"/quotas/{governed}") == 404
    expect(tab.page.get_by_role("heading", name="No quota over all regions")).to_be_visible()
    tab.errors.clear()  # what was live when the quota ended says so, and stays


def decide(tab: Tab) -> None:
    """See what would be written, and write it."""
    tab.page.get_by_role("button", name="Show what would be written").click()
    tab.page.locator("form.write button").click()
    expect(tab.page.locator("#following .standing")).to_have_text("succeeded")


def test_classes_are_made_and_deleted(open_tab: OpenTab) -> None:
    tab = open_tab("admin")
    assert tab.go("/quotas/classes") == 200
    tab.page.get_by_label("Class", exact=True).fill("gold")
    line = tab.page.get_by_role("group", name="Limit 1")
    line.get_by_label("Resource").fill(CORES)
    line.get_by_label("Limit").fill("12")
    tab.page.get_by_role("button", name="Show what would be written").click()
    expect(tab.page.locator("#planned")).to_have_text("Nothing would be written now")
    tab.page.get_by_role("button", name="Set these limits").click()
    expect(tab.page.locator("section.quota-class")).to_contain_text("12")
    tab.page.get_by_role("button", name="Delete").click()
    expect(tab.page.get_by_text("There is no class yet.")).to_be_visible()


def test_a_tenant_asks_an_operator_grants_less_and_the_quota_grows(
    open_tab: OpenTab, governed: str, admin: Api
) -> None:
    tenant = open_tab("alpha")
    assert tenant.go(f"/quotas/{governed}?resource={CORES}") == 200
    tenant.page.get_by_role("link", name="Ask for more").click()
    line = tenant.page.get_by_role("group", name="Limit 1")
    expect(line.get_by_label("Resource")).to_have_value(CORES)
    expect(line).to_contain_text("VCPU: 30")
    line.get_by_label("Limit you need").fill("20")
    tenant.page.get_by_label("Reason").fill("a second cell")
    tenant.page.get_by_role("button", name="Ask for it").click()
    expect(tenant.page.get_by_role("alert")).to_contain_text("20 is not more than 30")
    tenant.forgive(400)
    expect(tenant.page.get_by_label("Reason")).to_have_value("a second cell")
    line.get_by_label("Limit you need").fill("60")
    tenant.page.get_by_role("button", name="Ask for it").click()
    expect(tenant.page.locator("main .standing")).to_have_text("open")
    request = tenant.path

    operator = open_tab("admin")
    assert operator.go("/quotas") == 200
    operator.page.get_by_role("link", name="Requests 1 open").click()
    operator.page.get_by_role("link", name="VCPU 60").click()
    assert operator.path == request
    operator.page.get_by_label("VCPU").fill("44")
    operator.page.get_by_label("Answer").fill("until May")
    take_picture(operator, "quota-request")
    operator.page.get_by_role("button", name="Approve").click()
    assert operator.path == f"/quotas/{governed}"
    expect(operator.page.locator("#following .standing")).to_have_text("succeeded")
    expect(row_of(operator, "#resources", CORES)).to_contain_text("of 44")
    assert operator.go(request) == 200
    expect(operator.page.get_by_role("link", name="its operation")).to_be_visible()

    tenant.page.reload()
    expect(tenant.page.locator("main .standing")).to_have_text("approved")
    expect(tenant.page.get_by_text("until May")).to_be_visible()
    expect(tenant.page.get_by_role("button", name="Take it back")).to_have_count(0)
    expect(tenant.page.get_by_role("link", name="its operation")).to_have_count(0)
    tenant.page.get_by_role("link", name="alpha", exact=True).click()
    expect(row_of(tenant, "#resources", CORES)).to_contain_text("of 44")
    quota = established(admin, governed)
    cores = next(each for each in quota["resources"] if each["resource"] == CORES)
    assert sum(each["limit"] for each in cores["regions"]) == 44


def test_a_request_is_taken_back_and_another_one_refused(open_tab: OpenTab, governed: str) -> None:
    tenant, operator = open_tab("alpha"), open_tab("admin")
    for number in ("50", "70"):
        assert tenant.go(f"/quotas/requests/create?resource={CORES}") == 200
        line = tenant.page.get_by_role("group", name="Limit 1")
        line.get_by_label("Limit you need").fill(number)
        tenant.page.get_by_label("Reason").fill("a second cell")
        tenant.page.get_by_label("Reason").press("Tab")
        tenant.page.keyboard.press("Enter")
        expect(tenant.page.locator("main .standing")).to_have_text("open")
        assert operator.go(tenant.path) == 200
        if number == "50":
            tenant.page.get_by_role("button", name="Take it back").click()
            expect(tenant.page.locator("main .standing")).to_have_text("cancelled")
        operator.page.get_by_label("Why").fill("use a class")
        operator.page.get_by_role("button", name="Refuse").click()
        if number == "50":
            expect(operator.page.get_by_role("alert")).to_contain_text("is cancelled already")
            operator.forgive(409)
    tenant.page.reload()
    expect(tenant.page.locator("main .standing")).to_have_text("refused")
    expect(tenant.page.get_by_text("use a class")).to_be_visible()
    assert tenant.go(f"/quotas/{governed}") == 200
    assert "open" not in tenant.page.get_by_role("link", name="Requests").inner_text()


def test_a_cap_holds_and_is_taken_away(open_tab: OpenTab, governed: str) -> None:
    tab = open_tab("admin")
    assert tab.go("/quotas") == 200
    tab.page.get_by_role("link", name="Caps").click()
    tab.page.locator('select[name="scope"]').select_option("tree")
    tab.page.get_by_label("Which one").fill("alpha")
    tab.page.get_by_label("Resource").fill(CORES)
    tab.page.get_by_label("Together at most").fill("32")
    tab.page.get_by_role("button", name="Set it").click()
    cap = tab.page.locator("table.decided tbody tr")
    expect(cap).to_contain_text("alpha")
    expect(cap).to_contain_text("32")
    assert tab.go(f"/quotas/{governed}/limits?resource={CORES}") == 200
    tab.page.get_by_role("group", name="Limit 1").get_by_label("Limit").fill("33")
    tab.page.get_by_role("button", name="Show what would be written").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("32")
    tab.forgive(409)
    assert tab.go("/quotas/caps") == 200
    cap.get_by_role("button", name="Take the cap").click()
    expect(tab.page.get_by_text("There is no cap yet.")).to_be_visible()


def test_a_back_end_is_pinned_and_unpinned(open_tab: OpenTab) -> None:
    tab = open_tab("admin")
    first = tab.cloud.regions[0]
    assert tab.go("/quotas") == 200
    tab.page.get_by_role("link", name="Back ends").click()
    tab.page.locator('select[name="region"]').select_option(first)
    tab.page.get_by_role("button", name="Pin it").click()
    pin = tab.page.locator("table.decided tbody tr")
    expect(pin).to_contain_text(first)
    expect(pin).to_contain_text("classic")
    pin.get_by_role("button", name="Unpin").click()
    expect(tab.page.get_by_text("Nothing is pinned")).to_be_visible()


def test_what_the_regions_have_is_proposed_and_taken_over(open_tab: OpenTab, alpha: str, admin: Api) -> None:
    tab = open_tab("admin")
    assert tab.go("/quotas/govern") == 200
    tab.page.get_by_label("Project").fill("alpha")
    tab.page.get_by_role("button", name="Propose them from what the regions have").click()
    expect(tab.page.get_by_role("heading", name="limits of alpha")).to_be_visible()
    tab.page.get_by_label("Resources").fill(CORES)
    tab.page.get_by_role("button", name="Propose", exact=True).click()
    expect(tab.page.get_by_role("heading", name="1 limit of alpha")).to_be_visible()
    body = {"project_id": alpha, "resources": [CORES]}
    proposal = admin.request("POST", "/v1/quotas/import", json=body).json()["proposals"][0]
    for region in tab.cloud.regions:
        expect(tab.page.locator("table.standings tbody")).to_contain_text(region)
    tab.page.get_by_role("button", name="Fill the form of limits").click()
    line = tab.page.get_by_role("group", name="Limit 1")
    expect(line.get_by_label("Resource")).to_have_value(CORES)
    expect(line.get_by_label("Limit")).to_have_value(str(proposal["limit"]))
    assert admin.request("GET", f"/v1/quotas/{alpha}").status_code == 404, "proposals govern nothing"
    decide(tab)
    assert [each["limit"] for each in established(admin, alpha)["resources"]] == [proposal["limit"]]


def test_nothing_scrolls_sideways_on_a_phone(open_tab: OpenTab, governed: str, requested: str) -> None:
    tab = open_tab("admin", **PHONE)
    forms = ("limits", "bounds", "raise", "class", "take-away", "unset")
    paths = [f"/quotas/{governed}/{form}" for form in forms]
    lists = [f"/quotas/{name}" for name in ("caps", "backends", "requests/create")]
    lists += ["/quotas", "/quotas/classes", "/quotas/govern", "/quotas/import?project=alpha"]
    for path in (*lists, requested, "/quotas/requests", f"/quotas/{governed}", *paths):
        assert tab.go(path) == 200
        tab.assert_no_sideways_scroll()
    tab.page.get_by_role("button", name="Show what would be written").click()
    expect(tab.page.locator("#planned")).to_be_visible()
    tab.assert_no_sideways_scroll()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_are_readable_in_both_colour_schemes(
    open_tab: OpenTab, governed: str, requested: str, scheme: str
) -> None:
    tab = open_tab("admin", color_scheme=scheme)
    lists = ("/quotas", "/quotas/caps", "/quotas/backends", "/quotas/import?project=alpha")
    for path in (*lists, requested, "/quotas/requests", f"/quotas/{governed}", f"/quotas/{governed}/unset"):
        assert tab.go(path) == 200
        assert tab.hard_to_read() == []
    tab.page.get_by_role("button", name="Show what would be written").click()
    expect(tab.page.locator("#planned")).to_be_visible()
    assert tab.hard_to_read() == []


def test_it_works_without_a_script_and_by_keyboard(open_tab: OpenTab, governed: str, admin: Api) -> None:
    tab = open_tab("admin", java_script_enabled=False)
    assert tab.go(f"/quotas/{governed}/limits?resource={CORES}") == 200
    limit = tab.page.get_by_role("group", name="Limit 1").get_by_label("Limit")
    expect(limit).to_have_value("30")
    limit.fill("36")
    limit.press("Enter")
    expect(tab.page.locator("#planned")).to_be_visible()
    tab.page.locator("form.write button").focus()
    tab.page.keyboard.press("Enter")
    expect(tab.page.locator("#following a")).to_be_visible()
    assert {each["limit"] for each in established(admin, governed)["resources"]} == {36, 300}
