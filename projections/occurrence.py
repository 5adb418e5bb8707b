"""Finds the words of a question that occur in no entry, and the near ones that do occur."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ledger.near_words import near
from projections.definitions.audit_trail import USES
from projections.stores import name_index
from projections.stores.connection import Connection

WORDS_MAX: Final = 100_000
"""Among how many words of a ledger near ones are looked for, at most."""


@dataclass(frozen=True, slots=True)
class UnknownWord:
    """A word of a question that no entry has. `near` are words like it that some entry has, the
    most similar first; `elsewhere` is the other name under which the same word occurs, or None.
    """

    name: str
    value: str
    near: tuple[str, ...]
    elsewhere: str | None = None


def _words(*columns: str) -> str:
    """A SELECT of the words in columns, each `table.column`."""
    return " UNION ALL ".join(
        f"SELECT {column} AS word FROM {table} WHERE {column} IS NOT NULL"
        for table, column in (each.split(".") for each in columns)
    )


_USED: Final = ", ".join(f"'{name}'" for name in USES)
_WORDS: Final[Mapping[str, str]] = {
    "provider": _words("events.provider"),
    "account": _words("events.account"),
    "feature": _words("events.feature"),
    # Views show a thing by its id where no name was ever told, and know ids that events' columns
    # do not have.
    "region": _words("events.region", "regions_history.region"),
    "agency": _words("events.agency", "events.agency_id"),
    "policy": _words(
        *("events.policy", "regions_history.policy", "regions_history.policy_id"),
        *("policies_history.policy", "policies_history.policy_id"),
    ),
    "service": "SELECT service AS word FROM events WHERE service IS NOT NULL "
    f"AND type NOT IN ({_USED})",
    "uses": f"SELECT service AS word FROM events WHERE service IS NOT NULL AND type IN ({_USED})",
    "actor": "SELECT name AS word FROM subjects WHERE kind = 'person'",
}
"""By the name of a condition, a SELECT of the words that it can have in this ledger."""
_IDS: Final = "SELECT actor AS word FROM events WHERE actor IS NOT NULL"
_OTHER: Final = {"service": "uses", "uses": "service"}


def unknown_words(connection: Connection, asked: Mapping[str, str | None]) -> list[UnknownWord]:
    """Those words of `asked` that occur in no entry, in its order. Within a transaction only."""
    return list(_unknown(connection, asked))


def _unknown(connection: Connection, asked: Mapping[str, str | None]) -> Iterator[UnknownWord]:
    for name, value in asked.items():
        if value is None or name not in _WORDS or _occurs(connection, _WORDS[name], value):
            continue
        if name == "actor" and _occurs(connection, _IDS, value):
            continue
        if name_index.is_known(connection, name, value):
            continue
        other = _OTHER.get(name)
        elsewhere = other if other and _occurs(connection, _WORDS[other], value) else None
        words = connection.execute(
            f"SELECT DISTINCT word FROM ({_WORDS[name]}) AS words LIMIT {WORDS_MAX}"
        )
        yield UnknownWord(name, value, tuple(near(value, (row[0] for row in words))), elsewhere)


def _occurs(connection: Connection, words: str, value: str) -> bool:
    found = connection.value(f"SELECT 1 FROM ({words}) AS words WHERE word = ? LIMIT 1", (value,))
    return found is not None
