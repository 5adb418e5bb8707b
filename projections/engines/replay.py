"""Replays an export on another engine, and compares the result with the live views.

No view is replaced; the result is a rebuild certificate. The live views have their history as
intervals of positions, so they can answer for the position at which the export ends, even if they
have gone further.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from ledger.application import system_clock
from ledger.errors import StoreUnavailable, VerificationFailed
from ledger.values import instant_text
from projections.engines import Engine, EngineFailed
from projections.export.events import EventSource
from projections.export.exporter import check_history
from projections.export.manifest import Manifest, damaged_files, read_manifest
from projections.maintenance.digest import Digest
from projections.maintenance.folded_present import digests_of_parts
from projections.maintenance.rebuild import OnProgress, Rebuilt
from projections.maintenance.runner import Certificate, code_version, projections_named
from projections.projection import FoldedProjection, Projection, Stored
from projections.views import Views

AT_ONCE: Final = 2
"""The number of projections that are replayed at the same time; the folded ones count as one."""


def replay(
    source: EventSource,
    views: Views,
    folder: Path,
    engine: Engine,
    *,
    names: Iterable[str] | None = None,
    on_progress: OnProgress = lambda *_: None,
) -> Certificate:
    """The certificate of a replay: digests of the live views before, of the engine after.

    They are equal unless one of the two is wrong. Raises NotFound if there is no such projection or
    no export in the folder; StoreUnavailable if the views have not reached the export's end, or the
    engine fails; VerificationFailed if the export is of another ledger, or its files are not those
    that were exported.
    """
    wanted = projections_named(names)
    manifest = read_manifest(folder)
    check_history(source, folder, manifest)
    reached = views.catch_up()
    if reached < manifest.size:
        raise StoreUnavailable(
            f"The views have reached position {reached}, but the export ends at {manifest.size}. "
            "They cannot be caught up here.",
            remedy="Run `authledger projection catch-up` on the primary, by a role that may.",
        )
    rebuilt = []
    try:
        for projection, after in zip(
            wanted, digests(engine, folder, manifest, wanted), strict=True
        ):
            before = views.digest(projection.name, manifest.size)
            rebuilt.append(Rebuilt.of(projection, manifest.size, before, after))
            on_progress("projections", len(rebuilt), len(wanted))
    except EngineFailed as error:
        _check_files(folder, manifest)
        raise StoreUnavailable(
            str(error),
            remedy="The export's files are as they were written, so the engine is at fault.",
        ) from error
    certificate = Certificate(
        engine=engine.version,
        code_version=code_version(),
        first_position=1,
        last_position=manifest.size,
        rebuilt_at=instant_text(system_clock()),
        projections=tuple(rebuilt),
        swapped=False,
        basis="the export",
    )
    if not certificate.equal:
        _check_files(folder, manifest)
    return certificate


def digests(
    engine: Engine, folder: Path, manifest: Manifest, projections: Iterable[Stored]
) -> Iterator[Digest]:
    """The digests of each projection, in order. The folded ones come from one fold of all accounts,
    while the engine computes others. Raises EngineFailed.
    """
    wanted = list(projections)
    folded = [each for each in wanted if isinstance(each, FoldedProjection)]
    engine.read(folder, manifest)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        fold = threads.submit(_fold, engine, folded)
        others = threads.map(
            engine.digest, (each for each in wanted if isinstance(each, Projection))
        )
        for projection in wanted:
            yield fold.result()[projection.name] if projection in folded else next(others)


def _fold(engine: Engine, folded: Sequence[FoldedProjection]) -> dict[str, Digest]:
    if not folded:
        return {}
    return digests_of_parts(folded, engine.fold([projection.name for projection in folded]))


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Raises VerificationFailed if files are not as they were written.

    It reads all their bytes, so it is called only after a failure or a difference.
    """
    damaged = damaged_files(folder, manifest)
    if damaged:
        more = f" (and {len(damaged) - 1} more)" if len(damaged) > 1 else ""
        raise VerificationFailed(
            f"{folder / damaged[0]}{more} is missing, or has other bytes than it was exported with.",
            remedy="Export again into a new folder.",
        )
