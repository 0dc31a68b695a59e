"""Figures as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multisite.web import figures


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, "–"),
        (0, "0"),
        (999, "999"),
        (12480, "12 480"),
        (2.5, "2.5"),
        (3.0, "3"),
        (2**64, "1.84 × 10¹⁹"),
    ],
)
def test_counts(number: float | None, text: str) -> None:
    assert plain(figures.count(number)) == text


@pytest.mark.parametrize(
    ("mebibytes", "text"),
    [
        (None, "–"),
        (0, "0 MiB"),
        (512, "512 MiB"),
        (1024, "1 GiB"),
        (1536, "1.5 GiB"),
        (1048576, "1 TiB"),
        (10**7, "9.5 TiB"),
    ],
)
def test_memory_grows_into_larger_units(mebibytes: int | None, text: str) -> None:
    assert plain(figures.from_mebibytes(mebibytes)) == text


def test_bytes_and_gibibytes_start_at_their_own_units() -> None:
    assert plain(figures.from_bytes(1536)) == "1.5 KiB"
    assert plain(figures.from_gibibytes(2048)) == "2 TiB"


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (0, "0 %"), (0.4, "<1 %"), (37.4, "37 %"), (99.6, ">99 %"), (100, "100 %")],
)
def test_percent_never_rounds_a_rest_away(value: float | None, text: str) -> None:
    assert plain(figures.percent(value)) == text


@given(part=st.floats(0, 1e12), whole=st.floats(0, 1e12))
def test_a_share_stays_on_its_track(part: float, whole: float) -> None:
    assert 0 <= figures.share(part, whole) <= 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "never"), (-3, "0 s ago"), (12.9, "12 s ago"), (60, "1 min ago"), (3600, "1 h ago"),
     (7500, "2 h 5 min ago"), (90000, "1 d 1 h ago")],
)  # fmt: skip
def test_ages(seconds: float | None, text: str) -> None:
    assert plain(figures.ago(seconds)) == text


def test_latency_and_skew() -> None:
    assert plain(figures.milliseconds(41.7)) == "42 ms"
    assert plain(figures.milliseconds(1300)) == "1.3 s"
    assert plain(figures.skew(0.21)) == "+0.2 s"
    assert plain(figures.skew(-3)) == "−3.0 s"
