"""AWS's console: switches to a role, and logins."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.console import ConsoleLoginRequested
from ledger.account.usage import CredentialRefused, TemporaryCredentialIssued
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    PARTNER,
    ROLE,
    SESSION,
    ZOE,
    Record,
    counted,
    fact,
    observed,
    record,
)


def switch(outcome: str = "Success", **fields: Any) -> Record:
    return record(
        "SwitchRole",
        "signin",
        **{
            "userIdentity": {"arn": SESSION, "principalId": "AROA1:zoe"},
            "responseElements": {"SwitchRole": outcome},
            "additionalEventData": {"SwitchFrom": ZOE},
        }
        | fields,
    )


def test_switching_to_a_role_in_the_console_issues_a_credential_of_it() -> None:
    found = observed(switch())
    assert found.events == (
        TemporaryCredentialIssued(agency="worker", agency_id="AROA1", region="eu-north-1"),
    )
    assert (found.account, found.actor) == (ACCOUNT, ZOE)


def test_a_switch_that_does_not_tell_the_user_is_by_the_session() -> None:
    assert observed(switch(additionalEventData=None)).actor == SESSION


def test_the_role_switched_to_belongs_to_the_account_in_its_arn() -> None:
    theirs = {"arn": f"arn:aws-cn:sts::{PARTNER}:assumed-role/worker/zoe"}
    assert observed(switch(userIdentity=theirs)).account == PARTNER


def test_the_id_of_the_role_switched_to_may_stand_in_the_sessions_issuer() -> None:
    issuer = {"sessionContext": {"sessionIssuer": {"principalId": "AROA1"}}}
    for principal in ({}, {"principalId": "zoe"}):
        identity = {"arn": SESSION} | issuer | principal
        assert fact(switch(userIdentity=identity)).agency_id == "AROA1"
    assert fact(switch(userIdentity={"arn": SESSION})).agency_id is None


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (switch("Failure"), "SwitchRole: SwitchRole failed"),
        (switch("Failure", errorMessage="No."), "SwitchRole: No."),
        (switch("Success", errorCode="Denied"), "SwitchRole: Denied"),
        (switch(responseElements=None), "SwitchRole: SwitchRole failed"),
    ],
)
def test_a_switch_that_failed_is_a_refused_credential(said: Record, why: str) -> None:
    assert fact(said) == CredentialRefused(
        agency="worker", agency_id="AROA1", region="eu-north-1", why=why
    )


@pytest.mark.parametrize(
    "target",
    [f"arn:aws:iam::{PARTNER}:role/deep/reader", f"arn:aws:sts::{PARTNER}:assumed-role/reader/zoe"],
)
@pytest.mark.parametrize("caller", [{"arn": ZOE}, {"arn": SESSION, "principalId": "AROA1:zoe"}])
def test_a_switch_that_the_callers_account_has_tells_the_role_that_it_leads_to(
    caller: Record, target: str
) -> None:
    found = observed(switch(userIdentity=caller, additionalEventData={"SwitchTo": target}))
    assert (found.account, found.actor) == (PARTNER, caller["arn"])
    assert found.events == (TemporaryCredentialIssued(agency="reader", region="eu-north-1"),)


def test_the_two_records_of_a_switch_that_share_an_id_are_one_fact() -> None:
    ours = switch(userIdentity={"arn": ZOE}, additionalEventData={"SwitchTo": ROLE}, eventID="e-2")
    records = [each | {"sharedEventID": "shared-1"} for each in (ours, switch())]
    assert len({observed(each).command_id for each in records}) == 1
    assert len({observed(each).command_id for each in (ours, switch())}) == 2


@pytest.mark.parametrize("identity", [{"arn": ZOE}, {"arn": "worker"}, {}])
def test_a_switch_that_does_not_name_the_role_is_counted(identity: Record) -> None:
    assert counted(switch(userIdentity=identity)) == "signin:SwitchRole (role not named)"


@pytest.mark.parametrize(
    ("outcome", "error", "expected"),
    [
        ("Success", {}, "admitted"),
        ("Failure", {"errorMessage": "Failed authentication"}, "refused"),
        ("Failure", {}, "refused"),
        ("Success", {"errorCode": "x"}, "refused"),
        (None, {}, "refused"),
    ],
)
@pytest.mark.parametrize(("used", "mfa"), [("Yes", True), ("No", False), ("?", None), (None, None)])
def test_a_login_tells_its_outcome_and_whether_a_second_factor_was_used(
    outcome: str | None, error: Record, expected: str, used: str | None, mfa: bool | None
) -> None:
    said = record(
        "ConsoleLogin",
        "signin",
        responseElements={"ConsoleLogin": outcome},
        additionalEventData={"MFAUsed": used},
        **error,
    )
    login = fact(said)
    assert isinstance(login, ConsoleLoginRequested)
    assert (login.service, login.region, login.outcome, login.mfa) == (
        "console",
        "eu-north-1",
        expected,
        mfa,
    )


def test_a_login_without_additional_data_does_not_tell_of_a_second_factor() -> None:
    said = record("ConsoleLogin", "signin", responseElements={"ConsoleLogin": "Success"})
    assert fact(said).mfa is None
