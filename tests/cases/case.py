"""A case: a history, and step by step what must come out of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

Record = Mapping[str, Any]
Values = tuple[object, ...]

SHARED: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
"""The histories that are not ours, in a folder beside the checkout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of an answer, as far as these columns go, in any order.

    `command` is a command that prints rows. `{a.json}` in it is the ledger's last position after
    that file, `{folder}` the folder of the case. `only` are the rows that count, as `column=value`
    or `column!=value`.
    """

    says: str
    command: str
    columns: str
    rows: Sequence[Values] = ()
    only: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Words that the output of a command has, and words that it has not."""

    says: str
    command: str
    has: Sequence[str] = ()
    never: Sequence[str] = ()
    code: int = 0


@dataclass(frozen=True, slots=True)
class Import:
    """Import one of the case's files."""

    file: str


@dataclass(frozen=True, slots=True)
class Do:
    """Run a command that must succeed."""

    command: str


Step = Rows | Text | Import | Do


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A history in files, and the steps of a fresh ledger with it.

    If the steps import no file, all files are imported before them. `records` has the records of
    each file; without it, they are in `folder`.
    """

    name: str
    kind: str
    """The kind of history that it stands for, in our own words."""
    source: str
    steps: Sequence[Step]
    provider: str | None = None
    """The cloud, if it is a partner's edition."""
    import_codes: Sequence[int] = (0,)
    """The exit codes that an import may have: 9 if records are rightly refused."""
    records: Mapping[str, Sequence[Record]] = field(default_factory=dict)
    imports_as_it_is: bool = False
    """Whether the steps import the folder's files as they are: they stand for shapes of files."""

    @property
    def number(self) -> str:
        return self.name.partition("-")[0]

    @property
    def is_own(self) -> bool:
        return bool(self.records)

    def files(self) -> dict[str, list[Record]]:
        """The records of each file, in the files' order; none if they are taken as they are."""
        if self.imports_as_it_is:
            return {}
        if self.records:
            return {name: list(records) for name, records in self.records.items()}
        paths = sorted((SHARED / self.name).glob("*.json"))
        return {path.name: _records(json.loads(path.read_text())) for path in paths}

    def folder(self) -> Path:
        """Where the files of a case lie that is not ours."""
        return SHARED / self.name

    def imports_itself(self) -> bool:
        return any(isinstance(step, Import) for step in self.steps)


ENVELOPES: Final = {"cloudtrail": "Records", "cts": "traces"}


def _records(document: Any) -> list[Record]:
    return next(document[key] for key in ENVELOPES.values() if key in document)
