"""The columns of an entry's row, and the version of the tables."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x61_75_74_68
"""`auth`: tells a ledger from another database, in the header of a SQLite file; on PostgreSQL it
is the key of the lock that is held while a ledger is made."""

FORMAT_VERSION: Final = 5
"""The version of the tables, on both databases. Version 1 had no log, and no PostgreSQL; version 2
had no documents; up to version 3, the table of the entries had columns derived from them, with
indexes for the audit trail, which is a projection now; up to version 4, no entry said who ran the
process."""
TABLES_FORMAT: Final = 4
"""From this version on, the tables are today's. Later versions differ in what entries say."""
READABLE_FORMAT: Final = 2
"""A ledger of this version or a later one is read as it is where it cannot be migrated."""

COLUMNS: Final = ("position", "stream", "version", "topic", "entry")
"""The columns of a row, in the order in which it is read. Nothing is stored that could disagree
with the entry, but for the stream, the version and the topic, by which it is found."""
