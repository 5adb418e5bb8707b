"""Huawei Cloud and clouds of the same make: calls that name things by ids, and their places."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Import, Rows, Text

ACME: Final = "--account 0a97dd1f2c00f2b40ff1c01a5b2c3d4e"
AGENCY_ID: Final = "07d8f1a3b5c74f0c9b5d3c1e6a2f4b80"
OWN: Final = "asm admin trust policy"
UNNAMED: Final = ("19bb93eec4ca4f08aefdc02da76d8f3c", "8a3c2e41f9d74f6f9f0e5b7a1c2d3e4f")

CASES: Final = (
    Case(
        name="20-cts-ids-only",
        kind="the end of an agency of which the traces know only the id",
        source="cts",
        steps=(
            Rows(
                says="the agency is deleted",
                command="view agencies",
                columns="agency agency_id status since actor",
                rows=[
                    (
                        "mesh_backup",
                        "a9e4c1d0000000000000000000000b01",
                        "deleted",
                        "2026-02-04T02:40:00Z",
                        "northwind/mei",
                    )
                ],
            ),
            Rows(
                says="nothing is granted",
                command="view regions",
                columns="region policy status",
                only="status!=revoked",
            ),
            Rows(
                says="the revocation by the project's id is of the only grant that it can be of",
                command="view regions --as-of 2026-02-03T03:00:00Z",
                columns="region status since",
                rows=[("cn-north-4", "revoked", "2026-02-03T02:40:00Z")],
            ),
            Rows(
                says="the permission had been granted by name before",
                command="view regions --as-of 2026-02-02T03:00:00Z",
                columns="region agency policy status since",
                only="status=granted",
                rows=[
                    (
                        "cn-north-4",
                        "mesh_backup",
                        "CCE Administrator",
                        "granted",
                        "2026-02-02T02:40:01Z",
                    )
                ],
            ),
            Rows(
                says="the trail of its name has its end",
                command="audit trail --agency mesh_backup --event AgencyDeleted",
                columns="type",
                rows=[("AgencyDeleted",)],
            ),
        ),
    ),
    Case(
        name="21-cts-policy-renamed",
        kind="a policy that is renamed, granted under the old name, deleted under the new one",
        source="cts",
        steps=(
            Rows(
                says="it is one policy, which is deleted",
                command="view policies",
                columns="policy policy_id status since",
                rows=[("lts narrow", "cp1", "deleted", "2026-02-04T02:40:00Z")],
            ),
            Rows(
                says="the permission under it ended with it",
                command="view regions",
                columns="agency policy_id status since",
                rows=[("log_mover", "cp1", "revoked", "2026-02-04T02:40:00Z")],
            ),
            Rows(
                says="the renaming ended nothing",
                command="view regions --as-of 2026-02-03T12:00:00Z",
                columns="agency policy_id status since",
                rows=[("log_mover", "cp1", "granted", "2026-02-02T02:40:02Z")],
            ),
            Rows(
                says="after the renaming the policy has the new name",
                command="view policies --as-of 2026-02-03T12:00:00Z",
                columns="policy policy_id status",
                rows=[("lts narrow", "cp1", "exists")],
            ),
            Rows(
                says="before it, the old one",
                command="view policies --as-of 2026-02-02T12:00:00Z",
                columns="policy policy_id status",
                rows=[("lts wide", "cp1", "exists")],
            ),
        ),
    ),
    Case(
        name="23-cts-otc-regions",
        kind="places of another cloud of the same make",
        source="cts",
        provider="opentelekomcloud",
        steps=(
            Rows(
                says="there are four permissions, each in its place",
                command="view regions",
                columns="provider region agency policy status",
                rows=[
                    (
                        "opentelekomcloud",
                        place,
                        "cce_admin_trust",
                        "Tenant Administrator",
                        "granted",
                    )
                    for place in ("eu-de", "eu-de_payments", "eu-ch2", "MOS")
                ],
            ),
            Rows(
                says="the sessions are in the regions of their endpoints",
                command="audit trail --event TemporaryCredentialIssued",
                columns="region agency",
                rows=[("eu-ch2", "cce_admin_trust"), ("eu-de", "cce_admin_trust")],
            ),
            Rows(
                says="no change of permissions is only told as such",
                command="audit trail --event PermissionsChanged",
                columns="region",
            ),
        ),
    ),
    Case(
        name="51-asm-consent-by-ids",
        kind="grants that name the agency, the role and the project by ids only",
        source="cts",
        steps=(
            Import("1-create.json"),
            Import("2-grants.json"),
            Rows(
                says="each grant is shown: the agency by its name, the role by its name or its id, "
                "the project as its region",
                command=f"view regions {ACME}",
                columns="region agency agency_id policy status",
                rows=[
                    (region, "asm_admin_trust", AGENCY_ID, policy, "granted")
                    for region, policy in (
                        ("cn-north-4", OWN),
                        ("cn-north-4", UNNAMED[0]),
                        ("ap-southeast-3", UNNAMED[0]),
                        ("ap-southeast-3", OWN),
                        ("global", UNNAMED[1]),
                        ("*", UNNAMED[1]),
                    )
                ],
            ),
            Rows(
                says="each by whom and since when",
                command=f"view regions {ACME}",
                columns="actor since",
                rows=[
                    ("hwc_acme/alice", "2026-11-20T08:03:00Z"),
                    *(
                        ("hwc_acme/terraform", f"2026-11-20T08:1{minute}:00Z")
                        for minute in range(5)
                    ),
                ],
            ),
            Rows(
                says="no grant is only counted as a change",
                command=f"audit trail {ACME} --event PermissionsChanged",
                columns="type",
            ),
            Rows(
                says="all six grants are in the trail",
                command=f"audit trail {ACME} --event PermissionGranted",
                columns="type",
                rows=[("PermissionGranted",)] * 6,
            ),
            Text(
                says="a question about one region finds the grant by the project's id and the one "
                "in all",
                command=f"view regions {ACME} --region ap-southeast-3 -o csv",
                has=["ap-southeast-3", "*", OWN, *UNNAMED],
                never=["cn-north-4"],
            ),
            Rows(
                says="the catalogue's policy is consent in both regions, by the person who granted it",
                command=f"view authorizations {ACME}",
                columns="region service status origin actor since",
                rows=[
                    (
                        "cn-north-4",
                        "asm",
                        "granted",
                        "inferred",
                        "hwc_acme/alice",
                        "2026-11-20T08:03:00Z",
                    ),
                    (
                        "ap-southeast-3",
                        "asm",
                        "granted",
                        "inferred",
                        "hwc_acme/terraform",
                        "2026-11-20T08:12:00Z",
                    ),
                ],
            ),
            Rows(
                says="the features work in both; elsewhere that is not known",
                command=f"view capabilities {ACME}",
                columns="region feature status",
                rows=[
                    (region, feature, status)
                    for region, status in (
                        ("cn-north-4", "works"),
                        ("ap-southeast-3", "works"),
                        ("global", "unknown"),
                        ("*", "unknown"),
                    )
                    for feature in ("ingress-gateway", "mesh", "metrics")
                ],
            ),
        ),
    ),
    Case(
        name="52-ended-by-ids",
        kind="ends that name the agency, the role and the project by ids only",
        source="cts",
        steps=(
            Rows(
                says="the agency is deleted",
                command=f"view agencies {ACME}",
                columns="agency agency_id status since actor",
                rows=[
                    (
                        "asm_admin_trust",
                        AGENCY_ID,
                        "deleted",
                        "2026-11-20T08:34:00Z",
                        "hwc_acme/mallory",
                    )
                ],
            ),
            Rows(
                says="the permission was revoked before, by somebody else",
                command=f"view regions {ACME}",
                columns="region policy status since actor",
                rows=[
                    ("cn-north-4", OWN, "revoked", "2026-11-20T08:30:00Z", "hwc_acme/alice"),
                ],
            ),
            Rows(
                says="the change of duration is not a change of trust",
                command=f"audit trail {ACME} --event AgencyTrustChanged",
                columns="type",
            ),
            Rows(
                says="it is a change of the expiry",
                command=f"audit trail {ACME} --event AgencyExpiryChanged",
                columns="type effective_at",
                rows=[("AgencyExpiryChanged", "2026-11-20T08:33:00Z")],
            ),
            Rows(
                says="the trust began with the agency",
                command=f"view trustees {ACME} --as-of 2026-11-20T08:33:30Z",
                columns="agency since actor",
                only="status!=ended",
                rows=[("asm_admin_trust", "2026-11-20T08:02:00Z", "hwc_acme/alice")],
            ),
            Rows(
                says="and ended with it",
                command=f"view trustees {ACME}",
                columns="agency",
                only="status!=ended",
            ),
            Rows(
                says="the refused deletion of the policy is an attempt, and so are those that happened",
                command=f"view attempts {ACME}",
                columns="agency policy refused carried_out",
                rows=[("", OWN, 1, 1), ("asm_admin_trust", "", 0, 1)],
            ),
            Rows(
                says="the policy was deleted by its id afterwards",
                command=f"view policies {ACME}",
                columns="policy policy_id status since actor",
                rows=[
                    (
                        OWN,
                        "4f1e2d3c4b5a69788796a5b4c3d2e1f0",
                        "deleted",
                        "2026-11-20T08:32:00Z",
                        "hwc_acme/mallory",
                    )
                ],
            ),
        ),
    ),
)
