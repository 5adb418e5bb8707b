"""Imports trace files of one kind, and counts what became of their records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ledger.application import Ledger, Observed
from ledger.errors import InvalidInput, NotFound
from ledger.importing.reading import reading
from ledger.near_words import did_you_mean
from ledger.sources import SOURCES, ImportReport, Source


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import."""

    observed: Observed
    """Numbers of traces that were new and known, and of entries appended, also by event."""
    report: ImportReport
    """Numbers of files and records, by what became of them; the places that cannot be read."""

    @property
    def complete(self) -> bool:
        """Whether every byte of every file could be read as records."""
        return self.report.complete


@dataclass(frozen=True, slots=True)
class TraceFiles:
    """Files of one kind of traces, which exist."""

    source: Source[Any]
    paths: tuple[Path, ...]
    account: str | None = None
    """The only account whose facts are appended."""

    def append_to(
        self, ledger: Ledger, now: datetime, *, complete: bool, jobs: int | None
    ) -> Imported:
        report = ImportReport()
        with reading(
            self.source, self.paths, report, now=now, only_account=self.account, jobs=jobs
        ) as traces:
            observed = ledger.observe(traces, complete=complete)
        return Imported(observed, report)


def traces_of(
    source: str,
    paths: Path | str | Iterable[Path | str],
    provider: str | None,
    account: str | None = None,
) -> TraceFiles:
    """The files to import. Raises InvalidInput, NotFound."""
    if source not in SOURCES:
        raise InvalidInput(
            f"{source!r} is not a kind of traces that can be imported. Nothing was read.",
            remedy=did_you_mean(source, SOURCES),
        )
    found = tuple(map(Path, [paths] if isinstance(paths, Path | str) else paths))
    for path in found:
        if not path.exists():
            raise NotFound(f"There is no file or folder {path}. Nothing was read.")
    return TraceFiles(_asked(SOURCES[source], provider, account), found, account)


def _asked(source: Source[Any], provider: str | None, account: str | None) -> Source[Any]:
    """The source, as an edition of the cloud and of an account. Raises InvalidInput."""
    try:
        of = source if account is None else source.of_account(account)
    except ValidationError as error:
        raise InvalidInput(
            f"{account!r} is not a valid account.",
            remedy="Use the account's id, e.g. 123456789012.",
        ) from error
    try:
        return of if provider is None else of.edition(provider)
    except ValidationError as error:
        raise InvalidInput(
            f"{provider!r} is not a valid provider.",
            remedy="Use lower-case letters, digits and - only, e.g. huaweicloud.",
        ) from error
