"""Huawei Cloud: consent that follows from grants, or from an agreement in a console."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from tests.cases.case import Case, Record, Rows, Step, Text
from tests.cases.records.cts import (
    DOMAIN,
    by_name,
    create_agency,
    delete_agency,
    delete_policy,
    on_project,
    trace,
)

_AGENCY: Final = "a5c7e9000000000000000000000000a5"
_ADMIN, _GUEST = "b5d7f9000000000000000000000000b5", "b6d8fa000000000000000000000000b6"
_PROJECT: Final = "c5e7a9000000000000000000000000c5"
_SOUTH, _NORTH = "cn-south-1", "cn-north-4"
_MESH: Final = "asm_admin_trust"
_GRANT, _REVOKE = "assignRoleToAgencyOnProject", "unassignRoleToAgencyOnProject"
_OLGA, _PETR = "harbour/olga", "harbour/petr"
_COLUMNS: Final = "region service status origin actor since"
_BEGIN: Final = create_agency(
    _MESH, _AGENCY, "06-01T10:00:00", agency_fields={"trust_domain_name": "op_svc_asm"}
)


def _named(call: str, at: str, role: str, identity: str, region: str, **more: Any) -> Record:
    """By names, and beside them the ids of the role, the agency and the project."""
    return by_name(
        call,
        at,
        agency=_MESH,
        role=role,
        project=region,
        request={"role": {"id": identity}, "project": {"id": _PROJECT}} if identity else {},
        **more,
    )


def _consents(says: str, *rows: tuple[str, ...], as_of: str = "") -> Rows:
    return Rows(says=says, command=f"view authorizations{as_of}", columns=_COLUMNS, rows=rows)


def _features(says: str, region: str, status: str) -> Rows:
    return Rows(
        says=says,
        command=f"view capabilities --region {region}",
        columns="feature status",
        only="service=asm",
        rows=[(feature, status) for feature in ("ingress-gateway", "mesh", "metrics")],
    )


def _case(name: str, kind: str, records: Sequence[Record], *steps: Step) -> Case:
    return Case(name=name, kind=kind, source="cts", records={"t.json": records}, steps=steps)


_BOTH: Final = (
    _named(_GRANT, "06-01T10:01:00", "CCE Administrator", _ADMIN, _SOUTH),
    _named(_GRANT, "06-01T10:02:00", "Tenant Guest", _GUEST, _SOUTH, by="petr"),
)

CASES: Final = (
    _case(
        "50a-a-baseline-of-two-policies",
        "an agency that gets both policies of a baseline, by two people",
        [_BEGIN, *_BOTH],
        _consents(
            "the grant that completed it is the consent",
            (_SOUTH, "asm", "granted", "inferred", _PETR, "2025-06-01T10:02:00Z"),
        ),
        _consents("before it there is none", as_of=" --as-of 2025-06-01T10:01:30Z"),
        _features("everything works", _SOUTH, "works"),
    ),
    _case(
        "50b-half-a-baseline",
        "an agency that gets one policy of two",
        [_BEGIN, _BOTH[0]],
        _consents("there is not any consent"),
        _features("the one policy may permit anything", _SOUTH, "unknown"),
        Text(
            says="a use is neither a use nor a refusal",
            command=f"feature use mesh --account {DOMAIN} --service asm --region {_SOUTH}",
            has=["FeatureUseUndecided", "is not known"],
            never=["Refused"],
        ),
        Text(
            says="with --strict it ends with 8",
            command=f"feature use mesh --account {DOMAIN} --service asm --region {_SOUTH} --strict",
            has=["Condition not met"],
            code=8,
        ),
    ),
    _case(
        "50c-two-baselines",
        "an agency that has an older baseline's policy, and then a newer one's for a while",
        [
            _BEGIN,
            _named(_GRANT, "06-01T11:00:00", "Tenant Administrator", "", _SOUTH),
            *(
                _named(_GRANT, f"06-02T10:0{minute}:00", role, identity, _SOUTH, by="petr")
                for minute, (role, identity) in enumerate(
                    (("CCE Administrator", _ADMIN), ("Tenant Guest", _GUEST))
                )
            ),
            _named(_REVOKE, "06-03T10:00:00", "Tenant Administrator", "", _SOUTH),
        ],
        _consents(
            "at first it is the older one",
            (_SOUTH, "asm", "granted", "inferred", _OLGA, "2025-06-01T11:00:00Z"),
            as_of=" --as-of 2025-06-02T12:00:00Z",
        ),
        _consents(
            "once that ended, it is the newer one",
            (_SOUTH, "asm", "granted", "inferred", _PETR, "2025-06-02T10:01:00Z"),
        ),
        _features("everything still works", _SOUTH, "works"),
    ),
    _case(
        "50d-a-policy-that-is-not-the-catalogues",
        "an agency of a service that acts under a policy of the account's own",
        [_BEGIN, _named(_GRANT, "06-01T10:01:00", "mesh for us", "", _SOUTH)],
        _consents("there is not any consent that the catalogue knows"),
        _features("what works is not known", _SOUTH, "unknown"),
    ),
    _case(
        "50e-an-agency-of-that-name-for-another",
        "an agency with the name of a service's, which trusts another account",
        [
            create_agency(
                _MESH, _AGENCY, "06-01T10:00:00", agency_fields={"trust_domain_name": "elsewhere"}
            ),
            *_BOTH,
        ],
        _consents("there is not any consent to the service"),
    ),
    _case(
        "51c-revoked-by-ids",
        "a consent by names in two regions, of which one ends by a call that has ids alone",
        [
            _BEGIN,
            *_BOTH,
            *(
                _named(_GRANT, "06-02T10:00:00", role, "", _NORTH)
                for role in ("CCE Administrator", "Tenant Guest")
            ),
            on_project(
                _REVOKE, "06-05T10:00:00", agency=_AGENCY, role=_GUEST, project=_PROJECT, by="petr"
            ),
        ],
        _consents(
            "the consent ended in one region only, with the policy, by whom the trace tells",
            (_SOUTH, "asm", "revoked", "inferred", _PETR, "2025-06-05T10:00:00Z"),
            (_NORTH, "asm", "granted", "inferred", _OLGA, "2025-06-02T10:00:00Z"),
        ),
        _consents(
            "before, both held",
            (_SOUTH, "asm", "granted", "inferred", _PETR, "2025-06-01T10:02:00Z"),
            (_NORTH, "asm", "granted", "inferred", _OLGA, "2025-06-02T10:00:00Z"),
            as_of=" --as-of 2025-06-04T10:00:00Z",
        ),
    ),
    _case(
        "52f-consent-ends-with-its-agency",
        "a consent whose agency is deleted by its id",
        [_BEGIN, *_BOTH, delete_agency(_AGENCY, "06-05T10:00:00", by="petr")],
        _consents(
            "the consent ended with it",
            (_SOUTH, "asm", "revoked", "inferred", _PETR, "2025-06-05T10:00:00Z"),
        ),
        Rows(
            says="the deletion is an attempt that was carried out",
            command="view attempts",
            columns="agency policy refused carried_out",
            rows=[(_MESH, "", 0, 1)],
        ),
    ),
    _case(
        "52g-a-policy-deleted-after-a-refusal",
        "a deletion of a policy that is refused at first",
        [
            trace(
                "createRole",
                "06-01T10:00:00",
                resource_type="Policy",
                resource_name="dock only",
                resource_id=_ADMIN,
                request={"role": {"display_name": "dock only"}},
            ),
            delete_policy(_ADMIN, "06-02T10:00:00", code="403", trace_rating="warning"),
            delete_policy(_ADMIN, "06-03T10:00:00"),
        ],
        Rows(
            says="both are counted, under its name",
            command="view attempts",
            columns="agency policy refused carried_out",
            rows=[("", "dock only", 1, 1)],
        ),
    ),
    _case(
        "50f-agreed-to-in-the-console-of-cce",
        "an agreement in the console of CCE, whose traces name agencies and not their rights",
        [
            trace(
                "createUserAgencies",
                "06-01T10:00:00",
                service_type="CCE",
                resource_type="cluster",
                request={"agencies": ["CCENodeAgency", "CCEServiceAgency"]},
                by="petr",
            )
        ],
        Rows(
            says="it is a consent to CCE, by whom the trace tells",
            command="view authorizations",
            columns="service status origin actor since",
            rows=[("cce", "granted", "inferred", _PETR, "2025-06-01T10:00:00Z")],
        ),
    ),
)
