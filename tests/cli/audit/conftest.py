"""A signed ledger, for evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def key(cli: Cli, config: Path) -> str:
    """A signed ledger with one authorization; its verifier key."""
    assert config.exists()
    cli.authorize()
    vkey = cli.done("log init --origin example.com/authledger").out.strip()
    cli.done("console login --region ap-southeast-3 --user bob")
    return vkey
