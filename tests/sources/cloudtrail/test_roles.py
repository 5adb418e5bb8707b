"""AWS IAM's calls on roles: what each tells of the role, and which role that is."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ledger.account.agency import (
    AgencyChanged,
    AgencyCreated,
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyDeletionRequested,
    AgencyTrustChanged,
)
from ledger.account.boundary import BoundaryRemoved, BoundarySet
from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.account.unmodelled import NotModelled
from ledger.documents import document_of
from ledger.messages import DomainEvent
from ledger.sources.cloudtrail.roles import TRANSLATORS
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    ADMIN,
    ROLE,
    Record,
    call,
    fact,
    facts,
    kept,
    observed,
    record,
    refused,
)

TRUST = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.aws"}}]})
_trust = document_of(TRUST)
assert _trust is not None
TRUSTED: dict[str, Any] = {
    "trust_document": _trust.digest,
    "trust_document_bytes": _trust.size,
}

ACCEPTED: dict[str, tuple[dict[str, Any], DomainEvent]] = {
    "CreateRole": (
        {"assumeRolePolicyDocument": TRUST},
        AgencyCreated(agency="worker", trustee="service:ec2.aws", **TRUSTED),
    ),
    "CreateServiceLinkedRole": (
        {"aWSServiceName": "example.amazonaws.com"},
        AgencyCreated(agency="worker", trustee="service:example.amazonaws.com"),
    ),
    "UpdateAssumeRolePolicy": (
        {"policyDocument": TRUST},
        AgencyTrustChanged(agency="worker", trustee="service:ec2.aws", **TRUSTED),
    ),
    "DeleteRole": ({}, AgencyDeleted(agency="worker")),
    "DeleteServiceLinkedRole": ({}, AgencyDeletionRequested(agency="worker")),
    "AttachRolePolicy": (
        {"policyArn": ADMIN},
        PermissionGranted(agency="worker", region="*", policy=ADMIN, policy_kind="managed"),
    ),
    "DetachRolePolicy": (
        {"policyArn": ADMIN},
        PermissionRevoked(agency="worker", region="*", policy=ADMIN),
    ),
    "PutRolePolicy": (
        {"policyName": "scratch"},
        PermissionGranted(agency="worker", region="*", policy="scratch", policy_kind="inline"),
    ),
    "DeleteRolePolicy": (
        {"policyName": "scratch"},
        PermissionRevoked(agency="worker", region="*", policy="scratch"),
    ),
    "PutRolePermissionsBoundary": (
        {"permissionsBoundary": ADMIN},
        BoundarySet(agency="worker", policy=ADMIN),
    ),
    "DeleteRolePermissionsBoundary": (
        {},
        BoundaryRemoved(agency="worker"),
    ),
}
"""Each call on a role, by its name: the rest of its request, and the fact."""

REFUSED: dict[str, DomainEvent] = {
    name: event
    for names, event in (
        (
            ("CreateRole", "CreateServiceLinkedRole"),
            AgencyCreationRefused(agency="worker", why="-"),
        ),
        (
            ("DeleteRole", "DeleteServiceLinkedRole"),
            AgencyDeletionAttempted(agency="worker", outcome="refused", why="-"),
        ),
        (("UpdateAssumeRolePolicy",), PermissionChangeRefused(agency="worker", why="-")),
        (
            tuple(name for name in ACCEPTED if "RoleP" in name and "Assume" not in name),
            PermissionChangeRefused(agency="worker", region="*", why="-"),
        ),
    )
    for name in names
}


def without_why(event: Any) -> DomainEvent:
    changed: DomainEvent = event.model_copy(update={"why": "-"})
    return changed


@pytest.mark.parametrize("name", ACCEPTED)
def test_each_call_on_a_role_tells_its_fact(name: str) -> None:
    request, expected = ACCEPTED[name]
    assert fact(call(name, roleName="worker", **request)) == expected


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_call_that_does_not_name_its_role_is_kept_with_the_reason(name: str) -> None:
    assert kept(call(name, **ACCEPTED[name][0])) == f"iam:{name} (role not named)"
    assert kept(refused(name)) == f"iam:{name} (role not named)"


@pytest.mark.parametrize("name", REFUSED)
def test_each_refused_call_on_a_role_is_an_attempt_and_changes_nothing(name: str) -> None:
    found = fact(refused(name, "No.", roleName="worker"))
    assert without_why(found) == REFUSED[name]
    assert found.why == f"{name}: AccessDenied: No."


def test_the_tables_have_every_call_on_a_role() -> None:
    assert {
        *ACCEPTED,
        *CHANGES,
        "AcquireRole",
        "GetServiceLinkedRoleDeletionStatus",
    } == TRANSLATORS.keys()
    assert REFUSED.keys() == ACCEPTED.keys()


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "AddRoleToInstanceProfile": ({"instanceProfileName": "worker"}, "instanceProfileName=worker"),
    "RemoveRoleFromInstanceProfile": ({"instanceProfileName": "p"}, "instanceProfileName=p"),
    "TagRole": ({"tags": [{"key": "owner", "value": "zoe"}, 7, {}]}, "tag=owner"),
    "UntagRole": ({"tagKeys": ["owner", "team"]}, "tagKeys=owner tagKeys=team"),
    "UpdateRole": ({"maxSessionDuration": 43200}, "maxSessionDuration=43200"),
    "UpdateRoleDescription": ({"description": "zoe's own"}, ""),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_neither_trust_nor_policies_proves_that_the_role_exists(name: str) -> None:
    request, named = CHANGES[name]
    found = fact(call(name, roleName="worker", **request))
    assert found == AgencyChanged(agency="worker", detail=f"{name} {named}".strip())


@pytest.mark.parametrize("name", CHANGES)
def test_a_refused_change_of_a_role_is_kept_and_proves_nothing(name: str) -> None:
    message = f"not authorized to perform: iam:{name} on resource: {ROLE} because x"
    for request in ({}, {"roleName": "worker"}):
        found = fact(refused(name, message, **request))
        assert isinstance(found, NotModelled)
        assert (found.call, found.agency, found.outcome) == (f"iam:{name}", "worker", "refused")


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_that_does_not_name_its_role_is_kept_with_the_reason(name: str) -> None:
    assert kept(call(name)) == f"iam:{name} (role not named)"


def test_a_change_tells_at_most_500_characters() -> None:
    found = fact(call("UntagRole", roleName="worker", tagKeys=["x" * 200] * 9))
    assert len(found.detail) == 500


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("AttachRolePolicy", {"policyArn": ADMIN}),
        ("DetachRolePolicy", {"policyArn": ADMIN}),
        ("PutRolePolicy", {"policyName": ADMIN}),
        ("DeleteRolePolicy", {"policyName": ADMIN}),
        ("PutRolePermissionsBoundary", {"permissionsBoundary": ADMIN}),
    ],
)
def test_a_refused_change_of_permissions_names_the_policy(
    name: str, policy: dict[str, str]
) -> None:
    assert fact(refused(name, roleName="worker", **policy)).policy == ADMIN


@pytest.mark.parametrize(
    "name", ["AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy"]
)
def test_a_change_under_a_policy_that_is_not_named_is_a_change_of_unknown_detail(name: str) -> None:
    assert fact(call(name, roleName="worker")) == PermissionsChanged(
        agency="worker", region="*", detail=f"{name}: the record does not name the policy"
    )


def test_the_id_of_a_role_is_kept_wherever_the_response_tells_it() -> None:
    answer = {"role": {"roleName": "worker", "roleId": "AROA1"}}
    for name, (request, _) in ACCEPTED.items():
        found = fact(record(name, requestParameters=request, responseElements=answer))
        assert (found.agency, found.agency_id) == ("worker", "AROA1"), name


# -- what else a creation tells ------------------------------------------------------------------


def test_a_path_is_in_the_arn_only_and_not_part_of_the_name() -> None:
    answer = {"role": {"path": "/deep/path/", "roleName": "worker", "roleId": "AROA1", "arn": ROLE}}
    said = call("CreateRole", roleName="worker", path="/deep/path/")
    created = observed(said | {"responseElements": answer})
    assert created.events == (AgencyCreated(agency="worker", agency_id="AROA1"),)
    assert created.account == ACCOUNT


@pytest.mark.parametrize(
    ("request_", "answer", "trustee"),
    [
        ({"assumeRolePolicyDocument": TRUST}, {}, "service:ec2.aws"),
        ({}, {"assumeRolePolicyDocument": TRUST}, "service:ec2.aws"),
        ({"aWSServiceName": "a.aws"}, {"assumeRolePolicyDocument": TRUST}, "service:ec2.aws"),
        ({"aWSServiceName": "a.aws"}, {}, "service:a.aws"),
        ({"awsServiceName": "a.aws"}, {}, "service:a.aws"),
        ({"AWSServiceName": "a.aws"}, {}, "service:a.aws"),
        ({}, {}, None),
    ],
)
def test_the_trustee_is_read_from_the_request_the_response_or_the_services_name(
    request_: Record, answer: Record, trustee: str | None
) -> None:
    said = call("CreateRole", roleName="worker", **request_)
    assert fact(said | {"responseElements": {"role": answer}}).trustee == trustee


def test_a_role_that_is_created_with_a_permissions_boundary_is_two_facts() -> None:
    created, limited = facts(call("CreateRole", roleName="worker", permissionsBoundary=ADMIN))
    assert created == AgencyCreated(agency="worker")
    assert limited == BoundarySet(agency="worker", policy=ADMIN)


def test_the_boundary_of_a_new_role_may_stand_in_the_response_alone() -> None:
    boundary = {"permissionsBoundaryType": "Policy", "permissionsBoundaryArn": ADMIN}
    answer = {"role": {"roleName": "worker", "roleId": "AROA1", "permissionsBoundary": boundary}}
    _, limited = facts(record("CreateRole", responseElements=answer))
    assert limited == BoundarySet(agency="worker", agency_id="AROA1", policy=ADMIN)


def test_a_role_that_is_acquired_from_a_template_has_unknown_permissions() -> None:
    template = f"arn:aws:iam::{ACCOUNT}:role-template/reader"
    answer = {"role": {"roleName": "worker", "roleId": "AROA1", "assumeRolePolicyDocument": TRUST}}
    said = call("AcquireRole", templateArn=template) | {"responseElements": answer}
    assert facts(said) == (
        AgencyCreated(agency="worker", agency_id="AROA1", trustee="service:ec2.aws", **TRUSTED),
        PermissionsChanged(
            agency="worker",
            agency_id="AROA1",
            region="*",
            detail=f"AcquireRole: its permissions are those of {template}",
        ),
    )
    message = f"not authorized on resource: {ROLE}"
    assert fact(refused("AcquireRole", message)) == AgencyCreationRefused(
        agency="worker", why=f"AcquireRole: AccessDenied: {message}"
    )


# -- the documents -------------------------------------------------------------------------------


@pytest.mark.parametrize("written", [TRUST, quote(TRUST), json.loads(TRUST)])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("CreateRole", "assumeRolePolicyDocument"),
        ("UpdateAssumeRolePolicy", "policyDocument"),
        ("PutRolePolicy", "policyDocument"),
    ],
)
def test_the_document_of_a_trust_and_of_an_inline_policy_is_kept(
    name: str, key: str, written: object
) -> None:
    found = observed(call(name, roleName="worker", policyName="scratch", **{key: written}))
    assert found.documents == (document_of(TRUST),)
    fields = set(found.events[0].model_dump().values())
    assert {TRUSTED["trust_document"], TRUSTED["trust_document_bytes"]} <= fields


def test_the_trust_that_the_request_leaves_out_is_kept_from_the_response() -> None:
    answer = {"role": {"roleName": "worker", "assumeRolePolicyDocument": quote(TRUST)}}
    for left_out in (None, {"omitted": True}, ""):
        said = call("CreateRole", assumeRolePolicyDocument=left_out)
        found = observed(said | {"responseElements": answer})
        assert found.documents == (document_of(TRUST),)


@pytest.mark.parametrize("left_out", [None, "", {"omitted": True}])
@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("CreateRole", "assumeRolePolicyDocument"),
        ("UpdateAssumeRolePolicy", "policyDocument"),
        ("PutRolePolicy", "policyDocument"),
    ],
)
def test_a_document_that_is_left_out_is_a_change_of_unknown_content(
    name: str, key: str, left_out: object
) -> None:
    found = observed(call(name, roleName="worker", policyName="scratch", **{key: left_out}))
    said = found.events[0].model_dump()
    assert found.documents == ()
    assert said.get("document") is said.get("trust_document") is said.get("trustee") is None


def test_the_documents_of_refused_calls_are_not_kept() -> None:
    for name in ("CreateRole", "UpdateAssumeRolePolicy", "PutRolePolicy"):
        request = {"assumeRolePolicyDocument": TRUST, "policyDocument": TRUST}
        assert observed(refused(name, "No.", roleName="worker", **request)).documents == ()


# -- requests that CloudTrail left out -----------------------------------------------------------

OMITTED = {"reason": "requestParameters too large", "omitted": True, "originalSize": 149_893}


@pytest.mark.parametrize("omitted", [OMITTED, {"omitted": "true"}])
@pytest.mark.parametrize("name", ACCEPTED)
def test_a_call_whose_request_is_left_out_is_kept_with_that_reason(
    name: str, omitted: Record
) -> None:
    expected = f"iam:{name} (request omitted: too long)"
    assert kept(record(name, requestParameters=omitted)) == expected


def test_a_request_that_is_left_out_hides_nothing_that_the_response_tells() -> None:
    answer = {"role": {"roleName": "worker", "roleId": "AROA1", "assumeRolePolicyDocument": TRUST}}
    said = record("CreateRole", requestParameters=OMITTED, responseElements=answer)
    assert fact(said) == AgencyCreated(
        agency="worker", agency_id="AROA1", trustee="service:ec2.aws", **TRUSTED
    )


def test_a_trust_policy_that_is_left_out_is_a_change_to_an_unknown_trustee() -> None:
    used = [{"type": "AWS::IAM::Role", "ARN": ROLE}]
    found = fact(record("UpdateAssumeRolePolicy", requestParameters=OMITTED, resources=used))
    assert found == AgencyTrustChanged(agency="worker")


@pytest.mark.parametrize("name", ["AttachRolePolicy", "PutRolePolicy"])
def test_a_change_whose_request_is_left_out_is_a_change_of_a_role_that_is_known_otherwise(
    name: str,
) -> None:
    used = [{"type": "AWS::IAM::Role", "ARN": ROLE}]
    found = fact(record(name, requestParameters=OMITTED, resources=used))
    assert (type(found), found.agency, found.policy) == (PermissionsChanged, "worker", None)
