"""The digest of a trace's facts, which is stored with its command id.

By it a copy of a known trace is recognised without reading its entries. It follows from them, so
that `log verify --digests` can compute it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from ledger.messages import DomainEvent, Recorded
from ledger.subjects import SubjectRegistered
from ledger.values import instant_text

READING: Final = "1"
"""Which way of reading traces a digest is of. A version that reads the same trace as other facts
raises it: then digests of before are not compared.
"""


def digest_of_facts(
    provider: str | None,
    account: str | None,
    at: datetime,
    actor: str | None,
    events: Iterable[DomainEvent],
) -> str:
    """SHA-256 over facts, hex. Names are in it by surrogate ids, or by nothing."""
    stated = f"{provider}\n{account}\n{instant_text(at)}\n{actor or ''}"
    for event in events:
        stated += f"\n{event.TOPIC} {event.model_dump_json(exclude_none=True)}"
    return hashlib.sha256(stated.encode(errors="surrogatepass")).hexdigest()


def digest_of_entries(entries: Sequence[Recorded]) -> str | None:
    """The digest of a trace with these entries; None if they have no facts."""
    facts = [each for each in entries if not isinstance(each.event, SubjectRegistered)]
    if not facts:
        return None
    one, events = facts[0], [each.event for each in facts]
    digest = digest_of_facts(one.provider, one.account, one.effective_at, one.actor, events)
    return f"{READING}:{digest}"


def is_comparable(digest: str | None) -> bool:
    """Whether a stored digest is one of this way of reading traces."""
    return digest is not None and digest.startswith(f"{READING}:")
