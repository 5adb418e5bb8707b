"""Plays a case in a fresh ledger: imports its files, runs its commands, compares the answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.cases.case import Case, Do, Import, Rows, Step, Text, Values
from tests.cases.fresh import fresh, write
from tests.cli.conftest import Cli, Said

_WHOLE_SECOND = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.000000Z")


@dataclass(frozen=True, slots=True)
class Outcome:
    """The expectation of one step, and the answer."""

    says: str
    asked: str
    expected: list[str]
    got: list[str]
    right: bool

    def in_short(self) -> str:
        """The expected rows in one line."""
        more = len(self.expected) - 1
        return f"{self.expected[0]}{f', and {more} more' if more else ''}"


class Failed(Exception):
    """A command of the case failed that must succeed."""


def play(case: Case) -> list[Outcome]:
    """The outcome of each of the case's steps that expects something."""
    with fresh() as cli:
        return list(_outcomes(case, cli))


def _outcomes(case: Case, cli: Cli) -> Iterator[Outcome]:
    reached: dict[str, int] = {}
    files = case.files()
    imports = () if case.imports_itself() else tuple(map(Import, files))
    for step in (*imports, *case.steps):
        try:
            outcome = _taken(case, cli, step, reached)
        except Failed as error:
            yield Outcome(f"{step} is possible", str(step), ["it succeeds"], [str(error)], False)
            return
        if outcome is not None:
            yield outcome


def _taken(case: Case, cli: Cli, step: Step, reached: dict[str, int]) -> Outcome | None:
    if isinstance(step, Import):
        path = write(cli.folder, step.file, case.source, case.files()[step.file])
        edition = f" --provider {case.provider}" if case.provider else ""
        _done(cli, f"import {case.source} {path.name}{edition}", case.import_codes)
        reached[step.file] = _last_position(cli)
        return None
    command = _at(step.command, reached).replace("{folder}", str(case.folder()))
    if isinstance(step, Do):
        _done(cli, command)
        return None
    if isinstance(step, Text):
        return _of_text(step, command, cli(command))
    return _of_rows(step, command, _done(cli, f"{command} -o json").json)


def _last_position(cli: Cli) -> int:
    [row] = _done(cli, "query 'SELECT max(position) AS last FROM audit_trail' -o json").json
    return row["last"] or 0


def _at(command: str, reached: Mapping[str, int]) -> str:
    for name, position in reached.items():
        command = command.replace(f"{{{name}}}", f"@{position}")
    return command


def _done(cli: Cli, line: str, codes: Sequence[int] = (0,)) -> Said:
    said = cli(line)
    if said.code not in codes:
        raise Failed(f"{line}: exit code {said.code}: {said.err.strip()}")
    return said


# -- rows -----------------------------------------------------------------------------------------


def _of_rows(step: Rows, command: str, found: Sequence[Mapping[str, Any]]) -> Outcome:
    columns = step.columns.split()
    kept = [row for row in found if fits(row, step.only)]
    got = [tuple(value(row, column) for column in columns) for row in kept]
    expected = [tuple(map(_plain, row)) for row in step.rows]
    asked = f"{command}{f', rows with {step.only}' if step.only else ''}: {', '.join(columns)}"
    right = Counter(got) == Counter(expected)
    return Outcome(step.says, asked, _lines(expected), _lines(got), right)


def _lines(rows: Sequence[Values]) -> list[str]:
    return [" | ".join(map(str, row)) for row in sorted(rows, key=str)] or ["no rows"]


def fits(row: Mapping[str, Any], only: str) -> bool:
    """Whether a row satisfies all conditions, each `column=value` or `column!=value`."""
    for condition in only.split():
        column, _, wanted = condition.partition("=")
        differs = column.endswith("!")
        if (str(value(row, column.rstrip("!"))) == wanted) is differs:
            return False
    return True


def value(row: Mapping[str, Any], column: str) -> object:
    """A column of a row: an actor by the name, and a time without the fraction of a second."""
    if column == "actor" and "actor_name" in row:
        column = "actor_name"
    if column not in row:
        return f"(there is no column {column})"
    return _plain(row[column])


def _plain(cell: object) -> object:
    if cell is None:
        return ""
    found = _WHOLE_SECOND.fullmatch(cell) if isinstance(cell, str) else None
    return f"{found[1]}Z" if found else cell


# -- texts ----------------------------------------------------------------------------------------


def _of_text(step: Text, command: str, said: Said) -> Outcome:
    expected = [f"exit code {step.code}"] if step.code else []
    expected += [*(f"has {word!r}" for word in step.has), *(f"never {w!r}" for w in step.never)]
    whole = said.out + said.err
    lacks = [f"lacks {word!r}" for word in step.has if word not in whole]
    holds = [f"has {word!r}" for word in step.never if word in whole]
    code = [] if said.code == step.code else [f"exit code {said.code}"]
    wrong = [*code, *lacks, *holds]
    return Outcome(step.says, command, expected, [*wrong, *whole.splitlines()], not wrong)
