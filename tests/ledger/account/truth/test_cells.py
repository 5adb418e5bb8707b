"""Cells fold only what new facts bear on, and say what `derive` says of all facts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.handles import Handle, handles_of
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import at, fact, numbered

Shown = dict[tuple[object, ...], Span]


def shown(spans: Iterable[Span]) -> Shown:
    found: Shown = {}
    found.update((span[:9], span) for span in spans)
    return found


def apply(cells: Cells, view: Shown) -> None:
    """Apply what changed to a view, as the read side does. Each change must fit the view."""
    for change in cells.changes():
        span = change.after or change.before
        assert span is not None
        assert view.pop(span[:9], None) == change.before
        if change.after is not None:
            view[span[:9]] = change.after


def check_commits(commits: Sequence[Sequence[Fact]], rules: Rules) -> None:
    """After each commit, the view is what `derive` says; so are the answers to questions."""
    cells, view, learned = Cells(rules), Shown(), list[Fact]()
    asked = Cells(rules)
    for commit in commits:
        learned += commit
        cells.learn(commit)
        asked.learn(commit)
        apply(cells, view)
        right = shown(derive(learned, rules))
        assert view == right
        assert shown(asked.everything()) == right


def check_recalled(commits: Sequence[Sequence[Fact]], rules: Rules) -> None:
    """Cells that recall earlier facts by handles find the changes of cells that hold all."""
    learned: list[Fact] = []
    view = Shown()
    for commit in commits:
        before = list(learned)

        def recall(handles: Collection[Handle], before: list[Fact] = before) -> list[Fact]:
            return [one for one in before if not set(handles).isdisjoint(handles_of(one, rules))]

        learned += commit
        cells = Cells(rules, recall)
        cells.learn(commit)
        apply(cells, view)
        assert view == shown(derive(learned, rules))


def policy(call: str, seconds: float, **given: object) -> Fact:
    return fact("E", seconds, **{"kind": "policy", "name": None, **given})._replace(call=call)  # type: ignore[arg-type]


HISTORIES = {
    "a policy's life": (
        policy("created", 1, id="P1", name="etl"),
        fact("C", 0, id="X1"),
        fact("A", 2, policy="etl"),
        policy("deleted", 5, name="etl"),
        fact("A", 7, policy="etl"),
        policy("created", 8, id="P2", name="etl"),
    ),
    "ids and names": (
        fact("A", 2, id="X1"),
        fact("X", 5),
        fact("C", 0, id="X1"),
        fact("A", 7, policy=None, policy_id="P1"),
        policy("created", 1, id="P1", name="admin"),
    ),
    "a name told by a grant": (
        fact("A", 2, policy="wide", policy_id="P1"),
        fact("X", 4, policy=None, policy_id="P1"),
        fact("A", 5, name="other", policy="wide"),
        policy("renamed", 6, id="P1", name="narrow"),
        fact("X", 7, name="other", policy="narrow"),
    ),
    "re-created within one second": (
        fact("C", 0, id="OLD"),
        fact("A", 1),
        fact("D", 5),
        fact("C", 5, id="NEW"),
        fact("A", 5, "bob"),
        fact("E", 9),
    ),
    "late into one line": (
        fact("C", 0, id="X1"),
        fact("A", 1),
        fact("A", 1, policy="read"),
        fact("X", 3),
        fact("A", 5),
        fact("D", 9, id="X1"),
    ),
    "an expiry": (
        fact("C", 0, expires_at=at(8)),
        fact("A", 1),
        fact("P", 4, expires_at=at(6)),
        fact("T", 5, trustee="service:x"),
        fact("X", 7),
    ),
}


@pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD], ids=lambda rules: rules.provider)
@pytest.mark.parametrize("name", HISTORIES)
def test_changes_lead_to_what_the_facts_say_in_every_order_of_arrival(
    name: str, rules: Rules
) -> None:
    orders = list(permutations(HISTORIES[name]))
    for order in orders[:: len(orders) // 60]:
        commits = [[one] for one in numbered(order)]
        check_commits(commits, rules)
        check_recalled(commits, rules)


@st.composite
def accounts(draw: st.DrawFn) -> list[Fact]:
    """Up to fourteen facts of two agencies, two policies and a project, by ids and by names."""
    facts: list[Fact] = []
    for index in range(draw(st.integers(1, 14))):
        letter = draw(st.sampled_from("CDAAAXXETLPpq"))
        second = draw(st.integers(0, 8))
        trace = draw(st.sampled_from((None, f"t{index}", "one")))
        number = draw(st.integers(1, 2))
        by = draw(st.sampled_from(("id", "name", "both")))
        if letter in "pq":
            kind = "policy" if letter == "p" else "project"
            call = draw(st.sampled_from(("created", "deleted", "renamed")))
            name = draw(st.sampled_from(("one", "two")))
            given_: dict[str, object] = {
                "id": None if by == "name" else f"{letter}{number}",
                "name": None if by == "id" and call != "created" else name,
            }
            one = Fact(call, kind, at(second), 0, actor="carol", trace=trace, **given_)  # type: ignore[arg-type]
            facts.append(one)
            continue
        handles: dict[str, Any] = {
            "id": None if by == "name" else f"X{number}",
            "name": None if by == "id" and letter != "C" else draw(st.sampled_from(("ci", "CI"))),
        }
        if letter in "AX":
            use = draw(st.sampled_from(("id", "name", "both")))
            handles["policy"] = (
                None if use == "id" else draw(st.sampled_from(("one", "two", "ONE")))
            )
            handles["policy_id"] = None if use == "name" else f"p{draw(st.integers(1, 2))}"
            scope = draw(st.sampled_from(("*", "project", "region", "both")))
            handles["region"] = "*" if scope == "*" else None if scope == "project" else "one"
            handles["project_id"] = "q1" if scope in ("project", "both") else None
        if letter == "T":
            handles["trustee"] = draw(st.sampled_from(("service:x", "service:y")))
        if letter == "P":
            handles["expires_at"] = at(draw(st.integers(0, 9)))
        origin = draw(st.sampled_from(("observed", "observed", "commanded")))
        facts.append(fact(letter, second, trace=trace, origin=origin, **handles))
    return facts


RULES = st.sampled_from((AWS, HUAWEICLOUD))


@given(facts=accounts(), rules=RULES, seed=st.integers(0, 2**32))
@settings(max_examples=100, deadline=None)
def test_changes_lead_to_what_the_facts_say_commit_by_commit(
    facts: list[Fact], rules: Rules, seed: int
) -> None:
    commits = grouped(numbered(facts), Random(seed))
    check_commits(commits, rules)
    check_recalled(commits, rules)


def grouped(facts: Sequence[Fact], random: Random) -> list[list[Fact]]:
    """The facts in commits of one to three."""
    commits, rest = list[list[Fact]](), list(facts)
    while rest:
        count = random.randint(1, 3)
        commits.append(rest[:count])
        rest = rest[count:]
    return commits
