"""AWS's temporary credentials: of which role, for whom, until when."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.documents import document_of
from ledger.messages import Observation
from ledger.values import instant_text
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    ADMIN,
    OWN,
    PARTNER,
    ROLE,
    SESSION,
    ZOE,
    Record,
    assume_role,
    fact,
    kept,
    observed,
    record,
    refused,
)

CALLS = ["AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"]
ANSWER = {"assumedRoleUser": {"assumedRoleId": "AROA1:batch", "arn": SESSION}}


@pytest.mark.parametrize("name", CALLS)
def test_each_way_to_assume_a_role_issues_a_credential_of_it(name: str) -> None:
    found = fact(record(name, "sts", requestParameters={"roleArn": ROLE}))
    assert found == TemporaryCredentialIssued(agency="worker", region="eu-north-1")


@pytest.mark.parametrize("name", CALLS)
def test_each_way_to_assume_a_role_may_be_refused(name: str) -> None:
    message = f"not authorized to perform: sts:{name} on resource: {ROLE}"
    for said in (refused(name, message, "sts"), refused(name, message, "sts", roleArn=ROLE)):
        assert fact(said) == CredentialRefused(
            agency="worker", region="eu-north-1", why=f"{name}: AccessDenied: {message}"
        )


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "role not named"),
        ({"requestParameters": {"roleArn": "worker"}}, "role not named"),
        ({"errorCode": "ValidationError", "errorMessage": "No."}, "role not named"),
        ({"requestParameters": {"omitted": True}}, "request omitted: too long"),
    ],
)
def test_a_credential_of_a_role_that_is_not_named_is_kept(
    name: str, fields: Record, reason: str
) -> None:
    assert kept(record(name, "sts", **fields)) == f"sts:{name} ({reason})"


@pytest.mark.parametrize(
    ("arn", "region"),
    [
        (f"arn:aws-cn:iam::{PARTNER}:role/team/worker", "cn-north-1"),
        (f"arn:aws-us-gov:iam::{PARTNER}:role/team/worker", "us-gov-west-1"),
        (f"arn:aws-iso:iam::{PARTNER}:role/worker", "us-iso-east-1"),
    ],
)
def test_roles_of_every_partition_are_understood(arn: str, region: str) -> None:
    found = observed(assume_role(arn, awsRegion=region))
    assert found.account == PARTNER
    issued: Any = found.events[0]
    assert (issued.agency, issued.region) == ("worker", region)


@pytest.mark.parametrize("fields", [{}, {"requestParameters": {"omitted": True}}])
def test_the_session_that_is_issued_tells_the_id_of_the_role_and_its_name(fields: Record) -> None:
    issued = fact(assume_role(responseElements=ANSWER, **fields))
    assert (issued.agency, issued.agency_id) == ("worker", "AROA1")


@pytest.mark.parametrize(
    ("principal", "agency_id"),
    [
        ("AROA1:batch", "AROA1"),
        ("AROA1:some:thing", "AROA1"),
        ("AROA1", "AROA1"),
        ("AROA****:batch", None),  # Masked by the person who published the records.
        ("AIDA1:batch", None),
        ("x-AROA1:batch", None),
        (None, None),
    ],
)
def test_only_the_id_of_a_role_is_one(principal: str | None, agency_id: str | None) -> None:
    answer = {"assumedRoleUser": {"assumedRoleId": principal}}
    assert fact(assume_role(responseElements=answer)).agency_id == agency_id


def test_the_role_that_a_session_belongs_to_is_not_the_role_that_it_assumes() -> None:
    caller = {
        "type": "AssumedRole",
        "principalId": "AROACALLER:ci",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/pipeline/ci",
        "accountId": ACCOUNT,
        "sessionContext": {"sessionIssuer": {"principalId": "AROACALLER"}},
    }
    issued = fact(assume_role(userIdentity=caller))
    assert (issued.agency, issued.agency_id) == ("worker", None)


# -- who stands behind a session -----------------------------------------------------------------


@pytest.mark.parametrize(
    "session",
    ["zoe", "zoe-laptop", "zoe@example.com", "somebody@example.com", None, ""],
)
def test_a_session_named_after_a_person_is_not_a_component(session: str | None) -> None:
    request = {"roleArn": ROLE, "roleSessionName": session}
    assert fact(assume_role(requestParameters=request)).component is None


@pytest.mark.parametrize(
    ("identity", "component"),
    [
        ({"arn": ZOE, "userName": "zoe"}, "batch"),
        ({"arn": ZOE, "accountId": ACCOUNT}, "batch"),
        ({"type": "AWSService", "invokedBy": "example.amazonaws.com"}, "batch"),
        ({"userName": "bat"}, None),
        ({"arn": f"arn:aws:iam::{ACCOUNT}:user/team/bat"}, None),
        ({"arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/bat"}, None),
        ({"accountId": PARTNER}, None),
        ({"arn": f"arn:aws:iam::{PARTNER}:user/x", "accountId": PARTNER}, None),
    ],
)
def test_a_session_is_a_component_unless_it_may_be_the_callers_name(
    identity: Record, component: str | None
) -> None:
    assert fact(assume_role(userIdentity=identity)).component == component


@pytest.mark.parametrize("name", CALLS[1:])
def test_a_federated_session_is_named_after_a_person(name: str) -> None:
    request = {"roleArn": ROLE, "roleSessionName": "batch"}
    assert fact(record(name, "sts", requestParameters=request)).component is None


def asked(**request: Any) -> Observation:
    return observed(assume_role(requestParameters={"roleArn": ROLE} | request))


@pytest.mark.parametrize("session", ["zoe", "zoe-laptop", "zoe@example.com"])
def test_a_session_named_after_a_person_is_kept_as_a_name_that_can_be_erased(session: str) -> None:
    assert asked(roleSessionName=session).names == {"session_name": session}


def test_a_session_that_is_a_component_is_not_kept_a_second_time() -> None:
    found = asked(roleSessionName="batch")
    event: Any = found.events[0]
    assert (event.component, found.names) == ("batch", {})


@pytest.mark.parametrize("name", CALLS[1:])
def test_the_name_of_a_federated_session_is_kept(name: str) -> None:
    request = {"roleArn": ROLE, "roleSessionName": "batch"}
    found = observed(record(name, "sts", requestParameters=request))
    assert found.names == {"session_name": "batch"}


def test_the_source_identity_is_kept_from_the_request_or_the_response() -> None:
    assert asked(sourceIdentity="zoe@example.com").names == {"source_identity": "zoe@example.com"}
    answered = assume_role(responseElements=ANSWER | {"sourceIdentity": "mei"})
    assert observed(answered).names == {"source_identity": "mei"}
    assert asked(sourceIdentity="").names == {}


# -- what limits a session -----------------------------------------------------------------------

LIMIT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("written", [LIMIT, quote(LIMIT), json.loads(LIMIT), f" {LIMIT}\n"])
def test_the_policy_that_limits_a_session_is_kept_under_its_digest(
    name: str, written: object
) -> None:
    request = {"roleArn": ROLE, "policy": written}
    found = observed(record(name, "sts", requestParameters=request))
    expected = document_of(LIMIT)
    assert expected is not None
    event: Any = found.events[0]
    assert found.documents == (expected,)
    assert (event.session_document, event.session_document_bytes) == expected[:2]


@pytest.mark.parametrize(
    ("arns", "expected"),
    [
        ([{"arn": ADMIN}, {"arn": OWN}], (ADMIN, OWN)),
        ([ADMIN], (ADMIN,)),
        ([{"arn": None}, {}, 7, ""], None),
        ([], None),
        ("x", None),
        (None, None),
    ],
)
def test_the_managed_policies_that_limit_a_session_are_named(
    arns: object, expected: tuple[str, ...] | None
) -> None:
    event: Any = asked(policyArns=arns).events[0]
    assert (event.session_policies, event.session_document) == (expected, None)


@pytest.mark.parametrize("left_out", [None, "", {"omitted": True}])
def test_a_session_policy_that_is_left_out_is_not_known(left_out: object) -> None:
    found = asked(policy=left_out)
    event: Any = found.events[0]
    assert (event.session_document, event.session_document_bytes, found.documents) == (
        None,
        None,
        (),
    )


# -- until when ----------------------------------------------------------------------------------


def until(said: str | None = None, lasting: object = None) -> str | None:
    """The end of a credential that was issued at 10:00."""
    request = {"roleArn": ROLE, "durationSeconds": lasting}
    answer = {"credentials": {"expiration": said}}
    found = fact(assume_role(requestParameters=request, responseElements=answer)).expires_at
    return found and instant_text(found)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Feb 1, 2026, 1:05:09 PM", "2026-02-01T13:05:09.000000Z"),
        ("Feb 1, 2026 1:05:09\u202fPM", "2026-02-01T13:05:09.000000Z"),
        ("Feb 01, 2026, 11:59:59 AM", "2026-02-01T11:59:59.000000Z"),
        ("Jan 31, 2026, 12:00:00 AM", "2026-01-31T00:00:00.000000Z"),
        ("Dec 31, 2026, 12:30:00 PM", "2026-12-31T12:30:00.000000Z"),
        ("2026-02-01T13:05:09Z", "2026-02-01T13:05:09.000000Z"),
        ("2026-02-01T13:05:09+01:00", "2026-02-01T12:05:09.000000Z"),
    ],
)
def test_the_expiry_of_a_credential_is_read_in_every_known_format(said: str, expected: str) -> None:
    assert until(said) == expected


@pytest.mark.parametrize(
    "said", [None, "soon", "Foo 1, 2026, 1:05:00 PM", "Feb 30, 2026, 1:05:00 PM", "2026-02-01"]
)
def test_an_expiry_that_cannot_be_read_is_computed_from_the_duration_or_unknown(
    said: str | None,
) -> None:
    assert until(said, 900) == "2026-02-01T10:15:00.000000Z"
    assert until(said) is None


@pytest.mark.parametrize(
    ("lasting", "expected"),
    [
        (1, "2026-02-01T10:00:01.000000Z"),
        (129_600, "2026-02-02T22:00:00.000000Z"),
        (129_601, None),
        (0, None),
        (-900, None),
        ("900", None),
    ],
)
def test_a_duration_that_no_credential_can_have_tells_no_expiry(
    lasting: object, expected: str | None
) -> None:
    assert until(None, lasting) == expected


@pytest.mark.parametrize("principal", [ROLE, SESSION])
def test_a_partner_that_redeems_a_delegation_token_gets_a_credential_of_the_role(
    principal: str,
) -> None:
    answer = {"assumedPrincipal": principal, "credentials": {"expiration": "2026-02-01T11:00:00Z"}}
    said = record("GetDelegatedAccessToken", "sts", responseElements=answer, readOnly=False)
    assert fact(said) == TemporaryCredentialIssued(
        agency="worker", region="eu-north-1", expires_at=datetime(2026, 2, 1, 11, tzinfo=UTC)
    )


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"responseElements": {"assumedPrincipal": ZOE}},
        {"responseElements": {"assumedPrincipal": ROLE}, "errorCode": "AccessDenied"},
        {"errorCode": "AccessDenied"},
    ],
)
def test_a_token_that_is_not_redeemed_for_a_role_is_kept_as_a_call(fields: Record) -> None:
    said = record("GetDelegatedAccessToken", "sts", readOnly=False, **fields)
    assert kept(said) == "sts:GetDelegatedAccessToken (role not named)"
