"""Documents as values over time: of a policy, of an inline permission, of a trust; boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from ledger.account.truth.cells import Cells
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import AWS, HUAWEICLOUD
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import (
    at,
    fact,
    in_every_order,
    numbered,
    shown,
    spans,
    unplaced,
)
from tests.ledger.account.truth.test_order_of_arrival import check_every_position

MADE = fact("C", 0, kind="policy", id="P1", name="etl", document="A", version="v1", in_force=True)


def changed(seconds: float, document: str, version: str | None = None, **given: Any) -> Fact:
    """A change of the policy."""
    stated = {"kind": "policy", "name": "etl", "document": document, "version": version}
    return fact("W", seconds, "bob", **{**stated, "trace": f"t{seconds}", **given})


def put(seconds: float, document: str, actor: str = "carol", **given: Any) -> Fact:
    """A grant of the inline policy `inner`."""
    return fact("A", seconds, actor, policy="inner", document=document, **given)


def contents(found: Sequence[Span], subject: str) -> list[str]:
    """The documents as `FROM DOCUMENT VERSION since SINCE`, `?` for one that is not known."""
    return [
        " ".join(
            [
                f"{(span.valid_from - at(0)).total_seconds():g}",
                span.content.digest or "?",
                *([span.content.version] if span.content.version else []),
                *([f"since {_seconds(span)}"] if span.content.since else []),
            ]
        )
        if span.content
        else f"{(span.valid_from - at(0)).total_seconds():g} nothing"
        for span in found
        if span.subject == subject
    ]


def _seconds(span: Span) -> str:
    assert span.content is not None
    assert span.content.since is not None
    return f"{(span.content.since - at(0)).total_seconds():g}"


# -- policies --------------------------------------------------------------------------------------


def test_a_changed_policy_has_another_document_and_exists_since_its_creation() -> None:
    found = in_every_order(MADE, changed(5, "B", "v2", in_force=True))
    assert contents(found, "policy") == ["0 A v1 since 0", "5 B v2 since 5"]
    assert shown(found, "policy") == ["0-5 exists since 0 by carol", "5- exists since 0 by carol"]


def test_a_version_that_is_not_in_force_changes_nothing_until_it_is() -> None:
    found = in_every_order(
        MADE, changed(5, "B", "v2", in_force=False), changed(9, "", "v2", in_force=True)
    )
    assert contents(found, "policy") == ["0 A v1 since 0", "9 B v2 since 9"]


def test_the_default_version_set_back_brings_its_document_back() -> None:
    found = in_every_order(
        MADE, changed(5, "B", "v2", in_force=True), changed(9, "", "v1", in_force=True)
    )
    assert contents(found, "policy")[2] == "9 A v1 since 9"


def test_a_default_version_whose_text_is_in_no_trace_is_not_known() -> None:
    found = in_every_order(MADE, changed(5, "", "v7", in_force=True))
    assert contents(found, "policy")[1] == "5 ? v7 since 5"


def test_each_change_that_does_not_tell_the_document_is_a_change() -> None:
    found = in_every_order(MADE, changed(5, ""), changed(7, ""))
    assert contents(found, "policy") == ["0 A v1 since 0", "5 ? since 5", "7 ? since 7"]


def test_a_version_that_may_or_may_not_be_in_force_leaves_the_document_open() -> None:
    found = in_every_order(MADE, changed(5, "B", "v2"), changed(9, "", "v2", in_force=True))
    assert contents(found, "policy") == ["0 A v1 since 0", "5 ? since 5", "9 B v2 since 9"]


def test_the_same_document_again_changes_nothing() -> None:
    found = in_every_order(MADE._replace(version=None), changed(5, "A"))
    assert contents(found, "policy") == ["0 A since 0"]


def test_two_versions_within_one_second_leave_open_which_is_in_force() -> None:
    found = in_every_order(
        MADE, changed(5, "B", "v2", in_force=True), changed(5, "C", "v3", in_force=True, trace="u")
    )
    assert contents(found, "policy") == ["0 A v1 since 0", "5 ? since 5"]
    note = "order within the second not known"
    assert shown(found, "policy")[1] == f"5- exists since 0 by carol ({note})"


def test_of_two_versions_of_which_one_has_no_text_none_is_known() -> None:
    found = in_every_order(
        MADE, changed(5, "", "v2", in_force=True), changed(5, "C", "v3", in_force=True, trace="u")
    )
    assert contents(found, "policy") == ["0 A v1 since 0", "5 ? since 5"]
    assert shown(found, "policy")[1] == "5- exists since 0 by carol"


def test_a_version_after_two_within_one_second_settles_which_is_in_force() -> None:
    found = in_every_order(
        MADE,
        changed(5, "B", "v2", in_force=True),
        changed(5, "C", "v3", in_force=True, trace="u"),
        changed(9, "D", "v4", in_force=True),
    )
    assert contents(found, "policy")[-1] == "9 D v4 since 9"
    assert shown(found, "policy")[-1] == "9- exists since 0 by carol"


def test_the_versions_of_a_deleted_policy_are_not_those_of_the_next_one_of_its_name() -> None:
    found = in_every_order(
        MADE,
        fact("D", 3, kind="policy", name="etl"),
        fact("C", 5, kind="policy", id="P2", name="etl", document="Z", version="v2", in_force=True),
        changed(9, "", "v1", in_force=True),
    )
    assert contents([span for span in found if span.thing == "P2"], "policy")[-1] == (
        "9 ? v1 since 9"
    )


def test_a_policy_that_is_renamed_and_changed_by_one_call_has_the_new_document() -> None:
    made = MADE._replace(version=None, in_force=None)
    found = in_every_order(made, changed(5, "B", id="P1", name="load"), rules=HUAWEICLOUD)
    named = [(span.name, span.content and span.content.digest) for span in found]
    assert named == [("etl", "A"), ("load", "B")]


def renamed(seconds: float, name: str, document: str, **given: Any) -> Fact:
    """A call of a cloud whose policies have one document, that may rename the policy."""
    stated = {"id": "P1", "name": name, "document": document, "kind": "policy"}
    return fact("W", seconds, "bob", **{**stated, "trace": f"t{seconds}", **given})


UNVERSIONED = MADE._replace(version=None, in_force=None)


def test_a_renamed_policy_has_its_document_since_it_was_widened() -> None:
    found = in_every_order(
        UNVERSIONED,
        renamed(3, "etl", "B"),
        renamed(5, "load", "B"),
        renamed(7, "etl", "B"),
        rules=HUAWEICLOUD,
    )
    etl, load = (
        contents([span for span in found if span.name == name], "policy")
        for name in ("etl", "load")
    )
    assert (etl, load) == (["0 A since 0", "3 B since 3", "7 B since 3"], ["5 B since 3"])


def test_a_renamed_policy_whose_text_is_not_in_the_trace_may_have_another_one() -> None:
    found = in_every_order(
        UNVERSIONED, renamed(3, "etl", ""), renamed(5, "load", ""), rules=HUAWEICLOUD
    )
    assert contents(found, "policy") == ["0 A since 0", "3 ? since 3", "5 ? since 5"]


def test_a_policy_widened_and_renamed_within_one_second_has_the_document_of_the_renaming() -> None:
    found = in_every_order(
        UNVERSIONED, renamed(5, "etl", "B"), renamed(5, "load", "C", trace="u"), rules=HUAWEICLOUD
    )
    assert [(span.name, span.content and span.content.digest) for span in found] == [
        ("etl", "A"),
        ("load", "C"),
    ]


def test_a_policy_without_any_document_is_as_it_was() -> None:
    found = in_every_order(fact("C", 0, kind="policy", name="etl", document=""))
    assert contents(found, "policy") == ["0 nothing"]


# -- inline permissions ----------------------------------------------------------------------------


def test_an_inline_policy_put_again_stays_granted_since_its_first_grant() -> None:
    found = in_every_order(fact("C", 0), put(2, "A"), put(5, "B", "bob"))
    assert contents(found, "permission") == ["2 A since 2", "5 B since 5"]
    assert shown(found, "permission") == [
        "2-5 granted since 2 by carol",
        "5- granted since 2 by carol",
    ]


def test_an_inline_policy_put_again_without_its_document_is_not_known() -> None:
    found = in_every_order(fact("C", 0), put(2, "A"), put(5, ""))
    assert contents(found, "permission")[1] == "5 ? since 5"


def test_two_documents_put_within_one_second_leave_open_which_holds() -> None:
    found = in_every_order(fact("C", 0), put(2, "A"), put(5, "B", "bob"), put(5, "C", "alice"))
    assert contents(found, "permission") == ["2 A since 2", "5 ? since 5"]
    note = "order within the second not known"
    assert shown(found, "permission")[1] == f"5- granted since 2 by carol ({note})"


def test_a_policy_that_is_put_after_it_was_removed_has_its_new_document() -> None:
    found = in_every_order(fact("C", 0), put(2, "A"), fact("X", 4, policy="inner"), put(6, "B"))
    assert contents(found, "permission") == ["2 A since 2", "4 nothing", "6 B since 6"]


def test_a_policy_of_its_own_that_is_attached_again_changes_nothing() -> None:
    assert len(shown(in_every_order(fact("C", 0), fact("A", 2), fact("A", 5)), "permission")) == 1


# -- trusts and boundaries -------------------------------------------------------------------------


def test_a_trust_with_another_document_and_the_same_trustee_changed() -> None:
    made = fact("C", 0, trustee="account:d1", document="A")
    found = in_every_order(made, fact("T", 5, "bob", trustee="account:d1", document="B"))
    assert contents(found, "trust") == ["0 A since 0", "5 B since 5"]
    assert shown(found, "trust")[1] == "5- account:d1 since 0 by carol"


def test_a_trust_of_a_cloud_without_documents_set_again_changes_nothing() -> None:
    made = fact("C", 0, trustee="account:d1", document="")
    found = in_every_order(made, fact("T", 5, trustee="account:d1", document=""))
    assert contents(found, "trust") == ["0 nothing"]


def test_a_boundary_is_set_and_removed() -> None:
    found = in_every_order(fact("C", 0), fact("B", 0, policy="cap"), fact("U", 5, "bob"))
    assert shown(found, "boundary") == ["0-5 cap since 0 by carol", "5- set since 5 by bob"]
    assert [span.value for span in found if span.subject == "boundary"] == ["cap", None]


def test_a_boundary_ends_with_its_agency() -> None:
    found = in_every_order(fact("C", 0), fact("B", 2, policy="cap"), fact("D", 5))
    assert shown(found, "boundary")[1] == "5- ended since 5 by carol"


# -- what a later reading adds ---------------------------------------------------------------------

COMPLETE = (
    fact("C", 0, id="R1", trustee="account:d1", document="T", trace="t1"),
    put(2, "A", trace="t2", id="R1", name="ci"),
    MADE._replace(trace="t3"),
    changed(5, "B", "v2", in_force=True, trace="t4"),
)


def without(complete: Fact) -> Fact:
    """The fact of an older version, which kept no documents, and not every id."""
    identity = None if complete.name else complete.id
    return complete._replace(document="", version=None, in_force=None, id=identity)


def reading(full: Fact) -> Fact:
    """The fact of a later reading: it adds the document, and the handles."""
    policy = full.policy if full.call == "granted" else None
    return fact(
        "R", 0, kind=full.kind, id=full.id, name=full.name, trace=full.trace, policy=policy,
        document=full.document, version=full.version, in_force=full.in_force,
    )._replace(at=full.at)  # fmt: skip


def test_a_completed_history_comes_to_the_same_as_one_that_was_complete_at_once() -> None:
    at_once = unplaced(spans(*COMPLETE))
    for order in permutations(COMPLETE):
        later = [*map(without, order), *map(reading, order)]
        assert unplaced(spans(*later)) == at_once
        assert unplaced(_by_cells(numbered(later))) == at_once
        assert unplaced(_by_cells(numbered(reversed(later)))) == at_once


def _by_cells(facts: Sequence[Fact]) -> list[Span]:
    cells = Cells(AWS)
    for one in facts:
        cells.learn([one])
        cells.changes()
    return sorted(cells.everything(), key=Span.order)


def test_an_id_that_a_later_reading_adds_is_that_of_its_fact() -> None:
    made, gone, again = fact("C", 0, trace="t1"), fact("D", 4), fact("C", 6, id="R2", trace="t2")
    identity = fact("R", 0, id="R1", name="ci", trace="t1")
    at_once = spans(made._replace(id="R1"), gone, again)
    assert unplaced(spans(made, gone, again, identity)) == unplaced(at_once)


def test_the_id_of_a_policy_that_only_a_grant_names_makes_no_row_of_the_policy() -> None:
    grant = fact("A", 0, policy="etl", trace="t1")
    identity = fact("R", 0, name="ci", policy="etl", policy_id="P1", trace="t1")
    at_once = spans(grant._replace(policy_id="P1"))
    assert unplaced(spans(grant, identity)) == unplaced(at_once)


def test_a_reading_of_a_trace_without_such_a_fact_proves_the_thing() -> None:
    found = spans(fact("R", 3, kind="policy", name="etl", document="A", trace="t9"))
    assert shown(found, "policy")[-1] == "3- exists since 3 (creation not seen)"


@pytest.mark.parametrize("count", [len(COMPLETE) * 2])
def test_an_answer_as_known_before_a_later_reading_stays_the_same(count: int) -> None:
    later = numbered([*map(without, COMPLETE), *map(reading, COMPLETE)])
    assert len(later) == count
    check_every_position(later, AWS)


@pytest.mark.parametrize(
    "facts",
    [
        (put(2, "A"), fact("C", 0), put(7, "C"), put(5, "B"), fact("X", 6, policy="inner")),
        (fact("C", 0), put(2, "A"), put(5, "B"), put(6, "B"), put(7, "")),
        (fact("C", 0), fact("T", 2, trustee="s", document="A"), fact("T", 4, trustee="s", document="B")),
        (fact("C", 0), fact("B", 2, policy="cap"), fact("U", 5), fact("B", 3, policy="other")),
    ],
    ids=["late", "put again", "trust", "boundary"],
)  # fmt: skip
def test_cells_that_learn_fact_by_fact_say_what_all_facts_come_to(facts: Sequence[Fact]) -> None:
    placed = numbered(facts)
    assert _by_cells(placed) == sorted(derive(placed, AWS), key=Span.order)
