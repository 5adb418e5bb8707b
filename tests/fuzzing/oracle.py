"""The conditions for any input: a documented exit code, a message, time in proportion to size."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from typer.testing import CliRunner

from cli import exits
from cli.main import app
from ledger.catalogue import load_catalogue

DOCUMENTED: Final = {
    value for name, value in vars(exits).items() if name.isupper() and isinstance(value, int)
} - {exits.BUG}
START_S: Final = 3.0
"""The processor time that a command may take for any input."""
PER_BYTE_S: Final = 30e-6
"""The additional time for each byte: about ten times that of the slowest record."""


class Fault(Exception):
    """The program did something that it must not do."""


@dataclass(frozen=True)
class Said:
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


def run(arguments: Sequence[str], stdin: bytes | None = None) -> Said:
    """Run a command in this process. Raises Fault if it ends in a forbidden way."""
    load_catalogue.cache_clear()  # Each command is a process of its own elsewhere.
    result: Any = CliRunner().invoke(app, list(arguments), input=stdin)
    said = Said(result.exit_code, result.stdout, result.stderr)
    line = shlex.join(arguments)[:500]
    if said.code not in DOCUMENTED:
        raise Fault(f"{line!a} ended with {said.code}: {said.err[:2_000]}")
    if "Traceback" in said.err or "Traceback" in said.out:
        raise Fault(f"{line!a} printed a traceback: {said.err[:2_000]}")
    if said.code not in {exits.DONE, exits.READER_WENT} and not said.err.strip():
        raise Fault(f"{line!a} ended with {said.code} and printed nothing")
    return said


def check_time(seconds: float, size: int) -> None:
    """Raise Fault for a case that took more processor time than its size allows."""
    allowed = START_S + PER_BYTE_S * size
    if seconds > allowed:
        raise Fault(f"took {seconds:.1f} s for {size} bytes; {allowed:.1f} s are allowed")
