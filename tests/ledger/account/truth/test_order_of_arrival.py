"""Any order, grouping and repetition of the same facts gives the same answers."""

from __future__ import annotations

from itertools import groupby, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact, LineKey
from ledger.account.truth.lines import ORDER_NOT_KNOWN
from ledger.account.truth.rows import answer, history
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.spans import Span
from ledger.account.truth.things import births
from tests.ledger.account.truth.histories import at, fact, numbered, unplaced

INSTANTS = [at(seconds) for seconds in range(-1, 12)]

HISTORIES = {
    "re-created within one second": (
        fact("C", 0, id="OLD"),
        fact("A", 1),
        fact("D", 5),
        fact("C", 5, id="NEW"),
        fact("A", 5, "bob"),
    ),
    "open second, settled later": (
        fact("C", 0),
        fact("A", 5, "bob"),
        fact("X", 5, "alice"),
        fact("A", 1),
        fact("D", 9),
    ),
    "revocation later than the deletion": (
        fact("C", 0),
        fact("A", 1),
        fact("X", 4, "alice"),
        fact("D", 8, "bob"),
    ),
    "creation lost": (fact("C", 0, id="OLD"), fact("D", 3), fact("A", 6), fact("E", 8)),
    "ids and names": (fact("A", 2, id="X1"), fact("X", 5), fact("C", 0, id="X1"), fact("A", 7)),
}


def check_every_position(facts: list[Fact], rules: Rules) -> None:
    """At each position K, the rows answer as the fold of the facts up to K, at every instant."""
    rows = history([[one] for one in facts], rules)
    for known_at in range(len(facts) + 1):
        spans = derive(facts[:known_at], rules)
        for instant in INSTANTS:
            expected = {
                span
                for span in spans
                if span.valid_from <= instant and not (span.until_at and span.until_at <= instant)
            }
            found = {one._replace(until_at=None) for one in answer(rows, instant, known_at)}
            assert found == {one._replace(until_at=None) for one in expected}


@pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD], ids=lambda rules: rules.provider)
@pytest.mark.parametrize("name", HISTORIES)
def test_rows_answer_as_the_fold_for_every_order_of_arrival(name: str, rules: Rules) -> None:
    present = set()
    for order in permutations(HISTORIES[name]):
        facts = numbered(order)
        check_every_position(facts, rules)
        present.add(frozenset(unplaced(derive(facts, rules))))
    assert len(present) == 1


LETTERS = st.sampled_from("CDAXETLPBU")


@st.composite
def histories(draw: st.DrawFn) -> list[Fact]:
    """Up to nine facts of the agency `ci` within six seconds, some with ids, some of one trace."""
    facts = []
    for index in range(draw(st.integers(1, 9))):
        letter = draw(LETTERS)
        identity = draw(st.sampled_from((None, None, "ID1", "ID2")))
        given: dict[str, object] = {"id": identity, "name": "ci"}
        if letter in "AX":
            given["policy"] = draw(st.sampled_from(("admin", "read")))
        if letter == "T":
            given["trustee"] = draw(st.sampled_from(("service:x", "service:y")))
        if letter in "CAT":
            given["document"] = draw(st.sampled_from((None, "", "d1", "d2")))
        if letter == "B":
            given["policy"] = draw(st.sampled_from(("limit", None)))
        if letter == "P":
            given["expires_at"] = at(draw(st.integers(0, 9)))
        actor = draw(st.sampled_from(("alice", "bob")))
        one = fact(letter, draw(st.integers(0, 5)), actor, **given)
        facts.append(one._replace(trace=f"t{index}"))
    return facts


RULES = st.sampled_from((AWS, HUAWEICLOUD))


@given(facts=histories(), rules=RULES, data=st.data())
@settings(max_examples=150, deadline=None)
def test_the_order_of_arrival_changes_no_answer(
    facts: list[Fact], rules: Rules, data: st.DataObject
) -> None:
    other = data.draw(st.permutations(facts))
    assert _shown(facts, rules) == _shown(other, rules)


def test_the_order_of_arrival_cuts_no_span_in_two() -> None:
    doubted = [fact("D", 0), fact("E", 0), fact("P", 0, expires_at=at(5))]
    facts = [*doubted, fact("X", 3, "bob", id="ID2", name="ci")]
    other = [facts[2], facts[0], facts[3], facts[1]]
    assert _shown(facts, AWS) == _shown(other, AWS)


@given(facts=histories(), rules=RULES)
@settings(max_examples=100, deadline=None)
def test_each_key_has_at_most_one_span_at_an_instant_and_none_is_empty(
    facts: list[Fact], rules: Rules
) -> None:
    found = derive(numbered(facts), rules)
    assert len({(span.key, span.valid_from) for span in found}) == len(found)
    assert all(span.until_at is None or span.valid_from < span.until_at for span in found)
    assert all(span.position is not None for span in found if span.note != ORDER_NOT_KNOWN)


@given(facts=histories(), rules=RULES, data=st.data())
@settings(max_examples=100, deadline=None)
def test_the_grouping_into_commits_changes_no_present_answer(
    facts: list[Fact], rules: Rules, data: st.DataObject
) -> None:
    placed = numbered(facts)
    cut = data.draw(st.integers(1, len(facts)))
    for commits in ([placed], [placed[:cut], placed[cut:]], [[one] for one in placed]):
        rows = history([commit for commit in commits if commit], rules)
        left = {row.span for row in rows if row.gone_position is None}
        assert left == set(derive(placed, rules))


@given(facts=histories(), rules=RULES)
@settings(max_examples=40, deadline=None)
def test_rows_answer_as_the_fold_at_every_position(facts: list[Fact], rules: Rules) -> None:
    check_every_position(numbered(facts), rules)


@given(facts=histories(), rules=RULES, data=st.data())
@settings(max_examples=100, deadline=None)
def test_ids_instead_of_names_after_a_creation_change_no_answer(
    facts: list[Fact], rules: Rules, data: st.DataObject
) -> None:
    created = fact("C", -1, id="ID1", name="ci")
    plain = [one._replace(id=None) for one in facts if one.call not in ("created", "deleted")]
    by_id = [
        one._replace(id="ID1", name=None) if data.draw(st.booleans()) else one for one in plain
    ]
    assert _shown([created, *by_id], rules) == _shown([created, *plain], rules)


@given(facts=histories(), rules=RULES)
@settings(max_examples=100, deadline=None)
def test_a_slot_that_takes_instants_as_they_come_equals_a_slot_folded_at_once(
    facts: list[Fact], rules: Rules
) -> None:
    ordered = sorted(keyed(numbered(facts)), key=lambda one: (one.at, one.position))
    born = births(ordered)
    warm = Slot("ci", rules, born)
    taken: list[Fact] = []
    for _, group in groupby(ordered, key=lambda one: one.at):
        instant = list(group)
        taken += instant
        if warm.changes_hands(instant):
            warm = Slot("ci", rules, born)
            warm.take_all(taken)
        else:
            warm.take(instant)
    cold = Slot("ci", rules, born)
    cold.take_all(ordered)
    assert _outcomes(warm) == _outcomes(cold)


def keyed(facts: list[Fact]) -> list[Fact]:
    return [
        one._replace(key=LineKey("*", None, one.policy)) if one.call in CHANGES else one
        for one in facts
    ]


CHANGES = ("granted", "revoked")


def _outcomes(slot: Slot) -> list[object]:
    return [
        [
            (
                life.id,
                life.seen,
                {key: [run.status for run in line] for key, line in life.lines.items()},
            )
            for life in story.lives()
        ]
        for story in slot.best()
    ]


def _shown(facts: list[Fact], rules: Rules) -> set[Span]:
    return set(unplaced(derive(numbered(facts), rules)))
