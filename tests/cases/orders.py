"""The same records in other orders and groups of arrival: all answers must stay the same.

Compared are all rows of all views, now and as of each instant at which something happened, and the
trail; each without positions, without surrogate ids, and without the times of recording.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice, permutations
from math import factorial
from pathlib import Path
from typing import Any, Final

from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.errors import LedgerError
from ledger.values import instant
from projections.definitions.audit_trail import TrailFilter
from projections.views import Views
from tests.cases.case import Case, Record
from tests.cases.fresh import import_all, new_folder, write
from tests.cases.play import Outcome

SHUFFLES: Final = 4
"""How many random orders of a case with many records."""
ALL_ORDERS_MAX: Final = 4
"""Of so many records, all orders of arrival are played."""
TRAIL_MAX: Final = 100_000

SHOWN_MAX: Final = 2
"""Of so many orders that give other answers, the first difference is shown."""

Batches = list[list[list[Record]]]
"""The imports, one after another; each with its files, and each file with its records."""
Answers = dict[str, list[str]]
"""By view and instant, the rows."""


def kinds_of_order(case: Case) -> Iterator[tuple[str, Batches]]:
    """The kinds of order, each with a name. The first is as the case has it."""
    files = list(case.files().values())
    records = [record for file in files for record in file]
    yield "at once", [files]
    if len(files) > 1:
        yield "at once, in the reverse order", [files[::-1]]
        yield "file by file", [[file] for file in files]
        yield "file by file, in the reverse order", [[file] for file in reversed(files)]
    if len(records) > 1:
        yield "at once, in the reverse order of records", [[file[::-1] for file in files[::-1]]]
        yield "record by record", [[[record]] for record in records]
        yield "record by record, in the reverse order", [[[record]] for record in reversed(records)]
    for number, order in enumerate(_orders(records), 1):
        yield f"record by record, order {number}", [[[record]] for record in order]


def _orders(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """All orders of a few records, besides the first and the last; random ones of more."""
    if len(records) <= ALL_ORDERS_MAX:
        yield from islice(permutations(records), 1, factorial(len(records)) - 1)
        return
    for seed in range(SHUFFLES):
        yield random.Random(seed).sample(records, len(records))


def outcomes(case: Case, at_most: int | None = None) -> list[Outcome]:
    """The orders of arrival that give other answers than the first; how many give the same.

    A rebuild must give the same answers, too. `at_most`: of more orders, so many are drawn, by a
    seed of the case's own.
    """
    (_, first), *others = kinds_of_order(case)
    if at_most is not None and len(others) > at_most:
        others = random.Random(case.name).sample(others, at_most)
    with new_folder() as folder:
        place = _imported(folder, case, first)
        expected = _answers(place)
        compared = [_compared("a rebuild", expected, _answers(place, rebuilt=True))]
    for name, batches in others:
        with new_folder() as folder:
            compared.append(_played(folder, case, name, batches, expected))
    wrong = [outcome for outcome in compared if not outcome.right]
    if len(wrong) > SHOWN_MAX:
        more = f"{len(wrong) - SHOWN_MAX} more orders of arrival: the same answers"
        wrong[SHOWN_MAX:] = [Outcome(more, "all views", [], ["other answers"], right=False)]
    same = f"{len(others)} other orders of arrival, and a rebuild: the same answers"
    return wrong or [Outcome(same, "all views, now and as of each instant", [], [], right=True)]


def _played(folder: Path, case: Case, name: str, batches: Batches, expected: Answers) -> Outcome:
    try:
        return _compared(name, expected, _answers(_imported(folder, case, batches)))
    except LedgerError as error:
        return Outcome(name, name, ["the import succeeds"], [str(error)], right=False)


def _imported(folder: Path, case: Case, batches: Batches) -> Path:
    """The place of a ledger with these imports."""
    numbers = count()
    imports = [
        [write(folder, f"{next(numbers)}.json", case.source, records) for records in files]
        for files in batches
    ]
    import_all(folder / "ledger.db", case.source, imports, case.provider)
    return folder / "ledger.db"


def _compared(order: str, expected: Answers, got: Answers) -> Outcome:
    says = f"{order}: the same answers"
    differing = differences(expected, got)
    if not differing:
        return Outcome(says, "all views, now and as of each instant", [], [], right=True)
    return Outcome(says, "the answers that differ", ["no difference"], differing, right=False)


def differences(expected: Answers, got: Answers) -> list[str]:
    """The first answer that differs, with the rows that only one side has; and how many do."""
    differing = [key for key in expected.keys() | got.keys() if expected.get(key) != got.get(key)]
    if not differing:
        return []
    key = min(differing, key=lambda key: (" as of " in key, key))
    rows, others = Counter(expected.get(key, ())), Counter(got.get(key, ()))
    return [
        f"{key}, the first of {len(differing)} answers that differ",
        *(f"expected  {row}" for row in (rows - others).elements()),
        *(f"got       {row}" for row in (others - rows).elements()),
    ]


# -- everything that the views hold ---------------------------------------------------------------

_NOT_COMPARED: Final = frozenset(
    {
        "position",
        "document_position",
        "recorded_at",
        "command_id",
        "version",
        "entry",
        "actor",
        "source_file",
    }
)


_ACTS: Final = ("AgencyActed", "AgencyActionFailed")
"""The entries that sum up a file. Other files of the same records have other ones."""
_OF_FILES: Final = ("activity", "usage", "unused")
"""The views of these entries. How many calls they show, and as of a time within a day which ones,
depends on the files; the first and the last of all do not."""
_NUMBERS: Final = frozenset({"succeeded", "refused", "failed", "at_least"})


def _answers(place: Path, *, rebuilt: bool = False) -> Answers:
    """The answers that do not depend on the files in which the records are."""
    return answers(place, rebuilt=rebuilt, regrouped=True)


def answers(place: Path, *, rebuilt: bool = False, regrouped: bool = False) -> Answers:
    """All rows of all views, now and as of each instant of the trail, and the trail.

    `regrouped`: only what is the same however the records are spread over files.
    """
    with Views.open(place, load_catalogue()) as views:
        last = views.catch_up()
        if rebuilt:
            views.rebuild()
        trail = views.trail(TrailFilter(), limit=TRAIL_MAX, newest_first=False)
        happened = [row for row in trail.dicts() if row["type"] != "SubjectRegistered"]
        has_acts = regrouped and any(row["type"] in _ACTS for row in happened)
        if has_acts:
            happened = [row for row in happened if row["type"] not in _ACTS]
        names = views.subject_names({row[0] for row in views.subjects().rows})
        found = {name: views.read(name).dicts() for name in views.names()}
        if has_acts:
            found |= {name: _without_numbers(found[name]) for name in _OF_FILES}
        asked = [name for name in views.names() if not has_acts or name not in _OF_FILES]
        for at in sorted({row["effective_at"] for row in happened}):
            then = AsOf(last, instant(at))
            found |= {f"{name} as of {at}": views.read(name, as_of=then).dicts() for name in asked}
        found["audit_trail"] = happened
        facts = {str(row["position"]): f"{row['type']} {row['command_id']}" for row in happened}
    return {key: _comparable(rows, names, facts) for key, rows in found.items()}


def _without_numbers(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: cell for key, cell in row.items() if key not in _NUMBERS} for row in rows]


def _comparable(rows: Sequence[dict[str, Any]], names: Any, facts: Mapping[str, str]) -> list[str]:
    return sorted(_line(row, names, facts) for row in rows)


def _line(row: dict[str, Any], names: Any, facts: Mapping[str, str]) -> str:
    """The row with names for surrogate ids, and for positions the facts that stand there."""
    values = {key: cell for key, cell in row.items() if key not in _NOT_COMPARED}
    values["actor"] = row.get("actor")
    if row.get("rests_on"):
        values["rests_on"] = ",".join(sorted(facts[at] for at in row["rests_on"].split(",")))
    return " ".join(f"{key}={_named(cell, names)}" for key, cell in values.items() if cell)


def _named(cell: object, names: Any) -> str:
    """A cell with the names behind its surrogate ids, of which it may have several."""
    return ",".join(sorted(names.get(part, part) for part in str(cell).split(",")))
