from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.account.agency import (
    AgencyCreated,
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyTrustChanged,
    AttemptAgencyDeletion,
    CreateAgency,
)
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import AttemptPolicyDeletion, PolicyCreated, PolicyDeletionAttempted
from ledger.catalogue import Catalogue, load_catalogue
from ledger.errors import InvalidInput, NotFound
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    NOON,
    POLICY,
    SHANGHAI,
    Step,
    agency_created,
    at,
    consent,
    given,
    login,
    permissions_revoked,
    policy_created,
    revoke,
)

FEATURES = ("ingress-gateway", "mesh", "metrics")


def create(agency: str, **more: str) -> CreateAgency:
    return CreateAgency.model_validate({"account": ACCOUNT, "agency": agency, **more})


def delete(agency: str = AGENCY, *, override: bool = False) -> AttemptAgencyDeletion:
    return AttemptAgencyDeletion(account=ACCOUNT, agency=agency, override=override)


def test_an_agency_outside_the_catalogue_is_created_as_requested() -> None:
    given().when(create("backup", trustee="service:cbr", policy="backup policy")).then(
        AgencyCreated(agency="backup", trustee="service:cbr"),
        PolicyCreated(policy="backup policy", agency="backup"),
    )


def test_an_agency_without_a_policy_is_created_alone() -> None:
    given().when(create("backup")).then(AgencyCreated(agency="backup"))


def test_the_agency_of_a_service_is_created_as_in_the_catalogue() -> None:
    then = given().when(create(AGENCY))
    then.then(agency_created(), policy_created())
    assert then.account.open_permissions(AGENCY) == (), "consent gives permissions, no creation"


def test_a_policy_that_exists_is_not_created_again() -> None:
    given(PolicyCreated(policy=POLICY)).when(create(AGENCY)).then(agency_created())


def test_names_are_unique_in_an_account() -> None:
    given(create("backup")).when(create("backup")).refused(
        "exists already",
        AgencyCreationRefused(
            agency="backup",
            why="An agency backup exists already. Names are unique in an account.",
        ),
    )


def test_a_deleted_name_is_free_again() -> None:
    given(create("backup"), delete("backup")).when(create("backup")).then(
        AgencyCreated(agency="backup")
    )


def test_the_quota_of_the_account_is_not_exceeded() -> None:
    full = [AgencyCreated(agency=f"agency {number}") for number in range(50)]
    given(*full[:-1]).when(create("one more")).then(AgencyCreated(agency="one more"))
    given(*full).when(create("one more")).refused("50 agencies already, which is its quota")
    given(*full, delete("agency 7")).when(create("one more")).then(AgencyCreated(agency="one more"))


def test_an_agency_created_by_hand_has_an_id_and_creates_no_policy_of_the_clouds(
    tmp_path: Path,
) -> None:
    story = given(catalogue=own_service(tmp_path, policy="Tenant Guest", policy_kind="system"))
    (created,) = story.when(create("mine_trust")).facts
    assert isinstance(created, AgencyCreated)
    assert created.trustee == "service:mine"
    assert len(bytes.fromhex(created.agency_id or "")) == 16


def test_the_name_of_an_agency_whose_creation_was_not_seen_is_taken() -> None:
    proof = PermissionGranted(agency="backup", region="*", policy="p")
    given(proof).when(create("backup")).refused("exists already")


def test_a_name_of_which_it_is_not_known_whether_an_agency_has_it_is_not_given_away() -> None:
    then = given(*one_instant("backup")).when(create("backup"))
    then.refused("Whether an agency backup exists is not known")


def test_the_name_of_an_agency_that_has_expired_is_free() -> None:
    until = AgencyCreated(agency="backup", expires_at=NOON + timedelta(hours=1))
    given(until).when(create("backup")).refused("exists already")
    given(until, at(60, login(BEIJING))).when(create("backup")).then(AgencyCreated(agency="backup"))


def test_the_quota_counts_agencies_whose_creation_was_not_seen() -> None:
    proofs = [
        PermissionGranted(agency=f"agency {number}", region="*", policy="p") for number in range(50)
    ]
    given(*proofs).when(create("one more")).refused("50 agencies already")
    gone = AgencyDeleted(agency="agency 7")
    given(*proofs, gone).when(create("one more")).then(AgencyCreated(agency="one more"))


def test_the_quota_counts_agencies_of_which_only_the_id_is_known() -> None:
    proofs = [
        PermissionGranted(agency_id=f"id-{number}", region="*", policy="p") for number in range(50)
    ]
    given(*proofs).when(create("one more")).refused("50 agencies already")
    given(*proofs[:-1]).when(create("one more")).then(AgencyCreated(agency="one more"))


def test_of_several_deleted_agencies_of_a_name_the_last_one_stands_for_it() -> None:
    lives = [
        step
        for number in (1, 2, 3)
        for step in (
            AgencyCreated(agency="backup", agency_id=f"id-{number}"),
            AgencyDeleted(agency="backup", agency_id=f"id-{number}"),
        )
    ]
    last = given(*lives).account.agency("backup")
    assert last is not None
    assert (last.id, last.is_gone) == ("id-3", True)


def test_an_agency_may_have_any_name() -> None:
    for name in ("مشرف", "代理 1", "🛡️", "a:b/c\\d'e\"f", "x" * 128):
        given().when(create(name)).then(AgencyCreated(agency=name))


def test_an_unprotected_agency_is_deleted_at_once() -> None:
    given(create("backup")).when(delete("backup")).then(
        AgencyDeletionAttempted(agency="backup", outcome="carried-out"),
        AgencyDeleted(agency="backup"),
    )


def test_deleting_the_protected_agency_is_refused_and_recorded_with_its_impact() -> None:
    then = given(*consent(BEIJING, SHANGHAI)).when(delete())
    then.refused(
        "is protected",
        AgencyDeletionAttempted(
            agency=AGENCY,
            outcome="refused",
            impact_regions=(SHANGHAI, BEIJING),
            impact_features=tuple(
                sorted(
                    f"{region}/asm/{name}" for region in (BEIJING, SHANGHAI) for name in FEATURES
                )
            ),
            why="The agency asm_admin_trust is protected: ASM acts through asm_admin_trust and "
            "this policy; the manual says not to delete it.",
        ),
    )
    assert "--override and --reason" in then.decided().remedy
    assert then.account.regions_of(AGENCY) == (SHANGHAI, BEIJING)


def test_an_impact_without_room_is_cut_and_says_how_much_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of regions as of features, for an agency as for a policy."""
    monkeypatch.setattr("ledger.account.impact.IMPACT_BYTES_MAX", 64)
    regions = [f"region-with-a-long-name-{number}" for number in range(4)]
    policy = AttemptPolicyDeletion(account=ACCOUNT, policy=POLICY)
    for command in (delete(), policy):
        [attempt] = given(*consent(*regions)).when(command).facts
        assert isinstance(attempt, AgencyDeletionAttempted | PolicyDeletionAttempted)
        assert attempt.impact_regions == tuple(regions[:2])
        assert attempt.impact_regions_total == 4
        assert attempt.impact_features == (f"{regions[0]}/asm/ingress-gateway",)
        assert attempt.impact_features_total == 12


def test_an_override_needs_a_reason() -> None:
    for reason in (None, ""):
        given(*consent(BEIJING)).when(delete(override=True), reason=reason).fails_with(
            InvalidInput, "--reason"
        )


def test_an_override_with_a_reason_deletes_it_and_records_every_consequence() -> None:
    then = given(*consent(BEIJING, SHANGHAI)).when(delete(override=True), reason="moved away")
    then.then(
        AgencyDeletionAttempted(
            agency=AGENCY,
            outcome="carried-out",
            override=True,
            impact_regions=(SHANGHAI, BEIJING),
            impact_features=tuple(
                sorted(
                    f"{region}/asm/{name}" for region in (BEIJING, SHANGHAI) for name in FEATURES
                )
            ),
        ),
        AgencyDeleted(agency=AGENCY),
        *permissions_revoked(BEIJING, "AgencyDeleted"),
        *permissions_revoked(SHANGHAI, "AgencyDeleted"),
    )
    assert not then.account.agency_exists(AGENCY)
    assert then.account.open_permissions(AGENCY) == ()


def test_the_deletion_names_the_id_that_was_created() -> None:
    observed = AgencyCreated(agency="backup", agency_id="f" * 32)
    facts = given(observed).when(delete("backup")).facts
    assert AgencyDeleted(agency="backup", agency_id="f" * 32) in facts


def test_only_open_permissions_are_in_the_impact() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=SHANGHAI, service="elb", policy=POLICY)
    attempt = given(*consent(BEIJING, SHANGHAI), revoke(BEIJING), lost).when(delete()).facts[0]
    assert isinstance(attempt, AgencyDeletionAttempted)
    assert attempt.impact_regions == (SHANGHAI,)
    assert attempt.impact_features == (f"{SHANGHAI}/asm/mesh", f"{SHANGHAI}/asm/metrics")


def test_an_agency_whose_creation_was_not_seen_is_deleted() -> None:
    proof = PermissionGranted(agency="backup", region=BEIJING, service="cce")
    given(proof).when(delete("backup")).then(
        AgencyDeletionAttempted(agency="backup", outcome="carried-out", impact_regions=(BEIJING,)),
        AgencyDeleted(agency="backup"),
        PermissionRevoked(
            agency="backup", region=BEIJING, service="cce", consequence_of="AgencyDeleted"
        ),
    )


def test_an_agency_is_deleted_where_it_is_not_known_whether_it_exists() -> None:
    then = given(*one_instant("backup")).when(delete("backup"))
    then.then(
        AgencyDeletionAttempted(agency="backup", outcome="carried-out"),
        AgencyDeleted(agency="backup"),
    )
    assert not then.account.agency_exists("backup")


def test_an_agency_that_has_expired_can_be_deleted_yet() -> None:
    until = AgencyCreated(agency="backup", expires_at=NOON + timedelta(hours=1))
    given(until, at(60, login(BEIJING))).when(delete("backup")).then(
        AgencyDeletionAttempted(agency="backup", outcome="carried-out"),
        AgencyDeleted(agency="backup"),
    )


def test_an_agency_of_which_only_the_id_is_known_is_deleted_by_it() -> None:
    proof = PermissionGranted(agency_id="f" * 32, project_id="0605", policy_id="p-1")
    given(proof).when(delete("f" * 32)).then(
        AgencyDeletionAttempted(
            agency_id="f" * 32, outcome="carried-out", impact_regions=("0605",)
        ),
        AgencyDeleted(agency_id="f" * 32),
        PermissionRevoked(
            agency_id="f" * 32,
            project_id="0605",
            policy_id="p-1",
            consequence_of="AgencyDeleted",
        ),
    )


def test_the_protected_agency_is_protected_under_its_id_too() -> None:
    observed = AgencyCreated(agency=AGENCY, agency_id="f" * 32)
    given(observed).when(delete("f" * 32)).refused("The agency asm_admin_trust is protected")


def test_the_permissions_of_other_agencies_stay() -> None:
    other = PermissionGranted(agency="backup", region=BEIJING, service="cce")
    then = given(*consent(BEIJING), create("backup"), other).when(
        delete(override=True), reason="moved away"
    )
    assert then.account.permitted_services("backup", BEIJING) == {"cce"}


def test_an_agency_that_does_not_exist_is_not_found() -> None:
    given().when(delete()).fails_with(NotFound, "has no agency asm_admin_trust")
    given(*consent(BEIJING), delete(override=True)).when(delete()).fails_with(NotFound, "no agency")


def test_the_trustee_follows_later_changes_of_trust() -> None:
    changed = AgencyTrustChanged(agency="backup", trustee="account:4711")
    account = given(create("backup", trustee="service:cbr"), changed).account
    trust = account.value("trust", "backup")
    assert trust is not None
    assert trust.value == "account:4711"
    assert account.agency_exists("backup")


@pytest.mark.parametrize(
    ("protection", "refused"), [("enforced", True), ("advised", True), ("none", False)]
)
def test_the_catalogue_says_which_agencies_are_protected(
    protection: str, refused: bool, tmp_path: Path
) -> None:
    catalogue = own_service(tmp_path, protection=protection, protection_note="ours.")
    story = given(create("mine_trust"), catalogue=catalogue)
    then = story.when(delete("mine_trust"))
    if refused:
        then.refused("protected: ours.")
    else:
        then.then(
            AgencyDeletionAttempted(agency="mine_trust", outcome="carried-out"),
            AgencyDeleted(agency="mine_trust"),
        )


def own_service(folder: Path, **agency: str) -> Catalogue:
    """The catalogue, and a service of one's own with an agency `mine_trust`."""
    more = "\n".join(f'{key} = "{value}"' for key, value in agency.items())
    (folder / "mine.toml").write_text(
        f"""
        [service]
        provider = "huaweicloud"
        code = "mine"
        name = "A service of one's own"
        [[service.sources]]
        title = "Ours"
        [[service.dependencies]]
        code = "obs"
        short_name = "OBS"
        name = "Object Storage"
        purpose = "keep"
        [[service.baselines]]
        since = 2020-01-01
        note = "First"
        [[service.baselines.agencies]]
        name = "mine_trust"
        trustee = "service:mine"
        purpose = "keep"
        services = ["obs"]
        {more}
        """,
        encoding="utf-8",
    )
    return load_catalogue(folder)


def one_instant(agency: str) -> tuple[Step, Step]:
    """A deletion and a creation at one time: which came first is not known."""
    return at(0, AgencyDeleted(agency=agency)), at(0, AgencyCreated(agency=agency))
