"""What nobody should type ends in a sentence and an exit code, never as a bug."""

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
        f"credential issue --for elb --component c --region r --account a1 --life {'9' * 1200}",
    ],
)
def test_it_ends_with_two_and_a_sentence(cli: Cli, line: str) -> None:
    cli.done(LOGIN)
    said = cli(line)
    assert (said.code, bool(said.err)) == (2, True), said


def test_a_deep_file_of_settings_is_no_toml(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(cli.folder)
    Path("authledger.toml").write_text(f"ledger = {'[' * 5_000}", encoding="utf-8")
    assert cli("view regions").code == 2


def test_a_dry_run_makes_no_ledger_and_knows_who_acts(cli: Cli) -> None:
    said = cli.done(f"{LOGIN} --user alice --dry-run")
    assert not cli.ledger.exists()
    assert "alice is called p-" in said.out


def test_a_wrong_form_of_output_shows_before_a_name_is_forgotten(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.done(f"{LOGIN} --user alice")
    [subject] = [row["subject"] for row in cli.done("subject list -o json").json]
    monkeypatch.setenv("AUTHLEDGER_OUTPUT", "xml")
    assert cli(f"subject erase {subject} --yes").code == 2
    monkeypatch.delenv("AUTHLEDGER_OUTPUT")
    assert cli.done("subject list -o json").json[0]["name"] == "alice"


def test_damaged_views_are_told_apart_from_a_damaged_ledger(cli: Cli) -> None:
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
