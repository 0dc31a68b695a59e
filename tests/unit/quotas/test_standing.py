"""What came of a round, in words."""

from multisite.quotas.standing import summary


def stands(state: str, *establishing: str) -> dict[str, object]:
    """How one resource stands, as far as it matters here."""
    return {"state": state, "establishing": list(establishing)}


def test_what_was_written_and_is_kept() -> None:
    resources = {"compute/cores": stands("established"), "compute/ram": stands("unlimited")}
    assert summary(1, resources) == "1 limit written"
    assert summary(0, {}) == "0 limits written"


def test_what_is_left_to_the_next_round_is_told_with_the_regions_that_it_waits_for() -> None:
    resources = {
        "volume/gigabytes": stands("over"),
        "compute/cores": stands("establishing", "north", "south"),
        "network/port": stands("releasing", "east"),
    }
    assert summary(3, resources) == (
        "3 limits written; compute/cores is establishing in north, south; network/port is releasing in east; "
        "volume/gigabytes is over"
    )
