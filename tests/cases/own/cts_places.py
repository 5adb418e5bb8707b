"""Huawei Cloud and clouds of the same make: places, times, and what holds in all places."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows
from tests.cases.records.cts import by_name, create_agency, in_scope, milliseconds, trace

_AGENCY: Final = "e5a7c9000000000000000000000000e5"
_GUEST: Final = "Tenant Guest"


def _granted_in(place: str, at: str, **more: object) -> dict[str, object]:
    return {
        **by_name("assignRoleToAgencyOnProject", at, agency="buoy", role=_GUEST, project=place),
        **more,
    }


_PLACES: Final = (
    "ae-ad-1",
    "ru-moscow-1",
    "eu-nl_rotterdam.west",
    "my-kualalumpur-1",
    "eu-west-101",
    "la-north-2",
    "MOS",
)

CASES: Final = (
    Case(
        name="23a-places-of-other-clouds",
        kind="places of other clouds of the same make, and sub-projects",
        source="cts",
        provider="sbercloud",
        records={
            "t.json": [
                create_agency("buoy", _AGENCY, "06-01T10:00:00"),
                *(_granted_in(place, f"06-01T10:01:0{n}") for n, place in enumerate(_PLACES)),
                trace(
                    "switchRole",
                    "06-01T11:00:00",
                    resource_name="buoy",
                    endpoint="iam.ru-moscow-1.hc.sbercloud.ru",
                ),
                trace(
                    "switchRole",
                    "06-01T11:00:01",
                    resource_name="buoy",
                    endpoint="https://iam.eu-nl.otc.t-systems.com/v3",
                ),
                trace(
                    "switchRole",
                    "06-01T11:00:02",
                    resource_name="buoy",
                    endpoint="iam.myhuaweicloud.com",
                ),
            ],
        },
        steps=(
            Rows(
                says="each place has its permission",
                command="view regions",
                columns="provider region agency policy status",
                rows=[("sbercloud", place, "buoy", _GUEST, "granted") for place in _PLACES],
            ),
            Rows(
                says="sessions are in the endpoint's region, or in none",
                command="audit trail --event TemporaryCredentialIssued",
                columns="region",
                rows=[("ru-moscow-1",), ("eu-nl",), ("global",)],
            ),
            Rows(
                says="a sub-project is a place of its own",
                command="view regions --region eu-nl",
                columns="region",
            ),
        ),
    ),
    Case(
        name="26a-the-same-instant-in-many-shapes",
        kind="one instant in all shapes that the vendor's guides have",
        source="cts",
        records={
            "t.json": [
                {
                    **create_agency(f"shape{n}", f"s{n}", "06-01T10:00:00"),
                    "time": time,
                    "trace_id": f"shape-{n}",
                }
                for n, time in enumerate(
                    (
                        milliseconds("06-01T10:00:00"),
                        str(milliseconds("06-01T10:00:00")),
                        f"{milliseconds('06-01T10:00:00')}000000",
                        "2025/06/01 18:00:00 GMT+08:00",
                        "06/01/2025 03:00:00 GMT-07:00",
                        "2025-06-01 10:00:00 GMT+00:00",
                        "2025-06-01T12:00:00+02:00",
                    )
                )
            ],
        },
        steps=(
            Rows(
                says="all are the same instant",
                command="view agencies",
                columns="agency since",
                rows=[(f"shape{n}", "2025-06-01T10:00:00Z") for n in range(7)],
            ),
        ),
    ),
    Case(
        name="28a-one-project-taken-back",
        kind="a grant on a project that is taken back beside one on all",
        source="cts",
        records={
            "t.json": [
                create_agency("buoy", _AGENCY, "06-01T10:00:00"),
                _granted_in("cn-north-4", "06-01T10:01:00"),
                in_scope(
                    "updateAgencyInheritedGrants", "06-01T10:02:00", agency=_AGENCY, role="r-guest"
                ),
                by_name(
                    "unassignRoleToAgencyOnProject",
                    "06-01T10:03:00",
                    agency="buoy",
                    role=_GUEST,
                    project="cn-north-4",
                    request={"role_id": "r-guest"},
                ),
            ],
        },
        steps=(
            Rows(
                says="the one on all stays, under the name that another trace tells",
                command="view regions",
                columns="region policy status",
                rows=[("*", _GUEST, "granted"), ("cn-north-4", _GUEST, "revoked")],
            ),
            Rows(
                says="before it was taken back, both were granted: a grant proves its policy",
                command="view regions --as-of 2025-06-01T10:02:30Z",
                columns="region status",
                rows=[("*", "granted"), ("cn-north-4", "granted")],
            ),
        ),
    ),
    Case(
        name="40a-global-is-not-a-region-of-all",
        kind="grants on all projects and on global services, asked for by one region",
        source="cts",
        records={
            "t.json": [
                create_agency("buoy", _AGENCY, "06-01T10:00:00"),
                in_scope(
                    "updateAgencyInheritedGrants", "06-01T10:02:00", agency=_AGENCY, role="r-all"
                ),
                in_scope("updateAgencyGrants", "06-01T10:03:00", agency=_AGENCY, role="r-global"),
                _granted_in("cn-east-3", "06-01T10:04:00"),
            ],
        },
        steps=(
            Rows(
                says="the region has its own and what holds in all",
                command="view regions --region cn-east-3",
                columns="region policy",
                rows=[("*", "r-all"), ("cn-east-3", _GUEST)],
            ),
            Rows(
                says="so has its trail",
                command="audit trail --region cn-east-3",
                columns="region",
                rows=[("*",), ("cn-east-3",)],
            ),
            Rows(
                says="another region has only what holds in all",
                command="view regions --region sa-brazil-1",
                columns="region policy",
                rows=[("*", "r-all")],
            ),
            Rows(
                says="* itself can be asked for",
                command="audit trail --region '*'",
                columns="region",
                rows=[("*",)],
            ),
        ),
    ),
)
