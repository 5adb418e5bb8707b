"""Odd input ends with a message and an exit code, and is never called a bug."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

LOGIN = "console login --service asm --region cn-north-4 --account a1"


@pytest.mark.parametrize(
    "line",
    [
        "view regions --as-of -999999w",
        "view regions --known-at -999999w",
        "audit diff -999999w",
        "view regions --region 'caf\udce9'",
        "agency show 'caf\udce9' --account a1",
        "audit show 99999999999999999999999",
        "audit trail --after 99999999999999999999999",
        f"{LOGIN} --ledger '~nosuchuser/x'",
        f"{LOGIN} --catalogue '~nosuchuser/'",
        f"{LOGIN.replace('cn-north-4', '*')}",
        f"{LOGIN} --command-id trace:aws/1/2",
        f"credential issue --for elb --component c --region cn-north-4 --account a1 --life {'9' * 1200}",
    ],
)
def test_it_ends_with_two_and_a_sentence(cli: Cli, line: str) -> None:
    cli.done(LOGIN)
    said = cli(line)
    assert (said.code, bool(said.err)) == (2, True), said


ODD_TOML = {
    "nested deeply": "ledger = " + "[" * 5_000,
    "with a number of 5,000 digits": "ledger = " + "9" * 5_000,
    "with a time that is none": "ledger = 9999-99-99T00:00:00Z",
    "with tables in tables": "[" + ".".join("a" * 5_000) + "]",
    "with a NUL in a path": 'ledger = "a\\u0000b"',
    "with a NUL in a name": 'account = "a\\u0000b"',
}


@pytest.mark.parametrize("odd", ODD_TOML)
def test_settings_that_cannot_be_read_are_a_usage_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    cli.done(LOGIN)
    monkeypatch.delenv("AUTHLEDGER_LEDGER")
    monkeypatch.delenv("AUTHLEDGER_ACCOUNT")
    (cli.folder / "authledger.toml").write_text(ODD_TOML[odd], encoding="utf-8")
    said = cli("agency show x")
    assert said.code == 2, said.err
    assert "authledger.toml" in said.err


@pytest.mark.parametrize("odd", list(ODD_TOML)[:4])
def test_a_catalogue_that_cannot_be_read_is_a_usage_error(cli: Cli, odd: str) -> None:
    (cli.folder / "more").mkdir()
    text = ODD_TOML[odd].replace("ledger", "service.code").replace("[a.", "[service.a.")
    (cli.folder / "more" / "odd.toml").write_text(text, encoding="utf-8")
    said = cli("--catalogue more catalogue list")
    assert said.code == 2, said.err
    assert "odd.toml" in said.err


@pytest.mark.parametrize("name", ["ledger", "catalogue", "account", "provider"])
def test_a_variable_that_is_not_text_is_a_usage_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(f"AUTHLEDGER_{name.upper()}", "caf\udce9")
    said = cli("agency show x")
    assert said.code == 2, said.err
    assert name.upper() in said.err


def test_a_query_that_is_not_text_is_a_usage_error(cli: Cli) -> None:
    cli.done(LOGIN)
    said = cli("query -", stdin=b"SELECT '\xff'")
    assert (said.code, "not text" in said.err) == (2, True)


def test_a_dry_run_makes_no_ledger_and_knows_who_acts(cli: Cli) -> None:
    said = cli.done(f"{LOGIN} --user alice --dry-run")
    assert not cli.ledger.exists()
    assert "alice is registered as p-" in said.out


def test_a_wrong_form_of_output_shows_before_a_name_is_forgotten(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.done(f"{LOGIN} --user alice")
    [subject] = [
        row["subject"] for row in cli.done("subject list -o json").json if row["kind"] == "person"
    ]
    monkeypatch.setenv("AUTHLEDGER_OUTPUT", "xml")
    assert cli(f"subject erase {subject} --yes").code == 2
    monkeypatch.delenv("AUTHLEDGER_OUTPUT")
    assert "alice" in [row["name"] for row in cli.done("subject list -o json").json]


def test_damaged_views_are_distinguished_from_a_damaged_ledger(cli: Cli) -> None:
    cli.done(LOGIN)
    Path(f"{cli.ledger}.views").write_bytes(b"no database at all" * 500)
    said = cli("view regions")
    assert said.code == 7
    assert "Delete that file" in said.err
    Path(f"{cli.ledger}.views").unlink()
    cli.done("view regions")


def test_with_its_output_closed_it_still_ends_as_it_should() -> None:
    command = f"{sys.executable} -c 'from cli.main import run; run()' --version >&-"
    root = Path(__file__).parents[2]
    done = subprocess.run(["/bin/sh", "-c", command], cwd=root, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
