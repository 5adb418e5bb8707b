"""Two instants compared: keys, values before and after, who, when and why."""

from __future__ import annotations

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted, AgencyTrustChanged
from ledger.account.permissions import PermissionGranted
from ledger.as_of import AsOf
from ledger.errors import NotFound
from projections.audit.diff import diff
from projections.audit.difference import Difference, in_words
from projections.views import Views
from tests.projections.conftest import ACCOUNT
from tests.projections.worlds import See, World

NOTHING = AsOf(0)
SINGAPORE = "ap-southeast-3"


def position_of(views: Views, event: str) -> int:
    """Where the latest event of that name is."""
    rows = views.query(f"SELECT max(position) FROM audit_trail WHERE type = '{event}'").rows
    return int(rows[0][0])


def test_a_row_that_came_to_be_is_new(views: Views) -> None:
    found = diff(views, NOTHING, names=["policies"])
    (policy,) = found
    assert policy.change == "new"
    assert policy.key == {
        "provider": "huaweicloud",
        "account": ACCOUNT,
        "policy": "asm admin trust policy",
        "policy_id": policy.key["policy_id"],
    }
    assert policy.key["policy_id"]
    assert (policy.before, policy.after) == (None, {"status": "exists"})
    assert policy.what == f"huaweicloud {ACCOUNT} asm admin trust policy"


def test_a_row_that_changed_says_its_values_before_and_after_who_and_when(views: Views) -> None:
    revoked = position_of(views, "AuthorizationRevoked")
    (consent,) = diff(views, AsOf(revoked - 1), names=["authorizations"])
    assert consent.change == "changed"
    assert (consent.before, consent.after) == ({"status": "granted"}, {"status": "revoked"})
    assert consent.position == revoked
    (row,) = views.trail_at([revoked]).dicts()
    assert (consent.actor, consent.since) == (row["actor"], row["effective_at"])
    assert consent.reason is None


def test_a_row_that_was_not_there_before_is_gone_in_the_other_direction(views: Views) -> None:
    found = diff(views, None, NOTHING, names=["agencies"])
    (agency,) = found
    assert (agency.change, agency.after) == ("gone", None)
    assert agency.before is not None
    assert agency.before["status"] == "exists"
    assert agency.position == position_of(views, "AgencyCreated")


def test_equal_instants_do_not_differ(views: Views) -> None:
    assert diff(views, None, None) == []
    assert diff(views, AsOf(9), AsOf(9)) == []


def test_a_value_that_is_not_about_the_thing_makes_no_difference(world: World) -> None:
    """Somebody else consents again: the actor changes, and not how the consent stands."""
    from ledger.account.authorization import AuthorizationGranted

    before = world.ledger.last_position()
    again = AuthorizationGranted(
        service="asm", region="cn-north-4", services=("cce",), agencies=("asm_admin_trust",)
    )
    world.take(See(again, minute=300_000))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        (row,) = views.read("authorizations", where={"region": "cn-north-4"}).dicts()
        assert row["origin"] == "observed"
        assert diff(views, AsOf(before), names=["authorizations"]) == []


def test_a_derived_view_is_compared_by_what_works_and_what_is_missing(views: Views) -> None:
    revoked = position_of(views, "AuthorizationRevoked")
    found = diff(views, AsOf(revoked - 1), names=["capabilities"])
    assert {each.key["feature"] for each in found} == {"ingress-gateway", "mesh", "metrics"}
    for each in found:
        assert each.before == {"status": "works", "missing": ""}
        assert each.after is not None
        assert each.after["status"] == "broken"
        assert each.after["missing"]
        assert (each.position, each.actor, each.since) == (None, None, None)


def test_a_counter_is_compared_too_and_its_latest_event_names_the_actor(views: Views) -> None:
    found = diff(views, NOTHING, names=["attempts"])
    (attempts,) = found
    assert attempts.after == {"refused": 1, "carried_out": 0}
    assert attempts.actor is not None
    assert views.subject_names([attempts.actor]) == {attempts.actor: "mallory"}


def test_rows_are_chosen_and_views_without_such_a_column_left_out(views: Views) -> None:
    found = diff(views, NOTHING, where={"region": SINGAPORE, "account": None})
    assert {each.view for each in found} == {
        "regions", "authorizations", "logins", "capabilities",
    }  # fmt: skip
    assert {each.key["region"] for each in found} == {SINGAPORE}
    assert diff(views, NOTHING, where={"account": "another"}) == []


def test_differences_are_sorted_by_view_and_key(views: Views) -> None:
    found = diff(views, NOTHING, names=["policies", "regions"])
    assert found[0].view == "policies"
    keys = [tuple(each.key.values()) for each in found[1:]]
    assert keys == sorted(keys)


@pytest.mark.parametrize("name", ["nonsense", "audit_trail"])
def test_only_a_view_that_can_be_compared_is(views: Views, name: str) -> None:
    with pytest.raises(NotFound, match=name):
        diff(views, NOTHING, names=[name])


def test_a_reason_stands_with_the_difference(world: World) -> None:
    from ledger.account.policy import AttemptPolicyDeletion
    from tests.projections.worlds import Do

    before = world.ledger.last_position()
    command = AttemptPolicyDeletion(account=ACCOUNT, policy="asm admin trust policy", override=True)
    world.take(Do(command, actor="root", reason="not needed"))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        (policy,) = diff(views, AsOf(before), names=["policies"])
    assert policy.reason == "not needed"


def test_an_agency_created_again_is_new_and_the_old_one_has_changed(world: World) -> None:
    """Both have the same name. Neither may hide the other."""
    world.take(See(AgencyCreated(agency="a", agency_id="A1"), minute=1))
    first = world.ledger.last_position()
    world.take(See(AgencyDeleted(agency="a", agency_id="A1"), minute=2))
    world.take(See(AgencyCreated(agency="a", agency_id="A2"), minute=3))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        old, new = diff(views, AsOf(first), names=["agencies"], where={"agency": "a"})
    assert (old.change, old.key["agency_id"], old.after) == ("changed", "A1", DELETED)
    assert (new.change, new.key["agency_id"], new.after) == ("new", "A2", EXISTS)


def test_an_id_that_becomes_known_later_makes_no_other_agency(world: World) -> None:
    world.take(See(AgencyCreated(agency="a"), minute=1))
    first = world.ledger.last_position()
    world.take(See(AgencyTrustChanged(agency="a", agency_id="A1", trustee="service:s"), minute=2))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        assert diff(views, AsOf(first), names=["agencies"], where={"agency": "a"}) == []


def test_an_end_that_was_not_seen_is_nobodys(world: World) -> None:
    """At AWS a deletion proves that the permission had ended, and not by whom."""
    permission = PermissionGranted(agency="a", region="*", policy="p")
    world.take(See(AgencyCreated(agency="a"), 1, provider="aws"))
    world.take(See(permission, 2, provider="aws"))
    granted = world.ledger.last_position()
    world.take(See(AgencyDeleted(agency="a"), 3, provider="aws"))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        (ended,) = diff(views, AsOf(granted), names=["regions"], where={"provider": "aws"})
    assert ended.after == {"status": "revoked"}
    assert (ended.actor, ended.reason) == (None, None)


EXISTS = {"status": "exists", "expires_at": None}
DELETED = {"status": "deleted", "expires_at": None}


def test_how_a_row_stands_in_words() -> None:
    assert in_words(None) == ""
    assert in_words({"status": "granted"}) == "granted"
    assert in_words({"status": "broken", "missing": "cce,elb"}) == "broken cce,elb"
    assert in_words({"status": "exists", "agency_id": ""}) == "exists"
    assert in_words({"trustee": "service:asm", "status": "trusted"}) == "service:asm trusted"
    assert in_words({"features_used": 2, "features_refused": 0}) == (
        "2 features used, 0 features refused"
    )


def test_empty_parts_of_a_key_are_left_out_of_its_line() -> None:
    difference = Difference(
        view="attempts",
        key={"provider": "x", "agency": "", "policy": "p"},
        before=None,
        after={"refused": 1},
        since=None,
        position=None,
    )
    assert difference.what == "x p"
