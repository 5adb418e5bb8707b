"""The surface: what `import authledger` offers, what it costs, and that all of it is documented."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import authledger
from ledger import errors
from ledger.messages import Command
from tests.documentation.python_reference import PUBLIC

SOURCE = Path(authledger.__file__)


def loaded_after(statement: str) -> set[str]:
    """The modules that a new process has loaded after a statement."""
    asked = f"{statement}\nimport sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True, timeout=60
    )
    return set(done.stdout.split())


def test_importing_it_imports_nothing_of_the_ledger() -> None:
    loaded = loaded_after("import authledger")
    assert {name for name in loaded if name.partition(".")[0] in ("ledger", "projections")} == set()
    assert loaded.isdisjoint({"pydantic", "eventsourcing", "cryptography", "typer", "sqlite3"})


def test_reading_imports_no_signatures_no_frames_and_no_command_line(tmp_path: Path) -> None:
    loaded = loaded_after(
        "import authledger\n"
        f"with authledger.open({str(tmp_path / 'l.db')!r}, create=True) as it: it.view('usage')"
    )
    assert loaded.isdisjoint(
        {"cryptography", "pyarrow", "pandas", "polars", "typer", "cli", "psycopg"}
    )


def test_the_names_for_type_checkers_are_those_that_are_imported_later() -> None:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    imported = {
        alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(imported) == sorted(authledger.__all__)
    listed = {name: module for module, names in authledger._MODULES.items() for name in names}
    assert {name: imported[name] for name in listed} == listed
    assert {imported[name] for name in imported.keys() - listed.keys()} == {
        "authledger",
        "ledger.errors",
    }


@pytest.mark.parametrize("name", authledger.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(authledger, name) is not None
    assert name in dir(authledger)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        getattr(authledger, "opne")  # noqa: B009


def subclasses(kind: type[Any]) -> set[str]:
    found = {each for each in kind.__subclasses__() if each.__module__.startswith("ledger.")}
    return {each.__name__ for each in found}.union(*map(subclasses, found))


def test_every_command_and_every_error_is_among_them() -> None:
    authledger.open  # noqa: B018  Imports all commands.
    every = subclasses(Command) | subclasses(errors.LedgerError) | {"Command", "LedgerError"}
    assert every <= set(authledger.__all__)


@pytest.mark.parametrize("owner", PUBLIC, ids=lambda owner: owner.__name__)
def test_every_public_name_says_what_it_is(owner: type) -> None:
    assert inspect.getdoc(owner)
    if owner.__module__.startswith("authledger."):
        for name, member in vars(owner).items():
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                assert inspect.getdoc(member), name
