"""A name that changed hands between two sightings, and nobody saw the deletion and the creation."""

from __future__ import annotations

from typing import Final

import pytest

from ledger.account.truth.fact import Fact
from ledger.account.truth.lines import HOLDER_NOT_KNOWN
from ledger.account.truth.rules import AWS, HUAWEICLOUD
from tests.ledger.account.truth.histories import fact, in_every_order, shown, spans

CREATED: Final = fact("C", 0, "alice", id="A1")
USED: Final = fact("E", 1, id="A1", name="ci")
GRANTED: Final = fact("A", 5, "ops")
PROVEN: Final = fact("E", 10, id="A2", name="ci")
UNKNOWN: Final = f"not known ({HOLDER_NOT_KNOWN})"


@pytest.mark.parametrize("first", [(CREATED,), (USED,), (CREATED, USED)])
def test_a_grant_before_the_proof_of_a_new_role_is_that_of_the_new_role(
    first: tuple[Fact, ...],
) -> None:
    """AWS deletes no role that has a policy: on the old role, a revocation would be unseen too."""
    found = in_every_order(*first, GRANTED, PROVEN, rules=AWS)
    assert shown(found, "permission", thing="A2") == ["5- granted since 5 by ops"]
    assert shown(found, "permission", thing="A1") == []
    assert shown(found, "agency", thing="A1")[-1] == "5- deleted since 5 (end not seen)"
    assert shown(found, "agency", thing="A2") == ["5- exists since 5 (creation not seen)"]


def test_the_revocation_after_the_proof_ends_the_grant_before_it() -> None:
    found = in_every_order(CREATED, GRANTED, PROVEN, fact("X", 15, "dan"), rules=AWS)
    assert shown(found, "permission") == [
        "5-15 granted since 5 by ops",
        "15- revoked since 15 by dan",
    ]


def test_a_role_that_was_seen_after_the_grant_has_the_grant() -> None:
    found = in_every_order(CREATED, GRANTED, fact("E", 7, id="A1", name="ci"), PROVEN, rules=AWS)
    assert shown(found, "permission", thing="A1")[0] == "5-10 granted since 5 by ops"
    assert shown(found, "permission", thing="A2") == []


def test_the_name_may_change_hands_within_a_second() -> None:
    """The old role lost its policy, then the new one was given another, all in one second."""
    other = fact("A", 2, "ops", policy="read"), fact("E", 3, id="A1", name="ci")
    within = fact("X", 5, "dan", policy="read"), GRANTED
    found = in_every_order(CREATED, *other, *within, PROVEN, rules=AWS)
    assert shown(found, "permission", thing="A1")[-1] == "5- revoked since 5 by dan"
    assert shown(found, "permission", thing="A2") == ["5- granted since 5 by ops"]


def test_where_both_explanations_leave_as_many_facts_unseen_it_is_not_known() -> None:
    """Huawei Cloud ends the grants of an agency that is deleted."""
    found = in_every_order(CREATED, GRANTED, PROVEN, rules=HUAWEICLOUD)
    assert shown(found, "permission", thing="A1")[0] == f"5-10 {UNKNOWN}"
    assert all("not known" in text for text in shown(found, "permission", thing="A2"))
    assert shown(found, "agency", thing="A1")[1] == f"5-10 {UNKNOWN}"


def test_a_later_proof_settles_which_agency_had_the_name() -> None:
    seen = fact("E", 7, id="A1", name="ci")
    found = in_every_order(CREATED, GRANTED, PROVEN, seen, rules=HUAWEICLOUD)
    assert shown(found, "permission") == [
        "5-10 granted since 5 by ops",
        "10- revoked since 10 (end not seen)",
    ]


def test_a_change_of_the_trust_is_not_known_to_be_of_either_agency() -> None:
    trusted = fact("T", 5, "ops", trustee="service:x")
    found = in_every_order(CREATED, trusted, PROVEN, rules=HUAWEICLOUD)
    assert shown(found, "trust", thing="A1")[0] == f"5-10 {UNKNOWN}"


def test_if_a_name_may_have_changed_hands_at_too_many_times_it_is_not_known() -> None:
    grants = [fact("A", second, policy=f"p{second}") for second in range(2, 32)]
    found = spans(CREATED, *grants, fact("E", 40, id="A2", name="ci"), rules=HUAWEICLOUD)
    lasting = [span for span in found if span.subject == "permission" and span.until_at is None]
    assert lasting
    assert not any(span.status == "granted" for span in lasting)
