"""Trustees: an account is one trustee, whether a fact tells its id, its name, or both.

told together    id d2, name "other"         account:other   is  account:d2
                 id d3, name "op_svc_asm"    account:d3      is  service:asm

An id and a name that one fact tells together count for all other facts, earlier and later ones. A
name that was told beside two ids stays as it was told: it is not known which of the two it means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from ledger.account.truth.fact import Fact

_ACCOUNT: Final = "account:"
Agency = tuple[str | None, str | None]
"""The id and the name by which a fact names an agency."""


def words_in(fact: Fact) -> tuple[str, ...]:
    """The words of the trustee that a fact tells, if another fact may tell it in other words."""
    if fact.trustee is None:
        return ()
    pair = _pair_in(fact)
    if pair is not None:
        return tuple(dict.fromkeys((fact.trustee, *pair)))
    return (fact.trustee,) if fact.trustee.startswith(_ACCOUNT) else ()


def _pair_in(fact: Fact) -> tuple[str, str] | None:
    """The words of an account's id and of its name, if a fact tells both."""
    if fact.trustee_id is None or fact.trustee_name is None:
        return None
    return f"{_ACCOUNT}{fact.trustee_id}", f"{_ACCOUNT}{fact.trustee_name}"


class Trustees:
    """The accounts that facts told with id and name, and the agencies that trust an account."""

    def __init__(self, facts: Iterable[Fact] = ()) -> None:
        self._ids: dict[str, set[str]] = defaultdict(set)
        """By the word of each name, the words of the ids that were told beside it."""
        self._names: dict[str, set[str]] = defaultdict(set)
        """By the word of each id, the words of the names."""
        self._services: dict[str, set[str]] = defaultdict(set)
        """By the word of each id, the services whose account it is."""
        self._users: dict[str, dict[Agency, None]] = defaultdict(dict)
        """By each word, the agencies that trust it."""
        self.new: list[Fact] = []
        """The facts that were learned, tell an id and a name, and do not count yet."""
        self.know(facts)

    def learn(self, fact: Fact) -> None:
        """Take a fact. The id and the name in it count after the next `know`."""
        words = words_in(fact)
        if words:
            self._users[words[0]][fact.id, fact.name] = None
        if len(words) > 1:
            self.new.append(fact)

    def know(self, facts: Iterable[Fact]) -> None:
        """Let count what facts tell."""
        for fact in facts:
            pair = _pair_in(fact)
            if pair is None or fact.trustee is None:
                continue
            identity, name = pair
            self._ids[name].add(identity)
            self._names[identity].add(name)
            if fact.trustee != identity:
                self._services[identity].add(fact.trustee)

    def one(self, word: str) -> str:
        """The one word for a trustee: the service, or else the account's id, if it is known."""
        ids = self._ids.get(word, {word})
        if len(ids) > 1:
            return word
        (identity,) = ids
        services = self._services.get(identity, ())
        return next(iter(services)) if len(services) == 1 else identity

    def joined_by(self, fact: Fact) -> Iterator[str]:
        """The words that may mean another trustee once a fact counts; none if it tells no news."""
        pair = _pair_in(fact)
        if pair is None or fact.trustee is None:
            return
        identity, name = pair
        is_known = identity in self._ids.get(name, ())
        if is_known and fact.trustee in (identity, *self._services.get(identity, ())):
            return
        yield from dict.fromkeys((identity, name, *self._names.get(identity, ())))

    def users(self, word: str) -> Iterable[Agency]:
        """The agencies that trust a word, of the facts that were learned."""
        return self._users.get(word, ())
