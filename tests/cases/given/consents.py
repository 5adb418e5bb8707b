"""Huawei Cloud: consent that no dialog told, and what works by it."""

from __future__ import annotations

from typing import Final

from tests.cases.case import Case, Rows, Text

_ACME: Final = "--account 0a97dd1f2c00f2b40ff1c01a5b2c3d4e"
_NORTHWIND: Final = "--account 0d0m41n0000000000000000000000a01"
_FEATURES: Final = ("ingress-gateway", "mesh", "metrics")
_CONSENT: Final = "region service status origin actor since"


def _works(account: str, *regions: str) -> Rows:
    return Rows(
        says="the features work there",
        command=f"view capabilities {account}",
        columns="region feature agency status",
        only="status=works",
        rows=[
            (region, feature, "asm_admin_trust", "works")
            for region in regions
            for feature in _FEATURES
        ],
    )


def _no_dialog(account: str) -> tuple[Text, Text]:
    return (
        Text(
            says="a login there opens no dialog",
            command=f"console login --service asm --region cn-north-4 --user somebody {account}",
            has=["no dialog opens"],
        ),
        Text(
            says="consenting again changes nothing",
            command=f"authorization grant --service asm --region cn-north-4 {account}",
            has=["already authorized in cn-north-4 (inferred from", "Nothing was appended"],
        ),
    )


CASES: Final = (
    Case(
        name="29-cts-capability-by-policy",
        kind="a consent in traces: the agency, the catalogue's policy, its grant by name",
        source="cts",
        steps=(
            _works(_NORTHWIND, "cn-north-4"),
            Text(
                says="a use of one is not refused",
                command=f"{_NORTHWIND} feature use mesh --service asm --region cn-north-4",
                has=["FeatureUsed"],
                never=["Refused"],
            ),
            *_no_dialog(_NORTHWIND),
        ),
    ),
    Case(
        name="35-cts-other-delegations",
        kind="calls by which an organization lets services and accounts act",
        source="cts",
        steps=(
            Rows(
                says="every call is a fact",
                command="audit trail",
                columns="type",
                only="type!=SubjectRegistered",
                rows=[("TrustedServiceEnabled",)] * 2 + [("NotModelled",)] * 4,
            ),
            Rows(
                says="none of them is a consent to a service of the catalogue",
                command="view authorizations",
                columns="service",
            ),
        ),
    ),
    Case(
        name="50-asm-consent-by-names",
        kind="a consent in traces as the vendor's models have them, with names",
        source="cts",
        steps=(
            Rows(
                says="the authorization is granted: who, when, from where",
                command=f"view authorizations {_ACME}",
                columns=f"{_CONSENT} rests_on",
                rows=[
                    (
                        "cn-north-4",
                        "asm",
                        "granted",
                        "inferred",
                        "hwc_acme/alice",
                        "2026-11-20T08:03:00Z",
                        "3,4,6",
                    )
                ],
            ),
            Text(
                says="a table has the address",
                command=f"view authorizations {_ACME} --output table",
                has=["203.0.113.9", "hwc_acme/alice"],
            ),
            _works(_ACME, "cn-north-4"),
            Rows(
                says="its facts explain it",
                command=f"audit why --service asm --region cn-north-4 {_ACME}",
                columns="event",
                rows=[("AgencyCreated",), ("PolicyCreated",), ("PermissionGranted",)],
            ),
            *_no_dialog(_ACME),
        ),
    ),
)
