from __future__ import annotations

import pytest

from ledger.account.authorization import AuthorizationRefused, AuthorizationRequested
from ledger.account.console import ConsoleLoginRequested, RequestConsoleLogin
from ledger.account.permissions import PermissionRevoked
from ledger.errors import InvalidInput
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASM,
    BEIJING,
    POLICY,
    SERVICES,
    SHANGHAI,
    consent,
    decline,
    given,
    grant,
    login,
    permissions_granted,
    revoke,
)


def logged_in(region: str, outcome: str) -> ConsoleLoginRequested:
    return ConsoleLoginRequested.model_validate(
        {"service": ASM, "region": region, "outcome": outcome}
    )


def requested(region: str) -> AuthorizationRequested:
    return AuthorizationRequested(service=ASM, region=region, services=SERVICES, agencies=(AGENCY,))


def test_the_first_login_in_a_region_opens_the_dialog_which_lists_the_services() -> None:
    given().when(login(BEIJING)).then(logged_in(BEIJING, "dialog"), requested(BEIJING))


def test_a_second_login_shows_the_same_dialog_and_asks_for_nothing_new() -> None:
    given(login(BEIJING)).when(login(BEIJING)).then(logged_in(BEIJING, "dialog"))


def test_a_login_after_consent_is_admitted() -> None:
    given(*consent(BEIJING)).when(login(BEIJING)).then(logged_in(BEIJING, "admitted"))


def test_consent_in_one_region_does_not_open_another() -> None:
    given(*consent(BEIJING)).when(login(SHANGHAI)).then(
        logged_in(SHANGHAI, "dialog"), requested(SHANGHAI)
    )


@pytest.mark.parametrize("answer", [decline, revoke])
def test_a_login_after_a_decline_or_a_revocation_asks_again(answer: type) -> None:
    before = (login(BEIJING), decline(BEIJING)) if answer is decline else consent(BEIJING)
    story = before if answer is decline else (*before, revoke(BEIJING))
    given(*story).when(login(BEIJING)).then(logged_in(BEIJING, "dialog"), requested(BEIJING))


def test_a_login_after_a_decline_asks_again_although_nothing_is_missing() -> None:
    given(login(BEIJING), decline(BEIJING), *permissions_granted(BEIJING)).when(
        login(BEIJING)
    ).then(logged_in(BEIJING, "dialog"), requested(BEIJING))


def test_a_login_asks_again_when_a_permission_has_gone_missing() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, service="elb", policy=POLICY)
    given(*consent(BEIJING), lost).when(login(BEIJING)).then(
        logged_in(BEIJING, "dialog"), requested(BEIJING)
    )


def test_a_login_to_an_unknown_service_is_not_a_login() -> None:
    unknown = RequestConsoleLogin(account=ACCOUNT, service="dli", region=BEIJING)
    given().when(unknown).fails_with(InvalidInput, "no service 'dli'")


@pytest.mark.parametrize(("answer", "word"), [(grant, "grant"), (decline, "decline")])
def test_an_answer_without_a_request_is_recorded_in_the_console_stream(
    answer: type, word: str
) -> None:
    command = grant(BEIJING) if word == "grant" else decline(BEIJING)
    why = f"No authorization request of asm is pending in {BEIJING}."
    then = given().when(command)
    then.refused(
        "No authorization request of asm is pending",
        AuthorizationRefused.model_validate(
            {"service": ASM, "region": BEIJING, "answer": word, "why": why}
        ),
    )
    assert then.facts[0].STREAM == "console"
    assert "authledger console login" in then.decided().remedy
