"""The account that a CTS trace is about, and the actor."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.usage import TemporaryCredentialIssued
from tests.sources.cts.making import (
    AGENCY,
    AGENCY_ID,
    DOMAIN,
    POLICY,
    PROJECT,
    counted,
    observed,
    under,
)

OTHER = "11112222333344445555666677778888"


def test_the_account_is_that_of_the_resource_else_of_the_trace_else_of_the_user() -> None:
    user = {"name": "lin", "domain": {"id": "third"}, "account_id": "fourth"}
    accounts = [
        observed("createAgency", **AGENCY, **fields).account
        for fields in (
            {"resource_account_id": "first", "domain_id": "second", "user": user},
            {"domain_id": "second", "user": user},
            {"user": user},
            {"user": {"account_id": "fourth"}},
        )
    ]
    assert accounts == ["first", "second", "third", "fourth"]


def test_a_trace_without_an_account_is_counted_by_name() -> None:
    assert counted("createAgency", **AGENCY, user="{opaque}") == "IAM:createAgency (no account)"


@pytest.mark.parametrize("body", ["request", "response"])
@pytest.mark.parametrize(
    ("name", "resource", "key", "value"),
    [
        ("deleteAgency", AGENCY, "agency.domain_id", OTHER),
        ("updateRole", POLICY, "role.domain_id", OTHER),
        ("updateProject", PROJECT, "project.domain_id", OTHER),
        ("createTokenByAssumeRole", AGENCY, "auth.identity.assume_role.domain_id", OTHER),
        ("createTokenByAssumeRole", AGENCY, "assume_role.domain_id", OTHER),
        ("createTokenByAssumeRole", AGENCY, "token.user.domain.id", OTHER),
        ("switchRole", AGENCY, "domain_id", OTHER),
        ("agencyAssume", AGENCY, "agency_urn", f"iam::{OTHER}:agency:mesh"),
        ("createAgencyV5", AGENCY, "agency.urn", f"iam::{OTHER}:agency:mesh"),
        ("agencyAssume", AGENCY, "assumed_agency.urn", f"sts::{OTHER}:assumed-agency:mesh/gw"),
        ("agencyAssume", AGENCY, "assumed_agency.urn", f"sts::{OTHER}::assumed-agency:mesh/gw"),
    ],
)
def test_a_thing_of_another_account_belongs_to_that_account_and_never_to_the_callers(
    name: str, resource: dict[str, str], key: str, value: str, body: str
) -> None:
    found = observed(name, **resource, domain_id=DOMAIN, **{body: under(key, value)})
    assert found.account == OTHER


def test_a_urn_of_an_account_that_cannot_be_one_is_of_an_unknown_account() -> None:
    asked = {"agency_urn": "iam::no account:agency:mesh"}
    assert observed("agencyAssume", **AGENCY, domain_id=DOMAIN, request=asked).account == "unknown"


def test_a_grant_belongs_to_the_account_in_its_path() -> None:
    url = f"/v3.0/OS-AGENCY/domains/{OTHER}/agencies/{AGENCY_ID}/roles/r1"
    found = observed("assignRoleToAgencyOnDomain", resource_url=url, domain_id=DOMAIN)
    assert found.account == OTHER


@pytest.mark.parametrize(
    "key",
    ["auth.identity.assume_role.domain_name", "assume_role.domain_name", "domain_name"],
)
@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("partner", "partner"),  # Only its name is there: the fact is kept under it.
        ("acme", DOMAIN),  # The caller's own account, whose id the trace tells.
        ("origin", "id-of-origin"),  # The account of the user behind the caller.
        ("two words", "unknown"),  # An account has no such word.
        ("x" * 65, "unknown"),
    ],
)
def test_an_account_with_only_a_name_is_not_the_callers(key: str, name: str, account: str) -> None:
    user = {
        "name": "lin",
        "domain": {"id": DOMAIN, "name": "acme"},
        "assumedBy": {"user": {"name": "wei", "domain": {"name": "origin", "id": "id-of-origin"}}},
    }
    asked = under(key, name)
    found = observed("switchRole", **AGENCY, user=user, domain_id=DOMAIN, request=asked)
    assert found.account == account
    beside = name if account not in (name, "unknown") else None
    assert found.events == (
        TemporaryCredentialIssued(
            agency="mesh", agency_id="a1", region="global", account_name=beside
        ),
    )


def test_the_copy_that_another_account_got_has_that_accounts_id() -> None:
    asked = {"domain_name": "partner", "agency_name": "mesh"}
    callers = {"name": "lin", "domain": {"id": DOMAIN, "name": "acme"}}
    own = observed("switchRole", request=asked, user=callers, domain_id=OTHER)
    (event,) = own.events
    assert isinstance(event, TemporaryCredentialIssued)
    assert (own.account, event.account_name) == (OTHER, "partner")


@pytest.mark.parametrize(
    "user",
    [
        {"name": "lin", "domain": {"name": "acme"}},  # The id may be the caller's own.
        {"name": "lin"},
        {
            "name": "lin",
            "domain": {"id": DOMAIN, "name": "acme"},
            "assumedBy": {"user": {"name": "wei", "domain": {"name": "origin", "id": OTHER}}},
        },
    ],
)
def test_an_account_keeps_its_name_where_the_trace_may_have_been_delivered_to_a_caller(
    user: dict[str, Any],
) -> None:
    asked = {"domain_name": "partner", "agency_name": "mesh"}
    found = observed("switchRole", request=asked, user=user, domain_id=OTHER)
    (event,) = found.events
    assert isinstance(event, TemporaryCredentialIssued)
    assert (found.account, event.account_name) == ("partner", None)


def test_a_creation_tells_the_name_of_its_account_beside_the_id() -> None:
    for domain, name in ((DOMAIN, "acme"), (OTHER, None)):
        (event,) = observed("createAgency", **AGENCY, domain_id=domain).events
        assert isinstance(event, AgencyCreated)
        assert event.account_name == name


@pytest.mark.parametrize("name", ["login", "oidcLoginFailed"])
def test_the_account_that_a_login_names_is_the_callers(name: str) -> None:
    asked = {"domain_name": "acme"}
    found = observed(name, user={"name": "lin"}, domain_id=DOMAIN, request=asked)
    assert found.account == DOMAIN


def test_the_account_of_the_user_behind_a_session_is_known_by_name_too() -> None:
    origin = {"name": "wei", "domain": {"name": "origin", "id": "id-of-origin"}}
    user = {"name": "lin", "domain": {"id": DOMAIN}, "OriginUser": origin}
    found = observed("switchRole", **AGENCY, user=user, request={"domain_name": "origin"})
    assert found.account == "id-of-origin"


@pytest.mark.parametrize(
    ("user", "actor"),
    [
        ({"name": "lin", "domain": {"name": "acme"}}, "acme/lin"),
        ({"user_name": "lin", "domain": {"id": "d1"}}, "d1/lin"),
        ({"principal_id": "u1", "account_id": "d2"}, "d2/u1"),
        ({"name": "lin"}, "lin"),
        ({"name": "acme/mesh", "domain": {"name": "acme"}}, "acme/mesh"),
        ({"domain": {"name": "acme"}}, None),
        (
            {"name": "acme/mesh", "assumedBy": {"user": {"name": "wei", "domain": {"name": "p"}}}},
            "acme/mesh by p/wei",
        ),
        ({"name": "acme/mesh", "OriginUser": {"name": "wei"}}, "acme/mesh by wei"),
        ({"name": "acme/mesh", "OriginUser": "wei"}, "acme/mesh by wei"),
        ({"name": "acme/mesh", "origin_user": {"user_name": "wei"}}, "acme/mesh by wei"),
        ({"name": "acme/mesh", "assumed_by": {"user": {"name": "wei"}}}, "acme/mesh by wei"),
        ({"name": "acme/mesh", "assumed_by": {"name": "wei"}}, "acme/mesh by wei"),
        # Told only in other fields.
        ({"assumedBy": {"user": {"name": "wei"}}}, "wei"),
        ({"OriginUser": "wei"}, "wei"),
        ({"principal_urn": "iam::d1:user:lin", "principal_id": "u1"}, "d1/lin"),
        ({"principal_urn": "sts::d1:assumed-agency:mesh/s"}, "mesh/s"),
        ({"session_context": {"session_issuer": {"name": "mesh", "account_id": "d1"}}}, "d1/mesh"),
        ({"session_context": {"session_issuer": {"urn": "iam::d1:agency:mesh"}}}, "d1/mesh"),
        ({"session_context": {"session_issuer": "opaque"}, "assumed_by": []}, None),
    ],
)
def test_the_actor_is_the_caller_in_its_account_and_the_user_behind_it(
    user: dict[str, Any], actor: str | None
) -> None:
    assert observed("createAgency", **AGENCY, user=user, domain_id=DOMAIN).actor == actor
