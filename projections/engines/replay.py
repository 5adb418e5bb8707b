"""Replays an export by another engine, and holds its answers against the live views.

Nothing is swapped: what comes out is a rebuild certificate. The live views keep their history as
intervals, so they can be asked for the position at which the export ends, wherever they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from projections.maintenance.rebuild import OnProgress, Rebuilt
from projections.maintenance.runner import Certificate, code_version, projections_named
from projections.projection import Projection
from projections.views import Views

AT_ONCE: Final = 2
"""How many projections are replayed at once."""


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

    They are equal unless one of the two is wrong. Raises NotFound for a name that is no projection
    or a folder that is no export; StoreUnavailable if the views have not come to its end, or the
    engine fails; VerificationFailed if the export is not of this ledger, or its files are not those
    that were exported.
    """
    wanted = projections_named(names)
    manifest = read_manifest(folder)
    check_history(source, folder, manifest)
    reached = views.catch_up()
    if reached < manifest.size:
        raise StoreUnavailable(
            f"The views stand at position {reached}, and the export ends at {manifest.size}.",
            remedy="They cannot be caught up here; `authledger projection catch-up` does, on the "
            "primary, by a role that may.",
        )
    rebuilt = []
    try:
        for projection, (rows, after) in zip(
            wanted, digests(engine, folder, manifest, wanted), strict=True
        ):
            _, before = views.digest(projection.name, manifest.size)
            rebuilt.append(Rebuilt(projection.name, manifest.size, rows, before, after))
            on_progress("projections", len(rebuilt), len(wanted))
    except EngineFailed as error:
        _check_files(folder, manifest)
        raise StoreUnavailable(
            str(error), remedy="The export's files are as they were written; it is the engine."
        ) from error
    certificate = Certificate(
        engine=engine.version,
        code_version=code_version(),
        first_position=1,
        last_position=manifest.size,
        rebuilt_at=instant_text(system_clock()),
        projections=tuple(rebuilt),
        swapped=False,
    )
    if not certificate.equal:
        _check_files(folder, manifest)
    return certificate


def digests(
    engine: Engine, folder: Path, manifest: Manifest, projections: Iterable[Projection]
) -> Iterator[tuple[int, str]]:
    """Rows and digest of each projection's present, in order; an engine computes one while
    another's rows are digested here. Raises EngineFailed.
    """
    engine.read(folder, manifest)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(engine.digest, projections)


def _check_files(folder: Path, manifest: Manifest) -> None:
    """Raises VerificationFailed if files are not as they were written.

    Their bytes are read only once something else says that they may be wrong.
    """
    damaged = damaged_files(folder, manifest)
    if damaged:
        more = f" and {len(damaged) - 1} more" if len(damaged) > 1 else ""
        raise VerificationFailed(
            f"{folder / damaged[0]}{more} is not the file that was exported.",
            remedy="Export again into a new folder.",
        )
