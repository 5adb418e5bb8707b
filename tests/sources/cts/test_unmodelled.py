"""Calls on rights that no translator understands: kept, with what they named and no more."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.unmodelled import NotModelled
from tests.sources.cts.making import AGENCY_ID, REFUSED, counted, fact, kept

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
