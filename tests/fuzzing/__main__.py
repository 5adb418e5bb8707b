"""Runs the fuzzers and the kill campaign: `python -m tests.fuzzing --help`.

The seed is printed first. A fault is printed with the command that reproduces it, and the exit code
is 1. `kills` is also a target: the ledger's crash tests, with many kills.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import warnings
from collections.abc import Iterable
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Final

from tests.fuzzing import TARGETS
from tests.fuzzing.campaign import Report, for_seconds, fuzz

KILLS: Final = "kills"
CRASH_TESTS: Final = (
    "tests/ledger/persistence/test_crash.py::test_a_process_killed_at_any_moment_leaves_whole_transactions",
    "tests/ledger/log/test_signed_crash.py::test_a_released_checkpoint_is_never_contradicted",
)
KILLS_A_SECOND: Final = 1.0
"""The time for all four campaigns together, on a machine with two processors."""
ROOT: Final = Path(__file__).resolve().parents[2]


def main() -> int:
    """Return 1 if a fault was found."""
    asked = _asked()
    say(f"seed {asked.seed}")
    names = asked.targets or [*TARGETS, KILLS]
    broken = False
    for name in names:
        seconds = asked.seconds / len(names)
        if name == KILLS:
            broken |= not _kill(asked.seed, max(3, int(seconds * KILLS_A_SECOND)))
            continue
        cases = for_seconds(seconds) if asked.case is None else iter([asked.case])
        report = _fuzzed(name, asked.seed, cases)
        broken |= bool(report.faults)
    return int(broken)


def say(*lines: str) -> None:
    sys.stdout.write("\n".join(chain(lines, ("",))))
    sys.stdout.flush()


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join([*TARGETS, KILLS]))
    parser.add_argument("--seconds", type=float, default=300, help="for all targets together")
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--case", type=int, help="one case of one target, as a fault names it")
    asked = parser.parse_args()
    if unknown := set(asked.targets) - {*TARGETS, KILLS}:
        parser.error(f"there is no target {', '.join(sorted(unknown))}")
    return asked


def _fuzzed(name: str, seed: int, cases: Iterable[int]) -> Report:
    warnings.simplefilter("error")  # An unclosed file is a fault, too.
    target = import_module(f"tests.fuzzing.{name}").target
    report = fuzz(name, target, seed, cases)
    say(str(report), *report.faults)
    return report


def _kill(seed: int, kills: int) -> bool:
    """Kill writers at random moments; return whether all acknowledged commands remained."""
    say(f"{KILLS}: {kills} on SQLite and {kills // 3} on PostgreSQL, with a signed log and without")
    more = {"AUTHLEDGER_TEST_SEED": str(seed), "AUTHLEDGER_TEST_KILLS": str(kills)}
    command = [sys.executable, "-m", "pytest", "--quiet", "--no-header", "-rs", *CRASH_TESTS]
    return subprocess.run(command, cwd=ROOT, env=os.environ | more, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
