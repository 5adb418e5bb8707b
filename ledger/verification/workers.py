"""Several processes that read stretches of one ledger, each in a read transaction of its own.

    parent → child    {"ledger":…,"moment":…,"patterns":{…}}   once
                      {"first":0,"last":16384,…}               for each stretch
    child → parent    {"size":16384,…}                         in the same order

Each is a fresh interpreter that runs this module: it does not import what its parent has as its
main module, holds none of its parent's locks, and ends when its parent does.
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
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Final, Self

from ledger.persistence.location import Location, SQLiteFile, location_of
from ledger.persistence.raw_reading import stored_rows
from ledger.persistence.raw_rows import Row
from ledger.verification.findings import Findings
from ledger.verification.segment import Asked, Stretch, StretchReader

AHEAD_MAX: Final = 1_000
"""How many stretches may wait for the first of them to be taken: 5 MB."""


class ProcessLost(Exception):
    """A process ended before it had answered."""


class Readers:
    """So many processes. Started at once; told what to read by when they are up."""

    def __init__(self, count: int) -> None:
        root = str(Path(__file__).resolve().parents[1])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._processes = [
            subprocess.Popen(  # noqa: S603  This interpreter, this module.
                [sys.executable, "-P", "-m", __name__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )
            for _ in range(count)
        ]
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
            # Closes its pipes and waits for it. What it was not told any more may be lost.
            with suppress(OSError), process:
                pass

    def begin(self, location: Location, moment: str, patterns: Mapping[str, Sequence[str]]) -> None:
        told = {"ledger": _named(location), "moment": moment, "patterns": dict(patterns)}
        for process in self._processes:
            _send(process.stdin, told)
            self._idle.put(process)

    def read(self, asks: Iterable[Asked]) -> Iterator[Stretch]:
        """The stretches, in the order in which they are asked for. Raises ProcessLost."""
        ahead: deque[Future[Stretch]] = deque()
        with ThreadPoolExecutor(len(self._processes)) as pool:
            try:
                for asked in asks:
                    ahead.append(pool.submit(self._ask, asked))
                    if len(ahead) >= AHEAD_MAX:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _ask(self, asked: Asked) -> Stretch:
        process = self._idle.get()
        try:
            _send(process.stdin, asdict(asked))
            assert process.stdout is not None
            answer = process.stdout.readline()
            if not answer.endswith(b"\n"):
                raise ProcessLost
            return _stretch(json.loads(answer))
        except OSError as error:
            raise ProcessLost from error
        finally:
            self._idle.put(process)


def _send(pipe: IO[bytes] | None, said: object) -> None:
    assert pipe is not None
    pipe.write(json.dumps(said).encode() + b"\n")
    pipe.flush()


def _named(location: Location) -> str:
    """What `location_of` understands in another process; told by a pipe, for it has a password."""
    if isinstance(location, SQLiteFile):
        return os.fsdecode(location.path.absolute())
    return location.url


def _stretch(said: dict[str, Any]) -> Stretch:
    return Stretch(**said | {"found": Findings(**said["found"])})


# -- in the process ------------------------------------------------------------------------------


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The parent ends this one.
    gc.disable()  # There are no cycles to be found among millions of texts.
    told = json.loads(sys.stdin.buffer.readline())
    with stored_rows(location_of(told["ledger"]), told["moment"]) as rows:
        reader = StretchReader(rows, _faults, told["patterns"])
        for line in sys.stdin.buffer:
            _send(sys.stdout.buffer, asdict(reader.read(_asked(json.loads(line)))))


def _asked(said: dict[str, Any]) -> Asked:
    return Asked(**said | {"sizes": tuple(said["sizes"])})


def _faults(row: Row, entry: bytes, before: int, recorded_at: str) -> list[str]:
    # Imported when a row is odd: it takes as long as reading some tens of thousands of good ones.
    from ledger.verification.row_check import faults  # noqa: PLC0415

    return faults(row, entry, before, recorded_at)


if __name__ == "__main__":
    main()
