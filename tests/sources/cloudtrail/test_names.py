"""Which role a call at AWS is about, and of which account it is."""

from __future__ import annotations

import pytest

from ledger.account.agency import (
    AgencyDeleted,
    AgencyDeletionAttempted,
)
from tests.sources.cloudtrail.making import (
    ACCOUNT,
    PARTNER,
    ROLE,
    ZOE,
    Record,
    call,
    fact,
    kept,
    observed,
    record,
    refused,
)

OTHER = ROLE.replace("worker", "other")
NAMED: dict[str, Record] = {
    "by the request": {"requestParameters": {"roleName": "worker"}},
    "by its ARN as its name": {"requestParameters": {"roleName": ROLE}},
    "by its ARN in the request": {"requestParameters": {"roleArn": ROLE}},
    "by the response": {"responseElements": {"role": {"roleName": "worker"}}},
    "by its ARN in the response": {"responseElements": {"role": {"arn": ROLE}}},
    "by the request as JSON text": {"requestParameters": '{"roleName": "worker"}'},
    "as a resource": {
        "resources": [None, {"type": "x", "ARN": OTHER}, {"type": "AWS::IAM::Role", "ARN": ROLE}]
    },
}


@pytest.mark.parametrize("fields", NAMED.values(), ids=NAMED)
def test_a_role_is_named_by_any_field_that_can_name_it(fields: Record) -> None:
    assert fact(record("DeleteRole", **fields)) == AgencyDeleted(agency="worker")


PERSON = "(somebody)"
USER = f"User: {ZOE} is not authorized to perform: iam:DeleteRole"


@pytest.mark.parametrize(
    "message",
    [
        f"{USER} on resource: role worker",
        f"{USER} on resource: role worker because no identity-based policy allows it",
        f"{USER} on resource: role deep/path/worker with an explicit deny",
        f"{USER} on resource: {ROLE}",
        f"{USER} on resource: {ROLE}, with an explicit deny.",
        f"Cannot act as {ROLE}.",
        f"User: {OTHER} is not authorized on resource: {ROLE}",
        "Role with name worker already exists.",
        "The role with name worker cannot be found.",
        "Service role name worker has been taken in this account, please try another suffix.",
    ],
)
def test_a_refused_call_names_its_role_in_the_message_alone(message: str) -> None:
    assert fact(refused("DeleteRole", message)).agency == "worker"


@pytest.mark.parametrize(
    "message",
    [
        f"{USER} on resource: role work*",
        f"{USER} on resource: role app.work*",
        f"{USER} on resource: arn:aws:iam::{ACCOUNT}:role/app.work*",
        f"{USER} on resource: *",
        f"{USER} on resource: user worker",
        "worker",
    ],
)
def test_a_message_that_does_not_name_one_role_names_none(message: str) -> None:
    assert kept(refused("DeleteRole", message)) == "iam:DeleteRole (role not named)"


def test_a_message_of_more_than_8192_characters_names_none() -> None:
    message = f"on resource: {ROLE} "
    longest = message.ljust(8_192, ".")
    assert fact(refused("DeleteRole", longest)).agency == "worker"
    assert kept(refused("DeleteRole", f"{longest}.")) == "iam:DeleteRole (role not named)"


def test_a_call_with_a_message_and_without_a_code_was_refused() -> None:
    message = f"{USER} on resource: {ROLE}"
    said = call("DeleteRole") | {"errorMessage": message}
    assert fact(said) == AgencyDeletionAttempted(
        agency="worker", outcome="refused", why=f"DeleteRole: {message}".replace(ZOE, PERSON)
    )


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::777788889999:role/worker",
        "arn:aws:iam::777788889999:role/deep/path/worker",
        "arn:aws-cn:iam::777788889999:role/team/worker",
        "arn:aws-us-gov:iam::777788889999:role/worker",
        "arn:aws:sts::777788889999:assumed-role/worker/batch",
        "arn:aws-cn:sts::777788889999:assumed-role/worker/some/thing",
    ],
)
def test_a_role_of_another_account_belongs_to_that_account(arn: str) -> None:
    for said in (
        call("DeleteRole", roleName=arn),
        record("DeleteRole", responseElements={"role": {"arn": arn}}),
    ):
        found = observed(said)
        assert (found.account, found.events) == (PARTNER, (AgencyDeleted(agency="worker"),))


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::77778888:role/worker",
        "arn:aws:iam::777788889999:role/",
        "arn:aws:iam::777788889999:role/work er",
        "arn:aws:iam::777788889999:user/worker",
        "arn:aws:sts::777788889999:assumed-role/worker",
        "see arn:aws:iam::777788889999:role/worker",
        "arn:aws:iam::777788889999:role/worker and more",
    ],
)
def test_a_text_that_is_not_the_arn_of_a_role_names_none(arn: str) -> None:
    assert kept(call("DeleteRole", roleArn=arn)) == "iam:DeleteRole (role not named)"


def test_the_attempt_on_a_role_of_another_account_belongs_to_that_account() -> None:
    message = f"not authorized on resource: arn:aws:iam::{PARTNER}:role/worker"
    assert observed(refused("AttachRolePolicy", message)).account == PARTNER


def test_the_name_is_kept_as_the_caller_wrote_it() -> None:
    assert fact(call("DeleteRole", roleName="Data-Export")).agency == "Data-Export"
