"""The rules for every source: it is one folder, and its declaration is all that is needed."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import ledger.sources
from ledger.messages import topics
from ledger.sources import SOURCES
from ledger.sources.fields import Unreadable
from ledger.sources.source import TraceKind
from tests.cli.conftest import Cli, cli
from tests.sources.cloudtrail.making import record
from tests.sources.reading import read, translated

__all__ = ["cli"]

PAIRS = [(one, other) for one in SOURCES for other in SOURCES if one != other]


def test_every_folder_of_the_package_is_a_source() -> None:
    package = Path(ledger.sources.__file__).parent
    folders = sorted(path.parent.name for path in package.glob("*/__init__.py"))
    assert sorted(SOURCES) == folders


@pytest.mark.parametrize("name", SOURCES)
def test_every_source_is_a_subcommand_with_its_own_help(cli: Cli, name: str) -> None:
    said = cli.done(f"import {name} --help").out
    assert f"Import traces of {SOURCES[name].title}." in " ".join(said.split())


@pytest.mark.parametrize("name", SOURCES)
def test_translators_are_found_by_names_as_kind_of_spells_them(name: str) -> None:
    source = SOURCES[name]
    for kind in source.translators:
        assert re.fullmatch(r"[a-z0-9-]+:\w+", kind)
        assert source.understands(TraceKind(kind), {})
        assert source.understands(TraceKind(kind.upper()), {}) is source.ignores_case


def test_a_record_without_a_translator_is_counted_under_its_call() -> None:
    assert translated("cloudtrail", record("ListRoles", readOnly=True)) == "iam:ListRoles"


@pytest.mark.parametrize("name", SOURCES)
def test_the_examples_of_a_source_tell_facts_under_names_of_its_translators(
    fixtures: Path, name: str
) -> None:
    source = SOURCES[name]
    found, report = read(name, fixtures / f"{name}.json")
    assert found
    assert all(source.understands(TraceKind(kind), {}) for kind in report.understood)
    assert {observation.provider for observation in found} == {source.provider}
    known = set(topics().values())
    assert {type(event) for observation in found for event in observation.events} <= known


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_traces_of_another_source_are_malformed_and_never_facts(
    fixtures: Path, one: str, other: str
) -> None:
    _, of_other = read(other, fixtures / f"{other}.json")
    found, report = read(one, fixtures / f"{other}.json")
    assert found == []
    assert report.malformed_records == report.records
    with pytest.raises(Unreadable):
        SOURCES[one].kind_of({})
    assert of_other.understood


def test_a_call_that_nothing_keeps_is_counted_with_its_own_translators_reason() -> None:
    source = replace(SOURCES["cloudtrail"], unmodelled=lambda _: "not kept")
    deleted = TraceKind("iam:DeleteRole (role not named)", unplaced=True)
    assert source.translate(record("DeleteRole"), "a.json") == deleted
    assert source.translate(record("Change"), "a.json") == TraceKind("iam:Change (not kept)")


def test_a_source_that_keeps_no_other_calls_counts_them() -> None:
    source = replace(SOURCES["cloudtrail"], unmodelled=None)
    assert not source.understands(TraceKind("iam:Change"), record("Change"))
    assert source.translate(record("Change"), "a.json") == TraceKind("iam:Change")
