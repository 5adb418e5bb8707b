"""Small histories whose facts arrive in every order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionRequested,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.boundary import BoundarySet
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.project import ProjectCreated, ProjectDeleted
from ledger.messages import DomainEvent
from tests.projections.worlds import BEGINNING


class Told(NamedTuple):
    """An event at a minute after the beginning, and by whom."""

    minute: int
    event: DomainEvent
    actor: str = "carol"


def granted(**given: Any) -> PermissionGranted:
    return PermissionGranted(**{"region": "r-1", "policy": "p"} | given)


def revoked(**given: Any) -> PermissionRevoked:
    return PermissionRevoked(**{"region": "r-1", "policy": "p"} | given)


OLD, NEW = "0" * 64, "1" * 64
"""The digests of two documents."""


def put(document: str) -> PermissionGranted:
    return PermissionGranted(
        agency="a", region="*", policy="inner", policy_kind="inline", document=document
    )


HISTORIES = {
    "created again within one second": (
        Told(0, AgencyCreated(agency="a", agency_id="OLD", trustee="service:s")),
        Told(1, granted(agency="a")),
        Told(5, AgencyDeleted(agency="a")),
        Told(5, AgencyCreated(agency="a", agency_id="NEW", trustee="service:t")),
        Told(5, granted(agency="a"), "bob"),
    ),
    "an open second that a later fact settles": (
        Told(0, AgencyCreated(agency="a")),
        Told(1, granted(agency="a")),
        Told(5, granted(agency="a"), "bob"),
        Told(5, revoked(agency="a"), "alice"),
        Told(9, AgencyDeleted(agency="a")),
    ),
    "ids first, the name later": (
        Told(1, granted(agency_id="A1", policy=None, policy_id="P1")),
        Told(3, revoked(agency="a"), "bob"),
        Told(0, AgencyCreated(agency="a", agency_id="A1")),
        Told(0, PolicyCreated(policy="p", policy_id="P1")),
        Told(2, AgencyTrustChanged(agency_id="A1", trustee="account:1")),
    ),
    "a policy that was renamed and deleted by its id": (
        Told(0, PolicyCreated(policy="p", policy_id="P1")),
        Told(0, AgencyCreated(agency="a", agency_id="A1")),
        Told(1, granted(agency_id="A1")),
        Told(2, PolicyChanged(policy="q", policy_id="P1")),
        Told(3, PolicyDeleted(policy_id="P1"), "bob"),
    ),
    "a policy whose document changed, was not told, and was set back": (
        Told(0, PolicyCreated(policy="p", document=OLD, document_version="v1", in_force=True)),
        Told(2, PolicyChanged(policy="p", document=NEW, document_version="v2", in_force=False)),
        Told(3, PolicyChanged(policy="p", document_version="v2", in_force=True), "bob"),
        Told(5, PolicyChanged(policy="p")),
        Told(7, PolicyChanged(policy="p", document_version="v1", in_force=True), "bob"),
    ),
    "an inline policy that was put again, and a trust and a boundary that changed": (
        Told(0, AgencyCreated(agency="a", trustee="account:1", trust_document=OLD)),
        Told(1, put(OLD)),
        Told(2, put(NEW), "bob"),
        Told(2, AgencyTrustChanged(agency="a", trustee="account:1", trust_document=NEW), "bob"),
        Told(3, BoundarySet(agency="a", policy="limit")),
    ),
    "a creation that was lost": (
        Told(0, AgencyCreated(agency="a")),
        Told(1, granted(agency="a")),
        Told(3, AgencyDeleted(agency="a")),
        Told(6, granted(agency="a"), "bob"),
        Told(8, AgencyDeletionRequested(agency="a")),
    ),
    "an expiry, and a project that ends": (
        Told(0, AgencyCreated(agency="a", duration="ONEDAY", expires_at=None)),
        Told(1, granted(agency="a", project_id="R1")),
        Told(2, AgencyExpiryChanged(agency="a", expires_at=BEGINNING + timedelta(minutes=4))),
        Told(3, ProjectDeleted(project_id="R1")),
        Told(0, ProjectCreated(region="r-1", project_id="R1")),
    ),
}
