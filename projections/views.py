"""Asks the views: now, as of a position or an effective time, the trail, and free SQL.

with Views.open(Path("ledger.db"), load_catalogue()) as views:
    views.catch_up()
    views.read("regions", where={"region": "cn-north-4"})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Self

from ledger.as_of import AsOf, resolve
from ledger.catalogue import Catalogue
from ledger.errors import InvalidInput, NotFound, StoreUnavailable
from ledger.near_words import check_choice, did_you_mean
from ledger.persistence.location import Location, PostgresDatabase, location_of
from ledger.values import check_storable
from projections import history
from projections.definitions.audit_trail import AUDIT_TRAIL, TrailFilter
from projections.definitions.declared import PROJECTIONS, VIEWS, declared_name
from projections.maintenance.digest import digest_of
from projections.maintenance.rebuild import OnProgress
from projections.maintenance.runner import Certificate, Runner, Status
from projections.moments import Moments
from projections.occurrence import UnknownWord, unknown_words
from projections.projection import Column
from projections.stores import time_index
from projections.stores.sqlite import SQLiteStore
from projections.stores.store import Store

PLACES_AT_ONCE: Final = 500
"""An older SQLite takes 999 parameters in a statement."""


@dataclass(frozen=True, slots=True)
class Result:
    """An answer: column names, rows, the position that it stands on, and whether it was cut."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    position: int
    more: bool = False

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Views:
    """The views of one ledger, for the thread that opened them; any other gets WrongThread."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store, self._catalogue = store, catalogue
        self._runner = Runner(store, catalogue)

    @classmethod
    def open(cls, ledger: Location | Path | str, catalogue: Catalogue) -> Self:
        """Open the views of a ledger. Raises NotFound if there is no ledger."""
        location = location_of(ledger)
        if isinstance(location, PostgresDatabase):
            from projections.stores.postgres import PostgresStore  # noqa: PLC0415  Brings psycopg along.

            return cls(PostgresStore(location), catalogue)
        if not location.path.exists():
            raise NotFound(
                f"There is no ledger at {location}.",
                remedy="The first writing command makes one; --ledger names another.",
            )
        return cls(SQLiteStore(location.path), catalogue)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    @property
    def keeps(self) -> bool:
        """Whether they are caught up here; elsewhere they stand where they were last kept."""
        return self._store.keeps

    def has_another_catalogue(self) -> bool:
        """Whether they were made with another catalogue than this one, and stay so: what follows
        from it, such as which features work, follows from theirs.
        """
        with self._store.store_errors():
            return self._store.catalogue_version() != self._catalogue.version

    def last_position(self) -> int:
        """The ledger's last position, which the views may stand behind."""
        with self._store.store_errors():
            return self._store.last_position()

    def reached(self) -> int:
        """The position that the views have come to: what is "now" in their answers."""
        with self._store.store_errors():
            return self._store.reached()

    def resolve(self, as_of: str | None, known_at: str | None, now: datetime) -> AsOf | None:
        """What `--as-of` and `--known-at` mean here; None is now. Raises InvalidInput."""
        with self._store.store_errors():
            return resolve(Moments(self._store), as_of, known_at, now)

    def subject_names(self, subjects: Iterable[str]) -> Mapping[str, str]:
        """The names behind surrogate ids; erased ones are absent."""
        wanted = list(subjects)
        found: dict[str, str] = {}
        with self._store.store_errors():
            for first in range(0, len(wanted), PLACES_AT_ONCE):
                some = wanted[first : first + PLACES_AT_ONCE]
                places = ", ".join("?" * len(some))
                found |= self._store.execute(
                    f"SELECT subject, name FROM subjects WHERE subject IN ({places})", some
                ).fetchall()
        return found

    @staticmethod
    def names() -> tuple[str, ...]:
        """What `read` answers: every projection, and the views derived from them."""
        return (*PROJECTIONS, *(name for name, view in VIEWS.items() if "events" not in view.over))

    @staticmethod
    def columns(name: str) -> tuple[Column, ...]:
        """The documented columns of a view. Raises NotFound."""
        name = declared_name(name)
        if name in PROJECTIONS:
            return PROJECTIONS[name].columns
        if name in VIEWS:
            return VIEWS[name].columns
        raise _no_view(name)

    def catch_up(self, on_progress: OnProgress | None = None) -> int:
        return self._runner.catch_up(on_progress)

    def rebuild(
        self, names: Iterable[str] | None = None, on_progress: OnProgress | None = None
    ) -> Certificate:
        return self._runner.rebuild(names, on_progress)

    def status(self) -> list[Status]:
        return self._runner.status()

    def follow(
        self, interval_s: float = 0.5, on_lost: Callable[[StoreUnavailable], None] = lambda _: None
    ) -> Iterator[int]:
        return self._runner.follow(interval_s, on_lost)

    def read(
        self,
        name: str,
        *,
        as_of: AsOf | None = None,
        where: Mapping[str, str | None] | None = None,
    ) -> Result:
        """A view's rows, sorted by its first columns; `as_of` None is now.

        `where` gives columns and values (None: any); a region also finds what holds in all
        regions. Raises NotFound for a view, InvalidInput for a column that does not exist.
        """
        name = declared_name(name)
        if name not in self.names():
            raise _no_view(name)
        declared = self.columns(name)
        columns = tuple(column.name for column in declared)
        wheres, params = _conditions(declared, where or {})
        over = (name,) if name in PROJECTIONS else VIEWS[name].over
        with self._store.store_errors(), self._store.unchanging(*over):
            relation = self._relation(name, as_of)
            rows = self._store.execute(
                f"{relation} SELECT * FROM answer {wheres} ORDER BY {', '.join(columns)}",
                params,
            ).fetchall()
            position = as_of.position if as_of else self._store.reached()
        return Result(columns, rows, position)

    def digest(self, name: str, position: int) -> tuple[int, str]:
        """How many rows a projection had when that position was the last, and their digest."""
        projection = PROJECTIONS[declared_name(name)]
        key = ", ".join(column.name for column in projection.key)
        with self._store.store_errors(), self._store.unchanging(name):
            rows = history.as_of(projection, self._store.table(projection), AsOf(position))
            with self._store.streamed(f"{rows} ORDER BY {key}") as present:
                return digest_of(present)

    def _relation(self, name: str, as_of: AsOf | None) -> str:
        """`WITH … answer AS (…)`: the view as it was, or is."""
        if name in PROJECTIONS:
            return f"WITH answer AS ({self._select(name, as_of)})"
        view = VIEWS[name]
        over = [f"{inner} AS ({self._select(inner, as_of)})" for inner in view.over]
        return f"WITH {', '.join(over)}, answer AS ({view.select(self._store.dialect)})"

    def _select(self, name: str, as_of: AsOf | None) -> str:
        projection = PROJECTIONS[name]
        table = self._store.table(projection)
        if as_of is None:
            return history.current(projection, table)
        return history.as_of(projection, table, as_of)

    def trail(
        self,
        wanted: TrailFilter,
        *,
        after: int | None = None,
        limit: int = 50,
        newest_first: bool = True,
    ) -> Result:
        """A page of the audit trail; the next begins `after` the last position of this one."""
        wanted.check()
        wheres, params = wanted.conditions(self._subjects_of(wanted.actor), self._store.dialect)
        if after is not None:
            wheres.append("position < ?" if newest_first else "position > ?")
            params.append(after)
        with self._store.store_errors(), self._store.unchanging():
            last = self._store.last_position()
            rows: list[tuple[Any, ...]] = []
            for condition, places in self._places(wanted):
                rows += self._store.execute(
                    f"SELECT * FROM audit_trail WHERE {' AND '.join((condition, *wheres))} "
                    f"ORDER BY position {'DESC' if newest_first else 'ASC'} LIMIT ?",
                    (*places, *params, limit + 1),
                ).fetchall()
        rows.sort(reverse=newest_first)
        columns = tuple(column.name for column in AUDIT_TRAIL.columns)
        return Result(columns, rows[:limit], last, more=len(rows) > limit)

    def trail_at(self, positions: Sequence[int]) -> Result:
        """The rows of the audit trail at these positions."""
        rows: list[tuple[Any, ...]] = []
        with self._store.store_errors():
            for first in range(0, len(positions), PLACES_AT_ONCE):
                some = positions[first : first + PLACES_AT_ONCE]
                rows += self._store.execute(
                    "SELECT * FROM audit_trail WHERE position IN "
                    f"({', '.join('?' * len(some))}) ORDER BY position",
                    some,
                ).fetchall()
            columns = tuple(column.name for column in AUDIT_TRAIL.columns)
            return Result(columns, rows, self._store.last_position())

    def _places(self, wanted: TrailFilter) -> list[tuple[str, list[object]]]:
        """The parts of the history that may hold what is wanted."""
        if wanted.since is None and wanted.until is None:
            return [("position > 0", [])]
        return time_index.parts(time_index.bounds(self._store, wanted), wanted)

    def unknown_words(self, asked: Mapping[str, str | None]) -> list[UnknownWord]:
        """The words of a question that no entry of this ledger has, with near ones that some have.

        `asked` has the names of `TrailFilter`; other names and None are skipped.
        """
        with self._store.store_errors(), self._store.unchanging():
            return unknown_words(self._store, asked)

    def subjects(self) -> Result:
        """Every surrogate id in the order of registration, and the name that is still kept."""
        member = self._store.dialect.member
        subject, kind = (member.format("e.entry", name) for name in ("subject", "kind"))
        with self._store.store_errors():
            rows = self._store.execute(
                f"SELECT {subject}, {kind}, s.name, e.recorded_at, e.position "
                f"FROM events e LEFT JOIN subjects s ON s.subject = {subject} "
                "WHERE e.type = 'SubjectRegistered' ORDER BY e.position"
            ).fetchall()
            columns = ("subject", "kind", "name", "registered_at", "position")
            return Result(columns, rows, self._store.last_position())

    def _subjects_of(self, actor: str | None) -> list[str]:
        """The surrogate ids that a name stands for; what is no name may be one itself."""
        with self._store.store_errors():
            rows = self._store.execute(
                "SELECT subject FROM subjects WHERE kind = 'person' AND name = ?", (actor,)
            )
            return [row[0] for row in rows] or [actor or ""]

    def query(self, sql: str, *, row_limit: int = 1000, time_limit_s: float = 10.0) -> Result:
        """Free SQL over the documented views, read-only in the engine itself.

        Raises InvalidInput for SQL that is wrong, writes, or takes longer than the time limit.
        """
        check_storable("The query", sql)
        with self._store.store_errors():
            columns, rows, more = self._store.query(sql, row_limit, time_limit_s)
            return Result(columns, rows, self._store.reached(), more=more)


def _no_view(name: str) -> NotFound:
    return NotFound(f"There is no view {name!r}.", remedy=did_you_mean(name, Views.names()))


def _conditions(
    columns: tuple[Column, ...], where: Mapping[str, str | None]
) -> tuple[str, list[str]]:
    wheres, params = [], []
    closed = {column.name: column.choices for column in columns}
    for column, value in where.items():
        if column not in closed:
            raise InvalidInput(
                f"The view has no column {column!r}.", remedy=did_you_mean(column, closed)
            )
        if value is None:
            continue
        check_storable(f"The condition on {column}", value)
        check_choice(column, value, closed[column])
        wheres.append(f"{column} IN (?, '*')" if column == "region" else f"{column} = ?")
        params.append(value)
    return (f"WHERE {' AND '.join(wheres)}" if wheres else ""), params
