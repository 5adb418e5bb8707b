"""The documents that CTS's traces tell: kept beside the facts, which have their digests."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from ledger.account.policy import PolicyChanged, PolicyCreated
from tests.sources.cts.making import AGENCY, POLICY, REFUSED, fact, kept_document, observed, under

ROLE = {
    "Version": "1.0",
    "Statement": [{"Action": ["::Get", "::List"], "Effect": "Allow"}],
    "Depends": [{"catalog": "BASE", "display_name": "Tenant Guest"}],
}
VERSION_1_1 = {"Version": "1.1", "Statement": [{"Action": ["cce:*:*"], "Effect": "Allow"}]}
VERSION_5 = {"Version": "5.0", "Statement": [{"Action": ["cce:*:*"], "Effect": "Allow"}]}
TRUST = {
    "Version": "5.0",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"IAM": ["0f3c2b1a9d8e4f7a8b6c5d4e3f2a1b0c"]},
            "Action": ["sts:agencies:assume"],
            "Condition": {"StringEquals": {"sts:ExternalId": ["e-1"]}},
        }
    ],
}
DOCUMENTS = pytest.mark.parametrize(
    "document", [ROLE, VERSION_1_1, VERSION_5], ids=["1.0", "1.1", "5.0"]
)
CALLS = pytest.mark.parametrize(
    ("name", "key"),
    [
        ("createRole", "role.policy"),
        ("updateRole", "role.policy"),
        ("createPolicyV5", "policy_document"),
        ("createPolicyVersionV5", "policy_document"),
    ],
)
FORMS = [lambda value: value, json.dumps, lambda value: quote(json.dumps(value))]


@DOCUMENTS
@CALLS
@pytest.mark.parametrize("form", FORMS, ids=["object", "text", "encoded"])
def test_a_policys_document_is_kept_and_its_fact_has_the_digest_and_the_size(
    name: str, key: str, form: Any, document: object
) -> None:
    found = observed(name, **POLICY, request=under(key, form(document)))
    (event,) = found.events
    assert isinstance(event, PolicyCreated | PolicyChanged)
    assert found.documents == (kept_document(document),)
    (whole,) = found.documents
    assert (event.document, event.document_bytes) == (whole.digest, whole.size)
    assert whole.text is not None
    assert json.loads(whole.text) == document


@pytest.mark.parametrize("name", ["createAgencyV5", "updateTrustPolicyV5"])
@pytest.mark.parametrize("form", FORMS, ids=["object", "text", "encoded"])
def test_a_trust_policy_with_its_conditions_is_kept(name: str, form: Any) -> None:
    found = observed(name, **AGENCY, request={"trust_policy": form(TRUST)})
    (event,) = found.events
    assert found.documents == (kept_document(TRUST),)
    assert getattr(event, "trust_document", None) == kept_document(TRUST).digest
    assert getattr(event, "trust_document_bytes", None) == kept_document(TRUST).size


def test_a_session_policy_is_kept_and_the_policies_that_limit_the_session_are_listed() -> None:
    asked = {
        "agency_urn": "iam::dd22:agency:mesh",
        "policy": json.dumps(VERSION_5),
        "policy_ids": ["p1", "p2", None, 7],
    }
    found = observed("assumeAgency", service_type="STS", request=asked)
    (event,) = found.events
    assert found.documents == (kept_document(VERSION_5),)
    assert getattr(event, "session_document", None) == kept_document(VERSION_5).digest
    assert getattr(event, "session_document_bytes", None) == kept_document(VERSION_5).size
    assert getattr(event, "session_policies", None) == ("p1", "p2")


def test_the_session_policy_of_version_3_is_kept() -> None:
    asked = {"auth": {"identity": {"assume_role": {"agency_name": "m"}, "policy": VERSION_1_1}}}
    found = observed("createTemporaryAccessKeyByAgency", request=asked)
    assert found.documents == (kept_document(VERSION_1_1),)


@pytest.mark.parametrize("left_out", [None, "", "null", {}, {"omitted": True}, "***", "******"])
@CALLS
def test_a_document_that_a_trace_leaves_out_is_a_change_without_a_digest(
    name: str, key: str, left_out: object
) -> None:
    found = observed(name, **POLICY, request=under(key, left_out))
    (event,) = found.events
    assert isinstance(event, PolicyCreated | PolicyChanged)
    assert (event.document, event.document_bytes, found.documents) == (None, None, ())


@pytest.mark.parametrize("name", ["createAgencyV5", "updateTrustPolicyV5"])
def test_a_trust_policy_that_a_trace_leaves_out_has_no_digest(name: str) -> None:
    for left_out in (None, {"omitted": True}, "***"):
        found = observed(name, **AGENCY, request={"trust_policy": left_out})
        assert found.documents == ()
        assert getattr(found.events[0], "trust_document", "none") is None


def test_the_document_that_is_asked_for_comes_before_the_one_that_the_response_shows() -> None:
    for shown in ({"Version": "1.1", "Statement": []}, ROLE):
        bodies = {
            "request": under("role.policy", VERSION_1_1),
            "response": under("role.policy", shown),
        }
        found = observed("createRole", **POLICY, **bodies)
        assert found.documents == (kept_document(VERSION_1_1),)


def test_the_document_of_the_response_counts_where_the_request_tells_none() -> None:
    renamed = {"role": {"display_name": "mesh narrow"}}
    found = observed(
        "updateRole", **POLICY, request=renamed, response=under("role.policy", VERSION_1_1)
    )
    assert found.documents == (kept_document(VERSION_1_1),)


def test_a_response_that_shows_a_policy_in_outline_tells_no_document() -> None:
    for outline in ({"Version": "1.1", "Statement": []}, {"Version": "1.1"}, "***"):
        found = observed("createRole", **POLICY, response=under("role.policy", outline))
        assert found.documents == ()


def test_the_policy_object_of_a_version_5_response_is_not_a_document() -> None:
    shown = {"policy": {"policy_id": "p1", "policy_name": "w", "default_version_id": "v1"}}
    found = observed("createPolicyV5", request={"policy_name": "w"}, response=shown)
    assert found.events == (
        PolicyCreated(policy="w", policy_id="p1", document_version="v1", in_force=True),
    )
    assert found.documents == ()


@CALLS
def test_a_refused_change_keeps_no_document(name: str, key: str) -> None:
    found = observed(name, **POLICY, **REFUSED, request=under(key, VERSION_1_1))
    assert found.documents == ()


def test_a_document_that_is_not_json_has_a_digest_and_no_text() -> None:
    found = observed("createRole", **POLICY, request=under("role.policy", "Version: 1.1"))
    (whole,) = found.documents
    assert whole.text is None
    assert fact("createRole", **POLICY, request=under("role.policy", "Version: 1.1")).document == (
        whole.digest
    )
