"""The report of an import: records counted by name, and the places that cannot be read."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from ledger.sources.files import Broken

NAMES_MAX: Final = 10_000
"""So many different names are counted one by one. A trace chooses its names, so there is no end."""
PLACES_MAX: Final = 1_000
"""So many places are listed; all are counted."""
OTHER_NAMES: Final = "(other names)"
NAME_CHARS_MAX: Final = 128

UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that break a line or that UTF-8 cannot have: control characters, lone surrogates."""


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something in a file that could not be read, and where: `line 3, column 17` or `byte 512`."""

    file: str
    place: str
    message: str

    def __str__(self) -> str:
        return (
            f"{self.file}: {self.place}: {self.message}"
            if self.place
            else (f"{self.file}: {self.message}")
        )


@dataclass(slots=True)
class ImportReport:
    """Numbers of one import. Each record is exactly one of understood, read-only, not understood,
    passed over or malformed. A break is not a record: it is a place at which a file cannot be read.

    Names are `service:Call`, e.g. `iam:CreateRole`; some add a reason: `… (role not named)`.
    """

    files: int = 0
    file: str = ""
    """The name of the file that is being read, or was read last."""
    records: int = 0
    understood: Counter[str] = field(default_factory=Counter)
    read_only: Counter[str] = field(default_factory=Counter)
    """Not translated, because the trace itself says that its call changed nothing."""
    not_understood: Counter[str] = field(default_factory=Counter)
    passed_over: Counter[str] = field(default_factory=Counter)
    """Things that are not traces of this source, and traces of other accounts than the one asked
    for.
    """
    unplaced: Counter[str] = field(default_factory=Counter)
    """Grants and deletions of which the trace does not say enough. They are counted elsewhere, too:
    by what became of their records.
    """
    files_passed_over: Counter[str] = field(default_factory=Counter)
    """Files of folders that were not read, by the ending of their names, such as `*.log.gz`."""
    unmatched: list[str] = field(default_factory=list)
    """The given folders in which there is no trace of this source."""
    of_other_accounts: int = 0
    """How many of those passed over are traces of other accounts."""
    malformed_records: int = 0
    breaks: int = 0
    bytes_not_read: int = 0
    """The bytes of text that were skipped at breaks."""
    files_cut: int = 0
    """The files of which the rest, behind a break, was not read."""
    places: list[Malformed] = field(default_factory=list)
    """The first PLACES_MAX malformed records and breaks."""

    @property
    def unlisted(self) -> int:
        """The number of malformed records and breaks that are not listed in `places`."""
        return self.malformed_records + self.breaks - len(self.places)

    @property
    def complete(self) -> bool:
        """Whether every byte of every file could be read as records."""
        return not (self.malformed_records or self.breaks)

    def accounted(self) -> int:
        """The sum of all counters; it equals `records`."""
        counted = (self.understood, self.read_only, self.not_understood, self.passed_over)
        return sum(counter.total() for counter in counted) + self.malformed_records

    @property
    def traces(self) -> int:
        """The number of records that are this source's traces, whatever their account."""
        return (
            sum(
                counter.total()
                for counter in (self.understood, self.read_only, self.not_understood)
            )
            + self.of_other_accounts
        )

    def count(self, counter: Counter[str], name: str) -> None:
        """Count a record under its name."""
        if name not in counter:
            name = shown(name)
            if len(counter) >= NAMES_MAX and name not in counter:
                name = OTHER_NAMES
        counter[name] += 1

    def malformed(self, file: str, place: str, message: str) -> None:
        """Count a record that cannot be a fact."""
        self.malformed_records += 1
        self._keep(file, place, message)

    def broke(self, file: str, broken: Broken) -> None:
        """Count a place at which a file cannot be read."""
        self.breaks += 1
        self.files_cut += broken.to_end and broken.skipped != 0
        self.bytes_not_read += broken.skipped or 0
        self._keep(file, broken.place, broken.in_full())

    def _keep(self, file: str, place: str, message: str) -> None:
        if len(self.places) < PLACES_MAX:
            self.places.append(Malformed(file, place, shown(message, 500)))


def shown(text: str, chars_max: int = NAME_CHARS_MAX) -> str:
    r"""A text from a trace, made safe to print on one line and to encode as UTF-8.

    >>> shown("a\x1b[31m")
    'a\\x1b[31m'
    """
    text = UNPRINTABLE.sub(lambda found: ascii(found[0])[1:-1], text[: chars_max + 1])
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"
