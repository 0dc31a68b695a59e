"""Proposals from what the regions have, on the page: shown first, then put into the form of limits."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from multisite import errors
from multisite.quotas.model import Proposal
from multisite.quotas.resources import Kind, listed
from tests.unit.web.quotas import CORES, RAM, region, resource

if TYPE_CHECKING:
    from tests.unit.web.conftest import Browser
    from tests.unit.web.items import Items
    from tests.unit.web.quotas import Quotas

IMPORT, LIMITS = "/quotas/import", "/quotas/p-alpha/limits"
KEYS = "compute/key_pairs"


@pytest.fixture
def proposing(quotas: Quotas, items: Items) -> Quotas:
    """The regions limit cores, memory (not known of south), key pairs; and nothing of volumes."""
    items.add("server", "db-1")
    quotas.proposals = [
        Proposal(CORES, Kind.HARD, 40, 7, {"south": 30, "north": 10}, ()),
        Proposal(KEYS, Kind.COPIED, 100, 0, {"south": 100, "north": 100}, ()),
        Proposal(RAM, Kind.HARD, None, 512, {"north": 51200}, ("south",)),
        Proposal("network/port", Kind.SOFT, -1, 3, {"north": -1}, ()),
        Proposal("volume/volumes", Kind.HARD, None, 0, {}, ()),
    ]
    return quotas


async def test_governing_offers_proposals(proposing: Quotas, browser: Browser) -> None:
    assert proposing.proposals
    await browser.log_in("root")
    page = await browser.get("/quotas/govern")
    assert f'<button formaction="{IMPORT}">Propose them from what the regions have</button>' in page.text
    assert (await browser.get(IMPORT)).status == 200
    assert not proposing.proposed


async def test_proposals_are_shown_and_nothing_is_written(proposing: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    page = await browser.get(f"{IMPORT}?project=alpha")
    assert page.status == 200
    assert "4 limits of alpha" in page.words
    assert "VCPU compute/cores 40 hard 7 north 10, south 30 –" in page.words
    assert "Key pairs compute/key_pairs 100 copied not summed north 100, south 100 –" in page.words
    assert "Memory compute/ram nothing hard 512 MiB north 50 GiB south" in page.words
    assert "network/port unlimited soft 3 north unlimited –" in page.words
    assert "volume/volumes" not in page.words
    assert proposing.proposed == [("p-alpha", [], None)]
    assert not proposing.planned
    assert not proposing.changed


async def test_resources_and_the_kind_can_be_asked_for(proposing: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    page = await browser.get(f"{IMPORT}?project=alpha&resource=compute/cores,%20compute/ram&kind=soft")
    assert proposing.proposed == [("p-alpha", [CORES, RAM], Kind.SOFT)]
    assert 'value="compute/cores compute/ram"' in page.text
    assert "<option selected>soft</option>" in page.text
    assert (await browser.get(f"{IMPORT}?project=alpha&kind=firm")).status == 400


async def test_what_is_known_of_all_regions_fills_the_form_of_limits(
    proposing: Quotas, browser: Browser
) -> None:
    proposing.add("p-alpha", resource(CORES, 100, region("north", 60, 60)), generation=8)
    await browser.log_in("root")
    page = await browser.get(f"{IMPORT}?project=alpha")
    form = page.text.partition(f'action="{LIMITS}"')[2].partition("</form>")[0]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="([a-z_]+)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    assert fields["resource"] == [CORES, KEYS, "network/port"]
    assert fields["limit"] == ["40", "100", "-1"]
    assert fields["kind"] == ["hard", "", "soft"]
    filled = await browser.post(LIMITS, fields)
    assert filled.status == 200
    assert re.findall(r'<input name="resource"[^>]* value="([^"]+)"', filled.text) == fields["resource"]
    assert re.findall(r'<input name="limit" value="([^"]+)"', filled.text) == fields["limit"]
    assert '<option value="soft" selected>' in filled.text
    assert 'name="generation" value="8"' in filled.text
    assert "would be made now" not in filled.words
    assert not proposing.planned
    assert not proposing.changed
    for fault in ({"origin": "http://evil.example"}, {}):
        token = fields["form_token"] if fault else "x"
        assert (await browser.post(LIMITS, {**fields, "form_token": token}, **fault)).status == 403


async def test_a_form_has_room_for_all_resources(proposing: Quotas, browser: Browser) -> None:
    proposing.proposals = [Proposal(name, Kind.HARD, 5, 0, {"north": 5}, ()) for name in listed()]
    await browser.log_in("root")
    page = await browser.get(f"{IMPORT}?project=alpha")
    for _ in range(2):
        form = page.text.partition(f'action="{LIMITS}')[2].partition("</form>")[0]
        fields: dict[str, list[str]] = {}
        for tag in re.findall(r"<input[^>]*>", form):
            name, value = (re.search(rf' {each}="([^"]*)"', tag) for each in ("name", "value"))
            assert name
            fields.setdefault(name.group(1), []).append(unescape(value.group(1)) if value else "")
        blank = ["" for _ in fields["resource"]]
        page = await browser.post(LIMITS, {"kind": blank, "burst": blank, **fields})
        assert page.status == 200, page.words
    [change] = proposing.planned
    assert sorted(change.limits) == sorted(listed())


async def test_where_nothing_is_known_there_is_nothing_to_fill_in(
    proposing: Quotas, browser: Browser
) -> None:
    del proposing.proposals[3], proposing.proposals[:2]
    await browser.log_in("root")
    page = await browser.get(f"{IMPORT}?project=alpha")
    assert "1 limit of alpha" in page.words
    assert "Of what is not known of every region nothing is proposed." in page.words
    assert LIMITS not in page.text
    proposing.proposals.clear()
    assert "No region limits anything of alpha" in (await browser.get(f"{IMPORT}?project=alpha")).words


async def test_what_cannot_be_is_told_and_what_was_typed_stays(proposing: Quotas, browser: Browser) -> None:
    await browser.log_in("root")
    missing = await browser.get(f"{IMPORT}?project=nope&resource=compute/x")
    assert missing.status == 400
    assert 'value="nope"' in missing.text
    assert 'value="compute/x"' in missing.text
    proposing.refusal = errors.NotFound("there is no project 'a'")
    gone = await browser.get(f"{IMPORT}?project={'a' * 32}")
    assert gone.status == 404
    assert "There is no project 'a'" in gone.words
    assert "limits of" not in gone.words


async def test_tenants_are_not_let_in(proposing: Quotas, browser: Browser) -> None:
    await browser.log_in("alice")
    assert (await browser.get(f"{IMPORT}?project=alpha")).status == 403
    assert not proposing.proposed


async def test_names_with_markup_are_text(proposing: Quotas, browser: Browser) -> None:
    evil = '"><script>x</script>'
    proposing.proposals = [
        Proposal(evil, Kind.HARD, 4, 0, {evil: 4}, ()),
        Proposal(CORES, Kind.HARD, 4, 0, {}, (evil,)),
    ]
    await browser.log_in("root")
    page = await browser.get(f"{IMPORT}?project=alpha&resource={evil}")
    assert "script" in page.text
    assert "<script>x" not in page.text
