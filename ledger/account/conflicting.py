"""A trace that came again with other content: both are kept, only the first is believed."""

from __future__ import annotations

from typing import ClassVar

from ledger.account.decision import Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings
from ledger.account.wording import listed
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Digest, Line


class ConflictingTrace(DomainEvent):
    """A known trace came again and says something else. Its facts are not those of the account."""

    TOPIC = "ConflictingTrace.v1"
    STREAM: ClassVar[StreamKind] = "other"

    facts: tuple[Line, ...]
    """The facts as they are stated this time: each one, and its fields as `key=value`."""
    differs: tuple[Line, ...]
    """The fields that are not as in the entries of the first time."""
    digest: Digest
    """The SHA-256 of the facts."""


def _sentence(event: ConflictingTrace, _: str) -> str:
    return (
        f"the trace was delivered again with other content ({listed(event.differs)} differs); "
        f"this time it says: {', '.join(event.facts)}"
    )


DECIDE: Decisions = {}
EVENTS: Meanings = {ConflictingTrace: Meaning(_sentence, ON_RECORD_ONLY)}
