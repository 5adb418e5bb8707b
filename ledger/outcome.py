"""What the Ledger answers: what a command did, and what observing did."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from ledger.messages import Recorded


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command did: the entries appended (or, if repeated, those of the first time).

    `checkpoint` is the receipt: the signed note over the log with these entries.
    """

    entries: tuple[Recorded, ...]
    checkpoint: str | None = None
    note: str = ""
    repeated: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Observed:
    """What observing did, in numbers of traces, and of entries appended."""

    new_traces: int = 0
    known_traces: int = 0
    entries: int = 0
    by_type: Counter[str] = field(default_factory=Counter)
