"""Consent that is inferred: every policy of one baseline, or an agreement in a console."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.authorization import (
    AuthorizationGranted,
    AuthorizationRefused,
    AuthorizationRevoked,
    GrantAuthorization,
)
from ledger.account.consent import Consent, inferred_consent
from ledger.account.console import ConsoleLoginRequested, RequestConsoleLogin
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.questions import Account
from ledger.catalogue import load_catalogue
from ledger.messages import Command, DomainEvent
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASKED,
    ASM,
    BEIJING,
    NOON,
    POLICY,
    SHANGHAI,
    agency_created,
    at,
    consent,
    decline,
    given,
    grant,
    login,
    policy_created,
    revoke,
)

AGREED = PermissionsChanged(
    agency="CCENodeAgency", region=BEIJING, detail="createUserAgencies: agreed to in …"
)


def under(policy: str, place: str = BEIJING) -> PermissionGranted:
    return PermissionGranted(agency=AGENCY, region=place, policy=policy)


def lost(policy: str) -> PermissionRevoked:
    return PermissionRevoked(agency=AGENCY, region=BEIJING, policy=policy)


def consented(account: Account, region: str = BEIJING, service: str = ASM) -> Consent | None:
    known = load_catalogue().service("huaweicloud", service)
    return inferred_consent(account, known, region)


IMPORTED: tuple[DomainEvent, ...] = (agency_created(), policy_created(), under(POLICY))


def test_a_consent_that_is_inferred_is_not_asked_for_again() -> None:
    then = given(*IMPORTED).when(grant(BEIJING))
    then.then()
    assert f"already authorized in {BEIJING} (inferred from '{POLICY}'" in then.decided().note
    assert "Nothing was appended" in then.decided().note
    given(*IMPORTED).when(login(BEIJING)).then(
        ConsoleLoginRequested(service=ASM, region=BEIJING, outcome="admitted")
    )


def test_it_is_inferred_in_the_region_of_the_grant_only() -> None:
    account = given(*IMPORTED).account
    assert consented(account) is not None
    assert consented(account, SHANGHAI) is None


def test_it_begins_with_the_grant_that_completes_a_baseline() -> None:
    two = (agency_created(), at(5, under("CCE Administrator")), at(9, under("Tenant Guest")))
    found = consented(given(*two).account)
    assert found is not None
    assert found.since == NOON + timedelta(minutes=9)
    assert consented(given(*two[:2]).account) is None


@pytest.mark.parametrize("policy", ["CCE Administrator", "Tenant Guest"])
def test_it_ends_with_any_policy_that_it_needs(policy: str) -> None:
    two = (agency_created(), under("CCE Administrator"), under("Tenant Guest"))
    assert consented(given(*two, lost(policy)).account) is None
    older = (*two, under("Tenant Administrator"), lost(policy))
    assert consented(given(*older).account) is not None, "another baseline is still whole"


def test_a_grant_in_an_enterprise_project_is_not_a_consent_for_a_region() -> None:
    account = given(agency_created(), under(POLICY, "enterprise-project/7")).account
    assert consented(account) is None


def test_a_grant_for_global_services_is_not_a_consent_for_a_region() -> None:
    account = given(agency_created(), under(POLICY, "global")).account
    assert consented(account, "global") is None
    assert consented(account) is None


def test_an_agency_of_that_name_that_trusts_somebody_else_shows_no_consent() -> None:
    own = AgencyCreated(agency=AGENCY, trustee="account:elsewhere")
    assert consented(given(own, under(POLICY)).account) is None


def test_a_recorded_consent_counts_before_an_inferred_one() -> None:
    then = given(*IMPORTED, *consent(SHANGHAI)).when(grant(SHANGHAI))
    assert "inferred" not in then.decided().note


def test_a_revocation_that_is_recorded_later_ends_it() -> None:
    then = given(*IMPORTED).when(revoke(BEIJING))
    assert isinstance(then.facts[0], AuthorizationRevoked)
    assert consented(given(*IMPORTED, revoke(BEIJING)).account) is None
    [refused] = given(*IMPORTED, revoke(BEIJING)).when(grant(BEIJING)).facts
    assert isinstance(refused, AuthorizationRefused)


def test_a_grant_after_a_decline_is_a_consent_again() -> None:
    asked = (login(BEIJING), at(20, under(POLICY)))
    assert consented(given(*asked).account) is not None


def test_an_agreement_in_the_console_of_cce_is_consent() -> None:
    account = given(AGREED).account
    found = consented(account, service="cce")
    assert found is not None
    assert found.since == NOON
    assert consented(account, SHANGHAI, "cce") is None
    of_cce = {"account": ACCOUNT, "service": "cce", "region": BEIJING}
    then = given(AGREED).when(GrantAuthorization.model_validate(of_cce))
    assert "already authorized in cn-north-4 (inferred from the agreement of" in then.decided().note
    given(AGREED).when(RequestConsoleLogin.model_validate(of_cce)).then(
        ConsoleLoginRequested(service="cce", region=BEIJING, outcome="admitted")
    )


@pytest.mark.parametrize("dialog", [(), (decline(BEIJING),)])
def test_a_dialog_does_not_hide_an_inferred_consent(dialog: tuple[Command, ...]) -> None:
    before = given(login(BEIJING), *dialog, at(-60, agency_created()), at(-50, under(POLICY)))
    found = consented(before.account)
    assert found is not None
    assert found.since == NOON - timedelta(minutes=50)
    before.when(login(BEIJING)).then(
        ConsoleLoginRequested(service=ASM, region=BEIJING, outcome="admitted")
    )


def test_a_dialog_after_a_revocation_does_not_bring_the_revoked_consent_back() -> None:
    revoked = AuthorizationRevoked(service=ASM, region=BEIJING)
    every_region = under(POLICY, "*")
    asked = (agency_created(), every_region, revoked, login(BEIJING))
    assert consented(given(*asked).account) is None


def test_a_consent_that_may_have_been_given_is_not_known() -> None:
    """An agreement whose region no trace tells, and an account that may be the service's own."""
    nowhere = given(AGREED.model_copy(update={"region": None}))
    found = consented(nowhere.account, service="cce")
    assert found is not None
    assert (found.is_known, found.since) == (False, None)
    assert found.rests_on.startswith("in which region the agreement of 2026-03-01")
    by_id = AgencyCreated(agency=AGENCY, trustee="account:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d")
    doubtful = consented(given(by_id, under(POLICY)).account)
    assert doubtful is not None
    assert (doubtful.is_known, doubtful.since) == (False, None)
    assert doubtful.rests_on == f"whether '{POLICY}' are granted is not known"


def test_a_consent_that_is_not_known_makes_the_outcome_of_a_login_unknown() -> None:
    nowhere = given(AGREED.model_copy(update={"region": None}))
    of_cce = {"account": ACCOUNT, "service": "cce", "region": BEIJING}
    then = nowhere.when(RequestConsoleLogin.model_validate(of_cce))
    then.then(ConsoleLoginRequested(service="cce", region=BEIJING, outcome="unknown"))
    assert "Whether cce is authorized in cn-north-4 is not known (in which" in then.decided().note
    answer = nowhere.when(GrantAuthorization.model_validate(of_cce))
    answer.then()
    assert answer.decided().note.endswith("Nothing was appended.")


def test_a_consent_with_a_policy_of_unknown_content_is_not_known_to_lack_anything() -> None:
    other = PermissionGranted(agency=AGENCY, region=BEIJING, policy="anything")
    ended = tuple(
        PermissionRevoked(agency=AGENCY, region=BEIJING, service=code, policy=POLICY)
        for code in ASKED
    )
    recorded = given(*consent(BEIJING), *ended, other)
    recorded.when(login(BEIJING)).then(
        ConsoleLoginRequested(service=ASM, region=BEIJING, outcome="unknown")
    )
    asked_for = given(*consent(BEIJING), *ended).when(login(BEIJING)).facts
    assert isinstance(asked_for[0], ConsoleLoginRequested)
    assert asked_for[0].outcome == "dialog"


def test_a_dialog_that_is_open_can_be_answered_though_consent_is_not_known() -> None:
    asked = GrantAuthorization(account=ACCOUNT, service="cce", region=BEIJING)
    nowhere = AGREED.model_copy(update={"region": None})
    opened = RequestConsoleLogin(account=ACCOUNT, service="cce", region=BEIJING)
    facts = given(opened, nowhere).when(asked).facts
    assert isinstance(facts[0], AuthorizationGranted)


def test_a_recorded_consent_hides_an_inferred_one_of_any_age() -> None:
    answer = AuthorizationGranted(service=ASM, region=BEIJING, services=(), agencies=())
    assert consented(given(*IMPORTED, answer).account) is None
    assert consented(given(answer, *IMPORTED).account) is None


def test_it_counts_after_a_revocation_if_it_began_later_and_not_if_that_is_not_known() -> None:
    ended = AuthorizationRevoked(service=ASM, region=BEIJING)
    found = consented(given(ended, *IMPORTED).account)
    assert found is not None
    assert found.since == NOON + timedelta(minutes=3)
    agreed_before = given(AGREED, ended.model_copy(update={"service": "cce"})).account
    assert consented(agreed_before, service="cce") is None


def test_a_service_whose_baselines_have_no_policies_shows_no_consent_by_policies() -> None:
    """CTS: nothing is granted, and nothing is needed; that is not a consent, nor a doubt."""
    assert consented(given(*IMPORTED).account, service="cts") is None


def test_a_consent_says_what_it_follows_from() -> None:
    found = consented(given(*IMPORTED).account)
    assert found is not None
    assert found.rests_on == f"'{POLICY}', granted since 2026-03-01 12:02:00Z"
    agreed = AGREED.model_copy(update={"agency": None, "agency_id": "a-9"})
    created = AgencyCreated(agency="CCENodeAgency", agency_id="a-9")
    for before, called in (((), "a-9"), ((created,), "CCENodeAgency")):
        consent_of_cce = consented(given(*before, agreed).account, service="cce")
        assert consent_of_cce is not None
        assert consent_of_cce.rests_on.endswith(f"to {called}")


def test_of_two_agencies_of_one_name_each_needs_all_policies_itself() -> None:
    """And the policies of one are not the beginning of the other's consent."""
    parts = [
        PermissionGranted(agency=AGENCY, agency_id=identity, region=BEIJING, policy=policy)
        for identity, policy in (
            ("a-1", "CCE Administrator"),
            ("a-2", "CCE Administrator"),
            ("a-2", "Tenant Guest"),
        )
    ]
    made = [AgencyCreated(agency=AGENCY, agency_id=each) for each in ("a-1", "a-2")]
    story = (at(0, made[0]), at(1, parts[0]), at(10, made[1]), at(11, parts[1]), at(12, parts[2]))
    found = consented(given(*story).account)
    assert found is not None
    assert found.since == NOON + timedelta(minutes=12)
    assert consented(given(*story[:4]).account) is None


@pytest.mark.parametrize("places", [(BEIJING, "*"), ("*", BEIJING)])
def test_the_first_of_two_grants_of_one_policy_is_its_beginning(places: tuple[str, str]) -> None:
    first, second = (under(POLICY, place) for place in places)
    for story in ((at(5, first), at(9, second)), (at(9, second), at(5, first))):
        found = consented(given(*story).account)
        assert found is not None
        assert found.since == NOON + timedelta(minutes=5)


def test_policies_name_the_permissions_of_a_consent_and_nothing_else_does() -> None:
    by_policies = consented(given(*IMPORTED).account)
    by_agreement = consented(given(AGREED).account, service="cce")
    by_id = AgencyCreated(agency=AGENCY, trustee="account:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d")
    in_doubt = consented(given(by_id, under(POLICY)).account)
    assert by_policies is not None
    assert by_agreement is not None
    assert in_doubt is not None
    assert by_policies.has_all_permissions
    assert not by_agreement.has_all_permissions
    assert not in_doubt.has_all_permissions


def of(identity: str, policy: str) -> PermissionGranted:
    return PermissionGranted(agency=AGENCY, agency_id=identity, region=BEIJING, policy=policy)


def test_a_policy_of_another_agency_of_the_name_is_not_the_beginning() -> None:
    first, second = (AgencyCreated(agency=AGENCY, agency_id=each) for each in ("a-1", "a-2"))
    story = (
        at(0, first),
        at(1, of("a-1", "Tenant Guest")),
        at(10, second),
        at(11, of("a-2", "CCE Administrator")),
        at(12, of("a-2", "Tenant Guest")),
    )
    found = consented(given(*story).account)
    assert found is not None
    assert found.since == NOON + timedelta(minutes=12)


def test_a_grant_for_one_service_is_not_the_beginning_of_a_consent_by_its_policy() -> None:
    for_elb = PermissionGranted(agency=AGENCY, region=BEIJING, service="elb", policy=POLICY)
    found = consented(given(agency_created(), at(2, for_elb), at(9, under(POLICY))).account)
    assert found is not None
    assert found.since == NOON + timedelta(minutes=9)
