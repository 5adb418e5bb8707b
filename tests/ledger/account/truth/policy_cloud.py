"""The simulated cloud with a policy that is created and deleted, and its judge.

The policy `admin` lives, as agencies do: what was granted under one incarnation of it does not come
back with the next. The judge tries the orders of agencies' and of the policy's facts together,
while the fold takes them apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import prod
from random import Random

from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import Rules
from tests.ledger.account.truth.cloud import (
    ORDERS_MAX,
    SECONDS,
    Answers,
    Machine,
    orders_of,
    verdict,
)
from tests.ledger.account.truth.histories import at, fact

ADMIN = "admin"


class PolicyCloud:
    """One account with the agency `ci`, and the policies `admin` and `read`."""

    def __init__(self, random: Random, rules: Rules, calls: int, *, ids: bool) -> None:
        """With `ids`, each creation tells the id, and later calls may."""
        self._random, self._rules, self._ids = random, rules, ids
        self._agency: str | None = None
        self._policy: str | None = None
        self._granted: set[str] = set()
        self._made = 0
        self.facts: list[Fact] = []
        second, trace = 0, None
        for call in range(calls):
            step = random.choice((0, 0, 1, 2))
            if step or random.random() < 0.7:
                trace = f"t{call}" if random.random() < 0.4 else None
            second += step
            if second >= SECONDS:
                break
            self.facts += [one._replace(trace=trace) for one in self._call(second)]

    def _call(self, second: int) -> list[Fact]:
        actor = self._random.choice(("alice", "bob"))
        if self._agency is None and self._random.random() < 0.8:
            self._made += 1
            self._agency = f"ID{self._made}"
            return [fact("C", second, actor, id=self._stated(self._agency), name="ci")]
        if self._policy is None and (self._agency is None or self._random.random() < 0.6):
            self._made += 1
            self._policy = f"P{self._made}"
            return [_policy("created", second, actor, self._stated(self._policy), ADMIN)]
        if self._agency is None or (self._policy is not None and self._random.random() < 0.25):
            return [self._delete_policy(second, actor)]
        return [self._use(second, actor)]

    def _stated(self, identity: str) -> str | None:
        return identity if self._ids else None

    def _delete_policy(self, second: int, actor: str) -> Fact:
        attached = ADMIN in self._granted
        self._granted.discard(ADMIN)
        if attached and "policy" in self._rules.deletes_only_detached:
            return fact("X", second, actor, policy=ADMIN)
        identity, self._policy = self._policy, None
        by_id = self._ids and self._random.random() < 0.5
        named = not by_id or self._random.random() < 0.5
        stated = identity if by_id else None
        return _policy("deleted", second, actor, stated, ADMIN if named else None)

    def _use(self, second: int, actor: str) -> Fact:
        random = self._random
        by_id = self._ids and random.random() < 0.2
        handle = {"id": self._agency, "name": "ci"} if by_id else {}
        policy = "read" if self._policy is None else random.choice((ADMIN, ADMIN, "read"))
        letter = random.choice("AAAXXDE")
        if letter == "X" and policy not in self._granted:
            letter = "A"
        if letter == "D" and self._granted and "agency" in self._rules.deletes_only_detached:
            letter, policy = "X", min(self._granted)
        if letter in "AX":
            (self._granted.add if letter == "A" else self._granted.discard)(policy)
            return fact(letter, second, actor, **self._named(policy), **handle)
        if letter == "D":
            self._agency, self._granted = None, set()
        return fact(letter, second, actor, **handle)

    def _named(self, policy: str) -> dict[str, str | None]:
        if policy != ADMIN or not self._ids or self._random.random() < 0.75:
            return {"policy": policy}
        stated = policy if self._random.random() < 0.5 else None
        return {"policy": stated, "policy_id": self._policy}


def _policy(call: str, second: int, actor: str, identity: str | None, name: str | None) -> Fact:
    stated = fact("C", second, actor, kind="policy", id=identity, name=name)
    return stated._replace(call="created" if call == "created" else "deleted")


# -- the judge ------------------------------------------------------------------------------------


class PolicyMachine(Machine):
    """A plain state machine of `ci` and of `admin`, for one order of their facts."""

    def __init__(self, rules: Rules, births: Mapping[str, Fact], policies: Mapping[str, Fact]):
        super().__init__(rules, births)
        self._policy_births = policies
        self._policy: Policy | None = None
        self._policy_started = False
        self._policy_ended: set[str | None] = set()
        self._policy_named: set[tuple[int, bool]] = set()

    def take(self, one: Fact) -> None:
        second = int((one.at - at(0)).total_seconds())
        if one.kind == "policy":
            self._take_policy(one, second)
        elif one.call in ("granted", "revoked") and (one.policy == ADMIN or one.policy_id):
            if self._proves(one.policy_id, second):
                super().take(one._replace(policy=ADMIN))
            else:
                super().take(one._replace(call="evidence"))
        else:
            super().take(one)

    def _take_policy(self, one: Fact, second: int) -> None:
        known = self._policy
        if one.call == "deleted":
            if self._proves(one.id, second):
                self._end_policy(second, unseen=False)
        elif known is not None and one.id is not None and known.id == one.id:
            self.cost += not known.seen
            known.seen = True
        else:
            self.cost += one.id is not None and one.id in self._policy_ended
            self._end_policy(second, unseen=True)
            self._begin_policy(one.id, second, birth=one)

    def _proves(self, identity: str | None, second: int) -> bool:
        """Whether the policy exists once a call on it, or with it, succeeded."""
        known = self._policy
        if known is not None and identity in (None, known.id):
            return True
        if identity is not None and identity in self._policy_ended:
            self.cost += 1
            return False
        birth = self._policy_births.get(identity or "")
        if known is not None and known.id is None and birth in (None, known.birth):
            known.id = identity
            return True
        self._end_policy(second, unseen=True)
        self.cost += self._policy_started
        self._begin_policy(identity, second, birth=None)
        return True

    def _begin_policy(self, identity: str | None, second: int, *, birth: Fact | None) -> None:
        self._policy, self._policy_started = Policy(identity, birth), True
        if identity is None:
            self.ambiguous |= (second, birth is None) in self._policy_named
            self._policy_named.add((second, birth is None))
        if birth is not None:
            self._stop_grants(second)

    def _end_policy(self, second: int, *, unseen: bool) -> None:
        if self._policy is None:
            return
        self.cost += unseen
        now = self._now
        if now is not None and self.answers[now.name, ADMIN][-1] == "yes":
            self.cost += self._needs_detached
        self._stop_grants(second)
        self._policy_ended.add(self._policy.id)
        self._policy = None

    def _stop_grants(self, second: int) -> None:
        if self._now is not None:
            self._fill(self._now.name, ADMIN, second, SECONDS, "no")
            self._now.revoked[ADMIN] = second


class Policy:
    """The policy that has the name now, as one order of the facts says."""

    def __init__(self, identity: str | None, birth: Fact | None) -> None:
        self.id, self.birth, self.seen = identity, birth, birth is not None


def judge_with_policies(facts: Sequence[Fact], rules: Rules) -> Answers | None:
    """The answers on which the best orders agree; None if they cannot be told by this judge."""
    if not _resolved(facts):
        return None
    births = [_births(facts, kind) for kind in ("agency", "policy")]
    moments = sorted({one.at for one in facts})
    instants = [orders_of([one for one in facts if one.at == moment]) for moment in moments]
    if prod(map(len, instants)) > ORDERS_MAX:
        return None
    return verdict(lambda: PolicyMachine(rules, *births), instants)


def _births(facts: Iterable[Fact], kind: str) -> dict[str, Fact]:
    made = [one for one in facts if one.kind == kind and one.call == "created"]
    return {one.id: one for one in made if one.id is not None}


def _resolved(facts: Iterable[Fact]) -> bool:
    """Whether each id of a policy was told beside its name: else the fold cannot know it."""
    handles = [
        (one.id, one.name) if one.kind == "policy" else (one.policy_id, one.policy) for one in facts
    ]
    stated = {identity for identity, name in handles if name is not None}
    return all(identity in stated for identity, _ in handles if identity is not None)
