"""Follows a how-to word for word: writes the files that it shows into a copy of the program."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

ROOT = Path(__file__).parents[2]
PACKAGES = ("cli", "ledger", "projections")
RUN = "from cli.main import run; run()"

_BLOCK = r":\n\n(?P<indent> *)```\w+\n(?P<content>.*?)\n(?P=indent)```"
_written_file = re.compile(rf"Write `([^`]+)`{_BLOCK}", re.DOTALL)
_added_lines = re.compile(rf"Add to `([^`]+)`, (before|after) `([^`]+)`{_BLOCK}", re.DOTALL)


class Followed:
    """A copy of the program in a folder, with the files that a how-to adds."""

    def __init__(self, howto: str, folder: Path) -> None:
        self.folder = folder
        for package in PACKAGES:
            shutil.copytree(
                ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
            )
        self.written: list[str] = []
        self.follow(howto)

    def follow(self, howto: str) -> None:
        """Do everything that a how-to says."""
        self.text = (ROOT / "docs" / "howto" / howto).read_text(encoding="utf-8")
        self.written += [self._write(*found) for found in _written_file.findall(self.text)]
        self.changed = {self._add(*found) for found in _added_lines.findall(self.text)}

    def _write(self, name: str, _: str, content: str) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content) + "\n", encoding="utf-8")
        return name

    def _add(self, name: str, side: str, anchor: str, indent: str, content: str) -> str:
        path = self.folder / name
        if not path.exists():
            self._copy_test(name)
        lines = path.read_text(encoding="utf-8").splitlines()
        [place] = [number for number, line in enumerate(lines) if line.startswith(anchor)]
        place += side == "after"
        lines[place:place] = [line.removeprefix(indent) for line in content.splitlines()]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return name

    def _copy_test(self, name: str) -> None:
        """Copy a file of the tests, as a module of a package of its own."""
        path = self.folder / name
        path.parent.mkdir(parents=True)
        shutil.copy(ROOT / name, path)
        for parent in Path(name).parents[:-1]:
            (self.folder / parent / "__init__.py").touch()

    def sample(self) -> Any:
        """The example of the input that the how-to shows as JSON."""
        found = re.search(r"```json\n(.*?)```", self.text, re.DOTALL)
        assert found
        return json.loads(found[1])

    def run(self, *words: str) -> str:
        """Run `authledger`, which must succeed, and return its output."""
        return self.python(RUN, *words)

    def python(self, code: str, *words: str) -> str:
        """Run Python code, which must succeed, and return its output."""
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            cwd=self.folder,
            env=dict(os.environ) | {"PYTHONPATH": str(self.folder), "AUTHLEDGER_LEDGER": "it.db"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout
