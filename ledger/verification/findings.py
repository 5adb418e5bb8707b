"""The findings of a verification: the places where a ledger is not as it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ledger.merkle.checkpoint import Checkpoint

FINDINGS_MAX: Final = 100
"""So many are kept; all are counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was written, and where."""

    place: str
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"


@dataclass(slots=True)
class Findings:
    """The findings in one part of a ledger. All fields can be written as JSON."""

    kept: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of place and what is wrong there: the first FINDINGS_MAX."""
    count: int = 0

    def add(self, place: str, what: str) -> None:
        """Count a finding, and keep it unless FINDINGS_MAX are kept already."""
        self.count += 1
        if len(self.kept) < FINDINGS_MAX:
            self.kept.append((place, what))

    def extend(self, others: Findings) -> None:
        """Take in other findings."""
        self.count += others.count
        self.kept += others.kept[: FINDINGS_MAX - len(self.kept)]


@dataclass(frozen=True, slots=True)
class Whole:
    """The whole segments of a ledger, and digests of what the log's root does not cover of them."""

    size: int
    """How many entries they have."""
    columns: str
    """Over the streams, versions and topics of their rows."""
    commands: str
    """Over the command id of each position, as the table of the commands has them."""


@dataclass(frozen=True, slots=True)
class Before:
    """A full check that was made before: the log's size and root then, and its whole segments."""

    size: int
    root: bytes
    whole: Whole


@dataclass(slots=True)
class Verification:
    """The result: how many entries were read, the findings, and the roots that were asked for."""

    size: int = 0
    """How many entries were read."""
    about_log: list[Finding] = field(default_factory=list)
    """Findings about the log as a whole: checkpoints, keys."""
    about_parts: list[Finding] = field(default_factory=list)
    """Findings about positions, tiles, streams: the first FINDINGS_MAX."""
    count: int = 0
    """How many findings there are, those that were not kept included."""
    without_text: int = 0
    """How many documents the events refer to whose texts are not kept: erased, or never kept."""
    names_missing: int = 0
    """How many names are missing in what was called a copy without names."""
    not_replayed: int = 0
    """How many snapshots were passed over: another version of the program wrote them."""
    whole: Whole | None = None
    """The whole segments, if they were asked for."""
    rehashed: int = 0
    """How many of the first entries were only hashed: a check before had found them good."""
    roots: dict[int, bytes] = field(default_factory=dict)
    """The root over the first entries, by how many they are."""

    @property
    def findings(self) -> list[Finding]:
        """All that were kept, those about the whole log first."""
        return self.about_log + self.about_parts

    def add_parts(self, found: Findings) -> None:
        """Take in findings about positions, tiles or streams."""
        self.count += found.count
        room = FINDINGS_MAX - len(self.about_parts)
        self.about_parts += [Finding(*each) for each in found.kept[:room]]

    def add_log(self, place: str, what: str) -> None:
        """Add a finding about the log as a whole."""
        self.count += 1
        self.about_log.append(Finding(place, what))

    def compare(self, place: str, checkpoint: Checkpoint) -> None:
        """Add a finding unless the entries begin with those that the checkpoint covers."""
        if checkpoint.size > self.size:
            self.add_log(
                place,
                f"this checkpoint covers {checkpoint.size} entries, but the ledger has "
                f"{self.size}: entries were deleted, an older copy replaced the ledger, or another "
                "copy of it went on",
            )
        elif self.roots[checkpoint.size] != checkpoint.root:
            self.add_log(
                place,
                f"the first {checkpoint.size} entries do not give the root of this checkpoint: some "
                "were altered, removed, inserted or moved, or another copy of the ledger went on",
            )
