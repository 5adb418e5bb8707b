"""Makes the golden entries anew: the exact bytes of one entry of every event.

    python -m tests.ledger.make_golden

An existing file is left alone, because a stored entry must stay readable for ever: a changed byte
means that old ledgers hold bytes which this program would no longer write. If no release has
written such an entry yet, the files can be remade:

    python -m tests.ledger.make_golden --remake

A new shape of an event that is out in the world gets a new topic (`….v2`) and a new file; the old
one stays.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledger.messages import DomainEvent
from ledger.persistence.entry import encode
from tests.ledger.examples import ADDED, EVENTS, example_entry

GOLDEN = Path(__file__).parent / "golden"


def golden_file(topic: str, *, added: bool = False) -> Path:
    """Where the bytes of a topic's entry lie; the file holds nothing else, no line end either.

    `added`: the entry with the optional fields that a later version added.
    """
    return GOLDEN / f"{topic}{'.added' if added else ''}.json"


def golden_files() -> list[tuple[type[DomainEvent], bool, Path]]:
    """All golden files: the event, whether it has the added fields, and where it lies."""
    first = [(event, False, golden_file(event.TOPIC)) for event in EVENTS]
    more = [
        (event, True, golden_file(event.TOPIC, added=True))
        for event in EVENTS
        if event.__name__ in ADDED
    ]
    return first + more


def main() -> None:
    remake = sys.argv[1:] == ["--remake"]
    for event, added, path in golden_files():
        if remake or not path.exists():
            path.write_bytes(encode(example_entry(event, added=added)))
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
