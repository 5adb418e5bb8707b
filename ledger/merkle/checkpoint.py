"""The checkpoint's text (c2sp.org/tlog-checkpoint): the log's name, its size and root.

example.com/ledger⏎                                  origin
20852163⏎                                            size, decimal
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=⏎        root, base64
…⏎                                                   extension lines, not empty; never written here
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import base64_bytes, base64_text
from ledger.merkle.tree import EMPTY_ROOT, HASH_BYTES, Frontier

SIZE_MAX: Final = 2**63 - 1

_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state: its root determines each of its first `size` leaves."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raises NoteInvalid if no log can have this state or this name."""
        lines = (self.origin, *self.extensions)
        if not all(lines) or any(_CONTROL.search(line) for line in lines):
            raise NoteInvalid("A line of the checkpoint is empty or has a control character.")
        if not 0 <= self.size <= SIZE_MAX:
            raise NoteInvalid(
                f"{self.size} is not a valid size of a log: it is negative or too large."
            )
        if len(self.root) != HASH_BYTES:
            raise NoteInvalid(f"The root has {len(self.root)} bytes, not {HASH_BYTES}.")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise NoteInvalid(
                "The checkpoint of an empty log does not have the root of the empty tree."
            )

    def is_of(self, log: Frontier) -> bool:
        """Whether the log has this size and this root."""
        return self.size == log.size and self.root == log.root()

    def text(self) -> str:
        """The text that is signed, with its final line end."""
        lines = (self.origin, str(self.size), base64_text(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """The inverse of `Checkpoint.text`. Raises NoteInvalid."""
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1]:
        raise NoteInvalid("A checkpoint has at least three lines, each with a line end.")
    origin, size, root, *extensions = lines[:-1]
    return Checkpoint(
        origin,
        decimal(size, "The size of the checkpoint"),
        base64_bytes(root, "The root of the checkpoint"),
        tuple(extensions),
    )


def decimal(text: str, about: str) -> int:
    """Parse a number in ASCII digits without leading zeros, below 2^63. Raises NoteInvalid."""
    if not _DECIMAL.fullmatch(text) or int(text) > SIZE_MAX:
        raise NoteInvalid(f"{about} is not a decimal number: {text[:100]!r}.")
    return int(text)
