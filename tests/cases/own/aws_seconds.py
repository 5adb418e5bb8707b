"""AWS: several calls within one second, whose order follows from what each needs."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Import, Rows
from tests.cases.records.aws import (
    POWER,
    READ_ONLY,
    create_role,
    on_role,
    user,
)

_IN_FORCE: Final = "status!=deleted"

CASES: Final = (
    Case(
        name="03a-replaced-within-a-second",
        kind="a role with a policy that is detached, deleted, made again and given another policy "
        "within one second",
        source="cloudtrail",
        records={
            "a.json": [
                create_role("press", "AROAPRESS1", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "press", "06-01T10:00:01", policy=POWER),
            ],
            "b.json": [
                on_role("AttachRolePolicy", "press", "06-02T10:00:00", policy=READ_ONLY),
                create_role("press", "AROAPRESS2", "06-02T10:00:00"),
                on_role("DeleteRole", "press", "06-02T10:00:00"),
                on_role("DetachRolePolicy", "press", "06-02T10:00:00", policy=POWER),
            ],
        },
        steps=(
            Rows(
                says="the second exists",
                command="view agencies",
                columns="agency_id status",
                only=_IN_FORCE,
                rows=[("AROAPRESS2", "exists")],
            ),
            Rows(
                says="the old policy was detached from the first, the new one is attached to the "
                "second",
                command="view regions",
                columns="agency_id policy status since note",
                rows=[
                    ("AROAPRESS1", POWER, "revoked", "2025-06-02T10:00:00Z", ""),
                    ("AROAPRESS2", READ_ONLY, "granted", "2025-06-02T10:00:00Z", ""),
                ],
            ),
        ),
    ),
    Case(
        name="03b-attached-and-detached-within-a-second",
        kind="an attachment and a detachment within one second: open where both orders are "
        "possible, until a later fact settles it",
        source="cloudtrail",
        records={
            "open.json": [
                create_role("clip", "AROACLIP", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "clip", "06-01T10:01:00", policy=POWER),
                on_role("DetachRolePolicy", "clip", "06-02T10:00:00", policy=POWER),
                on_role("AttachRolePolicy", "clip", "06-02T10:00:00", policy=POWER),
                on_role("DetachRolePolicy", "clip", "06-02T10:00:00", policy=READ_ONLY),
                on_role("AttachRolePolicy", "clip", "06-02T10:00:00", policy=READ_ONLY),
            ],
            "settled.json": [
                on_role("DetachRolePolicy", "clip", "06-03T10:00:00", policy=POWER, by="erik"),
            ],
        },
        steps=(
            Import("open.json"),
            Rows(
                says="what was attached before is not known; what was not, is revoked",
                command="view regions",
                columns="policy status note",
                rows=[
                    (POWER, "not known", "order within the second not known"),
                    (READ_ONLY, "revoked", ""),
                ],
            ),
            Import("settled.json"),
            Rows(
                says="the later detachment proves that it was attached last in that second",
                command="view regions --as-of 2025-06-02T12:00:00Z",
                columns="policy status since",
                rows=[
                    (POWER, "granted", "2025-06-02T10:00:00Z"),
                    (READ_ONLY, "revoked", "2025-06-02T10:00:00Z"),
                ],
            ),
            Rows(
                says="and is revoked now",
                command="view regions",
                columns="policy status since actor",
                only=f"policy={POWER}",
                rows=[(POWER, "revoked", "2025-06-03T10:00:00Z", user("erik"))],
            ),
        ),
    ),
    Case(
        name="03c-a-deletion-settles-a-second",
        kind="an attachment and a detachment within one second, and a later deletion that needs "
        "the role detached",
        source="cloudtrail",
        records={
            "t.json": [
                create_role("bind", "AROABIND", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "bind", "06-01T10:01:00", policy=POWER),
                on_role("AttachRolePolicy", "bind", "06-02T10:00:00", policy=POWER, by="fay"),
                on_role("DetachRolePolicy", "bind", "06-02T10:00:00", policy=POWER, by="erik"),
                on_role("DeleteRole", "bind", "06-03T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="it was detached last in that second",
                command="view regions",
                columns="policy status since actor note",
                rows=[(POWER, "revoked", "2025-06-02T10:00:00Z", user("erik"), "")],
            ),
        ),
    ),
)
