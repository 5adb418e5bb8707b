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

from ledger.persistence.entry import encode
from tests.ledger.examples import EVENTS, example_entry

GOLDEN = Path(__file__).parent / "golden"


def golden_file(topic: str) -> Path:
    """Where the bytes of a topic's entry lie; the file holds nothing else, no line end either."""
    return GOLDEN / f"{topic}.json"


def main() -> None:
    remake = sys.argv[1:] == ["--remake"]
    for event in EVENTS:
        path = golden_file(event.TOPIC)
        if remake or not path.exists():
            path.write_bytes(encode(example_entry(event)))
            sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
