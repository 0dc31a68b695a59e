"""Saved filters on the page: saved as understood, one's own, deleted by a form of our own."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.web.conftest import Answer, Browser
    from tests.unit.web.items import Items


async def save(browser: Browser, name: str, path: str = "/inventory/servers?name=db&sort=region") -> Answer:
    """Save the list at a path, with the form that stands below it."""
    answer = await browser.get(path)
    form = answer.text.partition('<form class="save"')[2]
    fields = dict(re.findall(r'name="(form_token|kind|query)" value="([^"]*)"', form))
    fields = {key: unescape(value) for key, value in fields.items()}
    return await browser.post("/inventory/filters", fields | {"name": name})


async def test_a_filter_is_saved_and_leads_back_to_its_list(browser: Browser, items: Items) -> None:
    items.add("server", "db-1")
    await browser.log_in("alice")
    answer = await save(browser, "  my   databases ")
    assert (answer.status, answer.headers["location"]) == (303, "/inventory/servers?name=db&sort=region")
    assert [(each.name, each.kind, each.query) for each in items.saved.values()] == [
        ("my databases", "servers", "name=db&sort=region")
    ]
    elsewhere = await browser.get("/inventory/volumes")
    assert 'href="/inventory/servers?name=db&amp;sort=region"' in elsewhere.text
    assert "my databases Servers" in elsewhere.words


async def test_a_filter_is_its_users_own(browser: Browser) -> None:
    await browser.log_in("alice")
    await save(browser, "of alice")
    await browser.log_in("root")
    assert "of alice" not in (await browser.get("/inventory/servers")).words


async def test_what_is_saved_is_what_the_address_means(browser: Browser, items: Items) -> None:
    await browser.log_in("alice")
    token = (await browser.get("/inventory/servers")).field("form_token")
    made_up = "name=a&project=beta&evil=<script>&sort=nothing&region=RegionOne&after=xyz"
    fields = {"form_token": token, "kind": "servers", "query": made_up, "name": "x"}
    await browser.post("/inventory/filters", fields)
    assert [each.query for each in items.saved.values()] == ["region=RegionOne&name=a"]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\u202eb", "a\u0000b"])
async def test_a_name_that_is_none_is_a_sentence(browser: Browser, items: Items, name: str) -> None:
    await browser.log_in("alice")
    answer = await save(browser, name)
    assert answer.status == 400
    assert "name:" in answer.words
    assert not items.saved


async def test_a_hostile_name_is_text(browser: Browser) -> None:
    await browser.log_in("alice")
    hostile = '"><script>alert(1)</script>'
    await save(browser, hostile)
    answer = await browser.get("/inventory/servers")
    assert "<script>alert" not in answer.text
    assert hostile in answer.words


async def test_a_filter_is_deleted(browser: Browser, items: Items) -> None:
    await browser.log_in("alice")
    await save(browser, "old")
    form = (await browser.get("/inventory/servers?name=db")).text.partition("filters/delete")[2]
    fields = {
        key: unescape(value)
        for key, value in re.findall(r'name="(form_token|name|kind|query)" value="([^"]*)"', form)[:4]
    }
    answer = await browser.post("/inventory/filters/delete", fields)
    assert (answer.status, answer.headers["location"]) == (303, "/inventory/servers?name=db")
    assert not items.saved


@pytest.mark.parametrize("path", ["/inventory/filters", "/inventory/filters/delete"])
async def test_a_form_from_elsewhere_does_nothing(browser: Browser, items: Items, path: str) -> None:
    await browser.log_in("alice")
    await save(browser, "kept")
    token = (await browser.get("/inventory/servers")).field("form_token")
    fields = {"form_token": token, "kind": "servers", "query": "", "name": "kept"}
    foreign = await browser.post(path, fields, origin="https://evil.example")
    without = await browser.post(path, fields | {"form_token": "x"})
    assert (foreign.status, without.status) == (403, 403)
    assert [each.query for each in items.saved.values()] == ["name=db&sort=region"]
