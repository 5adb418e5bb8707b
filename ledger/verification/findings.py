"""What is not as it was written, and where: so many are kept, all are counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

FINDINGS_MAX: Final = 100


@dataclass(slots=True)
class Findings:
    """Of one part of a verification. All of it can be written as JSON."""

    kept: list[tuple[str, str]] = field(default_factory=list)
    """Place and what is wrong there: the first FINDINGS_MAX."""
    count: int = 0

    def add(self, place: str, what: str) -> None:
        """Something is wrong in a place."""
        self.count += 1
        if len(self.kept) < FINDINGS_MAX:
            self.kept.append((place, what))
