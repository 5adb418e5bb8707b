"""Evidence that an older version made: it names a view by its former name, and is verified."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

OLDER = Path(__file__).parent / "bundles"
OLDER_KEY = "example.com/authledger+b4610c50+AfklrK7jvDwwPgDwaVSxXCElatarIGwWK3sfSggav7Gd"


@pytest.mark.parametrize(("bundle", "rows"), [("granted.zip", 4), ("nothing.zip", 0)])
def test_evidence_that_names_a_view_by_its_former_name_is_verified(
    cli: Cli, bundle: str, rows: int
) -> None:
    said = cli.done(f"audit verify-evidence {OLDER / bundle} --key {OLDER_KEY} -o json")
    assert len(said.json) == rows
    assert "entries: region_agencies " in said.err


@pytest.mark.usefixtures("config")
def test_new_evidence_says_the_name_of_today(cli: Cli) -> None:
    cli.authorize()
    cli.done("log init --origin example.com/authledger")
    cli.done('audit evidence "region_agencies region=cn-north-4"')
    with zipfile.ZipFile(cli.folder / "evidence.zip") as archive:
        assert json.loads(archive.read("question.json"))["view"] == "regions"
