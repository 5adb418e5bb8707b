"""AWS: since when and by whom a role holds what it holds, whatever arrives late."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Import, Rows
from tests.cases.records.aws import POWER, READ_ONLY, create_role, on_role, user

_SHOWN: Final = "policy status since actor note"

CASES: Final = (
    Case(
        name="16a-everything-late",
        kind="a deletion that arrives late, and a detachment that arrives later still",
        source="cloudtrail",
        records={
            "now.json": [create_role("tide", "AROATIDE2", "06-09T10:00:00")],
            "late.json": [on_role("DeleteRole", "tide", "06-05T10:00:00", by="erik")],
            "later.json": [
                on_role("DetachRolePolicy", "tide", "06-04T10:00:00", policy=POWER, by="fay"),
            ],
            "last.json": [
                create_role("tide", "AROATIDE1", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "tide", "06-01T10:01:00", policy=POWER),
            ],
        },
        steps=(
            Import("now.json"),
            Import("late.json"),
            Rows(
                says="the deletion proves an earlier role, whose creation was not seen",
                command="view agencies --as-of 2025-06-06",
                columns="status since actor note",
                rows=[("deleted", "2025-06-05T10:00:00Z", user("erik"), "creation not seen")],
            ),
            Import("later.json"),
            Rows(
                says="the detachment proves an attachment that was not seen",
                command="view regions",
                columns=_SHOWN,
                rows=[(POWER, "revoked", "2025-06-04T10:00:00Z", user("fay"), "grant not seen")],
            ),
            Import("last.json"),
            Rows(
                says="all is known: attached, detached by another, deleted by a third",
                command="view regions",
                columns=f"agency_id {_SHOWN}",
                rows=[("AROATIDE1", POWER, "revoked", "2025-06-04T10:00:00Z", user("fay"), "")],
            ),
            Rows(
                says="attached in between",
                command="view regions --as-of 2025-06-03",
                columns=_SHOWN,
                rows=[(POWER, "granted", "2025-06-01T10:01:00Z", user("dana"), "")],
            ),
            Rows(
                says="the present role exists, and has nothing",
                command="view agencies",
                columns="agency_id status",
                only="status!=deleted",
                rows=[("AROATIDE2", "exists")],
            ),
        ),
    ),
    Case(
        name="54a-inline-policy-removed-late",
        kind="the removal of an inline policy that arrives after the deletion and a re-creation",
        source="cloudtrail",
        records={
            "a.json": [
                create_role("knot", "AROAKNOT1", "06-01T10:00:00"),
                on_role("PutRolePolicy", "knot", "06-01T10:01:00", policy="tie"),
                on_role("AttachRolePolicy", "knot", "06-01T10:02:00", policy=READ_ONLY),
            ],
            "b.json": [
                on_role("DeleteRole", "knot", "06-02T10:00:30", by="erik"),
                create_role("knot", "AROAKNOT2", "06-02T10:00:31"),
            ],
            "c.json": [
                on_role("DeleteRolePolicy", "knot", "06-02T10:00:29", policy="tie", by="fay"),
            ],
        },
        steps=(
            Import("a.json"),
            Import("b.json"),
            Rows(
                says="before: both ended by the deletion, nobody is named",
                command="view regions",
                columns=_SHOWN,
                rows=[
                    (READ_ONLY, "revoked", "2025-06-02T10:00:30Z", "", "end not seen"),
                    ("tie", "revoked", "2025-06-02T10:00:30Z", "", "end not seen"),
                ],
            ),
            Import("c.json"),
            Rows(
                says="now: the removal that arrived is told as it was, the other stays not seen",
                command="view regions",
                columns=_SHOWN,
                rows=[
                    (READ_ONLY, "revoked", "2025-06-02T10:00:30Z", "", "end not seen"),
                    ("tie", "revoked", "2025-06-02T10:00:29Z", user("fay"), ""),
                ],
            ),
            Rows(
                says="by what was known before, it was attached one second earlier",
                command="view regions --as-of 2025-06-02T10:00:29Z --known-at {b.json}",
                columns="policy status",
                only="policy=tie",
                rows=[("tie", "granted")],
            ),
        ),
    ),
    Case(
        name="54b-granted-again",
        kind="a permission that is granted again while it is granted, and again after its end",
        source="cloudtrail",
        records={
            "a.json": [
                create_role("reel", "AROAREEL", "06-01T10:00:00"),
                on_role("AttachRolePolicy", "reel", "06-02T10:00:00", policy=POWER, by="fay"),
            ],
            "b.json": [
                on_role("AttachRolePolicy", "reel", "06-01T10:01:00", policy=POWER, by="dana"),
                on_role("DetachRolePolicy", "reel", "06-03T10:00:00", policy=POWER, by="erik"),
                on_role("AttachRolePolicy", "reel", "06-04T10:00:00", policy=POWER, by="gus"),
            ],
        },
        steps=(
            Rows(
                says="granted since the last grant after its end",
                command="view regions",
                columns=_SHOWN,
                rows=[(POWER, "granted", "2025-06-04T10:00:00Z", user("gus"), "")],
            ),
            Rows(
                says="the repeated grant changed neither since when nor by whom",
                command="view regions --as-of 2025-06-02T12:00:00Z",
                columns=_SHOWN,
                rows=[(POWER, "granted", "2025-06-01T10:01:00Z", user("dana"), "")],
            ),
            Rows(
                says="but it is in the trail",
                command="audit trail --event PermissionGranted",
                columns="actor",
                rows=[(user("dana"),), (user("fay"),), (user("gus"),)],
            ),
        ),
    ),
)
