"""What must be seen, 6: the page in a real browser, over real regions that change, die and come back.

What a tab shows is compared with what the API answers at that moment. Nothing here waits for a time to
pass: a test waits until the page says what it has to, and fails when it does not.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, expect

from multisite.web import figures
from tests.lab.service.browser import PEOPLE, OpenTab, Tab, opened_tabs, running_chromium, take_picture
from tests.lab.service.conftest import Api, Cloud, all_fresh, eventually

pytestmark = pytest.mark.lab

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
#: Ages around everything that changes how they are told.
AGES = (0, 1, 59, 60, 61, 119, 3599, 3600, 3660, 7199, 86399, 86400, 90000, 172800, 1_000_000)


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
def operator(open_tab: OpenTab) -> Tab:
    """An operator before the wall."""
    tab = open_tab()
    tab.log_in("admin")
    assert tab.path == "/wall"
    return tab


@pytest.fixture
def tenant(open_tab: OpenTab) -> Tab:
    """A tenant before its project."""
    tab = open_tab()
    tab.log_in("alpha")
    assert tab.path == "/project"
    return tab


def expected_bars(region: dict[str, Any]) -> dict[str, str]:
    """The five bars that the API's figures have to look like."""
    resources, volume = region["placement"]["resources"], region["volume"]
    addresses = region["network"]["external_ipv4"]
    vcpu, memory, disk = (resources[name] for name in ("VCPU", "MEMORY_MB", "DISK_GB"))
    of = "{} of {}".format
    return {
        "VCPU": of(figures.count(vcpu["used"]), figures.count(vcpu["usable"])),
        "Memory": of(figures.from_mebibytes(memory["used"]), figures.from_mebibytes(memory["usable"])),
        "Disk": of(figures.from_gibibytes(disk["used"]), figures.from_gibibytes(disk["usable"])),
        "Volumes": of(
            figures.from_gibibytes(volume["total"] - volume["free"]), figures.from_gibibytes(volume["total"])
        ),
        "Ext. IPv4": of(
            figures.count(int(addresses["used"])), figures.count(int(addresses["total"]))
        ),
    }  # fmt: skip


def expected_wall(capacity: dict[str, Any]) -> dict[str, Any]:
    return {region["region"]: [region["state"], expected_bars(region)] for region in capacity["regions"]}


def shown_wall(tab: Tab, names: list[str]) -> dict[str, Any]:
    return {
        name: [tab.tile(name).locator(".tile-head .state").inner_text().strip(), tab.bars(tab.tile(name))]
        for name in names
    }


def test_the_wall_shows_every_region_with_the_figures_of_the_api(operator: Tab, admin: Api) -> None:
    names = operator.cloud.regions
    assert operator.page.locator(".tile").count() == len(names) == 3
    shown, expected = eventually(
        lambda: (shown_wall(operator, names), expected_wall(admin.get("/v1/capacity"))),
        lambda pair: pair[0] == pair[1],
    )
    assert shown == expected
    totals = admin.get("/v1/capacity")["totals"]
    free = operator.page.locator("#totals .total .big").all_inner_texts()
    assert free[0] == figures.count(totals["placement"]["resources"]["VCPU"]["free"])
    expect(operator.page.locator("#totals")).to_contain_text("Complete: fresh figures of every region")
    expect(operator.page.locator("#live-text")).to_have_text("live")
    cookie = operator.session_cookie
    assert cookie is not None
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert operator.page.evaluate("document.cookie") == "", "a script can read a cookie"
    take_picture(operator, "wall")


def test_an_age_is_that_of_the_sweep(operator: Tab) -> None:
    """Every figure of a tile is read with each sweep; images are not, and a tile shows none of them."""
    eventually(
        lambda: operator.tile("RegionOne").locator("time").inner_text(),
        lambda text: text.endswith("s ago"),
        seconds=20,
    )


def test_a_region_has_its_services_zones_and_what_fits(operator: Tab, admin: Api) -> None:
    operator.tile("RegionTwo").locator("h2 a").click()
    expect(operator.page.locator("h1")).to_have_text("RegionTwo")
    assert operator.path == "/wall/regions/RegionTwo"
    page = operator.page
    for health in admin.get("/v1/health", region="RegionTwo")["services"]:
        row = page.locator("tr", has=page.get_by_role("rowheader", name=health["service"], exact=True))
        expect(row).to_contain_text("fresh")
        expect(row).to_contain_text(health["endpoint"])

    def zones_and_fit() -> tuple[Any, Any]:
        detail = admin.get("/v1/capacity/RegionTwo")
        titled = page.locator(".card:has(h3)").all()
        cards = {card.locator("h3").inner_text(): operator.bars(card) for card in titled}
        rows = page.locator("[aria-labelledby=fit] tbody tr")
        fits = {row.locator("th").inner_text(): row.locator("b").inner_text() for row in rows.all()}
        zones = {
            f"Zone {zone}": f"{figures.count(c['VCPU']['used'])} of {figures.count(c['VCPU']['usable'])}"
            for zone, c in detail["region"]["placement"]["zones"].items()
        }
        shown = {name: card["VCPU"] for name, card in cards.items() if name.startswith("Zone")}
        return (shown, fits), (
            zones,
            {each["name"]: figures.count(each["fits"]) for each in detail["flavors"]},
        )

    shown, expected = eventually(zones_and_fit, lambda pair: pair[0] == pair[1])
    assert shown == expected
    assert len(shown[0]) >= 2, "RegionTwo has two zones"
    take_picture(operator, "region", whole=True)


def servers_shown(tab: Tab) -> str:
    return tab.tile("RegionTwo").locator(".tile-foot").inner_text()


def test_a_server_shows_on_the_wall_by_itself(operator: Tab, admin: Api) -> None:
    def state() -> tuple[int, int]:
        capacity = admin.get("/v1/capacity")
        region = next(each for each in capacity["regions"] if each["region"] == "RegionTwo")
        return region["placement"]["resources"]["VCPU"]["used"], region["compute"]["running_servers"]

    cores, servers = state()
    bar = operator.tile("RegionTwo").locator(".bar").first.locator("b")
    expect(bar).to_have_text(str(cores))
    operator.remember_the_document()
    compute = operator.cloud.connection("RegionTwo-alpha").compute
    network = operator.cloud.connection("RegionTwo-alpha").network.find_network("alpha-net")
    image = operator.cloud.connection("RegionTwo-alpha").image.find_image("lab-linux")
    server = compute.create_server(
        name="seen-on-the-page",
        flavor_id=compute.find_flavor("m1.tiny").id,
        image_id=image.id,
        networks=[{"uuid": network.id}],
    )
    try:
        compute.wait_for_server(server, interval=1, wait=120)
        expect(bar).to_have_text(str(cores + 1))
        expect(operator.tile("RegionTwo").locator(".tile-foot")).to_contain_text(f"{servers + 1} servers")
    finally:
        compute.delete_server(server)
    expect(bar).to_have_text(str(cores))
    operator.assert_never_reloaded()


def test_a_dead_region_looks_dead_and_comes_back(
    operator: Tab, open_tab: OpenTab, admin: Api, lab: Any
) -> None:
    tenant = open_tab()
    tenant.log_in("alpha")
    region_page = open_tab()
    region_page.log_in("admin")
    region_page.go("/wall/regions/RegionThree")
    for tab in (operator, tenant, region_page):
        tab.remember_the_document()
    tile, totals = operator.tile("RegionThree"), operator.page.locator("#totals")
    free = operator.page.locator("#totals .total .big").first
    whole = free.inner_text()
    alive = tile.evaluate("element => getComputedStyle(element).backgroundImage")
    lab.stop("RegionThree")
    expect(tile).to_have_attribute("data-state", "unreachable")
    expect(tile.locator(".ailing")).to_contain_text(
        "compute, image, network, placement, volume: connection-refused"
    )
    dead = tile.evaluate("element => getComputedStyle(element).backgroundImage")
    assert alive == "none"
    assert dead.startswith("repeating-linear-gradient"), dead
    assert tile.locator(".state").evaluate("element => parseFloat(getComputedStyle(element).fontSize)") > 20
    expect(totals).to_contain_text(
        "Incomplete: 1 region is missing in whole or in part: RegionThree", timeout=60_000
    )
    expect(free).not_to_have_text(whole)
    totals.locator("summary").click()
    for service in ("compute", "placement", "volume", "network", "image"):
        expect(totals.locator(".missing")).to_contain_text(f"{service} unreachable")
    expect(operator.page.locator(".count[data-state=unreachable]")).to_have_text("1 unreachable")
    for name in ("RegionOne", "RegionTwo"):
        expect(operator.tile(name)).to_have_attribute("data-state", "fresh")
    assert operator.hard_to_read() == []
    totals.locator("summary").click()
    take_picture(operator, "wall-dead-region")

    expect(region_page.page.locator(".page-head")).to_have_attribute("data-state", "unreachable")
    expect(region_page.page.locator("#health")).to_contain_text("connection-refused")
    expect(tenant.page.locator("#use-RegionThree")).to_have_attribute("data-state", "unreachable")
    expect(tenant.page.locator("#totals")).to_contain_text("Incomplete: 1 of 3 regions")
    port = lab.url("RegionThree", "nova").rsplit(":", 1)[1]
    for path in ("/project", "/regions"):
        tenant_text = tenant.page.content() if path == "/project" else _content(tenant, path)
        assert port not in tenant_text, "a tenant sees an address inside the region"

    lab.start("RegionThree")
    expect(tile).to_have_attribute("data-state", "fresh", timeout=120_000)
    expect(totals).to_contain_text("Complete: fresh figures of every region", timeout=60_000)
    expect(free).to_have_text(whole)
    expect(region_page.page.locator(".page-head")).to_have_attribute("data-state", "fresh")
    operator.assert_never_reloaded()
    region_page.assert_never_reloaded()
    eventually(lambda: admin.get("/v1/capacity"), all_fresh)


def _content(tab: Tab, path: str) -> str:
    tab.go(path)
    return tab.page.content()


def test_a_tenant_sees_its_own_use_and_no_capacity(tenant: Tab) -> None:
    api = tenant.cloud.api("RegionOne-alpha")
    project = tenant.cloud.connection("RegionOne-alpha").current_project_id
    expect(tenant.page.locator("h1")).to_have_text("alpha")

    def both() -> tuple[Any, Any]:
        tenant.page.reload()
        shown = {
            row.locator("th").inner_text(): [
                cell.inner_text() for cell in row.locator("td.use > span:first-child").all()
            ]
            for row in tenant.page.locator("#regions tr").all()
        }
        return shown, {
            each["region"]: expected_use(each["resources"])
            for each in api.get(f"/v1/usage/{project}")["regions"]
        }

    shown, expected = eventually(both, lambda pair: pair[0] == pair[1])
    assert shown == expected
    assert set(shown) == set(tenant.cloud.regions)
    take_picture(tenant, "project", whole=True)

    tenant.page.get_by_role("link", name="Regions", exact=True).click()
    expect(tenant.page.locator(".tile")).to_have_count(3)
    assert tenant.page.locator(".bar, .total").count() == 0
    assert "http://" not in tenant.page.locator("main").inner_text()
    assert tenant.go("/wall") == 403
    expect(tenant.page.locator("main")).to_contain_text("policy")
    assert tenant.page.locator(".tile").count() == 0
    assert tenant.go("/wall/regions/RegionOne") == 403
    tenant.forgive(403)


def expected_use(resources: dict[str, Any]) -> list[str]:
    columns = {
        "compute/instances": figures.count,
        "compute/cores": figures.count,
        "compute/ram": figures.from_mebibytes,
        "volume/gigabytes": figures.from_gibibytes,
        "network/floatingip": figures.count,
        "image/image_size_total": figures.from_bytes,
    }
    texts = []
    for name, text in columns.items():
        used, limit = resources[name]["used"] + resources[name]["reserved"], resources[name]["limit"]
        texts.append(text(used) if limit is None else f"{text(used)} of {text(limit)}")
    return texts


@pytest.mark.parametrize("user", ["admin", "nobody-of-that-name"])
def test_a_wrong_password_is_one_sentence(open_tab: OpenTab, user: str) -> None:
    tab = open_tab()
    tab.fill_in(user, "wrong")
    expect(tab.page.get_by_role("alert")).to_have_text(
        "User name, domain or password is wrong, or the project is not one of yours."
    )
    expect(tab.page.get_by_label("Password")).to_be_focused()
    assert tab.page.get_by_label("User name").input_value() == user
    assert tab.session_cookie is None
    tab.forgive(401)


def test_logging_out_revokes_the_token_and_leaves_nothing_to_go_back_to(operator: Tab) -> None:
    token, cookie = operator.token, operator.session_cookie
    identity = operator.cloud.connection("RegionOne-admin").identity

    def known_to_keystone() -> int:
        return int(identity.get("/auth/tokens", headers={"X-Subject-Token": token}).status_code)

    def taken_by_the_api() -> int:
        address = f"{operator.cloud.service.url}/v1/regions"
        return requests.get(address, headers={"X-Auth-Token": token}, timeout=30).status_code

    assert (known_to_keystone(), taken_by_the_api()) == (200, 200)
    operator.page.get_by_role("button", name="Log out").click()
    expect(operator.page.locator("main")).to_contain_text("You are logged out.")
    assert operator.session_cookie is None
    eventually(known_to_keystone, lambda status: status == 404, seconds=20)
    eventually(taken_by_the_api, lambda status: status == 401, seconds=20)
    operator.page.go_back()
    expect(operator.page.get_by_label("User name")).to_be_visible()
    assert operator.page.locator(".tile").count() == 0
    # A cookie that somebody copied is worth nothing either, once what we know of the token has aged.
    copied: Any = {**cookie, "expires": -1}
    operator.context.add_cookies([copied])
    eventually(lambda: operator.go("/wall") and operator.path, lambda path: path == "/login", seconds=20)


def test_everything_can_be_reached_by_keyboard(open_tab: OpenTab) -> None:
    tab = open_tab(reduced_motion="reduce")
    tab.go("/login")
    keyboard = tab.page.keyboard
    expect(tab.page.get_by_label("User name")).to_be_focused()
    keyboard.type("admin")
    walk: list[dict[str, Any]] = []
    keyboard.press("Tab")
    keyboard.type(PEOPLE["admin"])
    while (walk[-1]["text"] if walk else "") != "Log in" and len(walk) < 10:
        keyboard.press("Tab")
        walk.append(tab.focused())
    assert [each["text"] for each in walk] == ["domain", "Project (optional)", "Log in"]
    assert all(each["ring"] and each["inView"] for each in walk), walk
    keyboard.press("Enter")
    expect(tab.page.locator(".tile")).to_have_count(3)

    walk = []
    for _ in range(30):
        keyboard.press("Tab")
        walk.append(tab.focused())
        if walk[-1]["tag"] == "body":
            break
    texts = [each["text"] for each in walk]
    assert texts[0] == "Skip to the content"
    in_order = ["multisite", "Wall", "Project", "Log out", "name", "order", "density", "Show"]
    assert [text for text in texts if text in in_order] == in_order
    assert [text for text in texts if text.startswith("Region")] == [
        "RegionOne",
        "RegionThree",
        "RegionTwo",
    ]
    assert [each for each in walk if each["tag"] != "body" and not (each["ring"] and each["inView"])] == []

    tab.go("/wall")
    keyboard.press("Tab")
    keyboard.press("Enter")
    assert tab.page.evaluate("document.activeElement.id") == "main"
    keyboard.press("Tab")
    focused = " ".join(tab.focused()["text"].split())
    assert focused.startswith("3 regions"), f"the link skips what is above the content: {focused}"
    tab.page.locator("#to-RegionOne").focus()
    keyboard.press("Enter")
    expect(tab.page.locator("h1")).to_have_text("RegionOne")


def test_nothing_scrolls_sideways_on_a_phone(open_tab: OpenTab) -> None:
    tab = open_tab(**PHONE)
    tab.go("/login")
    tab.assert_no_sideways_scroll()
    tab.log_in("admin")
    for path in ("/wall", "/wall?density=compact", "/wall/regions/RegionTwo", "/project"):
        assert tab.go(path) == 200
        tab.assert_no_sideways_scroll()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_texts_are_readable_in_both_colour_schemes(open_tab: OpenTab, scheme: str) -> None:
    dark = scheme == "dark"
    tab = open_tab(color_scheme=scheme)
    tab.go("/login")
    assert (tab.ground_luminance() < 0.05) is dark
    assert tab.hard_to_read() == []
    tab.log_in("admin")
    for path in ("/wall", "/wall/regions/RegionTwo", "/project"):
        tab.go(path)
        assert (tab.ground_luminance() < 0.05) is dark
        assert tab.hard_to_read() == [], path


def test_it_works_without_a_script(open_tab: OpenTab, admin: Api) -> None:
    tab = open_tab(java_script_enabled=False)
    tab.log_in("admin")
    expect(tab.page.locator(".tile")).to_have_count(3)
    expect(tab.page.locator("#live")).to_be_hidden()

    def both() -> tuple[Any, Any]:
        tab.page.reload()
        return shown_wall(tab, tab.cloud.regions), expected_wall(admin.get("/v1/capacity"))

    shown, expected = eventually(both, lambda pair: pair[0] == pair[1])
    assert shown == expected
    tab.page.get_by_role("searchbox", name="Name", exact=True).fill("two")
    tab.page.get_by_role("button", name="Show").click()
    expect(tab.page.locator(".tile")).to_have_count(1)
    tab.page.get_by_role("link", name="RegionTwo").click()
    expect(tab.page.locator("h1")).to_have_text("RegionTwo")
    tab.page.get_by_role("link", name="Project").click()
    expect(tab.page.locator("#regions tr")).to_have_count(3)
    tab.page.get_by_role("button", name="Log out").click()
    expect(tab.page.locator("main")).to_contain_text("You are logged out.")


def test_a_script_tells_ages_in_the_same_words(operator: Tab) -> None:
    """The first text that page.js writes into an age is the one that the server would have written."""
    told = operator.page.evaluate(
        """(ages) => Promise.all(ages.map((age) => new Promise((resolve) => {
             const time = document.createElement("time");
             time.dataset.age = age;
             new MutationObserver(() => resolve(time.textContent)).observe(time, { childList: true });
             document.body.append(time);
           })))""",
        list(AGES),
    )
    assert dict(zip(AGES, told, strict=True)) == {age: figures.ago(age) for age in AGES}
