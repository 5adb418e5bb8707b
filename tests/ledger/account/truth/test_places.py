"""Permissions whose projects are told by id here and by name there, though no fact tells both."""

from __future__ import annotations

import pytest

from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import HUAWEICLOUD
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import fact, in_every_order, shown, spans

NOTE = "which project was meant is not known"


def places(*facts: Fact) -> list[Span]:
    """The spans of the permissions, the same for every order of arrival."""
    return in_every_order(*facts, rules=HUAWEICLOUD)


def by_id(letter: str, seconds: float, actor: str = "carol", project: str = "p1") -> Fact:
    return fact(letter, seconds, actor, region=None, project_id=project)


def test_a_revocation_by_id_ends_the_only_grant_by_name_that_it_can_be_of() -> None:
    found = places(fact("C", 0), fact("A", 1, region="eu"), by_id("X", 5, "bob"))
    assert shown(found, "permission") == [
        "1-5 granted since 1 by carol",
        "5- revoked since 5 by bob",
    ]
    assert {span.region for span in found if span.subject == "permission"} == {"eu"}


def test_a_revocation_by_name_ends_the_only_grant_by_id_that_it_can_be_of() -> None:
    found = places(fact("C", 0), by_id("A", 1), fact("X", 5, "bob", region="eu"))
    assert shown(found, "permission") == [
        "1-5 granted since 1 by carol",
        "5- revoked since 5 by bob",
    ]
    assert {span.region for span in found if span.subject == "permission"} == {"eu"}


def test_of_two_grants_it_is_not_known_which_a_revocation_by_id_ended() -> None:
    found = places(
        fact("C", 0), fact("A", 1, region="eu"), fact("A", 2, region="af"), by_id("X", 5)
    )
    unknown = f"5- not known ({NOTE})"
    assert shown(found, "permission", region="eu") == ["1-5 granted since 1 by carol", unknown]
    assert shown(found, "permission", region="af") == ["2-5 granted since 2 by carol", unknown]


def test_an_agency_whose_creation_was_not_seen_may_have_had_another_permission() -> None:
    found = places(fact("A", 1, region="eu"), by_id("X", 5))
    assert shown(found, "permission", region="eu")[1:] == [
        "1-5 granted since 1 by carol",
        f"5- not known ({NOTE})",
    ]


def test_a_permission_by_id_may_be_the_one_that_was_revoked_by_name() -> None:
    found = places(
        fact("C", 0), fact("A", 1, region="eu"), by_id("A", 2), fact("X", 5, region="eu")
    )
    assert shown(found, "permission", region="eu") == [
        "1-5 granted since 1 by carol",
        "5- revoked since 5 by carol",
    ]
    assert shown(found, "permission", region="p1") == [f"2- not known ({NOTE})"]


@pytest.mark.parametrize("letter", ["A", "X", "E"])
def test_any_fact_of_any_agency_that_tells_id_and_name_settles_it(letter: str) -> None:
    found = places(
        fact("C", 0),
        fact("A", 1, region="eu"),
        fact("A", 2, region="af"),
        by_id("X", 5),
        fact(letter, 9, name="other", region="af", project_id="p1"),
    )
    assert shown(found, "permission", name="ci", region="eu") == ["1- granted since 1 by carol"]
    assert shown(found, "permission", name="ci", region="af") == [
        "2-5 granted since 2 by carol",
        "5- revoked since 5 by carol",
    ]


def test_other_policies_services_and_scopes_are_not_what_was_revoked() -> None:
    others = (
        fact("A", 1, region="eu", policy="read"),
        fact("A", 1, region="*"),
        fact("A", 1, region="global"),
    )
    found = places(fact("C", 0), *others, by_id("X", 5))
    for one in others:
        keys = {"region": one.region, "policy": one.policy}
        assert shown(found, "permission", **keys) == ["1- granted since 1 by carol"]


def test_the_revoked_one_of_many_permissions_is_not_searched() -> None:
    regions = [f"region-{number}" for number in range(9)]
    grants = [fact("A", 1, region=region) for region in regions]
    later = (by_id("X", 5), fact("A", 8, region="region-0"))
    found = spans(fact("C", 0), *grants, *later, rules=HUAWEICLOUD)
    unknown = ["1-5 granted since 1 by carol", f"5- not known ({NOTE})"]
    for region in regions[1:]:
        assert shown(found, "permission", region=region) == unknown
    assert shown(found, "permission", region="region-0")[-1] == "8- granted since 8 by carol"
