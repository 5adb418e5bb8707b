"""The answer to a question: typed rows, and the last position that it includes."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from authledger.frames import to_arrow, to_pandas, to_polars
from authledger.kinds import Kind, kinds_of
from ledger.errors import CorruptEntry
from ledger.values import instant
from projections.views import Result

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

R = TypeVar("R", bound=tuple[Any, ...])


@dataclass(frozen=True, repr=False)
class Answer(Sequence[R], Generic[R]):
    """An answer: the sequence of its rows, and the last position that it includes."""

    rows: tuple[R, ...]
    """Named tuples with one field a column. Times are aware datetimes in UTC."""
    columns: tuple[str, ...]
    """The names of the columns, in the order of the rows' fields."""
    kinds: tuple[Kind, ...]
    """The kind of value that each column holds."""
    position: int
    """The last position that the answer includes: it follows from all entries up to it."""
    more: bool = False
    """Whether there are more rows than the limit that was given."""
    missing: int = 0
    """How many entries the ledger has after `position` that the views have not taken in, because
    this connection may not catch them up (a standby, a role that only reads). 0 elsewhere."""
    remarks: tuple[str, ...] = ()
    """Sentences that a reader of the answer has to know; mostly there are none."""

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[R, ...]: ...
    def __getitem__(self, index: int | slice) -> R | tuple[R, ...]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self.rows)

    def __repr__(self) -> str:
        rows = "1 row" if len(self) == 1 else f"{len(self)} rows"
        return f"<Answer: {rows} of {', '.join(self.columns)}; position {self.position}>"

    def dicts(self) -> list[dict[str, Any]]:
        """Return the rows as dictionaries: column name → value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def to_arrow(self) -> pa.Table:
        """Return a `pyarrow.Table`: `string`, `int64` and `timestamp[us, tz=UTC]` columns.

        Needs the extra `arrow`. Raises InvalidInput if it is not installed, or if a column of
        free SQL holds values of several types.
        """
        made: pa.Table = to_arrow(self.columns, self.kinds, self.rows)
        return made

    def to_pandas(self) -> pd.DataFrame:
        """Return a `pandas.DataFrame`: `string`, `Int64` and `datetime64[us, UTC]` columns.

        Needs the extra `pandas`. Raises InvalidInput as `to_arrow` does.
        """
        made: pd.DataFrame = to_pandas(self.columns, self.kinds, self.rows)
        return made

    def to_polars(self) -> pl.DataFrame:
        """Return a `polars.DataFrame`: `String`, `Int64` and `Datetime("us", "UTC")` columns.

        Needs the extra `polars`. Raises InvalidInput as `to_arrow` does.
        """
        made: pl.DataFrame = to_polars(self.columns, self.kinds, self.rows)
        return made


def declared(row: type[R], result: Result, **more: Any) -> Answer[R]:
    """Return a result as an answer: the rows' class declares the columns and their types."""
    assert result.columns == row._fields  # type: ignore[attr-defined]
    kinds = kinds_of(row)
    return Answer(
        rows=tuple(_rows(row, kinds, result)),
        columns=result.columns,
        kinds=kinds,
        position=result.position,
        more=result.more,
        **more,
    )


def undeclared(result: Result, **more: Any) -> Answer[Any]:
    """Return the result of free SQL as an answer. A name that occurs twice gets a number."""
    columns = _unique(result.columns)
    row: Any = namedtuple("Row", columns, rename=True)  # type: ignore[misc]  # noqa: PYI024
    return Answer(
        rows=tuple(map(row._make, result.rows)),
        columns=columns,
        kinds=(Kind.UNKNOWN,) * len(columns),
        position=result.position,
        more=result.more,
        **more,
    )


def _rows(row: type[R], kinds: Sequence[Kind], result: Result) -> Iterator[R]:
    make: Callable[[Any], R] = row._make  # type: ignore[attr-defined]
    times = [index for index, kind in enumerate(kinds) if kind is Kind.TIME]
    for values in result.rows:
        read = list(values)
        for index in times:
            read[index] = _time(result.columns[index], values[index])
        yield make(read)


def _time(column: str, text: str | None) -> Any:
    try:
        return text and instant(text)
    except ValueError as error:
        raise CorruptEntry(
            f"The column {column} holds {text!r}, which is not a time.",
            remedy="`authledger log verify` finds out which entry was altered.",
        ) from error


def _unique(columns: Sequence[str]) -> tuple[str, ...]:
    seen: list[str] = []
    for column in columns:
        name, number = column, 2
        while name in seen:
            name, number = f"{column}_{number}", number + 1
        seen.append(name)
    return tuple(seen)
