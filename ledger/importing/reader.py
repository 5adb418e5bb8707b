"""The process that reads: it translates traces, and writes what it found to its standard output.

Each message is pickled, after its length in LENGTH_BYTES bytes. The request comes by a pipe whose
number is the argument. The pipe stays open as long as the parent wants the work done.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import traceback
from dataclasses import replace
from threading import Thread
from typing import IO, Final

from ledger.importing.handover import Asked, End, Fault, Packer, Part
from ledger.messages import Observation
from ledger.sources import SOURCES, ImportReport, read_traces

LENGTH_BYTES: Final = 8
TRACES_MAX: Final = 1_000
"""How many traces a part has at most: about 250 kB."""
DOCUMENTS_BYTES_MAX: Final = 1 << 22
"""A part ends where its documents are as long together."""
PROGRESS_BYTES: Final = 1 << 20
"""A part ends where so much was read, also if no fact was found: the parent shows the progress."""
_COLLECT_AFTER: Final = 50_000
"""How many objects are made between two collections: reading leaves hardly any cycles."""


class _Sender:
    """Reads traces and hands them over."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out, self._packer, self._report = out, Packer(), ImportReport()
        self._traces: list[tuple[object, ...]] = []
        self._stored_bytes = self._documents_bytes = 0

    def send(self, asked: Asked) -> None:
        """Hand over all traces, and the report."""
        for each in read_traces(
            replace(SOURCES[asked.source], provider=asked.provider, account=asked.account),
            asked.paths,
            self._report,
            now=asked.now,
            only_account=asked.only_account,
            on_progress=self._count,
        ):
            self._take(each)
        self._send_part()
        self._write(End(self._report))

    def send_fault(self, error: BaseException) -> None:
        """Hand over the traces before an error, and the error itself."""
        self._send_part()
        trace = "".join(traceback.format_exception(error))
        self._write(Fault(_as_it_arrives(error), trace))

    def _take(self, trace: Observation) -> None:
        self._traces.append(self._packer.packed(trace))
        self._documents_bytes += sum(each.size for each in trace.documents)
        if len(self._traces) >= TRACES_MAX or self._documents_bytes >= DOCUMENTS_BYTES_MAX:
            self._send_part()

    def _count(self, stored_bytes: int) -> None:
        self._stored_bytes += stored_bytes
        if self._stored_bytes >= PROGRESS_BYTES:
            self._send_part()

    def _send_part(self) -> None:
        file, records = self._report.file, self._report.records
        shapes = self._packer.new_shapes()
        self._write(Part(file, records, self._stored_bytes, shapes, self._traces))
        self._traces, self._stored_bytes, self._documents_bytes = [], 0, 0

    def _write(self, message: Part | End | Fault) -> None:
        written = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._out.write(len(written).to_bytes(LENGTH_BYTES, "big") + written)
        self._out.flush()


def _as_it_arrives(error: BaseException) -> BaseException:
    """The error, if its kind can be pickled; else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  Our own, made in this line.
    except Exception:  # noqa: BLE001  Any error's class may do anything here.
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def main() -> None:
    """Do what is asked, and end; or end at once when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends this process.
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)
    pipe = int(sys.argv[1])
    with os.fdopen(pipe, "rb", closefd=False) as request:
        asked = pickle.load(request)  # noqa: S301  The parent is this program.
    Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()
    sender = _Sender(sys.stdout.buffer)
    try:
        sender.send(asked)
    except BaseException as error:  # noqa: BLE001  The parent raises it.
        sender.send_fault(error)


def _end_with_parent(pipe: int) -> None:
    os.read(pipe, 1)  # The parent writes nothing more: this is the end of the pipe.
    os._exit(1)


if __name__ == "__main__":
    main()
