"""Executes the README's tour: each command as it is written, with the output that is shown."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.documentation import shown

README = Path(__file__).parents[2] / "README.md"
RUN = "from cli.main import run; run()"


@dataclass(slots=True)
class Step:
    """A command of the tour, and the output that the README shows; `…` stands for any text."""

    command: str
    shown: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        match = re.fullmatch(r"\[exit (\d+)\]", self.shown[-1]) if self.shown else None
        return int(match[1]) if match else 0

    @property
    def pattern(self) -> str:
        lines = [line for line in self.shown if not line.startswith("[exit ")]
        return shown.pattern(lines) + r"[\s\S]*"


def tour() -> list[Step]:
    steps: list[Step] = []
    for block in re.findall(r"```console\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL):
        for line in block.splitlines():
            if line.startswith("$ "):
                steps.append(Step(line[2:]))
            else:
                steps[-1].shown.append(line)
    return steps


def test_the_commands_of_the_tour_print_what_the_readme_shows(tmp_path: Path) -> None:
    environment = dict(os.environ)
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    script = bin_folder / "authledger"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{RUN}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    environment["PATH"] = f"{bin_folder}:{environment['PATH']}"
    environment["PYTHONPATH"] = str(README.parent)
    steps = tour()
    assert len(steps) > 8
    for step in steps:
        if step.command.startswith("export "):
            environment |= dict(re.findall(r"(\w+)=(\S+)", step.command))
            continue
        done = subprocess.run(
            ["/bin/sh", "-c", f"{step.command} 2>&1"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == step.exit_code, (step.command, done.stdout)
        assert re.fullmatch(step.pattern, done.stdout), (step.command, done.stdout)


def test_every_file_that_the_documents_link_to_exists() -> None:
    root = README.parent
    for page in [README, *sorted((root / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(root)} links to {target}"
