"""Services that an organization trusts, and requests of partners for rights in an account."""

from __future__ import annotations

import pytest

from ledger.account.delegation import DelegationAccepted, DelegationRejected, DelegationRequested
from ledger.account.organization import TrustedServiceDisabled, TrustedServiceEnabled
from ledger.documents import document_of
from ledger.messages import DomainEvent
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    PARTNER,
    Record,
    call,
    fact,
    kept,
    observed,
    record,
    refused,
)

SERVICE = "guardduty.amazonaws.com"
TRUSTS: dict[str, tuple[Record, DomainEvent]] = {
    "EnableAWSServiceAccess": ({}, TrustedServiceEnabled(service=SERVICE)),
    "DisableAWSServiceAccess": ({}, TrustedServiceDisabled(service=SERVICE)),
    "RegisterDelegatedAdministrator": (
        {"accountId": PARTNER},
        TrustedServiceEnabled(service=SERVICE, delegated_account=PARTNER),
    ),
    "DeregisterDelegatedAdministrator": (
        {"accountId": PARTNER},
        TrustedServiceDisabled(service=SERVICE, delegated_account=PARTNER),
    ),
}


@pytest.mark.parametrize("name", TRUSTS)
def test_the_trust_of_a_whole_organization_in_a_service_is_a_fact(name: str) -> None:
    request, expected = TRUSTS[name]
    assert fact(call(name, "organizations", servicePrincipal=SERVICE, **request)) == expected


@pytest.mark.parametrize("name", TRUSTS)
def test_a_refused_call_on_trust_is_kept_and_changes_nothing(name: str) -> None:
    request, _ = TRUSTS[name]
    said = refused(name, "No.", "organizations", servicePrincipal=SERVICE, **request)
    found = fact(said)
    assert (found.call, found.outcome) == (f"organizations:{name}", "refused")
    assert f"servicePrincipal={SERVICE}" in found.named


@pytest.mark.parametrize("name", TRUSTS)
def test_a_call_on_trust_that_does_not_name_the_service_is_kept_as_a_call(name: str) -> None:
    said = call(name, "organizations", accountId=PARTNER)
    assert kept(said) == f"organizations:{name} (service not named)"


def test_a_delegated_administrator_has_an_account() -> None:
    said = call("RegisterDelegatedAdministrator", "organizations", servicePrincipal=SERVICE)
    assert kept(said) == "organizations:RegisterDelegatedAdministrator (service not named)"


# -- delegation requests -------------------------------------------------------------------------

TEMPLATE = f"arn:aws:iam::{PARTNER}:delegation-template/reader"
ASKED = {"policyTemplateArn": TEMPLATE, "parameters": [{"name": "bucket", "values": ["logs"]}]}
REQUEST = {"permissions": ASKED, "sessionDuration": 3600, "ownerAccountId": ACCOUNT}
ANSWER = {"delegationRequestId": "dr-1"}


def asked(**fields: object) -> Record:
    said = record("CreateDelegationRequest", requestParameters=REQUEST, responseElements=ANSWER)
    partner = {"accountId": PARTNER, "arn": f"arn:aws:iam::{PARTNER}:user/app"}
    return said | {"recipientAccountId": PARTNER, "userIdentity": partner} | fields


def test_a_request_for_rights_belongs_to_the_account_that_is_asked() -> None:
    found = observed(asked())
    document = document_of(ASKED)
    assert document is not None
    assert found.account == ACCOUNT
    assert found.events == (
        DelegationRequested(
            request_id="dr-1",
            requester=PARTNER,
            policies=(TEMPLATE,),
            document=document.digest,
            document_bytes=document.size,
            session_seconds=3600,
        ),
    )
    assert found.documents == (document,)


def test_the_record_of_the_account_that_is_asked_tells_the_same() -> None:
    unnamed = {"permissions": ASKED, "sessionDuration": 3600}
    theirs = asked(recipientAccountId=ACCOUNT, requestParameters=unnamed)
    assert (observed(theirs).account, observed(theirs).events) == (
        ACCOUNT,
        observed(asked()).events,
    )


def test_a_request_that_any_account_may_take_up_is_kept_as_a_call() -> None:
    said = asked(requestParameters={"permissions": ASKED})
    assert kept(said) == "iam:CreateDelegationRequest (account not named)"


@pytest.mark.parametrize("seconds", [None, "3600", 0, -1])
def test_a_duration_that_no_session_can_have_is_not_kept(seconds: object) -> None:
    found = fact(asked(requestParameters=REQUEST | {"sessionDuration": seconds}))
    assert found.session_seconds is None


ANSWERS: dict[str, type[DomainEvent]] = {
    "AcceptDelegationRequest": DelegationAccepted,
    "RejectDelegationRequest": DelegationRejected,
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answer_to_a_request_is_a_fact(name: str) -> None:
    found = fact(call(name, delegationRequestId="dr-1"))
    assert found == ANSWERS[name].model_validate({"request_id": "dr-1"})


@pytest.mark.parametrize("name", ["CreateDelegationRequest", *ANSWERS])
def test_a_refused_call_asks_and_answers_nothing(name: str) -> None:
    found = fact(refused(name, "No.", delegationRequestId="dr-1"))
    assert (found.call, found.outcome) == (f"iam:{name}", "refused")
    assert found.named == ("delegationRequestId=dr-1",)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_does_not_name_its_request_is_kept_as_a_call(name: str) -> None:
    assert kept(record(name)) == f"iam:{name} (delegation request not named)"


@pytest.mark.parametrize(
    "name", ["AssociateDelegationRequest", "SendDelegationToken", "UpdateDelegationRequest"]
)
def test_the_steps_between_are_kept_with_the_request(name: str) -> None:
    assert fact(call(name, delegationRequestId="dr-1")).named == ("delegationRequestId=dr-1",)
