"""Calls that may change rights and have no model: kept with what they named, without persons."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.account.agency import AgencyDeleted
from ledger.account.unmodelled import NotModelled
from ledger.documents import document_of
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    ADMIN,
    OWN,
    PARTNER,
    ROLE,
    ZOE,
    Record,
    call,
    counted,
    fact,
    observed,
    record,
    refused,
)

MEI = f"arn:aws:iam::{ACCOUNT}:user/mei"
PROFILE = f"arn:aws:iam::{ACCOUNT}:instance-profile/web"
POLICY = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
SERVICES = [
    "cloudtrail",
    "iam",
    "identitystore",
    "organizations",
    "ram",
    "rolesanywhere",
    "sso",
    "sso-directory",
    "sso-oauth",
    "sts",
]


@pytest.mark.parametrize("service", SERVICES)
def test_every_call_of_a_service_that_manages_rights_is_kept(service: str) -> None:
    said = call("ChangeSomething", service, resourceArn="arn:x")
    assert fact(said) == NotModelled(
        call=f"{service}:ChangeSomething", region="eu-north-1", named=("resourceArn=arn:x",)
    )
    found = observed(said)
    assert (found.account, found.actor, found.source.trace_id) == (ACCOUNT, ZOE, "e-1")


@pytest.mark.parametrize("service", SERVICES)
def test_a_refused_call_is_kept_with_the_reason(service: str) -> None:
    found = fact(refused("ChangeSomething", "No.", service))
    assert (found.outcome, found.why) == ("refused", "ChangeSomething: AccessDenied: No.")


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("GetRole", {}),
        ("ListRoles", {}),
        ("DescribeOrganization", {}),
        ("SimulatePrincipalPolicy", {"readOnly": None}),
        ("GenerateCredentialReport", {}),
        ("ChangeSomething", {"readOnly": True}),
        ("ChangeSomething", {"readOnly": "true"}),
    ],
)
@pytest.mark.parametrize("service", SERVICES)
def test_a_call_that_only_reads_is_counted(service: str, name: str, fields: Record) -> None:
    assert counted(record(name, service, **fields)) == f"{service}:{name}"


@pytest.mark.parametrize("name", ["GetFederationToken", "ListSomething", "Getaway", "Listen"])
@pytest.mark.parametrize("read_only", [False, "false"])
def test_a_call_that_says_that_it_does_not_only_read_is_kept(name: str, read_only: object) -> None:
    assert fact(record(name, "sts", readOnly=read_only)).call == f"sts:{name}"


@pytest.mark.parametrize("name", ["Getaway", "Listen", "Issue"])
def test_a_name_that_only_begins_like_a_reading_one_is_kept(name: str) -> None:
    assert fact(record(name)).call == f"iam:{name}"


@pytest.mark.parametrize("region", [None, "", 7])
def test_a_call_without_a_region_is_kept(region: object) -> None:
    assert fact(record("ChangeSomething", awsRegion=region)).region is None


# -- what it names -------------------------------------------------------------------------------


def test_a_call_on_a_role_is_kept_with_the_role() -> None:
    for own in ({"roleName": "worker"}, {"roleArn": ROLE}):
        found = fact(call("Change", **own, serviceName="x"))
        assert (found.agency, found.named) == ("worker", ("serviceName=x",))


def test_the_id_of_the_role_is_kept_if_the_response_tells_it() -> None:
    answer = {"role": {"roleName": "worker", "roleId": "AROA1"}}
    found = fact(call("Change") | {"responseElements": answer})
    assert (found.agency, found.agency_id) == ("worker", "AROA1")


def test_a_role_of_another_account_is_named_and_not_taken_for_an_own_one() -> None:
    theirs = f"arn:aws:iam::{PARTNER}:role/worker"
    found = fact(call("Change", roleArn=theirs))
    assert (found.agency, found.named) == (None, (f"roleArn={theirs}",))
    assert fact(call("Change", roleName=theirs)).named == (f"roleName={theirs}",)


@pytest.mark.parametrize("name", ["TagRole", "UpdateRole", "AddRoleToInstanceProfile"])
def test_a_refusal_names_its_role_in_the_message_alone(name: str) -> None:
    message = f"User: {ZOE} is not authorized to perform: iam:{name} on resource: {ROLE} because x"
    found = fact(refused(name, message))
    assert (found.agency, found.outcome) == ("worker", "refused")
    assert "zoe" not in found.why


@pytest.mark.parametrize(
    ("said", "policy", "policy_id"),
    [
        (call("TagPolicy", policyArn=OWN), OWN, None),
        (call("AttachManagedPolicyToPermissionSet", "sso", managedPolicyArn=ADMIN), ADMIN, None),
        (call("AttachPolicy", "organizations", policyId="p-1"), None, "p-1"),
        (call("AttachUserPolicy", userName="mei", policyArn=ADMIN), ADMIN, None),
        (call("PutUserPolicy", userName="mei", policyName="own"), "own", None),
        (refused("TagPolicy", f"not authorized on resource: policy {OWN}"), OWN, None),
    ],
)
def test_the_policy_of_a_call_has_its_own_field(
    said: Record, policy: str | None, policy_id: str | None
) -> None:
    found = fact(said)
    assert (found.policy, found.policy_id) == (policy, policy_id)
    assert not any("policyArn" in each.lower() or "policyId" in each for each in found.named)


def test_an_assignment_of_a_permission_set_names_the_set_the_target_and_the_group() -> None:
    request = {
        "permissionSetArn": "arn:aws:sso:::permissionSet/i/ps-1",
        "targetId": PARTNER,
        "targetType": "AWS_ACCOUNT",
        "principalType": "GROUP",
        "principalId": "g-1",
    }
    expected = tuple(f"{key}={request[key]}" for key in sorted(request))
    assert fact(call("CreateAccountAssignment", "sso", **request)).named == expected


def test_names_that_the_response_alone_has_are_kept_too() -> None:
    said = call("CreateOpenIDConnectProvider", url="https://a.example")
    answer = {"openIDConnectProviderArn": "arn:x", "other": {"deep": "x"}}
    assert fact(said | {"responseElements": answer}).named == (
        "openIDConnectProviderArn=arn:x",
        "url=https://a.example",
    )


def test_root_that_is_assumed_in_another_account_names_the_account_and_the_task() -> None:
    task = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"
    said = call("AssumeRoot", "sts", targetPrincipal=PARTNER, taskPolicyArn={"arn": task})
    assert fact(said).named == (f"targetPrincipal={PARTNER}", f"taskPolicyArn={task}")


# -- what it must not tell -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "request_", "named"),
    [
        ("CreateUser", {"userName": "mei"}, ("userName=(somebody)",)),
        ("UpdateUser", {"newUserName": "mei"}, ("newUserName=(somebody)",)),
        (
            "AddUserToGroup",
            {"userName": "mei", "groupName": "g"},
            ("groupName=g", "userName=(somebody)"),
        ),
        ("ChangePassword", {"oldPassword": "mei", "newPassword": "mei"}, ()),
        ("CreateVirtualMFADevice", {"virtualMFADeviceName": "mei"}, ()),
        ("DeleteAccessKey", {"accessKeyId": "AKIAMEI"}, ()),
        ("Change", {"principalType": "USER", "principalId": "u-mei"}, ("principalType=USER",)),
        ("Change", {"displayName": "mei", "email": "mei@example.com"}, ()),
        ("Change", {"externalId": "mei", "token": "mei", "secret": "mei"}, ()),
        ("Change", {"resourceArn": MEI}, ("resourceArn=(somebody)",)),
        (
            "Change",
            {"resourceArn": [MEI, "arn:x"]},
            ("resourceArn=(somebody)", "resourceArn=arn:x"),
        ),
        ("GetFederationToken", {"name": "mei"}, ()),
        ("TagUser", {"tags": [{"key": "team", "value": "mei"}]}, ("tag=team",)),
    ],
)
def test_the_names_of_persons_and_secrets_are_not_kept(
    name: str, request_: Record, named: tuple[str, ...]
) -> None:
    found = fact(call(name, **request_) | {"readOnly": False})
    assert found.named == named
    assert "mei" not in found.model_dump_json().lower()


@pytest.mark.parametrize(
    "message",
    [
        "User: arn:aws:iam::444455556666:user/zoe is not authorized on resource: user mei because x",
        f"not authorized on resource: {MEI}",
        "The user with name mei cannot be found.",
        "Login Profile for User mei cannot be found.",
        "mei exists already",
    ],
)
def test_a_refusal_does_not_tell_the_name_of_a_user(message: str) -> None:
    found = fact(refused("DeleteLoginProfile", message, userName="mei"))
    assert "mei" not in found.why
    assert "(somebody)" in found.why


@pytest.mark.parametrize(
    "message",
    [
        "not authorized on resource: user mei because x",
        "The user with name mei cannot be found.",
        "Login Profile for User mei cannot be found.",
    ],
)
def test_a_user_whom_only_the_message_names_is_not_named_either(message: str) -> None:
    assert "mei" not in fact(refused("DeleteLoginProfile", message)).why


@pytest.mark.parametrize("length", [256, 257])
def test_a_name_of_more_than_256_characters_is_left_out(length: int) -> None:
    found = fact(call("Change", resourceArn="x" * length))
    assert len(found.named) == (length <= 256)


def test_at_most_32_names_are_kept() -> None:
    found = fact(call("Change", resourceArns=[f"arn:{n:02}" for n in range(40)]))
    assert found.named == tuple(f"resourceArns=arn:{n:02}" for n in range(32))


# -- its document --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "service", "key"),
    [
        ("PutUserPolicy", "iam", "policyDocument"),
        ("PutGroupPolicy", "iam", "policyDocument"),
        ("PutInlinePolicyToPermissionSet", "sso", "inlinePolicy"),
        ("CreatePolicy", "organizations", "content"),
        ("PutResourcePolicy", "organizations", "content"),
        ("CreatePermission", "ram", "policyTemplate"),
        ("CreateProfile", "rolesanywhere", "sessionPolicy"),
        ("PutResourcePolicy", "cloudtrail", "resourcePolicy"),
        ("GetFederationToken", "sts", "policy"),
    ],
)
@pytest.mark.parametrize("written", [POLICY, json.dumps(POLICY)])
def test_the_document_of_such_a_call_is_kept_under_its_digest(
    name: str, service: str, key: str, written: object
) -> None:
    said = record(name, service, requestParameters={key: written}, readOnly=False)
    found = observed(said)
    document = document_of(POLICY)
    assert document is not None
    assert found.documents == (document,)
    event: Any = found.events[0]
    assert (event.document, event.document_bytes) == (document.digest, document.size)
    assert "Statement" not in event.model_dump_json()


@pytest.mark.parametrize("written", [None, "", "text", {"omitted": True}, 7])
def test_a_field_without_a_document_tells_none(written: object) -> None:
    found = observed(call("PutUserPolicy", policyDocument=written))
    event: Any = found.events[0]
    assert (event.document, event.document_bytes, found.documents) == (None, None, ())


# -- roles that are given to services ------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "service", "key"),
    [
        ("CreateFunction20150331", "lambda", "role"),
        ("CreateJob", "glue", "role"),
        ("RegisterTaskDefinition", "ecs", "taskRoleArn"),
        ("CreateCluster", "eks", "roleArn"),
    ],
)
def test_a_role_that_is_given_to_a_service_is_kept(name: str, service: str, key: str) -> None:
    found = fact(call(name, service, **{key: ROLE}))
    assert (found.call, found.agency) == (f"{service}:{name}", "worker")


@pytest.mark.parametrize("value", ["worker", MEI, None, 7, ["x"]])
def test_a_call_that_gives_no_role_is_counted(value: object) -> None:
    assert counted(call("CreateJob", "glue", role=value)) == "glue:CreateJob"


def test_a_call_that_was_refused_because_of_the_role_it_gives_is_kept() -> None:
    message = (
        f"User: {ZOE} is not authorized to perform: iam:PassRole on resource: {ROLE} because x"
    )
    found = fact(refused("RunInstances", message, "ec2"))
    assert (found.call, found.agency, found.outcome) == ("ec2:RunInstances", "worker", "refused")


@pytest.mark.parametrize(
    "name",
    [
        "CreatePodIdentityAssociation",
        "UpdatePodIdentityAssociation",
        "DeletePodIdentityAssociation",
        "CreateAccessEntry",
        "AssociateAccessPolicy",
        "DisassociateAccessPolicy",
    ],
)
def test_each_change_of_who_may_act_in_a_cluster_is_kept(name: str) -> None:
    found = fact(call(name, "eks", clusterName="c", serviceAccount="api", namespace="pay"))
    assert found.named == ("clusterName=c", "namespace=pay", "serviceAccount=api")
    assert fact(call(name, "eks", roleArn=ROLE)).agency == "worker"


@pytest.mark.parametrize(
    ("name", "request_", "profile"),
    [
        (
            "AssociateIamInstanceProfile",
            {
                "AssociateIamInstanceProfileRequest": {
                    "IamInstanceProfile": {"Name": "web"},
                    "InstanceId": "i-1",
                }
            },
            ("IamInstanceProfile=web", "InstanceId=i-1"),
        ),
        (
            "ReplaceIamInstanceProfileAssociation",
            {"iamInstanceProfile": {"arn": PROFILE}, "associationId": "iip-1"},
            ("associationId=iip-1", f"iamInstanceProfile={PROFILE}"),
        ),
        ("DisassociateIamInstanceProfile", {"associationId": "iip-1"}, ("associationId=iip-1",)),
        ("RunInstances", {"iamInstanceProfile": {"name": "web"}}, ("iamInstanceProfile=web",)),
    ],
)
def test_the_profile_of_a_role_that_a_machine_gets_is_kept(
    name: str, request_: Record, profile: tuple[str, ...]
) -> None:
    assert fact(call(name, "ec2", **request_)).named == profile


# -- calls that usually are a fact ---------------------------------------------------------------


def test_a_call_whose_own_translator_finds_a_fact_is_that_fact_alone() -> None:
    assert fact(call("DeleteRole", roleName="worker")) == AgencyDeleted(agency="worker")


def test_a_call_whose_own_translator_finds_none_is_kept_with_its_reason() -> None:
    found = fact(call("AttachRolePolicy", policyArn=ADMIN))
    assert (found.call, found.policy, found.detail) == (
        "iam:AttachRolePolicy",
        ADMIN,
        "role not named",
    )
