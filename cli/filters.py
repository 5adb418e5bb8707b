"""Conditions that a reading command was given: says which of their words this ledger never had."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from cli.printing.output import say

if TYPE_CHECKING:
    from projections.occurrence import UnknownWord
    from projections.views import Views

_SENTENCES: Final = {
    "service": "No service {!r} asks for authorization in this ledger.",
    "uses": "No agency uses a service {!r} in this ledger.",
    "actor": "No actor in this ledger has the name or id {!r}.",
    "run_by": "No entry of this ledger was run by a user with the name or id {!r}.",
}
_ELSEWHERE: Final = {
    "service": " It occurs as a service that asks: --service {}.",
    "uses": " It occurs as a service that agencies use: --uses {}.",
}


def say_unknown_words(views: Views, asked: Mapping[str, str | None]) -> None:
    """After an empty answer: say which words of the question occur nowhere, and near ones."""
    for word in views.unknown_words(asked):
        say(sentence(word))


def sentence(word: UnknownWord) -> str:
    from ledger.near_words import offer

    text = _SENTENCES.get(word.name, f"The {word.name} {{!r}} occurs in no entry of this ledger.")
    if word.elsewhere:
        return text.format(word.value) + _ELSEWHERE[word.elsewhere].format(word.value)
    return f"{text.format(word.value)} {offer(word.near)}".rstrip()
