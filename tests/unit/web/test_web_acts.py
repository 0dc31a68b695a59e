"""Acting from the page: which forms there are, what they send, once, and what a refusal looks like."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import TYPE_CHECKING

import pytest

from multisite.actions.errors import AnswerMissing, RegionRefused
from multisite.actions.table import ACTIONS
from multisite.errors import DatabaseAway
from multisite.regions.model import Identity
from multisite.web.inventory.forms import FORMS
from multisite.web.once import KEPT, MOST, Once

if TYPE_CHECKING:
    from multisite.clock import FixedClock
    from tests.unit.web.conftest import Answer, Browser, World
    from tests.unit.web.items import Items

SERVER = "/inventory/servers/RegionOne/id-of-db-1"


def buttons(answer: Answer) -> list[str]:
    """What is offered on an item's page."""
    acts = answer.text.partition('class="acts"')[2].partition('<div class="item-parts"')[0]
    return [unescape(each).strip() for each in re.findall(r"<(?:a|button)\b[^>]*>([^<]*)</", acts)]


def fields_of(answer: Answer) -> dict[str, str]:
    """The hidden fields of the page's last form that is sent once."""
    form = answer.text.rpartition("data-once")[2]
    return {
        key: unescape(value)
        for key, value in re.findall(r'type="hidden" name="([a-z_]+)" value="([^"]*)"', form)
    }


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("ACTIVE", ["Stop", "Reboot", "Reboot hard", "Resize…", "Delete…"]),
        ("SHUTOFF", ["Start", "Reboot hard", "Resize…", "Delete…"]),
        ("VERIFY_RESIZE", ["Confirm the resize", "Revert the resize", "Delete…"]),
        ("BUILD", ["Delete…"]),
    ],
)
async def test_what_makes_sense_is_offered(
    browser: Browser, items: Items, status: str, expected: list[str]
) -> None:
    items.add("server", "db-1", status=status)
    await browser.log_in("alice")
    assert buttons(await browser.get(SERVER))[: len(expected)] == expected


async def test_who_may_not_act_gets_no_form_and_no_way_around(
    browser: Browser, items: Items, world: World
) -> None:
    items.add("server", "db-1")
    world.person("rita", "reader")
    await browser.log_in("rita")
    answer = await browser.get(SERVER)
    assert buttons(answer) == []
    assert "Create a server" not in (await browser.get("/inventory/servers")).words
    token = (await browser.get("/inventory/servers")).field("form_token")
    refused = await browser.post(f"{SERVER}/stop", {"form_token": token, "once": "o" * 20})
    assert (refused.status, items.acted) == (403, [])
    assert (await browser.get("/inventory/servers/create")).status == 403


async def test_a_region_with_its_own_keystone_has_a_sentence(
    browser: Browser, items: Items, world: World
) -> None:
    items.add("server", "db-1")
    view = world.views["RegionOne"]
    world.views["RegionOne"] = replace(view, region=replace(view.region, identity=Identity.OWN))
    await browser.log_in("alice")
    answer = await browser.get(SERVER)
    assert buttons(answer) == []
    assert "RegionOne has a Keystone of its own" in answer.words
    regions = (await browser.get("/inventory/servers/create")).text
    assert "<option>RegionTwo</option>" in regions
    assert "<option>RegionOne</option>" not in regions


async def test_a_button_acts_with_the_visitors_token_and_leads_back(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("alice")
    fields = fields_of(await browser.get(SERVER))
    answer = await browser.post(f"{SERVER}/reboot-hard", fields)
    path, _, query = answer.headers["location"].partition("?")
    assert (answer.status, path) == (303, SERVER)
    assert query.startswith("done=servers%3Areboot&seal=")
    assert items.acted == [
        ("server:reboot", "RegionOne", "id-of-db-1", {"type": "hard"}, None, "token-alice")
    ]
    assert (
        "The region took it on: reboot the server." in (await browser.get(answer.headers["location"])).words
    )
    seal = query.rpartition("=")[2]
    for forged in (
        f"{SERVER}?done=something",
        f"{SERVER}?done=servers:delete",
        f"{SERVER}?done=servers:delete&seal={seal}",
        f"/inventory/servers?done=servers:reboot&seal={seal}",
    ):
        assert "took it on" not in (await browser.get(forged)).words


async def test_a_form_that_asks_for_nothing_has_no_page(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("alice")
    for name in ("start", "stop", "reboot-soft", "confirm-resize"):
        assert (await browser.get(f"{SERVER}/{name}")).status == 404
    assert (await browser.get(f"{SERVER}/delete")).status == 200


async def test_twice_sent_is_once_done(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    items.gate = asyncio.Event()
    await browser.log_in("alice")
    fields = fields_of(await browser.get(SERVER))
    both = [asyncio.create_task(browser.post(f"{SERVER}/stop", fields)) for _ in range(2)]
    await asyncio.sleep(0.05)
    items.gate.set()
    answers = await asyncio.gather(*both)
    again = await browser.post(f"{SERVER}/stop", fields)
    assert [each.status for each in (*answers, again)] == [303, 303, 303]
    assert len(items.acted) == 1
    await browser.post(f"{SERVER}/stop", fields_of(await browser.get(SERVER)))
    assert len(items.acted) == 2, "another form is another request"


@pytest.mark.parametrize("once", ["", "short", "x" * 49, "with space in it, and long", "é" * 20])
async def test_a_form_without_a_text_of_its_own_does_nothing(
    browser: Browser, items: Items, once: str
) -> None:
    items.add("server", "db-1")
    await browser.log_in("alice")
    fields = fields_of(await browser.get(SERVER)) | {"once": once}
    answer = await browser.post(f"{SERVER}/stop", fields)
    assert (answer.status, items.acted) == (400, [])
    assert "The form was too old" in answer.words


async def test_a_form_from_elsewhere_does_nothing(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("alice")
    fields = fields_of(await browser.get(SERVER))
    paths = [f"{SERVER}/stop", f"{SERVER}/delete", "/inventory/servers/create"]
    for path in paths:
        assert (await browser.post(path, fields, origin="https://evil.example")).status == 403
        assert (await browser.post(path, fields | {"form_token": "x"})).status == 403
        assert (await browser.post(path, fields, sec_fetch_site="cross-site")).status == 403
    assert items.acted == []


async def test_an_item_of_others_cannot_be_touched(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", project_id="p-beta")
    await browser.log_in("alice")
    fields = fields_of(await browser.get("/inventory/servers/create?region=RegionOne"))
    for path in (SERVER, f"{SERVER}/delete"):
        assert (await browser.get(path)).status == 404
    assert (await browser.post(f"{SERVER}/delete", fields)).status == 404
    assert items.acted == []


async def test_a_refusal_is_the_regions_sentence(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    items.refusal = RegionRefused(409, "region 'RegionOne' refused to stop the server: it is <locked>")
    await browser.log_in("alice")
    answer = await browser.post(f"{SERVER}/stop", fields_of(await browser.get(SERVER)))
    assert answer.status == 409
    assert "Region 'RegionOne' refused to stop the server: it is <locked>" in answer.words
    assert "<locked>" not in answer.text
    assert buttons(answer)[0] == "Stop"


async def test_a_failure_of_ours_is_no_sentence_of_the_region(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    items.refusal = DatabaseAway("sqlite:////secret/path")
    await browser.log_in("alice")
    answer = await browser.post(f"{SERVER}/stop", fields_of(await browser.get(SERVER)))
    assert answer.status == 503
    assert "/secret/path" not in answer.text


async def test_deleting_asks_first(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("alice")
    page = await browser.get(f"{SERVER}/delete")
    assert "This will delete the server db-1 in RegionOne" in page.words
    assert items.acted == []
    answer = await browser.post(f"{SERVER}/delete", fields_of(page))
    assert answer.status == 303
    assert items.acted[0][:3] == ("server:delete", "RegionOne", "id-of-db-1")


async def test_resizing_offers_flavors_and_how_many_fit(browser: Browser, items: Items) -> None:
    items.add("server", "db-1", attributes={"flavor": "m1.tiny"})
    await browser.log_in("alice")
    page = await browser.get(f"{SERVER}/resize")
    assert "It has m1.tiny now." in page.words
    assert "m1.small: 1 VCPU, 2 GiB memory, 20 GiB disk; 7 fit" in page.words
    assert "none fits" in page.words
    await browser.post(f"{SERVER}/resize", fields_of(page) | {"flavor_id": "f1"})
    assert items.acted[0][3] == {"flavor_id": "f1"}
    missing = await browser.post(f"{SERVER}/resize", fields_of(page) | {"once": "another-text-123456"})
    assert missing.status == 400
    assert "Flavor: write or choose one" in missing.words


async def test_a_volume_is_attached_to_a_server_of_its_region(browser: Browser, items: Items) -> None:
    items.add("volume", "data", status="available")
    items.add("server", "db-1")
    items.add("server", "far", "RegionTwo")
    await browser.log_in("alice")
    page = await browser.get("/inventory/volumes/RegionOne/id-of-data/attach")
    assert "db-1" in page.words
    assert "far" not in page.words
    await browser.post(
        "/inventory/volumes/RegionOne/id-of-data/attach", fields_of(page) | {"server_id": "id-of-db-1"}
    )
    assert items.acted[0][:4] == ("volume:attach", "RegionOne", "id-of-data", {"server_id": "id-of-db-1"})


async def test_a_volume_is_detached_from_a_server_that_has_it(browser: Browser, items: Items) -> None:
    attached = {"attachments": [{"server_id": "id-of-db-1"}]}
    items.add("volume", "data", status="in-use", attributes=attached)
    items.add("server", "db-1")
    items.add("server", "other")
    await browser.log_in("alice")
    page = await browser.get("/inventory/volumes/RegionOne/id-of-data/detach")
    assert re.findall(r'<option value="([^"]+)"', page.text) == ["id-of-db-1"]


async def test_a_server_is_created_from_what_the_region_offers(browser: Browser, items: Items) -> None:
    await browser.log_in("alice")
    page = await browser.get("/inventory/servers/create?region=RegionTwo")
    assert "m1.small: 1 VCPU, 2 GiB memory, 20 GiB disk; 7 fit" in page.words
    fields = fields_of(page) | {"name": "web", "image_id": "id-of-debian", "flavor_id": "f1"}
    fields |= {"network_ids": "id-of-net-a", "key_name": "", "volume_size": "20"}
    answer = await browser.post("/inventory/servers/create", fields)
    where = "/inventory/servers/RegionTwo/id-of-new?done=servers%3Acreate&seal="
    assert answer.headers["location"].startswith(where)
    name, region, _, asked, key, _ = items.acted[0]
    assert (name, region, key) == ("server:create", "RegionTwo", f"page-{fields['key']}")
    assert asked == {
        "region": "RegionTwo",
        "name": "web",
        "image_id": "id-of-debian",
        "flavor_id": "f1",
        "network_ids": ["id-of-net-a"],
        "volume_size": 20,
    }


async def test_a_volume_is_created_empty_or_from_what_the_project_has(browser: Browser, items: Items) -> None:
    items.add("snapshot", "night", "RegionTwo", status="available", attributes={"size": 4})
    items.add("snapshot", "half-done", "RegionTwo", status="creating")
    items.add("volume", "data", "RegionTwo", status="in-use")
    items.add("volume", "theirs", "RegionTwo", project_id="p-beta", status="available")
    await browser.log_in("alice")
    assert "Create a volume" in (await browser.get("/inventory/volumes")).words
    page = await browser.get("/inventory/volumes/create?region=RegionTwo")
    offered = re.findall(r'<option value="(\w+:[^"]+)"', page.text)
    assert offered == ["image_id:id-of-debian", "snapshot_id:id-of-night", "source_volume_id:id-of-data"]
    assert "night (4 GiB)" in page.words
    fields = fields_of(page) | {"name": "new", "size": "3", "source": "", "volume_type": "ceph"}
    answer = await browser.post("/inventory/volumes/create", fields)
    assert answer.headers["location"].startswith(
        "/inventory/volumes/RegionTwo/id-of-new?done=volumes%3Acreate"
    )
    assert (
        "The region took it on: create the volume." in (await browser.get(answer.headers["location"])).words
    )
    again = fields | {"once": "x" * 20, "size": "", "source": "snapshot_id:id-of-night"}
    await browser.post("/inventory/volumes/create", again)
    asked = {"region": "RegionTwo", "name": "new", "volume_type": "ceph"}
    assert [each[3] for each in items.acted] == [
        asked | {"size": 3},
        asked | {"snapshot_id": "id-of-night"},
    ]
    assert items.acted[0][4] == f"page-{fields['key']}"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "new"}, "Size: write how many GiB"),
        ({"name": "new", "source": "image_id:id-of-debian"}, "Size: write how many GiB"),
        ({"size": "3"}, "Name: write or choose one"),
        ({"name": "new", "size": "-3"}, "Size: write a whole number"),
        ({"name": "new", "size": "3", "source": "server_id:x"}, "From: choose an image"),
    ],
)
async def test_a_mistake_in_the_form_of_a_volume_is_a_sentence(
    browser: Browser, items: Items, fields: dict[str, str], told: str
) -> None:
    await browser.log_in("alice")
    page = await browser.get("/inventory/volumes/create?region=RegionTwo")
    answer = await browser.post("/inventory/volumes/create", fields_of(page) | fields)
    assert (answer.status, items.acted) == (400, [])
    assert told in answer.words


async def test_a_floating_ip_is_taken_from_an_external_network(browser: Browser, items: Items) -> None:
    items.add("network", "public", "RegionTwo", attributes={"external": True})
    items.add("network", "lan", "RegionTwo", attributes={"external": False})
    await browser.log_in("alice")
    assert "Take a floating IP" in (await browser.get("/inventory/floating-ips")).words
    page = await browser.get("/inventory/floating-ips/create?region=RegionTwo")
    assert re.findall(r'<option value="(id-of[^"]+)"', page.text) == ["id-of-public"]
    answer = await browser.post(
        "/inventory/floating-ips/create", fields_of(page) | {"network_id": "id-of-public"}
    )
    assert answer.headers["location"].startswith("/inventory/floating-ips/RegionTwo/id-of-new?done=")
    name, region, _, asked, key, _ = items.acted[0]
    assert (name, region, key) == ("floating_ip:create", "RegionTwo", None), "Neutron takes no mark"
    assert asked == {"region": "RegionTwo", "network_id": "id-of-public"}
    items.rows[-1] = replace(items.rows[-1], status="DOWN")
    assert ">Associate" in (await browser.get("/inventory/floating-ips/RegionTwo/id-of-new")).text


async def test_a_region_without_an_external_network_says_so(browser: Browser) -> None:
    await browser.log_in("alice")
    page = await browser.get("/inventory/floating-ips/create?region=RegionTwo")
    assert "RegionTwo has no external network that the project sees." in page.words


async def test_nothing_else_has_a_form_that_makes_it(browser: Browser) -> None:
    await browser.log_in("alice")
    answer = await browser.get("/inventory/networks/create")
    assert answer.status == 404
    assert "There is no form that makes networks." in answer.words


async def test_what_was_filled_in_stays_and_a_lost_answer_keeps_the_key(
    browser: Browser, items: Items
) -> None:
    await browser.log_in("alice")
    fields = fields_of(await browser.get("/inventory/servers/create?region=RegionTwo"))
    fields |= {"name": '"web"', "image_id": "id-of-debian", "flavor_id": "f1", "network_ids": "id-of-net-b"}
    items.refusal = RegionRefused(403, "region 'RegionTwo' refused to create the server: Quota exceeded")
    refused = await browser.post("/inventory/servers/create", fields)
    assert refused.status == 403
    assert "Quota exceeded" in refused.words
    assert 'value="&#34;web&#34;"' in refused.text
    assert '<option value="f1" selected>' in refused.text
    assert re.search(r'value="id-of-net-b" checked', refused.text)
    assert fields_of(refused)["key"] != fields["key"], "nothing was done: the next is a new one"
    items.refusal = AnswerMissing("region 'RegionTwo' did not answer")
    fields |= fields_of(refused)
    lost = await browser.post("/inventory/servers/create", fields)
    assert fields_of(lost)["key"] == fields["key"], "it may have been done: the same key finds it"
    assert fields_of(lost)["once"] != fields["once"], "or it would not be asked again"


async def test_a_mistake_in_the_form_is_a_sentence(browser: Browser, items: Items) -> None:
    await browser.log_in("alice")
    fields = fields_of(await browser.get("/inventory/servers/create?region=RegionTwo"))
    answer = await browser.post("/inventory/servers/create", fields | {"volume_size": "many"})
    assert (answer.status, items.acted) == (400, [])
    assert "Name: write or choose one" in answer.words


def test_every_action_of_an_item_has_a_form() -> None:
    offered = {form.action.full_name for forms in FORMS.values() for form in forms}
    assert offered == {action.full_name for action in ACTIONS if not action.creates}
    names = [(kind, form.name) for kind, forms in FORMS.items() for form in forms]
    assert len(names) == len(set(names))


async def test_outcomes_are_forgotten_in_the_end(clock: FixedClock) -> None:
    once: Once[int] = Once(clock)
    calls: list[int] = []

    async def work() -> int:
        calls.append(1)
        return len(calls)

    assert [await once.do("a", work), await once.do("a", work)] == [1, 1]
    clock.advance(timedelta(seconds=KEPT + 1))
    assert await once.do("a", work) == 2
    for number in range(MOST):
        await once.do(number, work)
    assert await once.do("a", work) > 2, "there is room for so many only"
