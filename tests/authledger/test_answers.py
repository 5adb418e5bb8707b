"""Answers have the columns and types that the views declare, also without rows and as frames."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple, get_args, get_type_hints

import pytest

import authledger
from authledger import DiffRow, Kind, WhyRow, rows
from authledger.answer import declared, undeclared
from authledger.kinds import kinds_of
from projections.audit.difference import Difference
from projections.audit.why import Link
from projections.views import Result, Views
from tests.authledger.conftest import use
from tests.documentation import row_classes

HINTS = {Kind.TEXT: str, Kind.INTEGER: int, Kind.TIME: datetime}
ARROW = {Kind.TEXT: "string", Kind.INTEGER: "int64", Kind.TIME: "timestamp[us, tz=UTC]"}
PANDAS = {Kind.TEXT: "string", Kind.INTEGER: "Int64", Kind.TIME: "datetime64[us, UTC]"}
POLARS = {
    Kind.TEXT: "String",
    Kind.INTEGER: "Int64",
    Kind.TIME: "Datetime(time_unit='us', time_zone='UTC')",
}
NAMES = Views.names()


def test_the_rows_are_those_that_the_views_declare() -> None:
    written = row_classes.FILE.read_text(encoding="utf-8")
    assert written == row_classes.source(), "authledger/rows.py is stale; run `make docs`"


@pytest.mark.parametrize("name", [*NAMES, "audit_trail"])
def test_the_row_of_a_view_has_its_columns_with_their_types(name: str) -> None:
    row: Any = rows.ROWS[name]
    columns = Views.columns(name)
    assert row._fields == tuple(column.name for column in columns)
    assert kinds_of(row) == tuple(
        Kind.TIME if column.is_time else Kind(column.type.lower()) for column in columns
    )


def test_the_rows_of_why_and_diff_have_what_these_answer() -> None:
    assert WhyRow._fields == tuple(field.name for field in fields(Link))
    differ = {"change", *(field.name for field in fields(Difference))}
    assert set(DiffRow._fields) == differ
    assert kinds_of(DiffRow).count(Kind.RECORD) == 3


def test_every_value_has_the_type_of_its_column(ledger: authledger.Ledger) -> None:
    ledger.execute(use())
    for name in NAMES:
        answer = ledger.view(name)
        hints = get_type_hints(rows.ROWS[name]).values()
        for row in answer:
            for value, kind, hint in zip(row, answer.kinds, hints, strict=True):
                may_be_none = value is None and NoneType in get_args(hint)
                assert may_be_none or type(value) is HINTS[kind], name


def test_the_trails_values_have_the_types_of_its_columns_or_are_none(
    ledger: authledger.Ledger,
) -> None:
    answer = ledger.trail()
    hints = get_type_hints(rows.AuditTrailRow)
    for row in answer:
        for name, value in zip(answer.columns, row, strict=True):
            assert isinstance(value, hints[name]), name
    assert answer[0].effective_at.tzinfo is UTC


def test_an_answer_is_the_sequence_of_its_rows(ledger: authledger.Ledger) -> None:
    answer = ledger.view(rows.RegionsRow)
    assert len(answer) == 4
    assert [*answer] == [*answer.rows]
    assert answer[1:3] == answer.rows[1:3]
    assert answer.dicts()[0] == answer[0]._asdict()
    assert repr(answer).startswith("<Answer: 4 rows of region, provider, ")
    assert not ledger.view("attempts")


@pytest.mark.parametrize("where", [{}, {"provider": "nowhere"}], ids=["rows", "no rows"])
def test_the_types_of_a_frame_are_declared_and_not_guessed(
    path: Path, ledger: authledger.Ledger, where: dict[str, Any]
) -> None:
    pytest.importorskip("pandas", reason="installed for Python 3.11 alone")
    for name in NAMES:
        answer = ledger.view(name, **where)
        for types, frame_types in (
            (ARROW, answer.to_arrow().schema.types),
            (PANDAS, answer.to_pandas().dtypes),
            (POLARS, answer.to_polars().dtypes),
        ):
            assert [*map(str, frame_types)] == [types[kind] for kind in answer.kinds], name


def test_a_difference_is_a_table_too(ledger: authledger.Ledger) -> None:
    pytest.importorskip("pandas", reason="installed for Python 3.11 alone")
    answer = ledger.diff("@3", views=["authorizations"])
    for (row,) in (
        answer.to_arrow().to_pylist(),
        answer.to_polars().to_dicts(),
        answer.to_pandas().to_dict("records"),
    ):
        assert json.loads(row["before"]) == {"status": "requested"}
        assert row["since"] == answer[0].since


def test_the_values_of_a_frame_are_those_of_the_rows(ledger: authledger.Ledger) -> None:
    pytest.importorskip("pandas", reason="installed for Python 3.11 alone")
    answer = ledger.trail()
    assert answer.to_arrow().to_pylist() == answer.dicts()
    assert answer.to_polars().to_dicts() == answer.dicts()
    frame = answer.to_pandas()
    assert [*frame["effective_at"]] == [row.effective_at for row in answer]
    assert [*frame["region"].isna()] == [row.region is None for row in answer]
    assert [*frame["region"].dropna()] == [row.region for row in answer if row.region]


MIXED = undeclared(
    Result(
        ("n", "real", "n", "nothing", "bytes"),
        [(1, 2, "a", None, b"\0"), (None, 2.5, "b", None, None)],
        7,
    )
)


def test_a_column_of_free_sql_has_the_one_type_of_its_values() -> None:
    pytest.importorskip("pandas", reason="installed for Python 3.11 alone")
    assert MIXED.columns == ("n", "real", "n_2", "nothing", "bytes")
    schema = MIXED.to_arrow().schema
    assert [str(each) for each in schema.types] == ["int64", "double", "string", "string", "binary"]
    assert [str(each) for each in MIXED.to_pandas().dtypes] == [
        "Int64",
        "Float64",
        "string",
        "string",
        "object",
    ]
    assert [str(each) for each in MIXED.to_polars().dtypes] == [
        "Int64",
        "Float64",
        "String",
        "String",
        "Binary",
    ]


def test_a_column_of_several_types_is_refused_with_what_helps() -> None:
    answer = undeclared(Result(("x",), [(1,), ("a",)], 7))
    pytest.importorskip("polars", reason="installed for Python 3.11 alone")
    for made in (answer.to_arrow, answer.to_pandas, answer.to_polars):
        with pytest.raises(authledger.InvalidInput, match=r"int and str.*CAST"):
            made()


@pytest.mark.parametrize("library", ["pyarrow", "pandas", "polars"])
def test_a_missing_library_is_named_with_its_extra(library: str) -> None:
    extra = library.removeprefix("py")
    asked = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from authledger.answer import undeclared\nfrom projections.views import Result\n"
        f"undeclared(Result(('n',), [(1,)], 1)).to_{extra}()"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], check=False, capture_output=True, text=True, timeout=60
    )
    assert f"pip install 'authledger[{extra}]'" in done.stderr.splitlines()[-1]
    assert "InvalidInput" in done.stderr


def test_a_time_that_is_not_one_is_called_corrupt() -> None:
    result = Result(("position", "at"), [(1, "yesterday")], 1)
    with pytest.raises(authledger.CorruptEntry, match="log verify"):
        declared(Moment, result)


class Moment(NamedTuple):
    """A row with a time."""

    position: int
    at: datetime
