"""Grants, shared copies and other calls: kept if they let another account in."""

from __future__ import annotations

import json

import pytest

from tests.sources.cloudtrail.making import (
    ACCOUNT,
    CAROL,
    PARTNER,
    THEIRS,
    Record,
    call,
    counted,
    fact,
    policy,
    refused,
)

OWNER = "a" * 64
READER = f"arn:aws:quicksight:x:{ACCOUNT}:user/default/mei"
THERE = f"arn:aws:quicksight:x:{PARTNER}:user/default/carol"
READER_THERE = f"arn:aws:iam::{PARTNER}:user/carol"


def acl(grantee: str) -> Record:
    """The policy of a bucket that OWNER owns, and which this canonical user may read."""
    grants = [{"Grantee": {"ID": each}, "Permission": "READ"} for each in (OWNER, grantee)]
    return {"Owner": {"ID": OWNER}, "AccessControlList": {"Grant": grants}}


@pytest.mark.parametrize(
    ("service", "name", "request_"),
    [
        ("lambda", "AddPermission20150331v2", {"principal": PARTNER}),
        ("lambda", "AddLayerVersionPermission20181031", {"principal": PARTNER}),
        ("events", "PutPermission", {"principal": PARTNER}),
        ("kms", "CreateGrant", {"granteePrincipal": f"arn:aws:iam::{PARTNER}:root"}),
        ("kms", "CreateGrant", {"granteePrincipal": CAROL}),
        ("sqs", "AddPermission", {"aWSAccountIds": [ACCOUNT, PARTNER]}),
        ("sns", "AddPermission", {"aWSAccountId": [PARTNER]}),
        ("sqs", "SetQueueAttributes", {"attributes": {"Policy": policy({"AWS": PARTNER})}}),
        ("sns", "CreateTopic", {"attributes": {"Policy": json.dumps(policy({"AWS": PARTNER}))}}),
        (
            "ec2",
            "ModifySnapshotAttribute",
            {"createVolumePermission": {"add": {"items": [{"userId": PARTNER}]}}},
        ),
        (
            "ec2",
            "ModifyImageAttribute",
            {"launchPermission": {"add": {"items": [{"userId": PARTNER}]}}},
        ),
        ("rds", "ModifyDBSnapshotAttribute", {"valuesToAdd": [PARTNER]}),
        ("rds", "ModifyDBClusterSnapshotAttribute", {"valuesToAdd": [PARTNER]}),
    ],
)
def test_an_account_that_is_let_in_by_its_number_is_kept(
    service: str, name: str, request_: Record
) -> None:
    found = fact(call(name, service, **request_))
    assert found.named[0] == f"principal=account:{PARTNER}"
    assert "carol" not in found.model_dump_json()


@pytest.mark.parametrize(
    ("service", "name", "request_"),
    [
        ("lambda", "AddPermission", {"principal": "*"}),
        (
            "ec2",
            "ModifyImageAttribute",
            {"launchPermission": {"add": {"items": [{"group": "all"}]}}},
        ),
        ("rds", "ModifyDBSnapshotAttribute", {"valuesToAdd": ["all"]}),
        ("s3", "PutBucketAcl", {"x-amz-acl": ["public-read"]}),
        (
            "s3",
            "PutBucketAcl",
            {"AccessControlPolicy": {"Grantee": {"URI": "http://acs/groups/global/AllUsers"}}},
        ),
    ],
)
def test_a_resource_that_is_open_to_anyone_is_kept(
    service: str, name: str, request_: Record
) -> None:
    assert fact(call(name, service, **request_)).named[0] == "principal=anyone"


@pytest.mark.parametrize(
    ("service", "name", "request_"),
    [
        ("lambda", "AddPermission", {"principal": "s3.amazonaws.com"}),
        ("kms", "CreateGrant", {"granteePrincipal": f"arn:aws:iam::{ACCOUNT}:role/worker"}),
        ("kms", "CreateGrant", {"granteePrincipal": "rds.eu-north-1.amazonaws.com"}),
        ("sqs", "AddPermission", {"aWSAccountIds": [ACCOUNT]}),
        ("sqs", "SetQueueAttributes", {"attributes": {"DelaySeconds": "5"}}),
        ("sns", "SetTopicAttributes", {"attributeName": "DisplayName", "attributeValue": "x"}),
        ("s3", "PutBucketAcl", {"x-amz-acl": ["private"]}),
        ("s3", "PutBucketAcl", {"AccessControlPolicy": acl(OWNER)}),
        ("lambda", "AddPermission", {"principal": "s3.amazonaws.com", "sourceAccount": ACCOUNT}),
        (
            "lambda",
            "AddPermission",
            {"principal": "sns.amazonaws.com", "sourceArn": f"arn:aws:sns:x:{ACCOUNT}:t"},
        ),
        (
            "lakeformation",
            "GrantPermissions",
            {"principal": {"dataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}},
        ),
        ("ssm", "ModifyDocumentPermission", {"accountIdsToAdd": [ACCOUNT]}),
        ("quicksight", "UpdateDashboardPermissions", {"grantPermissions": [{"principal": READER}]}),
    ],
)
def test_a_grant_to_the_own_account_or_one_service_is_counted(
    service: str, name: str, request_: Record
) -> None:
    assert counted(call(name, service, **request_)) == f"{service}:{name} (lets nobody in)"


@pytest.mark.parametrize(
    "name", ["DeleteBucketPolicy", "RemovePermission", "PutObject", "PutBucketTagging"]
)
def test_a_call_that_lets_nobody_in_is_counted_by_its_name(name: str) -> None:
    assert counted(call(name, "s3", bucketName="logs")) == f"s3:{name}"


@pytest.mark.parametrize(
    ("service", "name", "request_"),
    [
        ("ec2", "CreateVpcEndpoint", {"policyDocument": json.dumps(policy("*"))}),
        ("ec2", "ModifyVpcEndpoint", {"policyDocument": json.dumps(policy("*"))}),
        ("accessanalyzer", "CreateAccessPreview", {"configurations": {"b": policy("*")}}),
        ("ec2", "RunInstances", {"minCount": 1}),
        ("x", "StartX", {"principal": "Mei", "grantee": "x"}),
    ],
)
def test_a_policy_that_is_not_of_a_resource_or_names_no_outsider_lets_nobody_in(
    service: str, name: str, request_: Record
) -> None:
    assert counted(call(name, service, **request_)).startswith(f"{service}:{name}")


@pytest.mark.parametrize("name", ["GetResourcePolicy", "DescribeShares", "ListGrants"])
def test_a_call_that_only_reads_is_counted_whatever_it_names(name: str) -> None:
    said = call(name, "new", policy=json.dumps(policy("*")), granteePrincipal=PARTNER)
    assert counted(said) == f"new:{name}"
    assert counted(said | {"readOnly": True}) == f"new:{name}"


@pytest.mark.parametrize(
    ("service", "name", "request_"),
    [
        ("new", "ShareThing", {"policy": json.dumps(policy({"AWS": PARTNER}))}),
        ("new", "ShareThing", {"anyKey": policy({"AWS": PARTNER})}),
        ("new", "ShareThing", {"granteePrincipals": [PARTNER]}),
        ("new", "ShareThing", {"principals": [f"arn:aws:iam::{PARTNER}:root"]}),
        ("new", "ShareThing", {"receiverPrincipal": PARTNER}),
        ("new", "ShareThing", {"accountIdsToAdd": [PARTNER]}),
        ("ds", "ShareDirectory", {"shareTarget": {"id": PARTNER, "type": "ACCOUNT"}}),
        ("servicecatalog", "CreatePortfolioShare", {"accountId": PARTNER}),
        ("es", "AuthorizeVpcEndpointAccess", {"account": PARTNER}),
        ("config", "PutAggregationAuthorization", {"authorizedAccountId": PARTNER}),
        ("aoss", "CreateAccessPolicy", {"policy": json.dumps([{"Principal": [READER_THERE]}])}),
        ("quicksight", "UpdateDashboardPermissions", {"grantPermissions": [{"principal": THERE}]}),
    ],
)
def test_an_account_that_any_call_lets_in_is_kept(
    service: str, name: str, request_: Record
) -> None:
    (principal, *_) = fact(call(name, service, **request_)).named
    assert principal == f"principal=account:{PARTNER}"


@pytest.mark.parametrize(
    ("service", "name", "request_", "principals"),
    [
        (
            "serverlessrepo",
            "PutApplicationPolicy",
            {"statements": [{"actions": ["Deploy"], "principals": ["*"]}]},
            ["anyone"],
        ),
        (
            "serverlessrepo",
            "PutApplicationPolicy",
            {"statements": [{"principals": [PARTNER, ACCOUNT], "principalOrgIDs": ["o-abc1"]}]},
            [f"account:{PARTNER}", "o-abc1"],
        ),
        ("ssm", "ModifyDocumentPermission", {"accountIdsToAdd": ["all"]}, ["anyone"]),
        (
            "redshift",
            "AuthorizeSnapshotAccess",
            {"accountWithRestoreAccess": PARTNER},
            [f"account:{PARTNER}"],
        ),
        ("redshift", "AuthorizeDataShare", {"consumerIdentifier": PARTNER}, [f"account:{PARTNER}"]),
        (
            "ec2",
            "ModifyVpcEndpointServicePermissions",
            {
                "ModifyVpcEndpointServicePermissionsRequest": {
                    "ServiceId": "vpce-svc-1",
                    "AddAllowedPrincipals": {"tag": 1, "content": f"arn:aws:iam::{PARTNER}:root"},
                }
            },
            [f"account:{PARTNER}"],
        ),
        (
            "ec2",
            "ModifyVpcEndpointServicePermissions",
            {"addAllowedPrincipals": {"items": ["*"]}},
            ["anyone"],
        ),
        (
            "lakeformation",
            "GrantPermissions",
            {"principal": {"dataLakePrincipalIdentifier": PARTNER}},
            [f"account:{PARTNER}"],
        ),
        (
            "lakeformation",
            "BatchGrantPermissions",
            {"entries": [{"principal": {"dataLakePrincipalIdentifier": THEIRS}}]},
            [THEIRS],
        ),
        (
            "lambda",
            "AddPermission20150331v2",
            {"principal": "s3.amazonaws.com", "sourceAccount": PARTNER},
            [f"account:{PARTNER}"],
        ),
        (
            "lambda",
            "AddPermission20150331v2",
            {"principal": "sns.amazonaws.com", "sourceArn": f"arn:aws:sns:x:{PARTNER}:t"},
            [f"account:{PARTNER}"],
        ),
        ("s3", "PutBucketAcl", {"AccessControlPolicy": acl("b" * 64)}, [f"canonical-user:{'b' * 64}"]),
        ("s3", "PutBucketAcl", {"x-amz-grant-read": [f'id="{"b" * 64}"']}, [f"canonical-user:{'b' * 64}"]),
    ],
)  # fmt: skip
def test_whom_a_call_lets_in_is_named(
    service: str, name: str, request_: Record, principals: list[str]
) -> None:
    found = fact(call(name, service, **request_))
    assert [each for each in found.named if each.startswith("principal=")] == [
        f"principal={each}" for each in principals
    ]


@pytest.mark.parametrize(
    ("service", "name", "request_"),
    [
        (
            "ec2",
            "ModifySnapshotAttribute",
            {"createVolumePermission": {"remove": {"items": [{"userId": PARTNER}]}}},
        ),
        (
            "ec2",
            "ModifyImageAttribute",
            {"launchPermission": {"remove": {"items": [{"userId": PARTNER}]}}},
        ),
        (
            "ec2",
            "ModifyFpgaImageAttribute",
            {
                "ModifyFpgaImageAttributeRequest": {
                    "OperationType": "remove",
                    "UserId": [PARTNER],
                }
            },
        ),
        ("rds", "ModifyDBSnapshotAttribute", {"valuesToRemove": [PARTNER]}),
        ("ssm", "ModifyDocumentPermission", {"accountIdsToRemove": [PARTNER]}),
        ("redshift", "RevokeSnapshotAccess", {"accountWithRestoreAccess": PARTNER}),
        (
            "lakeformation",
            "RevokePermissions",
            {"principal": {"dataLakePrincipalIdentifier": PARTNER}},
        ),
    ],
)
def test_an_account_that_a_call_keeps_out_again_is_kept_as_such(
    service: str, name: str, request_: Record
) -> None:
    found = fact(call(name, service, **request_))
    assert found.named[0] == f"removed-principal=account:{PARTNER}"


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("ec2", "ModifyImageAttribute"),
        ("rds", "ModifyDBSnapshotAttribute"),
        ("s3", "PutBucketPolicy"),
    ],
)
def test_a_refused_call_that_does_not_tell_whom_it_was_for_is_kept(service: str, name: str) -> None:
    found = fact(refused(name, "not authorized", service))
    assert (found.call, found.outcome, found.named) == (f"{service}:{name}", "refused", ())


def test_a_refused_call_that_mostly_makes_a_thing_without_a_policy_is_counted() -> None:
    assert counted(refused("CreateKey", None, "kms")) == "kms:CreateKey (lets nobody in)"
