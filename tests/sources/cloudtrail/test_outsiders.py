"""Policies of resources, grants and shared copies: kept if they let another account in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ledger.documents import document_of
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    PARTNER,
    ZOE,
    Record,
    call,
    counted,
    fact,
    observed,
)

THEIRS = f"arn:aws:iam::{PARTNER}:role/reader"
CAROL = f"arn:aws:iam::{PARTNER}:user/carol"
DOCUMENTS = [
    ("s3", "PutBucketPolicy", "bucketPolicy"),
    ("kms", "PutKeyPolicy", "policy"),
    ("kms", "CreateKey", "policy"),
    ("kms", "ReplicateKey", "policy"),
    ("secretsmanager", "PutResourcePolicy", "resourcePolicy"),
    ("ecr", "SetRepositoryPolicy", "policyText"),
    ("ecr", "PutRegistryPolicy", "policyText"),
    ("glue", "PutResourcePolicy", "policyInJson"),
    ("logs", "PutDestinationPolicy", "accessPolicy"),
    ("codeartifact", "PutDomainPermissionsPolicy", "policyDocument"),
    ("sns", "SetTopicAttributes", "attributeValue"),
    ("es", "UpdateElasticsearchDomainConfig", "accessPolicies"),
    ("apigateway", "CreateRestApi", "policy"),
    ("backup", "PutBackupVaultAccessPolicy", "policy"),
]


def policy(principal: object, effect: str = "Allow", **more: object) -> Record:
    return {"Statement": [{"Effect": effect, "Principal": principal, "Action": "*"} | more]}


@pytest.mark.parametrize(("service", "name", "key"), DOCUMENTS)
@pytest.mark.parametrize(
    ("principal", "word"),
    [
        ("*", "anyone"),
        ({"AWS": "*"}, "anyone"),
        ({"AWS": PARTNER}, f"account:{PARTNER}"),
        ({"AWS": f"arn:aws:iam::{PARTNER}:root"}, f"account:{PARTNER}"),
        ({"AWS": THEIRS}, THEIRS),
        ({"AWS": CAROL}, f"account:{PARTNER}"),
        ({"Service": "cloudtrail.amazonaws.com"}, "service:cloudtrail.amazonaws.com"),
    ],
)
def test_a_policy_that_lets_another_account_in_is_kept_with_its_document(
    service: str, name: str, key: str, principal: object, word: str
) -> None:
    document = policy(principal)
    for written in (document, json.dumps(document), quote(json.dumps(document))):
        found = observed(call(name, service, **{key: written}))
        event: Any = found.events[0]
        assert (event.call, event.named) == (f"{service}:{name}", (f"principal={word}",))
        assert found.documents == (document_of(document),)
        assert event.document == found.documents[0].digest


@pytest.mark.parametrize(("service", "name", "key"), DOCUMENTS)
@pytest.mark.parametrize(
    "document",
    [
        policy({"AWS": ACCOUNT}),
        policy({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}),
        policy({"AWS": f"arn:aws:iam::{ACCOUNT}:role/worker"}),
        policy({"AWS": ZOE}),
        policy({"AWS": ACCOUNT}, Condition={"Bool": {"aws:SecureTransport": "true"}}),
        policy("*", "Deny"),
        {"Statement": []},
        {},
        None,
    ],
)
def test_a_policy_that_lets_only_the_own_account_in_is_counted(
    service: str, name: str, key: str, document: object
) -> None:
    for written in (document, json.dumps(document)):
        said = call(name, service, **{key: written})
        assert counted(said) == f"{service}:{name} (lets nobody in)"


def test_the_condition_under_which_anyone_is_let_in_is_shown() -> None:
    document = policy("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}})
    (named,) = fact(call("PutBucketPolicy", "s3", bucketPolicy=document)).named
    assert named.startswith("principal=anyone if aws:PrincipalOrgID [")


def test_own_principals_beside_others_are_left_out() -> None:
    document = policy({"AWS": [ACCOUNT, PARTNER, "*"]})
    found = fact(call("PutBucketPolicy", "s3", bucketPolicy=document, bucketName="logs"))
    assert found.named == (f"principal=account:{PARTNER}", "principal=anyone", "bucketName=logs")


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
        (
            "ec2",
            "ModifyImageAttribute",
            {"launchPermission": {"remove": {"items": [{"userId": PARTNER}]}}},
        ),
        ("rds", "ModifyDBSnapshotAttribute", {"valuesToRemove": [PARTNER]}),
        ("s3", "PutBucketAcl", {"x-amz-acl": ["private"]}),
    ],
)
def test_a_grant_to_the_own_account_or_one_service_is_counted(
    service: str, name: str, request_: Record
) -> None:
    assert counted(call(name, service, **request_)) == f"{service}:{name} (lets nobody in)"


@pytest.mark.parametrize("written", [policy("*"), json.dumps(policy("*"))])
def test_the_policy_among_the_attributes_of_a_queue_is_kept(written: object) -> None:
    found = observed(call("SetQueueAttributes", "sqs", attributes={"Policy": written}))
    assert found.documents == (document_of(policy("*")),)


def test_a_policy_that_is_left_out_is_kept_since_it_may_let_anyone_in() -> None:
    found = fact(call("PutBucketPolicy", "s3", omitted=True))
    assert (found.call, found.named, found.document) == ("s3:PutBucketPolicy", (), None)


@pytest.mark.parametrize(
    "name", ["DeleteBucketPolicy", "RemovePermission", "PutObject", "PutBucketTagging"]
)
def test_a_call_that_lets_nobody_in_is_counted_by_its_name(name: str) -> None:
    assert counted(call(name, "s3", principal="*")) == f"s3:{name}"
