"""Uses of agencies, logins, and consent in the console of CCE, in CTS's traces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import PermissionChangeRefused, PermissionsChanged
from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from ledger.values import instant_text
from tests.sources.cts.making import AGENCY, REFUSED, fact, facts, kept, observed, trace, under
from tests.sources.reading import read

CALLS = [
    "switchRole",
    "createTokenByAssumeRole",
    "agencyAssume",
    "assumeAgency",
    "assumeWithServicePrincipal",
]
NAMES = ["auth.identity.assume_role.agency_name", "assume_role.agency_name"]
EXPIRIES = ["credentials.expiration", "credential.expires_at", "token.expires_at"]
SERVICES = pytest.mark.parametrize("service", ["IAM", "STS"])
CONSENT: dict[str, Any] = {"service_type": "CCE", "resource_type": "cluster"}


# -- use of an agency -----------------------------------------------------------------------------


@SERVICES
@pytest.mark.parametrize("name", CALLS)
def test_a_use_tells_what_it_knows_of_the_agency(name: str, service: str) -> None:
    fields = {"service_type": service, "endpoint": "sts.eu-ch2.example.com"}
    found = fact(name, **fields, **AGENCY)
    assert found == TemporaryCredentialIssued(
        agency="mesh", agency_id="a1", region="eu-ch2", account_name="acme"
    )
    found = fact(name, **fields, resource_url="/v3/agencies/a1")
    assert found == TemporaryCredentialIssued(agency_id="a1", region="eu-ch2", account_name="acme")


@pytest.mark.parametrize("name", CALLS)
def test_a_refused_use_is_an_attempt(name: str) -> None:
    assert fact(name, **AGENCY, **REFUSED) == CredentialRefused(
        agency="mesh", agency_id="a1", region="global", why=f"{name}: code 403"
    )


@pytest.mark.parametrize("name", CALLS)
def test_a_use_that_names_no_agency_is_kept_as_it_is(name: str) -> None:
    assert kept(name) == f"IAM:{name}"


@pytest.mark.parametrize("key", NAMES)
def test_each_key_names_the_used_agency_alone(key: str) -> None:
    found = fact("createTokenByAssumeRole", request=under(key, "mesh"))
    assert found == TemporaryCredentialIssued(agency="mesh", region="global", account_name="acme")


@pytest.mark.parametrize(
    ("key", "urn", "agency"),
    [
        ("agency_urn", "iam::dd22:agency:mesh", "mesh"),
        ("agency_urn", "iam::dd22:agency:a/b/mesh", "mesh"),
        ("assumed_agency.urn", "sts::dd22:assumed-agency:mesh/gateway", "mesh"),
        ("assumed_agency.urn", "sts::dd22::assumed-agency:mesh/gateway", "mesh"),
    ],
)
def test_a_urn_names_the_agency_and_its_account(key: str, urn: str, agency: str) -> None:
    for body in ("request", "response"):
        found = observed("agencyAssume", **{body: under(key, urn)})
        assert found.account == "dd22"
        assert found.events == (TemporaryCredentialIssued(agency=agency, region="global"),)


@pytest.mark.parametrize(
    "urn",
    [
        "iam::dd22:user:mesh",
        "iam::dd22:agency:",
        "xiam::dd22:agency:mesh",
        "iam:::agency:m",
        "iam::dd22:agency:mesh/",
    ],
)
def test_a_urn_of_something_else_names_no_agency(urn: str) -> None:
    assert kept("agencyAssume", request={"agency_urn": urn}) == "IAM:agencyAssume"


def test_a_session_tells_the_agencys_id_before_its_own_name() -> None:
    session = {
        "assumed_agency": {"id": "a1:gate:way", "urn": "sts::dd22:assumed-agency:mesh/gateway"}
    }
    found = fact("agencyAssume", response=session)
    assert found == TemporaryCredentialIssued(agency="mesh", agency_id="a1", region="global")
    # The id of the agency itself comes first.
    found = fact("agencyAssume", response=session, request={"agency_id": "a2"})
    assert found.agency_id == "a2"


@pytest.mark.parametrize("key", EXPIRIES)
def test_each_key_tells_when_the_credential_ends_alone(key: str) -> None:
    issued = fact("agencyAssume", **AGENCY, response=under(key, "2026-02-03T09:00:00Z"))
    assert instant_text(issued.expires_at) == "2026-02-03T09:00:00.000000Z"


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ("2026-02-03T09:00:00.5", "2026-02-03T09:00:00.500000Z"),  # IAM's times are in UTC.
        ("2026-02-03T09:00:00+08:00", "2026-02-03T01:00:00.000000Z"),
        ("2026-02-03", None),
        ("tomorrow", None),
        ("0001-01-01T00:00:00+08:00", None),
        (1770100000000, None),
        (None, None),
    ],
)
def test_an_end_of_a_credential_is_never_guessed(said: object, end: str | None) -> None:
    issued = fact("agencyAssume", **AGENCY, response={"credentials": {"expiration": said}})
    assert (instant_text(issued.expires_at) if issued.expires_at else None) == end


ASSUMED = {"agency_urn": "iam::dd22:agency:mesh", "agency_session_name": "wei@example.com"}


def test_the_session_and_the_person_behind_it_are_names_beside_the_fact() -> None:
    asked = {**ASSUMED, "source_identity": "wei"}
    found = observed("assumeAgency", service_type="STS", request=asked)
    assert found.names == {"session_name": "wei@example.com", "source_identity": "wei"}
    assert found.events == (TemporaryCredentialIssued(agency="mesh", region="global"),)


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"request": ASSUMED}, {"session_name": "wei@example.com"}),
        (
            {"response": {"assumed_agency": {"urn": "sts::dd22::assumed-agency:mesh/gateway"}}},
            {"session_name": "gateway"},
        ),
        (
            {"request": under("auth.identity.assume_role.session_user.name", "wei"), **AGENCY},
            {"session_name": "wei"},
        ),
        ({"response": {"source_identity": "wei"}, **AGENCY}, {"source_identity": "wei"}),
        ({"request": {"agency_session_name": None, "source_identity": ""}, **AGENCY}, {}),
    ],
)
def test_each_place_tells_the_names_of_a_session(
    fields: dict[str, Any], names: dict[str, str]
) -> None:
    assert observed("assumeAgency", service_type="STS", **fields).names == names


@pytest.mark.parametrize("name", ["w" * 2049, "we\ni"])
def test_a_session_name_that_no_line_can_hold_makes_the_record_malformed(
    tmp_path: Path, name: str
) -> None:
    asked = {**ASSUMED, "agency_session_name": name}
    (tmp_path / "t.json").write_text(json.dumps([trace("assumeAgency", request=asked)]))
    found, report = read("cts", tmp_path / "t.json")
    assert (found, report.malformed_records) == ([], 1)


SESSION = {
    "type": "AssumedAgency",
    "name": "acme/mesh",
    "principal_urn": "sts::dd22:assumed-agency:mesh/wei",
    "principal_id": "a1:wei",
    "domain": {"id": "other"},
}


def test_a_switch_is_the_same_fact_from_either_side() -> None:
    """On one side the caller switches to the agency; on the other the agency's session is there."""
    asked = {"domain_id": "dd22", "agency_name": "mesh", "agency_id": "a1"}
    for fields in ({"request": asked}, {"user": SESSION}):
        found = observed("switchRole", **fields)
        assert found.account == "dd22"
        assert found.events == (
            TemporaryCredentialIssued(agency="mesh", agency_id="a1", region="global"),
        )


def test_the_session_that_calls_is_not_the_agency_that_a_call_names() -> None:
    found = observed("switchRole", **AGENCY, user=SESSION)
    assert found.account == "other"
    assert found.events == (
        TemporaryCredentialIssued(agency="mesh", agency_id="a1", region="global"),
    )


# -- logins ---------------------------------------------------------------------------------------

LOGINS = [
    "login",
    "scanQRCodeLogin",
    "oidcLoginSuccess",
    "iamUserSsoLoginSuccess",
    "federationLoginNoPwdSuccess",
    "tenantLoginBySamlSuccess",
    "tsiLogin",
]
FAILED_LOGINS = [
    "loginFailed",
    "loginfailed",
    "scanQRCodeLoginFailed",
    "oidcLoginFailed",
    "iamUserSsoLoginFailed",
    "federationLoginNoPwdFailed",
    "tenantLoginBySamlFailed",
]


@pytest.mark.parametrize("name", LOGINS)
def test_each_kind_of_login_is_one(name: str) -> None:
    admitted = {"service": "console", "region": "global", "outcome": "admitted"}
    assert fact(name) == ConsoleLoginRequested.model_validate(admitted)
    assert fact(name, **REFUSED).outcome == "refused"


@pytest.mark.parametrize("name", FAILED_LOGINS)
def test_each_kind_of_failed_login_is_a_refused_one(name: str) -> None:
    assert fact(name).outcome == "refused"
    assert fact(name, **REFUSED).outcome == "refused"


@pytest.mark.parametrize(
    ("said", "mfa"),
    [("true", True), ("false", False), (True, True), (False, False), ("?", None), (None, None)],
)
def test_a_login_tells_of_the_second_factor(said: object, mfa: bool | None) -> None:
    user = {"domain": {"id": "d"}} | under("session_context.attributes.mfa_authenticated", said)
    assert fact("login", user=user).mfa is mfa


# -- consent in the console of CCE ----------------------------------------------------------------


@pytest.mark.parametrize("body", ["request", "response"])
def test_consent_in_the_console_of_cce_yields_agencies_only(body: str) -> None:
    listed = ["CCENodeAgency", {"name": "two", "id": "a2"}, {"id": "a3"}, "CCENodeAgency", "", {}]
    found: list[Any] = facts(
        "createUserAgencies", **CONSENT, **{body: {"agencies": listed, "agency_name": "four"}}
    )
    assert {type(each) for each in found} == {PermissionsChanged}
    assert [(each.agency_id, each.agency) for each in found] == [
        (None, "CCENodeAgency"),
        ("a2", "two"),
        ("a3", None),
        (None, "four"),
    ]
    assert found[0].detail == "createUserAgencies: agreed to in the console of CCE"


def test_consent_that_lists_one_agency_yields_it() -> None:
    found = fact("createUserAgencies", **CONSENT, request={"agencies": "CCENodeAgency"})
    assert found.agency == "CCENodeAgency"


def test_refused_consent_is_an_attempt() -> None:
    asked = {"agencies": [{"name": "two", "id": "a2"}]}
    assert fact("createUserAgencies", **CONSENT, **REFUSED, request=asked) == (
        PermissionChangeRefused(agency="two", agency_id="a2", why="createUserAgencies: code 403")
    )


def test_consent_that_names_no_agency_is_kept_as_it_is() -> None:
    expected = "CCE:createUserAgencies"
    assert kept("createUserAgencies", **CONSENT) == expected
    assert kept("createUserAgencies", **CONSENT, **REFUSED) == expected
