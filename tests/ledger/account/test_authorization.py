from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyTrustChanged,
    AttemptAgencyDeletion,
)
from ledger.account.authorization import (
    AuthorizationDeclined,
    GrantAuthorization,
    RevokeAuthorization,
)
from ledger.account.permissions import (
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.account.policy import PolicyCreated
from ledger.errors import InvalidInput
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASKED,
    ASM,
    BEIJING,
    GUANGZHOU,
    NOON,
    POLICY,
    SHANGHAI,
    Step,
    agency_created,
    at,
    consent,
    decline,
    given,
    grant,
    granted,
    login,
    permissions_granted,
    policy_created,
    revoke,
)


def test_the_first_consent_creates_the_agency_its_policy_and_the_permissions() -> None:
    given(login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), agency_created(), policy_created(), *permissions_granted(BEIJING)
    )


def test_a_second_region_reuses_the_agency() -> None:
    given(*consent(BEIJING), login(SHANGHAI)).when(grant(SHANGHAI)).then(
        granted(SHANGHAI), *permissions_granted(SHANGHAI)
    )


def test_created_ids_have_the_clouds_form_and_are_the_same_if_decided_again() -> None:
    story = given(login(BEIJING))
    first, again = story.when(grant(BEIJING)).facts, story.when(grant(BEIJING)).facts
    assert first == again
    (agency,) = (fact for fact in first if isinstance(fact, AgencyCreated))
    (policy,) = (fact for fact in first if isinstance(fact, PolicyCreated))
    for made_up in (agency.agency_id, policy.policy_id):
        assert made_up is not None
        assert len(bytes.fromhex(made_up)) == 16
    assert agency.agency_id != policy.policy_id


def test_an_agency_created_again_has_another_id() -> None:
    first = given(login(BEIJING)).when(grant(BEIJING)).account.agency(AGENCY)
    deleted = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True)
    again = given(*consent(BEIJING), deleted, login(BEIJING)).when(grant(BEIJING))
    second = again.account.agency(AGENCY)
    assert first is not None
    assert second is not None
    assert second.id not in (None, first.id)


def test_consenting_twice_is_one_fact() -> None:
    given(*consent(BEIJING)).when(grant(BEIJING)).nothing("already authorized in cn-north-4")


def test_consent_needs_a_pending_request() -> None:
    given().when(grant(BEIJING)).refused("No authorization request of asm is pending")


def test_a_request_in_one_region_is_not_answered_in_another() -> None:
    given(login(BEIJING)).when(grant(SHANGHAI)).refused(f"pending in {SHANGHAI}")


def test_declining_closes_the_dialog_and_changes_nothing_else() -> None:
    then = given(login(BEIJING)).when(decline(BEIJING))
    then.then(AuthorizationDeclined(service=ASM, region=BEIJING))
    assert then.account.agency(AGENCY) is None
    assert then.account.open_permissions(AGENCY) == ()


def test_a_declined_dialog_is_not_consented_to_afterwards() -> None:
    given(login(BEIJING), decline(BEIJING)).when(grant(BEIJING)).refused("is pending")


def test_a_dialog_is_not_declined_after_consent() -> None:
    given(*consent(BEIJING)).when(decline(BEIJING)).refused("is pending")


def test_declining_twice_is_refused_the_second_time() -> None:
    given(login(BEIJING), decline(BEIJING)).when(decline(BEIJING)).refused("is pending")


def test_a_decline_in_one_region_leaves_consent_in_another() -> None:
    then = given(*consent(BEIJING), login(SHANGHAI)).when(decline(SHANGHAI))
    assert then.account.permitted_services(AGENCY, BEIJING) == set(ASKED)
    assert then.account.permitted_services(AGENCY, SHANGHAI) == set()


def test_consent_needs_room_for_the_agency_that_it_creates() -> None:
    others = [AgencyCreated(agency=f"agency {number}") for number in range(50)]
    given(login(BEIJING), *others[:-1]).when(grant(BEIJING)).then(
        granted(BEIJING), agency_created(), policy_created(), *permissions_granted(BEIJING)
    )
    given(login(BEIJING), *others).when(grant(BEIJING)).refused(
        "The account has 50 of 50 agencies; consent needs 1 more."
    )
    given(login(BEIJING), *others, AgencyCreated(agency=AGENCY)).when(grant(BEIJING)).then(
        granted(BEIJING), policy_created(), *permissions_granted(BEIJING)
    )


def test_consent_grants_only_what_is_missing() -> None:
    have = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce", policy=POLICY)
    given(*consent(SHANGHAI), have, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), *permissions_granted(BEIJING)[1:]
    )


def test_consent_to_a_new_request_grants_a_lost_permission_again() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, service="elb", policy=POLICY)
    story: tuple[Step, ...] = (*consent(BEIJING), lost)
    given(*story).when(grant(BEIJING)).refused("is pending")
    given(*story, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), permissions_granted(BEIJING)[2]
    )


def test_a_permission_for_all_regions_counts_in_each() -> None:
    everywhere = [
        PermissionGranted(agency=AGENCY, region="*", service=code, policy=POLICY) for code in ASKED
    ]
    then = given(*everywhere, login(GUANGZHOU)).when(grant(GUANGZHOU))
    then.then(granted(GUANGZHOU))


def test_an_agency_that_the_cloud_has_already_is_not_created_again() -> None:
    observed = AgencyCreated(agency=AGENCY, agency_id="f" * 32, trustee="service:asm")
    given(observed, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), policy_created(), *permissions_granted(BEIJING)
    )


@pytest.mark.parametrize(
    "proof",
    [
        PermissionGranted(agency=AGENCY, region=SHANGHAI, service="cce", policy=POLICY),
        PermissionRevoked(agency=AGENCY, region=SHANGHAI, service="cce", policy=POLICY),
    ],
)
def test_consent_on_an_agency_whose_creation_was_not_seen_reuses_it_and_its_policy(
    proof: PermissionGranted | PermissionRevoked,
) -> None:
    """It invents neither a creation nor a trustee."""
    given(proof, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), *permissions_granted(BEIJING)
    )


@pytest.mark.parametrize("deleted_before", [False, True])
def test_consent_invents_no_creation_while_an_agency_is_known_by_its_id_alone(
    deleted_before: bool,
) -> None:
    """It may be the one that consent needs, and the policy by its id may be that one's."""
    by_id = PermissionGranted(agency_id="A1", region=SHANGHAI, policy_id="P1")
    before = (AgencyCreated(agency=AGENCY), AgencyDeleted(agency=AGENCY)) if deleted_before else ()
    given(*before, by_id, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), *permissions_granted(BEIJING)
    )


@pytest.mark.parametrize(
    "settled",
    [
        AgencyDeleted(agency_id="A1"),
        AgencyDeleted(agency="another", agency_id="A1"),
        AgencyTrustChanged(agency="another", agency_id="A1", trustee="account:4711"),
    ],
)
def test_consent_creates_the_agency_once_the_unnamed_one_is_another_or_gone(
    settled: AgencyDeleted | AgencyTrustChanged,
) -> None:
    by_id = PermissionGranted(agency_id="A1", region=SHANGHAI, policy_id="P1")
    given(by_id, settled, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), agency_created(), policy_created(), *permissions_granted(BEIJING)
    )


def test_consent_on_an_agency_of_which_only_the_change_of_its_trust_was_seen_reuses_it() -> None:
    changed = AgencyTrustChanged(agency=AGENCY, trustee="account:4711")
    given(changed, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), policy_created(), *permissions_granted(BEIJING)
    )


def test_consent_reuses_an_agency_that_was_used_after_the_last_deletion_that_was_seen() -> None:
    deleted = AgencyDeleted(agency=AGENCY)
    proof = PermissionsChanged(agency=AGENCY, detail="updateAgencyAssignsByRole")
    given(*consent(BEIJING), deleted, proof, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), *permissions_granted(BEIJING)
    )


def test_consent_invents_no_creation_where_it_is_not_known_whether_the_agency_exists() -> None:
    one_instant = (at(0, AgencyDeleted(agency=AGENCY)), at(0, AgencyCreated(agency=AGENCY)))
    story = given(*one_instant, login(BEIJING))
    agency = story.account.agency(AGENCY)
    assert agency is not None
    assert agency.status == "not known"
    story.when(grant(BEIJING)).then(
        granted(BEIJING), policy_created(), *permissions_granted(BEIJING)
    )


def test_consent_after_the_agency_has_expired_creates_it_again() -> None:
    for_a_day = AgencyCreated(agency=AGENCY, expires_at=NOON + timedelta(days=1))
    given(for_a_day, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), policy_created(), *permissions_granted(BEIJING)
    )
    a_day_later = at(24 * 60, login(BEIJING))
    given(for_a_day, a_day_later).when(grant(BEIJING)).then(
        granted(BEIJING), agency_created(), policy_created(), *permissions_granted(BEIJING)
    )


def test_consent_after_the_agency_was_deleted_creates_it_again() -> None:
    gone = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True)
    given(*consent(BEIJING), gone, login(BEIJING)).when(grant(BEIJING)).then(
        granted(BEIJING), agency_created(), *permissions_granted(BEIJING)
    )


@pytest.mark.parametrize(
    ("day", "policies"),
    [
        ("2019-06-01", {"Tenant Administrator"}),
        ("2024-06-30", {"Tenant Administrator"}),
        ("2024-07-01", {"CCE Administrator", "Tenant Guest"}),
        ("2025-12-07", {"CCE Administrator", "Tenant Guest"}),
        ("2025-12-08", {POLICY}),
    ],
)
def test_consent_gives_what_the_catalogue_of_that_day_says(day: str, policies: set[str]) -> None:
    begin = datetime.fromisoformat(f"{day}T00:00Z")
    facts = given(login(BEIJING), begin=begin).when(grant(BEIJING)).facts
    assert {fact.policy for fact in facts if isinstance(fact, PermissionGranted)} == policies
    created = [fact.policy for fact in facts if isinstance(fact, PolicyCreated)]
    assert created == ([POLICY] if POLICY in policies else [])  # The others are the cloud's own.


def test_consent_gives_the_services_once_and_each_further_policy_beside_them() -> None:
    begin = datetime.fromisoformat("2024-09-24T00:00Z")
    then = given(login(BEIJING), begin=begin).when(grant(BEIJING))
    granted = [fact for fact in then.facts if isinstance(fact, PermissionGranted)]
    assert [(fact.service, fact.policy) for fact in granted] == [
        ("cce", "CCE Administrator"),
        ("vpc", "CCE Administrator"),
        ("elb", "CCE Administrator"),
        ("aom", "CCE Administrator"),
        (None, "Tenant Guest"),
    ]


@pytest.mark.parametrize("command", [GrantAuthorization, RevokeAuthorization])
def test_a_service_that_the_catalogue_lacks_cannot_be_authorized(
    command: type[GrantAuthorization | RevokeAuthorization],
) -> None:
    unknown = command(account=ACCOUNT, service="dli", region=BEIJING)
    given().when(unknown).fails_with(InvalidInput, "It has: huaweicloud asm")


def test_consent_at_another_provider_is_kept_apart() -> None:
    aws = GrantAuthorization(provider="aws", account=ACCOUNT, service=ASM, region=BEIJING)
    given(login(BEIJING)).when(aws).fails_with(InvalidInput, "no service 'asm' of 'aws'")


def test_late_news_of_a_deletion_leaves_a_later_consent_alone() -> None:
    story = given(*consent(BEIJING), at(0.5, AgencyDeleted(agency=AGENCY)))
    assert story.account.permitted_services(AGENCY, BEIJING) == set(ASKED)
    assert story.account.agency_exists(AGENCY)


regions = st.lists(
    st.text(st.characters(categories=("L", "N")), min_size=1, max_size=12), unique=True, max_size=8
)


@examples(regions=regions, account=st.from_regex(r"[A-Za-z0-9]{1,40}", fullmatch=True))
def test_any_account_in_any_number_of_regions_has_one_agency_and_its_services_in_each(
    regions: list[str], account: str
) -> None:
    story = [command for r in regions for command in (login(r, account), grant(r, account))]
    state = given(*story, account=account).account
    assert state.agency_count() == min(1, len(regions))
    assert state.regions_of(AGENCY) == tuple(sorted(regions))
    for region in regions:
        assert state.permitted_services(AGENCY, region) == set(ASKED)


@examples(regions=regions, data=st.data())
def test_revoking_some_regions_of_many_leaves_exactly_the_others(
    regions: list[str], data: st.DataObject
) -> None:
    left = [region for region in regions if data.draw(st.booleans())]
    story = [*consent(*regions), *(revoke(region) for region in regions if region not in left)]
    assert given(*story).account.regions_of(AGENCY) == tuple(sorted(left))
