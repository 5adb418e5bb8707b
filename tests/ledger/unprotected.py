"""A ledger that its owner alters past triggers and column types, and leaves with both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.ledger.worlds import Place, raw


@contextmanager
def unprotected(place: Place) -> Iterator[Any]:
    """A connection to the ledger without triggers and column types, which are back afterwards."""
    with raw(place) as db:
        if isinstance(place, Path):
            yield from _of_a_file(db)
        else:
            yield from _of_a_database(db)


def _of_a_database(db: Any) -> Iterator[Any]:
    db.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    yield db
    db.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_never_changed")
    db.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_never_deleted")


def _of_a_file(db: Any) -> Iterator[Any]:
    triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    tables = db.execute("SELECT name, sql FROM sqlite_schema WHERE sql LIKE '%STRICT%'").fetchall()
    for name, sql in tables:
        _redefine(db, name, sql.replace(") STRICT, ", ") ").removesuffix("STRICT"))
    yield db
    for name, sql in tables:
        _redefine(db, name, sql)
    for _, sql in triggers:
        db.execute(sql)


def _redefine(db: Any, name: str, sql: str) -> None:
    """Have SQLite take an object for another one than was made."""
    db.execute("PRAGMA writable_schema = ON")
    db.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (sql, name))
    db.execute("PRAGMA writable_schema = RESET")
