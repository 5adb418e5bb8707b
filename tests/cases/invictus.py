"""A real account of 2,900 records: `python -m tests.cases.invictus`.

Prints what the ledger says of it beside counts that are made from the files alone, and whether the
files give the same answers in any order and grouping. The exit code is 1 if anything differs.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tests.cases.case import SHARED
from tests.cases.fresh import fresh, import_all, new_folder
from tests.cases.orders import Answers, answers, differences
from tests.cases.play import value
from tests.cases.raw_counts import Counts, counts
from tests.cli.conftest import Cli

FOLDER: Final = SHARED.parent / "cloudtrail-invictus"
SEEDS: Final = (1, 2, 3)

Imports = list[list[Path]]
"""The imports, one after another, each with its files."""


def orders() -> Iterator[tuple[str, Imports]]:
    """Orders and groupings of the files. The first is the one to which the others are compared."""
    files = sorted(FOLDER.glob("*.json"))
    yield "all at once, in the order of names", [files]
    yield "all at once, in the reverse order", [files[::-1]]
    yield "file by file, in the order of names", [[path] for path in files]
    yield "file by file, in the reverse order", [[path] for path in reversed(files)]
    for seed in SEEDS:
        shuffled = random.Random(seed).sample(files, len(files))
        yield f"all at once, shuffled with seed {seed}", [shuffled]
        yield f"file by file, shuffled with seed {seed}", [[path] for path in shuffled]
        groups = [shuffled[first : first + 7] for first in range(0, len(shuffled), 7)]
        yield f"seven at a time, shuffled with seed {seed}", groups


def of_order(imports: Imports) -> Answers:
    """All answers of a ledger that imported the files so."""
    with new_folder() as folder:
        import_all(folder / "ledger.db", "cloudtrail", imports)
        return answers(folder / "ledger.db")


# -- the same counts, from the views --------------------------------------------------------------

_NOTED: Final = "end not seen"
_TRAIL: Final = "audit trail --limit 1000 --event"


def of_views(cli: Cli) -> Counts:
    """The same counts, from the views and the trail."""
    agencies, permissions = asked(cli, "view agencies"), asked(cli, "view regions")
    usage, ended = asked(cli, "view usage"), [r for r in permissions if r["status"] != "granted"]
    made = asked(
        cli,
        "query \"SELECT effective_at, agency, entry ->> 'agency_id' AS agency_id "
        "FROM audit_trail WHERE type = 'AgencyCreated'\"",
    )
    return {
        "roles created": lines(made, "effective_at agency agency_id"),
        "roles deleted, by whom": lines(
            (row for row in agencies if row["status"] == "deleted"), "since agency actor"
        ),
        "policies attached or put, by whom": lines(
            asked(cli, f"{_TRAIL} PermissionGranted"), "effective_at agency policy actor"
        ),
        "policies detached or removed, by whom": lines(
            (row for row in ended if row.get("note") != _NOTED), "since agency policy actor"
        ),
        "policies whose end was not seen": lines(
            (row for row in ended if row.get("note") == _NOTED and not row["actor"]),
            "since agency policy",
        ),
        "policies created and deleted again": lines(
            (row for row in asked(cli, "view policies") if row["status"] == "deleted"), "policy"
        ),
        "roles whose creation was not seen, since their first use": lines(
            (row for row in agencies if row.get("note") == "creation not seen"), "since agency"
        ),
        "logins": [
            line.replace("admitted", "Success")
            for line in lines(
                asked(cli, f"{_TRAIL} ConsoleLoginRequested"), "effective_at actor outcome"
            )
        ],
        "roles assumed": summed(usage, "credentials_issued"),
        "roles refused": summed(usage, "credentials_refused"),
        "calls of roles, by how they ended": sorted(
            f"{line} {how}"
            for how in ("succeeded", "refused", "failed")
            for line in summed(usage, how)
        ),
        "calls of roles, first and last, by day": lines(
            asked(cli, "view activity"), "day agency region service action first_at last_at"
        ),
    }


def asked(cli: Cli, command: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = cli.done(f"{command} -o json").json
    return rows


def lines(rows: Iterable[dict[str, Any]], columns: str) -> list[str]:
    return sorted(" ".join(str(value(row, name)) for name in columns.split()) for row in rows)


def summed(rows: Iterable[dict[str, Any]], counter: str) -> list[str]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["agency"]] += row[counter]
    return sorted(f"{number} {agency}" for agency, number in sums.items() if number)


# -- printing -------------------------------------------------------------------------------------


def main() -> int:
    """Return 1 if a count or an answer differs."""
    with fresh() as cli:
        (_, first), *others = orders()
        import_all(cli.ledger, "cloudtrail", first)
        found, raw = of_views(cli), counts(FOLDER)
        expected = answers(cli.ledger)
        wrong = sum(not _print(title, raw[title], found[title]) for title in raw)
        wrong += not _same("a rebuild", expected, lambda: answers(cli.ledger, rebuilt=True))
    for name, imports in others:
        wrong += not _same(name, expected, lambda imports=imports: of_order(imports))  # type: ignore[misc]
    say(f"{wrong} differ" if wrong else "everything agrees")
    return int(bool(wrong))


def _print(title: str, raw: list[str], found: list[str]) -> bool:
    """Both sides, line by line; returns whether they are equal."""
    say(
        f"{'same ' if raw == found else 'WRONG'} {title}: {len(raw)} in the files, "
        f"{len(found)} in the views"
    )
    for line in sorted({*raw, *found}):
        sides = raw.count(line), found.count(line)
        say(
            f"      {'=' if sides[0] == sides[1] else f'files {sides[0]}, views {sides[1]}:'} {line}"
        )
    return raw == found


def _same(name: str, expected: Answers, ask: Callable[[], Answers]) -> bool:
    differing = differences(expected, ask())
    say(f"{'WRONG' if differing else 'same '} answers: {name}", *differing[:6])
    return not differing


def say(*texts: str) -> None:
    for text in texts:
        sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
