"""Huawei Cloud and its kin: places, times, agencies that expire, tasks, agencies never created."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Do, Rows, Text
from tests.cases.records.cts import DOMAIN, by_name, create_agency, trace

_AGENCY: Final = "e5a7c9000000000000000000000000e5"
_OLGA, _PETR = "harbour/olga", "harbour/petr"
_GUEST: Final = "Tenant Guest"


def _granted_in(place: str, at: str, **more: object) -> dict[str, object]:
    return {
        **by_name("assignRoleToAgencyOnProject", at, agency="buoy", role=_GUEST, project=place),
        **more,
    }


_TASK: Final = {
    "resource_name": "ServiceLinkedAgencyForDWS",
    "resource_id": _AGENCY,
}
_LINKED: Final = trace(
    "createServiceLinkedAgencyV5",
    "06-01T10:00:00",
    **_TASK,
    request={"service_principal": "service.DWS"},
    response={"agency": {"agency_id": _AGENCY, "agency_name": "ServiceLinkedAgencyForDWS"}},
)

CASES: Final = (
    Case(
        name="24a-some-days",
        kind="an agency for a number of days, told by the duration or by the time alone",
        source="cts",
        records={
            "t.json": [
                create_agency("buoy", _AGENCY, "06-01T10:00:00", agency_fields={"duration": "20"}),
                create_agency(
                    "beacon",
                    "e5a7c9000000000000000000000000e6",
                    "06-01T10:00:00",
                    answer={"expire_time": "2025-06-11T10:00:00.000000"},
                ),
                create_agency(
                    "pier",
                    "e5a7c9000000000000000000000000e7",
                    "06-01T10:00:00",
                    agency_fields={"duration": "FOREVER"},
                ),
                _granted_in("cn-north-4", "06-02T10:00:00"),
            ],
        },
        steps=(
            Rows(
                says="as long as it lasts, all exist",
                command="view agencies --as-of 2025-06-10",
                columns="agency status",
                rows=[("buoy", "exists"), ("beacon", "exists"), ("pier", "exists")],
            ),
            Rows(
                says="each ends at its own time, without a trace",
                command="view agencies",
                columns="agency status since",
                rows=[
                    ("buoy", "expired", "2025-06-21T10:00:00Z"),
                    ("beacon", "expired", "2025-06-11T10:00:00Z"),
                    ("pier", "exists", "2025-06-01T10:00:00Z"),
                ],
            ),
            Rows(
                says="and the permission with it, by nobody",
                command="view regions",
                columns="agency status since actor note",
                rows=[("buoy", "revoked", "2025-06-21T10:00:00Z", "", "expired")],
            ),
        ),
    ),
    Case(
        name="24b-extended-in-time",
        kind="an expiry that is moved, before it is reached and after; the news arrive late",
        source="cts",
        records={
            "create.json": [
                create_agency(
                    "buoy", _AGENCY, "06-01T10:00:00", agency_fields={"duration": "ONEDAY"}
                ),
                _granted_in("cn-north-4", "06-01T11:00:00"),
            ],
            "extended.json": [
                trace(
                    "updateAgency",
                    "06-01T20:00:00",
                    resource_name="buoy",
                    resource_id=_AGENCY,
                    request={"agency": {"duration": "2"}},
                    response={
                        "agency": {
                            "id": _AGENCY,
                            "name": "buoy",
                            "expire_time": "2025-06-03T20:00:00.000000",
                        }
                    },
                ),
            ],
        },
        steps=(
            Rows(
                says="after the first expiry it still exists",
                command="view agencies --as-of 2025-06-03",
                columns="agency status",
                rows=[("buoy", "exists")],
            ),
            Rows(
                says="and is permitted",
                command="view regions --as-of 2025-06-03",
                columns="status since",
                rows=[("granted", "2025-06-01T11:00:00Z")],
            ),
            Rows(
                says="after the second it does not",
                command="view agencies",
                columns="agency status since",
                rows=[("buoy", "expired", "2025-06-03T20:00:00Z")],
            ),
        ),
    ),
    Case(
        name="38a-fails-and-is-asked-again",
        kind="a deletion by a task that fails, is asked for again, and never reported",
        source="cts",
        records={
            "t.json": [
                _LINKED,
                trace(
                    "deleteServiceLinkedAgencyV5",
                    "06-02T10:00:00",
                    **_TASK,
                    response={"deletion_task_id": "t1"},
                ),
                trace(
                    "deleteServiceLinkedAgencyV5",
                    "06-02T10:01:00",
                    **_TASK,
                    user=None,
                    trace_type="SystemAction",
                    trace_rating="incident",
                    response={"error_code": "PAP5.0012", "error_msg": "in use"},
                ),
                trace(
                    "deleteServiceLinkedAgencyV5",
                    "06-03T10:00:00",
                    **_TASK,
                    response={"deletion_task_id": "t2"},
                ),
            ],
        },
        steps=(
            Rows(
                says="between the failure and the second request it exists",
                command="view agencies --as-of 2025-06-02T12:00:00Z",
                columns="agency status",
                rows=[("ServiceLinkedAgencyForDWS", "exists")],
            ),
            Rows(
                says="now its deletion was asked for",
                command="view agencies",
                columns="agency status since actor",
                rows=[
                    (
                        "ServiceLinkedAgencyForDWS",
                        "deletion asked for",
                        "2025-06-03T10:00:00Z",
                        _OLGA,
                    )
                ],
            ),
            Rows(
                says="there is one refused attempt",
                command="view attempts",
                columns="agency refused",
                rows=[("ServiceLinkedAgencyForDWS", 1)],
            ),
        ),
    ),
    Case(
        name="39a-proven-by-a-session",
        kind="an agency of which only a session was seen; then a consent through the ledger",
        source="cts",
        records={
            "t.json": [
                trace(
                    "switchRole",
                    "06-02T10:00:00",
                    resource_name="asm_admin_trust",
                    endpoint="iam.cn-north-4.myhuaweicloud.com",
                )
            ],
        },
        steps=(
            Rows(
                says="it exists, its creation was not seen",
                command="view agencies",
                columns="agency status since note",
                rows=[("asm_admin_trust", "exists", "2025-06-02T10:00:00Z", "creation not seen")],
            ),
            Rows(
                says="nothing is said of its trust",
                command="view trustees",
                columns="trustee",
                only="status!=not",
            ),
            Do(f"console login --account {DOMAIN} --service asm --region cn-north-4 --user olga"),
            Do(
                f"authorization grant --account {DOMAIN} --service asm --region cn-north-4 "
                "--actor olga"
            ),
            Rows(
                says="the consent invents no creation",
                command="audit trail --event AgencyCreated",
                columns="type",
            ),
            Text(
                says="and permits the agency what the service asked for",
                command=f"view regions --account {DOMAIN} -o csv",
                has=["asm_admin_trust", "granted"],
            ),
        ),
    ),
    Case(
        name="39b-proven-by-a-revocation",
        kind="an agency of which only a revocation and its end were seen",
        source="cts",
        records={
            "t.json": [
                by_name(
                    "unassignRoleToAgencyOnProject",
                    "06-02T10:00:00",
                    agency="buoy",
                    role=_GUEST,
                    project="cn-north-4",
                    by="petr",
                ),
                trace("deleteAgency", "06-03T10:00:00", resource_name="buoy", resource_id=_AGENCY),
            ],
        },
        steps=(
            Rows(
                says="it was there, and is deleted",
                command="view agencies",
                columns="agency agency_id status since",
                rows=[("buoy", _AGENCY, "deleted", "2025-06-03T10:00:00Z")],
            ),
            Rows(
                says="the permission was revoked; its grant was not seen",
                command="view regions",
                columns="agency policy status since actor note",
                rows=[("buoy", _GUEST, "revoked", "2025-06-02T10:00:00Z", _PETR, "grant not seen")],
            ),
        ),
    ),
    Case(
        name="28b-one-account-by-id-and-by-name",
        kind="a trusted account that traces name by its id, by its name, or by both",
        source="cts",
        records={
            "by-name.json": [
                create_agency(
                    "crane",
                    _AGENCY,
                    "06-01T10:00:00",
                    agency_fields={"trust_domain_name": "tugboats"},
                )
            ],
            "by-id.json": [
                trace(
                    "updateAgency",
                    "06-02T10:00:00",
                    by="petr",
                    resource_id=_AGENCY,
                    request={"agency": {"trust_domain_id": "d7"}},
                )
            ],
            "both.json": [
                create_agency(
                    "winch",
                    "a0",
                    "06-03T10:00:00",
                    agency_fields={"trust_domain_name": "tugboats", "trust_domain_id": "d7"},
                )
            ],
        },
        steps=(
            Rows(
                says="it is one trustee, since it was trusted first",
                command="view trustees --agency crane",
                columns="agency trustee status since actor",
                rows=[("crane", "account:d7", "trusted", "2025-06-01T10:00:00Z", "harbour/olga")],
            ),
        ),
    ),
)
