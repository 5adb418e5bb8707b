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


def golden_file(topic: str, steps: int = 0) -> Path:
    """Where the bytes of a topic's entry lie; the file holds nothing else, no line end either.

    `steps`: the entry with the optional fields that so many later versions added.
    """
    step = ("", ".added", f".added-{steps}")[min(steps, 2)]
    return GOLDEN / f"{topic}{step}.json"


def golden_files() -> list[tuple[type[DomainEvent], int, Path]]:
    """All golden files: the event, the steps of added fields that it has, and where it lies."""
    first = [(event, 0, golden_file(event.TOPIC)) for event in EVENTS]
    more = [
        (event, steps, golden_file(event.TOPIC, steps))
        for steps, added in enumerate(ADDED, 1)
        for event in EVENTS
        if event.__name__ in added
    ]
    return first + more


def main() -> None:
    remake = sys.argv[1:] == ["--remake"]
    for event, steps, path in golden_files():
        if remake or not path.exists():
            path.write_bytes(encode(example_entry(event, steps=steps)))
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
