"""The views' own SQLite file, beside the ledger's: disposable, and never the truth.

The ledger is attached read-only as `ledger`; the relation `events` is its table. A views file
that belongs to another history (a ledger restored or replaced) is emptied and built again.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from ledger.catalogue import Catalogue
from ledger.errors import StoreFull, StoreLocked, StoreReadOnly, StoreUnavailable
from ledger.persistence.connections import use_wal
from ledger.persistence.failures import told_clearly
from projections import history, times
from projections.declared import PROJECTIONS, VIEWS
from projections.projection import Projection

APPLICATION_ID: Final = 0x61_75_74_76
"""`autv`: what tells a views file from another database."""
LAYOUT: Final = 1
"""Kept as the file's user version; grows when other tables are needed than those declared."""
LOCK_TIMEOUT_S: Final = 30
CACHE_KIB: Final = 65_536
BESIDE: Final = "beside"
"""The table that a rebuild fills; each connection has its own."""

SCHEMA: Final = (
    # `fingerprint` is of the declaration, `anchor` of the entry at `position`.
    (
        "CREATE TABLE tracking (name TEXT PRIMARY KEY, position INTEGER NOT NULL, "
        "anchor TEXT NOT NULL, fingerprint TEXT NOT NULL, generation INTEGER NOT NULL, "
        "rebuilt_at TEXT) STRICT"
    ),
    "CREATE TABLE catalogue (version TEXT NOT NULL) STRICT",
    (
        "CREATE TABLE catalogue_features (provider TEXT NOT NULL, service TEXT NOT NULL, "
        "feature TEXT NOT NULL, agency TEXT NOT NULL, preference INTEGER NOT NULL, "
        "needs TEXT NOT NULL, "
        "PRIMARY KEY (provider, agency, feature, needs, service)) STRICT, WITHOUT ROWID"
    ),
)


def views_path(ledger: Path) -> Path:
    """Where the views of a ledger are kept: `ledger.db` has `ledger.db.views` beside it."""
    return ledger.with_name(ledger.name + ".views")


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


class Store:
    """A connection to the views with the ledger beside them."""

    def __init__(self, ledger: Path) -> None:
        self.ledger = ledger.absolute()
        self.path = views_path(self.ledger)
        with self.told():
            self.connection = sqlite3.connect(
                f"file:{quote(os.fsencode(self.path))}?mode=rwc",
                uri=True,
                isolation_level=None,
                timeout=LOCK_TIMEOUT_S,
            )
            try:
                self._prepare()
            except BaseException:
                self.connection.close()
                raise

    def _prepare(self) -> None:
        application_id = self.value("PRAGMA application_id")
        if application_id != APPLICATION_ID and self.value("SELECT count(*) FROM sqlite_schema"):
            raise StoreUnavailable(
                f"{self.path} should hold the views but is another database.",
                remedy="Move it away; the views are built again from the ledger.",
            )
        use_wal(self.connection, LOCK_TIMEOUT_S)
        # The newest changes may be lost with the power, not torn: they are caught up again.
        self.connection.execute("PRAGMA synchronous = NORMAL")
        self.connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        if not self._has_tables():
            with self.transaction():
                if not self._has_tables():
                    self._make_tables()
        attach_ledger(self.connection, self.ledger)

    def _has_tables(self) -> bool:
        return bool(self.value("PRAGMA user_version") == LAYOUT)

    def _make_tables(self) -> None:
        """The tables that no declaration asks for; those of an older layout are built again."""
        objects = self.connection.execute(
            "SELECT type, name FROM sqlite_schema WHERE type IN ('table', 'view') ORDER BY type DESC"
        ).fetchall()
        for kind, name in objects:
            self.connection.execute(f"DROP {kind} IF EXISTS {name}")
        for statement in (*SCHEMA, *times.TABLES):
            self.connection.execute(statement)
        self.connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self.connection.execute(f"PRAGMA user_version = {LAYOUT}")

    def close(self) -> None:
        self.connection.close()

    @contextmanager
    def another(self) -> Iterator[Self]:
        """A further connection to the same views."""
        other = type(self)(self.ledger)
        try:
            yield other
        finally:
            other.close()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns the database's failures into the ledger's errors; what is damaged is rebuilt."""
        try:
            with told_clearly(str(self.path)):
                yield
        except (StoreLocked, StoreFull, StoreReadOnly):
            raise
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"The views {self.path} cannot be used: {error.__cause__ or error.message}.",
                remedy="Delete that file; it is built again from the ledger. If that does not "
                "help, it is the ledger that is damaged.",
            ) from error

    def value(self, statement: str, params: Any = ()) -> Any:
        row = self.connection.execute(statement, params).fetchone()
        return None if row is None else row[0]

    @contextmanager
    def durable(self) -> Iterator[None]:
        """What is committed within is on the disk at once."""
        self.connection.execute("PRAGMA synchronous = FULL")
        try:
            yield
        finally:
            self.connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Takes the views' write lock; all that happens within is seen together."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    @contextmanager
    def unchanging(self) -> Iterator[None]:
        """All that is read within is of one moment."""
        self.connection.execute("BEGIN")
        try:
            yield
        finally:
            self.connection.execute("ROLLBACK")

    def last_position(self) -> int:
        """The ledger's last position."""
        return self.value("SELECT max(position) FROM ledger.events") or 0

    def anchor(self, position: int) -> str | None:
        """A digest of the entry at a position, by which a history is recognised."""
        entry = self.value("SELECT entry FROM ledger.events WHERE position = ?", (position,))
        return None if entry is None else hashlib.sha256(str(entry).encode()).hexdigest()[:16]

    def tracked(self) -> dict[str, Tracked]:
        """How far each projection has come, by name."""
        rows = self.connection.execute(
            "SELECT name, position, anchor, fingerprint, generation FROM tracking"
        )
        return {row[0]: Tracked(*row) for row in rows}

    def table(self, projection: Projection) -> str:
        """The table that holds the projection's live generation."""
        return self.tracked()[projection.name].table

    def track(self, position: int) -> None:
        """Every projection that had not come as far has come to a position."""
        self.connection.execute(
            "UPDATE tracking SET position = ?, anchor = ? WHERE position < ?",
            (position, self.anchor(position), position),
        )

    def needs_declaring(self, catalogue: Catalogue) -> bool:
        """Whether a projection is new, was declared otherwise, or follows another history."""
        if self.value("SELECT version FROM catalogue") != catalogue.version:
            return True
        known = self.tracked()
        return known.keys() != PROJECTIONS.keys() or self._unfit(known) != []

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

    def declare(self, catalogue: Catalogue) -> None:
        """Make the tables fit the declarations; what does not is emptied, to be caught up."""
        for name, view in VIEWS.items():
            if "events" not in view.over:
                self.connection.execute(f"DROP VIEW IF EXISTS {name}")
        known = self.tracked()
        for name in self._unfit(known):
            if known[name].anchor != self._anchor_of(known[name]):
                times.forget(self.connection)
            self._drop(known.pop(name))
        for projection in PROJECTIONS.values():
            if projection.name not in known:
                self.connection.execute(history.create_table(projection, f"{projection.name}_1"))
                self.connection.execute(
                    "INSERT INTO tracking VALUES (?, 0, '', ?, 1, NULL)",
                    (projection.name, projection.fingerprint),
                )
                for statement in history.create_views(projection, f"{projection.name}_1"):
                    self.connection.execute(statement)
        self._declare_catalogue(catalogue)
        for name, view in VIEWS.items():
            if "events" not in view.over:
                self.connection.execute(f"CREATE VIEW {name} AS {view.select}")

    def begin_beside(self, projection: Projection) -> str:
        """An empty table that only this connection sees, in a file that goes with it."""
        self.connection.execute(history.create_table(projection, f"temp.{BESIDE}"))
        return BESIDE

    def adopt(self, projection: Projection, known: Tracked, beside: str, at: str) -> None:
        """Make a table that was built beside the live one the live one."""
        successor = replace(known, generation=known.generation + 1)
        for statement in (
            history.create_table(projection, successor.table),
            # Of two tables alike, SQLite copies the rows as they are.
            f"INSERT INTO main.{successor.table} SELECT * FROM temp.{beside}",
            *history.drop_views(projection),
            *history.create_views(projection, successor.table),
            f"DROP TABLE {known.table}",
        ):
            self.connection.execute(statement)
        self.connection.execute(
            "UPDATE tracking SET generation = ?, rebuilt_at = ? WHERE name = ?",
            (successor.generation, at, projection.name),
        )

    def _drop(self, known: Tracked) -> None:
        for statement in (
            f"DROP VIEW IF EXISTS {known.name}",
            f"DROP VIEW IF EXISTS {known.name}_history",
            f"DROP TABLE IF EXISTS {known.table}",
        ):
            self.connection.execute(statement)
        self.connection.execute("DELETE FROM tracking WHERE name = ?", (known.name,))

    def _declare_catalogue(self, catalogue: Catalogue) -> None:
        self.connection.execute("DELETE FROM catalogue")
        self.connection.execute("INSERT INTO catalogue VALUES (?)", (catalogue.version,))
        self.connection.execute("DELETE FROM catalogue_features")
        self.connection.executemany(
            "INSERT INTO catalogue_features VALUES (?, ?, ?, ?, ?, ?)",
            [
                (service.provider, service.code, feature.name, agency, preference, code)
                for service in catalogue.services
                for feature in service.features
                for preference, agency in enumerate(service.agency_names())
                for code in feature.needs
            ],
        )


def attach_ledger(connection: sqlite3.Connection, ledger: Path, schema: str = "ledger") -> None:
    """Attach the ledger read-only, and name what the views read of it: no salts among that."""
    uri = f"file:{quote(os.fsencode(ledger))}?mode=ro"
    connection.execute(f"ATTACH DATABASE ? AS {schema}", (uri,))
    connection.execute(f"CREATE TEMP VIEW events AS SELECT * FROM {schema}.events")
    connection.execute(
        f"CREATE TEMP VIEW subjects AS SELECT subject, kind, name FROM {schema}.subjects"
    )
    for name, view in VIEWS.items():
        if "events" in view.over:
            connection.execute(f"CREATE TEMP VIEW {name} AS {view.select}")
