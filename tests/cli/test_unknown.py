"""A command that meets what the ledger cannot know: recorded as unknown, and a warning."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ledger.account.permissions import PermissionsChanged
from ledger.application import Ledger
from ledger.messages import Observation, Provenance
from tests.cases.records.cts import DOMAIN, by_name, create_agency
from tests.cli.conftest import Cli

USE = f"--account {DOMAIN} feature use mesh --service asm --region cn-south-1"
ISSUE = (
    f"--account {DOMAIN} credential issue --service asm --region cn-south-1 "
    "--for elb --component gateway"
)
LOGIN = f"--account {DOMAIN} console login --service cce --region cn-south-1 --user ann"


@pytest.fixture(autouse=True)
def history(cli: Cli) -> None:
    """The agency of a mesh acts under a policy of which nobody knows the content."""
    granted = by_name(
        "assignRoleToAgencyOnProject",
        "06-01T10:01:00",
        agency="asm_admin_trust",
        role="our own policy",
        project="cn-south-1",
    )
    made = create_agency(
        "asm_admin_trust", "a1", "06-01T10:00:00", agency_fields={"trust_domain_name": "op_svc_asm"}
    )
    traces = [made, granted]
    (cli.folder / "t.json").write_text(json.dumps({"traces": traces}))
    cli.done("import cts t.json")


@pytest.mark.parametrize(
    ("line", "event"),
    [(USE, "FeatureUseUndecided"), (ISSUE, "CredentialUndecided")],
    ids=["a use", "a credential"],
)
def test_it_is_recorded_as_unknown_with_a_warning(cli: Cli, line: str, event: str) -> None:
    said = cli.done(f"{line} -o json")
    [entry] = [each for each in said.json if each["type"] == event]
    assert entry["outcome"] == "unknown"
    assert "in cn-south-1 is not known" in said.err
    assert "neither a refusal nor a success" in said.err
    assert [row["type"] for row in cli.done("audit trail --outcome unknown -o json").json] == [
        event
    ]
    assert cli.done("audit trail --outcome refused -o json").json == []
    assert cli.done("view usage -o json").json == []


@pytest.mark.parametrize("line", [USE, ISSUE], ids=["a use", "a credential"])
def test_with_strict_the_exit_code_is_8_and_it_is_recorded(cli: Cli, line: str) -> None:
    said = cli(f"{line} --strict -o json")
    assert said.code == 8
    assert said.json
    assert "Condition not met: The outcome is not known" in said.err


def test_a_dry_run_says_it_too(cli: Cli) -> None:
    said = cli.done(f"{USE} --dry-run")
    assert "is not known" in said.err
    assert "Dry run: nothing was appended." in said.err
    assert cli(f"{USE} --dry-run --strict").code == 8


def test_a_repeated_command_has_its_first_outcome(cli: Cli) -> None:
    cli.done(f"{USE} --command-id one")
    said = cli(f"{USE} --command-id one --strict")
    assert (said.code, "used before" in said.err) == (8, True)


def test_the_feature_is_unknown_and_not_broken(cli: Cli) -> None:
    rows = cli.done("view capabilities -o json").json
    assert {(row["feature"], row["status"]) for row in rows} == {
        (feature, "unknown") for feature in ("ingress-gateway", "mesh", "metrics")
    }


def test_a_login_of_which_the_consent_is_not_known_opens_no_dialog(cli: Cli) -> None:
    """CCE's console was agreed to, in a region that no trace tells."""
    agreed = PermissionsChanged(agency="CCENodeAgency", detail="createUserAgencies: agreed to")
    with Ledger(cli.place) as ledger:
        ledger.observe(
            [
                Observation(
                    provider="huaweicloud",
                    account=DOMAIN,
                    events=(agreed,),
                    effective_at=datetime(2025, 6, 1, tzinfo=UTC),
                    source=Provenance(trace_id="agreed"),
                )
            ]
        )
    said = cli.done(LOGIN)
    assert "whether the authorization dialog opened is not known" in said.out
    assert "is not authorized" not in said.out
    assert "Whether cce is authorized in cn-south-1 is not known (in which region" in said.err
    assert "neither a refusal nor a success" in said.err
    assert cli(f"{LOGIN} --strict").code == 8
    [row] = cli.done("view logins -o json").json
    assert (row["unknown"], row["dialogs"]) == (2, 0)
