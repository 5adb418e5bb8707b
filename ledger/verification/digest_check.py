"""Computes the digests of traces again from their entries, which `log verify --digests` asks for.

A false digest lets a copy of a trace with other content look known. The digest of a person's
command cannot be computed: the entries have what the command came to, and not all that was asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from eventsourcing.persistence import StoredEvent

from ledger.errors import LedgerError
from ledger.messages import TRACE_PREFIX, Recorded
from ledger.persistence.entry import decode
from ledger.persistence.raw_rows import StoredRows
from ledger.trace_digest import digest_of_entries, is_comparable
from ledger.verification.findings import Findings

_DIGEST: Final = re.compile("([0-9]+:)?[0-9a-f]{64}")


def check_digests(rows: StoredRows, last: int) -> Findings:
    """Compare the digest of each command up to a position: with its entries if it is a trace."""
    found = Findings()
    entries = _entries(rows)
    for stored_id, stored, first, until in rows.commands_after(0):
        if stored is None or type(first) is not int or type(until) is not int or until > last:
            continue
        command_id = (stored_id or b"").decode(errors="backslashreplace")
        digest = stored.decode(errors="backslashreplace")
        if not _DIGEST.fullmatch(digest):
            found.add(f"command {command_id}", "its digest is not a digest")
        elif command_id.startswith(TRACE_PREFIX) and is_comparable(digest):
            its = [each for each in _until(entries, until) if each.command_id == command_id]
            if digest_of_entries(its) != digest:
                found.add(f"command {command_id}", "its digest is not that of its entries")
    return found


def _entries(rows: StoredRows) -> Iterator[Recorded]:
    """Entries by position, without those that cannot be read: they are findings already."""
    for page in rows.whole(0):
        for position, stream, version, topic, entry in page:
            try:
                state = entry.encode(errors="surrogateescape")
                yield decode(StoredEvent(stream, version, topic, state), position)
            except (LedgerError, AttributeError, TypeError):
                continue


def _until(entries: Iterator[Recorded], last: int) -> Iterator[Recorded]:
    for entry in entries:
        yield entry
        if (entry.position or 0) >= last:
            return
