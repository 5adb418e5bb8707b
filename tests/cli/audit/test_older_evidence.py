"""Evidence that an older version made: it is verified if its view still has the same columns."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from projections.evidence.make import canonical
from tests.cli.audit.bundle_file import GRANTED, parts, rewrite
from tests.cli.conftest import Cli

OLDER = Path(__file__).parent / "bundles"
OLDER_KEY = "example.com/authledger+b4610c50+AfklrK7jvDwwPgDwaVSxXCElatarIGwWK3sfSggav7Gd"


@pytest.mark.parametrize("bundle", ["granted.zip", "nothing.zip"])
def test_evidence_of_a_view_that_had_other_columns_is_not_verified(cli: Cli, bundle: str) -> None:
    """They are of a time when the last recorded change of a permission counted."""
    said = cli(f"audit verify-evidence {OLDER / bundle} --key {OLDER_KEY}")
    assert (said.code, said.out) == (6, "")
    assert "answer.json has other columns than the view region_agencies of this program" in said.err
    assert (
        "Check it with the version of authledger that made it, or ask for new evidence" in said.err
    )


def test_evidence_that_names_a_view_by_its_former_name_is_verified(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    of = parts()
    question = json.loads(of["question.json"]) | {"view": "region_agencies"}
    rewrite({**of, "question.json": canonical(question)})
    said = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json")
    assert said.json
    assert "entries: region_agencies " in said.err


@pytest.mark.usefixtures("key")
def test_new_evidence_says_the_name_of_today(cli: Cli) -> None:
    cli.done('audit evidence "region_agencies region=cn-north-4"')
    assert json.loads(parts()["question.json"])["view"] == "regions"
