"""Finds which known word was meant where an unknown one was given.

>>> did_you_mean("grantd", ("granted", "revoked"))
"Did you mean 'granted'? Accepted: granted, revoked."
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from typing import Final

from ledger.errors import InvalidInput

NEAR_MAX: Final = 3
"""How many near words are offered at most."""


def near(word: str, known: Iterable[str]) -> list[str]:
    """The known words that are like a word, the most similar first; upper and lower case match."""
    spelt: dict[str, str] = {}
    for each in known:
        spelt.setdefault(each.casefold(), each)
    return [spelt[each] for each in get_close_matches(word.casefold(), spelt, NEAR_MAX)]


def did_you_mean(word: str, accepted: Iterable[str]) -> str:
    """A remedy: the accepted words that are like a word, then all that are accepted."""
    every = list(accepted)
    return f"{offer(near(word, every))}Accepted: {', '.join(every)}."


def check_choice(name: str, word: str | None, accepted: Collection[str]) -> None:
    """Raises InvalidInput for a word that is not accepted; nothing accepted means that all are."""
    if word is not None and accepted and word not in accepted:
        raise InvalidInput(
            f"The {name} {word!r} is not valid.", remedy=did_you_mean(word, accepted)
        )


def offer(found: Iterable[str]) -> str:
    """`Did you mean 'a' or 'b'? `, with the space that separates it; empty for no words."""
    words = " or ".join(map(repr, found))
    return f"Did you mean {words}? " if words else ""
