"""Commands as they are typed, on a ledger of their own."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app

ACCOUNT = "0a1b2c3d4e5f"
BEIJING = "cn-north-4"
SINGAPORE = "ap-southeast-3"
POLICY = "'asm admin trust policy'"


@dataclass(frozen=True)
class Said:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Cli:
    """`cli("view regions")` runs it in this process, as a shell would."""

    def __init__(self, folder: Path, place: Path | str | None = None) -> None:
        self.folder = folder
        self.place = place or self.ledger
        """Where the ledger is."""

    @property
    def ledger(self) -> Path:
        """The file, of a test that is about files."""
        return self.folder / "ledger.db"

    def lose(self) -> None:
        """There is no ledger any more."""
        os.environ["AUTHLEDGER_LEDGER"] = "nowhere.db"

    def __call__(self, line: str, stdin: str | bytes | None = None) -> Said:
        result = CliRunner().invoke(app, shlex.split(line), input=stdin)
        return Said(result.exit_code, result.stdout, result.stderr)

    def done(self, line: str) -> Said:
        """Run what must succeed."""
        said = self(line)
        assert said.code == 0, f"{line}: {said.code}\n{said.err}"
        return said

    def appended(self, line: str, code: int = 0) -> list[str]:
        """The types of the events that a command appended, people's registrations left out."""
        said = self(f"{line} -o json")
        assert said.code == code, f"{line}: {said.code}\n{said.err}"
        types = [entry["type"] for entry in said.json]
        return [name for name in types if name != "SubjectRegistered"]

    def authorize(self, region: str = BEIJING, user: str = "alice") -> None:
        self.done(f"console login --region {region} --user {user}")
        self.done(f"authorization grant --region {region} --actor {user}")


ON_EVERY_DATABASE = (
    "test_after_commit",
    "test_filters",
    "test_keeping",
    "test_keeping_documents",
    "test_log_prove",
    "test_reading",
    "test_story",
)
"""The test files that run on every database. The others test the command line itself, or files."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "cli" in metafunc.fixturenames and metafunc.module.__name__.endswith(ON_EVERY_DATABASE):
        metafunc.parametrize("cli", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def cli(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A fresh ledger and the account of the reference story."""
    on_postgres = getattr(request, "param", "sqlite") == "postgresql"
    named = request.getfixturevalue("database") if on_postgres else tmp_path / "ledger.db"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUTHLEDGER_LEDGER", str(named))
    monkeypatch.setenv("AUTHLEDGER_ACCOUNT", ACCOUNT)
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(tmp_path, named)


@pytest.fixture
def config(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder that is not beside the ledger."""
    folder = tmp_path_factory.mktemp("config")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    return folder
