"""Folds policies or projects, from their own facts and from their uses by agencies.

created ─ used ─ used ─ … ─ used ─ deleted ─ used          only the last use proves anything
   1       2      3          8        9       12

A use within a known life changes nothing. A policy may have a hundred thousand uses, so that only
those are folded which prove something.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from operator import attrgetter
from typing import Final

from ledger.account.truth.completed import completed
from ledger.account.truth.definitions import (
    Defined,
    Definitions,
    Handover,
    handles_in,
    proof_of,
    telling_in,
)
from ledger.account.truth.fact import Fact
from ledger.account.truth.names import Names, own_names
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import handovers
from ledger.account.truth.things import births, by_slot, fold, slot_called, slot_name

_HANDLES: Final[Mapping[Defined, Callable[[Fact], tuple[str | None, str | None]]]] = {
    "policy": attrgetter("policy_id", "policy"),
    "project": attrgetter("project_id", "region"),
}
_ROUNDS_MAX: Final = 4
"""After so many rounds, all uses that prove something are folded, and not the earliest only."""
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def define(
    kind: Defined,
    own: Sequence[Fact],
    tellings: Iterable[Fact],
    uses: Sequence[Fact],
    rules: Rules,
) -> Definitions:
    """Fold policies or projects, each kind of facts in any order.

    `own` are the calls on them. `uses` are grants and revocations by agencies, `tellings` those of
    them that told a name beside an id: of each two, at least the first.
    """
    own = completed(own)
    stated = (telling for use in tellings if (telling := telling_in(kind, use)) is not None)
    names = Names([*own_names(own), *stated], rules)
    proofs = {fact.position: fact for _, _, fact in names.stated() if fact.call == "evidence"}
    asked = uses if own or _contested(names, rules) else ()
    rounds = 0
    while True:
        found = _fold(kind, [*own, *proofs.values()], names, _lived(own, names, rules), rules)
        among = Proofs(found, rules).among(asked)
        left = [use for use in among if use.position not in proofs]
        if not left:
            return found
        rounds += 1
        some = _earliest(kind, left) if rounds < _ROUNDS_MAX else left
        proofs |= {proof.position: proof for use in some if (proof := proof_of(kind, use))}


def _fold(
    kind: Defined, facts: Iterable[Fact], names: Names, lived: set[str], rules: Rules
) -> Definitions:
    known = sorted(facts, key=lambda fact: (fact.at, fact.position))
    born = births(known)
    slots = by_slot(known, names, rules)
    folded = {slot: fold(slot, each, rules, born) for slot, each in slots.items()}
    unseen = {slot: list(_handovers(each)) for slot, each in slots.items()}
    return Definitions(
        kind, folded, names, lived, {slot: each for slot, each in unseen.items() if each}
    )


def _handovers(facts: Sequence[Fact]) -> Iterator[Handover]:
    """The changes of hands that nobody saw, of the facts of a slot."""
    for last, proof in handovers(facts):
        after = facts[last].at
        uses = (
            fact.at
            for fact in facts[last:proof]
            if fact.id is None and fact.call == "evidence" and fact.at > after
        )
        yield Handover(after, min(uses, default=None), facts[proof])


def _contested(names: Names, rules: Rules) -> set[str]:
    """The slots of names that several things had: their uses say when each of them had it."""
    holders: dict[str, set[str]] = defaultdict(set)
    for identity, name, _ in names.stated():
        holders[slot_called(identity, name, rules)].add(identity)
    return {slot for slot, identities in holders.items() if len(identities) > 1}


def _lived(own: Sequence[Fact], names: Names, rules: Rules) -> set[str]:
    """The slots of things of which there are calls of their own."""
    slots = {slot_name(fact, names, rules) for fact in own}
    for identity in {fact.id for fact in own if fact.id is not None}:
        slots |= {slot_called(identity, naming.name, rules) for naming in names.of(identity)}
    return slots


def _earliest(kind: Defined, uses: Sequence[Fact]) -> list[Fact]:
    """The earliest uses of each handle."""
    first: dict[object, datetime] = {}
    for use in uses:
        handles = handles_in(kind, use)
        first[handles] = min(use.at, first.get(handles, use.at))
    return [use for use in uses if use.at == first[handles_in(kind, use)]]


class Proofs:
    """Tells which uses of policies or projects prove something that is not known."""

    def __init__(self, known: Definitions, rules: Rules) -> None:
        self._known, self._rules = known, rules
        self._provable = {*known.lived, *_contested(known.names, rules)}
        self._lives: dict[object, list[tuple[datetime, datetime]]] = {}

    def among(self, uses: Iterable[Fact]) -> list[Fact]:
        """Those of the uses that prove something, or may."""
        handles_of, found = _HANDLES[self._known.kind], []
        for use in uses:
            for begin, end in self._lives.get(handles_of(use), ()):
                if begin < use.at < end:
                    break
            else:
                if self.prove(use):
                    found.append(use)
        return found

    def prove(self, use: Fact) -> bool:
        """Whether a use proves something, or may."""
        if use.consequence_of is not None:
            return False
        identity, name = handles = handles_in(self._known.kind, use)
        lives = self._lives.get(handles)
        if lives is None:
            slot = self._slot(identity, name, use.at)
            if slot not in self._provable:
                return False
            lives = self._settled(slot, identity)
            if identity is None or len(self._known.names.of(identity)) <= 1:
                self._lives[handles] = lives
        at = use.at
        return not any(begin < at < end for begin, end in lives)

    def _slot(self, identity: str | None, name: str | None, at: datetime) -> str:
        if name is None and identity is not None:
            name = self._known.names.at(identity, at)
        return slot_called(identity, name, self._rules)

    def _settled(self, slot: str, identity: str | None) -> list[tuple[datetime, datetime]]:
        """The lives in which a use of a name, or of an id, proves nothing; both ends excluded."""
        folded = self._known.slots.get(slot)
        if folded is None or len(folded.stories) > 1 or folded.stories[0].doubtful:
            return []
        lives = [
            (life.begun.at, life.ended.at if life.ended is not None else _NEVER)
            for life in folded.stories[0].lives()
            if identity in (None, life.id)
        ]
        lives = _without(lives, folded.unsettled)
        unseen = self._known.handovers.get(slot, ())
        if identity is not None:
            return _without(lives, [(each.after, each.proof.at) for each in unseen])
        return _without(lives, [(each.after, each.used or each.proof.at) for each in unseen])


def _without(
    lives: list[tuple[datetime, datetime]], times: Iterable[tuple[datetime, datetime | None]]
) -> list[tuple[datetime, datetime]]:
    """Lives without the times in which several stories were possible, or a name changed hands."""
    for begin, end in times:
        until = _NEVER if end is None else end
        lives = [
            part
            for life in lives
            for part in ((life[0], min(life[1], begin)), (max(life[0], until), life[1]))
            if part[0] < part[1]
        ]
    return lives
