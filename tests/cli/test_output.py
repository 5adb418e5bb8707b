"""Output: safe tables, exact data, plain lines where the output is not a terminal."""

from __future__ import annotations

import os
import pty
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
