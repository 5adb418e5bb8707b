"""The table of the entries as format 3 made it, to compare a ledger that was not migrated yet."""

from __future__ import annotations

from typing import Final

_DERIVED: Final = (
    "provider", "account", "region", "service", "agency", "agency_id", "trustee", "policy",
    "feature", "outcome", "expires_at", "actor", "origin", "recorded_at", "effective_at",
    "command_id",
)  # fmt: skip
_INDEXED: Final = (
    "type", "account", "region", "service", "agency", "policy", "outcome", "actor", "origin",
)  # fmt: skip
WITH_COLUMNS: Final = (
    "CREATE TABLE events (\n"
    "  position INTEGER PRIMARY KEY,\n"
    "  stream TEXT NOT NULL,\n"
    "  version INTEGER NOT NULL,\n"
    "  topic TEXT NOT NULL,\n"
    "  entry TEXT NOT NULL,\n"
    "  type TEXT GENERATED ALWAYS AS (substr(topic, 1, instr(topic || '.', '.') - 1)) STORED,\n"
    + "".join(
        f"  {name} TEXT GENERATED ALWAYS AS "
        f"(CASE WHEN entry BETWEEN '{{' AND '|' THEN entry ->> '{name}' END) STORED,\n"
        for name in _DERIVED
    )
    + "  UNIQUE (stream, version)\n) STRICT",
    *(
        f"CREATE INDEX events_by_{name} ON events ({name}) WHERE {name} IS NOT NULL"
        for name in _INDEXED
    ),
)
