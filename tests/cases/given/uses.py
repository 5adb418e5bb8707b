"""Agencies that act, and the people who switched to them."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Do, Rows, Text

_AGENCY: Final = "asm_admin_trust"

CASES: Final = (
    Case(
        name="53-acting-as-the-agency",
        kind="somebody switches to an agency, and the agency acts on other services",
        source="cts",
        steps=(
            Rows(
                says="it used two services, from when to when",
                command="view usage --region cn-north-4",
                columns="agency services succeeded at_least first_used_at last_used_at",
                rows=[
                    (_AGENCY, "elb,vpc", 2, "no", "2026-11-20T08:42:00Z", "2026-11-20T08:43:00Z")
                ],
            ),
            Rows(
                says="two people switched to it",
                command="view usage --region global",
                columns="agency credentials_issued switched_by_name",
                rows=[(_AGENCY, 2, "hwc_acme/alice, hwc_acme/bob")],
            ),
            Rows(
                says="each call is a row",
                command="view activity",
                columns="agency agency_id region service action day succeeded",
                rows=[
                    (
                        _AGENCY,
                        "07d8f1a3b5c74f0c9b5d3c1e6a2f4b80",
                        "cn-north-4",
                        service,
                        action,
                        "2026-11-20",
                        1,
                    )
                    for service, action in (
                        ("elb", "createLoadbalancer"),
                        ("vpc", "createSecurityGroupRule"),
                    )
                ],
            ),
            Text(
                says="the agency shows its last use",
                command=f"agency show {_AGENCY}",
                has=["last used  2026-11-20T08:43:00Z"],
            ),
            Text(
                says="the trail names the people who switched",
                command="audit trail",
                has=["hwc_acme/bob got a credential", "hwc_acme/alice got a credential"],
            ),
            Do("import cts 2-use.json"),
            Rows(
                says="the same file again adds nothing",
                command="view activity",
                columns="service succeeded at_least",
                rows=[("elb", 1, "no"), ("vpc", 1, "no")],
            ),
        ),
    ),
)
