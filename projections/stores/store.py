"""What keeps the views: the tables of all projections and how far each has come, in any database.

Views are disposable, and never the truth. Those that belong to another history (a ledger restored
or replaced) are emptied and built again.
"""

from __future__ import annotations

import hashlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from threading import get_ident
from typing import Any, Protocol, Self, TypeVar

from ledger.catalogue import Catalogue
from ledger.errors import StoreUnavailable, WrongThread
from projections import history
from projections.definitions.declared import FORMER_NAMES, PROJECTIONS, RETIRED, VIEWS
from projections.dialect import Dialect
from projections.projection import Projection
from projections.stores import time_index

Row = tuple[Any, ...]
Answer = TypeVar("Answer")


class Cursor(Protocol):
    """The rows of a SELECT."""

    def fetchone(self) -> Any: ...
    def fetchmany(self, size: int) -> list[Any]: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


def schema(dialect: Dialect) -> tuple[str, ...]:
    """The tables that no declaration asks for."""
    # `fingerprint` is of the declaration, `anchor` of the entry at `position`.
    tracking = [
        ("name", "TEXT NOT NULL"),
        ("position", "INTEGER NOT NULL"),
        ("anchor", "TEXT NOT NULL"),
        ("fingerprint", "TEXT NOT NULL"),
        ("generation", "INTEGER NOT NULL"),
        ("rebuilt_at", "TEXT"),
    ]
    features = [
        *((name, "TEXT NOT NULL") for name in ("provider", "service", "feature", "agency")),
        ("preference", "INTEGER NOT NULL"),
        ("needs", "TEXT NOT NULL"),
    ]
    return (
        dialect.table("tracking", tracking, ["name"]),
        dialect.table("catalogue", [("version", "TEXT NOT NULL")], ["version"]),
        dialect.table(
            "catalogue_features", features, ["provider", "agency", "feature", "needs", "service"]
        ),
        *time_index.tables(dialect),
    )


@dataclass(frozen=True, slots=True)
class Tracked:
    """How far a projection has come: `anchor` is of the entry at `position`, `fingerprint` of the
    declaration that its table was made for.
    """

    name: str
    position: int
    anchor: str
    fingerprint: str
    generation: int

    @property
    def table(self) -> str:
        """The table that holds the live generation."""
        return f"{self.name}_{self.generation}"

    @property
    def successor(self) -> str:
        """The table that the next generation will have."""
        return replace(self, generation=self.generation + 1).table


class Store(ABC):
    """A connection to the views with the ledger's `events` and `subjects` beside them."""

    dialect: Dialect
    keeps: bool = True
    """Whether this connection may catch the views up."""
    makes: bool = True
    """Whether it may make them anew as well."""

    def __init__(self) -> None:
        self._thread = get_ident()

    # -- what each database does in its own way --------------------------------------------------

    @property
    @abstractmethod
    def engine(self) -> str:
        """The database and its version."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def another(self) -> AbstractContextManager[Self]:
        """A further connection to the same views."""

    @contextmanager
    def store_errors(self) -> Iterator[None]:
        """Turns the database's failures into the ledger's errors. Raises WrongThread."""
        if get_ident() != self._thread:
            raise WrongThread(
                "These views were opened by another thread: they are one connection, and its "
                "transactions must not mix. Nothing was read or changed.",
                remedy="Open views in each thread that uses them, with Views.open.",
            )
        with self._translating():
            yield

    @abstractmethod
    def _translating(self) -> AbstractContextManager[None]:
        """Translates the database's errors into the ledger's."""

    @abstractmethod
    def execute(self, statement: str, params: Sequence[Any] = ()) -> Cursor:
        """One statement; `?` stands for a parameter."""

    @contextmanager
    def streamed(self, statement: str, params: Sequence[Any] = ()) -> Iterator[Cursor]:
        """A SELECT whose rows do not all lie in memory at once. Within a transaction only."""
        yield self.execute(statement, params)

    @abstractmethod
    def execute_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None: ...

    @abstractmethod
    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """Many new rows."""

    @abstractmethod
    def fill(self, projection: Projection, table: str, last: int) -> None:
        """Write the history up to a position into an empty table. Within a transaction only."""

    @abstractmethod
    def open_intervals(
        self, projection: Projection, table: str, keys: Collection[Row]
    ) -> Iterator[Row]:
        """The open intervals of these keys, with all their columns."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Takes the views' write lock; all that happens within is seen together."""

    @abstractmethod
    def unchanging(self, *names: str) -> AbstractContextManager[None]:
        """All that is read within is of one moment; `names` are the projections among that."""

    @abstractmethod
    def building(self, projection: Projection, /) -> AbstractContextManager[None]:
        """What is written within is durable at its end, and seen only then."""

    @abstractmethod
    def swapping(self) -> AbstractContextManager[None]:
        """The end of `building`, under the views' write lock."""

    def swapped(self, _: Projection, /, swap: Callable[[], Answer]) -> Answer:
        """Carry out a swap, again if others were in its way."""
        return swap()

    @abstractmethod
    def build_beside(self, projection: Projection, known: Tracked, last: int) -> str:
        """A further table with the history up to a position, which only this connection sees."""

    @abstractmethod
    def adopt(self, projection: Projection, known: Tracked, beside: str, at: str) -> None:
        """Make a table that was built beside the live one the live one."""

    @abstractmethod
    def query(
        self, sql: str, row_limit: int, time_limit_s: float
    ) -> tuple[tuple[str, ...], list[Row], bool]:
        """Free SQL, which may only read: column names, rows up to the limit, whether there were
        more. Raises InvalidInput.
        """

    def wait(self, seconds: float) -> None:
        """Until something may have been appended, or so long."""
        time.sleep(seconds)

    def is_passing(self, _: StoreUnavailable, /) -> bool:
        """Whether another connection helps: this one was lost, or the server gave something up."""
        return False

    def reconnect(self) -> None:
        """Have another connection in the place of a lost one. Raises StoreUnavailable."""
        raise NotImplementedError(f"A connection to {self.engine} is not lost.")

    # -- what they have in common ----------------------------------------------------------------

    def value(self, statement: str, params: Sequence[Any] = ()) -> Any:
        row = self.execute(statement, params).fetchone()
        return None if row is None else row[0]

    def last_position(self) -> int:
        """The ledger's last position."""
        return self.value("SELECT max(position) FROM events") or 0

    def anchor(self, position: int) -> str | None:
        """A digest of the entry at a position, by which a history is recognised."""
        entry = self.value("SELECT entry FROM events WHERE position = ?", (position,))
        return None if entry is None else hashlib.sha256(str(entry).encode()).hexdigest()[:16]

    def tracked(self) -> dict[str, Tracked]:
        """How far each projection has come, by name."""
        return self._tracking()[0]

    def _tracking(self) -> tuple[dict[str, Tracked], list[Any]]:
        """How far each projection has come, by name; and the names in all other rows.

        Statements are made of the first. So a row counts only if the code declares its name, or
        once did, and its generation is a number: what else stands in the table is data.
        """
        rows = self.execute("SELECT name, position, anchor, fingerprint, generation FROM tracking")
        known, others = {}, []
        for row in rows.fetchall():
            if (row[0] in PROJECTIONS or row[0] in RETIRED) and isinstance(row[4], int):
                known[row[0]] = Tracked(*row)
            else:
                others.append(row[0])
        return known, others

    def reached(self) -> int:
        """The position that all projections have come to."""
        return int(self.value("SELECT COALESCE(min(position), 0) FROM tracking"))

    def table(self, projection: Projection) -> str:
        """The table that holds the projection's live generation."""
        return self.tracked()[projection.name].table

    def track(self, position: int) -> None:
        """Every projection that had not come as far has come to a position."""
        self.execute(
            "UPDATE tracking SET position = ?, anchor = ? WHERE position < ?",
            (position, self.anchor(position), position),
        )

    def catalogue_version(self) -> str | None:
        """The catalogue that the views were made with."""
        found = self.value("SELECT version FROM catalogue")
        return None if found is None else str(found)

    def needs_declaring(self, catalogue: Catalogue) -> bool:
        """Whether a projection is new, was declared otherwise, or follows another history."""
        if self.catalogue_version() != catalogue.version:
            return True
        return not self._fits()

    def check_fits(self) -> None:
        """Raises StoreUnavailable if the views were kept by another version of the program."""
        if not self._fits():
            raise StoreUnavailable(
                "The views are not those that this version of the program knows, and this "
                "connection may not make them new.",
                remedy="`authledger projection catch-up` does, on the primary, by the owner.",
            )

    def _fits(self) -> bool:
        known, others = self._tracking()
        return not others and known.keys() == PROJECTIONS.keys() and not self._unfit(known)

    def declare(self, catalogue: Catalogue) -> None:
        """Make the tables fit the declarations; what does not is emptied, to be caught up."""
        derived = [view for view in VIEWS.values() if "events" not in view.over]
        for view in derived:
            self.execute(f"DROP VIEW IF EXISTS {view.name}")
        for former in FORMER_NAMES:
            self.execute(f"DROP VIEW IF EXISTS {former}")
            self.execute(f"DROP VIEW IF EXISTS {former}_history")
        known, others = self._tracking()
        for name in others:
            self.execute("DELETE FROM tracking WHERE name = ?", (name,))
        for name in self._unfit(known):
            if known[name].anchor != self._anchor_of(known[name]):
                time_index.forget(self)
            self._drop(known.pop(name))
        for projection in PROJECTIONS.values():
            if projection.name not in known:
                self._create(projection)
        self._declare_catalogue(catalogue)
        for view in derived:
            self.execute(f"CREATE VIEW {view.name} AS {view.select(self.dialect)}")
        for former, name in FORMER_NAMES.items():
            self.execute(f"CREATE VIEW {former} AS SELECT * FROM {name}")
            self.execute(f"CREATE VIEW {former}_history AS SELECT * FROM {name}_history")

    def _unfit(self, known: Mapping[str, Tracked]) -> list[str]:
        """The projections whose tables are of another declaration, or of another history."""
        anchors = {each.position: each for each in known.values()}
        found = {position: self._anchor_of(each) for position, each in anchors.items()}
        return [
            each.name
            for each in known.values()
            if each.anchor != found[each.position]
            or each.name not in PROJECTIONS
            or each.fingerprint != PROJECTIONS[each.name].fingerprint
        ]

    def _anchor_of(self, known: Tracked) -> str | None:
        return self.anchor(known.position) if known.position else ""

    def _create(self, projection: Projection) -> None:
        table = f"{projection.name}_1"
        self._drop_objects(projection.name, table)  # An older version may not have known them.
        self.execute(history.create_table(projection, table, self.dialect))
        self.execute(
            "INSERT INTO tracking VALUES (?, 0, '', ?, 1, NULL)",
            (projection.name, projection.fingerprint),
        )
        for statement in history.create_views(projection, table):
            self.execute(statement)

    def _drop(self, known: Tracked) -> None:
        self._drop_objects(known.name, known.table)
        self.execute("DELETE FROM tracking WHERE name = ?", (known.name,))

    def _drop_objects(self, name: str, table: str) -> None:
        for statement in (
            f"DROP VIEW IF EXISTS {name}",
            f"DROP VIEW IF EXISTS {name}_history",
            f"DROP TABLE IF EXISTS {table}",
        ):
            self.execute(statement)

    def _declare_catalogue(self, catalogue: Catalogue) -> None:
        self.execute("DELETE FROM catalogue")
        self.execute("INSERT INTO catalogue VALUES (?)", (catalogue.version,))
        self.execute("DELETE FROM catalogue_features")
        self.insert(
            "catalogue_features",
            ("provider", "service", "feature", "agency", "preference", "needs"),
            [
                (service.provider, service.code, feature.name, agency, preference, code)
                for service in catalogue.services
                for feature in service.features
                for preference, agency in enumerate(service.agency_names())
                for code in feature.needs
            ],
        )
