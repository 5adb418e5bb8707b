"""The caller of a call at AWS; and one call that several records tell of, which is one fact."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ledger.events import subjects_of
from ledger.messages import Observation, Recorded
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    PARTNER,
    ROLE,
    SESSION,
    ZOE,
    Record,
    assume_role,
    call,
    observed,
)
from tests.sources.reading import ledger

STORE = f"arn:aws:identitystore::{ACCOUNT}:identitystore/d-1"


@pytest.mark.parametrize(
    ("identity", "actor"),
    [
        ({"arn": ZOE, "principalId": "AIDA1", "userName": "zoe", "invokedBy": "x"}, ZOE),
        ({"arn": SESSION, "onBehalfOf": {"userId": "u-1"}}, SESSION),
        ({"principalId": "AIDA1", "invokedBy": "x.amazonaws.com", "accountId": ACCOUNT}, "AIDA1"),
        ({"type": "AWSService", "invokedBy": "x.amazonaws.com"}, "x.amazonaws.com"),
        ({"onBehalfOf": {"userId": "u-1", "identityStoreArn": STORE}}, f"{STORE}/u-1"),
        ({"onBehalfOf": {"userId": "u-1"}, "accountId": ACCOUNT, "userName": "zoe"}, "u-1"),
        ({"onBehalfOf": {"identityStoreArn": STORE}}, None),
        ({"type": "IAMUser", "userName": "zoe", "accountId": ACCOUNT}, "zoe"),
        ({"userName": "HIDDEN_DUE_TO_SECURITY_REASONS"}, None),
        ({"accountId": ACCOUNT}, None),
        ("not an object", None),
        (None, None),
    ],
)
def test_the_actor_is_the_best_name_that_the_record_tells(
    identity: object, actor: str | None
) -> None:
    said = call("DeleteRole", roleName="worker") | {"userIdentity": identity}
    assert observed(said).actor == actor


def test_the_account_is_the_recipients_or_else_the_callers() -> None:
    said = call("DeleteRole", roleName="worker")
    said["userIdentity"] = {"arn": ZOE, "accountId": PARTNER}
    assert observed(said).account == ACCOUNT
    del said["recipientAccountId"]
    assert observed(said).account == PARTNER


# -- a call from another account -----------------------------------------------------------------

ANSWER = {
    "credentials": {"expiration": "Feb 1, 2026, 11:00:00 AM"},
    "assumedRoleUser": {"assumedRoleId": "AROA1:carol", "arn": SESSION},
}
CAROL: dict[str, Record] = {
    "user": {
        "type": "IAMUser",
        "principalId": "AIDACAROL",
        "arn": f"arn:aws:iam::{PARTNER}:user/carol",
        "accountId": PARTNER,
        "userName": "carol",
    },
    "session": {
        "type": "AssumedRole",
        "principalId": "AROAADMIN:carol",
        "arn": f"arn:aws:sts::{PARTNER}:assumed-role/admin/carol",
        "accountId": PARTNER,
        "invokedBy": "AWS Internal",
    },
    "root": {
        "type": "Root",
        "principalId": PARTNER,
        "arn": f"arn:aws:iam::{PARTNER}:root",
        "accountId": PARTNER,
    },
    "account": {"type": "AWSAccount", "accountId": PARTNER},
}
SESSIONS = ("scan", "carol", "carol-laptop")


def copies(who: str, session: str, **fields: Any) -> tuple[Record, Record]:
    """The copy that the caller's account gets, and the copy that the role's account gets."""
    shared: dict[str, Any] = {
        "requestParameters": {"roleArn": ROLE, "roleSessionName": session},
        "responseElements": ANSWER,
        "sharedEventID": "shared-1",
        "sourceIPAddress": "192.0.2.1",
    }
    ids = {key: CAROL[who][key] for key in ("principalId", "accountId") if key in CAROL[who]}
    callers = {"eventID": "e-1", "requestID": "r-1", "recipientAccountId": PARTNER}
    roles = {"eventID": "e-2", "requestID": "r-2", "recipientAccountId": ACCOUNT}
    return (
        assume_role(**shared | callers | {"userIdentity": CAROL[who]} | fields),
        assume_role(**shared | roles | {"userIdentity": {"type": "AWSAccount"} | ids} | fields),
    )


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("who", CAROL)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {
            "responseElements": None,
            "errorCode": "AccessDenied",
            "errorMessage": f"User: arn:aws:iam::{PARTNER}:user/carol may not: {ROLE}",
        },
    ],
    ids=["issued", "refused"],
)
def test_both_copies_of_a_call_from_another_account_tell_the_same_observation(
    who: str, session: str, fields: Record
) -> None:
    callers, roles = (observed(each) for each in copies(who, session, **fields))
    assert callers == roles
    assert callers.account == ACCOUNT
    assert callers.correlation_id == callers.source.trace_id == "shared-1"


@pytest.mark.parametrize(
    ("who", "actor"),
    [
        ("user", "AIDACAROL"),
        ("session", "AROAADMIN:carol"),
        ("root", PARTNER),
        ("account", PARTNER),
    ],
)
def test_the_actor_of_such_a_call_is_what_both_copies_tell(who: str, actor: str) -> None:
    assert {observed(each).actor for each in copies(who, "scan")} == {actor}


@pytest.mark.parametrize("session", SESSIONS)
def test_the_session_of_such_a_call_is_a_name_that_can_be_erased_and_not_a_component(
    session: str,
) -> None:
    for each in copies("user", session):
        found = observed(each)
        event: Any = found.events[0]
        assert (event.agency, event.agency_id, event.component) == ("worker", "AROA1", None)
        assert found.names == ({"session_name": session} if session else {})


def test_the_only_record_of_a_call_from_another_account_keeps_the_callers_name() -> None:
    callers, roles = (observed(each | {"sharedEventID": None}) for each in copies("user", "scan"))
    assert (callers.actor, callers.source.trace_id) == (CAROL["user"]["arn"], "e-1")
    assert (roles.actor, roles.source.trace_id) == ("AIDACAROL", "e-2")


def test_a_shared_id_within_one_account_does_not_join_records() -> None:
    for identity in ({"arn": ZOE, "accountId": ACCOUNT}, {"invokedBy": "x.amazonaws.com"}):
        found = observed(assume_role(sharedEventID="shared-1", userIdentity=identity))
        assert found.source.trace_id == "e-1"


@pytest.mark.parametrize("at_once", [True, False])
def test_both_copies_are_one_fact_of_the_roles_account_in_any_order(
    tmp_path: Path, at_once: bool
) -> None:
    histories = []
    for number, arrival in enumerate(itertools.permutations(copies("user", "scan"))):
        found = [observed(each) for each in arrival]
        histories.append(
            recorded(tmp_path / str(number), [found] if at_once else [[x] for x in found])
        )
    assert histories[0] == histories[1]
    assert [entry["type"] for entry in histories[0]] == ["TemporaryCredentialIssued"]
    assert histories[0][0]["actor"] == "AIDACAROL"


def recorded(folder: Path, imports: list[list[Observation]]) -> list[dict[str, Any]]:
    """The entries that a ledger has of some imports, with names in place of surrogate ids."""
    with ledger(folder) as opened:
        for observations in imports:
            opened.observe(observations)
        history = [entry for entry in opened.history() if entry.type != "SubjectRegistered"]
        names = opened.names({each for entry in history for each in subjects_of(entry)})
    return [_with_names(entry, names) for entry in history]


def _with_names(entry: Recorded, names: Mapping[str, str]) -> dict[str, Any]:
    event = entry.event.model_dump(exclude={"address"})
    named = {field: names.get(str(value), value) for field, value in event.items()}
    actor = names.get(entry.actor or "")
    return {"type": entry.type, "account": entry.account, "actor": actor, "event": named}


# -- a record that is delivered again ------------------------------------------------------------


def again(said: Record, **fields: Any) -> Record:
    """The same event with updated data, as CloudTrail delivers it later."""
    addendum = {"reason": "UPDATED_DATA", "originalEventID": "e-1", "originalRequestID": "r-1"}
    return said | {"eventID": "e-9", "requestID": "r-9", "addendum": addendum} | fields


def test_a_record_that_is_delivered_again_with_updated_data_is_the_same_observation() -> None:
    first = assume_role(requestID="r-1")
    assert observed(again(first)) == observed(first)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_record_that_is_delivered_again_is_one_fact_in_any_order(
    tmp_path: Path, at_once: bool
) -> None:
    first = assume_role(requestID="r-1")
    histories = []
    for number, arrival in enumerate(itertools.permutations((first, again(first)))):
        found = [observed(each) for each in arrival]
        histories.append(
            recorded(tmp_path / str(number), [found] if at_once else [[x] for x in found])
        )
    assert histories[0] == histories[1]
    assert len(histories[0]) == 1


def test_updated_data_tell_the_fact_that_the_first_record_did_not() -> None:
    first = assume_role(requestParameters={"omitted": True})
    updated = observed(again(assume_role()))
    assert updated.source.trace_id == first["eventID"]


@pytest.mark.parametrize("addendum", [{"reason": "DELIVERY_DELAY"}, None, "late", {}])
def test_a_record_that_was_only_late_has_its_own_id(addendum: object) -> None:
    found = observed(assume_role(requestID="r-1") | {"addendum": addendum})
    assert (found.source.trace_id, found.correlation_id) == ("e-1", "r-1")


def test_both_copies_of_a_call_may_be_delivered_again() -> None:
    found = {observed(again(each)).command_id for each in copies("user", "scan")}
    assert found == {observed(copies("user", "scan")[0]).command_id}


@pytest.mark.parametrize(
    ("fields", "correlation_id"),
    [
        ({"requestID": "r-1", "sharedEventID": "s-1"}, "r-1"),
        ({"sharedEventID": "s-1"}, "s-1"),
        ({}, None),
    ],
)
def test_records_of_one_request_are_correlated(fields: Record, correlation_id: str | None) -> None:
    assert observed(assume_role(**fields)).correlation_id == correlation_id
