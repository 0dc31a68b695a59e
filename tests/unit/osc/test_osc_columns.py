"""Cells: what people read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osc_multisite import columns

amounts = st.one_of(st.integers(0, 10**15), st.floats(0, 1e15, allow_nan=False))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (columns.Age(0.2), "0 s"),
        (columns.Age(59.6), "1 min"),
        (columns.Age(3661), "1 h 1 min"),
        (columns.Age(86400 * 3 + 5), "3 d"),
        (columns.Age(None), "-"),
        (columns.Mebibytes(1023), "1023 MiB"),
        (columns.Mebibytes(1024 * 1024 * 3), "3 TiB"),
        (columns.Gibibytes("infinite"), "infinite"),
        (columns.Gibibytes(2000), "2.0 TiB"),
        (columns.Bytes(0), "0 B"),
        (columns.Bytes(2**80), "1048576 EiB"),
        (columns.Limit(-1), "unlimited"),
        (columns.Limit(2048, columns.Mebibytes), "2 GiB"),
        (columns.Labels({}), "-"),
        (columns.Labels({"b": "2", "a": "1"}), "a=1, b=2"),
        (columns.Maintenance({"reason": "disks", "ends_at": None}), "disks"),
        (columns.ServiceStates({}), "-"),
        (columns.ServiceStates({"compute": "fresh", "volume": "absent"}), "all fresh"),
        (columns.ServiceStates({"compute": "unreachable", "image": "unreachable"}), "all unreachable"),
        (
            columns.ServiceStates(
                {"volume": "unreachable", "image": "stale", "compute": "unreachable", "network": "fresh"}
            ),
            "compute, volume unreachable; image stale",
        ),
        (columns.CallError({"code": "timeout"}), "timeout"),
        (columns.CallError({"code": "x", "detail": "word " * 40}), ("x: " + "word " * 40)[:99] + "…"),
        (columns.WholeCallError({"code": "x", "detail": "word " * 40}), "x: " + ("word " * 40).strip()),
        (
            columns.Services(
                {"compute": {"state": "unreachable", "age": 61, "error": {"code": "timeout", "detail": None}}}
            ),
            "compute: unreachable, read 1 min 1 s ago, timeout",
        ),
    ],
)
def test_text(cell: columns.Cell, text: str) -> None:
    assert cell.human_readable() == text


@given(value=amounts)
@pytest.mark.parametrize("column", [columns.Age, columns.Bytes, columns.Mebibytes, columns.Gibibytes])
def test_every_amount_has_a_short_text_and_keeps_its_value(
    column: type[columns.Measure], value: float
) -> None:
    cell = column(value)

    assert 0 < len(cell.human_readable()) <= 20
    assert cell.machine_readable() == value


@given(values=st.lists(st.one_of(st.none(), amounts)))
def test_unknown_values_sort_last(values: list[Any]) -> None:
    ordered = [cell.machine_readable() for cell in sorted(columns.Measure(value) for value in values)]

    known = [value for value in values if value is not None]
    assert ordered == [*sorted(known), *[None] * (len(values) - len(known))]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "  =1", "\u00a0=1", "＝1"])
@pytest.mark.filterwarnings("ignore:The osc_lib.version module:DeprecationWarning")
def test_texts_in_csv_are_no_formulas_and_other_formats_have_them_bare(text: str) -> None:
    from osc_multisite.command import readable  # here: osc_lib warns of itself at its import

    assert readable([text, -1, "plain"], "csv") == (f"'{text}", -1, "plain")
    assert readable([text], "value") == readable([text], "json") == (text,)


@pytest.mark.filterwarnings("ignore:The osc_lib.version module:DeprecationWarning")
def test_names_that_tenants_choose_do_not_command_a_terminal() -> None:
    from osc_multisite.command import readable  # here: osc_lib warns of itself at its import

    name = "red \x1b[31m\u202ename\nümlaut"
    assert readable([name], "table") == ("red \\x1b[31m\\u202ename\nümlaut",)
    assert readable([name], "value") == (name,)
    assert columns.Cell(name).human_readable() == "red \\x1b[31m\\u202ename\nümlaut"
