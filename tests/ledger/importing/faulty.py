"""A process that reads as ours does, until something happens to it: argument 2 says what."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

from ledger.importing import reader
from ledger.messages import Observation
from ledger.sources import read_traces

AFTER = 1_500


class Odd(Exception):
    """An error that cannot be pickled."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


def _happens(fault: str) -> None:
    if fault == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "left":
        os._exit(3)
    raise {"odd": Odd("a", "b"), "bug": TypeError("a bug"), "memory": MemoryError()}[fault]


def _read_traces(*args: Any, **options: Any) -> Iterator[Observation]:
    for n, each in enumerate(read_traces(*args, **options)):
        if n == AFTER:
            _happens(sys.argv[2])
        yield each


reader.read_traces = _read_traces  # type: ignore[attr-defined]
reader.main()
