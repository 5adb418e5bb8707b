"""Alterations of a ledger's schema: the rows stay, and what others read of them does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.ledger.worlds import Place, raw

Crime = Callable[[Any], None]
_COLUMNS: Final = "position, stream, version, topic, {entry} AS entry"
_SWAPPED: Final = "CASE WHEN {asked} THEN replace(entry, 'agency 1', 'agency 2') ELSE entry END"
_SUBJECT: Final = (
    "subject, kind, CASE WHEN {asked} THEN 'somebody else' ELSE name END AS name, salt"
)


def _statements(*statements: str) -> Crime:
    def commit(db: Any) -> None:
        for statement in statements:
            db.execute(statement)

    return commit


def _hidden(table: str, columns: str) -> Crime:
    return _statements(
        f"ALTER TABLE {table} RENAME TO kept_{table}",
        f"CREATE VIEW {table} AS SELECT {columns} FROM kept_{table}",
    )


def _swapping_events(asked: str) -> Crime:
    return _hidden("events", _COLUMNS.format(entry=_SWAPPED.format(asked=asked)))


def _swapping_names(asked: str) -> Crime:
    return _hidden("subjects", _SUBJECT.format(asked=asked))


def redefined(name: str, old: str, new: str) -> Crime:
    """Have SQLite take an object for another one than was made."""

    def commit(db: Any) -> None:
        db.execute("PRAGMA writable_schema = ON")
        db.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?", (old, new, name)
        )
        db.execute("PRAGMA writable_schema = RESET")

    return commit


_OTHERS_OF_FILES: Final = "(SELECT count(*) FROM pragma_database_list) > 1"
_OTHERS_OF_DATABASES: Final = "current_query() NOT LIKE '%ORDER BY position LIMIT%'"
OF_FILES: Final[dict[str, tuple[Crime, str]]] = {
    "events are a view that lies to all but the verifier": (
        _swapping_events(_OTHERS_OF_FILES),
        "view events",
    ),
    "events are a view that lies to everybody": (_swapping_events("version = 0"), "view events"),
    "subjects are a view that lies to all but the verifier": (
        _swapping_names(_OTHERS_OF_FILES),
        "view subjects",
    ),
    "commands are a view": (_hidden("commands", "*"), "view commands"),
    "checkpoint is a view": (_hidden("checkpoint", "*"), "view checkpoint"),
    "a trigger of somebody else renames subjects": (
        _statements(
            "CREATE TRIGGER extra AFTER INSERT ON events BEGIN "
            "UPDATE subjects SET name = 'nobody' WHERE name = 'alice'; END"
        ),
        "trigger extra",
    ),
    "a trigger does nothing": (
        _statements(
            "DROP TRIGGER events_are_never_changed",
            "CREATE TRIGGER events_are_never_changed BEFORE UPDATE ON events BEGIN SELECT 1; END",
        ),
        "trigger events_are_never_changed",
    ),
    "an index ignores case": (
        _statements("CREATE INDEX extra ON events (stream COLLATE NOCASE, version)"),
        "index extra",
    ),
    "an index has some rows only": (
        _statements("CREATE INDEX extra ON events (stream, version) WHERE version = 1"),
        "index extra",
    ),
    "a column ignores case": (
        redefined("subjects", "name TEXT NOT NULL", "name TEXT NOT NULL COLLATE NOCASE"),
        "table subjects",
    ),
    "a column takes any type": (redefined("events", ") STRICT", ")"), "table events"),
    "a keyword is quoted, so that it is a name": (
        redefined("commands", "digest TEXT", 'digest "TEXT"'),
        "table commands",
    ),
}
OF_DATABASES: Final[dict[str, tuple[Crime, str]]] = {
    "events are a view that lies to all but the verifier": (
        _swapping_events(_OTHERS_OF_DATABASES),
        "view events",
    ),
    "subjects are a view that lies to all but the verifier": (
        _swapping_names(_OTHERS_OF_DATABASES),
        "view subjects",
    ),
    "commands are a view": (_hidden("commands", "*"), "view commands"),
    "a trigger of somebody else renames subjects": (
        _statements(
            "CREATE FUNCTION public.extra() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN UPDATE subjects SET name = 'nobody'; RETURN NEW; END $$",
            "CREATE TRIGGER extra AFTER INSERT ON events "
            "FOR EACH ROW EXECUTE FUNCTION public.extra()",
        ),
        "trigger extra on events",
    ),
    "a rule lets other rows be updated": (
        _statements("CREATE RULE extra AS ON INSERT TO commands DO INSTEAD NOTHING"),
        "rule extra on commands",
    ),
    "a policy hides rows from readers": (
        _statements(
            "CREATE POLICY extra ON events USING (position <> 48)",
            "ALTER TABLE events ENABLE ROW LEVEL SECURITY",
        ),
        "policy extra on events",
    ),
    "an index has another collation": (
        _statements('CREATE INDEX extra ON events (stream COLLATE "default", version)'),
        "index extra",
    ),
    "an index has some rows only": (
        _statements("CREATE INDEX extra ON events (stream) WHERE version = 1"),
        "index extra",
    ),
    "an index of ours has another collation": (
        _statements(
            "ALTER TABLE subjects DROP CONSTRAINT subjects_kind_name_key",
            'CREATE UNIQUE INDEX subjects_kind_name_key ON subjects (kind, name COLLATE "default")',
        ),
        "index subjects_kind_name_key",
    ),
    "a function of ours does nothing": (
        _statements(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$"
        ),
        "function refuse()",
    ),
    "a function is taken for one of the server": (
        _statements(
            "CREATE FUNCTION convert_to(text, text) RETURNS bytea LANGUAGE sql AS "
            "$$ SELECT pg_catalog.convert_to($1, $2::name) $$"
        ),
        "function convert_to(text, text)",
    ),
    "a child table adds rows": (
        _statements("CREATE TABLE public.child () INHERITS (ledger.events)"),
        "table events",
    ),
    "a column has another type": (
        _statements("ALTER TABLE subjects ALTER name TYPE varchar"),
        "table subjects",
    ),
}
PROTECTION_OF_FILES: Final[dict[str, tuple[Crime, str]]] = {
    "a trigger is dropped": (
        _statements("DROP TRIGGER events_are_never_deleted"),
        "trigger events_are_never_deleted",
    ),
}
PROTECTION_OF_DATABASES: Final[dict[str, tuple[Crime, str]]] = {
    "a trigger is dropped": (
        _statements("DROP TRIGGER events_are_never_deleted ON events"),
        "trigger events_are_never_deleted on events",
    ),
    "a trigger is disabled": (
        _statements("ALTER TABLE events DISABLE TRIGGER events_are_never_changed"),
        "trigger events_are_never_changed on events",
    ),
    "everybody may read": (_statements("GRANT SELECT ON subjects TO PUBLIC"), "table subjects"),
    "a monitoring role may delete events": (
        _statements("GRANT DELETE ON events TO pg_monitor"),
        "table events",
    ),
    "a monitoring role may change a column": (
        _statements("GRANT UPDATE (entry) ON events TO pg_monitor"),
        "table events",
    ),
    "a monitoring role owns a table": (
        _statements("ALTER TABLE commands OWNER TO pg_monitor"),
        "table commands",
    ),
}
"""Alterations that change no answer by themselves."""


def commit(crime: Crime, place: Place) -> None:
    """Carry out a crime by the hands of the owner of the file or the database."""
    with raw(place) as db:
        crime(db)


HONEST_OF_FILES: Final = (
    "CREATE TABLE mine (position INTEGER)",
    "CREATE INDEX mine_too ON mine (position)",
    "CREATE VIEW overview AS SELECT topic, count(*) AS entries FROM events GROUP BY topic",
    "ANALYZE",
    "VACUUM",
)
HONEST_OF_DATABASES: Final = (
    "CREATE SCHEMA mine",
    "CREATE TABLE mine.events (position bigint)",
    "CREATE INDEX mine_too ON mine.events (position)",
    "CREATE VIEW mine.overview AS SELECT topic, count(*) FROM ledger.events GROUP BY topic",
    "GRANT SELECT ON events TO pg_monitor",
    "ANALYZE",
    "ALTER TABLE events SET (autovacuum_vacuum_scale_factor = 0.01)",
    "REINDEX TABLE events",
)


def honest(place: Place) -> tuple[str, ...]:
    """Statements of a user who adds tables, views and indexes of their own."""
    return HONEST_OF_FILES if isinstance(place, Path) else HONEST_OF_DATABASES
