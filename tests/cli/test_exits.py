"""How commands end: exit codes, messages, and nothing that looks like a crash."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.cli.conftest import Cli

COMMAND = (sys.executable, "-m", "cli.main")


def run(*args: str, stdout: int | IO[str], stderr: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *args], check=False, text=True, timeout=60, stdout=stdout, stderr=stderr
    )


def test_a_bug_asks_to_be_reported_and_shows_its_place_only_on_request(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("projections.views.Views.open", broken)
    short = cli("view regions")
    assert short.code == 1
    assert "a bug in authledger: ZeroDivisionError: oops" in short.err
    assert "Traceback" not in short.err
    assert "Traceback" in cli("--debug view regions").err
    monkeypatch.setenv("AUTHLEDGER_DEBUG", "1")
    assert "Traceback" in cli("view regions").err


def test_ctrl_c_ends_with_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("projections.views.Views.open", interrupted)
    assert cli("view regions").code == 130


PRESSES_CTRL_C = """
import os, signal, sys, threading
import cli.commands.query, cli.main, projections.views
threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
cli.main.run()
"""
ENDLESS = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"


@pytest.mark.parametrize("cli", ["sqlite", "postgresql"], indirect=True)
def test_ctrl_c_ends_a_query(cli: Cli) -> None:
    cli.authorize()
    done = subprocess.run(
        [sys.executable, "-c", PRESSES_CTRL_C, "query", ENDLESS, "--time-limit", "50"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize("seconds", ["inf", "1e300", "nan", "0", "86401"])
def test_an_interval_that_never_ends_is_refused(cli: Cli, seconds: str) -> None:
    cli.authorize()
    said = cli(f"projection follow --until 1 --interval {seconds}")
    assert said.code == 2
    assert "--interval" in said.err


def test_a_ledger_that_is_not_there_is_not_made_by_reading(cli: Cli) -> None:
    said = cli("view regions")
    assert said.code == 4
    assert "--ledger" in said.err
    assert not cli.ledger.exists()


def test_a_file_that_is_not_a_ledger_is_left_alone(cli: Cli) -> None:
    cli.ledger.write_text("something else entirely")
    for line in ("view regions", "feature use mesh --region cn-north-4"):
        assert cli(line).code == 7
    assert cli.ledger.read_text() == "something else entirely"


def test_another_programs_database_is_left_alone(cli: Cli) -> None:
    with sqlite3.connect(cli.ledger) as other:
        other.execute("CREATE TABLE theirs (x)")
    other.close()
    assert cli("feature use mesh --region cn-north-4").code == 7


def test_a_reading_command_writes_nothing_into_an_empty_file(cli: Cli) -> None:
    cli.ledger.touch()
    said = cli("view regions")
    assert said.code == 4
    assert "is empty, so it is not a ledger" in said.err
    assert cli.ledger.read_bytes() == b""


def test_a_ledger_of_a_newer_format_is_left_alone(cli: Cli) -> None:
    cli.authorize()
    connection = sqlite3.connect(cli.ledger)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    said = cli("view regions")
    assert said.code == 7
    assert "newer authledger" in said.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_ledger_is_not_written(cli: Cli) -> None:
    cli.authorize()
    cli.ledger.chmod(0o400)
    assert cli("feature use mesh --region cn-north-4").code == 7


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_under_the_output_is_an_error(cli: Cli) -> None:
    cli.authorize()
    with Path("/dev/full").open("w") as full:
        done = run("view", "regions", stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 7
    assert "No space left" in done.stderr


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_a_reader_that_leaves_ends_the_command_without_a_message(cli: Cli, form: str) -> None:
    cli.authorize()
    reader, writer = os.pipe()
    os.close(reader)
    done = run("view", "regions", "-o", form, stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert done.returncode == 141
    assert done.stderr == "now, position 10\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("console login --account a:b --region cn-north-4", "--account 'a:b' is not valid"),
        ("console login --region 'a b'", "--region 'a b' is not valid"),
        ("console login --region cn-north-4 --service 'A!'", "--service 'A!' is not valid"),
        ("console login --region cn-north-4 --provider 'A!'", "--provider 'A!' is not valid"),
        ("console login --region cn-north-4 --user ''", "The actor's name '' is not valid"),
        ("agency create a --policy ''", "The policy's name '' is not valid"),
        ("console login --region cn-north-4 --reason ''", "--reason '' is not valid"),
        ("console login --region cn-north-4 --command-id ''", "--command-id '' is not valid"),
        ("agency create ''", "The agency's name '' is not valid"),
        ("feature use NOPE --region cn-north-4", "The feature's name 'NOPE' is not valid"),
        ("feature use dancing --region cn-north-4", "It has: mesh, ingress-gateway, metrics."),
        ("credential issue --for '' --component c --region cn-north-4", "--for '' is not valid"),
        ("credential issue --for elb --component c --region cn-north-4 --life 0", "above 0"),
        ("console login", "Add --region"),
        ("view regions --as-of yesterday", "'yesterday' is not a valid time.\n"),
        ("view regions --as-of 2026-13-01", "not a valid time: month must be in 1..12."),
        ("view regions --as-of @3 --known-at @3", "exclude each other"),
        ("view regions -o xml", "'--output' / '-o': 'xml' is not one of 'table'"),
        ("--ledger ftp://h/db view regions", "begins with 'ftp' does not name a ledger"),
        ("--ledger postgresql:/a:secret@h/db view regions", "'postgresql' does not name a ledger"),
        ("--ledger 'host=h dbname=l password=secret' view regions", "Write a URL: postgresql://"),
        (
            "--ledger 'sslmode=require HOST=h password=secret' view regions",
            "Write a URL: postgresql",
        ),
        ("--ledger file:x.db view regions", "'file' does not name a ledger"),
        ("--ledger 'jdbc:postgresql://h/d?password=secret' view regions", "'jdbc' does not name"),
        (
            "--ledger postgresql+psycopg://u:secret@h/d view regions",
            "'postgresql+psycopg' does not",
        ),
        ("view regions postgresql://u:p/secret@h/d", "(postgresql:…"),
        ("nonsense", "No such command"),
    ],
)
def test_a_word_that_is_not_understood_is_named(cli: Cli, line: str, says: str) -> None:
    cli.done("console login --region cn-north-4")
    said = cli(line)
    assert said.code == 2, said.err
    assert says in said.err
    assert "secret" not in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("line", ["docs", "trust", "query", "catalogue show"])
def test_a_url_in_the_place_of_another_word_keeps_its_password(cli: Cli, line: str) -> None:
    cli.done("console login --region cn-north-4")
    said = cli(f"{line} postgresql://u:p/sec@ret@h/d")
    assert said.code in {2, 4}
    assert "sec" not in said.err.replace("seconds", "")
    assert "ret@" not in said.err


def test_the_version_is_printed_without_loading_the_ledger() -> None:
    code = (
        "import sys, cli.main\n"
        "try: cli.main.app(['--version'])\n"
        "except SystemExit: pass\n"
        "heavy = {'eventsourcing', 'pydantic', 'sqlite3', 'rich', 'ledger', 'projections'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("authledger ")
