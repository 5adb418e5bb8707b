"""Runs a function over runs of work on all cores of this machine, results in the order of the runs.

The processes are fresh interpreters and not forks, because engines and connections have threads.
They do not import the main module of the program that uses us: it may be a script without a guard.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.context import SpawnContext, SpawnProcess
from threading import Lock, Thread
from typing import Any, Final, TypeVar

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
    return ProcessPoolExecutor(processes, _Context(), _begin)


class _Process(SpawnProcess):
    @staticmethod
    def _Popen(process_obj: Any) -> Any:  # noqa: N802  The name that multiprocessing calls.
        with _without_main():
            return SpawnProcess._Popen(process_obj)


class _Context(SpawnContext):
    Process = _Process


_HIDING: Final = Lock()


@contextmanager
def _without_main() -> Iterator[None]:
    """Hide where the main module comes from, so that a new process does not import it."""
    main = sys.modules["__main__"].__dict__
    with _HIDING:
        hidden: dict[str, Any] = {
            name: main[name] for name in ("__file__", "__spec__") if name in main
        }
        main.pop("__file__", None)
        main["__spec__"] = None
        try:
            yield
        finally:
            main.update(hidden)


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends this process.
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
