"""The demo is a tour: the real commands, all of them ending as told."""

from __future__ import annotations

import pytest

from cli.commands.demo import story
from tests.cli.conftest import Cli


def test_the_demo_plays_the_whole_story(cli: Cli) -> None:
    said = cli.done("demo")
    for step in story.STORY:
        assert step.says
        assert f"# {step.says}" in said.out
    for event in ("AuthorizationGranted", "AgencyCreated", "PolicyDeletionAttempted"):
        assert event in said.out
    assert "rebuild certificate" in said.out
    assert "bug" not in said.out
    assert not cli.ledger.exists(), "the demo has a ledger of its own"


def test_the_demos_ledger_can_be_kept(cli: Cli) -> None:
    cli.done("demo --ledger-dir kept")
    assert cli.done("view regions --ledger kept/ledger.db -o json").json
    again = cli("demo --ledger-dir kept")
    assert again.code == 2
    assert "already exists" in again.err


def test_a_demo_whose_command_ends_otherwise_is_an_error(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = (
        story.Step("This cannot work.", ("feature", "use", "mesh", "--region", "cn-north-4")),
    )
    monkeypatch.setattr("cli.commands.demo.play.STORY", broken)
    said = cli("demo")
    assert said.code == 3
    assert "The demo failed" in said.err
