"""The columns of an event that people and projections read, and which of them are indexed."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x61_75_74_68
"""`auth`: tells a ledger from another database, in the header of a SQLite file; on PostgreSQL it
is the key of the lock under which a ledger is made."""

FORMAT_VERSION: Final = 2
"""Of the tables on every database. 1 had no log, and files only."""

DERIVED_COLUMNS: Final = (
    "provider",
    "account",
    "region",
    "service",
    "agency",
    "agency_id",
    "trustee",
    "policy",
    "feature",
    "outcome",
    "expires_at",
    "actor",
    "origin",
    "recorded_at",
    "effective_at",
    "command_id",
)
"""What people and projections read beside the entry, as the entry has it: SQLite generates it,
PostgreSQL is given it, and `log verify` compares. Beside them `type`, the topic without its
version. SQLite cannot add stored columns later."""

COLUMNS: Final = ("position", "stream", "version", "topic", "entry", "type", *DERIVED_COLUMNS)
"""What a row is read as, in this order."""

INDEXED_COLUMNS: Final = (
    "type",
    "account",
    "region",
    "service",
    "agency",
    "policy",
    "outcome",
    "actor",
    "origin",
)
"""What the trail is filtered by: each has an index, so that a rare value is found as quickly as a
frequent one (docs/performance.md says what they cost). A provider has none: there are few."""
