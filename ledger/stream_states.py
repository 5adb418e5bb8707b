"""The states of streams from their stored entries: an account, or the uses of an agency.

Commands read them to decide, and `log verify` reads them to compare snapshots with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from eventsourcing.persistence import StoredEvent

from ledger.account.account import evolve
from ledger.account.facts import fact_of, fact_of_entry
from ledger.account.state import State, account_stream
from ledger.account.uses import Uses, streams_of
from ledger.messages import Recorded

Decode = Callable[[StoredEvent], Recorded]

_ACCOUNTS: Final = account_stream("", "").partition(":")[0]
_USES: Final = streams_of("", "").partition(":")[0]


def empty_state(stream: str) -> State | Uses | None:
    """The state of a stream before its first entry; None if the stream has no state."""
    kind, _, rest = stream.partition(":")
    match kind, *rest.split(":", 2):
        case str(), provider, account if kind == _ACCOUNTS:
            return State(provider, account)
        case str(), provider, account, agency if kind == _USES:
            return Uses(provider, account, agency)
    return None


def replayed(state: State | Uses, entries: Iterable[StoredEvent], decode: Decode) -> None:
    """Apply the next entries of its stream to a state. Raises CorruptEntry, UnknownTopic."""
    for entry in entries:
        if isinstance(state, State):
            evolve(state, decode(entry))
        else:
            read_use(state, entry, decode)


def read_use(uses: Uses, entry: StoredEvent, decode: Decode) -> None:
    """Apply the next entry, without its event: an agency may have been used a million times."""
    version = entry.originator_version
    try:
        fact = fact_of_entry(entry.state, version)
    except (KeyError, TypeError, ValueError):
        fact = fact_of(decode(entry), version)  # Its error says what is not valid.
    uses.learn(version, fact)
