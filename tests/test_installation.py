"""An installation beside another distribution's packages of the same names says what is wrong."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.building import attempt, build, run

RAN = "raise SystemExit('the code of the other distribution ran')\n"


@dataclass(frozen=True)
class Environment:
    """A virtual environment in which authledger is installed from its wheel."""

    folder: Path
    wheel: Path

    @property
    def packages(self) -> Path:
        return next((self.folder / "lib").glob("python*/site-packages"))

    def pip(self, *arguments: str | Path) -> None:
        python = self.folder / "bin" / "python"
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(*pip, "--python", python, *arguments, cwd=self.folder)

    def install(self, wheel: Path) -> None:
        self.pip("install", "--no-deps", "--no-index", "--force-reinstall", wheel)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return attempt(self.folder / "bin" / "authledger", *arguments, cwd=self.folder)

    def python(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return attempt(self.folder / "bin" / "python", *arguments, cwd=cwd or self.folder)


@pytest.fixture(scope="module")
def made(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment; it finds the dependencies where these tests find them."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    environment = Environment(folder, wheel)
    here = sysconfig.get_paths()["purelib"]
    (environment.packages / "dependencies.pth").write_text(f"{here}\n", encoding="utf-8")
    return environment


@pytest.fixture
def environment(made: Environment) -> Environment:
    """The environment with authledger in it and nothing else of its own."""
    made.install(made.wheel)
    return made


def distribution(name: str, folder: Path, files: dict[str, str]) -> Path:
    """The wheel of another distribution with these files."""
    for path, text in files.items():
        file = folder / name / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    packages = sorted({path.partition("/")[0] for path in files})
    (folder / name / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        f'[project]\nname = "{name}"\nversion = "1.0"\n'
        f"[tool.hatch.build.targets.wheel]\npackages = {packages}\n",
        encoding="utf-8",
    )
    built = folder / f"{name}-dist"
    built.mkdir()
    build(folder / name, built, "--wheel")
    return next(built.glob("*.whl"))


def test_the_command_and_the_package_run_where_nothing_is_in_the_way(
    environment: Environment,
) -> None:
    done = environment.command("--version")
    assert (done.returncode, done.stderr) == (0, "")
    done = environment.python("-m", "authledger", "docs", "glossary")
    assert "# Glossary" in done.stdout
    done = environment.python("-c", "import authledger; print(authledger.Refused.__name__)")
    assert done.stdout == "Refused\n"


def test_another_distributions_cli_is_named_and_its_code_is_not_run(
    environment: Environment, tmp_path: Path
) -> None:
    other = distribution("othercli", tmp_path, {"cli/__init__.py": RAN, "cli/main.py": RAN})
    environment.install(other)
    done = environment.command("--version")
    assert done.returncode == 1
    assert done.stdout == ""
    assert str(environment.packages / "cli" / "__init__.py") in done.stderr
    assert "othercli" in done.stderr
    assert "uv tool install authledger" in done.stderr
    assert "Traceback" not in done.stderr
    assert "ran" not in done.stderr
    environment.pip("uninstall", "--yes", "othercli")
    done = environment.command("--version")
    assert done.returncode == 1
    assert "cli/__init__.py is missing" in done.stderr


def test_a_replaced_file_within_cli_is_named_when_the_command_cannot_be_imported(
    environment: Environment, tmp_path: Path
) -> None:
    environment.install(distribution("options", tmp_path, {"cli/options.py": "Options = {}\n"}))
    done = environment.command("--version")
    assert done.returncode == 1
    assert "cli/options.py is not as it was installed" in done.stderr
    assert "Traceback" not in done.stderr
    environment.pip("uninstall", "--yes", "options")


def test_a_cli_in_the_working_folder_is_named_by_python_m(
    environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "cli.py").write_text(RAN, encoding="utf-8")
    done = environment.python("-m", "authledger", "--version", cwd=tmp_path)
    assert done.returncode == 1
    assert f"another package `cli` first, {tmp_path / 'cli.py'}" in done.stderr
    assert environment.command("--version").returncode == 0


def test_another_distributions_ledger_is_named_by_the_python_api(
    environment: Environment, tmp_path: Path
) -> None:
    files = {"ledger/__init__.py": "BOOKS = 1\n", "ledger/errors.py": "class BookError: ...\n"}
    environment.install(distribution("books", tmp_path, files))
    done = environment.python("-c", "import authledger; authledger.open('audit.db')")
    assert "\nImportError: authledger cannot run: " in done.stderr
    assert "ledger/__init__.py was replaced" in done.stderr
    assert "books brings a package `ledger`" in done.stderr
    environment.pip("uninstall", "--yes", "books")
