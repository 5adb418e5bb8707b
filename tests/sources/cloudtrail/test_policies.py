"""AWS IAM's calls on managed policies: the policy is its ARN, the name that attachments use."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ledger.account.permissions import PermissionChangeRefused, PermissionGranted
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.documents import document_of
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    ADMIN,
    OWN,
    PARTNER,
    ROLE,
    Record,
    call,
    fact,
    kept,
    observed,
    record,
    refused,
)

CHANGES = ["CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicyVersion"]
OMITTED = {"omitted": True}


def created(arn: str | None = OWN, **request: Any) -> Record:
    answer = {"policy": {"policyName": "reader", "policyId": "ANPA1", "arn": arn}}
    return call("CreatePolicy", policyName="reader", **request) | {"responseElements": answer}


def test_a_policy_that_is_created_by_name_and_attached_by_arn_is_one_policy() -> None:
    policy = fact(created())
    assert policy == PolicyCreated(
        policy=OWN, policy_id="ANPA1", document_version="v1", in_force=True
    )
    attached = fact(call("AttachRolePolicy", roleName="worker", policyArn=OWN))
    assert isinstance(attached, PermissionGranted)
    assert attached.policy == policy.policy


@pytest.mark.parametrize(
    ("partition", "path", "arn"),
    [
        ("aws", {"path": "/team/"}, OWN),
        ("aws", {"path": "/"}, f"arn:aws:iam::{ACCOUNT}:policy/reader"),
        ("aws", {}, f"arn:aws:iam::{ACCOUNT}:policy/reader"),
        ("aws-cn", {}, f"arn:aws-cn:iam::{ACCOUNT}:policy/reader"),
        ("aws-us-gov", {"path": "/team/"}, OWN.replace("aws", "aws-us-gov")),
    ],
)
def test_without_an_arn_in_the_response_the_policy_has_the_arn_that_follows_from_the_request(
    partition: str, path: dict[str, str], arn: str
) -> None:
    caller = {"arn": f"arn:{partition}:sts::{ACCOUNT}:assumed-role/admin/zoe"}
    assert fact(created(None, **path) | {"userIdentity": caller}) == PolicyCreated(
        policy=arn, policy_id="ANPA1", document_version="v1", in_force=True
    )
    refusal = refused("CreatePolicy", "No.", policyName="reader", **path)
    assert fact(refusal | {"userIdentity": caller}).policy == arn


@pytest.mark.parametrize("identity", [{}, {"arn": "zoe"}, {"invokedBy": "example.amazonaws.com"}])
def test_a_created_policy_whose_arn_is_not_known_is_kept(identity: Record) -> None:
    said = created(None) | {"userIdentity": identity}
    assert kept(said) == "iam:CreatePolicy (policy not named)"


@pytest.mark.parametrize(
    ("request_", "reason"), [(None, "policy not named"), (OMITTED, "request omitted: too long")]
)
@pytest.mark.parametrize("name", ["CreatePolicy", "DeletePolicy", *CHANGES])
def test_a_call_that_does_not_name_its_policy_is_kept_with_the_reason(
    name: str, request_: Record | None, reason: str
) -> None:
    assert kept(record(name, requestParameters=request_)) == f"iam:{name} ({reason})"
    refusal = refused(name, "No.") | {"requestParameters": request_}
    assert kept(refusal) == f"iam:{name} ({reason})"


@pytest.mark.parametrize("name", ["DeletePolicy", *CHANGES])
@pytest.mark.parametrize(
    "fields",
    [
        {"requestParameters": {"policyArn": OWN}},
        {"responseElements": {"policy": {"arn": OWN}}},
        {"requestParameters": {"policyName": OWN}},
    ],
)
def test_a_policy_is_named_by_any_field_that_can_name_it(name: str, fields: Record) -> None:
    assert fact(record(name, **fields)).policy == OWN


@pytest.mark.parametrize(
    ("message", "policy"),
    [
        (f"User: x is not authorized to perform: y on resource: policy {OWN} because z", OWN),
        (f"User: x is not authorized to perform: y on resource: {OWN}", OWN),
        (f"not authorized on resource: policy {OWN} version v2 because z", OWN),
        (f"not authorized on resource: {ADMIN} with an explicit deny", ADMIN),
        ("not authorized on resource: policy reader", "reader"),
    ],
)
@pytest.mark.parametrize("name", ["CreatePolicy", "DeletePolicy", *CHANGES])
def test_a_refused_call_names_its_policy_in_the_message_alone(
    name: str, message: str, policy: str
) -> None:
    assert fact(refused(name, message)).policy == policy


def test_a_message_of_more_than_8192_characters_names_no_policy() -> None:
    longest = "on resource: policy reader ".ljust(8_192, ".")
    assert fact(refused("DeletePolicy", longest)).policy == "reader"
    assert kept(refused("DeletePolicy", f"{longest}.")) == "iam:DeletePolicy (policy not named)"


@pytest.mark.parametrize("message", ["Policy not attached.", f"on resource: {ROLE}"])
def test_a_message_that_names_no_policy_tells_none(message: str) -> None:
    assert kept(refused("DeletePolicy", message)) == "iam:DeletePolicy (policy not named)"


def test_a_deleted_policy_is_gone() -> None:
    assert fact(call("DeletePolicy", policyArn=OWN)) == PolicyDeleted(policy=OWN)


def test_a_refused_deletion_of_a_policy_is_an_attempt_and_ends_nothing() -> None:
    assert fact(refused("DeletePolicy", "No.", policyArn=OWN)) == PolicyDeletionAttempted(
        policy=OWN, outcome="refused", why="DeletePolicy: AccessDenied: No."
    )


@pytest.mark.parametrize("name", ["CreatePolicy", *CHANGES])
def test_a_refused_change_of_a_policy_is_an_attempt_and_changes_nothing(name: str) -> None:
    assert fact(refused(name, "No.", policyArn=OWN)) == PermissionChangeRefused(
        policy=OWN, why=f"{name}: AccessDenied: No."
    )


NEW, SET, GONE = CHANGES
DEFAULT = "in force from now on"


@pytest.mark.parametrize(
    ("name", "request_", "answer", "expected"),
    [
        (NEW, {}, {"versionId": "v2"}, (f"{NEW} v2", "v2", False)),
        (NEW, {"setAsDefault": True}, {"versionId": "v2"}, (f"{NEW} v2 {DEFAULT}", "v2", True)),
        (
            NEW,
            {},
            {"versionId": "v2", "isDefaultVersion": True},
            (f"{NEW} v2 {DEFAULT}", "v2", True),
        ),
        (
            NEW,
            {"setAsDefault": False},
            {"versionId": "v2", "isDefaultVersion": False},
            (f"{NEW} v2", "v2", False),
        ),
        (
            NEW,
            {"setAsDefault": True},
            {"versionId": "v2", "isDefaultVersion": False},
            (f"{NEW} v2", "v2", False),
        ),
        (NEW, {"setAsDefault": True}, {}, (f"{NEW} {DEFAULT}", None, True)),
        (NEW, {"setAsDefault": "true"}, {}, (NEW, None, False)),
        (NEW, {"omitted": True}, {"versionId": "v2"}, (f"{NEW} v2", "v2", None)),
        (SET, {"versionId": "v1"}, {}, (f"{SET} v1 {DEFAULT}", "v1", True)),
        (GONE, {"versionId": "v1"}, {}, (f"{GONE} v1", "v1", False)),
        (GONE, {}, {}, (GONE, None, False)),
    ],
)
def test_a_change_of_a_policy_tells_which_version_and_whether_it_is_in_force(
    name: str,
    request_: Record,
    answer: Record,
    expected: tuple[str, str | None, bool | None],
) -> None:
    detail, version, in_force = expected
    said = call(name, policyArn=OWN, **request_) | {"responseElements": {"policyVersion": answer}}
    assert fact(said) == PolicyChanged(
        policy=OWN, detail=detail, document_version=version, in_force=in_force
    )


# -- the document --------------------------------------------------------------------------------

ALLOWED = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*"}}


@pytest.mark.parametrize(
    "written",
    [ALLOWED, json.dumps(ALLOWED), json.dumps(ALLOWED, indent=4), quote(json.dumps(ALLOWED))],
)
@pytest.mark.parametrize("name", ["CreatePolicy", NEW])
def test_the_document_of_a_policy_is_kept_under_the_digest_that_the_fact_has(
    name: str, written: object
) -> None:
    answer = {"policy": {"arn": OWN, "defaultVersionId": "v1"}}
    said = call(name, policyDocument=written) | {"responseElements": answer}
    found = observed(said)
    expected = document_of(ALLOWED)
    assert expected is not None
    assert found.documents == (expected,)
    event: Any = found.events[0]
    assert (event.document, event.document_bytes) == (expected.digest, expected.size)
    assert event.document_version == ("v1" if name == "CreatePolicy" else None)


@pytest.mark.parametrize("written", [None, "", OMITTED, "null"])
@pytest.mark.parametrize("name", ["CreatePolicy", NEW])
def test_a_document_that_is_left_out_leaves_a_change_of_unknown_content(
    name: str, written: object
) -> None:
    said = call(name, policyDocument=written) | {"responseElements": {"policy": {"arn": OWN}}}
    found = observed(said)
    event: Any = found.events[0]
    assert (event.document, event.document_bytes, found.documents) == (None, None, ())


def test_the_document_of_a_refused_call_is_not_kept() -> None:
    for name in ("CreatePolicy", NEW):
        said = refused(name, "No.", policyArn=OWN, policyDocument=json.dumps(ALLOWED))
        assert observed(said).documents == ()


@pytest.mark.parametrize("name", ["DeletePolicy", *CHANGES])
def test_a_policy_belongs_to_the_account_in_its_arn(name: str) -> None:
    theirs = f"arn:aws-cn:iam::{PARTNER}:policy/reader"
    assert observed(call(name, policyArn=theirs)).account == PARTNER
    assert observed(refused(name, policyArn=theirs)).account == PARTNER
    assert observed(refused(name, policyArn=ADMIN)).account == ACCOUNT
