"""The repository: its distributions, its layout, and its single version number."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import tarfile
import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from authledger import documentation
from tests.building import run

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("authledger", "cli", "ledger", "projections")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
VERSION: str = PYPROJECT["project"]["version"]

TOP_LEVEL = {
    ".ci",
    ".gitattributes",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "authledger",
    "benchmarks",
    "cli",
    "docs",
    "ledger",
    "projections",
    "pyproject.toml",
    "tests",
}

LINES_MAX = 400
LONGER_FOR_A_REASON: dict[str, str] = {
    "authledger/rows.py": "It is generated: one class for each view.",
}


def python_files() -> list[Path]:
    folders = [ROOT / folder for folder in (*PACKAGES, "tests", "benchmarks")]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def tracked_files() -> list[str]:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is not a git checkout, so the files that belong to it are not known")
    tracked = run("git", "ls-files", "-z", cwd=ROOT).split("\0")[:-1]
    if not tracked:
        pytest.skip("git does not track any file yet")
    return tracked


def test_the_wheel_contains_the_packages_and_the_documentation_and_nothing_else(
    wheel: Path,
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and path.suffix in {".py", ".typed", ".toml", ".sql", ".md"}
    }
    docs = {
        f"authledger/docs/{path.relative_to(ROOT / 'docs').as_posix()}"
        for path in (ROOT / "docs").rglob("*")
        if path.is_file()
    }
    beside = {f"authledger/docs/{name}" for name in ("README.md", "CHANGELOG.md")}
    assert held == here | docs | beside


def test_the_metadata_names_the_licence_and_brings_its_text(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"authledger-{VERSION}.dist-info/METADATA").decode()
        licence = archive.read(f"authledger-{VERSION}.dist-info/licenses/LICENSE").decode()
    assert "License-Expression: Apache-2.0\n" in metadata
    assert "Apache License" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_a_package_index_shows_the_readme_without_links_to_files(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"authledger-{VERSION}.dist-info/METADATA").decode()
    shown = metadata.partition("\n\n")[2]
    targets = re.findall(r"\]\(([^)]+)\)", shown)
    assert [each for each in targets if "://" not in each and not each.startswith("#")] == []
    topics = {topic.partition("`")[0] for topic in shown.split("`authledger docs ")[1:]}
    assert "architecture" in topics
    known = documentation.topics()
    assert {topic for topic in topics if topic not in {*known, "TOPIC", "[TOPIC]"}} == set()


def test_the_wheel_contains_the_catalogue_and_is_marked_as_typed(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = archive.namelist()
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(held)
    assert [name for name in held if re.fullmatch(r"ledger/catalogue/data/.+\.toml", name)]


def test_the_source_distribution_can_be_tested_and_built_by_itself(dist: Path) -> None:
    top = f"authledger-{VERSION}"
    with tarfile.open(dist / f"{top}.tar.gz") as archive:
        held = {name.removeprefix(f"{top}/") for name in archive.getnames()}
    assert {
        ".ci/lock/dev.txt",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "pyproject.toml",
        "tests/test_house.py",
    } <= held


def test_the_wheel_installs_into_an_empty_environment_and_runs(wheel: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", venv, cwd=tmp_path)
    pip = (venv / "bin" / "python", "-m", "pip", "--quiet", "install")
    run(*pip, "--require-hashes", "-r", ROOT / ".ci" / "lock" / "run.txt", cwd=tmp_path)
    # Without an index: the installation fails if the lock lacks a package that the wheel needs.
    run(*pip, "--no-index", wheel, cwd=tmp_path)

    assert run(venv / "bin" / "authledger", "--version", cwd=tmp_path).split()[-1] == VERSION
    assert "Glossary" in run(venv / "bin" / "authledger", "docs", "glossary", cwd=tmp_path)


def test_there_is_one_version() -> None:
    assert version("authledger") == VERSION
    spelled_out = [
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if re.search(rf"""["']{re.escape(VERSION)}["']""", path.read_text(encoding="utf-8"))
    ]
    assert spelled_out == [], "ask importlib.metadata instead"


def test_the_changelog_begins_with_the_unreleased_changes_or_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\]", changelog, flags=re.MULTILINE)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert headings
    assert "Unreleased" not in headings[1:]
    assert released[:1] in ([], [VERSION])


@pytest.mark.parametrize("name", ["run.txt", "dev.txt", "alternatives.txt"])
def test_the_lock_pins_every_package_by_hash_and_names_no_index(name: str) -> None:
    lock = (ROOT / ".ci" / "lock" / name).read_text(encoding="utf-8")
    requirements = re.findall(r"^\S+==\S+.*(?:\n    .+)*", lock, flags=re.MULTILINE)
    assert requirements
    assert [each for each in requirements if "--hash=sha256:" not in each] == []
    assert "://" not in lock


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_marked_as_typed(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def test_every_folder_says_what_it_contains_and_what_it_may_import() -> None:
    folders = {path.parent for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    said = {
        folder.relative_to(ROOT).as_posix(): ast.get_docstring(
            ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
        )
        for folder in folders
    }
    assert [folder for folder, text in said.items() if "May import: " not in (text or "")] == []


def test_the_top_level_contains_the_expected_files_and_nothing_else() -> None:
    assert {path.split("/")[0] for path in tracked_files()} <= TOP_LEVEL


def test_no_python_file_is_longer_than_400_lines_without_a_reason() -> None:
    longer = {
        path.relative_to(ROOT).as_posix()
        for path in python_files()
        if len(path.read_text(encoding="utf-8").splitlines()) > LINES_MAX
    }
    assert longer == set(LONGER_FOR_A_REASON), "split it, or say why it is still one concern"
