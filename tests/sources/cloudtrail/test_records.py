"""The facts in CloudTrail's records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.permissions import PermissionGranted
from ledger.messages import Recorded
from ledger.sources import SOURCES
from ledger.sources.fields import Unreadable
from ledger.sources.source import TraceKind
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    PARTNER,
    assume_role,
    call,
    counted,
    fact,
    observed,
    record,
)
from tests.sources.reading import events, ledger, read, translated, types


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
        "NotModelled",
        "PermissionRevoked",
        "PolicyDeleted",
        "PermissionRevoked",
        "AgencyDeleted",
    ]
    assert report.read_only == {"iam:GetRole": 1}
    assert report.not_understood == {}
    assert report.complete


def test_a_role_is_an_agency_and_its_trust_policy_names_the_trustee(fixtures: Path) -> None:
    found, _ = read("cloudtrail", fixtures / "cloudtrail.json")
    first = found[0]
    assert first.events == (
        AgencyCreated(
            agency="invoice-worker",
            agency_id="AROAQWERTYEXAMPLE0001",
            trustee=f"account:{ACCOUNT}, service:lambda.amazonaws.com",
            trust_document="0af87ba1c02da5f871e2e305a35395baadcf868c15e6b763d8b667ec9d86e454",
            trust_document_bytes=169,
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
    "broken",
    [{"eventName": None}, {"eventSource": 7}],
    ids=str,
)
def test_a_value_that_is_not_a_cloudtrail_record_is_unreadable(broken: dict[str, Any]) -> None:
    with pytest.raises(
        Unreadable, match=r"^not a CloudTrail record: it has no eventSource and eventName"
    ):
        translated("cloudtrail", record("CreateRole", **broken))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"eventID": None}, "^the record names no account, or has no eventID"),
        ({"eventID": 7}, "^the record names"),
        ({"recipientAccountId": None, "userIdentity": None}, "^the record names"),
        ({"eventTime": "yesterday"}, "eventTime: 'yesterday' is not written in the form of RFC"),
        ({"eventTime": "2026-02-01T10:00:00"}, "eventTime: the time .* names no zone"),
        ({"eventTime": None}, "eventTime: "),
    ],
    ids=str,
)
def test_a_fact_without_an_account_an_id_or_a_time_is_malformed(
    broken: dict[str, Any], message: str
) -> None:
    with pytest.raises(Unreadable, match=message):
        translated("cloudtrail", call("DeleteRole", roleName="worker") | broken)


@pytest.mark.parametrize(
    ("written", "account"),
    [
        (ACCOUNT, ACCOUNT),
        (444455556666, ACCOUNT),
        (4.44455556666e11, ACCOUNT),
        (17, "0" * 10 + "17"),
    ],
)
def test_an_account_may_be_written_as_a_number(written: object, account: str) -> None:
    """The number of the account that got the record counts before the caller's."""
    caller = {"arn": f"arn:aws:iam::{PARTNER}:user/zoe", "accountId": int(PARTNER)}
    said = call("CreateUser") | {"recipientAccountId": written, "userIdentity": caller}
    assert observed(said).account == account
    assert observed(said | {"recipientAccountId": None}).account == PARTNER


@pytest.mark.parametrize("written", [True, -1, 0, 10**12, 1.5])
def test_another_number_is_not_an_account(written: object) -> None:
    said = call("CreateUser") | {"recipientAccountId": written, "userIdentity": None}
    with pytest.raises(Unreadable, match="names no account"):
        translated("cloudtrail", said)


@pytest.mark.parametrize("region", [None, "", 7])
def test_a_use_of_a_role_without_a_region_is_malformed(region: object) -> None:
    with pytest.raises(Unreadable, match=r"^the record has no awsRegion$"):
        translated("cloudtrail", assume_role(awsRegion=region))


@pytest.mark.parametrize(
    ("version", "expected"), [("2.0", "eventVersion 2.0"), (2, "eventVersion 2")]
)
def test_a_record_of_a_later_major_version_is_counted(version: object, expected: str) -> None:
    said = call("DeleteRole", roleName="worker") | {"eventVersion": version}
    assert counted(said) == f"iam:DeleteRole ({expected})"


def test_a_record_without_a_version_is_read_as_the_first() -> None:
    said = call("DeleteRole", roleName="worker")
    del said["eventVersion"]
    assert fact(said).agency == "worker"


def test_a_call_that_changes_no_rights_is_counted_by_its_name() -> None:
    assert counted(call("RunInstances", "ec2")) == "ec2:RunInstances"


def test_calls_are_counted_by_service_and_name_and_apart_if_they_only_read() -> None:
    kind_of = SOURCES["cloudtrail"].kind_of
    assert kind_of(record("ListRoles", readOnly=True)) == TraceKind("iam:ListRoles", read_only=True)
    assert kind_of(record("PassRole", readOnly="true")) == TraceKind("iam:PassRole")
    assert kind_of({"eventSource": "odd.example", "eventName": "X"}) == TraceKind("odd.example:X")
    digest = {"digestPublicKeyFingerprint": "x", "awsAccountId": "1"}
    assert kind_of(digest) == TraceKind("cloudtrail:digest file", is_other=True)


@pytest.mark.parametrize("value", ["inspector2.amazonaws.com", "AWS Internal", None, 7])
def test_an_address_that_is_not_one_is_left_out(value: object) -> None:
    assert observed(assume_role(sourceIPAddress=value)).address is None


@pytest.mark.parametrize("value", ["192.0.2.1", "2001:db8::1"])
def test_an_address_is_kept(value: str) -> None:
    assert observed(assume_role(sourceIPAddress=value)).address == value


def test_the_invictus_traces_yield_exactly_the_known_facts(shared: Path, tmp_path: Path) -> None:
    folder = shared / "cloudtrail-invictus"
    found, report = read("cloudtrail", folder)
    assert (report.files, report.records, report.complete) == (55, 2900, True)
    with ledger(tmp_path) as opened:
        assert opened.observe(found).new_traces == 181
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
            "AgencyChanged": 6,
            "NotModelled": 57,
            "RecordingChanged": 15,
        }
        assert by_kind.count(("PermissionGranted", True)) == 6  # attached
        assert by_kind.count(("PermissionRevoked", True)) == 5  # detached
        assert by_kind.count(("PermissionGranted", False)) == 5  # put inline
        assert {entry.origin for entry in history} == {"observed"}
        kept = [document for each in found for document in each.documents]
        assert (len(kept), len(set(kept))) == (35, 17)
        assert {document.digest for document in kept} == set(digests(own))
        state = opened.account("aws", "123837392027")
        assert state.agency_count() == 0
        spans = state.state.cells.everything()
        assert not [span for span in spans if span.status == "granted" and span.until_at is None]


def digests(history: list[Recorded]) -> Iterator[str]:
    """The digests of documents that the facts have."""
    for entry in history:
        fields = ("document", "trust_document", "session_document")
        yield from filter(None, (getattr(entry.event, field, None) for field in fields))


def test_the_calls_of_the_invictus_traces_that_are_only_counted_change_no_rights(
    shared: Path,
) -> None:
    _, report = read("cloudtrail", shared / "cloudtrail-invictus")
    services = {name.partition(":")[0] for name in report.not_understood}
    assert services == {"ec2", "lambda", "logs", "rds", "s3", "secretsmanager", "signin", "ssm"}
    named = {
        name
        for name in report.not_understood
        if "(" in name or "Polic" in name or "Permission" in name
    }
    assert named == {
        "lambda:RemovePermission20150331v2",
        "s3:DeleteBucketPolicy",
    }


def test_every_record_of_traildiscover_is_accounted_for(shared: Path) -> None:
    files = sorted((shared / "cloudtrail-traildiscover").iterdir())
    found, report = read("cloudtrail", *files)
    assert (report.files, report.records, report.complete) == (393, 376, True)
    assert len(found) == 67
