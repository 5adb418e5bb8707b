"""A life: one thing while it has one name, with the lines of what it held and was.

created ── granted ── trust set ── deletion asked for ── deletion failed ── … ── deleted
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from ledger.account.truth.fact import Fact, LineKey
from ledger.account.truth.lines import Line, detached

Key = LineKey | Literal["trust", "expiry", "boundary", "content"]
End = Literal["seen", "not seen", "left"]


class Life:
    """One thing while it has one name: from its creation, or its first proof, until its end."""

    __slots__ = (
        "asked",
        "begun",
        "doubted_at",
        "end",
        "ended",
        "failures",
        "id",
        "lines",
        "seen",
        "tasks",
        "texts",
        "unseen_from",
    )

    def __init__(self, begun: Fact, *, seen: bool, unseen_from: datetime | None = None) -> None:
        self.id = begun.id
        self.begun = begun
        self.seen = seen
        self.unseen_from = unseen_from
        """The end of the life before, after which the creation must have been."""
        self.lines: dict[Key, Line] = {}
        self.asked: Fact | None = None
        """The request of its deletion, while it may still be carried out."""
        self.failures: tuple[tuple[Fact, Fact], ...] = ()
        """The requests of its deletion that failed, each with its failure."""
        self.tasks: frozenset[str] = frozenset()
        """The tasks of all requests of its deletion."""
        self.texts: Mapping[str, str] = {}
        """The digests of its document's versions, as far as they were told."""
        self.ended: Fact | None = None
        self.end: End = "seen"
        self.doubted_at: datetime | None = None

    def fork(self) -> Life:
        copy = Life(self.begun, seen=self.seen, unseen_from=self.unseen_from)
        copy.id, copy.lines, copy.asked = self.id, self.lines.copy(), self.asked
        copy.failures, copy.tasks = self.failures, self.tasks
        copy.doubted_at, copy.texts = self.doubted_at, self.texts
        return copy

    def outcome(self) -> object:
        """A value that is equal for copies in which the same happened."""
        lines = frozenset(
            (key, *((run[:4], run.content, id(run.before)) for run in line))
            for key, line in self.lines.items()
        )
        ended = (self.ended.position, self.end) if self.ended else None
        asked = self.asked, self.failures, self.tasks
        texts = frozenset(self.texts.items())
        return self.id, self.begun.at, self.seen, self.unseen_from, asked, ended, lines, texts

    def detach(self) -> int:
        """Keep the alternatives that explain the deletion. Returns the unseen revocations."""
        cost = 0
        for key, line in self.lines.items():
            self.lines[key], missing = detached(line)
            cost += missing
        return cost
