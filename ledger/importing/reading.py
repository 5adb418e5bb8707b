"""Reads trace files while their facts are appended: in this process, or in one beside it."""

from __future__ import annotations

import fcntl
import os
import pickle
import signal
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any, Final

from ledger.errors import InvalidInput, StoreUnavailable
from ledger.importing.handover import Asked, End, Fault, Part, Unpacker
from ledger.importing.reader import LENGTH_BYTES
from ledger.messages import Observation
from ledger.processes import begun, processors
from ledger.sources import ImportReport, Source, read_traces, stored_bytes
from ledger.sources.files import OnProgress

BIG_BYTES: Final = 1 << 23
"""Less than this is imported before a second process would have gained what its start costs."""
JOBS_MAX: Final = 2
PARTS_MAX: Final = 8
"""So many parts wait until they are appended: about 2 MB."""
PIPE_BYTES: Final = 1 << 20
"""The pipe holds several parts, if the system lets it: so the reader seldom waits for the thread
that drains it, and that for the interpreter.
"""


@contextmanager
def reading(
    source: Source[Any],
    paths: Sequence[Path],
    report: ImportReport,
    *,
    now: datetime,
    only_account: str | None = None,
    on_progress: OnProgress = lambda _: None,
    jobs: int | None = None,
) -> Iterator[Iterator[Observation]]:
    """The facts in the files, as `read_traces` yields them, while the block runs.

    `jobs`: with 2, a process of its own reads them; it ends with the block. By default it does so
    if the files are big and there are two processors. The `report` is whole after the last fact.

    Raises InvalidInput for other `jobs`. The facts raise StoreUnavailable if that process ends
    early, and any error that it raised.
    """
    if jobs is not None and not 1 <= jobs <= JOBS_MAX:
        raise InvalidInput(f"jobs is not valid: {jobs}. It is 1 or {JOBS_MAX}. Nothing was read.")
    if (_jobs_for(paths) if jobs is None else jobs) == 1:
        yield read_traces(
            source, paths, report, now=now, only_account=only_account, on_progress=on_progress
        )
        return
    asked = Asked(
        source=source.name,
        provider=source.provider,
        account=source.account,
        paths=tuple(paths),
        now=now,
        only_account=only_account,
    )
    with closing(_Beside(asked)) as beside, closing(_facts(beside, report, on_progress)) as facts:
        yield facts


def _jobs_for(paths: Iterable[Path]) -> int:
    return JOBS_MAX if processors() >= JOBS_MAX and stored_bytes(paths) >= BIG_BYTES else 1


class _Beside:
    """The process that reads, and the thread that takes what it hands over."""

    def __init__(self, asked: Asked) -> None:
        # Its standard input is ours: a file that is named may be `/dev/stdin`.
        theirs, ours = os.pipe()
        self._request = os.fdopen(ours, "wb")
        try:
            os.set_inheritable(theirs, True)  # noqa: FBT003  The name of the function says it.
            self._process = begun(
                "ledger.importing.reader",
                str(theirs),
                stdin=None,
                inherits=True,
                buffer=PIPE_BYTES,
            )
        except BaseException:
            self._request.close()
            raise
        finally:
            os.close(theirs)
        self._parts: Queue[bytes | None] = Queue(PARTS_MAX)
        self._is_drained = False
        Thread(target=self._drain, daemon=True).start()
        with suppress(BrokenPipeError):  # It has ended: then nothing comes.
            pickle.dump(asked, self._request)
            self._request.flush()

    def messages(self) -> Iterator[Part | End | Fault]:
        """All that it hands over, until it ends."""
        while (written := self._next()) is not None:
            yield pickle.loads(written)  # noqa: S301  The process is this program.

    def ending(self) -> str:
        """How it ended, for a sentence."""
        code = self._process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        return f"was ended by the signal {signal.Signals(-code).name}"

    def close(self) -> None:
        """End it, wherever it is."""
        self._process.kill()
        while self._next() is not None:
            pass
        with suppress(BrokenPipeError):
            self._request.close()
        with self._process:  # Waits for it.
            pass

    def _next(self) -> bytes | None:
        found = None if self._is_drained else self._parts.get()
        self._is_drained = found is None
        return found

    def _drain(self) -> None:
        pipe = self._process.stdout
        assert pipe is not None
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        try:
            while len(head := pipe.read(LENGTH_BYTES)) == LENGTH_BYTES:
                size = int.from_bytes(head, "big")
                written = pipe.read(size)
                if len(written) < size:
                    break
                self._parts.put(written)
        finally:
            self._parts.put(None)


def _facts(
    beside: _Beside, report: ImportReport, on_progress: OnProgress
) -> Generator[Observation]:
    unpacker, last = Unpacker(), Part("", 0, 0, (), [])
    for message in beside.messages():
        if isinstance(message, Part):
            last = message
            on_progress(message.stored_bytes)
            yield from unpacker.observations(message)
        elif isinstance(message, End):
            _copy(message.report, report)
            return
        else:
            raise _with_place(message, last)
    raise StoreUnavailable(
        f"The process that reads the traces {beside.ending()}, {_place(last)}.",
        remedy="Import the same files again: traces that the ledger knows append nothing. "
        "With --jobs 1 no other process is needed.",
    )


def _copy(whole: ImportReport, report: ImportReport) -> None:
    for each in fields(ImportReport):
        setattr(report, each.name, getattr(whole, each.name))


class _InTheOtherProcess(Exception):
    """Holds the text that says where in the code an error was raised, for `--debug`."""


def _with_place(fault: Fault, last: Part) -> BaseException:
    error = fault.error
    error.__cause__ = _InTheOtherProcess(f"\n{fault.trace}")
    error.add_note(f"The process that reads the traces raised it, {_place(last)}.")
    return error


def _place(last: Part) -> str:
    if not last.file:
        return "before the first record"
    what = "1 record" if last.records == 1 else f"{last.records} records"
    return f"in {last.file}, after {what}"
