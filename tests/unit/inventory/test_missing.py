"""What an answer lacks is named for the first regions, and counted for all."""

from multisite.inventory.model import MOST_NAMED, Missing, MissingKind
from multisite.regions.states import State


def away(region: str, *services: str) -> list[MissingKind]:
    return [MissingKind(region, each, State.UNREACHABLE, "timeout", "http://10.9.8.7") for each in services]


def test_few_regions_are_all_named() -> None:
    found = [*away("b", "compute", "network"), *away("a", "volume")]
    assert Missing.of(found) == Missing(tuple(found), 2)
    assert Missing.of([]) == Missing()


def test_of_thousands_the_first_are_named_with_all_their_services() -> None:
    compute = [each for number in range(5000) for each in away(f"r{number}", "compute")]
    late = away("r0", "network")
    missing = Missing.of([*compute, *late])
    assert missing.regions == 5000
    assert [each.region for each in missing.named] == [*(f"r{n}" for n in range(MOST_NAMED)), "r0"]


def test_tenants_are_told_no_detail() -> None:
    missing = Missing.of(away("a", "compute")).for_tenant()
    assert [(each.code, each.detail) for each in missing.named] == [("timeout", None)]
    assert missing.regions == 1
