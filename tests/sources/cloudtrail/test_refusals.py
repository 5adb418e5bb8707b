"""Calls that AWS refused: by which error they are known, and that their reasons name nobody."""

from __future__ import annotations

import pytest

from ledger.account.agency import (
    AgencyDeleted,
    AgencyDeletionAttempted,
)
from tests.sources.cloudtrail.making import (
    ZOE,
    Record,
    call,
    counted,
    fact,
    refused,
)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"errorCode": "AccessDenied", "errorMessage": "No."}, "DeleteRole: AccessDenied: No."),
        ({"errorCode": "AccessDenied", "errorMessage": None}, "DeleteRole: AccessDenied"),
        ({"errorCode": "AccessDenied"}, "DeleteRole: AccessDenied"),
        ({"errorCode": 403}, "DeleteRole: 403"),
        ({"errorMessage": "No."}, "DeleteRole: No."),
        ({"errorCode": None, "errorMessage": "No."}, "DeleteRole: No."),
        ({"errorCode": "", "errorMessage": "No."}, "DeleteRole: No."),
        ({"errorCode": "null", "errorMessage": "No."}, "DeleteRole: No."),
    ],
)
def test_a_call_with_an_error_is_refused_whatever_type_the_error_has(
    fields: Record, why: str
) -> None:
    said = call("DeleteRole", roleName="worker") | fields
    assert fact(said) == AgencyDeletionAttempted(agency="worker", outcome="refused", why=why)


PERSON = "(somebody)"


@pytest.mark.parametrize("fields", [{"errorCode": None, "errorMessage": None}, {"errorCode": ""}])
def test_a_call_with_an_empty_error_succeeded(fields: Record) -> None:
    said = call("DeleteRole", roleName="worker") | fields
    assert fact(said) == AgencyDeleted(agency="worker")


@pytest.mark.parametrize("code", ["DryRunOperation", "Client.DryRunOperation"])
def test_a_dry_run_is_neither_a_change_nor_a_refusal(code: str) -> None:
    said = call("DeleteRole", roleName="worker") | {"errorCode": code}
    assert counted(said) == "iam:DeleteRole (dry run)"


def test_a_refusal_does_not_tell_the_callers_name() -> None:
    said = refused(
        "DeleteRole",
        f"User: {ZOE} is not authorized on resource: role worker; ask zoe",
        roleName="worker",
    )
    why = fact(said).why
    assert "zoe" not in why
    assert why.count(PERSON) == 2


def test_a_refusal_does_not_tell_the_callers_id_either() -> None:
    said = refused("DeleteRole", "User u-1 is not authorized.", roleName="worker")
    said["userIdentity"] = {"onBehalfOf": {"userId": "u-1"}}
    assert fact(said).why == f"DeleteRole: AccessDenied: User {PERSON} is not authorized."
