"""The tables of a database from which rows are erased: names, and the texts of documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import Any, Final

from psycopg import Cursor

from ledger.persistence.side_tables import ERASURES, KEYS, DocumentRow, Erasable

_INSERT: Final = (
    b"INSERT INTO documents SELECT k.* FROM (VALUES (%s, %s::bigint, %s)) AS k (digest, size, text) "
    b"WHERE NOT EXISTS (SELECT FROM events WHERE stream = 'document:' || k.digest) "
    b"ON CONFLICT (digest) DO NOTHING"
)


def insert_documents(c: Cursor[Any], documents: Sequence[DocumentRow]) -> None:
    """Keep texts, unless they are kept already or were erased."""
    if documents:
        c.executemany(_INSERT, [astuple(row) for row in documents])


def select_documents(c: Cursor[Any], digests: Iterable[str]) -> dict[str, DocumentRow]:
    """The texts that are kept, by digest. A ledger of an older format has none."""
    if c.execute("SELECT to_regclass('documents') IS NULL").fetchone() == (True,):
        return {}
    rows = c.execute(
        "SELECT digest, size, text FROM documents WHERE digest = ANY(%s)", (list(digests),)
    ).fetchall()
    return {row[0]: DocumentRow(*row) for row in rows}


def forget(c: Cursor[Any], table: Erasable, keys: Sequence[str]) -> None:
    """Delete rows by their keys. Rows that no event erases stay."""
    if keys:
        erasure = ERASURES[table].replace("%", "%%")
        c.execute(
            f"DELETE FROM {table} WHERE {KEYS[table]} = ANY(%s) "
            f"AND EXISTS (SELECT FROM events e WHERE {erasure})".encode(),
            (list(keys),),
        )
