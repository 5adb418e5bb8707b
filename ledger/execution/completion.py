"""Documents and ids that a known trace has and its entries lack: an older version read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ledger.account.later_reading import DocumentKind, IdsRecorded, PolicyDocumentRecorded
from ledger.account.policy import PolicyCreated
from ledger.documents import FIELDS, digests_of
from ledger.messages import DomainEvent, Recorded

COMPLETED: Final = "#documents"
"""Follows a trace's command id in that of the entries which complete it: they are appended once."""
_IDS: Final = ("agency_id", "policy_id", "project_id")
_NAMED: Final = ("agency", "agency_id", "policy", "policy_id")


def lacking(
    events: Sequence[DomainEvent], entries: Sequence[Recorded]
) -> Iterator[PolicyDocumentRecorded | IdsRecorded]:
    """The documents and ids in `events`, as the trace is read now, that its `entries` lack.

    An event is compared with the entry of its type that has the same place among those.
    """
    stored = [entry.event for entry in entries]
    known = {digest for event in stored for digest in digests_of(event)}
    seen: dict[type[DomainEvent], int] = {}
    for event in events:
        alike = [each for each in stored if type(each) is type(event)]
        place = seen[type(event)] = seen.get(type(event), -1) + 1
        documents = [*_documents(event, known)]
        yield from documents
        if not documents and place < len(alike):
            yield from _ids(event, alike[place])


def _documents(event: DomainEvent, known: set[str]) -> Iterator[PolicyDocumentRecorded]:
    for field in FIELDS:
        digest = getattr(event, field, None)
        if digest and digest not in known:
            yield PolicyDocumentRecorded(
                kind=_kind(field, event),
                document=digest,
                document_bytes=getattr(event, f"{field}_bytes"),
                **_values(event, (*_NAMED, "document_version", "in_force")),
            )


def _kind(field: str, event: DomainEvent) -> DocumentKind:
    if field == "trust_document":
        return "trust"
    if field == "session_document":
        return "session"
    return "inline" if type(event).__name__ == "PermissionGranted" else "policy"


def _ids(event: DomainEvent, stored: DomainEvent) -> Iterator[IdsRecorded]:
    new = [name for name, value in _values(event, _IDS).items() if getattr(stored, name) is None]
    if new:
        named = [each for name in new for each in (_NAME_OF[name], name)]
        of_an_agency = () if isinstance(event, PolicyCreated) else _NAMED[:2]
        yield IdsRecorded(**_values(event, (*of_an_agency, *named)))


_NAME_OF: Final = {"agency_id": "agency", "policy_id": "policy", "project_id": "region"}


def _values(event: DomainEvent, fields: Sequence[str]) -> dict[str, Any]:
    """Those of the fields that the event has, with their values."""
    return {name: value for name in fields if (value := getattr(event, name, None)) is not None}
