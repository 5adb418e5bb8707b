"""The facts from which the spans of some things follow: the fold of these alone says the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import permutations
from typing import Final, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.truth.closure import Closure, Thing, closure
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.handles import Handle, handles_of
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import fact, numbered
from tests.ledger.account.truth.test_cells import ACCOUNTS, HISTORIES, RULES

Kind = Literal["agency", "policy"]
KINDS: Final[tuple[Kind, ...]] = ("agency", "policy")


def closed(kind: Kind, asked: Iterable[Thing], facts: Sequence[Fact], rules: Rules) -> Closure:
    def recall(handles: Collection[Handle]) -> list[Fact]:
        return [one for one in facts if not set(handles).isdisjoint(handles_of(one, rules))]

    return closure(kind, asked, recall, rules)


def thing(span: Span, rules: Rules) -> Thing:
    """A thing as a row of a view has it: its name, and its id if any fact told one."""
    if span.name is not None and span.thing.startswith(f"{rules.slot(span.name)}~"):
        return None, span.name
    return span.thing, span.name


def check(facts: list[Fact], rules: Rules) -> None:
    """Of each thing by itself, and of two together."""
    spans = derive(facts, rules)
    for kind in KINDS:
        things = list(dict.fromkeys(thing(span, rules) for span in spans if is_of(kind, span)))
        for asked in (*([one] for one in things), things[:2]):
            found = closed(kind, asked, facts, rules)
            again = derive(found.facts, rules)
            assert covered(found, kind, again, rules) == covered(found, kind, spans, rules)
            assert all(map(found.covers, asked))
            assert closed(kind, asked, found.facts, rules).facts == found.facts


def covered(found: Closure, kind: Kind, spans: Iterable[Span], rules: Rules) -> list[Span]:
    mine = (span for span in spans if is_of(kind, span) and found.covers(thing(span, rules)))
    return sorted(mine, key=Span.order)


def is_of(kind: Kind, span: Span) -> bool:
    return span.subject == kind or (kind == "agency" and span.subject not in ("policy", "project"))


@pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD], ids=["aws", "huaweicloud"])
@pytest.mark.parametrize("name", HISTORIES)
def test_spans_follow_from_the_closure_of_their_thing(name: str, rules: Rules) -> None:
    for order in list(permutations(HISTORIES[name]))[::7]:
        check(numbered(order), rules)


@settings(max_examples=100, deadline=None)
@given(facts=ACCOUNTS, rules=RULES, others=st.sets(st.integers(0, 8)))
def test_spans_follow_from_the_closure_of_their_thing_in_any_history(
    facts: list[Fact], rules: Rules, others: set[int]
) -> None:
    """In some seconds, the agency that a fact names is another one."""
    check(numbered(_of_two(one, others) for one in facts), rules)


def _of_two(one: Fact, others: set[int]) -> Fact:
    is_other = one.kind == "agency" and one.name is not None and one.at.second in others
    return one._replace(name="other") if is_other else one


OTHERS = (
    fact("A", 2, "bob", name="other", region="eu-de", policy="etl", policy_id="P1"),
    fact("A", 3, "bob", name="other", region="eu-de", policy="etl", policy_id="P1"),
    fact("D", 4, "bob", name="other"),
)


def test_of_other_agencies_only_the_facts_that_tell_something_are_in_it() -> None:
    """The first grant tells the policy's name. That the other agency was deleted is not in it."""
    facts = numbered((fact("A", 5, region="eu-de", policy=None, policy_id="P1"), *OTHERS))
    found = closed("agency", [(None, "ci")], facts, HUAWEICLOUD)
    assert found.facts == (facts[0], facts[1])
    assert not found.covers((None, "other"))


def test_all_grants_under_a_policy_that_was_created_are_in_it() -> None:
    created = fact("C", 0, kind="policy", id="P1", name="etl")
    facts = numbered((fact("A", 5, policy=None, policy_id="P1"), *OTHERS, created))
    found = closed("agency", [(None, "ci")], facts, HUAWEICLOUD)
    assert found.facts == (*facts[:3], facts[4])
