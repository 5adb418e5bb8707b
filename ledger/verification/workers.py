"""Worker processes that read segments of one ledger, each in a read transaction of its own.

    parent → worker    {"ledger":…,"moment":…,"patterns":{…}}   once
                       {"first":0,"last":16384,…}               for each segment
    worker → parent    {"size":16384,…}                         in the same order

Each worker is a fresh interpreter that runs this module, and ends when its parent ends.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Final, Self

from ledger.persistence.location import Location, SQLiteFile, location_of
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import Row
from ledger.processes import begun
from ledger.verification.findings import Findings
from ledger.verification.segment import SegmentReader, SegmentRequest, SegmentResult

PENDING_MAX: Final = 1_000
"""How many results may wait until the first of them is taken: about 5 MB."""


class WorkerLost(Exception):
    """A worker process ended before it answered."""


class Workers:
    """The worker processes. They are started at once, and get the ledger's name by `begin`."""

    def __init__(self, count: int) -> None:
        self._processes = [begun(__name__, stdin=subprocess.PIPE) for _ in range(count)]
        self._idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        for process in self._processes:
            process.kill()
        for process in self._processes:
            # Closes its pipes and waits for it. Requests that it did not read are lost.
            with suppress(OSError), process:
                pass

    def begin(self, location: Location, moment: str, patterns: Mapping[str, Sequence[str]]) -> None:
        """Have each worker open the ledger at a moment, with patterns that were learned."""
        opening = {
            "ledger": _location_text(location),
            "moment": moment,
            "patterns": dict(patterns),
        }
        for process in self._processes:
            _send(process.stdin, opening)
            self._idle.put(process)

    def read(self, requests: Iterable[SegmentRequest]) -> Iterator[SegmentResult]:
        """The results, in the order of their requests. Raises WorkerLost."""
        pending: deque[Future[SegmentResult]] = deque()
        with ThreadPoolExecutor(len(self._processes)) as pool:
            try:
                for request in requests:
                    pending.append(pool.submit(self._ask, request))
                    if len(pending) >= PENDING_MAX:
                        yield pending.popleft().result()
                while pending:
                    yield pending.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _ask(self, request: SegmentRequest) -> SegmentResult:
        process = self._idle.get()
        try:
            _send(process.stdin, asdict(request))
            assert process.stdout is not None
            answer = process.stdout.readline()
            if not answer.endswith(b"\n"):
                raise WorkerLost
            return _result(json.loads(answer))
        except OSError as error:
            raise WorkerLost from error
        finally:
            self._idle.put(process)


def _send(pipe: IO[bytes] | None, message: object) -> None:
    assert pipe is not None
    pipe.write(json.dumps(message).encode() + b"\n")
    pipe.flush()


def _location_text(location: Location) -> str:
    """The text that `location_of` reads in a worker. It may hold a password: send it by the pipe,
    never as an argument.
    """
    if isinstance(location, SQLiteFile):
        return os.fsdecode(location.path.absolute())
    return location.url


def _result(fields: dict[str, Any]) -> SegmentResult:
    return SegmentResult(**fields | {"found": Findings(**fields["found"])})


# -- in the worker -------------------------------------------------------------------------------


def main() -> None:
    """Read requests from the standard input, and write results to the standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends this process.
    gc.disable()  # Millions of texts and no reference cycles: collecting would only cost time.
    opening = json.loads(sys.stdin.buffer.readline())
    with stored_rows(location_of(opening["ledger"]), opening["moment"]) as rows:
        reader = SegmentReader(rows, _faults, opening["patterns"])
        for line in sys.stdin.buffer:
            _send(sys.stdout.buffer, asdict(reader.read(_request(json.loads(line)))))


def _request(fields: dict[str, Any]) -> SegmentRequest:
    return SegmentRequest(**fields | {"sizes": tuple(fields["sizes"])})


def _faults(row: Row, entry: bytes, before: int, recorded_at: str) -> list[str]:
    # Imported when the first row needs it: the import takes as long as tens of thousands of rows.
    from ledger.verification.row_check import faults  # noqa: PLC0415

    return faults(row, entry, before, recorded_at)


if __name__ == "__main__":
    main()
