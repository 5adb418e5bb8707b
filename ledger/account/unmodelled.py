"""Calls that may change rights and of which this program has no model: kept, so none is lost."""

from __future__ import annotations

from typing import ClassVar, Literal

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.account.wording import listed
from ledger.messages import DomainEvent, StreamKind
from ledger.values import AgencyName, Digest, Line, PolicyName, Region


class NotModelled(DomainEvent):
    """A call on rights that changed something, or was refused; what it changed is not modelled."""

    TOPIC = "NotModelled.v1"
    STREAM: ClassVar[StreamKind] = "other"

    call: Line
    """The call as reports name it, e.g. `organizations:AttachPolicy`."""
    region: Region | None = None
    agency: AgencyName | None = None
    agency_id: Line | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None
    named: tuple[Line, ...] = ()
    """Other things that the call named, each as `key=value`."""
    detail: Line | None = None
    """Why it is not the fact that such calls usually are, e.g. `role not named`."""
    document: Digest | None = None
    """The digest of the policy that the call had; None if it had none."""
    document_bytes: int | None = None
    """The size of the document's canonical form."""
    outcome: Literal["carried-out", "refused"] = "carried-out"
    why: Line | None = None


def _sentence(event: NotModelled, who: str) -> str:
    things = [
        *filter(None, (event.agency or event.agency_id, event.policy or event.policy_id)),
        *event.named,
    ]
    on = f" on {listed(things)}" if things else ""
    if event.outcome == "refused":
        return f"{who} called {event.call}{on}: refused{': ' + event.why if event.why else ''}"
    return f"{who} called {event.call}{on}{f' ({event.detail})' if event.detail else ''}"


DECIDE: Decisions = {}
EVENTS: Meanings = {NotModelled: Meaning(_sentence, ON_RECORD_ONLY)}
