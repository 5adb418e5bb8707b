"""Policies and projects: their lives, names and ends, and the permissions that refer to them."""

from __future__ import annotations

from itertools import permutations

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from ledger.account.truth.spans import Span
from tests.ledger.account.truth.histories import at, fact, numbered, shown, unplaced


def policy(call: Call, seconds: float, actor: str = "carol", **given: str) -> Fact:
    return Fact(call, "policy", at(seconds), 0, actor=actor, **given)  # type: ignore[arg-type]


def project(call: Call, seconds: float, actor: str = "carol", **given: str) -> Fact:
    return Fact(call, "project", at(seconds), 0, actor=actor, **given)  # type: ignore[arg-type]


def in_every_order(*facts: Fact, rules: Rules) -> list[Span]:
    found = {
        tuple(sorted(unplaced(derive(numbered(order), rules)), key=Span.order))
        for order in permutations(facts)
    }
    assert len(found) == 1
    return list(found.pop())


def test_a_renamed_policy_ends_its_permissions_when_it_is_deleted_by_id() -> None:
    found = in_every_order(
        fact("C", 0),
        policy("created", 1, id="cp1", name="wide"),
        fact("A", 2, policy="wide"),
        policy("renamed", 5, id="cp1", name="narrow"),
        policy("deleted", 9, "bob", id="cp1"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission", policy="wide", policy_id="cp1") == [
        "2-5 granted since 2 by carol",
    ]
    assert shown(found, "permission", policy="narrow", policy_id="cp1") == [
        "5-9 granted since 2 by carol",
        "9- revoked since 9 by bob",
    ]
    assert shown(found, "policy", thing="cp1", name="wide") == [
        "1-5 exists since 1 by carol",
    ]
    assert shown(found, "policy", thing="cp1", name="narrow")[-1] == "9- deleted since 9 by bob"


def test_a_policy_changed_without_another_name_is_not_renamed() -> None:
    for changed in ({"id": "cp1"}, {"name": "wide"}, {"id": "cp1", "name": "wide"}):
        found = in_every_order(
            policy("created", 1, id="cp1", name="wide"),
            policy("renamed", 5, "bob", **changed),
            rules=HUAWEICLOUD,
        )
        assert shown(found, "policy", thing="cp1", name="wide") == ["1- exists since 1 by carol"]
        assert len(found) == 1


def test_a_change_of_a_policy_proves_that_it_existed() -> None:
    for changed in ({"id": "cp1"}, {"name": "wide"}, {"id": "cp1", "name": "wide"}):
        found = in_every_order(policy("renamed", 5, **changed), rules=AWS)
        assert shown(found, "policy", name=changed.get("name")) == [
            "…-5 not known (creation not seen)",
            "5- exists since 5 (creation not seen)",
        ]


def test_a_name_that_another_call_has_first_is_that_of_the_renaming_in_its_second() -> None:
    found = in_every_order(
        policy("created", 1, id="cp1", name="wide"),
        policy("renamed", 5, "bob", id="cp1", name="narrow"),
        fact("A", 5, policy="narrow", policy_id="cp1"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "policy", name="narrow") == ["5- exists since 1 by carol"]


def test_a_policy_exists_since_its_creation_after_a_renaming_that_was_not_seen() -> None:
    found = in_every_order(
        policy("created", 1, id="cp1", name="wide"),
        fact("A", 5, "bob", policy="narrow", policy_id="cp1"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "policy", name="narrow") == ["5- exists since 1 by carol"]


def test_two_renamings_of_one_trace_in_one_second_leave_the_last_name() -> None:
    for first, last in (("a", "b"), ("b", "a")):
        renamed = [policy("renamed", 5, id="cp1", name=name, trace="t") for name in (first, last)]
        facts = numbered([policy("created", 1, id="cp1", name="c"), *renamed])
        found = derive(facts, HUAWEICLOUD)
        assert [span.name for span in found if span.until_at is None] == [last]


def test_two_changes_in_one_second_without_another_name_leave_the_name() -> None:
    changed = [policy("renamed", 5, actor, id="cp1", name="c") for actor in ("bob", "carol")]
    found = in_every_order(policy("created", 1, id="cp1", name="c"), *changed, rules=HUAWEICLOUD)
    assert shown(found, "policy", thing="cp1", name="c") == ["1- exists since 1 by carol"]


def test_two_spellings_in_one_second_are_one_whichever_arrives_first() -> None:
    both = [fact("A", 5, policy=name, policy_id="cp1", region="*") for name in ("ETL", "etl")]
    found = in_every_order(policy("deleted", 9, id="cp1"), *both, rules=AWS)
    assert {span.name for span in found if span.subject == "policy"} == {"ETL"}


def test_two_renamings_in_one_second_leave_the_name_open_until_a_later_fact() -> None:
    renamed = (
        policy("created", 1, id="cp1", name="a"),
        policy("renamed", 5, id="cp1", name="b"),
        policy("renamed", 5, id="cp1", name="c"),
    )
    found = in_every_order(*renamed, rules=HUAWEICLOUD)
    assert {(span.name, span.status) for span in found if span.until_at is None} == {
        (None, "exists"),
    }
    found = in_every_order(*renamed, policy("deleted", 9, id="cp1", name="c"), rules=HUAWEICLOUD)
    assert shown(found, "policy", name="c")[-1] == "9- deleted since 9 by carol"


def test_another_spelling_is_another_name_only_where_the_cloud_tells_them_apart() -> None:
    stated = (
        policy("created", 1, id="cp1", name="Wide"),
        policy("evidence", 5, id="cp1", name="wide"),
    )
    assert {span.name for span in in_every_order(*stated, rules=AWS)} == {"Wide"}
    assert {span.name for span in in_every_order(*stated, rules=HUAWEICLOUD)} == {"Wide", "wide"}


def test_a_policy_created_again_does_not_bring_back_what_was_granted_under_it() -> None:
    found = in_every_order(
        fact("C", 0),
        policy("created", 1, id="P1", name="etl"),
        fact("A", 2, policy="etl"),
        policy("deleted", 5, "bob", id="P1", name="etl"),
        policy("created", 7, id="P2", name="etl"),
        rules=AWS,
    )
    assert shown(found, "permission", policy_id="P1") == [
        "2-5 granted since 2 by carol",
        "5- revoked since 5 (end not seen)",
    ]
    assert shown(found, "permission", policy_id="P2") == []


def test_a_policy_granted_by_name_and_revoked_by_id_is_one() -> None:
    found = in_every_order(
        fact("C", 0),
        fact("A", 2, policy="etl"),
        fact("X", 5, policy=None, policy_id="P1"),
        policy("created", 1, id="P1", name="etl"),
        rules=AWS,
    )
    assert shown(found, "permission", policy="etl", policy_id="P1") == [
        "2-5 granted since 2 by carol",
        "5- revoked since 5 by carol",
    ]


def test_a_grant_in_the_second_in_which_its_policy_was_created_again_is_of_the_new_one() -> None:
    found = in_every_order(
        policy("created", 1, id="P1", name="etl"),
        policy("deleted", 5, id="P1"),
        policy("created", 5, id="P2", name="etl"),
        fact("A", 5, policy="etl"),
        rules=AWS,
    )
    assert shown(found, "permission", policy_id="P2") == ["5- granted since 5 by carol"]


def test_where_a_deletion_ends_grants_itself_such_a_grant_is_in_doubt() -> None:
    found = in_every_order(
        policy("created", 1, id="P1", name="etl"),
        policy("deleted", 5, id="P1"),
        policy("created", 5, id="P2", name="etl"),
        fact("A", 5, policy="etl"),
        rules=HUAWEICLOUD,
    )
    assert {span.status for span in found if span.subject == "permission"} <= {
        "not known",
        "revoked",
    }


def test_a_deleted_project_ends_what_was_granted_on_it() -> None:
    found = in_every_order(
        project("created", 0, id="pr1", name="eu-de_pay"),
        fact("A", 2, region=None, project_id="pr1"),
        project("deleted", 7, "bob", id="pr1"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission", region="eu-de_pay") == [
        "2-7 granted since 2 by carol",
        "7- revoked since 7 by bob",
    ]


def test_a_project_that_no_trace_named_is_shown_by_its_id() -> None:
    found = in_every_order(fact("A", 2, region=None, project_id="pr1"), rules=HUAWEICLOUD)
    assert shown(found, "permission", region="pr1") == ["2- granted since 2 by carol"]


def test_a_policy_that_got_its_old_name_back_is_one_and_ends_its_permissions() -> None:
    found = in_every_order(
        policy("created", 1, id="cp1", name="wide"),
        fact("A", 2, policy=None, policy_id="cp1"),
        policy("renamed", 3, id="cp1", name="narrow"),
        policy("renamed", 5, id="cp1", name="wide"),
        policy("deleted", 9, "bob", id="cp1"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission")[-1] == "9- revoked since 9 by bob"
    assert shown(found, "policy", name="wide") == [
        "1-3 exists since 1 by carol",
        "5-9 exists since 1 by carol",
        "9- deleted since 9 by bob",
    ]


def test_a_permission_on_a_renamed_project_goes_on_under_its_new_name() -> None:
    granted = (
        project("created", 0, id="pr1", name="eu-de_a"),
        fact("A", 2, region=None, project_id="pr1"),
        project("renamed", 5, id="pr1", name="eu-de_b"),
    )
    found = in_every_order(
        *granted, fact("X", 7, "bob", region=None, project_id="pr1"), rules=HUAWEICLOUD
    )
    assert shown(found, "permission", region="eu-de_a") == ["2-5 granted since 2 by carol"]
    assert shown(found, "permission", region="eu-de_b") == [
        "5-7 granted since 2 by carol",
        "7- revoked since 7 by bob",
    ]
    found = in_every_order(*granted, project("deleted", 9, "bob", id="pr1"), rules=HUAWEICLOUD)
    assert shown(found, "permission")[-1] == "9- revoked since 9 by bob"


def test_a_permission_keeps_its_policy_when_another_one_gets_the_former_name() -> None:
    found = in_every_order(
        policy("created", 1, id="cp1", name="wide"),
        fact("A", 10, policy="wide"),
        policy("renamed", 20, "bob", id="cp1", name="narrow"),
        policy("created", 30, id="cp2", name="wide"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission", policy="wide") == ["10-20 granted since 10 by carol"]
    assert shown(found, "permission", policy="narrow", policy_id="cp1") == [
        "20- granted since 10 by carol"
    ]
    assert shown(found, "policy", name="narrow", thing="cp1") == ["20- exists since 1 by carol"]


def test_a_policy_of_which_no_creation_was_seen_exists_since_its_first_proof() -> None:
    found = in_every_order(
        policy("renamed", 3, id="cp1", name="wide"),
        policy("renamed", 5, "bob", id="cp1", name="narrow"),
        policy("renamed", 7, "bob", id="cp1", name="tiny"),
        rules=HUAWEICLOUD,
    )
    for name, when in (("wide", "3-5"), ("narrow", "5-7"), ("tiny", "7-")):
        assert shown(found, "policy", name=name)[-1] == (
            f"{when} exists since 3 (creation not seen)"
        )


def test_a_project_created_again_in_one_second_may_have_what_was_granted_then() -> None:
    found = in_every_order(
        project("created", 0, id="pr1", name="eu-de_a"),
        project("deleted", 5, id="pr1"),
        project("created", 5, id="pr2", name="eu-de_a"),
        fact("A", 5, region="eu-de_a"),
        rules=HUAWEICLOUD,
    )
    assert "not known" in shown(found, "permission")[-1]


REPLACED = (
    policy("created", 1, id="P1", name="etl"),
    policy("deleted", 5, name="etl"),
    policy("created", 5, id="P2", name="etl"),
)


def test_a_permission_whose_policy_is_replaced_within_one_second_is_not_said_to_be_revoked() -> (
    None
):
    found = in_every_order(
        *REPLACED,
        fact("C", 0),
        fact("A", 2, policy="etl"),
        fact("X", 5, policy="etl"),
        fact("A", 5, policy="etl"),
        rules=AWS,
    )
    assert shown(found, "permission", policy_id="P1")[-1] == "5- revoked since 5 by carol"
    assert shown(found, "permission", policy_id="P2") == [
        "5- not known (order within the second not known)"
    ]


def test_a_revocation_in_the_second_in_which_its_policy_was_replaced_is_of_the_old_one() -> None:
    found = in_every_order(
        *REPLACED,
        fact("C", 0),
        fact("A", 2, policy="etl"),
        fact("X", 5, "bob", policy="etl"),
        rules=AWS,
    )
    assert shown(found, "permission") == [
        "2-5 granted since 2 by carol",
        "5- revoked since 5 by bob",
    ]


def test_a_grant_in_the_second_of_its_policys_deletion_came_before_it_or_is_not_known() -> None:
    history = (
        fact("C", 0),
        policy("created", 1, id="P1", name="etl"),
        policy("deleted", 5, "bob", name="etl"),
        fact("A", 5, policy="etl"),
    )
    found = in_every_order(*history, rules=HUAWEICLOUD)
    assert shown(found, "permission") == ["5- revoked since 5 by bob"]
    found = in_every_order(*history, rules=AWS)
    assert shown(found, "permission") == ["5- not known (order within the second not known)"]


def test_a_permission_ends_with_its_policy_even_if_two_calls_may_have_deleted_it() -> None:
    found = in_every_order(
        fact("C", 0),
        policy("created", 1, id="P1", name="etl"),
        fact("A", 2, policy="etl"),
        policy("deleted", 5, "alice", name="etl"),
        policy("deleted", 5, "bob", name="etl"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission", policy_id="P1")[-1].startswith("5- revoked since 5")


def test_policies_that_the_cloud_does_not_tell_apart_by_case_are_one() -> None:
    stated = fact("C", 0), fact("A", 2, policy="ETL"), fact("X", 5, "bob", policy="etl")
    assert shown(in_every_order(*stated, rules=AWS), "permission", policy="ETL") == [
        "2-5 granted since 2 by carol",
        "5- revoked since 5 by bob",
    ]
    found = in_every_order(*stated, rules=HUAWEICLOUD)
    assert shown(found, "permission", policy="ETL") == ["2- granted since 2 by carol"]


def test_a_policy_that_only_grants_name_is_not_shown_as_existing() -> None:
    found = in_every_order(fact("A", 2, policy="etl", policy_id="P1"), rules=HUAWEICLOUD)
    assert shown(found, "policy") == []
    assert shown(found, "permission", policy="etl", policy_id="P1") == [
        "2- granted since 2 by carol"
    ]
