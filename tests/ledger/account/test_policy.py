from __future__ import annotations

from pathlib import Path

from ledger.account.agency import AgencyCreated
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import (
    AttemptPolicyDeletion,
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.errors import InvalidInput, NotFound
from tests.ledger.account.test_agency import own_service
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    NOON,
    POLICY,
    SHANGHAI,
    consent,
    given,
    granted,
    login,
    permissions_granted,
    permissions_revoked,
    policy_created,
)
from tests.ledger.scenario import grant as ok_button

BROKEN = tuple(
    sorted(
        f"{region}/asm/{name}"
        for region in (BEIJING, SHANGHAI)
        for name in ("ingress-gateway", "mesh", "metrics")
    )
)


def delete(policy: str = POLICY, *, override: bool = False) -> AttemptPolicyDeletion:
    return AttemptPolicyDeletion(account=ACCOUNT, policy=policy, override=override)


def test_deleting_the_protected_policy_is_refused_and_recorded_with_its_impact() -> None:
    then = given(*consent(BEIJING, SHANGHAI)).when(delete())
    then.refused(
        "is protected",
        PolicyDeletionAttempted(
            policy=POLICY,
            outcome="refused",
            impact_regions=(SHANGHAI, BEIJING),
            impact_features=BROKEN,
            why="The policy 'asm admin trust policy' is protected: ASM acts through "
            "asm_admin_trust and this policy; the manual says not to delete it.",
        ),
    )
    assert "--override and --reason" in then.decided().remedy
    assert then.account.policy_exists(POLICY)


def test_an_override_needs_a_reason() -> None:
    given(*consent(BEIJING)).when(delete(override=True)).fails_with(InvalidInput, "--reason")


def test_an_override_with_a_reason_ends_all_that_was_permitted_under_the_policy() -> None:
    then = given(*consent(BEIJING, SHANGHAI)).when(delete(override=True), reason="an experiment")
    then.then(
        PolicyDeletionAttempted(
            policy=POLICY,
            outcome="carried-out",
            override=True,
            impact_regions=(SHANGHAI, BEIJING),
            impact_features=BROKEN,
        ),
        PolicyDeleted(policy=POLICY),
        *permissions_revoked(BEIJING, "PolicyDeleted"),
        *permissions_revoked(SHANGHAI, "PolicyDeleted"),
    )
    assert then.account.agency_exists(AGENCY), "the agency stays, without rights"
    assert not then.account.policy_exists(POLICY)


def test_deleting_a_policy_leaves_the_permissions_of_other_policies() -> None:
    other = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce", policy="CCE Admin")
    then = given(*consent(BEIJING), other).when(delete(override=True), reason="an experiment")
    assert then.account.permitted_services(AGENCY, BEIJING) == {"cce"}


def test_deleting_a_policy_ends_permissions_of_every_agency_under_it() -> None:
    other = PermissionGranted(agency="backup", region=SHANGHAI, service="vpc", policy=POLICY)
    then = given(*consent(BEIJING), AgencyCreated(agency="backup"), other).when(
        delete(override=True), reason="an experiment"
    )
    assert then.account.open_permissions("backup") == ()


def test_ending_a_permission_that_no_feature_needs_breaks_none() -> None:
    also = PermissionGranted(agency=AGENCY, region=BEIJING, service="obs", policy="own")
    story = given(*consent(BEIJING), PolicyCreated(policy="own"), also)
    story.when(delete("own")).then(
        PolicyDeletionAttempted(policy="own", outcome="carried-out", impact_regions=(BEIJING,)),
        PolicyDeleted(policy="own"),
        PermissionRevoked(
            agency=AGENCY,
            region=BEIJING,
            service="obs",
            policy="own",
            consequence_of="PolicyDeleted",
        ),
    )


def test_a_service_permitted_by_two_policies_survives_the_end_of_one_without_impact() -> None:
    twice = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce", policy="own")
    story = given(*consent(BEIJING), PolicyCreated(policy="own"), twice)
    then = story.when(delete("own"))
    attempt = then.facts[0]
    assert isinstance(attempt, PolicyDeletionAttempted)
    assert attempt.impact_features == ()
    assert "cce" in then.account.permitted_services(AGENCY, BEIJING)


def test_a_permission_for_all_regions_breaks_features_in_each_region_that_needs_it() -> None:
    everywhere = PermissionGranted(agency=AGENCY, region="*", service="vpc", policy="own")
    here = PermissionGranted(agency=AGENCY, region=BEIJING, service="elb")
    attempt = given(PolicyCreated(policy="own"), everywhere, here).when(delete("own")).facts[0]
    assert isinstance(attempt, PolicyDeletionAttempted)
    assert attempt.impact_regions == ("*",)
    assert attempt.impact_features == (f"{BEIJING}/asm/ingress-gateway",)


def test_an_unprotected_policy_is_deleted_at_once() -> None:
    given(PolicyCreated(policy="own")).when(delete("own")).then(
        PolicyDeletionAttempted(policy="own", outcome="carried-out"), PolicyDeleted(policy="own")
    )


def test_a_policy_that_the_catalogue_does_not_protect_is_deleted_without_override(
    tmp_path: Path,
) -> None:
    catalogue = own_service(tmp_path, policy="mine policy", policy_kind="custom")
    given(PolicyCreated(policy="mine policy"), catalogue=catalogue).when(
        delete("mine policy")
    ).then(
        PolicyDeletionAttempted(policy="mine policy", outcome="carried-out"),
        PolicyDeleted(policy="mine policy"),
    )


def test_a_policy_whose_creation_was_not_seen_is_deleted_and_ends_what_it_permits() -> None:
    here = PermissionGranted(agency="backup", region=BEIJING, policy="own")
    given(here).when(delete("own")).then(
        PolicyDeletionAttempted(policy="own", outcome="carried-out", impact_regions=(BEIJING,)),
        PolicyDeleted(policy="own"),
        PermissionRevoked(
            agency="backup", region=BEIJING, policy="own", consequence_of="PolicyDeleted"
        ),
    )


def test_a_policy_of_the_clouds_own_is_not_the_accounts_to_delete() -> None:
    here = PermissionGranted(agency=AGENCY, region=BEIJING, policy="CCE Administrator")
    given(here).when(delete("CCE Administrator")).fails_with(NotFound, "has no policy")


def test_permissions_that_were_granted_under_a_former_name_end_with_the_policy() -> None:
    made = PolicyCreated(policy="old", policy_id="p-1")
    here = PermissionGranted(agency="backup", region=BEIJING, policy="old")
    renamed = PolicyChanged(policy="new", policy_id="p-1")
    story = given(made, here, renamed)
    story.when(delete("old")).fails_with(NotFound, "has no policy 'old'")
    then = story.when(delete("new"))
    assert then.facts[-1] == PermissionRevoked(
        agency="backup", region=BEIJING, policy="new", consequence_of="PolicyDeleted"
    )
    assert then.account.open_permissions("backup") == ()


def test_a_permission_is_named_by_the_present_name_of_its_policy() -> None:
    made = PolicyCreated(policy="own", policy_id="p-1")
    here = PermissionGranted(agency="backup", region=BEIJING, policy="own")
    (key,) = given(made, here).account.open_permissions("backup")
    assert (key.policy, key.policy_id) == ("own", None)
    renamed = PolicyChanged(policy="new", policy_id="p-1")
    (key,) = given(made, here, renamed).account.open_permissions("backup")
    assert (key.policy, key.policy_id) == ("new", None)


def test_another_policy_under_a_former_name_ends_nothing_of_its_predecessor() -> None:
    made = PolicyCreated(policy="own", policy_id="p-1")
    here = PermissionGranted(agency="backup", region=BEIJING, service="cce", policy="own")
    renamed = PolicyChanged(policy="new", policy_id="p-1")
    again = PolicyCreated(policy="own", policy_id="p-2")
    then = given(made, here, renamed, again).when(delete("own"))
    assert PolicyDeleted(policy="own", policy_id="p-2") in then.facts
    assert then.account.permitted_services("backup", BEIJING) == {"cce"}


def test_the_deletion_names_the_id_that_was_created() -> None:
    facts = given(PolicyCreated(policy="own", policy_id="9" * 32)).when(delete("own")).facts
    assert PolicyDeleted(policy="own", policy_id="9" * 32) in facts


def test_a_policy_that_does_not_exist_is_not_found() -> None:
    given().when(delete()).fails_with(NotFound, "has no policy 'asm admin trust policy'")
    given(*consent(BEIJING), delete(override=True)).when(delete()).fails_with(NotFound, "no policy")


def test_a_changed_policy_changes_no_permission() -> None:
    account = given(*consent(BEIJING), PolicyChanged(policy=POLICY, detail="v2")).account
    assert account.policy_exists(POLICY)
    assert account.regions_of(AGENCY) == (BEIJING,)


def test_consent_creates_a_deleted_policy_again() -> None:
    story = (*consent(BEIJING), delete(override=True), login(BEIJING))
    given(*story).when(ok_button(BEIJING)).then(
        granted(BEIJING), policy_created(), *permissions_granted(BEIJING)
    )


def test_a_change_that_leaves_the_document_as_it_was_keeps_it_known() -> None:
    digest = "ab" * 32
    created = PolicyCreated(policy="narrow", policy_id="p1", document=digest)
    described = PolicyChanged(policy="narrow", policy_id="p1", content="unchanged")
    content = given(created, described).account.content_of_policy("narrow")
    assert content is not None
    assert (content.digest, content.since) == (digest, NOON)
    silent = described.model_copy(update={"content": None})
    content = given(created, silent).account.content_of_policy("narrow")
    assert content is not None
    assert content.digest == ""
