"""Delegation requests: a partner asks for rights in an account, and a person there agrees or not.

An accepted request is consent by an explicit call.
"""

from __future__ import annotations

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.account.wording import listed
from ledger.messages import DomainEvent
from ledger.values import Digest, Line, PolicyName, SubjectId


class DelegationRequested(DomainEvent):
    """Another account asked for rights in this one. Nothing is allowed yet."""

    TOPIC = "DelegationRequested.v1"

    request_id: Line | None = None
    requester: Line | None = None
    """The account that asked."""
    policies: tuple[PolicyName, ...] = ()
    """The policies, or templates of policies, that it asked for."""
    document: Digest | None = None
    """The digest of the permissions that it asked for, as the call had them."""
    document_bytes: int | None = None
    """The size of the document's canonical form."""
    session_seconds: int | None = None
    """How long each session under these rights may last."""


class DelegationAccepted(DomainEvent):
    """The account agreed to a request: the requester may act under the rights it asked for."""

    TOPIC = "DelegationAccepted.v1"

    request_id: Line
    address: SubjectId | None = None


class DelegationRejected(DomainEvent):
    """The account rejected a request."""

    TOPIC = "DelegationRejected.v1"

    request_id: Line


def _requested(event: DelegationRequested, who: str) -> str:
    asker = f"the account {event.requester}" if event.requester else who
    under = f" under {listed([repr(each) for each in event.policies])}" if event.policies else ""
    number = f" (request {event.request_id})" if event.request_id else ""
    return f"{asker} asked for rights in this account{under}{number}"


DECIDE: Decisions = {}
EVENTS: Meanings = {
    DelegationRequested: Meaning(_requested, ON_RECORD_ONLY),
    DelegationAccepted: Meaning(
        lambda event, who: f"{who} accepted the delegation request {event.request_id}",
        ON_RECORD_ONLY,
        role="change",
    ),
    DelegationRejected: Meaning(
        lambda event, who: f"{who} rejected the delegation request {event.request_id}",
        ON_RECORD_ONLY,
    ),
}
