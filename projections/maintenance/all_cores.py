"""Runs a function over runs of work on all cores of this machine, results in the order of the runs.

The processes are fresh interpreters and not forks, because engines and connections have threads.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from threading import Thread
from typing import Final, TypeVar

Run = TypeVar("Run")
Done = TypeVar("Done")

WAITING: Final = 2
"""How many runs there are for each process, the one that it works on included."""


def on_all_cores(
    work: Callable[[Run], Done], runs: Iterable[Run], processes: int
) -> Iterator[Done]:
    """The results of `work`, a function of a module, in the order of the runs.

    Raises BrokenProcessPool if a process ends before its work is done.
    """
    pool = begun(processes)
    pending: deque[Future[Done]] = deque()
    try:
        for run in runs:
            pending.append(pool.submit(work, run))
            if len(pending) >= processes * WAITING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def begun(processes: int) -> ProcessPoolExecutor:
    """So many processes, which end with this one."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends this process.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
