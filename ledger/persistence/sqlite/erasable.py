"""The tables of a file from which rows are erased: names, and the texts of documents."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from ledger.persistence.side_tables import (
    ERASURES,
    IS_REGISTERED,
    KEYS,
    DocumentRow,
    Erasable,
    SubjectRow,
)

DOCUMENTS: Final = (
    "CREATE TABLE IF NOT EXISTS documents (\n"
    "  digest TEXT PRIMARY KEY,\n"
    "  size INTEGER NOT NULL,\n"
    "  text TEXT NOT NULL\n"
    ") STRICT"
)
_INSERT: Final = (
    "INSERT INTO documents SELECT :digest, :size, :text "
    "WHERE NOT EXISTS (SELECT 1 FROM events WHERE stream = 'document:' || :digest) "
    "ON CONFLICT (digest) DO NOTHING"
)


def has_documents(c: SQLiteCursor | sqlite3.Cursor) -> bool:
    """Whether the ledger has the table: one of an older format has it once it was migrated."""
    c.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'documents'")
    return c.fetchone() is not None


def insert_registered(c: SQLiteCursor, subjects: Iterable[SubjectRow]) -> None:
    """Keep names of subjects that are registered, unless they are kept already."""
    c.executemany(
        f"INSERT INTO subjects SELECT :subject, :kind, :name, :salt WHERE "
        f"{IS_REGISTERED.format(':kind', ':subject')} ON CONFLICT (subject) DO NOTHING",
        map(asdict, subjects),
    )


def insert_documents(c: SQLiteCursor, documents: Sequence[DocumentRow]) -> None:
    """Keep texts, unless they are kept already or were erased."""
    c.executemany(_INSERT, [asdict(row) for row in documents])


def select_documents(c: SQLiteCursor, digests: Iterable[str]) -> dict[str, DocumentRow]:
    """The texts that are kept, by digest."""
    found: dict[str, DocumentRow] = {}
    if not has_documents(c):
        return found
    for digest in digests:
        c.execute("SELECT digest, size, text FROM documents WHERE digest = ?", (digest,))
        row = c.fetchone()
        if row is not None:
            found[digest] = DocumentRow(*row)
    return found


def forget(c: SQLiteCursor, table: Erasable, keys: Iterable[str]) -> None:
    """Delete rows by their keys, and all copies of their bytes. Rows that no event erases stay.

    While a B-tree grows, it moves rows from page to page and leaves their bytes behind, which
    secure_delete overwrites only when the page is freed. So the table is emptied, which frees all
    its pages, and the other rows are inserted again.
    """
    c.executemany(
        f"DELETE FROM {table} WHERE {KEYS[table]} = ? "
        f"AND EXISTS (SELECT 1 FROM events e WHERE {ERASURES[table]})",
        [(key,) for key in keys],
    )
    c.execute(f"CREATE TEMP TABLE kept AS SELECT * FROM {table} ORDER BY {KEYS[table]}")
    c.execute(f"DELETE FROM {table}")
    c.execute(f"INSERT INTO {table} SELECT * FROM kept")
    c.execute("DROP TABLE temp.kept")
