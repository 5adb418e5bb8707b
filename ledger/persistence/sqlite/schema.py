"""The tables of a SQLite ledger."""

from __future__ import annotations

from typing import Final

from ledger.persistence.columns import DERIVED_COLUMNS, INDEXED_COLUMNS
from ledger.persistence.sqlite.erasable import DOCUMENTS
from ledger.persistence.sqlite.log_tables import TABLES as LOG_TABLES

# A state that does not begin with `{` is not an entry; the library's test cases store such states.
# One that begins so and is not JSON fails the insert. Comparing is cheaper than `substr`.
_DERIVED = (
    "  {0} TEXT GENERATED ALWAYS AS "
    "(CASE WHEN entry BETWEEN '{{' AND '|' THEN entry ->> '{0}' END) STORED,\n"
)

SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS events (\n"
    "  position INTEGER PRIMARY KEY,\n"
    "  stream TEXT NOT NULL,\n"
    "  version INTEGER NOT NULL,\n"
    "  topic TEXT NOT NULL,\n"
    "  entry TEXT NOT NULL,\n"
    "  type TEXT GENERATED ALWAYS AS (substr(topic, 1, instr(topic || '.', '.') - 1)) STORED,\n"
    + "".join(_DERIVED.format(name) for name in DERIVED_COLUMNS)
    + "  UNIQUE (stream, version)\n) STRICT",
    *(
        f"CREATE INDEX IF NOT EXISTS events_by_{name} ON events ({name}) WHERE {name} IS NOT NULL"
        for name in INDEXED_COLUMNS
    ),
    # The positions of each command: a command id that is used twice appends only once.
    (
        "CREATE TABLE IF NOT EXISTS commands (\n"
        "  command_id TEXT PRIMARY KEY,\n"
        "  digest TEXT,\n"
        "  first_position INTEGER NOT NULL,\n"
        "  last_position INTEGER NOT NULL\n"
        ") STRICT, WITHOUT ROWID"
    ),
    # Names behind surrogate ids. Rows may be deleted: an erasure.
    (
        "CREATE TABLE IF NOT EXISTS subjects (\n"
        "  subject TEXT PRIMARY KEY,\n"
        "  kind TEXT NOT NULL,\n"
        "  name TEXT NOT NULL,\n"
        "  salt TEXT NOT NULL,\n"
        "  UNIQUE (kind, name)\n"
        ") STRICT, WITHOUT ROWID"
    ),
    # An account's state, so that only newer entries have to be read. Rows may be deleted.
    # `anchor` is a digest of the entry at `version`; it identifies the history.
    (
        "CREATE TABLE IF NOT EXISTS snapshots (\n"
        "  stream TEXT PRIMARY KEY,\n"
        "  version INTEGER NOT NULL,\n"
        "  anchor TEXT NOT NULL,\n"
        "  state TEXT NOT NULL\n"
        ") STRICT, WITHOUT ROWID"
    ),
    # Policy and trust documents under their digests. Rows may be deleted.
    DOCUMENTS,
    *LOG_TABLES,
    (
        "CREATE TRIGGER IF NOT EXISTS events_are_never_changed BEFORE UPDATE ON events\n"
        "BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS events_are_never_deleted BEFORE DELETE ON events\n"
        "BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END"
    ),
)
