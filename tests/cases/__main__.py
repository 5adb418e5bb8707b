"""Runs the cases: `python -m tests.cases --help`. The exit code is 1 if any answer is wrong."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from string import ascii_lowercase

from tests.cases.case import SHARED, Case
from tests.cases.given import GIVEN
from tests.cases.orders import outcomes as of_orders
from tests.cases.own import OWN
from tests.cases.play import Outcome, play


def main() -> int:
    """Return 1 if any answer is wrong, or if there is nothing to run."""
    asked = _asked()
    chosen = list(_chosen(asked.cases, own=asked.own))
    wrong = 0
    for case in chosen:
        outcomes = [*play(case), *([] if asked.without_orders else of_orders(case))]
        failed = sum(not outcome.right for outcome in outcomes)
        wrong += bool(failed)
        say(f"{case.name:<42} {f'{failed} WRONG of {len(outcomes)}' if failed else 'right'}")
        for outcome in outcomes:
            _print(outcome, verbose=asked.verbose)
    say(f"{len(chosen)} cases, {wrong} of them with wrong answers")
    return int(bool(wrong) or not chosen)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.cases", description=__doc__)
    parser.add_argument(
        "cases",
        nargs="*",
        metavar="CASE",
        help="numbers (16 includes our own 16a) or names; without any: all",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="print all answers")
    parser.add_argument(
        "--own", action="store_true", help="only our own cases, which need no files"
    )
    parser.add_argument(
        "--without-orders", action="store_true", help="import each case only as its files are"
    )
    return parser.parse_args()


def _chosen(words: Iterable[str], *, own: bool) -> Iterator[Case]:
    cases = [*(() if own else _given()), *OWN]
    for case in cases:
        names = (case.name, case.number, case.number.rstrip(ascii_lowercase))
        if not words or any(word in names for word in words):
            yield case


def _given() -> tuple[Case, ...]:
    if SHARED.is_dir():
        return GIVEN
    say(f"The cases of {SHARED} are not run: there is no such folder.")
    return ()


def _print(outcome: Outcome, *, verbose: bool) -> None:
    """Print the expectation and the answer: briefly if it is right, whole if it is wrong."""
    say(f"  {'right' if outcome.right else 'WRONG'}  {outcome.says}")
    if outcome.right and not verbose:
        if outcome.expected:
            _lines("got", [outcome.in_short()])
        return
    _lines("asked", [outcome.asked])
    _lines("expected", outcome.expected)
    _lines("got", outcome.got)


def _lines(title: str, lines: Iterable[str]) -> None:
    for number, line in enumerate(lines):
        say(f"         {'' if number else title:<9}{line}")


def say(*lines: str) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
