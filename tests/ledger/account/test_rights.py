"""The services that an agency may use by policies: yes, no, or not known."""

from __future__ import annotations

import pytest

from ledger.account.agency import AgencyCreated, AgencyTrustChanged, AttemptAgencyDeletion
from ledger.account.decision import Circumstances
from ledger.account.impact import broken_features
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.questions import Account
from ledger.account.rights import rights
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASKED,
    BEIJING,
    NOON,
    POLICY,
    SHANGHAI,
    agency_created,
    at,
    given,
    policy_created,
)

PROJECT = "0123456789abcdef0123456789abcdef"
YES, NO, NOT_KNOWN = "yes", "no", "not known"


def under(policy: str, place: str | None = BEIJING, agency: str = AGENCY) -> PermissionGranted:
    """As a trace tells a grant: it names a policy, and no service."""
    return PermissionGranted(agency=agency, region=place, policy=policy)


def may(account: Account, service: str, region: str = BEIJING, agency: str = AGENCY) -> str:
    known = rights(account, agency, region, load_catalogue())
    if service in known.permitted:
        return YES
    return NO if known.lacks([service]) else NOT_KNOWN


def account_with(*events: DomainEvent) -> Account:
    return given(agency_created(), policy_created(), *events).account


@pytest.mark.parametrize(
    "policies",
    [[POLICY], ["Tenant Administrator"], ["CCE Administrator", "Tenant Guest"]],
    ids=["of 2025", "of 2020", "both of 2024"],
)
def test_all_policies_of_one_baseline_permit_its_services(policies: list[str]) -> None:
    account = account_with(*map(under, policies))
    assert {service: may(account, service) for service in ASKED} == dict.fromkeys(ASKED, YES)
    assert may(account, "obs") == NO


def test_a_part_of_a_baseline_may_permit_anything() -> None:
    account = account_with(under("CCE Administrator"))
    assert {may(account, service) for service in (*ASKED, "obs")} == {NOT_KNOWN}


def test_policies_of_one_baseline_in_two_regions_are_whole_in_none() -> None:
    account = account_with(under("CCE Administrator"), under("Tenant Guest", SHANGHAI))
    assert {may(account, "cce", region) for region in (BEIJING, SHANGHAI)} == {NOT_KNOWN}


def test_a_policy_for_all_regions_completes_a_baseline_in_each() -> None:
    account = account_with(under("CCE Administrator"), under("Tenant Guest", "*"))
    assert may(account, "cce") == YES
    assert may(account, "cce", SHANGHAI) == NOT_KNOWN


@pytest.mark.parametrize("where", [BEIJING, "*", PROJECT, "enterprise-project/7", None])
def test_a_policy_of_which_the_content_is_not_known_may_permit_anything(where: str | None) -> None:
    """Granted in the region, in all, or where no fact tells which region it is."""
    account = account_with(under("anything", where))
    assert may(account, "elb") == NOT_KNOWN


def test_a_policy_in_another_region_permits_nothing_in_this_one() -> None:
    assert may(account_with(under("anything", SHANGHAI)), "elb") == NO


def test_a_grant_in_an_enterprise_project_is_not_known_for_the_region() -> None:
    account = account_with(under(POLICY, "enterprise-project/7"))
    assert may(account, "elb") == NOT_KNOWN
    assert may(account, "elb", "enterprise-project/7") == NOT_KNOWN


def test_a_revoked_policy_permits_nothing() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, policy=POLICY)
    assert may(account_with(under(POLICY), lost), "elb") == NO


def test_a_policy_beside_a_whole_baseline_leaves_open_what_else_is_permitted() -> None:
    account = account_with(under(POLICY), under("anything"))
    assert (may(account, "elb"), may(account, "obs")) == (YES, NOT_KNOWN)


def test_an_agreement_in_the_console_of_a_service_leaves_open_what_its_agencies_may_use() -> None:
    agreed = PermissionsChanged(
        agency="CCENodeAgency", region=BEIJING, detail="createUserAgencies: agreed to in …"
    )
    account = given(agreed).account
    assert may(account, "ecs", BEIJING, "CCENodeAgency") == NOT_KNOWN
    assert may(account, "ecs", SHANGHAI, "CCENodeAgency") == NO
    gone = AttemptAgencyDeletion(account=ACCOUNT, agency="CCENodeAgency", override=True)
    account = given(agreed, gone).account
    assert may(account, "ecs", BEIJING, "CCENodeAgency") == NO


def test_the_impact_of_a_deletion_has_the_features_that_worked_by_policy() -> None:
    deletion = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY)
    then = given(agency_created(), policy_created(), under(POLICY)).when(deletion)
    [attempt] = then.facts[:1]
    assert getattr(attempt, "impact_features", None) == tuple(
        f"{BEIJING}/asm/{feature}" for feature in ("ingress-gateway", "mesh", "metrics")
    )


def impact_of_deletion(*history: DomainEvent) -> tuple[str, ...]:
    deletion = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY)
    [attempt] = given(agency_created(), policy_created(), *history).when(deletion).facts[:1]
    found: tuple[str, ...] = getattr(attempt, "impact_features", ())
    return found


def test_a_permission_for_all_regions_breaks_features_where_the_agency_has_another_one() -> None:
    found = impact_of_deletion(under(POLICY, "*"), under("anything", SHANGHAI))
    assert {feature.partition("/")[0] for feature in found} == {SHANGHAI, "*"}


def test_a_feature_that_another_agency_keeps_working_is_not_broken() -> None:
    older = ("CCEClusterAgency", "cce_cluster_agency")
    kept = [
        *(AgencyCreated(agency=name, trustee="service:cce") for name in older),
        *(under("Tenant Administrator", agency=name) for name in older),
    ]
    assert impact_of_deletion(under(POLICY), *kept) == impact_of_deletion(under(POLICY))


def test_a_project_known_by_its_id_is_not_another_one() -> None:
    account = account_with(under(POLICY, PROJECT))
    assert may(account, "elb", PROJECT) == YES
    assert may(account, "elb", PROJECT[::-1]) == NO
    assert may(account, "elb", BEIJING) == NOT_KNOWN


BY_ID = "account:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d"


@pytest.mark.parametrize("trustee", ["service:cce", "account:elsewhere", "saml-provider:x"])
def test_an_agency_of_that_name_that_trusts_another_party_permits_the_service_nothing(
    trustee: str,
) -> None:
    account = given(AgencyCreated(agency=AGENCY, trustee=trustee), under(POLICY)).account
    assert may(account, "cce") == NO
    assert rights(account, AGENCY, BEIJING, load_catalogue()).note == f"trusts {trustee}"


def test_an_account_that_is_known_by_its_id_alone_may_be_the_services() -> None:
    account = given(AgencyCreated(agency=AGENCY, trustee=BY_ID), under(POLICY)).account
    assert may(account, "cce") == NOT_KNOWN
    named = AgencyCreated(
        agency=AGENCY,
        trustee=BY_ID,
        trusted_account_id=BY_ID.removeprefix("account:"),
        trusted_account_name="acme",
    )
    assert may(given(named, under(POLICY)).account, "cce") == NO


def test_a_trust_that_changes_to_the_service_lets_it_act_again() -> None:
    other = AgencyCreated(agency=AGENCY, trustee="account:elsewhere")
    back = AgencyTrustChanged(agency=AGENCY, trustee="service:asm")
    account = given(other, under(POLICY), back).account
    assert may(account, "cce") == YES
    assert rights(account, AGENCY, BEIJING, load_catalogue()).note == ""


def test_an_agency_that_is_not_in_the_catalogue_may_trust_any_party() -> None:
    own = AgencyCreated(agency="ours", trustee="account:elsewhere")
    account = given(own, under("anything", agency="ours")).account
    assert may(account, "cce", agency="ours") == NOT_KNOWN


def test_the_name_of_another_account_tells_nothing_of_this_one() -> None:
    identity = BY_ID.removeprefix("account:")
    known = AgencyCreated(
        agency="ours",
        trustee="account:elsewhere",
        trusted_account_id="e" * 32,
        trusted_account_name="elsewhere",
    )
    by_id = AgencyCreated(agency=AGENCY, trustee=BY_ID, trusted_account_id=identity)
    assert may(given(known, by_id, under(POLICY)).account, "cce") == NOT_KNOWN


def test_only_an_account_may_be_the_services_own() -> None:
    other = AgencyCreated(agency=AGENCY, trustee=BY_ID.removeprefix("account:"))
    assert may(given(other, under(POLICY)).account, "cce") == NO


def test_where_the_last_trust_is_not_known_it_is_not_known_what_counts() -> None:
    """Two changes in one second, in an order that no trace tells."""
    there = AgencyTrustChanged(agency=AGENCY, trustee="account:elsewhere")
    back = AgencyTrustChanged(agency=AGENCY, trustee="service:asm")
    account = given(agency_created(), under(POLICY), at(9, there), at(9, back)).account
    assert may(account, "cce") == NOT_KNOWN


def test_without_a_permission_for_all_regions_features_break_where_the_agency_has_another() -> None:
    account = account_with(under(POLICY, "*"), under("anything", SHANGHAI))
    ended = [key for key in account.open_permissions(AGENCY) if key.place == "*"]
    assert len(ended) == 1
    found = broken_features(account, ended, Circumstances(NOON, load_catalogue()))
    assert {feature.partition("/")[0] for feature in found} == {SHANGHAI, "*"}
