"""The history of a folded projection: rows with two times.

    thing                     the fold's key of what the row is about: one name may have had several
    valid_from, until_at      when it was so
    from_position             the commit that made the ledger say so
    until_position            the commit by which it knew `until_at`
    gone_position             the commit that retracted the row
    begins_alone, ends_alone  1 if it is an expiry, and no event, that begins or ends it

At a time T, known at position K, a row holds if

    valid_from <= T AND from_position <= K AND (gone_position IS NULL OR gone_position > K)
    AND NOT (until_at <= T AND until_position <= K)

The present is the last state by events: an event counts at once, even if its time lies ahead of our
clock. Only an expiry waits for the clock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from ledger.as_of import AsOf
from ledger.values import ALL_REGIONS, instant_text
from projections.dialect import Dialect
from projections.projection import FOLDED_COLUMNS, Column, FoldedProjection, Index

THING = Column("thing", "")
_FRAME = (
    Column("valid_from", ""),
    Column("from_position", "", "INTEGER"),
    Column("until_at", "", optional=True),
    Column("until_position", "", "INTEGER", optional=True),
    Column("gone_position", "", "INTEGER", optional=True),
    Column("begins_alone", "", "INTEGER"),
    Column("ends_alone", "", "INTEGER"),
)


def stored(projection: FoldedProjection) -> tuple[Column, ...]:
    """The columns of the table: key, thing, the frame of times, values, since, position."""
    return (*projection.key, THING, *_FRAME, *said(projection))


def create_table(
    projection: FoldedProjection, table: str, dialect: Dialect, *, temporary: bool = False
) -> str:
    """The table of one projection's rows."""
    columns = [(column.name, column.constraint) for column in stored(projection)]
    key = table_key(projection)
    return dialect.table(table, columns, key, temporary=temporary, has_indexes=True)


def indexes(projection: FoldedProjection) -> tuple[Index, ...]:
    """People ask for one account's rows, and for those of an agency or a policy in any account, by
    its name or its id. Many rows may have no id; as one more value it would seem to be frequent.
    """
    named = {column.name for column in projection.key}
    what = "agency" if "agency" in named else "policy"
    return (
        Index(("account",)),
        Index((what, "region") if "region" in named else (what,)),
        Index((f"{what}_id",), f"{what}_id <> ''"),
    )


def table_key(projection: FoldedProjection) -> tuple[str, ...]:
    """The columns that are unique in the table."""
    return (*identity(projection), "from_position")


@lru_cache
def end(projection: FoldedProjection, table: str) -> str:
    """Note a row's end. Parameters: until_at, until_position, ends_alone, and its identity."""
    return (
        f"UPDATE {table} SET until_at = ?, until_position = ?, ends_alone = ? "
        f"WHERE {_is(projection)}"
    )


@lru_cache
def retract(projection: FoldedProjection, table: str) -> str:
    """Take a row back. Parameters: the position, and the row's identity."""
    return f"UPDATE {table} SET gone_position = ? WHERE {_is(projection)}"


def identity(projection: FoldedProjection) -> tuple[str, ...]:
    """The columns that are unique among the rows that were not retracted."""
    return (*(column.name for column in projection.key), THING.name, "valid_from")


def said(projection: FoldedProjection) -> tuple[Column, ...]:
    """The columns that say what held, since when, and by which event."""
    return (*projection.values, *FOLDED_COLUMNS)


def _is(projection: FoldedProjection) -> str:
    same = " AND ".join(f"{name} = ?" for name in identity(projection))
    return f"{same} AND gone_position IS NULL"


# -- answers --------------------------------------------------------------------------------------


def current(
    projection: FoldedProjection, table: str, dialect: Dialect, *, also: str | None = None
) -> str:
    """The present. `also`: a column that is not shown."""
    known = _Known("gone_position IS NULL", "until_at IS NULL")
    return _standing(projection, table, known, dialect.now, also)


def as_of(
    projection: FoldedProjection, table: str, when: AsOf, clock: str, *, also: str | None = None
) -> str:
    """The view as it was known at a position; with an effective time, as it was true at that time
    by the knowledge of that position.

    `clock`: the time at which the position was recorded, at which expiries are judged. `also`: a
    column that is not shown.
    """
    position = f"{when.position:d}"
    known = _Known(
        f"from_position <= {position} AND (gone_position IS NULL OR gone_position > {position})",
        f"(until_at IS NULL OR until_position > {position})",
    )
    if when.effective_at is None:
        return _standing(projection, table, known, f"'{clock}'", also)
    at = instant_text(when.effective_at)
    return (
        f"SELECT {_shown(projection, also)} FROM {table} AS shown WHERE {known.row} "
        f"AND valid_from <= '{at}' AND ({known.lasts} OR until_at > '{at}')"
    )


def history(projection: FoldedProjection, table: str, when: AsOf | None, clock: str | None) -> str:
    """All that held at any time until a moment (None: now), as far as it was known then.

    `clock`: as for `as_of`; an expiry that it had not reached is none yet.
    """
    if when is None:
        return f"SELECT * FROM {table}"
    position = f"{when.position:d}"
    at = None if when.effective_at is None else instant_text(when.effective_at)
    reached = f"(ends_alone = 0 OR until_at <= '{clock}')" if at is None else f"until_at <= '{at}'"
    ends = f"until_position <= {position} AND {reached}"
    begun = "" if at is None else f"AND valid_from <= '{at}' "
    kept = ", ".join(
        f"CASE WHEN {ends} THEN until_at END AS until_at"
        if column.name == "until_at"
        else "NULL AS gone_position"
        if column.name == "gone_position"
        else column.name
        for column in stored(projection)
    )
    return (
        f"SELECT {kept} FROM {table} WHERE from_position <= {position} {begun}"
        f"AND (gone_position IS NULL OR gone_position > {position})"
    )


class Instant(NamedTuple):
    """An instant as SQL: `at` is None for all times, `clock` an expression that judges expiries."""

    position: int
    at: str | None
    clock: str


def begun_between(seen: Instant, before: Instant) -> str:
    """The condition of the rows that one instant knows, and that had not begun at another one."""
    known = f"(gone_position IS NULL OR gone_position > {seen.position:d})"
    return f"({_begun(seen)} AND {known} AND NOT ({_begun(before)}))"


def _begun(when: Instant) -> str:
    in_time = (
        f"(begins_alone = 0 OR valid_from <= {when.clock})"
        if when.at is None
        else f"valid_from <= '{when.at}'"
    )
    return f"from_position <= {when.position:d} AND {in_time}"


def asked(
    columns: Collection[str],
    wanted: Mapping[str, str],
    called: Iterable[str] = (),
    accounts: Iterable[tuple[str, str]] = (),
) -> tuple[str, list[str]]:
    """Conditions on rows `r` with these columns, and their parameters. An id may stand for a name.

    `called` are the names that the project had of which the wanted region is the id, `accounts` the
    other words for the wanted account, each with the provider.
    """
    wheres, params = ["1 = 1"], []
    for column, value in wanted.items():
        same, values = [f"r.{column} = ?"], [value]
        if column == "region":
            same.append(f"r.region = '{ALL_REGIONS}'")
            for name in called:
                same.append(f"(r.region = ? AND r.{THING.name} LIKE ?)")
                values += [name, f"% {value}"]
        for provider, account in accounts if column == "account" else ():
            same.append("(r.provider = ? AND r.account = ?)")
            values += [provider, account]
        if f"{column}_id" in columns:
            same.append(f"(r.{column}_id = ? AND r.{column}_id <> '')")  # So the index is used.
            values.append(value)
        wheres.append(f"({' OR '.join(same)})")
        params += values
    return " AND ".join(wheres), params


class _Known(NamedTuple):
    """Conditions of knowledge: that a row was known, that no end of it was."""

    row: str
    lasts: str


def _standing(
    projection: FoldedProjection, table: str, known: _Known, clock: str, also: str | None
) -> str:
    """The last state by facts, with the expiries that the clock has reached.

    Before an expiry the row before it stands, unless a fact of a still later time decides.
    """
    same = " AND ".join(f"later.{name} = shown.{name}" for name in identity(projection)[:-1])
    expires_later = (
        f"(ends_alone = 1 AND until_at > {clock} AND NOT EXISTS (SELECT 1 FROM {table} AS later "
        f"WHERE {same} AND later.valid_from > shown.valid_from AND later.begins_alone = 0 "
        f"AND {known.row}))"
    )
    return (
        f"SELECT {_shown(projection, also)} FROM {table} AS shown WHERE {known.row} "
        f"AND ({known.lasts} OR {expires_later}) AND (begins_alone = 0 OR valid_from <= {clock})"
    )


def digested(projection: FoldedProjection, table: str, position: int) -> str:
    """All that the ledger said at a position, of every time, account by account."""
    columns = ", ".join(
        f"CASE WHEN until_position <= {position:d} THEN {name} END"
        if name == "until_at"
        else f"CASE WHEN until_position <= {position:d} THEN {name} ELSE 0 END"
        if name == "ends_alone"
        else name
        for name in digested_columns(projection)
    )
    return (
        f"SELECT {columns} FROM {table} WHERE from_position <= {position:d} "
        f"AND (gone_position IS NULL OR gone_position > {position:d}) ORDER BY provider, account"
    )


def digested_columns(projection: FoldedProjection) -> tuple[str, ...]:
    """The columns of `digested`, in order."""
    own = (column.name for column in (*projection.key, *projection.values, *FOLDED_COLUMNS))
    return (*own, "valid_from", "until_at", "begins_alone", "ends_alone")


def _shown(projection: FoldedProjection, also: str | None) -> str:
    return ", ".join((*(column.name for column in projection.columns), *([also] if also else ())))
