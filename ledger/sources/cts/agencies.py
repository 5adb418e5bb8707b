"""CTS traces of IAM's agencies, version 3 and 5 → facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from ledger.account.agency import (
    AgencyCreated,
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyDeletionFailed,
    AgencyDeletionRequested,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.permissions import PermissionChangeRefused, PermissionsChanged
from ledger.messages import DomainEvent
from ledger.sources.cts.documents import TRUST_POLICIES, keep
from ledger.sources.cts.expiry import expiry_of, sets_expiry
from ledger.sources.cts.named import agency_of
from ledger.sources.cts.trace import CtsTrace, Handles, text_in
from ledger.sources.cts.trust import sets_trust, trust_of
from ledger.sources.cts.witness import witness_deleted

Facts = tuple[DomainEvent, ...]

NO_AGENCY: Final = "agency not named"
NAME_NOT_TOLD: Final = "the trace does not tell its name"
DETAIL_KEYS_MAX: Final = 12


def _create(trace: CtsTrace) -> Facts | str:
    agency = agency_of(trace)
    if not agency.known:
        return NO_AGENCY
    if not trace.succeeded:
        return _creation_refused(trace, agency)
    if agency.name is None:
        return (_changed(agency, f"{trace.name}: {NAME_NOT_TOLD}"),)
    trust, expiry = trust_of(trace), expiry_of(trace)
    document = keep(trace, *TRUST_POLICIES)
    created = AgencyCreated(
        agency=agency.name,
        agency_id=agency.id,
        account_name=trace.account_name,
        trustee=trust.trustee,
        trusted_account_id=trust.account_id,
        trusted_account_name=trust.account_name,
        duration=expiry.duration if expiry else None,
        expires_at=expiry.expires_at if expiry else None,
        trust_document=document.digest,
        trust_document_bytes=document.size,
    )
    return (created,)


def _creation_refused(trace: CtsTrace, agency: Handles) -> Facts:
    if agency.name is None:
        return _refused(trace, agency)
    return (AgencyCreationRefused(agency=agency.name, why=trace.why()),)


def _refused(trace: CtsTrace, agency: Handles) -> Facts:
    refused = PermissionChangeRefused(agency=agency.name, agency_id=agency.id, why=trace.why())
    return (refused,)


def _changed(agency: Handles, detail: str) -> PermissionsChanged:
    return PermissionsChanged(agency=agency.name, agency_id=agency.id, detail=detail)


def _update(trace: CtsTrace) -> Facts | str:
    """The new trustee and the new end, if the request tells them; else that something changed."""
    agency = agency_of(trace)
    if not agency.known:
        return NO_AGENCY
    if not trace.succeeded:
        return _refused(trace, agency)
    return tuple(_updates(trace, agency)) or (_changed(agency, _detail(trace)),)


def _updates(trace: CtsTrace, agency: Handles) -> Iterator[DomainEvent]:
    if sets_trust(trace):
        yield _trust_changed(trace, agency)
    expiry = expiry_of(trace) if sets_expiry(trace) else None
    if expiry is not None:
        yield AgencyExpiryChanged(
            agency=agency.name,
            agency_id=agency.id,
            duration=expiry.duration,
            expires_at=expiry.expires_at,
        )


def _trust_changed(trace: CtsTrace, agency: Handles) -> AgencyTrustChanged:
    trust, document = trust_of(trace), keep(trace, *TRUST_POLICIES)
    return AgencyTrustChanged(
        agency=agency.name,
        agency_id=agency.id,
        trustee=trust.trustee,
        trusted_account_id=trust.account_id,
        trusted_account_name=trust.account_name,
        trust_document=document.digest,
        trust_document_bytes=document.size,
    )


def _update_trust(trace: CtsTrace) -> Facts | str:
    """The trust changed in any case, if the new trustee cannot be read then to somebody unknown."""
    agency = agency_of(trace)
    if not agency.known:
        return NO_AGENCY
    if not trace.succeeded:
        return _refused(trace, agency)
    return (_trust_changed(trace, agency),)


def _detail(trace: CtsTrace) -> str:
    """The trace's name and the names of the request's fields, without their values."""
    body = trace.request.get("agency", trace.request)
    keys = sorted(key for key in body if key.isidentifier()) if isinstance(body, dict) else []
    return f"{trace.name}: {', '.join(keys[:DETAIL_KEYS_MAX])}" if keys else trace.name


def _delete(trace: CtsTrace) -> Facts | str:
    agency = agency_of(trace)
    if not agency.known:
        return NO_AGENCY
    if not trace.succeeded:
        return (_deletion_refused(agency, trace.why()), *witness_deleted(trace, agency))
    deleted = AgencyDeleted(agency=agency.name, agency_id=agency.id, task=_task(trace))
    return (deleted, *witness_deleted(trace, agency))


def _deletion_refused(agency: Handles, why: str) -> AgencyDeletionAttempted:
    return AgencyDeletionAttempted(
        agency=agency.name, agency_id=agency.id, outcome="refused", why=why
    )


def _delete_linked(trace: CtsTrace) -> Facts | str:
    """The cloud accepts the deletion, and a task carries it out. If the task fails, a second trace
    of the same name is a failure; if that trace tells the task's success, the agency is gone.
    """
    facts = _delete(trace)
    agency = agency_of(trace)
    status = (text_in((trace.response,), "status") or "").lower()
    if isinstance(facts, str) or status == "succeeded":
        return facts
    if status == "failed":
        return (_deletion_refused(agency, trace.why()), _deletion_failed(agency, trace))
    if not trace.succeeded:
        # A caller without rights says nothing of a task that another one began.
        denied = str(trace.record.get("code")) in _DENIED
        return facts if denied else (*facts, _deletion_failed(agency, trace))
    task = _task(trace)
    detail = f"{trace.name}: task {task}" if task else trace.name
    asked = AgencyDeletionRequested(
        agency=agency.name, agency_id=agency.id, detail=detail, task=task
    )
    return (asked,)


def _task(trace: CtsTrace) -> str | None:
    """The id of the task that carries out a deletion."""
    return text_in((trace.response,), "deletion_task_id")


def _deletion_failed(agency: Handles, trace: CtsTrace) -> AgencyDeletionFailed:
    return AgencyDeletionFailed(
        agency=agency.name, agency_id=agency.id, why=trace.why(), task=_task(trace)
    )


_DENIED: Final = ("401", "403", "404")
TRANSLATORS: Final[dict[str, Callable[[CtsTrace], Facts | str]]] = {
    "createAgency": _create,
    "updateAgency": _update,
    "deleteAgency": _delete,
    "createAgencyV5": _create,
    "updateAgencyV5": _update,
    "updateTrustPolicyV5": _update_trust,
    "deleteAgencyV5": _delete,
    "createServiceLinkedAgencyV5": _create,
    "deleteServiceLinkedAgencyV5": _delete_linked,
}
