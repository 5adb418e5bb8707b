"""The columns of the relation `events` that are derived from an entry, and how they are derived."""

from __future__ import annotations

from typing import Final

import orjson

from ledger.errors import CorruptEntry
from ledger.persistence.columns import COLUMNS as STORED_COLUMNS
from ledger.persistence.entry import type_of

TYPED_COLUMNS: Final = (
    "type",
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
    "actor_established",
    "run_by",
    "database_user",
)
"""The name of the event, and the fields of an entry that have a column of their own."""
COLUMNS: Final = (*STORED_COLUMNS, *TYPED_COLUMNS)
"""The columns of the relation `events`, by the names that projections read."""

_FIELDS: Final = TYPED_COLUMNS[1:]
_TEXTS: Final = {str, type(None)}


def typed(position: int, topic: str, entry: str | bytes) -> tuple[str | None, ...]:
    """TYPED_COLUMNS of an entry. Raises CorruptEntry."""
    try:
        values = tuple(map(orjson.loads(entry).get, _FIELDS))
    except (ValueError, AttributeError) as error:
        raise _corrupt(position, str(error)) from error
    if not _TEXTS.issuperset(map(type, values)):
        name = next(
            n for n, value in zip(_FIELDS, values, strict=True) if type(value) not in _TEXTS
        )
        raise _corrupt(position, f"its {name} is not a text")
    return (type_of(topic), *values)


def _corrupt(position: int, why: str) -> CorruptEntry:
    return CorruptEntry(
        f"The entry at position {position} cannot be read: {why}.",
        remedy="`authledger log verify` finds out which entries were altered.",
    )
