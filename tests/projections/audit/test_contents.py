"""Two instants compared: documents that a renaming repeats, and two documents in one second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.account.agency import AgencyTrustChanged
from ledger.account.policy import PolicyChanged
from ledger.messages import DomainEvent
from projections.audit.difference import in_words
from tests.ledger.kept import at_hour
from tests.projections.audit.test_passing import (
    ANYONE,
    INNER,
    READS,
    WRITES,
    Learn,
    by,
    compared,
    hour,
    learned_here,
    people,
    person,
)

__all__ = ["learned_here"]


def test_a_policy_widened_and_then_renamed_was_widened_by_the_first_of_the_two(
    learned_here: Learn,
) -> None:
    views = learned_here(
        by("eve", at_hour(10, PolicyChanged(policy="p", policy_id="P1"), WRITES)),
        by("bob", at_hour(20, PolicyChanged(policy="q", policy_id="P1"), WRITES)),
    )
    (each,) = (each for each in compared(views) if each.view == "policies")
    assert (each.change, each.since, person(views, each)) == ("renamed", hour(10), "eve")
    assert people(views, each) == ["eve", "bob"]


TWO_AT_ONCE: dict[str, tuple[DomainEvent, DomainEvent]] = {
    "policies": (PolicyChanged(policy="p"), PolicyChanged(policy="p")),
    "regions": (INNER, INNER),
    "trustees": (
        AgencyTrustChanged(agency="a", trustee="account:2"),
        AgencyTrustChanged(agency="a", trustee="account:3"),
    ),
}


@pytest.mark.parametrize("view", TWO_AT_ONCE)
def test_of_two_documents_within_one_second_only_the_order_is_not_known(
    learned_here: Learn, view: str
) -> None:
    first, second = TWO_AT_ONCE[view]
    other = at_hour(10, second, ANYONE)
    other = replace(other, source=replace(other.source, trace_id="another"))
    views = learned_here(at_hour(10, first, WRITES), other)
    (each,) = compared(views)
    assert (each.view, each.change) == (view, "changed")
    assert each.not_known == "order within the second not known"
    assert "not told" not in in_words(each.after)
    (row,) = (row for row in views.read(view).dicts() if row["note"])
    assert row["note"] == each.not_known


def test_of_two_changes_within_one_second_of_which_one_has_no_text_none_is_known(
    learned_here: Learn,
) -> None:
    other = at_hour(10, PolicyChanged(policy="p"))
    other = replace(other, source=replace(other.source, trace_id="another"))
    (each,) = compared(learned_here(at_hour(10, PolicyChanged(policy="p"), WRITES), other))
    assert each.not_known == "content not told"


def test_a_version_whose_text_is_not_known_is_shown_beside_the_one_before(
    learned_here: Learn,
) -> None:
    views = learned_here(
        at_hour(5, PolicyChanged(policy="p", document_version="v1", in_force=True), READS),
        at_hour(10, PolicyChanged(policy="p", document_version="v7", in_force=True)),
    )
    (each,) = compared(views)
    assert in_words(each.before) == f"exists, document {READS.digest[:12]} v1"
    assert in_words(each.after) == "exists, document v7: content not told"
    assert each.not_known == "content not told"
