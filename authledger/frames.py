"""Makes an Arrow table, or a data frame of pandas or Polars, of an answer.

The types come from the views' declarations: they are the same for an answer of no rows. Free SQL
declares none; a column of it has the one type that its values have.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from types import NoneType
from typing import Any, Final, TypeAlias

from authledger.kinds import Kind
from ledger.errors import InvalidInput

Names: TypeAlias = Sequence[str]
Kinds: TypeAlias = Sequence[Kind]
Rows: TypeAlias = Sequence[tuple[Any, ...]]

_REAL, _BYTES, _BOOLEAN = "real", "bytes", "boolean"
_KINDS: Final[Mapping[frozenset[type], str]] = {
    frozenset(): Kind.TEXT,  # Nothing but NULLs.
    frozenset({str}): Kind.TEXT,
    frozenset({int}): Kind.INTEGER,
    frozenset({datetime}): Kind.TIME,
    frozenset({float}): _REAL,
    frozenset({int, float}): _REAL,
    frozenset({bytes}): _BYTES,
    frozenset({bool}): _BOOLEAN,
}
"""The kind of a column of free SQL, by the types of its values."""


def to_arrow(names: Names, kinds: Kinds, rows: Rows) -> Any:
    pa = _library("pyarrow", "arrow")
    types = {
        Kind.TEXT: pa.string(),
        Kind.INTEGER: pa.int64(),
        Kind.TIME: pa.timestamp("us", tz="UTC"),
        _REAL: pa.float64(),
        _BYTES: pa.binary(),
        _BOOLEAN: pa.bool_(),
    }
    columns = _columns(names, kinds, rows)
    arrays = [pa.array(values, types[kind]) for values, kind in columns.values()]
    return pa.table(arrays, names=list(columns))


def to_pandas(names: Names, kinds: Kinds, rows: Rows) -> Any:
    pd = _library("pandas", "pandas")
    types = {
        Kind.TEXT: "string",
        Kind.INTEGER: "Int64",  # Of pandas' own, which has a place for no value.
        Kind.TIME: "datetime64[us, UTC]",
        _REAL: "Float64",
        _BYTES: "object",
        _BOOLEAN: "boolean",
    }
    return pd.DataFrame(
        {
            name: pd.array(values, dtype=types[kind])
            for name, (values, kind) in _columns(names, kinds, rows).items()
        }
    )


def to_polars(names: Names, kinds: Kinds, rows: Rows) -> Any:
    pl = _library("polars", "polars")
    types = {
        Kind.TEXT: pl.String(),
        Kind.INTEGER: pl.Int64(),
        Kind.TIME: pl.Datetime("us", "UTC"),
        _REAL: pl.Float64(),
        _BYTES: pl.Binary(),
        _BOOLEAN: pl.Boolean(),
    }
    return pl.DataFrame(
        [
            pl.Series(name, values, dtype=types[kind], strict=kind != _REAL)
            for name, (values, kind) in _columns(names, kinds, rows).items()
        ]
    )


def _library(name: str, extra: str) -> Any:
    """The library. Raises InvalidInput, which names the extra."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise InvalidInput(
            f"{name} is not installed, which this form of an answer needs.",
            remedy=f"Install it: pip install 'authledger[{extra}]'. Without it, use .rows or "
            ".dicts().",
        ) from error


def _columns(names: Names, kinds: Kinds, rows: Rows) -> dict[str, tuple[list[Any], str]]:
    """Each column's values and what they are, by its name."""
    columns: dict[str, tuple[list[Any], str]] = {}
    for index, (name, kind) in enumerate(zip(names, kinds, strict=True)):
        values = [row[index] for row in rows]
        if kind is Kind.RECORD:
            values, kind = [_json(value) for value in values], Kind.TEXT  # noqa: PLW2901
        columns[name] = values, _found(name, values) if kind is Kind.UNKNOWN else kind
    return columns


def _json(record: Mapping[str, Any] | None) -> str | None:
    return None if record is None else json.dumps(dict(record), ensure_ascii=False)


def _found(name: str, values: list[Any]) -> str:
    types = frozenset(map(type, values)) - {NoneType}
    if types in _KINDS:
        return _KINDS[types]
    found = " and ".join(sorted(each.__name__ for each in types))
    raise InvalidInput(
        f"The column {name} holds values of the type {found}; a column of a table or data frame "
        "holds texts, integers, reals, bytes, booleans or times, and one of them.",
        remedy=f"Give it one type in the query: CAST({name} AS TEXT). Or use .rows.",
    )
