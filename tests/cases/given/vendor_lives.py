"""Huawei Cloud: agencies that expire, that are older than the traces, that a task deletes."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Do, Rows, Text

NORTHWIND: Final = "0d0m41n0000000000000000000000a01"
MEI: Final = "northwind/mei"

CASES: Final = (
    Case(
        name="24-cts-agency-expires",
        kind="an agency that ends by itself",
        source="cts",
        steps=(
            Rows(
                says="one has expired, the other exists for ever",
                command="view agencies --as-of 2026-02-10",
                columns="agency agency_id status since note",
                rows=[
                    ("one_day_fix", "ag4", "expired", "2026-02-03T02:40:00Z", "expired"),
                    ("forever_ops", "ag5", "exists", "2026-02-02T02:40:05Z", ""),
                ],
            ),
            Rows(
                says="the expired one's permission ended with it",
                command="view regions --as-of 2026-02-10",
                columns="agency policy status since note",
                rows=[
                    (
                        "one_day_fix",
                        "Tenant Administrator",
                        "revoked",
                        "2026-02-03T02:40:00Z",
                        "expired",
                    )
                ],
            ),
            Rows(
                says="nobody is trusted through it",
                command="view trustees --as-of 2026-02-10",
                columns="agency trustee",
                only="status!=ended",
                rows=[("forever_ops", "account:contractor-x")],
            ),
            Rows(
                says="the same holds today",
                command="view regions",
                columns="agency",
                only="status!=revoked",
            ),
            Rows(
                says="on its day it existed and was permitted",
                command="view regions --as-of 2026-02-02T12:00:00Z",
                columns="agency status since actor",
                rows=[("one_day_fix", "granted", "2026-02-02T02:40:01Z", MEI)],
            ),
            Text(
                says="the change to for ever is told with its value",
                command="audit trail --event AgencyExpiryChanged -o json",
                has=["FOREVER", "ag5"],
            ),
            Text(
                says="the duration of each is told with its creation",
                command="audit trail --event AgencyCreated -o json",
                has=["ONEDAY", "2026-02-03T02:40:00.000000Z"],
            ),
            Rows(
                says="a change of the duration is not a change of trust",
                command="audit trail --event AgencyTrustChanged",
                columns="type",
            ),
        ),
    ),
    Case(
        name="26-cts-times",
        kind="times in several shapes",
        source="cts",
        import_codes=(0, 9),
        steps=(
            Rows(
                says="each time that can be read is right",
                command="view agencies",
                columns="agency since",
                only="agency!=t_seconds agency!=t_us",
                rows=[
                    ("t_ms", "2026-02-02T02:40:00Z"),
                    ("t_dst_a", "2026-10-25T00:30:00Z"),
                    ("t_dst_b", "2026-10-25T01:30:00Z"),
                    ("t_year", "2025-12-31T23:59:59Z"),
                ],
            ),
            Rows(
                says="no time is guessed wrong: seconds and microseconds are refused, or right",
                command="view agencies",
                columns="agency",
                only="since!=2026-02-02T02:40:00Z agency!=t_dst_a agency!=t_dst_b agency!=t_year",
            ),
            Rows(
                says="at the last second of the year the agency of that second exists",
                command="view agencies --as-of 2025-12-31T23:59:59Z",
                columns="agency status",
                only="status=exists",
                rows=[("t_year", "exists")],
            ),
            Rows(
                says="at the beginning of that day none does",
                command="view agencies --as-of 2025-12-31",
                columns="agency",
                only="status=exists",
            ),
        ),
    ),
    Case(
        name="28-cts-updates-merge",
        kind="a grant on all projects beside one on a project",
        source="cts",
        steps=(
            Rows(
                says="taking back the one leaves the other",
                command="view regions",
                columns="region agency policy status since actor",
                rows=[
                    (
                        "*",
                        "asm_admin_trust",
                        "CCE Administrator",
                        "revoked",
                        "2026-02-02T02:40:03Z",
                        MEI,
                    ),
                    (
                        "cn-north-4",
                        "asm_admin_trust",
                        "CCE Administrator",
                        "granted",
                        "2026-02-02T02:40:02Z",
                        MEI,
                    ),
                ],
            ),
        ),
    ),
    Case(
        name="38-cts-async-pair",
        kind="a task that is accepted, and fails later",
        source="cts",
        steps=(
            Rows(
                says="the agency exists",
                command="view agencies",
                columns="agency agency_id status",
                rows=[("ServiceLinkedAgencyForCOC", "sl1", "exists")],
            ),
            Rows(
                says="between the two traces, its deletion was asked for",
                command="view agencies --as-of 2026-02-02T02:40:30Z",
                columns="agency status",
                rows=[("ServiceLinkedAgencyForCOC", "deletion asked for")],
            ),
            Rows(
                says="there is one refused attempt",
                command="view attempts",
                columns="agency refused carried_out",
                rows=[("ServiceLinkedAgencyForCOC", 1, 0)],
            ),
            Rows(
                says="it is never said to be deleted",
                command="audit trail --event AgencyDeleted",
                columns="type",
            ),
        ),
    ),
    Case(
        name="39-cts-agency-older-than-7-days",
        kind="an agency that is older than the traces, and then a consent through the ledger",
        source="cts",
        steps=(
            Text(
                says="the agency is listed",
                command=f"agency list --account {NORTHWIND} -o csv",
                has=["asm_admin_trust", "creation not seen"],
                never=["There is no agency"],
            ),
            Text(
                says="and shown",
                command=f"agency show asm_admin_trust --account {NORTHWIND}",
                has=["exists", "creation not seen", "Tenant Administrator"],
                never=["There is no agency"],
            ),
            Rows(
                says="it exists since it was first proven",
                command="view agencies",
                columns="agency agency_id status since actor note",
                rows=[
                    (
                        "asm_admin_trust",
                        "x1",
                        "exists",
                        "2026-02-02T02:40:00Z",
                        "",
                        "creation not seen",
                    )
                ],
            ),
            Rows(
                says="the grant is shown",
                command="view regions",
                columns="region agency policy status since actor",
                rows=[
                    (
                        "cn-east-3",
                        "asm_admin_trust",
                        "Tenant Administrator",
                        "granted",
                        "2026-02-02T02:40:00Z",
                        MEI,
                    )
                ],
            ),
            Rows(
                says="the trustee is the one that was told",
                command="view trustees",
                columns="agency trustee since actor",
                rows=[("asm_admin_trust", "account:someone-else", "2026-02-02T02:40:01Z", MEI)],
            ),
            Do(f"console login --account {NORTHWIND} --service asm --region cn-east-3 --user mei"),
            Do(
                f"authorization grant --account {NORTHWIND} --service asm --region cn-east-3 "
                "--actor mei"
            ),
            Rows(
                says="the consent reuses the agency, and makes no other",
                command="view agencies",
                columns="agency agency_id status note",
                rows=[("asm_admin_trust", "x1", "exists", "creation not seen")],
            ),
            Rows(
                says="no creation was invented",
                command="audit trail --event AgencyCreated",
                columns="type",
            ),
            Rows(
                says="nor a trustee",
                command="view trustees",
                columns="agency trustee since",
                rows=[("asm_admin_trust", "account:someone-else", "2026-02-02T02:40:01Z")],
            ),
        ),
    ),
    Case(
        name="40-cts-all-projects-asked-by-region",
        kind="a grant on all projects, asked for by one region",
        source="cts",
        steps=(
            Rows(
                says="it is in the view of the region",
                command="view regions --region cn-north-4",
                columns="region agency policy status",
                rows=[("*", "obs_replica", "Tenant Administrator", "granted")],
            ),
            Rows(
                says="in the region's trail",
                command="audit trail --region cn-north-4",
                columns="type region agency",
                rows=[("PermissionGranted", "*", "obs_replica")],
            ),
            Rows(
                says="in its explanation",
                command=f"audit why --region cn-north-4 --agency obs_replica --account {NORTHWIND}",
                columns="event",
                only="event=PermissionGranted",
                rows=[("PermissionGranted",)],
            ),
            Rows(
                says="in the comparison of two instants",
                command="audit diff 2026-01-01 2026-03-01 --region cn-north-4 --view regions",
                columns="view change",
                rows=[("regions", "new")],
            ),
        ),
    ),
)
