"""The facts in CloudTrail's records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyCreationRefused
from ledger.account.permissions import PermissionChangeRefused, PermissionGranted
from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.messages import Observation
from ledger.sources.fields import Unreadable
from ledger.values import instant_text
from tests.sources.reading import events, ledger, read, translated, types

ACCOUNT = "444455556666"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/deep/path/worker"


def record(name: str, source: str = "iam", **fields: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.08",
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "eventTime": "2026-02-01T10:00:00Z",
        "eventID": "e-1",
        "awsRegion": "eu-north-1",
        "recipientAccountId": ACCOUNT,
        "userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/zoe", "userName": "zoe"},
        "requestParameters": None,
        "responseElements": None,
    } | fields


def fact(found: Observation | str) -> Any:
    assert isinstance(found, Observation), found
    (event,) = found.events
    return event


def test_the_fixture_yields_the_whole_life_of_a_role(fixtures: Path) -> None:
    found, report = read("cloudtrail", fixtures / "cloudtrail.json")
    assert [type(event).__name__ for event in events(found)] == [
        "AgencyCreated",
        "PolicyCreated",
        "PermissionGranted",
        "PermissionGranted",
        "TemporaryCredentialIssued",
        "CredentialRefused",
        "AgencyDeletionAttempted",
        "PermissionChangeRefused",
        "AgencyTrustChanged",
        "PolicyChanged",
        "ConsoleLoginRequested",
        "ConsoleLoginRequested",
        "PermissionRevoked",
        "PolicyDeleted",
        "PermissionRevoked",
        "AgencyDeleted",
    ]
    assert report.read_only == {"iam:GetRole": 1}
    assert report.not_understood == {"iam:AttachUserPolicy": 1}
    assert report.complete


def test_a_role_is_an_agency_and_its_trust_policy_names_the_trustee(fixtures: Path) -> None:
    found, _ = read("cloudtrail", fixtures / "cloudtrail.json")
    first = found[0]
    assert first.events == (
        AgencyCreated(
            agency="invoice-worker",
            agency_id="AROAQWERTYEXAMPLE0001",
            trustee=f"account:{ACCOUNT}, service:lambda.amazonaws.com",
        ),
    )
    assert (first.provider, first.account) == ("aws", ACCOUNT)
    assert first.actor == f"arn:aws:iam::{ACCOUNT}:user/nadia"
    assert first.address == "198.51.100.24"
    assert first.source.file == "cloudtrail.json"


def test_permissions_hold_in_all_regions(fixtures: Path) -> None:
    found, _ = read("cloudtrail", fixtures / "cloudtrail.json")
    granted = [event for event in events(found) if isinstance(event, PermissionGranted)]
    assert [(event.region, event.policy_kind) for event in granted] == [
        ("*", "managed"),
        ("*", "inline"),
    ]


@pytest.mark.parametrize(
    "said", ["Feb 1, 2026, 1:05:00 PM", "Feb 1, 2026 1:05:00\u202fPM", "2026-02-01T13:05:00Z"]
)
def test_the_expiry_of_a_credential_is_read_in_every_known_format(said: str) -> None:
    issued = fact(
        translated(
            "cloudtrail",
            record(
                "AssumeRole",
                "sts",
                requestParameters={"roleArn": ROLE, "roleSessionName": "batch"},
                responseElements={"credentials": {"expiration": said}},
            ),
        )
    )
    assert isinstance(issued, TemporaryCredentialIssued)
    assert (issued.agency, issued.component) == ("worker", "batch")
    assert issued.expires_at is not None
    assert instant_text(issued.expires_at) == "2026-02-01T13:05:00.000000Z"


def test_a_missing_expiry_is_computed_from_the_duration_or_unknown() -> None:
    asked = {"roleArn": ROLE, "roleSessionName": "batch", "durationSeconds": 900}
    issued = fact(translated("cloudtrail", record("AssumeRole", "sts", requestParameters=asked)))
    assert instant_text(issued.expires_at) == "2026-02-01T10:15:00.000000Z"
    del asked["durationSeconds"]
    issued = fact(translated("cloudtrail", record("AssumeRole", "sts", requestParameters=asked)))
    assert issued.expires_at is None


@pytest.mark.parametrize("session", ["zoe", "zoe-laptop", "zoe@example.com", None])
def test_a_session_named_after_a_person_is_not_a_component(session: str | None) -> None:
    asked = {"roleArn": ROLE, "roleSessionName": session}
    issued = fact(translated("cloudtrail", record("AssumeRole", "sts", requestParameters=asked)))
    assert issued.component is None


def test_a_denied_assume_role_is_a_refused_credential_of_that_role() -> None:
    message = (
        f"User: arn:aws:iam::{ACCOUNT}:user/zoe is not authorized to perform: sts:AssumeRole "
        f"on resource: {ROLE} with an explicit deny"
    )
    found = translated(
        "cloudtrail",
        record("AssumeRole", "sts", errorCode="AccessDenied", errorMessage=message),
    )
    refused = fact(found)
    assert isinstance(refused, CredentialRefused)
    assert refused.agency == "worker"
    assert refused.why.startswith("AssumeRole: AccessDenied: User: (somebody) is not authorized")
    assert "zoe" not in refused.why


def test_a_call_from_another_account_is_one_fact_of_the_roles_account() -> None:
    def copy(event_id: str, account: str) -> Observation:
        found = translated(
            "cloudtrail",
            record(
                "AssumeRole",
                "sts",
                eventID=event_id,
                sharedEventID="shared-1",
                recipientAccountId=account,
                userIdentity={"accountId": "777788889999", "principalId": "AIDA:x"},
                requestParameters={"roleArn": ROLE, "roleSessionName": "partner"},
            ),
        )
        assert isinstance(found, Observation)
        return found

    here, there = copy("e-1", ACCOUNT), copy("e-2", "777788889999")
    assert here.account == there.account == ACCOUNT
    assert here.command_id == there.command_id


@pytest.mark.parametrize(
    ("name", "resource", "expected"),
    [
        ("CreateRole", ROLE, AgencyCreationRefused),
        ("PutRolePolicy", "role worker", PermissionChangeRefused),
        ("AttachRolePolicy", "role worker", PermissionChangeRefused),
        ("UpdateAssumeRolePolicy", "role worker", PermissionChangeRefused),
        ("PutRolePermissionsBoundary", "role worker", PermissionChangeRefused),
    ],
)
def test_denied_calls_are_recorded_as_attempts(name: str, resource: str, expected: type) -> None:
    message = f"User: arn:aws:iam::{ACCOUNT}:user/zoe is not authorized on resource: {resource}"
    refused = fact(
        translated("cloudtrail", record(name, errorCode="AccessDenied", errorMessage=message))
    )
    assert (type(refused), refused.agency) == (expected, "worker")


def test_a_denied_call_without_a_role_is_counted_with_the_reason() -> None:
    denied = record("CreateRole", errorCode="AccessDenied", errorMessage="no")
    assert translated("cloudtrail", denied) == "iam:CreateRole (role not named)"


def test_a_service_linked_role_is_created_but_its_deletion_is_only_requested() -> None:
    name = "AWSServiceRoleForExample"
    created = fact(
        translated(
            "cloudtrail",
            record(
                "CreateServiceLinkedRole",
                requestParameters={"aWSServiceName": "example.amazonaws.com"},
                responseElements={
                    "role": {
                        "roleName": name,
                        "roleId": "AROAX",
                        "assumeRolePolicyDocument": "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A"
                        "%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%5B"
                        "%22example.amazonaws.com%22%5D%7D%7D%5D%7D",
                    }
                },
            ),
        )
    )
    assert created == AgencyCreated(
        agency=name, agency_id="AROAX", trustee="service:example.amazonaws.com"
    )
    asked = record("DeleteServiceLinkedRole", requestParameters={"roleName": name})
    assert type(fact(translated("cloudtrail", asked))).__name__ == "PermissionsChanged"


def test_switching_to_a_role_in_the_console_issues_a_credential_of_it() -> None:
    found = translated(
        "cloudtrail",
        record(
            "SwitchRole",
            "signin",
            userIdentity={"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/zoe"},
            responseElements={"SwitchRole": "Success"},
            additionalEventData={"SwitchFrom": f"arn:aws:iam::{ACCOUNT}:user/zoe"},
        ),
    )
    assert fact(found) == TemporaryCredentialIssued(agency="worker", region="eu-north-1")
    assert isinstance(found, Observation)
    assert found.actor == f"arn:aws:iam::{ACCOUNT}:user/zoe"


@pytest.mark.parametrize(
    "broken",
    [{"eventName": None}, {"eventSource": 7}],
    ids=str,
)
def test_a_value_that_is_not_a_cloudtrail_record_is_unreadable(broken: dict[str, Any]) -> None:
    with pytest.raises(Unreadable, match="not a CloudTrail record"):
        translated("cloudtrail", record("CreateRole", **broken))


@pytest.mark.parametrize(
    "broken",
    [{"eventID": None}, {"eventTime": "yesterday"}, {"eventTime": "2026-02-01T10:00:00"}],
    ids=str,
)
def test_a_fact_without_an_id_or_a_time_is_malformed(broken: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        translated("cloudtrail", record("CreateRole", **broken))


def test_the_invictus_traces_yield_exactly_the_known_facts(shared: Path, tmp_path: Path) -> None:
    folder = shared / "cloudtrail-invictus"
    found, report = read("cloudtrail", folder)
    assert (report.files, report.records, report.complete) == (55, 2900, True)
    with ledger(tmp_path) as opened:
        assert opened.observe(found).new_traces == 103
        history = [entry for entry in opened.history() if entry.type != "SubjectRegistered"]
        own = [entry for entry in history if not getattr(entry.event, "consequence_of", None)]
        by_kind = [
            (entry.type, str(getattr(entry.event, "policy", "")).startswith("arn:"))
            for entry in own
            if entry.type in {"PermissionGranted", "PermissionRevoked"}
        ]
        assert types(own) == {
            "AgencyCreated": 13,
            "AgencyDeleted": 13,
            "AgencyTrustChanged": 2,
            "PermissionGranted": 11,
            "PermissionRevoked": 9,
            "PolicyCreated": 2,
            "PolicyDeleted": 2,
            "TemporaryCredentialIssued": 36,
            "CredentialRefused": 13,
            "ConsoleLoginRequested": 2,
        }
        assert by_kind.count(("PermissionGranted", True)) == 6  # attached
        assert by_kind.count(("PermissionRevoked", True)) == 5  # detached
        assert by_kind.count(("PermissionGranted", False)) == 5  # put inline
        assert {entry.origin for entry in history} == {"observed"}
        state = opened.account("aws", "123837392027")
        assert state.agency_count() == 0
        assert not any(state.open_permissions(agency) for agency in state.permissions)


def test_every_record_of_traildiscover_is_accounted_for(shared: Path) -> None:
    files = sorted((shared / "cloudtrail-traildiscover").iterdir())
    found, report = read("cloudtrail", *files)
    assert (report.files, report.records, report.complete) == (393, 376, True)
    assert len(found) == 14
