"""The examples of docs/python.md are executed: each as written, with the output that is shown."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

from tests.documentation import shown

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
BLOCK = re.compile(r"```(python|console)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


@pytest.fixture
def command(tmp_path: Path) -> dict[str, str]:
    """An environment in which a shell finds the command."""
    script = tmp_path / "bin" / "authledger"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m authledger "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return os.environ | {
        "PATH": f"{script.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(PAGE.parents[1]),
    }


def test_every_example_does_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: dict[str, str]
) -> None:
    pytest.importorskip("pandas", reason="installed for Python 3.11 alone")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    names: dict[str, Any] = {}
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) > 15
    for kind, source, expected in blocks:
        if kind == "console":
            output = run(source, command | {"XDG_CONFIG_HOME": str(tmp_path / "config")})
        else:
            output = execute(source, names)
        assert shown.fits(expected.splitlines(), output), f"{source}\nprinted:\n{output}"


def execute(source: str, names: dict[str, Any]) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(source, str(PAGE), "exec"), names)
    return printed.getvalue()


def run(source: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", source.removeprefix("$ ")],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_names_every_method_of_a_ledger() -> None:
    import authledger

    text = PAGE.read_text(encoding="utf-8")
    methods = {name for name in dir(authledger.Ledger) if not name.startswith("_")}
    assert {name for name in methods if name not in text} == set()
