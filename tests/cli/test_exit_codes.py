"""The exit codes: one list in the code, in docs/exit-codes.md and in `--help`."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path

import pytest

from cli import exits
from ledger import errors
from ledger.errors import LedgerError
from tests.cli.conftest import BEIJING, Cli

PAGE = Path(__file__).parents[2] / "docs" / "exit-codes.md"
README = PAGE.parents[1] / "README.md"
KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, LedgerError) and kind is not LedgerError
]


def drawn() -> dict[str, int]:
    """The codes in the tree at the top of `ledger/errors.py`; a kind has that of its parent."""
    codes: dict[str, int] = {}
    code = -1
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"[│ ]*[├└]── (\w+)(?:.* exit (\d+))?", line):
            code = int(match[2]) if match[2] else code
            codes[match[1]] = code
    return codes


def constants() -> set[int]:
    return {value for name, value in vars(exits).items() if name.isupper() and type(value) is int}


def test_every_code_has_a_meaning() -> None:
    assert constants() == set(exits.MEANINGS)


def test_the_page_lists_the_codes_and_their_meanings() -> None:
    rows = re.findall(r"^\| (\d+) \| (.*?) \| .* \|$", PAGE.read_text(), re.MULTILINE)
    listed = {int(code): meaning.replace("\\|", "|") for code, meaning in rows}
    assert listed == exits.MEANINGS


def test_the_help_lists_the_codes_and_their_meanings(cli: Cli) -> None:
    shown = " ".join(cli.done("--help").out.split())
    for code, meaning in exits.MEANINGS.items():
        assert f"{code} {meaning}" in shown


def test_the_readme_names_the_codes_that_a_script_meets() -> None:
    [line] = [line for line in README.read_text().splitlines() if "docs/exit-codes.md" in line]
    assert [int(code) for code in re.findall(r"(?:: |· )(\d)", line)] == list(range(10))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_of_error_has_the_code_that_its_tree_says(kind: type[LedgerError]) -> None:
    assert exits.code_of(kind("Something.")) == drawn()[kind.__name__] != exits.BUG


def test_two_instants_that_differ_can_be_a_condition(cli: Cli) -> None:
    cli.authorize(BEIJING)
    said = cli("audit diff @1 --exit-code -o json")
    assert said.code == 8
    assert said.json
    assert f"Condition not met: {len(said.json)} rows changed" in said.err
    assert cli.done("audit diff @1 -o json").json == said.json
    assert cli.done("audit diff now --exit-code -o json").json == []


def test_views_that_are_behind_can_be_a_condition(cli: Cli) -> None:
    cli.authorize(BEIJING)
    assert cli.done("projection status").code == 0
    said = cli("projection status --fail-on behind -o json")
    assert said.code == 8
    assert {row["behind"] for row in said.json} == {10}
    assert "Condition not met: Behind the ledger" in said.err
    assert "authledger projection catch-up" in said.err
    cli.done("projection catch-up")
    assert cli.done("projection status --fail-on behind").err == "ledger at position 10\n"
    assert cli("projection status --fail-on nonsense").code == 2


def test_an_import_with_unreadable_places_is_done_in_part(cli: Cli) -> None:
    (cli.folder / "trail.json").write_text('{"Records": [\n  {"eventName": ]}')
    for dry_run in ("", "--dry-run"):
        said = cli(f"import cloudtrail trail.json -o json {dry_run}")
        assert said.code == 9
        assert "Done in part: " in said.err
        assert json.loads(said.out)["breaks"] == 1


@pytest.mark.parametrize("cli", ["sqlite", "postgresql"], indirect=True)
def test_a_query_that_is_stopped_at_its_limit_is_not_a_usage_error(cli: Cli) -> None:
    cli.authorize(BEIJING)
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    said = cli(f"query '{endless}' --time-limit 0.2")
    assert said.code == 7
    assert "The query was stopped: it took longer than 0.2 s." in said.err
    assert "Delete" not in said.err
