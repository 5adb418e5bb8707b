"""The documents that events refer to: where each is used, and its text while that is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from ledger.errors import InvalidInput, NotFound
from ledger.events import DOCUMENT_TYPES
from projections.stores.connection import Connection

COLUMNS: Final = (
    "document",
    "bytes",
    "text",
    "type",
    "provider",
    "account",
    "policy",
    "agency",
    "position",
)
KEPT, ERASED, NOT_KEPT = "kept", "erased", "not kept"
_SOME: Final = 100
_DIGEST: Final = re.compile(r"[0-9a-f]{4,64}")


class Documents:
    """The documents of one ledger, read by the views' connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def rows(self) -> list[tuple[Any, ...]]:
        """COLUMNS for each event that refers to a document, in the order of the positions.

        `text` says whether the document's text is kept. `policy` and `agency` are names, or ids
        where no trace has the name.
        """
        with self._connection.store_errors():
            return list(self._connection.execute(self._select()).fetchall())

    def texts(self, digests: Iterable[str]) -> Mapping[str, str]:
        """The texts that are kept, by digest, in canonical JSON; others are absent."""
        wanted, found = sorted(set(digests)), dict[str, str]()
        with self._connection.store_errors():
            for first in range(0, len(wanted), _SOME):
                some = wanted[first : first + _SOME]
                places = ", ".join("?" * len(some))
                found |= self._connection.execute(
                    f"SELECT digest, text FROM documents WHERE digest IN ({places})", some
                ).fetchall()
        return found

    def find(self, prefix: str) -> str:
        """The digest that begins so. Raises InvalidInput, NotFound."""
        if not _DIGEST.fullmatch(prefix):
            raise InvalidInput(
                f"{prefix!r} is not a valid digest of a document: give its 64 hexadecimal digits, or "
                "the first of them, at least 4.",
                remedy="List the documents with `authledger document list`.",
            )
        found = sorted({*self._kept(prefix), *self._named(prefix)})
        if not found:
            raise NotFound(
                f"No event refers to a document {prefix}.",
                remedy="List the documents with `authledger document list`.",
            )
        if len(found) > 1:
            raise InvalidInput(
                f"{len(found)} documents begin with {prefix}: {', '.join(found[:5])}.",
                remedy="Give more digits.",
            )
        return str(found[0])

    def _kept(self, prefix: str) -> list[str]:
        """The digests of kept texts, also of those that came after the views' last catch-up."""
        with self._connection.store_errors():
            select = "SELECT digest FROM documents WHERE digest LIKE ?"
            return [row[0] for row in self._connection.execute(select, (f"{prefix}%",)).fetchall()]

    def _named(self, prefix: str) -> Iterator[str]:
        return (row[0] for row in self.rows() if row[0].startswith(prefix))

    def text(self, prefix: str) -> str:
        """The text of the document whose digest begins so. Raises InvalidInput; NotFound, which
        says why no text is kept.
        """
        digest = self.find(prefix)
        text = self.texts([digest]).get(digest)
        if text is not None:
            return text
        is_erased = any(row[0] == digest and row[2] == ERASED for row in self.rows())
        why = (
            "it was erased" if is_erased else "it is not JSON, is too long, or was not copied along"
        )
        raise NotFound(f"Of the document {digest} only the digest is known: {why}.")

    def _select(self) -> str:
        parts = " UNION ALL ".join(self._references())
        return (
            "SELECT r.document, CAST(r.bytes AS bigint), "
            f"CASE WHEN k.digest IS NOT NULL THEN '{KEPT}' WHEN x.position IS NOT NULL "
            f"THEN '{ERASED}' ELSE '{NOT_KEPT}' END, r.type, r.provider, r.account, r.policy, "
            f"r.agency, r.position FROM ({parts}) r "
            "LEFT JOIN documents k ON k.digest = r.document "
            "LEFT JOIN entries x ON x.stream = 'document:' || r.document AND x.version = 1 "
            "ORDER BY r.position, r.document"
        )

    def _references(self) -> Iterator[str]:
        """For each field, a SELECT of the events that refer to a document by it."""
        member = self._connection.dialect.member

        def of(name: str) -> str:
            return member.format("e.entry", name)

        for field, types in DOCUMENT_TYPES.items():
            named = ", ".join(f"'{name}'" for name in types)
            yield (
                f"SELECT {of(field)} AS document, {of(f'{field}_bytes')} AS bytes, e.type, "
                f"e.provider, e.account, coalesce(e.policy, {of('policy_id')}) AS policy, "
                f"coalesce(e.agency, {of('agency_id')}) AS agency, e.position FROM events e "
                f"WHERE e.type IN ({named}) AND {of(field)} IS NOT NULL"
            )
