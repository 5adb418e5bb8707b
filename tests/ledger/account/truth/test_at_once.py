"""Facts that are taken at once come to the same as by the search, whatever comes around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.truth.agency_cell import AgencyCell
from ledger.account.truth.cells import Cells
from ledger.account.truth.changes import Change
from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.live import Live
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from tests.ledger.account.truth.commits import policy
from tests.ledger.account.truth.histories import at, fact, numbered

POLICY_CALLS: tuple[Call, ...] = ("created", "deleted", "renamed")
SECONDS = st.integers(1, 14)


@st.composite
def plain_facts(draw: st.DrawFn) -> Fact:
    """A fact of one agency that uses few permissions."""
    letter = draw(st.sampled_from("AAAXXXE"))
    given: dict[str, Any] = {"id": draw(st.sampled_from((None, None, "X1"))), "name": "ci"}
    if letter in "AX":
        policies = (("read", None), ("read", None), ("READ", None), ("etl", None), (None, "P1"))
        given["policy"], given["policy_id"] = draw(st.sampled_from(policies))
        places = (("*", None), ("eu", None), (None, "p1"))
        given["region"], given["project_id"] = draw(st.sampled_from(places))
    given["trace"] = draw(st.sampled_from((None, None, "t1")))
    return fact(letter, draw(SECONDS), draw(st.sampled_from(("bob", "eve"))), **given)


@st.composite
def wild_facts(draw: st.DrawFn) -> Fact:
    """A fact of any kind: of another name or id, of documents, of expiries."""
    letter = draw(st.sampled_from("AXECDTPBRRW"))
    given: dict[str, Any] = {"name": draw(st.sampled_from(("ci", "CI", "cd")))}
    given["id"] = draw(st.sampled_from((None, "X1", "X2")))
    if letter in "AXR":
        given["policy"] = draw(st.sampled_from(("read", "etl", None)))
        given["policy_id"] = draw(st.sampled_from((None, "P1")))
        given["region"] = draw(st.sampled_from(("*", "eu")))
        given["project_id"] = draw(st.sampled_from((None, None, "p1")))
        given["document"] = draw(st.sampled_from((None, "", "d1")))
    if letter == "P":
        given["expires_at"] = at(draw(SECONDS))
    given["consequence_of"] = draw(st.sampled_from((None, None, "PolicyDeleted")))
    given["origin"] = draw(st.sampled_from(("observed", "commanded")))
    given["trace"] = draw(st.sampled_from((None, "t1")))
    return fact(letter, draw(SECONDS), **given)


@st.composite
def policy_facts(draw: st.DrawFn) -> Fact:
    identity, name = draw(st.sampled_from((None, "P1"))), draw(st.sampled_from(("read", "etl")))
    return policy(draw(st.sampled_from(POLICY_CALLS)), draw(SECONDS), id=identity, name=name)


@st.composite
def histories(draw: st.DrawFn) -> list[list[Fact]]:
    """Commits mostly in the order of time, as a ledger learns them; a few facts come late."""
    facts = draw(st.lists(plain_facts(), min_size=2, max_size=20))
    facts += draw(st.lists(wild_facts() | policy_facts(), max_size=draw(st.integers(0, 6))))
    facts.sort(key=lambda one: one.at)
    for place in draw(st.lists(st.integers(0, len(facts) - 1), max_size=2)):
        facts.append(facts.pop(place))
    commits: list[list[Fact]] = []
    for one in numbered([fact("C", 0, id="X1", trustee="service:asm"), *facts]):
        if commits and draw(st.integers(0, 3)) == 0:
            commits[-1].append(one)
        else:
            commits.append([one])
    return commits


@settings(max_examples=400, deadline=None)
@given(histories(), st.sampled_from((AWS, HUAWEICLOUD)))
def test_a_fact_that_is_taken_at_once_comes_to_the_same_as_by_the_search(
    commits: Sequence[Sequence[Fact]], rules: Rules
) -> None:
    at_once = _changes(commits, rules)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(AgencyCell, "take_use", lambda *_: False)
        patched.setattr(AgencyCell, "take_change", lambda *_: False)
        searched = _changes(commits, rules)
    assert at_once == searched


def _changes(
    commits: Sequence[Sequence[Fact]], rules: Rules
) -> list[dict[tuple[object, ...], Change]]:
    """The changes of each commit, by the span that it changed."""
    cells, found = Cells(rules), list[dict[tuple[object, ...], Change]]()
    for commit in commits:
        cells.learn(commit)
        changes = cells.changes()
        by_span: dict[tuple[object, ...], Change] = {
            span[:9]: one for one in changes if (span := one.after or one.before)
        }
        assert len(by_span) == len(changes)
        found.append(by_span)
    return found


@pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD])
def test_facts_in_order_of_a_known_agency_are_neither_searched_nor_folded_anew(
    rules: Rules, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = Cells(rules)
    cells.learn(numbered([fact("C", 0, id="X1")]))
    cells.changes()
    monkeypatch.setattr(Live, "take", _not_needed)
    monkeypatch.setattr(AgencyCell, "_fold", _not_needed)
    later = [fact(letter, second) for second, letter in enumerate("AEXEAAEX", start=1)]
    for one in numbered([fact("C", 0), *later])[1:]:
        cells.learn([one])
        cells.changes()
    statuses = [span.status for span in cells.everything() if span.subject == "permission"]
    assert statuses == ["granted", "revoked", "granted", "revoked"]


def _not_needed(*_: object) -> None:
    raise AssertionError("this fact needs no search")
