"""The inventory's pages in a real browser, over real regions: what is listed, found, saved and done there.

What a tab shows is compared with what the API answers, and what is done with what the region itself says.
Servers are made as the user beta under names that begin with `page-`.
"""

import csv
import io
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from multisite.web.inventory.words import TITLES
from tests.lab.service.browser import OpenTab, Tab, opened_tabs, running_chromium, take_picture
from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually

pytestmark = pytest.mark.lab

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
REGION = "RegionTwo"
BETA = f"{REGION}-beta"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture
def open_tab(browser: Browser, fresh: Cloud) -> Iterator[OpenTab]:
    """Open a tab as a user; at the end, no tab may have seen an error or asked anybody but the service."""
    with opened_tabs(browser, fresh) as open_one:
        yield lambda user="admin", **context: open_one(user, **context)


@pytest.fixture
def cleared(fresh: Cloud) -> Iterator[Cloud]:
    """Whatever a test leaves is taken away by the region's own API."""
    yield fresh
    compute = fresh.connection(BETA).compute
    for server in compute.servers():
        if server.name.startswith("page-"):
            compute.delete_server(server)
            compute.wait_for_delete(server, wait=60)


def names_shown(tab: Tab) -> list[str]:
    return [each.strip() for each in tab.page.locator("#listing tbody th").all_inner_texts()]


def listed(api: Api, kind: str, **parameters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/v1/inventory/{kind}", limit=100, **parameters)["items"]
    return items


def names_of(items: list[dict[str, Any]]) -> list[str]:
    """What the page calls items: those without a name by the beginning of their ids."""
    return [item["name"] or f"{item['id'][:8]}…" for item in items]


def query_of(tab: Tab) -> dict[str, list[str]]:
    return parse_qs(urlsplit(tab.page.url).query)


@pytest.mark.parametrize("user", ["admin", "alpha"])
def test_every_list_is_what_the_api_lists(open_tab: OpenTab, fresh: Cloud, user: str) -> None:
    tab, api = open_tab(user), fresh.api(f"RegionOne-{user}")
    tab.page.get_by_role("link", name="Inventory").click()
    assert tab.path == "/inventory/servers"
    for kind, title in TITLES.items():
        tab.page.get_by_role("navigation", name="Kinds").get_by_role("link", name=title, exact=True).click()
        expect(tab.page.locator("h1")).to_have_text(title)
        if kind == "keypairs":
            continue

        def both(kind: str = kind) -> tuple[list[str], list[str]]:
            tab.go(f"/inventory/{kind}")
            return names_shown(tab), names_of(listed(api, kind))

        shown, expected = eventually(both, lambda pair: pair[0] == pair[1], seconds=30)
        assert shown == expected


def test_the_list_follows_the_typing_and_its_address(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab()
    tab.go("/inventory/servers")
    tab.remember_the_document()
    name = listed(admin, "servers")[0]["name"]
    tab.page.get_by_label("Name", exact=True).press_sequentially(name, delay=30)
    expected = names_of(listed(admin, "servers", name=name))
    expect(tab.page.locator("#listing tbody tr")).to_have_count(len(expected))
    expect(tab.page.locator("#count")).to_contain_text(f"{len(expected)} server")
    assert names_shown(tab) == expected
    assert query_of(tab) == {"name": [name]}
    tab.page.get_by_label("Address", exact=True).fill("no address")
    expect(tab.page.locator("#listing").get_by_role("alert")).to_contain_text("is no address")
    tab.page.get_by_label("Address", exact=True).fill("")
    expect(tab.page.locator("#listing tbody tr")).to_have_count(len(expected))
    tab.assert_never_reloaded()
    again = open_tab()
    again.go(tab.page.url)
    assert names_shown(again) == expected
    assert again.page.get_by_label("Name", exact=True).input_value() == name


def test_the_newest_answer_wins(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.go("/inventory/servers")
    held: list[Route] = []
    given_up: list[str] = []

    def hold(route: Route) -> None:
        if parse_qs(urlsplit(route.request.url).query).get("name") == ["zz"]:
            held.append(route)
        else:
            route.continue_()

    def note(request: Request) -> None:
        if urlsplit(request.url).path == "/inventory/servers":  # each list begins its stream anew
            given_up.append(request.url)

    tab.page.route("**/inventory/servers?*", hold)
    tab.page.on("requestfailed", note)
    field = tab.page.get_by_label("Name", exact=True)
    field.fill("zz")

    def is_held() -> int:
        tab.page.wait_for_timeout(50)  # lets the browser's own events come in
        return len(held)

    eventually(is_held, bool, seconds=20)
    field.fill("zzz-nobody")
    expect(tab.page.locator("#listing")).to_contain_text("No servers fit.")
    assert query_of(tab) == {"name": ["zzz-nobody"]}
    assert len(given_up) == 1
    assert "name=zz&" in given_up[0]
    # htmx itself tells the console of a request that it gave up.
    told = ("htmx:afterRequest", "htmx:sendAbort")
    tab.errors = [error for error in tab.errors if not error.startswith(told)]


def test_columns_sort_and_say_so(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab()
    tab.go("/inventory/servers")
    head = tab.page.locator("th[aria-sort=ascending]")
    expect(head).to_have_text("Name")
    tab.page.get_by_role("link", name="Region", exact=True).click()
    expect(tab.page.locator("th[aria-sort=ascending]")).to_have_text("Region")
    assert names_shown(tab) == names_of(listed(admin, "servers", sort="region"))
    tab.page.get_by_role("link", name="Region", exact=True).click()
    expect(tab.page.locator("th[aria-sort=descending]")).to_have_text("Region")
    assert names_shown(tab) == names_of(listed(admin, "servers", sort="region", direction="desc"))
    take_picture(tab, "inventory")


def test_the_csv_has_the_rows_of_the_list(open_tab: OpenTab) -> None:
    tab = open_tab()
    tab.go(f"/inventory/servers?region={REGION}")
    with tab.page.expect_download() as download:
        tab.page.get_by_role("link", name="All of these as CSV").click()
    assert download.value.suggested_filename == "servers.csv"
    text = download.value.path().read_text(encoding="utf-8")
    assert [row["name"] for row in csv.DictReader(io.StringIO(text))] == names_shown(tab)


def test_a_saved_filter_is_there_in_the_next_session_and_can_be_deleted(open_tab: OpenTab) -> None:
    name = f"of a test {time.time_ns()}"
    tab = open_tab("alpha")
    tab.go(f"/inventory/ports?region={REGION}")
    tab.page.get_by_label("Save this list as").fill(name)
    tab.page.get_by_role("button", name="Save", exact=True).click()
    assert query_of(tab) == {"region": [REGION]}
    other = open_tab("beta")
    other.go("/inventory/servers")
    expect(other.page.get_by_role("link", name=name)).to_have_count(0)
    again = open_tab("alpha")
    again.go("/inventory/servers")
    again.page.get_by_role("link", name=name).click()
    assert (again.path, query_of(again)) == ("/inventory/ports", {"region": [REGION]})
    again.page.get_by_role("button", name=f"Delete the filter {name}").click()
    expect(again.page.get_by_role("link", name=name)).to_have_count(0)
    assert again.path == "/inventory/ports"


def test_the_box_finds_ids_names_and_addresses_from_every_page(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab()
    server = next(item for item in listed(admin, "servers") if item["addresses"])
    for page in ("/wall", "/project", "/inventory/images"):
        tab.go(page)
        box = tab.page.get_by_role("searchbox", name="Where is this id, name or address?")
        box.fill(server["id"])
        box.press("Enter")
        expect(tab.page.locator(".hits li").first).to_contain_text("exact id")
    expect(tab.page.locator(".hits li").first).to_contain_text(server["name"])
    tab.remember_the_document()
    box.fill(server["addresses"][0])
    expect(tab.page.locator("#found")).to_contain_text("exact address")
    shown = tab.page.locator("h2:has-text('Servers') + .hits li", has_text=server["id"])
    expect(shown).to_have_count(1)
    tab.assert_never_reloaded()
    shown.get_by_role("link", name=server["name"]).click()
    expect(tab.page.locator("h1")).to_have_text(server["name"])
    assert tab.path == f"/inventory/servers/{server['region']}/{server['id']}"


def test_an_item_leads_to_what_belongs_to_it_and_back(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab("alpha")
    own = [item for item in listed(admin, "servers") if item["project_name"] == "alpha"]
    server = next(item for item in own if item["addresses"])
    path = f"/inventory/servers/{server['region']}/{server['id']}"
    tab.go(path)
    expect(tab.page.locator(".facts")).to_contain_text(server["addresses"][0])
    assert "host" not in tab.page.locator(".facts dt").all_inner_texts(), "a tenant sees no host"
    tab.page.locator(".related li", has_text="Port").get_by_role("link").first.click()
    assert tab.path.startswith(f"/inventory/ports/{server['region']}/")
    tab.page.locator(".related li", has_text="For").get_by_role("link").click()
    assert tab.path == path


def test_an_item_of_others_is_not_there(open_tab: OpenTab, admin: Api) -> None:
    foreign = next(item for item in listed(admin, "servers") if item["project_name"] == "beta")
    tab = open_tab("alpha")
    for ending in ("", "/delete"):
        assert tab.go(f"/inventory/servers/{foreign['region']}/{foreign['id']}{ending}") == 404
        assert foreign["name"] not in tab.page.content()
    tab.forgive(404)


def test_a_server_is_created_once_stopped_started_and_deleted(open_tab: OpenTab, cleared: Cloud) -> None:
    compute = cleared.connection(BETA).compute
    name = f"page-{time.time_ns()}"
    tab = open_tab("beta")
    page = tab.page
    tab.go("/inventory/servers")
    page.get_by_role("link", name="Create a server").click()
    page.get_by_label("Region").select_option(REGION)
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Image").select_option("lab-linux")
    flavor = page.get_by_label("Flavor").locator("option", has_text="m1.tiny").first
    assert "fit" in flavor.inner_text()
    page.get_by_label("Flavor").select_option(flavor.inner_text())
    page.get_by_label("beta-net").check()
    page.get_by_role("button", name="Create", exact=True).dblclick()
    expect(page.locator(".notice")).to_have_text("The region took it on: create the server.", timeout=60_000)
    expect(page.locator("h1")).to_have_text(name)
    made = [server for server in compute.servers() if server.name == name]
    assert len(made) == 1, "a double click is one server"
    assert tab.path == f"/inventory/servers/{REGION}/{made[0].id}"
    compute.wait_for_server(made[0], wait=120)

    def reads(status: str) -> None:
        def shown() -> str:
            page.reload()
            return page.locator(".page-head .status").first.inner_text().strip()

        eventually(shown, lambda text: text == status, seconds=90)

    reads("ACTIVE")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".notice")).to_have_text("The region took it on: stop the server.")
    eventually(lambda: compute.get_server(made[0]).status, lambda text: text == "SHUTOFF")
    reads("SHUTOFF")
    page.get_by_role("button", name="Start").click()
    eventually(lambda: compute.get_server(made[0]).status, lambda text: text == "ACTIVE")
    page.get_by_role("link", name="Delete…").click()
    expect(page.locator("form.act")).to_contain_text(name)
    assert compute.get_server(made[0]).status == "ACTIVE", "asking deletes nothing"
    page.get_by_role("button", name="Delete it").click()
    expect(page.locator(".notice")).to_have_text("The region took it on: delete the server.")
    compute.wait_for_delete(made[0], wait=60)


def test_a_refusal_is_told_in_the_regions_words(open_tab: OpenTab, cleared: Cloud) -> None:
    connection = cleared.connection(BETA)
    made = connection.compute.create_server(
        name=f"page-{time.time_ns()}",
        image_id=connection.image.find_image("lab-linux").id,
        flavor_id=connection.compute.find_flavor("m1.tiny").id,
        networks=[{"uuid": connection.network.find_network("beta-net").id}],
    )
    connection.compute.wait_for_server(made, wait=120)
    tab = open_tab("beta")
    path = f"/inventory/servers/{REGION}/{made.id}"
    eventually(lambda: tab.go(path), lambda status: status == 200)
    eventually(
        lambda: tab.go(path) and tab.page.get_by_role("button", name="Stop").count(), lambda count: count == 1
    )
    tab.forgive(404)
    connection.compute.stop_server(made)
    connection.compute.wait_for_server(made, status="SHUTOFF", wait=60)
    tab.page.get_by_role("button", name="Stop").click()
    expect(tab.page.locator("main").get_by_role("alert")).to_contain_text("refused to stop the server")
    expect(tab.page.locator("main").get_by_role("alert")).to_contain_text("while it is in vm_state")
    tab.forgive(409)


def test_a_list_says_which_region_it_lacks(open_tab: OpenTab, admin: Api, lab: Any) -> None:
    tab = open_tab()
    lab.stop("RegionThree")
    try:

        def lacking() -> str:
            tab.go("/inventory/servers")
            return " ".join(tab.page.locator("#listing details").all_inner_texts())

        eventually(lacking, lambda text: "1 region was not read well: RegionThree" in text)
        tab.page.locator("#listing summary").click()
        expect(tab.page.locator("#listing .missing")).to_contain_text("compute")
        assert names_shown(tab) == names_of(listed(admin, "servers")), "its rows stay"
        tab.go("/search?q=server")
        expect(tab.page.locator("#found")).to_contain_text("RegionThree. There may be more in it.")
        assert tab.hard_to_read() == []
    finally:
        lab.start("RegionThree")
        eventually(lambda: admin.get("/v1/capacity"), all_fresh, seconds=120)


def paths(admin: Api) -> list[str]:
    """A page of each make."""
    server = listed(admin, "servers", status="ACTIVE")[0]
    item = f"/inventory/servers/{server['region']}/{server['id']}"
    return [
        *("/inventory/servers", "/inventory/ports", "/inventory/images", "/inventory/keypairs"),
        *("/search?q=a", item, f"{item}/delete", f"{item}/resize"),
        f"/inventory/servers/create?region={REGION}",
    ]


def test_nothing_scrolls_sideways_on_a_phone(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab(**PHONE)
    for path in paths(admin):
        assert tab.go(path) == 200
        tab.assert_no_sideways_scroll()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_texts_are_readable_in_both_colour_schemes(open_tab: OpenTab, admin: Api, scheme: str) -> None:
    tab = open_tab(color_scheme=scheme)
    for path in paths(admin):
        tab.go(path)
        assert (tab.ground_luminance() < 0.05) is (scheme == "dark")
        assert tab.hard_to_read() == [], path


def test_it_works_without_a_script(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.go("/inventory/servers")
    name = listed(admin, "servers")[0]["name"]
    tab.page.get_by_label("Name", exact=True).fill(name)
    tab.page.get_by_role("button", name="Show").click()
    assert names_shown(tab) == names_of(listed(admin, "servers", name=name))
    tab.page.locator("#listing tbody th a").first.click()
    expect(tab.page.locator("h1")).to_have_text(name)
    box = tab.page.get_by_role("searchbox", name="Where is this id, name or address?")
    box.fill(name)
    box.press("Enter")
    expect(tab.page.locator(".hits")).not_to_have_count(0)


def test_everything_can_be_reached_by_keyboard(open_tab: OpenTab) -> None:
    tab = open_tab(reduced_motion="reduce")
    tab.go("/inventory/servers")
    tab.page.locator("#main").focus()
    walk: list[dict[str, Any]] = []
    for _ in range(40):
        tab.page.keyboard.press("Tab")
        walk.append(tab.focused())
    texts = [" ".join(each["text"].split()) for each in walk]
    in_order = ["Servers", "Keypairs", "name", "address", "status", "Regions any", "project", "Show", "Name"]
    assert [text for text in texts if text in in_order][: len(in_order)] == in_order
    assert [each for each in walk if not each["ring"]] == []
    higher_than_the_window = {"div"}  # the table itself, which scrolls by the arrow keys
    assert [each for each in walk if not each["inView"] and each["tag"] not in higher_than_the_window] == []
