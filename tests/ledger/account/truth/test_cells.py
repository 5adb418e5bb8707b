"""Cells fold only what new facts bear on, and say what `derive` says of all facts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.truth import agency_cell
from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Call, Fact, Kind
from ledger.account.truth.keys import Keys
from ledger.account.truth.live import Live
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from tests.ledger.account.truth.accounts import Account, with_late_news
from tests.ledger.account.truth.commits import (
    Shown,
    apply,
    check_commits,
    check_recalled,
    check_recalled_once,
    grouped,
    policy,
    shown,
)
from tests.ledger.account.truth.histories import at, fact, numbered

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
    "a policy used by name and by id": (
        fact("A", 3, name="other", policy=None, policy_id="P1"),
        fact("A", 2, policy="etl"),
        policy("created", 1, id="P1", name="etl"),
        policy("deleted", 5, id="P1"),
        fact("A", 7, policy="etl"),
    ),
    "two lines after an open second": (
        fact("C", 5, trustee="service:x"),
        fact("C", 5, "bob", trustee="service:y"),
        fact("E", 7),
        fact("A", 9, policy="read"),
        fact("A", 9, policy="write"),
    ),
    "an open second of one line, settled later": (
        fact("C", 0),
        fact("A", 1),
        fact("X", 5),
        fact("A", 5, "bob"),
        fact("X", 9),
    ),
    "a name that a late fact gives for an earlier time": (
        fact("C", 0, id="X1"),
        fact("E", 6, id="X1", name="deploy"),
        fact("A", 8, name="deploy"),
        fact("A", 5, name="ci"),
        fact("E", 4, id="X1", name="deploy"),
    ),
    "deleted after it expired": (
        fact("C", 0, id="X1", expires_at=at(4)),
        fact("A", 1),
        fact("A", 2, policy="read"),
        fact("X", 3),
        fact("D", 9),
    ),
    "an expiry": (
        fact("C", 0, expires_at=at(8)),
        fact("A", 1),
        fact("P", 4, expires_at=at(6)),
        fact("T", 5, trustee="service:x"),
        fact("X", 7),
    ),
    "one account by id and by name": (
        fact("C", 0, trustee="account:n1"),
        fact("T", 2, trustee="account:d1"),
        fact("T", 3, name="other", trustee="account:n1"),
        fact("T", 4, name="third", trustee="account:d1", trustee_id="d1", trustee_name="n1"),
        fact("T", 5, name="fourth", trustee="service:x", trustee_id="d1", trustee_name="op_svc_x"),
        fact("T", 6, trustee="account:d2", trustee_id="d2", trustee_name="n1"),
    ),
    "a project by id and by name": (
        fact("C", 0),
        fact("A", 1, region="one"),
        fact("A", 2, region="two"),
        fact("X", 3, region=None, project_id="p1"),
        fact("A", 4, region=None, project_id="p2"),
        fact("X", 5, region="two"),
        fact("A", 6, name="other", region="one", project_id="p1"),
    ),
    "spelled in two ways": (
        fact("C", 0),
        fact("A", 3, policy="ETL"),
        fact("X", 5, policy="etl", name="CI"),
        fact("A", 7, policy="Etl"),
        fact("E", 9),
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


@pytest.mark.parametrize("seed", range(30))
def test_changes_lead_to_what_the_facts_of_a_simulated_account_say(seed: int) -> None:
    random = Random(seed)
    rules = random.choice((AWS, HUAWEICLOUD))
    facts = with_late_news(Account(random, calls=random.randint(5, 40)).facts, random)
    commits = grouped(facts, random)
    check_commits(commits, rules)
    check_recalled(commits, rules)
    check_recalled_once(commits, rules, random.randrange(len(commits)))


SECONDS = st.integers(0, 8)
TRUSTEE = ("trustee", "trustee_id", "trustee_name")
TRUSTEES = (
    ("service:x", None, None),
    ("account:n1", None, None),
    ("account:d1", None, None),
    ("account:d1", "d1", "n1"),
    ("account:d1", "d1", "n2"),
    ("account:d2", "d2", "n1"),
    ("service:x", "d1", "op_svc_x"),
)
TRACES = st.sampled_from((None, "one", "two"))
RULES = st.sampled_from((AWS, HUAWEICLOUD))


@st.composite
def definition_facts(draw: st.DrawFn) -> Fact:
    """A call on one of two policies, or on one of two projects."""
    kind: Kind = draw(st.sampled_from(("policy", "project")))
    call: Call = draw(st.sampled_from(("created", "deleted", "renamed")))
    identity = draw(st.sampled_from((None, f"{kind}1", f"{kind}2")))
    names = ("one", "two") if identity is None or call == "created" else (None, "one", "two")
    name, trace = draw(st.sampled_from(names)), draw(TRACES)
    return Fact(call, kind, at(draw(SECONDS)), 0, id=identity, name=name, trace=trace)


@st.composite
def agency_facts(draw: st.DrawFn) -> Fact:
    """A call on one of two agencies, by its id, by its name in two spellings, or by both."""
    letter = draw(st.sampled_from("CDAAAXXETTLFP"))
    identity = draw(st.sampled_from((None, None, "X1", "X2")))
    names = ("ci", "CI", "other") if identity is None or letter == "C" else (None, "ci", "CI")
    stated: dict[str, Any] = {"id": identity, "name": draw(st.sampled_from(names))}
    if letter in "AXE":
        stated["policy_id"] = draw(st.sampled_from((None, None, "policy1", "policy2")))
        named = ("one", "two", "ONE") if stated["policy_id"] is None else (None, "one", "two")
        stated["policy"] = draw(st.sampled_from(named))
        stated["project_id"] = draw(st.sampled_from((None, None, "project1", "project2")))
        stated["region"] = draw(
            st.sampled_from(("*", "one", "two") if not stated["project_id"] else (None, "one"))
        )
    if letter in "CT":
        stated |= dict(zip(TRUSTEE, draw(st.sampled_from(TRUSTEES)), strict=True))
    if letter in "DLF":
        stated["task"] = draw(st.sampled_from((None, "t1", "t2")))
    if letter == "P":
        stated["expires_at"] = at(draw(st.integers(0, 9)))
    origin = draw(st.sampled_from(("observed", "observed", "commanded")))
    return fact(letter, draw(SECONDS), trace=draw(TRACES), origin=origin, **stated)


ACCOUNTS = st.lists(
    st.one_of(agency_facts(), agency_facts(), definition_facts()), min_size=1, max_size=14
)


@given(facts=ACCOUNTS, rules=RULES, seed=st.integers(0, 999))
@settings(max_examples=60, deadline=None)
def test_changes_lead_to_what_contradictory_facts_say(
    facts: list[Fact], rules: Rules, seed: int
) -> None:
    random = Random(seed)
    commits = grouped(numbered(facts), random)
    check_commits(commits, rules)
    check_recalled(commits, rules)
    check_recalled_once(commits, rules, random.randrange(len(commits)))


@st.composite
def naming_facts(draw: st.DrawFn) -> Fact:
    """A grant or a revocation, most of one trace, which may tell id and name of its policy."""
    stated: dict[str, Any] = {"id": draw(st.sampled_from((None, "X1", "X2")))}
    stated["name"] = draw(st.sampled_from(("ci",) if stated["id"] is None else (None, "ci")))
    stated["policy_id"] = draw(st.sampled_from((None, "policy1", "policy2")))
    named = ("one", "two") if stated["policy_id"] is None else (None, "one", "two")
    stated |= {"policy": draw(st.sampled_from(named)), "region": draw(st.sampled_from(named[-2:]))}
    trace = draw(st.sampled_from(("one", "two", "two")))
    return fact(draw(st.sampled_from("AX")), draw(st.sampled_from((2, 5))), trace=trace, **stated)


@given(
    facts=st.lists(st.one_of(naming_facts(), naming_facts(), definition_facts()), max_size=7),
    rules=RULES,
    seed=st.integers(0, 999),
)
@settings(max_examples=150, deadline=None)
def test_changes_lead_to_what_facts_say_that_tell_a_policy_s_name_again(
    facts: list[Fact], rules: Rules, seed: int
) -> None:
    commits = grouped(numbered(facts), Random(seed))
    check_commits(commits, rules)
    check_recalled(commits, rules)


def test_of_facts_that_tell_one_name_at_one_time_the_first_one_of_the_trace_counts() -> None:
    """Whichever of them was recalled, and whichever was learned."""
    etl = {"policy": "etl", "policy_id": "P1", "trace": "t"}
    facts = numbered(
        [
            fact("A", 5, **etl),
            fact("X", 2, policy="old", policy_id="P1", trace="t"),
            fact("X", 5, id="X1", policy="old", trace="t"),  # P1 is "etl" by then.
            fact("X", 5, id="X2", **etl),
        ]
    )
    check_commits([facts[:3], facts[3:]], AWS)
    check_recalled([facts[:3], facts[3:]], AWS)
    (of_another, _) = [span for span in derive(facts, AWS) if span.thing == "X1"][-2:]
    assert of_another.policy_id is None


def test_a_creation_that_tells_another_name_sets_the_trust_once() -> None:
    """As a call that shows an unseen renaming, it does not set it a second time, by nobody."""
    facts = numbered(
        [
            fact("C", 2, id="X1", name="deploy", trustee="service:x"),
            fact("T", 0, id="X1", name="ci"),
            fact("T", 8, id="X1", trustee="service:y"),
            fact("T", 8, id="X1", trustee="service:z"),
        ]
    )
    check_commits([[one] for one in facts], HUAWEICLOUD)
    (trusted,) = [span for span in derive(facts, HUAWEICLOUD) if span.value == "service:x"]
    assert trusted.actor == "carol"


def test_only_things_that_received_facts_or_whose_policies_did_are_reported() -> None:
    cells = Cells(HUAWEICLOUD)
    cells.learn(
        numbered(
            [
                policy("created", 0, id="P1", name="etl"),
                fact("A", 1, name="user", policy="etl"),
                fact("A", 1, name="other", policy="read"),
            ]
        )
    )
    cells.changes()
    cells.learn([fact("E", 5, name="third")._replace(position=4)])
    assert {change.after.name for change in cells.changes() if change.after} == {"third"}
    cells.learn([policy("deleted", 9, id="P1", name=None)._replace(position=5)])
    changed = [change.after for change in cells.changes() if change.after]
    assert {span.name for span in changed} == {"user", "etl"}
    assert cells.changes() == []


def test_facts_of_two_names_in_one_second_of_one_commit_are_of_two_agencies() -> None:
    renamed = fact("E", 3, id="X1", name="deploy")._replace(call="renamed")
    for rules in (AWS, HUAWEICLOUD):
        facts = numbered(
            [
                fact("C", 0, id="X1"),
                renamed,
                fact("C", 5, id="X2"),
                fact("A", 9, trace="t"),
                fact("A", 9, name="deploy", trace="t"),
            ]
        )
        check_commits([facts[:3], facts[3:]], rules)


def test_further_facts_of_a_known_agency_fold_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    folded = list[int]()

    class Counted(Live):
        def __init__(self, facts: Sequence[Fact], keys: Keys, rules: Rules) -> None:
            folded.append(len(facts))
            super().__init__(facts, keys, rules)

    monkeypatch.setattr(agency_cell, "Live", Counted)
    cells, view = Cells(AWS), Shown()
    facts = numbered(
        [
            fact("C", 0, id="X1"),
            fact("A", 9),
            fact("A", 12, policy="read"),  # Later than all.
            fact("E", 15, id="X1"),
            fact("A", 5, "bob"),  # Late, in a known life.
            fact("T", 6, trustee="service:x"),
            fact("E", 7),
            fact("X", 20),
        ]
    )
    for learned in (facts[:2], *([one] for one in facts[2:])):
        cells.learn(learned)
        apply(cells, view)
    assert folded == [2]
    assert view == shown(derive(facts, AWS))


def test_permissions_follow_each_change_without_the_other_spans() -> None:
    granted = [fact("A", second, policy=f"p{second}") for second in (1, 2, 3)]
    facts = numbered([fact("C", 0, id="X1"), *granted, fact("X", 9, policy="p2"), fact("D", 20)])
    cells = Cells(HUAWEICLOUD)
    cells.learn(facts[:4])
    assert len(cells.permissions_of("ci")) == 3
    cells.learn(facts[4:5])
    known = cells.lasting_permissions_of("ci", lambda service: service is None)
    assert {(span.policy, span.status, span.until_at) for span in known} == {
        ("p1", "granted", None),
        ("p2", "revoked", None),
        ("p3", "granted", None),
    }
    ended = fact("A", 2).at, at(9)
    assert [(s.valid_from, s.until_at) for s in cells.permissions_of("ci") if s.until_at] == [ended]
    assert cells.lasting_permissions_of("ci", lambda service: service is not None) == []
    assert [span.status for span in cells.lives_of("ci")] == ["exists"]
    cells.learn(facts[5:])
    assert [span.status for span in cells.lives_of("ci")] == ["exists", "deleted"]
    assert set(cells.of_agency("ci")) == set(derive(facts, HUAWEICLOUD))


def test_a_permission_lasts_although_its_agency_will_expire() -> None:
    cells = Cells(HUAWEICLOUD)
    cells.learn(numbered([fact("C", 0, expires_at=at(99)), fact("A", 1)]))
    lasting = cells.lasting_permissions_of("ci", lambda _: True)
    assert ("granted", at(99)) in {(span.status, span.until_at) for span in lasting}
