"""The tables of a PostgreSQL ledger, all in the schema `ledger`; one ledger in a database.

Tables and columns have the same names as in a ledger file. The views are in the schema `views`.
"""

from __future__ import annotations

from typing import Final

from ledger.persistence.columns import FORMAT_VERSION

APPLICATION: Final = "authledger"
"""Identifies a ledger, in case another program has a schema of the same name."""
APPENDED: Final = "ledger_appended"
"""The channel that a committed append notifies. Notifications get lost, so listeners also poll."""

# "C" everywhere: text order is byte order, whatever the database's locale is, or becomes.
_TEXT: Final = 'text COLLATE "C"'

_DOCUMENTS: Final = (
    # Policy and trust documents under their digests. Rows may be deleted; nor must the statistics
    # have samples of texts.
    (
        "CREATE TABLE ledger.documents (\n"
        f"  digest {_TEXT} PRIMARY KEY,\n"
        "  size bigint NOT NULL,\n"
        f"  text {_TEXT} NOT NULL\n)"
    ),
    "ALTER TABLE ledger.documents ALTER COLUMN text SET STATISTICS 0",
)
_AS_SUBJECTS: Final = (
    "DO $$ DECLARE owner name; given record; BEGIN\n"
    "  SELECT pg_get_userbyid(relowner) INTO owner FROM pg_class\n"
    "    WHERE oid = 'ledger.subjects'::regclass;\n"
    "  EXECUTE format('ALTER TABLE ledger.documents OWNER TO %I', owner);\n"
    "  FOR given IN SELECT privilege_type, grantee FROM pg_class, aclexplode(relacl)\n"
    "    WHERE pg_class.oid = 'ledger.subjects'::regclass AND grantee NOT IN (0, relowner) LOOP\n"
    "    EXECUTE format('GRANT %s ON ledger.documents TO %I',\n"
    "      given.privilege_type, pg_get_userbyid(given.grantee));\n"
    "  END LOOP;\nEND $$"
)
"""Gives the table of documents the owner and the rights of the table of names."""
DERIVED: Final = (
    "type", "provider", "account", "region", "service", "agency", "agency_id", "trustee", "policy",
    "feature", "outcome", "expires_at", "actor", "origin", "recorded_at", "effective_at",
    "command_id",
)  # fmt: skip
"""The columns derived from the entry that the table of the entries had up to format 3."""
_BYTES_ALONE: Final = (
    # No row is written: the server only forgets the columns, and their indexes. Views over them
    # are dropped (CASCADE), and made anew by the views' owner.
    f"ALTER TABLE ledger.events {', '.join(f'DROP COLUMN IF EXISTS {name} CASCADE' for name in DERIVED)}",
)
_DONE: Final = f"UPDATE ledger.format SET version = {FORMAT_VERSION}"
MIGRATIONS: Final = {
    2: (*_DOCUMENTS, _AS_SUBJECTS, *_BYTES_ALONE, _DONE),
    3: (*_BYTES_ALONE, _DONE),
    4: (_DONE,),  # The tables are today's; only its entries say less.
}
"""By the version of an older ledger, the statements that make it one of today's."""
SCHEMA: Final = (
    "CREATE SCHEMA IF NOT EXISTS ledger",
    # The append lock. The table is empty, so that not even VACUUM locks it.
    "CREATE TABLE ledger.append_lock ()",
    (
        "CREATE TABLE ledger.events (\n"
        "  position bigint PRIMARY KEY,\n"
        f"  stream {_TEXT} NOT NULL,\n"
        "  version bigint NOT NULL,\n"
        f"  topic {_TEXT} NOT NULL,\n"
        f"  entry {_TEXT} NOT NULL,\n"
        "  UNIQUE (stream, version)\n)"
    ),
    # The positions of each command: a command id that is used twice appends only once.
    (
        "CREATE TABLE ledger.commands (\n"
        f"  command_id {_TEXT} PRIMARY KEY,\n"
        f"  digest {_TEXT},\n"
        "  first_position bigint NOT NULL,\n"
        "  last_position bigint NOT NULL\n)"
    ),
    # Names behind surrogate ids. Rows may be deleted: an erasure. The planner's
    # statistics must not have samples of names, because they would outlive an erasure.
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
    *_DOCUMENTS,
    # An account's state, so that only newer entries have to be read. Rows may be deleted.
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
    # Hashes do not compress, so the server must not try at each append.
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
    # In a session with session_replication_role = replica, ordinary triggers do not run.
    "ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_changed",
    "ALTER TABLE ledger.events ENABLE ALWAYS TRIGGER events_are_never_deleted",
    # Last: a schema that has this table is complete.
    (
        "CREATE TABLE ledger.format (\n"
        '  "only" integer PRIMARY KEY CHECK ("only" = 1),\n'
        "  application text NOT NULL,\n"
        "  version integer NOT NULL\n)"
    ),
    f"INSERT INTO ledger.format VALUES (1, '{APPLICATION}', {FORMAT_VERSION})",
)
