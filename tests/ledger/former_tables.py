"""Ledgers as an older version made them: the tables of format 3, and those before it.

A binary file in the repository could not be read in a review. So the old table is declared here
once more, as format 3 declared it, and a ledger of today is turned into one of that format.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from ledger.application import Ledger
from tests.ledger.worlds import Place, raw

DERIVED: Final = (
    "provider", "account", "region", "service", "agency", "agency_id", "trustee", "policy",
    "feature", "outcome", "expires_at", "actor", "origin", "recorded_at", "effective_at",
    "command_id",
)  # fmt: skip
INDEXED: Final = (
    "type", "account", "region", "service", "agency", "policy", "outcome", "actor", "origin",
)  # fmt: skip
OWN: Final = "position, stream, version, topic, entry"
EVENTS_OF_FILES: Final = (
    "CREATE TABLE IF NOT EXISTS events (\n"
    "  position INTEGER PRIMARY KEY,\n"
    "  stream TEXT NOT NULL,\n"
    "  version INTEGER NOT NULL,\n"
    "  topic TEXT NOT NULL,\n"
    "  entry TEXT NOT NULL,\n"
    "  type TEXT GENERATED ALWAYS AS (substr(topic, 1, instr(topic || '.', '.') - 1)) STORED,\n"
    + "".join(
        f"  {name} TEXT GENERATED ALWAYS AS "
        f"(CASE WHEN entry BETWEEN '{{' AND '|' THEN entry ->> '{name}' END) STORED,\n"
        for name in DERIVED
    )
    + "  UNIQUE (stream, version)\n) STRICT"
)
INDEXES: Final = tuple(
    f"CREATE INDEX events_by_{name} ON events ({name}) WHERE {name} IS NOT NULL" for name in INDEXED
)
TRIGGERS_OF_FILES: Final = (
    (
        "CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events\n"
        "BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END"
    ),
    (
        "CREATE TRIGGER events_are_never_deleted BEFORE DELETE ON events\n"
        "BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END"
    ),
)


@contextmanager
def former_entries() -> Iterator[None]:
    """Within the block, entries do not say who ran the process, as up to format 4."""
    with patch.object(Ledger, "_runner", lambda _: None):
        yield


def make_former(place: Place, version: int = 3) -> None:
    """Make a ledger one of an older format: 3, 2 (without documents) or 1 (without a log too)."""
    with raw(place) as db:
        if isinstance(place, Path):
            _in_a_file(db)
        else:
            _in_a_database(db)
        if version < 3:
            db.execute("DROP TABLE documents")
        if version < 2:
            db.execute("DROP TABLE tiles")
            db.execute("DROP TABLE checkpoint")
        if isinstance(place, Path):
            db.execute(f"PRAGMA user_version = {version}")
            db.execute("VACUUM")
        else:
            db.execute(f"UPDATE format SET version = {version}")


def _in_a_file(db: Any) -> None:
    db.execute("ALTER TABLE events RENAME TO today")
    db.execute(EVENTS_OF_FILES)
    db.execute(f"INSERT INTO events ({OWN}) SELECT {OWN} FROM today ORDER BY position")
    db.execute("DROP TABLE today")
    for statement in (*INDEXES, *TRIGGERS_OF_FILES):
        db.execute(statement)


def _in_a_database(db: Any) -> None:
    text = 'text COLLATE "C"'
    columns = ", ".join(f"ADD {name} {text}" for name in ("type", *DERIVED))
    values = ", ".join(f"{name} = entry::json ->> '{name}'" for name in DERIVED)
    db.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    db.execute(f"ALTER TABLE events {columns}")
    db.execute(f"UPDATE events SET type = split_part(topic, '.', 1), {values}")
    db.execute("ALTER TABLE events ALTER type SET NOT NULL")
    db.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_never_changed")
    db.execute("ALTER TABLE events ENABLE ALWAYS TRIGGER events_are_never_deleted")
    for statement in INDEXES:
        db.execute(statement)
