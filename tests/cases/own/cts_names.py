"""Huawei Cloud: policies and projects that were renamed, and what goes on under the new name."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Do, Import, Rows, Text
from tests.cases.records.cts import (
    DOMAIN,
    by_name,
    create_agency,
    create_policy,
    create_project,
    on_project,
    trace,
    update_policy,
    update_project,
)

_AGENCY: Final = "3f0a0000000000000000000000000003"
_POLICY: Final = "c1000000000000000000000000000001"
_OTHER: Final = "c2000000000000000000000000000002"
_PROJECT: Final = "9a000000000000000000000000000009"
_GLOBEX: Final = "0b33300000000000000000000000b333"
_PAY: Final = "cn-north-4_pay"
_BILLING: Final = "cn-north-4_billing"

CASES: Final = (
    Case(
        name="21c-renamed-and-the-name-given-anew",
        kind="a policy renamed while it is granted, and another one that gets its former name",
        source="cts",
        records={
            "a.json": [
                create_agency("lookout", _AGENCY, "06-01T10:00:00"),
                create_policy("logs wide", _POLICY, "06-01T10:00:10"),
            ],
            "b.json": [
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency="lookout",
                    role="logs wide",
                    project="cn-north-4",
                ),
            ],
            "c.json": [update_policy("logs narrow", _POLICY, "06-01T10:02:00", by="pia")],
            "d.json": [create_policy("logs wide", _OTHER, "06-01T10:03:00")],
        },
        steps=(
            Rows(
                says="the permission goes on under the new name, since its grant",
                command="view regions",
                columns="policy policy_id status since actor",
                rows=[("logs narrow", _POLICY, "granted", "2025-06-01T10:01:00Z", "harbour/olga")],
            ),
            Rows(
                says="it is found by the new name",
                command="view regions --policy 'logs narrow'",
                columns="policy_id",
                rows=[(_POLICY,)],
            ),
            Rows(
                says="it is found by the policy's id",
                command=f"view regions --policy {_POLICY}",
                columns="policy",
                rows=[("logs narrow",)],
            ),
            Rows(
                says="nothing is granted under the policy that has the former name now",
                command="view regions --policy 'logs wide'",
                columns="policy_id",
            ),
            Rows(
                says="before the renaming, it was called by the former name",
                command="view regions --as-of 2025-06-01T10:01:30Z",
                columns="policy policy_id status",
                rows=[("logs wide", _POLICY, "granted")],
            ),
            Rows(
                says="before the renaming was known, the ledger had the former name",
                command="view regions --as-of {b.json}",
                columns="policy policy_id status",
                rows=[("logs wide", _POLICY, "granted")],
            ),
            Rows(
                says="each policy exists since its own creation",
                command="view policies",
                columns="policy policy_id status since actor",
                rows=[
                    ("logs narrow", _POLICY, "exists", "2025-06-01T10:00:10Z", "harbour/olga"),
                    ("logs wide", _OTHER, "exists", "2025-06-01T10:03:00Z", "harbour/olga"),
                ],
            ),
            Rows(
                says="the difference is a renaming",
                command="audit diff 2025-06-01T10:01:30Z 2025-06-01T10:02:30Z --view policies",
                columns="change before after",
                rows=[
                    (
                        "renamed",
                        "logs wide exists",
                        "logs narrow exists, document: content not told",
                    )
                ],
            ),
            Rows(
                says="the difference is a renaming of the permission, too",
                command="audit diff 2025-06-01T10:01:30Z 2025-06-01T10:02:30Z --view regions",
                columns="change before after",
                rows=[("renamed", "logs wide granted", "logs narrow granted")],
            ),
            Text(
                says="the policy shows its permission",
                command="policy show 'logs narrow'",
                has=["cn-north-4", "granted"],
            ),
            Text(
                says="the explanation by the new name has the grant",
                command="audit why --policy 'logs narrow'",
                has=["lookout"],
            ),
        ),
    ),
    Case(
        name="21d-a-project-renamed",
        kind="a sub-project renamed while a permission holds on it",
        source="cts",
        records={
            "a.json": [create_agency("lookout", _AGENCY, "06-01T10:00:00")],
            "b.json": [create_project(_PAY, _PROJECT, "06-01T10:00:10")],
            "c.json": [
                by_name(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency="lookout",
                    role="Tenant Guest",
                    project=_PAY,
                ),
            ],
            "d.json": [update_project(_BILLING, _PROJECT, "06-01T10:02:00")],
        },
        steps=(
            Rows(
                says="the permission is found under the new name",
                command=f"view regions --region {_BILLING}",
                columns="region status since",
                rows=[(_BILLING, "granted", "2025-06-01T10:01:00Z")],
            ),
            Rows(
                says="nothing is left under the former name",
                command=f"view regions --region {_PAY}",
                columns="region",
            ),
            Rows(
                says="it is found by the project's id",
                command=f"view regions --region {_PROJECT}",
                columns="region",
                rows=[(_BILLING,)],
            ),
            Rows(
                says="before the renaming, it held under the former name",
                command="view regions --as-of 2025-06-01T10:01:30Z",
                columns="region status",
                rows=[(_PAY, "granted")],
            ),
            Rows(
                says="by the id, it is found as of then, too",
                command=f"view regions --region {_PROJECT} --as-of 2025-06-01T10:01:30Z",
                columns="region status",
                rows=[(_PAY, "granted")],
            ),
            Text(
                says="the explanation by the new name has the grant",
                command=f"audit why --region {_BILLING}",
                has=["lookout"],
            ),
            Rows(
                says="an agency's id finds its permissions",
                command=f"view regions --agency {_AGENCY}",
                columns="agency region",
                rows=[("lookout", _BILLING)],
            ),
            Text(
                says="an agency is shown by its id",
                command=f"agency show {_AGENCY}",
                has=["lookout", _BILLING, "granted"],
            ),
        ),
    ),
    Case(
        name="39c-consent-before-the-name-is-known",
        kind="a consent through the ledger while its agency is known by its id alone",
        source="cts",
        records={
            "a.json": [
                on_project(
                    "assignRoleToAgencyOnProject",
                    "06-01T10:01:00",
                    agency=_AGENCY,
                    role=_POLICY,
                    project=_PROJECT,
                ),
            ],
            "b.json": [create_agency("asm_admin_trust", _AGENCY, "06-01T10:00:00")],
        },
        steps=(
            Import("a.json"),
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
            Rows(
                says="the name exists, and the id as well",
                command="view agencies",
                columns="agency status note",
                rows=[
                    ("asm_admin_trust", "exists", "creation not seen"),
                    (_AGENCY, "exists", "creation not seen"),
                ],
            ),
            Import("b.json"),
            Rows(
                says="both are one as soon as the name is known",
                command="view agencies",
                columns="agency agency_id status since",
                rows=[("asm_admin_trust", _AGENCY, "exists", "2025-06-01T10:00:00Z")],
            ),
            Rows(
                says="the permissions of the consent are that agency's",
                command="view regions",
                columns="agency_id status",
                only="region=cn-north-4 service=elb",
                rows=[(_AGENCY, "granted")],
            ),
            Rows(
                says="nothing is said of a trustee but what the creation has",
                command="view trustees",
                columns="trustee status",
                rows=[("service:cts", "trusted")],
            ),
        ),
    ),
    Case(
        name="01c-another-account-by-its-name",
        kind="an agency of another account, whose name a call tells without the id",
        source="cts",
        records={
            "a.json": [
                trace(
                    "switchRole",
                    "06-01T11:00:00",
                    request={"domain_name": "globex", "agency_name": "vendor_ops"},
                    endpoint="iam.cn-north-4.myhuaweicloud.com",
                ),
            ],
            "b.json": [
                create_agency(
                    "vendor_ops",
                    _AGENCY,
                    "06-01T10:00:00",
                    user={"name": "mia", "domain": {"id": _GLOBEX, "name": "globex"}},
                    domain_id=_GLOBEX,
                ),
            ],
        },
        steps=(
            *(
                Rows(
                    says=f"the account's {what} finds the agency, and its use under the name",
                    command=f"view agencies --account {word}",
                    columns="account agency_id note",
                    rows=[("globex", "", "creation not seen"), (_GLOBEX, _AGENCY, "")],
                )
                for what, word in (("name", "globex"), ("id", _GLOBEX))
            ),
            *(
                Rows(
                    says=f"the account's {what} finds all entries of the agency",
                    command=f"audit trail --account {word}",
                    columns="account type",
                    only="type!=SubjectRegistered",
                    rows=[("globex", "TemporaryCredentialIssued"), (_GLOBEX, "AgencyCreated")],
                )
                for what, word in (("name", "globex"), ("id", _GLOBEX))
            ),
            Text(
                says="the explanation by the account's name has the creation",
                command="audit why --agency vendor_ops --account globex",
                has=["AgencyCreated"],
            ),
            Text(
                says="the agency is shown by the account's name",
                command="agency show vendor_ops --account globex",
                has=[_AGENCY],
            ),
            Rows(
                says="another account has nothing of it",
                command=f"view agencies --account {DOMAIN}",
                columns="agency",
            ),
        ),
    ),
)
