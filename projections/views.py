"""The views of a ledger: now, as of a position or an effective time, the trail, and free SQL.

with Views.open(Path("ledger.db"), load_catalogue()) as views:
    views.catch_up()
    views.read("regions", where={"region": "cn-north-4"})
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, Self

from ledger.as_of import AsOf, resolve
from ledger.catalogue import Catalogue
from ledger.clock import AHEAD_MAX
from ledger.errors import InvalidInput, NotFound, StoreUnavailable
from ledger.near_words import check_choice, did_you_mean
from ledger.persistence.location import Location, location_of
from ledger.subjects import RUNNER
from ledger.values import check_storable, instant_text, later
from projections import behind
from projections.between import Between
from projections.definitions.audit_trail import AUDIT_TRAIL, TrailFilter
from projections.definitions.declared import FOLDED, PROJECTIONS, VIEWS, declared_name
from projections.documents import Documents
from projections.history import rows, tables
from projections.maintenance.digest import Digest, digest_of_table
from projections.maintenance.origins import Origins, origins
from projections.maintenance.rebuild import OnProgress
from projections.maintenance.runner import Certificate, Runner, Status
from projections.moments import Moments
from projections.occurrence import UnknownWord, unknown_words
from projections.projection import Column
from projections.relations import Conditions, Relations
from projections.stores import name_index, named
from projections.stores.opening import open_store
from projections.stores.store import Store
from projections.term import Term
from projections.trail import PARAMETERS_MAX, Page, Trail


@dataclass(frozen=True, slots=True)
class Result:
    """An answer: column names, rows, the position it is based on, whether there are more rows."""

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
        self._connection, self._tracking = store.connection, store.tracking
        self._runner = Runner(store, catalogue)
        self._relations = Relations(store.connection, store.tracking)
        self._trail = Trail(store.connection)
        self.documents = Documents(store.connection)
        self.between = Between(store.connection, store.tracking)

    @classmethod
    def open(cls, ledger: Location | Path | str, catalogue: Catalogue) -> Self:
        """Open the views of a ledger. Raises NotFound if there is no ledger, StoreUnavailable."""
        return cls(open_store(location_of(ledger)), catalogue)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._store.close()

    @property
    def can_catch_up(self) -> bool:
        """Whether this connection may catch up: not on a standby, nor by a reading role."""
        return self._connection.can_catch_up

    def has_another_catalogue(self) -> bool:
        """Whether the views were made with another catalogue, and stay so.

        Then what follows from a catalogue, such as which features work, follows from that one.
        """
        with self._connection.store_errors():
            return self._store.declarations.catalogue_version() != self._catalogue.version

    def last_position(self) -> int:
        """The ledger's last position; the views may not have reached it yet."""
        with self._connection.store_errors():
            return self._tracking.last_position()

    def reached(self) -> int:
        """The position that the views have reached: it is "now" in their answers."""
        with self._connection.store_errors():
            return self._tracking.reached()

    def resolve(self, as_of: str | None, known_at: str | None, now: datetime) -> AsOf | None:
        """The moment that `--as-of` and `--known-at` name; None is now. Raises InvalidInput.

        If an event lies further ahead of `now` than clocks differ, now is the time `now`: such an
        event does not count before its time comes.
        """
        with self._connection.store_errors():
            moments = Moments(self._connection, self._tracking)
            when = resolve(moments, as_of, known_at, now)
            if when is None and moments.latest() > instant_text(later(now, AHEAD_MAX)):
                return AsOf(self._tracking.reached(), now)
            return when

    def subject_names(self, subjects: Iterable[str]) -> Mapping[str, str]:
        """The names behind surrogate ids; erased ones are absent."""
        wanted = list(subjects)
        found: dict[str, str] = {}
        with self._connection.store_errors():
            for first in range(0, len(wanted), PARAMETERS_MAX):
                some = wanted[first : first + PARAMETERS_MAX]
                places = ", ".join("?" * len(some))
                found |= self._connection.execute(
                    f"SELECT subject, name FROM subjects WHERE subject IN ({places})", some
                ).fetchall()
        return found

    @staticmethod
    def names() -> tuple[str, ...]:
        """The views that `read` knows: every projection, and the views derived from them."""
        return (
            *PROJECTIONS,
            *(name for name, view in VIEWS.items() if not view.is_of_events_alone),
        )

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
        exactly: bool = False,
        limit: int | None = None,
    ) -> Result:
        """A view's rows, sorted by its first columns; `as_of` None is now.

        `where` has columns and values (None: any); a region also matches rows of all regions. In a
        folded view, an id may stand for a name. An account's id and name, if events told both,
        find the same rows, but not `exactly`. Of more rows than `limit`, the first are returned.
        Raises NotFound (view), InvalidInput (column).
        """
        name = declared_name(name)
        if name not in self.names():
            raise _no_view(name)
        declared = self.columns(name)
        columns = tuple(column.name for column in declared)
        asked = _checked(declared, where or {})
        stored = (name,) if name in PROJECTIONS else VIEWS[name].projections
        with self._connection.store_errors(), self._connection.snapshot(*stored):
            called, same = self._meant(asked)
            meant = (called if name in FOLDED else (), () if exactly else same)
            conditions = Conditions(columns, asked, meant[1])
            answer, inner = self._relations.answer(name, as_of, conditions)
            wheres, params = rows.asked(columns, asked, *meant)
            found = self._connection.execute(
                f"{answer} SELECT {', '.join(columns)} FROM answer AS r WHERE {wheres} "
                f"ORDER BY {tables.order(declared)}{_at_most(limit)}",
                (*inner, *params),
            ).fetchall()
            position = as_of.position if as_of else self._tracking.reached()
        return Result(columns, found[:limit], position, limit is not None and len(found) > limit)

    def _meant(self, asked: Mapping[str, str]) -> tuple[list[str], list[tuple[str, str]]]:
        """The names of the project whose id the region is, and other words for the account."""
        return (
            name_index.called(self._connection, "region", asked.get("region")),
            name_index.same_accounts(self._connection, asked.get("account")),
        )

    def origins(self, name: str, rows: Iterable[Sequence[Any]], position: int) -> Origins:
        """The entries from which rows of a folded projection follow, as known at a position."""
        projection = FOLDED[declared_name(name)]
        with self._connection.store_errors(), self._connection.snapshot():
            return origins(self._connection, projection, rows, position)

    def digest(self, name: str, position: int) -> Digest:
        """The digests of a projection's rows when that position was the last."""
        projection = PROJECTIONS[declared_name(name)]
        with self._connection.store_errors(), self._connection.snapshot(name):
            table = self._tracking.table(projection)
            return digest_of_table(self._connection, projection, table, position)

    def trail(
        self,
        wanted: TrailFilter,
        *,
        after: int | None = None,
        limit: int = 50,
        newest_first: bool = True,
    ) -> Result:
        """A page of the audit trail; the next begins `after` the last position of this one.

        A region also finds the entries of all regions (`*`). An agency, a policy or a region also
        finds the entries that have only its id, or spell it otherwise where the cloud does
        not mind; an id finds those with its names. The position of the answer is the one that the
        views have reached: later entries are not in it.
        """
        wanted.check()
        subjects = self._subjects_of(wanted)
        with self._connection.store_errors(), self._connection.snapshot():
            last = self._trail.reached()
            found = self._trail.page(wanted, subjects, Page(after, limit, newest_first))
        columns = tuple(column.name for column in AUDIT_TRAIL.columns)
        return Result(columns, found[:limit], last, more=len(found) > limit)

    def names_of(self, kind: str, provider: str, account: str, identity: str) -> list[str]:
        """The names that entries have beside an id. `kind` is agency, policy or region."""
        with self._connection.store_errors():
            return name_index.names_of(self._connection, kind, provider, account, identity)

    def trail_at(self, positions: Sequence[int]) -> Result:
        """The rows of the audit trail at these positions."""
        columns = tuple(column.name for column in AUDIT_TRAIL.columns)
        with self._connection.store_errors():
            return Result(columns, self._trail.at(positions), self._trail.reached())

    def behind(
        self, asked: Mapping[str, str | None], *, besides: Iterable[str], limit: int
    ) -> list[int]:
        """Positions of the events behind the rows of the folded views that have these columns.

        They are what the rows that are held true rest on, of every time; without the events of the
        types `besides`. With them come the events that changed the documents of these rows, and of
        the policies that they name. Sorted. An agency and a policy may be asked for by id.
        """
        with self._connection.store_errors(), self._connection.snapshot(*FOLDED):
            wanted = {column: value for column, value in asked.items() if value is not None}
            question = behind.Question(wanted, *self._meant(wanted))
            return behind.positions(self._connection, self._tracking, question, besides, limit)

    def unknown_words(self, asked: Mapping[str, str | None]) -> list[UnknownWord]:
        """The words of a question that no entry of this ledger has, with near ones that some have.

        `asked` has the names of `TrailFilter`; other names and None are skipped.
        """
        with self._connection.store_errors(), self._connection.snapshot():
            return unknown_words(self._connection, self._trail, asked)

    def subjects(self) -> Result:
        """Every surrogate id in the order of registration, with its name unless that was erased.

        A runner is registered by its first entry.
        """
        member = self._connection.dialect.member
        subject, kind = (member.format("e.entry", name) for name in ("subject", "kind"))
        with self._connection.store_errors():
            rows = self._connection.execute(
                f"SELECT {subject}, {kind}, s.name, e.recorded_at, e.position "
                f"FROM events e LEFT JOIN subjects s ON s.subject = {subject} "
                "WHERE e.type = 'SubjectRegistered' ORDER BY e.position"
            ).fetchall()
            columns = ("subject", "kind", "name", "registered_at", "position")
            found = sorted([*rows, *self._runners()], key=itemgetter(4))
            return Result(columns, found, self._trail.reached())

    def _runners(self) -> Iterator[tuple[Any, ...]]:
        """The same of every runner. An entry that registers another subject comes first."""
        ids = dict.fromkeys(self._trail.words("run_by"))
        names = self.subject_names(ids)
        for each in ids:
            position = self._trail.first(Term("run_by", (each,)))
            (recorded_at,) = self._connection.execute(
                "SELECT recorded_at FROM trail WHERE position = ?", (position,)
            ).fetchone()
            yield each, RUNNER, names.get(each), recorded_at, position

    def _subjects_of(self, wanted: TrailFilter) -> dict[str, list[str]]:
        """The surrogate ids of the people that are asked for."""
        asked = {"actor": wanted.actor, "run_by": wanted.run_by}
        with self._connection.store_errors():
            return {
                column: named.subjects(self._connection, column, name)
                for column, name in asked.items()
                if name is not None
            }

    def query(self, sql: str, *, row_limit: int = 1000, time_limit_s: float = 10.0) -> Result:
        """Free SQL over the documented views, read-only in the engine itself.

        Raises InvalidInput for SQL that fails, writes, or takes longer than the time limit.
        """
        check_storable("The query", sql)
        with self._connection.store_errors():
            found = self._store.query(sql, row_limit, time_limit_s)
            return Result(found.columns, found.rows, self._tracking.reached(), more=found.more)


def _at_most(limit: int | None) -> str:
    """A limit in SQL: one row more, which says whether there are more."""
    return "" if limit is None else f" LIMIT {limit + 1:d}"


def _no_view(name: str) -> NotFound:
    return NotFound(f"There is no view {name!r}.", remedy=did_you_mean(name, Views.names()))


def _checked(columns: tuple[Column, ...], where: Mapping[str, str | None]) -> dict[str, str]:
    """The conditions. Raises InvalidInput for a column or a value that the view cannot have."""
    closed = {column.name: column.choices for column in columns}
    for column, value in where.items():
        if column not in closed:
            raise InvalidInput(
                f"The view has no column {column!r}.", remedy=did_you_mean(column, closed)
            )
        if value is not None:
            check_storable(f"The condition on {column}", value)
            check_choice(column, value, closed[column])
    return {column: value for column, value in where.items() if value is not None}
