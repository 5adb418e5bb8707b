"""A policy's name that changes hands: a cloud that loses most of the policy's calls, and a judge.

created P1 "admin" ─ granted "admin" ─ [deleted P1, created P2: lost] ─ granted "admin" ─ revoked P2

Two agencies are granted and revoked what has the name `admin`, one call in a second. The judge
tries every place at which the name may have changed hands unseen, for both agencies together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from random import Random
from typing import Final

from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.cloud import IMPOSSIBLE, WORDS, Answers, Word, agreed
from tests.ledger.account.truth.histories import at, fact

SECONDS: Final = 12
AGENCIES: Final = ("ci", "other")
ADMIN: Final = "admin"


class HandedOverCloud:
    """One account with two agencies, and the policies that had the name `admin` in turn."""

    def __init__(self, random: Random, rules: Rules) -> None:
        self._random, self._rules = random, rules
        self._granted: set[str] = set()
        self._made = 0
        self._policy: str | None = None
        self.facts = [fact("C", 0, name=name) for name in AGENCIES]
        for second in range(1, SECONDS):
            one = self._call(second)
            kept = 0.3 if one.kind == "policy" else 0.9
            self.facts += [one] if random.random() < kept else []

    def _call(self, second: int) -> Fact:
        random = self._random
        if self._policy is None:
            self._made += 1
            self._policy = f"P{self._made}"
            return _own("created", second, self._policy, ADMIN)
        if random.random() < 0.2:
            return self._delete(second, self._policy)
        name = random.choice(AGENCIES)
        if name in self._granted and random.random() < 0.5:
            self._granted.discard(name)
            return self._use("X", second, name)
        self._granted.add(name)
        return self._use("A", second, name)

    def _delete(self, second: int, policy: str) -> Fact:
        if self._granted and "policy" in self._rules.deletes_only_detached:
            name = min(self._granted)
            self._granted.discard(name)
            return self._use("X", second, name)
        self._policy, self._granted = None, set()
        by_name = self._random.random() < 0.3
        return _own("deleted", second, None if by_name else policy, ADMIN)

    def _use(self, letter: str, second: int, name: str) -> Fact:
        identity = self._policy if self._random.random() < 0.35 else None
        named = identity is None or self._random.random() < 0.7
        policy = ADMIN if named else None
        return fact(letter, second, name=name, policy=policy, policy_id=identity)


def _own(call: str, second: int, identity: str | None, name: str) -> Fact:
    made = fact("C", second, kind="policy", id=identity, name=name)
    return made._replace(call="created" if call == "created" else "deleted")


# -- the judge ------------------------------------------------------------------------------------


@dataclass
class Policy:
    """The policy that has the name, as one explanation says."""

    key: str
    id: str | None
    birth: Fact | None
    seen: bool


class Machine:
    """A plain state machine of the name `admin`, for one way in which it changed hands."""

    def __init__(self, rules: Rules, births: Mapping[str | None, Fact]) -> None:
        self._detached, self._births = "policy" in rules.deletes_only_detached, births
        self.cost, self.answers = 0, Answers()
        self._now: Policy | None = None
        self._started = False
        self._ended: set[str | None] = set()
        self._revoked: dict[tuple[str, str], int] = {}

    def hand_over(self, second: int) -> None:
        if self._now is None or self._now.id is None:
            self.cost += IMPOSSIBLE
        else:
            self._end(second, unseen=True)
            self.cost += 1
            self._begin(None, second, None)

    def take(self, one: Fact, second: int) -> None:
        identity = one.id if one.kind == "policy" else one.policy_id
        if one.call == "created":
            self._create(one, second)
        elif identity in self._ended and identity is not None:
            self.cost += IMPOSSIBLE
        elif one.call == "deleted":
            self._present(identity, second)
            self._end(second, unseen=False)
        else:
            self._change(one, self._present(identity, second).key, second)

    def _create(self, one: Fact, second: int) -> None:
        now = self._now
        if now is not None and now.id == one.id:
            self.cost += not now.seen
            now.seen = True
        else:
            self._end(second, unseen=True)
            self.cost += IMPOSSIBLE * (one.id in self._ended)
            self._begin(one.id, second, one)

    def _present(self, identity: str | None, second: int) -> Policy:
        now = self._now
        if now is not None and identity in (None, now.id):
            return now
        if now is not None and now.id is None and self._births.get(identity) in (None, now.birth):
            for agency in AGENCIES:
                self.answers[agency, str(identity)] = self.answers.pop((agency, now.key))
                revoked = self._revoked.pop((agency, now.key), 0)
                self._revoked[agency, str(identity)] = revoked
            now.key, now.id = str(identity), identity
            return now
        self._end(second, unseen=True)
        self.cost += self._started
        return self._begin(identity, second, None)

    def _begin(self, identity: str | None, second: int, birth: Fact | None) -> Policy:
        key = identity or f"since {second}"
        self._now = Policy(key, identity, birth, birth is not None)
        self._started = True
        for agency in AGENCIES:
            self.answers.setdefault((agency, key), ["no"] * SECONDS)
        return self._now

    def _end(self, second: int, *, unseen: bool) -> None:
        now, self._now = self._now, None
        if now is None:
            return
        self.cost += unseen
        self._ended.add(now.id)
        for agency in AGENCIES:
            self.cost += self._detached and self.answers[agency, now.key][-1] == "yes"
            self._fill(agency, now.key, second, SECONDS, "no")

    def _change(self, one: Fact, key: str, second: int) -> None:
        agency = str(one.name)
        if one.call == "granted":
            self._fill(agency, key, second, SECONDS, "yes")
            return
        if self.answers[agency, key][-1] == "no":
            self.cost += 1  # The grant was not seen.
            self._fill(agency, key, self._revoked.get((agency, key), 0), second, "?")
        self._revoked[agency, key] = second
        self._fill(agency, key, second, SECONDS, "no")

    def _fill(self, agency: str, key: str, begin: int, end: int, word: Word) -> None:
        self.answers[agency, key][begin:end] = [word] * (end - begin)


def judge_of_handovers(facts: Sequence[Fact], rules: Rules) -> Answers:
    """The answers on which the cheapest explanations agree, for each agency and id of a policy."""
    births = {one.id: one for one in facts if one.kind == "policy" and one.call == "created"}
    order = sorted((one for one in facts if one.at > at(0)), key=lambda one: one.at)
    best: list[Machine] = []
    for places in _handovers(order):
        machine = Machine(rules, births)
        for place, one in enumerate(order):
            second = int((one.at - at(0)).total_seconds())
            if place in places:
                machine.hand_over(second)
            machine.take(one, second)
        if not best or machine.cost <= best[0].cost:
            best = [*(each for each in best if each.cost == machine.cost), machine]
    said = agreed([machine.answers for machine in best])
    return {key: words for key, words in said.items() if key[1].startswith("P")}


def _handovers(order: Sequence[Fact]) -> Iterator[tuple[int, ...]]:
    places = [
        place
        for place, one in enumerate(order)
        if one.policy_id is None and one.call in ("granted", "revoked")
    ]
    for count in range(4):
        yield from combinations(places, count)


def is_resolved(facts: Sequence[Fact]) -> bool:
    """Whether each id was told beside the name: else nobody can know that it had the name."""
    handles = [
        (one.id, one.name) if one.kind == "policy" else (one.policy_id, one.policy) for one in facts
    ]
    return {identity for identity, _ in handles} == {
        identity for identity, name in handles if name or identity is None
    }


def folded_of_handovers(found: Sequence[Span]) -> Answers:
    """The fold's answers of the policies with ids. A missing row means "no"."""
    answers: Answers = {}
    for span in found:
        if span.subject == "permission" and span.policy_id in {f"P{n}" for n in range(SECONDS)}:
            words = answers.setdefault((str(span.name), span.policy_id), ["no"] * SECONDS)
            begin = max(0, int((span.valid_from - at(0)).total_seconds()))
            end = int((span.until_at - at(0)).total_seconds()) if span.until_at else SECONDS
            words[begin:end] = [WORDS.get(span.status, "no")] * (end - begin)
    return answers
