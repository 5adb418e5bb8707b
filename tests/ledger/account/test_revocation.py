"""Consent that a person takes back: what ends with it, and what stays."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from ledger.account.authorization import (
    AuthorizationRevoked,
    GrantAuthorization,
)
from ledger.account.permissions import (
    PermissionGranted,
    PermissionRevoked,
)
from tests.ledger.scenario import (
    AGENCY,
    ASKED,
    ASM,
    BEIJING,
    POLICY,
    SHANGHAI,
    at,
    consent,
    decline,
    given,
    grant,
    login,
    permissions_revoked,
    revoke,
)


def test_a_revoked_consent_takes_every_policy_back() -> None:
    begin = datetime.fromisoformat("2024-09-24T00:00Z")
    story = given(login(BEIJING), grant(BEIJING), begin=begin)
    assert story.when(revoke(BEIJING)).account.open_permissions(AGENCY) == ()


def test_revoking_ends_that_regions_permissions_only_and_says_until_when_credentials_work() -> None:
    story = given(*consent(BEIJING, SHANGHAI))
    then = story.when(revoke(BEIJING))
    then.then(
        AuthorizationRevoked(
            service=ASM,
            region=BEIJING,
            agencies=(AGENCY,),
            credentials_usable_until=story.now + timedelta(days=1),
        ),
        *permissions_revoked(BEIJING, "AuthorizationRevoked"),
    )
    assert then.account.regions_of(AGENCY) == (SHANGHAI,)
    assert then.account.agency_exists(AGENCY)


def test_revoking_leaves_permissions_for_all_regions() -> None:
    everywhere = PermissionGranted(agency=AGENCY, region="*", service="cce")
    then = given(*consent(BEIJING), everywhere).when(revoke(BEIJING))
    assert then.account.permitted_services(AGENCY, BEIJING) == {"cce"}


@pytest.mark.parametrize(
    "story",
    [
        (),
        (login(BEIJING),),
        (login(BEIJING), decline(BEIJING)),
        (*consent(BEIJING), revoke(BEIJING)),
    ],
    ids=["never asked", "only asked", "declined", "revoked already"],
)
def test_revoking_a_service_that_is_not_authorized_appends_nothing(
    story: tuple[GrantAuthorization],
) -> None:
    given(*story).when(revoke(BEIJING)).nothing("is not authorized in")


def test_a_consent_whose_permissions_were_all_lost_is_revoked() -> None:
    lost = [
        PermissionRevoked(agency=AGENCY, region=BEIJING, service=code, policy=POLICY)
        for code in ASKED
    ]
    (taken_back,) = given(*consent(BEIJING), *lost).when(revoke(BEIJING)).facts
    assert isinstance(taken_back, AuthorizationRevoked)
    assert taken_back.agencies == (AGENCY,)


def test_revoking_also_ends_permissions_granted_apart_from_the_consent() -> None:
    more = PermissionGranted(agency=AGENCY, region=BEIJING, policy="CCE ReadOnly")
    then = given(*consent(BEIJING), more).when(revoke(BEIJING))
    assert (
        PermissionRevoked(
            agency=AGENCY,
            region=BEIJING,
            policy="CCE ReadOnly",
            consequence_of="AuthorizationRevoked",
        )
        in then.facts
    )
    assert then.account.open_permissions(AGENCY) == ()


def test_revoking_claims_no_end_of_a_permission_that_is_not_known_to_be_granted() -> None:
    own = {"agency": AGENCY, "region": BEIJING, "policy": "own"}
    again, lost = PermissionGranted.model_validate(own), PermissionRevoked.model_validate(own)
    story = given(again, *consent(BEIJING), at(2, again), at(2, lost))
    permission = story.account.permission(AGENCY, BEIJING, None, "own")
    assert permission is not None
    assert permission.status == "not known"
    story.when(revoke(BEIJING)).then(
        AuthorizationRevoked(
            service=ASM,
            region=BEIJING,
            agencies=(AGENCY,),
            credentials_usable_until=story.now + timedelta(days=1),
        ),
        *permissions_revoked(BEIJING, "AuthorizationRevoked"),
    )
