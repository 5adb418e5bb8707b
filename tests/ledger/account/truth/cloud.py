"""A simulated cloud that makes histories and loses facts, and a slow, independent judge of them.

The judge tries every order of all facts that keeps times and traces, and in each of them every
place at which a thing may have lost its name to another one unseen. It applies a plain state
machine to each. Of the orders with the fewest unseen facts, it says per second what they agree on:

    "yes"   it exists, or is granted        "no"   it does not, or is not        "?"   not known
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations, product
from math import prod
from random import Random
from typing import Final, Literal

from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from ledger.account.truth.spans import Span
from ledger.values import instant_text
from tests.ledger.account.truth.histories import at, fact

SECONDS: Final = 6
POLICIES: Final = ("admin", "read")
ORDERS_MAX: Final = 20_000
IMPOSSIBLE: Final = 100
"""The cost of an order that cannot be: a thing is seen after it lost its name, or none had it."""
Order = tuple[Fact, ...]
Word = Literal["yes", "no", "?"]
Answers = dict[tuple[str, str], list[Word]]
"""For each thing and what is asked of it (`life`, or a policy), the answer after each second."""


# -- the cloud ------------------------------------------------------------------------------------


class Cloud:
    """One account with the name `ci`: what really happened, and the facts of it."""

    def __init__(
        self, random: Random, rules: Rules, calls: int, *, ids: bool = False, proofs: bool = False
    ) -> None:
        """With `ids`, each creation tells the id, as the clouds do; with `proofs`, each use too."""
        self._random, self._rules, self._ids, self._proofs = random, rules, ids, proofs
        self._thing: str | None = None
        self._granted: set[str] = set()
        self._made = 0
        self.facts: list[Fact] = []
        self.truth: Answers = defaultdict(lambda: ["no"] * SECONDS)
        second, trace = 0, None
        for call in range(calls):
            step = random.choice((0, 0, 1, 2))
            if step or random.random() < 0.7:
                trace = f"t{call}" if random.random() < 0.5 else None
            second += step
            if second >= SECONDS:
                break
            self.facts.append(self._call(second)._replace(trace=trace))
            self._settle(second)

    def _call(self, second: int) -> Fact:
        actor = self._random.choice(("alice", "bob"))
        if self._thing is None:
            self._made += 1
            self._thing = f"ID{self._made}"
            named = any(one.call == "created" and one.at == at(second) for one in self.facts)
            identity = self._thing if self._ids or named or self._random.random() < 0.5 else None
            return fact("C", second, actor, id=identity)
        letter = self._random.choice("AAAXXDDE")
        policy = self._random.choice(POLICIES)
        if letter == "X" and policy not in self._granted:
            letter = "A"
        if letter == "D" and self._granted and "agency" in self._rules.deletes_only_detached:
            letter, policy = "X", min(self._granted)
        handle = {"id": self._thing, "name": "ci"} if self._random.random() < 0.2 else {}
        if letter in "AX":
            (self._granted.add if letter == "A" else self._granted.discard)(policy)
            return fact(letter, second, actor, policy=policy, **handle)
        if letter == "D":
            self._thing, self._granted = None, set()
        if letter == "E" and self._proofs:
            handle = {"id": str(self._thing), "name": "ci"}
        return fact(letter, second, actor, **handle)

    def _settle(self, second: int) -> None:
        """Write down the state, which lasts until it is overwritten."""
        for made in range(1, self._made + 1):
            thing = f"ID{made}"
            lives = thing == self._thing
            self.truth[thing, "life"][second:] = ["yes" if lives else "no"] * (SECONDS - second)
            for policy in POLICIES:
                word: Word = "yes" if lives and policy in self._granted else "no"
                self.truth[thing, policy][second:] = [word] * (SECONDS - second)


def arrive(facts: Sequence[Fact], random: Random) -> list[Fact]:
    """The facts in another order of arrival. Those of one trace keep their order."""
    shuffled = random.sample(facts, len(facts))
    waiting: dict[str, Iterator[Fact]] = {}
    for one in facts:
        if one.trace is not None and one.trace not in waiting:
            waiting[one.trace] = iter([each for each in facts if each.trace == one.trace])
    ordered = [next(waiting[one.trace]) if one.trace else one for one in shuffled]
    return [one._replace(position=index) for index, one in enumerate(ordered, start=1)]


# -- the judge ------------------------------------------------------------------------------------


@dataclass
class Thing:
    """The thing that has the name, as one order of the facts says."""

    name: str
    id: str | None
    birth: Fact
    born: int
    seen: bool
    revoked: dict[str, int] = field(default_factory=dict)


class Machine:
    """A plain state machine of the name `ci`, for one order of the facts."""

    def __init__(self, rules: Rules, births: Mapping[str, Fact]) -> None:
        self._needs_detached = "agency" in rules.deletes_only_detached
        self._births = births
        self.cost = 0
        self.answers: Answers = {}
        self._now: Thing | None = None
        self._ended: set[str | None] = set()
        self._free_since: int | None = None
        self._started = False
        self._named: set[str] = set()
        self._handed_over: set[str] = set()
        self.ambiguous = False
        """Whether two things without ids began in one second: their keys are equal."""

    def hand_over(self, one: Fact) -> None:
        """Let another thing have the name, before a fact that tells the name only."""
        if self._now is None or self._now.id is None:
            self.cost += IMPOSSIBLE
            return
        self._handed_over.add(self._now.id)
        second = int((one.at - at(0)).total_seconds())
        self._leave(second, unseen=True)
        self.cost += 1
        self._begin(one, second, seen=False)

    def take(self, one: Fact) -> None:
        second = int((one.at - at(0)).total_seconds())
        if one.id in self._handed_over:
            self.cost += IMPOSSIBLE
        if one.call == "created":
            if self._now is not None and one.id is not None and self._now.id == one.id:
                self._create_again(self._now, second)
                return
            self._leave(second, unseen=True)
            self.cost += one.id is not None and one.id in self._ended  # Never used again.
            self._begin(one, second, seen=True)
            return
        now = self._present(one, second)
        if now is None:
            return
        if one.call == "granted":
            self._fill(now.name, one.policy or "", second, SECONDS, "yes")
        elif one.call == "revoked":
            self._revoke(now, one.policy or "", second)
        elif one.call == "deleted":
            self._leave(second, unseen=False)

    def _create_again(self, now: Thing, second: int) -> None:
        """The creation is told twice, or a proof came before it."""
        self.cost += not now.seen
        if not now.seen and now.born == second:
            now.seen = True
            for what in ("life", *POLICIES):
                words = self.answers[now.name, what]
                words[:] = ["no" if word == "?" else word for word in words]

    def _begin(self, one: Fact, second: int, *, seen: bool) -> Thing:
        name = one.id or f"ci~{'' if seen else 'by~'}{instant_text(one.at)}"
        self.ambiguous |= one.id is None and name in self._named
        self._named.add(name)
        self._now = Thing(name, one.id, one, second, seen)
        before: Word = "no" if seen or self._started else "?"
        self.answers.setdefault((name, "life"), [before] * SECONDS)
        if not seen and self._free_since is not None:
            self._fill(name, "life", self._free_since, second, "?")
        for policy in POLICIES:
            self.answers.setdefault((name, policy), ["no"] * SECONDS)
            if not seen:
                self._fill(name, policy, self._free_since or 0, SECONDS, "?")
        self._fill(name, "life", second, SECONDS, "yes")
        self._started = True
        return self._now

    def _present(self, one: Fact, second: int) -> Thing | None:
        now = self._now
        if now is not None and one.id in (None, now.id):
            return now
        if one.id is not None and one.id in self._ended:
            self.cost += 1
            return None
        if (
            now is not None
            and now.id is None
            and self._births.get(one.id or "", now.birth) == now.birth
        ):
            return self._identify(now, str(one.id))
        self._leave(second, unseen=True)
        self.cost += self._started
        return self._begin(one, second, seen=False)

    def _identify(self, now: Thing, identity: str) -> Thing:
        for name, what in [key for key in self.answers if key[0] == now.name]:
            self.answers[identity, what] = self.answers.pop((name, what))
        now.name = now.id = identity
        return now

    def _leave(self, second: int, *, unseen: bool) -> None:
        now = self._now
        if now is None:
            return
        self.cost += unseen
        for policy in POLICIES:
            self.cost += self._needs_detached and self.answers[now.name, policy][-1] == "yes"
            self._fill(now.name, policy, second, SECONDS, "no")
        self._fill(now.name, "life", second, SECONDS, "no")
        self._ended.add(now.id)
        self._free_since, self._now = second, None

    def _revoke(self, now: Thing, policy: str, second: int) -> None:
        if self.answers[now.name, policy][-1] == "no":
            self.cost += 1  # A grant, at some time since the last revocation, was not seen.
            self._fill(now.name, policy, now.revoked.get(policy, now.born), second, "?")
        now.revoked[policy] = second
        self._fill(now.name, policy, second, SECONDS, "no")

    def _fill(self, name: str, what: str, begin: int, end: int, word: Word) -> None:
        self.answers[name, what][begin:end] = [word] * (end - begin)


def judge(facts: Sequence[Fact], rules: Rules) -> Answers | None:
    """The answers on which the best orders agree; None if they cannot be told by this judge."""
    births = {one.id: one for one in facts if one.call == "created" and one.id is not None}
    instants = [
        orders_of([one for one in facts if one.at == moment])
        for moment in sorted({one.at for one in facts})
    ]
    if prod(len(each) for each in instants) > ORDERS_MAX:
        return None
    return verdict(lambda: Machine(rules, births), instants)


def verdict(make: Callable[[], Machine], instants: Sequence[Sequence[Order]]) -> Answers | None:
    """The answers of the machines with the fewest unseen facts, of all orders and handovers."""
    best: list[Machine] = []
    for parts in product(*instants):
        order = [one for part in parts for one in part]
        for places in handovers(order):
            machine = make()
            for place, one in enumerate(order):
                if place in places:
                    machine.hand_over(one)
                machine.take(one)
            if not places and machine.ambiguous:
                return None
            if best and machine.cost > best[0].cost:
                continue
            best = best if best and machine.cost == best[0].cost else []
            best.append(machine)
    if any(machine.ambiguous for machine in best):
        return None
    return agreed([machine.answers for machine in best])


def handovers(order: Sequence[Fact]) -> Iterator[tuple[int, ...]]:
    """The places before which the name may have changed hands unseen: none, one or two of them."""
    yield ()
    if len({one.id for one in order} - {None}) < 2:
        return
    places = [
        place
        for place, one in enumerate(order)
        if one.id is None and one.call in ("granted", "revoked")
    ]
    for count in (1, 2):
        yield from combinations(places, count)


def orders_of(facts: Sequence[Fact]) -> list[tuple[Fact, ...]]:
    if len(facts) > 7:
        return [()] * (ORDERS_MAX + 1)
    return [order for order in permutations(facts) if _keeps_traces(order)]


def _keeps_traces(order: Sequence[Fact]) -> bool:
    return all(
        first.trace is None or first.trace != then.trace or first.position < then.position
        for index, first in enumerate(order)
        for then in order[index:]
        if first is not then
    )


def agreed(said: Sequence[Answers]) -> Answers:
    keys = {key for answers in said for key in answers}
    absent: list[Word] = ["no"] * max(
        (len(words) for each in said for words in each.values()), default=0
    )
    return {
        key: [
            words[0] if len(set(words)) == 1 else "?"
            for words in zip(*(answers.get(key, absent) for answers in said), strict=True)
        ]
        for key in keys
    }


# -- the fold's answers, in the same words --------------------------------------------------------

NO: Final[list[Word]] = ["no"] * SECONDS
UNKNOWN: Final[list[Word]] = ["?"] * SECONDS
WORDS: Final[dict[str, Word]] = {"exists": "yes", "granted": "yes", "not known": "?"}


def folded(found: Sequence[Span]) -> Answers:
    """The fold's answers. A missing row means "no" only where the creation was seen.

    Of a policy's name, the answer is about all policies that had it.
    """
    lives = [span for span in found if span.subject == "agency"]
    answers: Answers = {}
    for thing in {span.thing for span in lives}:
        own = [span for span in lives if span.thing == thing]
        seen = all(span.note != "creation not seen" for span in own)
        begin = SECONDS if seen else min(_seconds(span)[0] for span in own)
        answers[thing, "life"] = ["no"] * SECONDS
        for policy in POLICIES:
            answers[thing, policy] = [*NO[:begin], *UNKNOWN[begin:]]
    said: dict[tuple[str, str], list[set[Word]]] = {}
    for span in (*found, *_after_life(lives)):
        if span.subject in ("agency", "permission"):
            what = "life" if span.subject == "agency" else span.policy or POLICIES[0]
            words = said.setdefault((span.thing, what), [set() for _ in range(SECONDS)])
            for second in range(*_seconds(span)):
                words[second].add(WORDS.get(span.status, "no"))
    for key, words in said.items():
        answers[key] = [
            _either(each, otherwise) for each, otherwise in zip(words, answers[key], strict=True)
        ]
    return answers


def _seconds(span: Span) -> tuple[int, int]:
    begin = max(0, int((span.valid_from - at(0)).total_seconds()))
    end = int((span.until_at - at(0)).total_seconds()) if span.until_at else SECONDS
    return begin, end


def _either(words: set[Word], otherwise: Word) -> Word:
    for word in ("yes", "?", "no"):
        if word in words:
            return word
    return otherwise


def _after_life(lives: Sequence[Span]) -> Iterator[Span]:
    """Nothing is granted any more on a thing that was deleted."""
    for span in lives:
        if span.status == "deleted":
            for policy in POLICIES:
                yield span._replace(subject="permission", policy=policy, status="revoked")


def compared(found: Answers, right: Answers) -> Counter[str]:
    """How many answers are right, not known though they could be, and wrong."""
    counts: Counter[str] = Counter()
    for key in found.keys() | right.keys():
        absent: list[Word] = ["no"] * len(found.get(key) or right[key])
        for mine, theirs in zip(found.get(key, absent), right.get(key, absent), strict=True):
            verdict = "right" if mine == theirs else "not known" if mine == "?" else "wrong"
            counts[f"{verdict}, open" if theirs == "?" else verdict] += 1
    return counts
