"""Target: exports with altered manifests and files. An export must be complete or refused."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cli.exits import DONE
from projections.export.manifest import NAME, damaged_files, read_manifest
from tests.fuzzing.campaign import Attempt
from tests.fuzzing.mutation import as_json, mutated, odd_name, scratched
from tests.fuzzing.oracle import Fault, run

STOCK: Final = Path("stock")
FOLDER: Final = Path("out")
REPLAYED: Final = 0.1
"""How many of them are also replayed, which takes a second each."""


@contextmanager
def target(folder: Path) -> Iterator[Attempt]:
    _write("cn-north-4")
    _exported(STOCK)
    _write("ap-southeast-3")  # A new event to export.

    def attempt(chance: random.Random) -> int:
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(STOCK, FOLDER)
        before = _files()
        for _ in range(chance.randint(1, 2)):
            _alter(chance)
        altered = _files() != before
        if _exported(FOLDER) == DONE:
            _check(altered=altered)
        if chance.random() < REPLAYED:
            _replayed(sound=not _damaged())
        return sum(len(content) for content in before.values())

    yield attempt


def _write(region: str) -> None:
    at = ["--ledger", "ledger.db", "--account", "a1"]
    run([*at, "console", "login", "--region", region, "--user", "alice"])
    run([*at, "authorization", "grant", "--region", region, "--actor", "alice"])


def _exported(folder: Path) -> int:
    return run(["--ledger", "ledger.db", "export", "parquet", str(folder)]).code


def _files() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(FOLDER.rglob("*")) if path.is_file()}


def _alter(chance: random.Random) -> None:
    """The manifest altered as JSON or as bytes, or a file cut, altered, removed or added."""
    paths = [path for path in FOLDER.rglob("*") if path.is_file()]
    path = chance.choice([FOLDER / NAME, *paths])
    match chance.randrange(6):
        case 0:
            path.unlink(missing_ok=True)
        case 1 if path.exists():
            path.write_bytes(scratched(path.read_bytes(), chance))
        case 2:
            (FOLDER / odd_name(chance)).write_bytes(b"x")
        case 3 if path.exists():
            path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size + 1)])
        case _:
            _alter_manifest(chance)


def _alter_manifest(chance: random.Random) -> None:
    path = FOLDER / NAME
    try:
        value = mutated(json.loads(path.read_bytes()), chance)
    except (ValueError, RecursionError, FileNotFoundError):
        return
    path.write_text(as_json(value), encoding="utf-8", errors="surrogatepass")


def _check(*, altered: bool) -> None:
    """Raise Fault if an export continued over missing or cut files."""
    manifest = read_manifest(FOLDER)
    for each in manifest.files():
        path = FOLDER / each.path
        if not path.is_file() or path.stat().st_size != each.bytes:
            raise Fault(f"exported over {each.path}, which is missing or cut")
    if not altered and (damaged := damaged_files(FOLDER, manifest)):
        raise Fault(f"an export of unaltered files is damaged: {damaged}")


def _damaged() -> bool:
    """Whether the export is not valid, or its files differ from its manifest."""
    said = run(["--ledger", "ledger.db", "export", "parquet", str(FOLDER)])
    return said.code != DONE or bool(damaged_files(FOLDER, read_manifest(FOLDER)))


def _replayed(*, sound: bool) -> None:
    """Replay it. Raises Fault if a sound one fails, or one with another content passes."""
    said = run(
        [
            "--ledger",
            "ledger.db",
            "projection",
            "rebuild",
            "--engine",
            "duckdb",
            "--parquet",
            str(FOLDER),
        ]
    )
    if sound and said.code != DONE:
        raise Fault(f"a sound export was not replayed: {said.code} {said.err[:500]}")
