"""The tables of a PostgreSQL ledger, all in the schema `ledger`; one ledger in a database.

Names and columns are those of a ledger in a file. The views live in the schema `views`, and are
no concern of what is here.
"""

from __future__ import annotations

from typing import Final

from ledger.persistence.columns import DERIVED_COLUMNS, FORMAT_VERSION, INDEXED_COLUMNS

APPLICATION: Final = "authledger"
"""What tells a ledger from another program's schema of the same name."""
APPENDED: Final = "ledger_appended"
"""What an append notifies when it is committed. It may get lost, so whoever listens polls too."""

# "C" everywhere: text order is byte order, whatever the database's locale is, or becomes.
_TEXT: Final = 'text COLLATE "C"'

SCHEMA: Final = (
    "CREATE SCHEMA IF NOT EXISTS ledger",
    # What an append locks. Nobody else does, not even VACUUM: it holds nothing and never changes.
    "CREATE TABLE ledger.append_lock ()",
    (
        "CREATE TABLE ledger.events (\n"
        "  position bigint PRIMARY KEY,\n"
        f"  stream {_TEXT} NOT NULL,\n"
        "  version bigint NOT NULL,\n"
        f"  topic {_TEXT} NOT NULL,\n"
        f"  entry {_TEXT} NOT NULL,\n"
        f"  type {_TEXT} NOT NULL,\n"
        + "".join(f"  {name} {_TEXT},\n" for name in DERIVED_COLUMNS)
        + "  UNIQUE (stream, version)\n)"
    ),
    *(
        f"CREATE INDEX events_by_{name} ON ledger.events ({name}) WHERE {name} IS NOT NULL"
        for name in INDEXED_COLUMNS
    ),
    # Which command appended what: a command id used twice appends nothing the second time.
    (
        "CREATE TABLE ledger.commands (\n"
        f"  command_id {_TEXT} PRIMARY KEY,\n"
        f"  digest {_TEXT},\n"
        "  first_position bigint NOT NULL,\n"
        "  last_position bigint NOT NULL\n)"
    ),
    # The only table that forgets: names behind surrogate ids. No sample of them goes into the
    # planner's statistics, which would keep it.
    (
        "CREATE TABLE ledger.subjects (\n"
        f"  subject {_TEXT} PRIMARY KEY,\n"
        f"  kind {_TEXT} NOT NULL,\n"
        f"  name {_TEXT} NOT NULL,\n"
        f"  salt {_TEXT} NOT NULL,\n"
        "  UNIQUE (kind, name)\n)"
    ),
    "ALTER TABLE ledger.subjects ALTER COLUMN name SET STATISTICS 0",
    "ALTER TABLE ledger.subjects ALTER COLUMN salt SET STATISTICS 0",
    # An account's state, so that its stream is read from there on; derived, and may be deleted.
    (
        "CREATE TABLE ledger.snapshots (\n"
        f"  stream {_TEXT} PRIMARY KEY,\n"
        "  version bigint NOT NULL,\n"
        f"  anchor {_TEXT} NOT NULL,\n"
        f"  state {_TEXT} NOT NULL\n)"
    ),
    (
        "CREATE TABLE ledger.tiles (\n"
        "  level integer NOT NULL,\n"
        "  tile bigint NOT NULL,\n"
        "  data bytea NOT NULL,\n"
        "  PRIMARY KEY (level, tile)\n)"
    ),
    # Hashes do not compress: nobody shall try at each append.
    "ALTER TABLE ledger.tiles ALTER COLUMN data SET STORAGE EXTERNAL",
    (
        "CREATE TABLE ledger.checkpoint (\n"
        '  "only" integer PRIMARY KEY CHECK ("only" = 1),\n'
        f"  note {_TEXT} NOT NULL\n)"
    ),
    (
        "CREATE FUNCTION ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "  RAISE EXCEPTION 'an event is never %', TG_ARGV[0] USING ERRCODE = 'restrict_violation';\n"
        "END $$"
    ),
    *(
        f"CREATE TRIGGER events_are_never_{name} BEFORE {what} ON ledger.events "
        f"FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse('{name}')"
        for name, what in (("changed", "UPDATE"), ("deleted", "DELETE OR TRUNCATE"))
    ),
    # Where a session calls itself a replica's, ordinary triggers would be silent.
    "ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_changed",
    "ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_deleted",
    # Last: what has this table is whole.
    (
        "CREATE TABLE ledger.format (\n"
        '  "only" integer PRIMARY KEY CHECK ("only" = 1),\n'
        "  application text NOT NULL,\n"
        "  version integer NOT NULL\n)"
    ),
    f"INSERT INTO ledger.format VALUES (1, '{APPLICATION}', {FORMAT_VERSION})",
)
