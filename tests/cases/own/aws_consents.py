"""AWS: a partner asks for rights in an account, and a person there accepts or rejects."""

from __future__ import annotations

from typing import Any, Final

from tests.cases.case import Case, Record, Rows
from tests.cases.records.aws import HOME, PARTNER, record, user

_TEMPLATE: Final = f"arn:aws:iam::{PARTNER}:delegation-template/reader"


def _asked(number: str, at: str) -> Record:
    made = record(
        "CreateDelegationRequest",
        at,
        {"permissions": {"policyTemplateArn": _TEMPLATE}, "ownerAccountId": HOME},
        response={"delegationRequestId": number},
    )
    partner = {"accountId": PARTNER, "arn": f"arn:aws:iam::{PARTNER}:user/app", "type": "IAMUser"}
    return {**made, "userIdentity": partner, "recipientAccountId": PARTNER}


def _answered(call: str, number: str, at: str, **more: Any) -> Record:
    return record(call, at, {"delegationRequestId": number}, **more)


CASES: Final = (
    Case(
        name="13a-delegation-requests",
        kind="two requests of a partner, of which one is accepted and one rejected",
        source="cloudtrail",
        records={
            "t.json": [
                _asked("dr-1", "06-01T10:00:00"),
                _asked("dr-2", "06-01T11:00:00"),
                _answered("RejectDelegationRequest", "dr-2", "06-02T09:00:00"),
                _answered("AcceptDelegationRequest", "dr-1", "06-02T10:00:00", by="petr"),
            ]
        },
        steps=(
            Rows(
                says="the accepted one is consent to the partner, by whom the record tells",
                command=f"view authorizations --account {HOME}",
                columns="region service status origin actor since",
                rows=[
                    (
                        "*",
                        f"account:{PARTNER}",
                        "granted",
                        "inferred",
                        user("petr"),
                        "2025-06-02T10:00:00Z",
                    )
                ],
            ),
            Rows(
                says="nothing was consented to before",
                command=f"view authorizations --account {HOME} --as-of 2025-06-02T09:30:00Z",
                columns="service",
            ),
        ),
    ),
)
