"""JSON Lines: one event a line, as its stored entry with the position in front.

    {"position":17,"account":"0a1b2c3d4e5f","actor":"p-…","agency":"asm_admin_trust",…}

The entry's bytes are unchanged behind the position: `{` and the text after the first comma are the
canonical JSON (RFC 8785) whose SHA-256, behind one byte 0x00, is the leaf of the Merkle log.
https://jsonlines.org
"""

from __future__ import annotations

from typing import Final

from projections.export.events import COLUMNS, Row
from projections.export.format import TextFormat

_POSITION: Final = COLUMNS.index("position")
_ENTRY: Final = COLUMNS.index("entry")


def line(row: Row) -> str:
    """One event."""
    return f'{{"position":{row[_POSITION]},{row[_ENTRY][1:]}\n'


FORMAT: Final = TextFormat(
    name="jsonl",
    title="JSON Lines: one event a line, its entry with the position in front",
    encode=line,
)
