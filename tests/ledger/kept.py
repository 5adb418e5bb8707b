"""Traces that bring policy documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ledger.account.agency import AgencyCreated
from ledger.account.policy import PolicyChanged, PolicyCreated
from ledger.documents import Document, document_of
from ledger.messages import DomainEvent, Observation
from tests.ledger.scenario import NOON
from tests.ledger.worlds import seen

READ = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:servers:get"]}]}
WRITE = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:*"]}]}
TRUST = {"Statement": [{"Principal": {"AWS": "arn:aws:iam::123456789012:user/zoe.of.nowhere"}}]}
AT = NOON


def document(value: object) -> Document:
    found = document_of(value)
    assert found is not None
    return found


def policy_seen(trace: str, value: object, policy: str = "readers", **more: Any) -> Observation:
    """A trace in which a policy gets a document."""
    given = document(value)
    event = PolicyCreated(
        policy=policy, policy_id=f"id of {policy}", document=given.digest, document_bytes=given.size
    )
    return seen(trace, event, at=AT, documents=(given,), **more)


def change_seen(trace: str, value: object, version: str | None = "v2") -> Observation:
    given = document(value)
    event = PolicyChanged(
        policy="readers",
        document=given.digest,
        document_bytes=given.size,
        document_version=version,
    )
    return seen(trace, event, at=AT, documents=(given,))


def trust_seen(trace: str, value: object) -> Observation:
    """A trace in which an agency gets a trust policy."""
    given = document(value)
    event = AgencyCreated(
        agency="helpers",
        agency_id="a1",
        trust_document=given.digest,
        trust_document_bytes=given.size,
    )
    return seen(trace, event, at=AT, documents=(given,))


def at_hour(hour: int, event: DomainEvent, given: Document | None = None) -> Observation:
    """A trace of its own, so many hours after the first; its event has the document, if any."""
    at = AT + timedelta(hours=hour)
    if given is None:
        return seen(f"trace {hour}", event, at=at)
    field = "document" if "document" in type(event).model_fields else "trust_document"
    stated = {field: given.digest, f"{field}_bytes": given.size}
    return seen(f"trace {hour}", event.model_copy(update=stated), at=at, documents=(given,))


def as_before(given: Observation) -> Observation:
    """The same trace as the last version read it: neither documents nor their digests."""
    from dataclasses import replace

    without = {
        name: None
        for event in given.events
        for name in type(event).model_fields
        if "document" in name or name.endswith("_id")
    }
    events = tuple(
        event.model_copy(update={k: v for k, v in without.items() if k in type(event).model_fields})
        for event in given.events
    )
    return replace(given, events=events, documents=())
