"""Saved filters over a real database: one's own, replaced by name, bounded."""

import pytest

from multisite.errors import BadRequest
from multisite.filters.model import MOST, TooManyFilters
from multisite.filters.service import FilterService
from tests.integration.service import Service, person


@pytest.fixture
def filters(service: Service) -> FilterService:
    return service.assembly.filters


async def test_a_filter_is_its_users_own_in_every_project(filters: FilterService) -> None:
    alice, bob = person("alice", "member"), person("bob", "member")
    elsewhere = person("alice", "member", project="another")
    await filters.save(alice, "mine", "servers", "name=db")
    assert await filters.list(bob) == []
    await filters.delete(bob, "mine")
    assert [each.name for each in await filters.list(elsewhere)] == ["mine"]
    await filters.delete(elsewhere, "mine")
    assert await filters.list(alice) == []


async def test_the_same_name_is_the_same_filter(filters: FilterService) -> None:
    alice = person("alice", "member")
    await filters.save(alice, "Ärger", "servers", "status=ERROR")
    await filters.save(alice, " A\u0308rger", "volumes", "status=error")
    assert [(each.name, each.kind, each.query) for each in await filters.list(alice)] == [
        ("Ärger", "volumes", "status=error")
    ]


async def test_there_is_an_end_to_them(filters: FilterService) -> None:
    alice = person("alice", "member")
    for number in range(MOST):
        await filters.save(alice, f"filter {number}", "servers", "")
    with pytest.raises(TooManyFilters, match=f"you have {MOST} saved filters"):
        await filters.save(alice, "one more", "servers", "")
    await filters.save(alice, "filter 7", "volumes", "")
    assert len(await filters.list(alice)) == MOST
    await filters.save(person("bob", "member"), "one more", "servers", "")


async def test_a_filter_has_the_size_of_an_address(filters: FilterService) -> None:
    with pytest.raises(BadRequest):
        await filters.save(person("alice", "member"), "long", "servers", "x" * 2001)
