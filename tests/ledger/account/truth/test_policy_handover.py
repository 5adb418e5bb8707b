"""A policy's name that changed hands between two sightings, and nobody saw the deletion."""

from __future__ import annotations

from typing import Final

import pytest

from ledger.account.truth.fact import Fact
from ledger.account.truth.lines import NAMED_NOT_KNOWN
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from tests.ledger.account.truth.commits import check_commits, check_recalled, policy
from tests.ledger.account.truth.histories import fact, in_every_order, numbered, shown

CREATED: Final = fact("C", 0, "alice")
FORMER: Final = fact("A", 2, "ops", policy="etl", policy_id="P1")
USED: Final = fact("A", 5, "dan", policy="etl")
LATER: Final = fact("A", 9, "ops", name="other", policy="etl", policy_id="P2")
UNKNOWN: Final = f"not known ({NAMED_NOT_KNOWN})"
BOTH: Final = pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD], ids=lambda rules: rules.provider)


@BOTH
def test_a_grant_between_two_sightings_of_the_name_is_not_known_to_be_of_either(
    rules: Rules,
) -> None:
    found = in_every_order(CREATED, FORMER, USED, LATER, rules=rules)
    assert shown(found, "permission", policy_id="P1", name="ci")[:2] == [
        "2-5 granted since 2 by ops",
        f"5-9 {UNKNOWN}",
    ]
    assert shown(found, "permission", policy_id="P2", name="ci") == [f"5- {UNKNOWN}"]
    assert shown(found, "permission", policy_id="P2", name="other") == ["9- granted since 9 by ops"]


def test_without_a_use_by_name_between_them_the_former_policy_ends_at_the_latest_time() -> None:
    found = in_every_order(CREATED, FORMER, LATER, rules=HUAWEICLOUD)
    assert shown(found, "permission", policy_id="P1")[0] == "2-9 granted since 2 by ops"


@BOTH
def test_a_use_by_another_agency_leaves_open_whether_the_former_policy_was_still_there(
    rules: Rules,
) -> None:
    used = USED._replace(name="other")
    found = in_every_order(CREATED, FORMER, used, LATER, rules=rules)
    assert shown(found, "permission", policy_id="P1", name="ci")[:2] == [
        "2-5 granted since 2 by ops",
        f"5-9 {UNKNOWN}",
    ]


@BOTH
def test_a_use_by_id_settles_which_policy_had_the_name(rules: Rules) -> None:
    seen = fact("A", 7, name="other", policy=None, policy_id="P1")
    found = in_every_order(CREATED, USED, LATER, seen, FORMER, rules=rules)
    assert shown(found, "permission", policy_id="P1", name="ci")[0] == "2-9 granted since 2 by ops"
    assert shown(found, "permission", policy_id="P2", name="ci") == []


def test_a_revocation_between_them_may_be_the_first_call_of_the_new_policy() -> None:
    revoked = fact("X", 6, policy="etl")
    found = in_every_order(CREATED, FORMER, USED, revoked, LATER, rules=HUAWEICLOUD)
    (before, during) = shown(found, "permission", policy_id="P2", name="ci")
    assert before == "0-6 not known (grant not seen)"
    assert during == f"6- {UNKNOWN}"


def test_the_doubt_is_of_the_policies_too() -> None:
    made = policy("created", 1, id="P1", name="etl")
    found = in_every_order(CREATED, made, USED, LATER, rules=HUAWEICLOUD)
    assert shown(found, "policy", thing="P1") == [
        "1-5 exists since 1 by carol",
        f"5-9 {UNKNOWN}",
        "9- deleted since 9 (end not seen)",
    ]
    assert shown(found, "policy", thing="P2") == [
        f"5-9 {UNKNOWN}",
        "9- exists since 9 (creation not seen)",
    ]


def test_a_deletion_that_was_seen_leaves_nothing_open() -> None:
    deleted = policy("deleted", 4, id="P1")
    found = in_every_order(CREATED, FORMER, deleted, USED, LATER, rules=HUAWEICLOUD)
    assert shown(found, "permission", policy_id="P2", name="ci") == ["5- granted since 5 by dan"]


def test_a_grant_of_either_policy_proves_that_its_agency_had_not_expired() -> None:
    expiring = CREATED._replace(expires_at=fact("E", 4).at)
    found = in_every_order(expiring, FORMER, USED, LATER, rules=HUAWEICLOUD)
    assert shown(found, "agency", name="ci")[-1].startswith("5- exists")


@BOTH
@pytest.mark.parametrize("first", range(4))
def test_cells_find_the_handover_whichever_fact_comes_last(first: int, rules: Rules) -> None:
    facts: list[Fact] = [CREATED, FORMER, USED, LATER, fact("X", 7, name="third", policy="etl")]
    ordered = numbered([*facts[first + 1 :], *facts[: first + 1]])
    check_commits([[one] for one in ordered], rules)
    check_recalled([[one] for one in ordered], rules)
