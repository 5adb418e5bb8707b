"""Help: every command and every option has a text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from cli.main import app
from tests.cli.conftest import Cli


def tree(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from tree(inner, f"{path} {name}".strip())


TREE = dict(tree(typer.main.get_command(app)))


@pytest.mark.parametrize("path", TREE)
def test_every_command_and_option_has_a_help_text(path: str) -> None:
    command = TREE[path]
    assert command.help
    mute = [parameter.name for parameter in command.params if not parameter.help]
    assert mute == []


@pytest.mark.parametrize("path", TREE)
def test_every_command_prints_its_help(cli: Cli, path: str) -> None:
    said = cli.done(f"{path} --help")
    assert "Usage: authledger" in said.out
    assert not cli.ledger.exists()


def test_the_promised_commands_exist() -> None:
    promised = """
        demo; console login; authorization grant; authorization decline; authorization revoke;
        authorization list; agency create; agency delete; agency list; agency show; policy delete;
        policy list; policy show; credential issue; feature use; view; audit trail; audit show;
        audit replay; audit diff; audit why; query; import cts; import cloudtrail;
        projection status; projection catch-up; projection rebuild; projection follow;
        subject list; subject show; subject erase; document list; document show; document erase;
        catalogue list; catalogue show
    """
    assert {" ".join(name.split()) for name in promised.split(";")} <= TREE.keys()


READING = [
    path
    for path in TREE
    if (
        path != "audit evidence"  # It writes a file.
        and path.startswith(("view", "audit", "query", "projection", "subject", "catalogue l"))
    )
    or path.endswith((" list", " show"))
]


@pytest.mark.parametrize("path", [path for path in READING if not hasattr(TREE[path], "commands")])
def test_every_reading_command_takes_an_output_form(path: str) -> None:
    assert "output" in {parameter.name for parameter in TREE[path].params}


@pytest.mark.parametrize(
    "path",
    [
        "console login",
        "authorization grant",
        "authorization decline",
        "authorization revoke",
        "agency create",
        "agency delete",
        "policy delete",
        "credential issue",
        "feature use",
    ],
)
def test_every_writing_command_says_who_why_and_how(path: str) -> None:
    options = {option for parameter in TREE[path].params for option in parameter.opts}
    assert {"--actor", "--reason", "--command-id", "--dry-run", "--output", "--ledger"} <= options


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_made(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli.main"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={"_AUTHLEDGER_COMPLETE": f"source_{shell}", "PATH": "/usr/bin:/bin", **_python()},
    )
    assert "authledger" in done.stdout


def test_completion_knows_commands_views_and_features() -> None:
    for words, expected in (
        ("authledger aud", "audit"),
        ("authledger view cap", "capabilities"),
        ("authledger feature use ing", "ingress-gateway"),
        ("authledger audit trail --event AgencyC", "AgencyCreated"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "cli.main"],
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
            env={
                "_AUTHLEDGER_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split()) - 1),
                **_python(),
            },
        )
        assert expected in done.stdout.split(), done.stderr


def test_one_command_imports_no_other_commands_module() -> None:
    words = ["authledger", "console", "login", "--help"]
    asked = (
        f"import sys; sys.argv = {words}\nfrom cli.main import run\ntry: run()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, timeout=60
    )
    imported = set(done.stderr.split())
    assert "cli.commands.console" in imported
    assert imported.isdisjoint(
        {
            "cli.commands.audit.group",
            "cli.commands.log.group",
            "cli.commands.view",
            "ledger.application",
            "rich",
        }
    )


def _python() -> dict[str, str]:
    import os

    return {name: os.environ[name] for name in ("PYTHONPATH", "HOME") if name in os.environ}
