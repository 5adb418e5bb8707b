"""An example of an entry and its bytes: written, stored in a row, or with other values."""

from __future__ import annotations

import json

from eventsourcing.persistence import StoredEvent
from hypothesis import assume

from ledger.account.agency import AgencyCreated
from ledger.errors import InvalidInput
from ledger.messages import Recorded
from ledger.persistence.entry import encode
from tests.ledger.examples import example_entry

ENTRY = example_entry(AgencyCreated)
PLACE = f"{ENTRY.stream} version {ENTRY.version}"


def written(entry: Recorded) -> bytes:
    """The entry's bytes; the example is skipped if it is too long to be stored."""
    try:
        return encode(entry)
    except InvalidInput:
        assume(False)
        raise


def stored(state: bytes, entry: Recorded = ENTRY, topic: str | None = None) -> StoredEvent:
    return StoredEvent(
        originator_id=entry.stream,
        originator_version=entry.version,
        topic=topic or entry.event.TOPIC,
        state=state,
    )


def rewritten(**changes: object) -> bytes:
    """The example's bytes with other values; None leaves a key out."""
    fields = {**json.loads(encode(ENTRY)), **changes}
    kept = {name: value for name, value in fields.items() if value is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
