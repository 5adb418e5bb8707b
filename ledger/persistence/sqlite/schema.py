"""The tables of a SQLite ledger."""

from __future__ import annotations

from typing import Final

from ledger.persistence.sqlite.erasable import DOCUMENTS
from ledger.persistence.sqlite.log_tables import TABLES as LOG_TABLES

EVENTS: Final = (
    "CREATE TABLE IF NOT EXISTS {0} (\n"
    "  position INTEGER PRIMARY KEY,\n"
    "  stream TEXT NOT NULL,\n"
    "  version INTEGER NOT NULL,\n"
    "  topic TEXT NOT NULL,\n"
    "  entry TEXT NOT NULL,\n"
    "  UNIQUE (stream, version)\n) STRICT"
)
"""The table of the entries, under a name: while an older ledger is migrated, it has two."""
EVENTS_OF_ANY_TYPE: Final = (
    "CREATE TABLE IF NOT EXISTS {0} (\n"
    "  position INTEGER PRIMARY KEY, stream, version, topic, entry, UNIQUE (stream, version)\n)"
)
"""The table of an older ledger in which somebody has put values of other types."""
TRIGGERS: Final = (
    (
        "CREATE TRIGGER IF NOT EXISTS events_are_never_changed BEFORE UPDATE ON events\n"
        "BEGIN SELECT RAISE(ABORT, 'an event is never changed'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS events_are_never_deleted BEFORE DELETE ON events\n"
        "BEGIN SELECT RAISE(ABORT, 'an event is never deleted'); END"
    ),
)
SCHEMA: Final = (
    EVENTS.format("events"),
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
    # `anchor` is the seal of who wrote it, over the entry at `version` too.
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
    *TRIGGERS,
)
