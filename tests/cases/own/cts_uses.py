"""Huawei Cloud: the calls of agencies, from files that hold the same traces, or a part of them."""

from __future__ import annotations

from typing import Any, Final

from tests.cases.case import Case, Do, Record, Rows
from tests.cases.records.cts import DOMAIN, create_agency, trace

_PILOT: Final = "0a9110700000000000000000000000a1"


def _act(name: str, at: str, **more: Any) -> Record:
    """A call of the agency `pilot_trust`."""
    user = {
        "type": "AssumedAgency",
        "name": "harbour/pilot_trust",
        "domain": {"id": DOMAIN, "name": "harbour"},
        "principal_id": f"{_PILOT}:tug",
        "principal_urn": f"sts::{DOMAIN}:assumed-agency:pilot_trust/tug",
    }
    place = {"endpoint": "https://ecs.eu-west-101.myhuaweicloud.eu", "service_type": "ECS"}
    return trace(name, at, user=user, resource_type="server", **{**place, **more})


_FIRST: Final = _act("createServer", "06-01T10:00:00")
_SECOND: Final = _act("createServer", "06-01T11:00:00")

CASES: Final = (
    Case(
        name="53g-cts-the-same-traces-in-two-files",
        kind="an agency acts; two files have some of the same traces",
        source="cts",
        records={
            "1-agency.json": [create_agency("pilot_trust", _PILOT, "06-01T09:00:00")],
            "2-bucket.json": [_FIRST, _SECOND],
            "3-query.json": [_SECOND, _act("createServer", "06-01T12:00:00")],
        },
        steps=(
            Rows(
                says="each trace counts once",
                command="view usage --region eu-west-101",
                columns="agency services succeeded at_least first_used_at last_used_at",
                rows=[
                    (
                        *("pilot_trust", "ecs", 3, "no"),
                        *("2025-06-01T10:00:00Z", "2025-06-01T12:00:00Z"),
                    )
                ],
            ),
            Do("import cts 2-bucket.json 3-query.json"),
            Rows(
                says="the files again add nothing",
                command="view usage --region eu-west-101",
                columns="agency succeeded",
                rows=[("pilot_trust", 3)],
            ),
        ),
    ),
    Case(
        name="53h-cts-refused-and-failed",
        kind="calls of an agency that are refused or fail",
        source="cts",
        records={
            "a.json": [
                _act("createServer", "06-01T10:00:00", trace_rating="warning", code="403"),
                _act("createServer", "06-01T10:30:00", trace_rating="incident", code="500"),
                _act(
                    "attachVolume",
                    "06-01T11:00:00",
                    trace_rating="warning",
                    code="400",
                    response={"error": {"message": "Policy doesn't allow ecs:volume:attach"}},
                ),
            ]
        },
        steps=(
            Rows(
                says="a refusal is told apart from a failure",
                command="view activity",
                columns="agency action succeeded refused failed",
                rows=[
                    ("pilot_trust", "createServer", 0, 1, 1),
                    ("pilot_trust", "attachVolume", 0, 1, 0),
                ],
            ),
            Rows(
                says="what did not succeed does not prove that the agency exists",
                command="view agencies",
                columns="agency",
            ),
        ),
    ),
)
