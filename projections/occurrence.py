"""Finds the words of a question that occur in no entry, and the near ones that do occur."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ledger.near_words import near
from projections.definitions.audit_trail import USES
from projections.stores import name_index
from projections.stores.connection import Connection
from projections.stores.named import subjects
from projections.term import Term
from projections.trail import Trail

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


_COLUMNS: Final = (
    "provider",
    "account",
    "feature",
    "region",
    "agency",
    "policy",
    "service",
    "uses",
)
_FURTHER: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "region": (("regions_history", "region"),),
    "policy": (
        *(("regions_history", "policy"), ("regions_history", "policy_id")),
        *(("policies_history", "policy"), ("policies_history", "policy_id")),
    ),
}
"""Views show a thing by its id where no name was ever told, and know ids that the trail's columns
do not have."""
_PEOPLE: Final = {"actor": "person", "run_by": "runner"}
"""The conditions on people, and the kind of their subjects."""
_OTHER: Final = {"service": "uses", "uses": "service"}


def unknown_words(
    connection: Connection, trail: Trail, asked: Mapping[str, str | None]
) -> list[UnknownWord]:
    """Those words of `asked` that occur in no entry, in its order. Within a transaction only."""
    return list(_Words(connection, trail).unknown(asked))


class _Words:
    """The words that conditions can have in one ledger."""

    def __init__(self, connection: Connection, trail: Trail) -> None:
        self._connection, self._trail = connection, trail

    def unknown(self, asked: Mapping[str, str | None]) -> Iterator[UnknownWord]:
        for name, value in asked.items():
            if value is None or self._occurs(name, value):
                continue
            if name_index.is_known(self._connection, name, value):
                continue
            other = _OTHER.get(name)
            elsewhere = other if other and self._occurs(other, value) else None
            words = islice(self._of(name), WORDS_MAX)
            yield UnknownWord(name, value, tuple(near(value, words)), elsewhere)

    def _occurs(self, name: str, value: str) -> bool:
        """Whether an entry has the word. One of a name that is not a condition counts as known."""
        if name in _PEOPLE:
            return self._trail.has([Term(name, tuple(subjects(self._connection, name, value)))])
        if name not in _COLUMNS:
            return True
        return self._trail.has(_terms(name, value)) or any(
            self._has(*each, value) for each in _FURTHER.get(name, ())
        )

    def _has(self, table: str, column: str, value: str) -> bool:
        found = f"SELECT 1 FROM {table} WHERE {column} = ? LIMIT 1"
        return self._connection.value(found, (value,)) is not None

    def _of(self, name: str) -> Iterator[str]:
        """The words that the condition can have, each once."""
        if name in _PEOPLE:
            selects = [f"SELECT name FROM subjects WHERE kind = '{_PEOPLE[name]}'"]
        else:
            further = _FURTHER.get(name, ())
            selects = [f"SELECT DISTINCT {column} FROM {table}" for table, column in further]
            kind = "service" if name in _OTHER else name
            found = dict.fromkeys(self._trail.words(kind))
            yield from (
                each for each in found if name not in _OTHER or self._trail.has(_terms(name, each))
            )
        for select in selects:
            for (word,) in self._connection.execute(select).fetchall():
                yield word


def _terms(name: str, value: str) -> list[Term]:
    """The condition on the trail that a name and a word mean."""
    if name in _OTHER:
        used = Term("type", USES, is_not=name == "service")
        return [Term("service", (value,)), used]
    return [Term(name, (value,))]
