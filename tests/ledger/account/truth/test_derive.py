"""The fold of one agency's facts, in the cases that its design names."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.truth.fact import FOREVER, Call, Fact
from ledger.account.truth.rules import AWS, HUAWEICLOUD, Rules
from tests.ledger.account.truth.histories import at, fact, in_every_order, shown, spans

ORDER = "(order within the second not known)"


def test_a_creation_a_deletion_and_a_grant_within_one_second_have_one_possible_order() -> None:
    found = in_every_order(
        fact("C", 0, id="OLD"), fact("D", 5), fact("C", 5, id="NEW"), fact("A", 5)
    )
    assert shown(found, "agency", thing="OLD") == [
        "0-5 exists since 0 by carol",
        "5- deleted since 5 by carol",
    ]
    assert shown(found, "agency", thing="NEW") == ["5- exists since 5 by carol"]
    assert shown(found, "permission") == ["5- granted since 5 by carol"]
    assert {span.thing for span in found if span.subject == "permission"} == {"NEW"}


def test_where_a_deletion_ends_grants_itself_the_grant_may_have_been_on_either_thing() -> None:
    found = in_every_order(
        fact("C", 0, id="OLD"),
        fact("D", 5),
        fact("C", 5, id="NEW"),
        fact("A", 5),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "agency", thing="NEW") == ["5- exists since 5 by carol"]
    assert shown(found, "permission", thing="NEW") == [f"5- not known {ORDER}"]


GRANTED_THEN_BOTH = (fact("C", 0), fact("A", 1), fact("A", 5, "bob"), fact("X", 5, "alice"))


def test_a_grant_and_a_revocation_in_one_second_are_open_if_both_orders_are_possible() -> None:
    found = in_every_order(*GRANTED_THEN_BOTH)
    assert shown(found, "permission") == ["1-5 granted since 1 by carol", f"5- not known {ORDER}"]


def test_a_later_revocation_settles_the_second_before_it() -> None:
    found = in_every_order(*GRANTED_THEN_BOTH, fact("X", 9))
    assert shown(found, "permission") == [
        "1-5 granted since 1 by carol",
        "5-9 granted since 5 by bob",
        "9- revoked since 9 by carol",
    ]


def test_a_later_deletion_that_needs_no_permissions_settles_the_second_before_it() -> None:
    found = in_every_order(*GRANTED_THEN_BOTH, fact("D", 9))
    assert shown(found, "permission") == [
        "1-5 granted since 1 by carol",
        "5- revoked since 5 by alice",
    ]


def test_a_revocation_in_the_second_of_the_first_grant_came_after_it() -> None:
    found = in_every_order(fact("C", 0), fact("A", 5), fact("X", 5, "alice"))
    assert shown(found, "permission") == ["5- revoked since 5 by alice"]


def test_granting_again_changes_neither_since_nor_by() -> None:
    found = in_every_order(fact("C", 0), fact("A", 10), fact("A", 30, "bob"))
    assert shown(found, "permission") == ["10- granted since 10 by carol"]


def test_a_deletion_only_proves_that_the_permission_had_ended() -> None:
    known = fact("C", 0), fact("A", 1), fact("D", 510, "bob")
    assert shown(in_every_order(*known), "permission") == [
        "1-510 granted since 1 by carol",
        "510- revoked since 510 (end not seen)",
    ]
    found = in_every_order(*known, fact("X", 480, "alice"))
    assert shown(found, "permission") == [
        "1-480 granted since 1 by carol",
        "480- revoked since 480 by alice",
    ]


def test_where_the_cloud_ends_grants_with_the_agency_the_deleter_ended_them() -> None:
    found = in_every_order(fact("C", 0), fact("A", 1), fact("D", 5, "bob"), rules=HUAWEICLOUD)
    assert shown(found, "permission")[-1] == "5- revoked since 5 by bob"


def test_a_grant_by_id_meets_a_revocation_by_name_when_the_creation_tells_both() -> None:
    grant, revoke = fact("A", 10, id="X"), fact("X", 20)
    alone = in_every_order(grant)
    assert shown(alone, "permission", thing="X", name=None) == ["10- granted since 10 by carol"]
    apart = in_every_order(grant, revoke)
    assert (
        shown(apart, "permission", name="ci")[-1]
        == "20- revoked since 20 by carol (grant not seen)"
    )
    joined = in_every_order(grant, revoke, fact("C", 0, id="X"))
    assert shown(joined, "permission", thing="X", name="ci") == [
        "10-20 granted since 10 by carol",
        "20- revoked since 20 by carol",
    ]


DAY = 86_400


def test_an_agency_grants_nothing_after_it_expired() -> None:
    found = in_every_order(fact("C", 0, expires_at=at(DAY)), fact("A", 1), rules=HUAWEICLOUD)
    assert shown(found, "permission") == [
        f"1-{DAY} granted since 1 by carol",
        f"{DAY}- revoked since {DAY} (expired)",
    ]
    assert shown(found, "agency")[-1] == f"{DAY}- expired since {DAY} (expired)"


def test_only_what_the_clock_ends_expires_by_itself() -> None:
    found = spans(
        fact("C", 0, expires_at=at(DAY)),
        fact("A", 1),
        fact("X", 2),
        fact("A", 3),
        fact("D", 2 * DAY),
        rules=HUAWEICLOUD,
    )
    assert {(span.subject, span.until_at) for span in found if span.expires} == {
        (subject, at(DAY)) for subject in ("agency", "permission")
    }


def test_an_expiry_that_is_set_to_a_past_time_is_the_end_by_that_call() -> None:
    found = in_every_order(
        fact("C", 0), fact("A", 1), fact("P", 9, "bob", expires_at=at(5)), rules=HUAWEICLOUD
    )
    assert shown(found, "permission")[-1] == "9- revoked since 9 by bob (expired)"
    assert not any(span.expires for span in found)


def test_whether_an_agency_expired_is_not_known_if_the_order_of_its_expiries_is_not() -> None:
    found = in_every_order(
        fact("C", 0),
        fact("A", 1),
        fact("P", 9, expires_at=at(20)),
        fact("P", 9, expires_at=FOREVER),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "permission")[-1] == f"9- not known {ORDER}"


def test_an_agency_whose_expiry_was_set_to_forever_before_does_not_expire() -> None:
    found = in_every_order(
        fact("C", 0, expires_at=at(DAY)), fact("A", 1), fact("P", 9, expires_at=FOREVER)
    )
    assert shown(found, "permission") == ["1- granted since 1 by carol"]


def test_an_agency_whose_end_was_not_seen_did_not_end_by_itself() -> None:
    found = spans(fact("C", 0, id="OLD"), fact("C", 4, id="NEW"))
    assert [span.expires for span in found if span.thing == "OLD"] == [False, False]


def test_a_success_proves_an_agency_whose_creation_was_not_seen() -> None:
    found = in_every_order(fact("A", 5))
    assert shown(found, "agency") == [
        "…-5 not known (creation not seen)",
        "5- exists since 5 (creation not seen)",
    ]


def test_a_success_after_a_deletion_proves_another_agency() -> None:
    found = in_every_order(fact("C", 0, id="OLD"), fact("D", 5), fact("E", 9))
    assert shown(found, "agency", thing="OLD")[-1] == "5- deleted since 5 by carol"
    assert shown(found, "agency", thing="ci~by~2026-03-01T12:00:09.000000Z") == [
        "5-9 not known (creation not seen)",
        "9- exists since 9 (creation not seen)",
    ]


def test_a_creation_ends_the_agency_that_had_the_name() -> None:
    found = in_every_order(fact("C", 0, id="OLD"), fact("A", 1), fact("C", 9, id="NEW"))
    assert shown(found, "agency", thing="OLD")[-1] == "9- deleted since 9 (end not seen)"
    assert shown(found, "permission", thing="OLD")[-1] == "9- revoked since 9 (end not seen)"
    assert shown(found, "permission", thing="NEW") == []


def test_a_revocation_alone_proves_a_grant_at_an_unknown_time() -> None:
    found = in_every_order(fact("C", 0), fact("X", 9))
    assert shown(found, "permission") == [
        "0-9 not known (grant not seen)",
        "9- revoked since 9 by carol (grant not seen)",
    ]


def test_a_deletion_that_is_a_task_is_asked_for_until_a_creation_proves_its_end() -> None:
    asked = fact("C", 0, id="OLD"), fact("L", 5, "bob")
    assert shown(in_every_order(*asked), "agency")[-1] == "5- deletion asked for since 5 by bob"
    found = in_every_order(*asked, fact("C", 9, id="NEW"))
    assert shown(found, "agency", thing="OLD")[1:] == [
        "5-9 deletion asked for since 5 by bob",
        "9- deleted since 9 (end not seen)",
    ]


def test_names_that_the_cloud_does_not_tell_apart_are_one() -> None:
    history = fact("C", 0, name="CI"), fact("D", 5, name="ci")
    assert shown(in_every_order(*history, rules=AWS), "agency")[-1] == "5- deleted since 5 by carol"
    assert len(shown(in_every_order(*history, rules=HUAWEICLOUD), "agency", name="CI")) == 1


def test_trust_ends_with_its_agency() -> None:
    found = in_every_order(
        fact("C", 0, trustee="service:ec2"), fact("T", 5, trustee="service:x"), fact("D", 9)
    )
    assert shown(found, "trust") == [
        "0-5 service:ec2 since 0 by carol",
        "5-9 service:x since 5 by carol",
        "9- ended since 9 by carol",
    ]


def test_facts_of_one_trace_keep_their_order() -> None:
    created = fact("C", 0), fact("A", 1)
    both = fact("X", 5, trace="t"), fact("A", 5, "bob", trace="t")
    found = in_every_order(*created)
    found = spans(*created, *both)
    assert shown(found, "permission")[-1] == "5- granted since 5 by bob"


def test_permissions_under_policies_of_which_only_the_ids_are_known_are_two() -> None:
    under = [fact("A", n, policy=None, policy_id=f"P{n}") for n in (1, 2)]
    found = spans(fact("C", 0), *under)
    assert shown(found, "permission", policy_id="P1") == ["1- granted since 1 by carol"]
    assert shown(found, "permission", policy_id="P2") == ["2- granted since 2 by carol"]


@pytest.mark.parametrize("cause", ["AgencyDeleted", "PolicyDeleted"])
def test_a_consequence_that_an_older_version_inferred_proves_nothing(cause: str) -> None:
    inferred = fact("X", 5, "bob", consequence_of=cause)
    found = in_every_order(fact("C", 0), fact("A", 1), fact("D", 5, "bob"), inferred)
    assert shown(found, "permission")[-1] == "5- revoked since 5 (end not seen)"


def test_commanded_consequences_follow_their_deletion() -> None:
    given = [
        fact("C", 0, origin="commanded"),
        fact("A", 0, origin="commanded"),
        fact("D", 5, "bob", origin="commanded"),
        fact("X", 5, "bob", origin="commanded", consequence_of="AgencyDeleted"),
    ]
    found = spans(*given)
    assert shown(found, "agency")[-1] == "5- deleted since 5 by bob"
    assert shown(found, "permission")[-1] == "5- revoked since 5 by bob"


@pytest.mark.parametrize(
    ("count", "shows"),
    [(6, f"5- granted since 5 {ORDER}"), (7, f"5- not known {ORDER}")],
)
def test_six_facts_of_a_kind_in_one_second_are_searched_and_seven_are_not(
    count: int, shows: str
) -> None:
    many = [fact("A", 5, f"p{index}") for index in range(count)]
    assert shown(spans(fact("C", 0), *many), "permission") == [shows]


def test_too_many_facts_of_a_kind_in_one_second_are_not_searched() -> None:
    many = [fact(letter, 5, f"p{index}") for index, letter in enumerate("AXAXAXAX")]
    found = spans(fact("C", 0), *many)
    assert shown(found, "permission") == [f"5- not known {ORDER}"]
    later = spans(fact("C", 0), *many, fact("A", 9))
    assert shown(later, "permission")[-1] == "9- granted since 9 by carol"


# -- whom an agency trusts ------------------------------------------------------------------------

BOTH = {"trustee": "account:d1", "trustee_id": "d1", "trustee_name": "partner"}


def test_an_account_that_is_named_by_id_and_by_name_is_one_trustee() -> None:
    """Each of the facts may come first; the one that tells both may be about another agency."""
    for other in ("ci", "other"):
        found = in_every_order(
            fact("C", 0, "alice", trustee="account:partner"),
            fact("T", 5, "bob", trustee="account:d1"),
            fact("T", 9, name=other, **BOTH),
            rules=HUAWEICLOUD,
        )
        assert shown(found, "trust", name="ci") == ["0- account:d1 since 0 by alice"]


def test_the_account_of_a_service_is_the_service_also_where_only_its_id_is_stated() -> None:
    found = in_every_order(
        fact("C", 0, "alice", trustee="account:d2"),
        fact("T", 5, "bob", trustee="service:asm", trustee_id="d2", trustee_name="op_svc_asm"),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "trust") == ["0- service:asm since 0 by alice"]


def test_a_name_that_two_accounts_had_stays_as_it_was_stated() -> None:
    found = in_every_order(
        fact("C", 0, "alice", trustee="account:partner"),
        fact("T", 5, name="other", **BOTH),
        fact("T", 9, name="third", **BOTH | {"trustee": "account:d9", "trustee_id": "d9"}),
        rules=HUAWEICLOUD,
    )
    assert shown(found, "trust", name="ci") == ["0- account:partner since 0 by alice"]
    assert shown(found, "trust", name="other") == ["5- account:d1 since 5 by carol"]


def of_agency(call: Call, seconds: float, **given: Any) -> Fact:
    return Fact(call, "agency", at(seconds), position=0, **{"actor": "carol", **given})


@pytest.mark.parametrize("rules", [AWS, HUAWEICLOUD])
def test_of_two_things_that_had_a_name_within_one_second_neither_is_known_to_have_ended_first(
    rules: Rules,
) -> None:
    """Calls prove both ids in one second. A later creation ends whichever still had the name."""
    found = spans(
        of_agency("created", 6, name="ci", trace="t"),
        of_agency("boundary set", 5, id="X1", trace="t"),
        of_agency("expiry set", 5, id="X1", name="ci", expires_at=at(99)),
        of_agency("granted", 5, id="X0", name="ci", region="*", policy="p", trace="t"),
        rules=rules,
    )
    for identity in ("X0", "X1"):
        lives = [span for span in found if span.thing == identity]
        assert shown(lives, "agency") == [
            "…-6 not known (creation not seen)",
            "6- deleted (creation not seen)",
        ]


def test_an_id_that_its_creation_tells_is_not_proven_a_second_time() -> None:
    found = in_every_order(
        of_agency("deleted", 5, id="X0", name="ci"),
        of_agency("created", 5, name="ci", trace="t"),
        of_agency("created", 5, id="X2", name="ci"),
        of_agency("deleted", 5, id="X2"),
    )
    assert shown([span for span in found if span.thing == "X2"], "agency") == [
        "5- deleted since 5 by carol"
    ]
