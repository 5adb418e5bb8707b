"""The columns of an event that people and projections read, and those that are indexed."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x61_75_74_68
"""`auth`: tells a ledger from another database, in the header of a SQLite file; on PostgreSQL it
is the key of the lock that is held while a ledger is made."""

FORMAT_VERSION: Final = 3
"""The version of the tables, on both databases. Version 1 had no log, and no PostgreSQL; version 2
had no documents."""
READABLE_FORMAT: Final = 2
"""A ledger of this version or a later one is read as it is where it cannot be migrated."""

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
"""The fields of an entry that have a column of their own, with the same value. SQLite generates
them, on PostgreSQL the recorder writes them, and `log verify` compares them with the entry. A
further column is `type`, the topic without its version. SQLite cannot add stored columns later."""

COLUMNS: Final = ("position", "stream", "version", "topic", "entry", "type", *DERIVED_COLUMNS)
"""The columns of a row, in the order in which it is read."""

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
"""The columns by which the trail is filtered. Each has an index, so that a rare value is found as
quickly as a frequent one (docs/performance.md says what they cost). The provider has none, because
there are only a few."""
