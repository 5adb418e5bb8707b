"""Calls on rights that no translator understands: kept, with what they named and no more."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.account.unmodelled import NotModelled
from tests.sources.cts.making import (
    AGENCY_ID,
    DOMAIN,
    REFUSED,
    counted,
    fact,
    kept,
    kept_document,
    observed,
)

USER_ID = "9f8e7d6c5b4a39281706f5e4d3c2b1a0"
GROUP_ID = "1a2b3c4d5e6f708192a3b4c5d6e7f809"


@pytest.mark.parametrize(
    "call",
    [
        "IAM:createIdentityProvider",
        "IAM:updateMapping",
        "IAM:createProtocol",
        "IAM:deleteUser",
        "IAM:addUserToGroup",
        "IAM:modifySecurityPolicy",
        "IAM:attachGroupPolicyV5",
        "STS:somethingNew",
        "Organizations:attachPolicy",
        "Organizations:detachPolicy",
        "Organizations:celeteOrganization",
        "IdentityCenter:CreateAccountAssignment",
        "IdentityCenter:CreatePermissionSet",
        "RAM:createResourceShare",
        "RAM:acceptResourceShareInvitation",
        "CTS:createNotification",
    ],
)
@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_a_call_on_rights_is_kept(call: str, outcome: dict[str, str]) -> None:
    service, _, name = call.partition(":")
    assert kept(name, service_type=service, **outcome) == call


@pytest.mark.parametrize(
    ("name", "service", "said"),
    [
        ("listUsersV5", "IAM", {}),
        ("getAgencyV5", "IAM", {}),
        ("showGroupV5", "IAM", {}),
        ("ListAccountAssignments", "IdentityCenter", {}),
        ("searchResourceShares", "RAM", {}),
        ("keystoneListUsers", "IAM", {}),
        ("decodeAuthorizationMessage", "STS", {}),
        ("checkObsBuckets", "CTS", {}),
        ("createUser", "IAM", {"read_only": True}),
        ("createUser", "IAM", {"read_only": "true"}),
        ("logout", "IAM", {}),
        ("createTokenByPwd", "IAM", {}),
        ("createServer", "ECS", {}),
        ("createCluster2", "CCE", {}),
    ],
)
def test_a_call_that_reads_and_one_of_another_service_are_counted(
    name: str, service: str, said: dict[str, Any]
) -> None:
    assert counted(name, service_type=service, **said) == f"{service}:{name}"


@pytest.mark.parametrize(
    ("name", "fields", "named"),
    [
        (
            "createIdentityProvider",
            {"resource_type": "identityProvider", "resource_name": "idp1"},
            ("identityProvider=idp1",),
        ),
        (
            "createProtocol",
            {
                "resource_url": "/v3/OS-FEDERATION/identity_providers/idp1/protocols/saml",
                "request": {"protocol": {"mapping_id": "m1"}},
            },
            ("identity_provider=idp1", "mapping_id=m1", "protocol_id=saml"),
        ),
        (
            "CreateAccountAssignment",
            {
                "service_type": "IdentityCenter",
                "request": {
                    "permission_set_id": "ps-1",
                    "principal_id": USER_ID,
                    "principal_type": "USER",
                    "target_id": "d2",
                    "target_type": "ACCOUNT",
                },
            },
            (
                "permission_set_id=ps-1",
                f"principal_id={USER_ID}",
                "principal_type=USER",
                "target_id=d2",
                "target_type=ACCOUNT",
            ),
        ),
        (
            "createResourceShare",
            {
                "service_type": "RAM",
                "resource_type": "resourceShare",
                "resource_name": "s1",
                "request": {
                    "principals": [USER_ID, "mei@example.com"],
                    "resource_urns": ["vpc:eu-de:d1:subnet:n1"],
                    "allow_external_principals": True,
                },
            },
            (
                "allow_external_principals=true",
                f"principals={USER_ID}",
                "resourceShare=s1",
                "resource_urns=vpc:eu-de:d1:subnet:n1",
            ),
        ),
        (
            "attachPolicy",
            {
                "service_type": "Organizations",
                "request": '{"entity_id": "ou-1"}',
                "response": {"entity_id": "other"},
            },
            ("entity_id=ou-1",),
        ),
    ],
)
def test_the_things_that_a_call_names_are_kept(
    name: str, fields: dict[str, Any], named: tuple[str, ...]
) -> None:
    assert fact(name, **fields).named == named


def test_the_agency_and_the_policy_that_a_call_names_are_kept() -> None:
    found = fact(
        "tagAgencyV5",
        resource_url=f"/v5/agencies/{AGENCY_ID}",
        request={"policy_id": "p1"},
        endpoint="iam.eu-de.example.com",
    )
    assert found == NotModelled(
        call="IAM:tagAgencyV5", region="eu-de", agency_id=AGENCY_ID, policy_id="p1"
    )


def test_the_group_of_a_grant_is_not_an_agency() -> None:
    found = fact(
        "createAssignment",
        resource_type="roleGroupProject",
        resource_name="admins",
        resource_url=f"/v3/projects/j1/groups/{GROUP_ID}/roles/r1",
    )
    assert (found.agency, found.agency_id, found.policy_id) == (None, None, "r1")
    assert found.named == (f"group_id={GROUP_ID}", "project_id=j1")


def test_no_secret_no_document_and_no_persons_name_is_kept() -> None:
    found = fact(
        "createUser",
        resource_type="user",
        resource_name="Mei Lin",
        resource_url="/v3/users/mei",
        request={
            "user": {
                "name": "mei",
                "password": "hunter2",
                "email": "mei@example.com",
                "domain_id": "d1",
                "access": {"key": "AK", "secret": "SK"},
            },
            "user_id": "mei",
            "display_name": "Mei Lin",
            "policy_document": {"Version": "5.0"},
        },
        response={"credential": {"access": "AK", "secret": "SK"}},
    )
    assert found == NotModelled(call="IAM:createUser", named=("domain_id=d1",))


def test_a_long_list_and_long_or_unprintable_words_are_left_out() -> None:
    ids = [f"p{number:03}" for number in range(100)]
    found = fact("createResourceShare", service_type="RAM", request={"permission_ids": ids})
    assert found.named == tuple(f"permission_ids={each}" for each in ids[:40])
    odd: list[Any] = ["x" * 257, "a\nb", None, {}, "ok"]
    found = fact("createResourceShare", service_type="RAM", request={"permission_ids": odd})
    assert found.named == ("permission_ids=ok",)


def bucket_policy(principal: object) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": ["GetObject"]}]}


OTHER = "783fc6652cf246c096ea836694f71855"
BUCKET = {"service_type": "OBS", "resource_type": "bucket", "resource_name": "logs"}


@pytest.mark.parametrize(
    ("principal", "word"),
    [
        ("*", "anyone"),
        ({"ID": "*"}, "anyone"),
        ({"ID": ["domain/*:user/*"]}, "anyone"),
        ({"ID": [f"domain/{OTHER}:user/carol"]}, f"account:{OTHER}"),
        ({"ID": [f"domain/{OTHER}:agency/x"]}, f"account:{OTHER}"),
        ({"IAM": f"iam::{OTHER}:root"}, f"account:{OTHER}"),
        ({"IAM": f"sts::{OTHER}:user:carol"}, f"account:{OTHER}"),
    ],
)
@pytest.mark.parametrize("write", [dict, json.dumps, lambda one: {"policy": json.dumps(one)}])
def test_the_policy_of_a_bucket_that_lets_another_account_in_is_kept(
    write: Any, principal: object, word: str
) -> None:
    given = bucket_policy(principal)
    found = observed("setBucketPolicy", request=write(given), **BUCKET)
    document = kept_document(given)
    assert found.documents == (document,)
    assert found.events == (
        NotModelled(
            call="OBS:setBucketPolicy",
            named=(f"principal={word}", "bucket=logs"),
            document=document.digest,
            document_bytes=document.size,
        ),
    )


def test_the_policy_of_a_bucket_that_lets_only_the_own_account_in_is_counted() -> None:
    given = bucket_policy({"ID": [f"domain/{DOMAIN}:user/*"]})
    said = counted("setBucketPolicy", request=json.dumps(given), **BUCKET)
    assert said == "OBS:setBucketPolicy (lets nobody in)"


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("OBS", "setBucketPolicy"),
        ("OBS", "setBucketAcl"),
        ("KMS", "createGrant"),
        ("IMS", "addMember"),
        ("VPCEP", "servicePermissionAction"),
    ],
)
@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_a_call_that_may_let_somebody_in_and_does_not_tell_whom_is_kept(
    service: str, name: str, outcome: dict[str, str]
) -> None:
    assert kept(name, service_type=service, **outcome) == f"{service}:{name}"


def test_the_accounts_of_a_whitelist_and_the_id_that_a_grant_is_for_are_kept() -> None:
    permissions = [f"iam:domain::{OTHER}", f"iam:domain::{DOMAIN}"]
    request = {"permissions": permissions, "action": "add"}
    found = fact("servicePermissionAction", service_type="VPCEP", request=request)
    assert found.named == (f"principal=account:{OTHER}",)
    grant = {"grantee_principal": OTHER, "grantee_principal_type": "domain"}
    found = fact("createGrant", service_type="KMS", request=grant)
    assert found.named == (f"grantee_principal={OTHER}", "grantee_principal_type=domain")


def test_a_policy_in_any_call_that_lets_another_account_in_is_kept() -> None:
    request = {"value": json.dumps(bucket_policy({"CSP": [f"iam::{OTHER}:root"]}))}
    found = fact("updateTopicAttribute", service_type="SMN", request=request)
    assert found.named == (f"principal=account:{OTHER}",)


@pytest.mark.parametrize(
    ("service", "name"),
    [("SMN", "listTopicAttributes"), ("VPCEP", "modifyEndpointPolicy"), ("OBS", "createBucket")],
)
def test_a_call_that_reads_or_sets_no_policy_of_a_resource_is_counted(
    service: str, name: str
) -> None:
    request = bucket_policy("*") if service != "OBS" else {"bucket": "logs"}
    assert counted(name, service_type=service, request=request) == f"{service}:{name}"
