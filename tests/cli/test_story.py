"""The reference story, command by command: what is appended, and what is said."""

from __future__ import annotations

import pytest

from tests.cli.conftest import BEIJING, POLICY, SINGAPORE, Cli

GRANTS = ["PermissionGranted"] * 4
IN_BEIJING = f"--region {BEIJING}"
IN_SINGAPORE = f"--region {SINGAPORE}"


def test_the_first_login_opens_the_dialog(cli: Cli) -> None:
    login = f"console login {IN_BEIJING} --user alice"
    assert cli.appended(login) == ["ConsoleLoginRequested", "AuthorizationRequested"]


def test_the_dialog_lists_the_services_and_what_each_is_for(cli: Cli) -> None:
    said = cli.done(f"console login {IN_BEIJING} --user alice").out
    for name, purpose in (
        ("Cloud Container Engine", "enable service meshes"),
        ("Virtual Private Cloud", "publish an ingress gateway"),
        ("Elastic Load Balance", "publish an ingress gateway"),
        ("Application Operations Management", "report the metrics"),
    ):
        assert f"{name}: to {purpose}" in said
    assert "authledger authorization grant --account 0a1b2c3d4e5f" in said


def test_the_dialog_opens_again_while_it_is_unanswered(cli: Cli) -> None:
    cli.done(f"console login {IN_BEIJING}")
    said = cli.done(f"console login {IN_BEIJING}")
    assert "Cloud Container Engine" in said.out
    assert "already pending" in said.err


def test_a_feature_before_consent_is_refused_and_says_how_to_get_it(cli: Cli) -> None:
    use = f"feature use ingress-gateway {IN_BEIJING}"
    assert cli.appended(use, code=3) == ["FeatureRefused"]
    message = cli(use).err
    assert "ELB, VPC" in message
    assert "authledger authorization grant" in message


def test_the_first_consent_creates_the_agency_and_its_policy(cli: Cli) -> None:
    cli.done(f"console login {IN_BEIJING}")
    assert cli.appended(f"authorization grant {IN_BEIJING}") == [
        "AuthorizationGranted",
        "AgencyCreated",
        "PolicyCreated",
        *GRANTS,
    ]


def test_after_consent_no_dialog_opens(cli: Cli) -> None:
    cli.authorize()
    login = f"console login {IN_BEIJING} --user bob"
    assert cli.appended(login) == ["ConsoleLoginRequested"]
    assert "no dialog opens" in cli.done(login).out


def test_granting_twice_appends_nothing_and_says_so(cli: Cli) -> None:
    cli.authorize()
    said = cli(f"authorization grant {IN_BEIJING} -o json")
    assert (said.code, said.json) == (0, [])
    assert "is already authorized in" in said.err


@pytest.mark.parametrize(
    ("feature", "services"),
    [("ingress-gateway", ["vpc", "elb"]), ("mesh", ["cce"]), ("metrics", ["aom"])],
)
def test_after_consent_features_record_what_they_used(
    cli: Cli, feature: str, services: list[str]
) -> None:
    cli.authorize()
    (used,) = [
        entry
        for entry in cli.done(f"feature use {feature} {IN_BEIJING} -o json").json
        if entry["type"] == "FeatureUsed"
    ]
    assert (used["agency"], used["services"]) == ("asm_admin_trust", services)


def test_a_credential_has_its_expiry(cli: Cli) -> None:
    cli.authorize()
    issue = f"credential issue --for elb --component gateway {IN_BEIJING} --life 3600"
    issued = cli.done(f"{issue} -o json").json[-1]
    assert issued["type"] == "TemporaryCredentialIssued"
    assert issued["expires_at"] > issued["effective_at"]
    assert issued["service"] == "elb"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (f"--for obs {IN_BEIJING}", "asm does not depend on obs"),
        (f"--for elb {IN_SINGAPORE}", "not authorized in ap-southeast-3"),
        (f"--for elb {IN_BEIJING} --life 90000", "90000 s is not allowed"),
    ],
)
def test_any_other_credential_is_refused_and_recorded(cli: Cli, words: str, why: str) -> None:
    cli.authorize()
    issue = f"credential issue --component gateway {words}"
    assert cli.appended(issue, code=3) == ["CredentialRefused"]
    assert why in cli(issue).err


def test_consent_without_a_request_is_refused(cli: Cli) -> None:
    cli.authorize()
    grant = f"authorization grant {IN_SINGAPORE}"
    assert cli.appended(grant, code=3) == ["AuthorizationRefused"]
    assert "No authorization request of asm is pending" in cli(grant).err


def test_a_second_region_reuses_the_agency(cli: Cli) -> None:
    cli.authorize()
    cli.done(f"console login {IN_SINGAPORE}")
    assert cli.appended(f"authorization decline {IN_SINGAPORE}") == ["AuthorizationDeclined"]
    asked = cli.appended(f"console login {IN_SINGAPORE}")
    assert asked == ["ConsoleLoginRequested", "AuthorizationRequested"]
    assert cli.appended(f"authorization grant {IN_SINGAPORE}") == ["AuthorizationGranted", *GRANTS]
    created = cli.done("audit trail --event AgencyCreated -o json").json
    assert len(created) == 1


def test_an_agency_is_shown_region_by_region_with_whose_consent(cli: Cli) -> None:
    cli.authorize(BEIJING, "alice")
    cli.authorize(SINGAPORE, "bob")
    shown = cli.done("agency show asm_admin_trust -o json").json
    assert (shown["trustee"], shown["status"]) == ("service:asm", "exists")
    by = {(each["region"], each["consented_by"]) for each in shown["permissions"]}
    assert by == {(BEIJING, "alice"), (SINGAPORE, "bob")}
    assert {each["since"][:2] for each in shown["permissions"]} == {"20"}
    table = cli.done("agency show asm_admin_trust")
    assert "Granted in 2 region(s): ap-southeast-3, cn-north-4" in table.err


@pytest.mark.parametrize("what", [f"policy delete {POLICY}", "agency delete asm_admin_trust"])
def test_deleting_what_is_protected_is_refused_with_the_impact(cli: Cli, what: str) -> None:
    cli.authorize()
    said = cli(f"{what} -o json")
    assert said.code == 3
    attempt = said.json[-1]
    assert attempt["type"].endswith("DeletionAttempted")
    assert attempt["outcome"] == "refused"
    assert attempt["impact_regions"] == [BEIJING]
    assert f"{BEIJING}/asm/ingress-gateway" in attempt["impact_features"]
    assert "it would break asm ingress-gateway, mesh, metrics in cn-north-4" in cli(what).out


def test_an_override_needs_a_reason(cli: Cli) -> None:
    cli.authorize()
    said = cli(f"policy delete {POLICY} --override")
    assert said.code == 2
    assert "--reason" in said.err


@pytest.mark.parametrize(
    ("what", "deleted"),
    [
        (f"policy delete {POLICY}", "PolicyDeleted"),
        ("agency delete asm_admin_trust", "AgencyDeleted"),
    ],
)
def test_an_overridden_deletion_ends_every_permission_and_feature(
    cli: Cli, what: str, deleted: str
) -> None:
    cli.authorize()
    appended = cli.appended(f"{what} --override --reason 'the end'")
    assert appended[1:] == [deleted, *["PermissionRevoked"] * 4]
    assert cli(f"feature use mesh {IN_BEIJING}").code == 3
    assert cli.done("view capabilities --status works -o json").json == []


def test_revoking_ends_one_regions_permissions_and_says_until_when_credentials_work(
    cli: Cli,
) -> None:
    cli.authorize(BEIJING)
    cli.authorize(SINGAPORE)
    said = cli.done(f"authorization revoke {IN_SINGAPORE} --reason leaving")
    assert "may still work until" in said.out
    granted = cli.done("view regions --status granted -o json").json
    assert {row["region"] for row in granted} == {BEIJING}
    assert cli(f"feature use mesh {IN_SINGAPORE}").code == 3
    cli.done(f"feature use mesh {IN_BEIJING}")


def test_a_command_id_makes_trying_again_safe(cli: Cli) -> None:
    first = cli.done(f"console login {IN_BEIJING} --command-id c-1 -o json")
    again = cli.done(f"console login {IN_BEIJING} --command-id c-1 -o json")
    assert again.json == first.json
    assert "nothing was appended" in again.err
    assert cli(f"console login {IN_SINGAPORE} --command-id c-1").code == 5


def test_a_command_id_is_its_actors(cli: Cli) -> None:
    cli.done(f"console login {IN_BEIJING} --command-id c-1 --user alice")
    said = cli(f"console login {IN_BEIJING} --command-id c-1 --user mallory -o json")
    assert (said.code, said.out) == (5, "")
    assert "used before by another actor. Nothing was appended." in said.err


def test_a_dry_run_shows_what_would_be_and_appends_nothing(cli: Cli) -> None:
    said = cli.done(f"console login {IN_BEIJING} --dry-run -o json")
    assert [entry["position"] for entry in said.json] == [None, None, None]
    assert "Dry run" in said.err
    assert cli("audit trail -o json").code == 4  # Not even an empty ledger was made.
    refused = cli(f"feature use mesh {IN_BEIJING} --dry-run")
    assert refused.code == 3
    assert "Would be refused" in refused.err


def test_the_actor_is_who_a_flag_claims_or_the_systems_user(cli: Cli) -> None:
    claimed = cli.done(f"console login {IN_BEIJING} --user alice -o json").json[-1]
    system = cli.done(f"console login {IN_BEIJING} -o json").json[-1]
    assert (claimed["actor_established"], system["actor_established"]) == ("claimed", "os-user")


@pytest.mark.parametrize(
    "line",
    [
        "console login",
        "authorization grant",
        "authorization decline",
        "authorization revoke",
        "feature use mesh",
        "credential issue --for elb --component c",
    ],
)
def test_an_unknown_region_is_refused_and_not_recorded(cli: Cli, line: str) -> None:
    said = cli(f"{line} --region cn-nort-4")
    assert said.code == 2
    assert "no region 'cn-nort-4' of huaweicloud" in said.err
    assert "Nothing was recorded." in said.err
    assert "Did you mean 'cn-north-4'" in said.err
    assert "--new-region" in said.err
    assert cli("audit trail").code == 4  # Not even an empty ledger was made.


def test_a_new_region_is_recorded_on_demand_and_known_from_then_on(cli: Cli) -> None:
    said = cli.done("console login --region mars-1 --new-region")
    assert "no region 'mars-1' of huaweicloud; it is recorded as given" in said.err
    cli.done("authorization grant --region mars-1")
    cli.done("feature use mesh --region mars-1")
    assert cli("console login --region mars-2").code == 2
    assert cli("feature use mesh --region mars-1 --account other").code == 2


@pytest.mark.parametrize("region", ["cn-north-4_mesh", "MOS"])
def test_a_sub_project_and_the_object_storages_own_count_as_known(cli: Cli, region: str) -> None:
    assert "no region" not in cli.done(f"console login --region {region}").err


def test_a_provider_whose_regions_the_catalogue_does_not_list_has_any(cli: Cli) -> None:
    said = cli("console login --region eu-de --provider otc --service asm")
    assert "no region" not in said.err


def test_an_agency_can_be_created_by_hand_once(cli: Cli) -> None:
    create = "agency create backup --trustee service:cbr --policy 'backup policy'"
    assert cli.appended(create) == ["AgencyCreated", "PolicyCreated"]
    assert cli.appended(create, code=3) == ["AgencyCreationRefused"]
    listed = cli.done("agency list -o json").json
    assert [row["agency"] for row in listed] == ["backup"]
    assert cli.done("policy show 'backup policy' -o json").json["policy"][0]["status"] == "exists"
