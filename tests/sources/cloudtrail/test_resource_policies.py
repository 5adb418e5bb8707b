"""Policies of resources: kept with their documents if they let another account in."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ledger.account.unmodelled import NotModelled
from ledger.documents import document_of
from ledger.messages import Observation
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    CAROL,
    PARTNER,
    THEIRS,
    ZOE,
    Record,
    call,
    counted,
    fact,
    observed,
    policy,
)

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


def text(value: object) -> str:
    return json.dumps(value)


def escaped(value: object) -> str:
    return json.dumps(value).replace('"', '\\"')


def assert_kept(found: Observation, document: Record, principal: str) -> None:
    """One fact, with this principal and this document."""
    (event,) = found.events
    assert isinstance(event, NotModelled)
    assert event.named[0] == principal
    assert found.documents == (document_of(document),)
    assert event.document == found.documents[0].digest


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


@pytest.mark.parametrize("written", [policy("*"), json.dumps(policy("*"))])
def test_the_policy_among_the_attributes_of_a_queue_is_kept(written: object) -> None:
    found = observed(call("SetQueueAttributes", "sqs", attributes={"Policy": written}))
    assert found.documents == (document_of(policy("*")),)


def test_a_policy_that_is_left_out_is_kept_since_it_may_let_anyone_in() -> None:
    found = fact(call("PutBucketPolicy", "s3", omitted=True))
    assert (found.call, found.named, found.document) == ("s3:PutBucketPolicy", (), None)


def test_the_policy_of_a_vault_in_an_object_of_its_own_is_kept_with_its_document() -> None:
    given = policy({"AWS": PARTNER})
    said = call("SetVaultAccessPolicy", "glacier", accountId="-", policy={"policy": text(given)})
    found = observed(said)
    assert_kept(found, given, f"principal=account:{PARTNER}")


@pytest.mark.parametrize("write", [text, lambda one: text(text(one)), escaped])
def test_the_policy_in_a_patch_of_an_api_is_kept_with_its_document(write: Any) -> None:
    given = policy("*")
    patch = {"op": "replace", "path": "/policy", "value": write(given)}
    said = call("UpdateRestApi", "apigateway", restApiId="r1", patchOperations=[patch])
    assert_kept(observed(said), given, "principal=anyone")


def test_a_patch_of_an_api_without_a_policy_lets_nobody_in() -> None:
    patch = {"op": "replace", "path": "/name", "value": "x"}
    said = call("UpdateRestApi", "apigateway", restApiId="r1", patchOperations=[patch])
    assert counted(said) == "apigateway:UpdateRestApi (lets nobody in)"
