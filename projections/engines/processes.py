"""Folds facts on all cores of this machine: one process for each.

The facts go to the processes in runs of whole accounts, and their lines come back in the order of
the accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeAlias

from ledger.processes import processors
from projections.engines import EngineFailed
from projections.engines.folding import fold
from projections.maintenance.all_cores import on_all_cores
from projections.maintenance.folded_present import Part

if TYPE_CHECKING:
    import pyarrow as pa

    Run: TypeAlias = list[pa.RecordBatch]

BATCH: Final = 10_000
"""How many facts an engine's batch has; a run has about as many."""
ALONE_MAX: Final = 10
"""So many runs are folded in this process, because others take as long to start."""


def fold_on_all_cores(
    names: Sequence[str], batches: Iterable[pa.RecordBatch], processes: int | None = None
) -> Iterator[Part]:
    """As `fold` does, in so many processes; None: as many as there are cores.

    Few facts, and those of a single account, are folded in this process. Raises EngineFailed.
    """
    processes = processes or processors()
    runs = whole_accounts(batches)
    first = list(islice(runs, ALONE_MAX + 1))
    if processes == 1 or len(first) <= ALONE_MAX:
        return fold(names, chain.from_iterable(chain(first, runs)))
    return _fold_elsewhere(names, chain(first, runs), processes)


def whole_accounts(batches: Iterable[pa.RecordBatch]) -> Iterator[Run]:
    """Runs of batches, cut where an account begins: no account is in two runs."""
    run: Run = []
    for batch in filter(len, batches):
        begin = _last_begins(batch)
        if begin:
            yield [*run, batch.slice(0, begin)]
            run = []
        run.append(batch.slice(begin))
    if run:
        yield run


def _last_begins(batch: pa.RecordBatch) -> int:
    """The index of the first row of the batch's last account."""
    places = list(zip(batch.column(0).to_pylist(), batch.column(1).to_pylist(), strict=True))
    return places.index(places[-1])


def _fold_elsewhere(names: Sequence[str], runs: Iterable[Run], processes: int) -> Iterator[Part]:
    try:
        for parts in on_all_cores(partial(_fold_run, names), runs, processes):
            yield from parts
    except BrokenProcessPool as error:
        raise EngineFailed(f"A process that folded facts ended: {error}") from error


def _fold_run(names: Sequence[str], run: Run) -> list[Part]:
    return list(fold(names, run))
