"""Caps of domains and trees, and back ends, on the page: to see, to set, to take away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from multisite import errors
from multisite.quotas.model import Backend, Cap
from tests.unit.web.quotas import CORES, RAM, region, resource

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser, World
    from tests.unit.web.items import Items
    from tests.unit.web.quotas import Quotas

CAPS, BACKENDS = "/quotas/caps", "/quotas/backends"
CAP = {"scope": "domain", "scope_id": "d1", "resource": CORES, "limit": "1000"}
PIN = {"region": "RegionTwo", "service": "compute", "backend": "unified"}


@pytest.fixture
def capped(quotas: Quotas) -> Quotas:
    """The domain d1 may have 1,000 cores; alpha's tree 2 TiB memory."""
    quotas.add("p-alpha", resource(CORES, 100, region("north", 60, 60)))
    for cap in (Cap("domain", "d1", CORES, 1000), Cap("tree", "p-alpha", RAM, 2097152)):
        quotas.capped[cap.scope, cap.scope_id, cap.resource] = cap
    return quotas


async def token_of(browser: Browser, path: str) -> str:
    """The form token of a page."""
    return (await browser.get(path)).field("form_token")


async def test_the_list_of_quotas_leads_to_both(capped: Quotas, browser: Browser) -> None:
    assert capped.capped
    await browser.log_in("root")
    page = await browser.get("/quotas")
    assert f'href="{CAPS}">Caps</a>' in page.text
    assert f'href="{BACKENDS}">Back ends</a>' in page.text


async def test_caps_are_seen(capped: Quotas, browser: Browser) -> None:
    assert capped.capped
    await browser.log_in("root")
    page = await browser.get(CAPS)
    assert "d1 domain VCPU compute/cores 1 000 Take away" in page.words
    assert "alpha project and all below it, p-alpha Memory compute/ram 2 TiB" in page.words
    assert 'href="/quotas/p-alpha">alpha</a>' in page.text


async def test_a_cap_is_set_and_the_next_one_of_the_same_is_near(quotas: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    assert "There is no cap yet." in (await browser.get(CAPS)).words
    answer = await browser.post(CAPS, {"form_token": await token_of(browser, CAPS), **CAP})
    assert (answer.status, answer.headers["location"]) == (303, f"{CAPS}?scope=domain&scope_id=d1")
    assert list(quotas.capped.values()) == [Cap("domain", "d1", CORES, 1000)]
    page = await browser.get(answer.headers["location"])
    assert 'value="d1"' in page.text.partition('name="scope_id" required')[2][:250]
    assert '<option value="domain" selected>' in page.text


async def test_a_tree_is_named_by_its_project(quotas: Quotas, items: Items, browser: Browser) -> None:
    items.add("server", "db-1")
    await browser.log_in("root")
    token = await token_of(browser, CAPS)
    await browser.post(CAPS, {"form_token": token, **CAP, "scope": "tree", "scope_id": "alpha"})
    new = {**CAP, "scope": "tree", "scope_id": "c" * 32, "limit": "unlimited"}
    assert (await browser.post(CAPS, {"form_token": token, **new})).status == 303
    assert list(quotas.capped.values()) == [Cap("tree", "p-alpha", CORES, 1000)]
    missing = await browser.post(CAPS, {"form_token": token, **CAP, "scope": "tree", "scope_id": "nope"})
    assert missing.status == 400
    assert 'value="nope"' in missing.text


async def test_a_cap_is_taken_away(capped: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    fields = {"form_token": await token_of(browser, CAPS), "scope": "tree", "scope_id": "p-alpha"}
    answer = await browser.post(f"{CAPS}/take-away", {**fields, "resource": RAM})
    assert (answer.status, answer.headers["location"]) == (303, CAPS)
    assert list(capped.capped) == [("domain", "d1", CORES)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"scope": "planet"}, "Scope: there is no scope 'planet'; there are: domain, tree"),
        ({"scope_id": " "}, "Scope_id: write the id of a domain, or the name or id of a project"),
        ({"scope_id": "d" * 65}, "Scope_id: write the id of a domain"),
        ({"resource": ""}, "Resource: write one, such as compute/cores"),
        ({"limit": "many"}, "Limit: compute/cores: 'many' is no whole number"),
        ({"limit": ""}, "Limit: write what the limits may add up to"),
        ({"limit": "-2"}, "Limit: -2 cannot be"),
        ({"limit": "2147483648"}, "Limit: 2147483648 cannot be"),
    ],
)
async def test_a_cap_that_cannot_be_is_told_and_what_was_typed_stays(
    quotas: Quotas, browser: Browser, typed: dict[str, str], sentence: str
) -> None:
    await browser.log_in("root")
    fields = {**CAP, **typed}
    answer = await browser.post(CAPS, {"form_token": await token_of(browser, CAPS), **fields})
    assert answer.status == 400
    assert sentence in answer.words
    form = answer.text.partition('id="change"')[2]
    for name in ("scope_id", "resource", "limit"):
        assert f'value="{fields[name].strip()}"' in form.partition(f'name="{name}"')[2].partition(">")[0]
    assert not quotas.capped


async def test_what_the_service_says_of_a_cap_stands_above(quotas: Quotas, browser: Browser) -> None:
    quotas.refusal = errors.BadRequest("there is no resource 'compute/x'")
    await browser.log_in("root")
    answer = await browser.post(CAPS, {"form_token": await token_of(browser, CAPS), **CAP})
    assert answer.status == 400
    assert "There is no resource 'compute/x'" in answer.words
    assert 'value="1000"' in answer.text


async def test_back_ends_are_pinned_and_unpinned(quotas: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    page = await browser.get(BACKENDS)
    assert "Nothing is pinned: all of it is found out." in page.words
    assert "<option>RegionOne</option>" in page.text
    fields = {"form_token": page.field("form_token"), **PIN}
    answer = await browser.post(BACKENDS, fields)
    assert (answer.status, answer.headers["location"]) == (303, BACKENDS)
    assert quotas.pinned == {("RegionTwo", "compute"): Backend.UNIFIED}
    seen = await browser.get(BACKENDS)
    assert "RegionTwo compute unified unified limits in the region's Keystone Unpin" in seen.words
    assert (await browser.post(f"{BACKENDS}/unpin", fields)).status == 303
    assert not quotas.pinned


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"backend": "paper"}, "Backend: there is no 'paper'; there are: classic, unified"),
        ({"service": "volume"}, "Backend: volume has only classic"),
    ],
)
async def test_a_back_end_that_cannot_be_is_told_and_the_choice_stays(
    quotas: Quotas, browser: Browser, typed: dict[str, str], sentence: str
) -> None:
    await browser.log_in("root")
    token = await token_of(browser, BACKENDS)
    answer = await browser.post(BACKENDS, {"form_token": token, **PIN, **typed})
    assert answer.status == 400
    assert sentence in answer.words
    assert "<option selected>RegionTwo</option>" in answer.text
    assert not quotas.pinned


async def test_tenants_see_neither_and_readers_change_nothing(
    capped: Quotas, world: World, browser: Browser
) -> None:
    capped.pinned["RegionTwo", "compute"] = Backend.UNIFIED
    await browser.log_in("alice")
    token = await token_of(browser, "/quotas/p-alpha")
    for path in (CAPS, BACKENDS):
        assert (await browser.get(path)).status == 403
    for path in (CAPS, f"{CAPS}/take-away", BACKENDS, f"{BACKENDS}/unpin"):
        assert (await browser.post(path, {"form_token": token, **CAP, **PIN})).status == 403
    assert len(capped.capped) == 2
    assert len(capped.pinned) == 1
    assert world.people


async def test_foreign_forms_are_refused(capped: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    fields = {"form_token": await token_of(browser, CAPS), **CAP, **PIN}
    for path in (CAPS, f"{CAPS}/take-away", BACKENDS, f"{BACKENDS}/unpin"):
        assert (await browser.post(path, fields, origin="http://evil.example")).status == 403
        assert (await browser.post(path, {**fields, "form_token": "x"})).status == 403
    assert len(capped.capped) == 2
    assert not capped.pinned


async def test_names_with_markup_are_text(quotas: Quotas, world: World, browser: Browser) -> None:
    evil = '"><script>x</script>'
    quotas.capped["domain", evil, CORES] = Cap("domain", evil, CORES, 5)
    quotas.pinned[evil, "compute"] = Backend.CLASSIC
    world.region(evil)
    await browser.log_in("root")
    token = await token_of(browser, CAPS)
    pages = [await browser.get(CAPS), await browser.get(BACKENDS)]
    typed = {"form_token": token, **CAP, "scope_id": evil, "resource": evil, "limit": evil}
    pages.append(await browser.post(CAPS, typed))
    pages.append(await browser.post(BACKENDS, {"form_token": token, **PIN, "region": evil, "backend": evil}))
    for page in pages:
        assert "script" in page.text
        assert "<script>x" not in page.text
