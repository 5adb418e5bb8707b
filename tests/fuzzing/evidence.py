"""Target: altered evidence. It must be refused with exit code 6, or still be true."""

from __future__ import annotations

import json
import random
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cli.exits import DONE, VERIFICATION_FAILED
from ledger.catalogue import load_catalogue
from projections.evidence.make import Question
from projections.evidence.sources import sources_of
from projections.views import Views
from tests.fuzzing.campaign import Attempt
from tests.fuzzing.mutation import as_json, mutated, odd_name, scratched
from tests.fuzzing.oracle import Fault, run

QUESTIONS: Final = (
    ["region_agencies region=cn-north-4 agency=asm_admin_trust"],
    ["agencies", "--as-of", "@4"],
    ["usage", "--complete"],
    ["region_agencies region=nowhere"],
)
LEDGER: Final = Path("ledger.db")
BUNDLE: Final = Path("altered.zip")

Parts = dict[str, bytes]


@contextmanager
def target(folder: Path) -> Iterator[Attempt]:
    key = _ledger()
    bundles = [_bundle(number, question) for number, question in enumerate(QUESTIONS)]
    with Views.open(LEDGER, load_catalogue()) as views:
        views.catch_up()

        def attempt(chance: random.Random) -> int:
            BUNDLE.write_bytes(_altered(chance.choice(bundles), chance))
            said = run(["audit", "verify-evidence", str(BUNDLE), "--key", key])
            if said.code not in {DONE, VERIFICATION_FAILED}:
                raise Fault(f"altered evidence ended with {said.code}: {said.err[:500]}")
            if said.code == DONE:
                _check_truth(views)
            return BUNDLE.stat().st_size

        yield attempt


def _ledger() -> str:
    """Create a signed ledger with some entries; return its verifier key."""
    at = ["--ledger", str(LEDGER), "--account", "a1"]
    for region in ("cn-north-4", "ap-southeast-3"):
        run([*at, "console", "login", "--region", region, "--user", "alice"])
        run([*at, "authorization", "grant", "--region", region, "--actor", "alice"])
    return run([*at, "log", "init", "--origin", "example.com/fuzz"]).out.strip()


def _bundle(number: int, question: list[str]) -> Path:
    path = Path(f"{number}.zip")
    run(["--ledger", str(LEDGER), "audit", "evidence", *question, "-o", str(path)])
    return path


def _check_truth(views: Views) -> None:
    """Compare verified evidence with the ledger itself. Raises Fault if they disagree.

    The same entries may also prove the answer to an altered question. Without all entries the
    answer may lack rows, and says so; where an entry was left out, it may be another one.
    """
    with zipfile.ZipFile(BUNDLE) as archive:
        question = Question(**json.loads(archive.read("question.json")))
        verified = json.loads(archive.read("answer.json"))
        held = {name for name in archive.namelist() if name.startswith("entries/")}
    true = views.read(question.view, as_of=question.as_of, where=question.where)
    needed = sources_of(views, question.view, true, complete=question.complete).positions
    if not question.complete and any(f"entries/{each}.json" not in held for each in needed):
        return
    rows = [list(row) for row in true.rows]
    is_so = (
        verified["rows"] == rows if question.complete else all(r in rows for r in verified["rows"])
    )
    if not is_so:
        raise Fault(f"altered evidence was verified but is not true: {question} {verified}")


def _altered(bundle: Path, chance: random.Random) -> bytes:
    """The file with bytes altered, or its parts."""
    if chance.random() < 0.3:
        return scratched(bundle.read_bytes(), chance)
    with zipfile.ZipFile(bundle) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(chance.randint(1, 2)):
        _alter(parts, chance)
    how = chance.choice([zipfile.ZIP_DEFLATED] * 4 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
    with warnings.catch_warnings(), zipfile.ZipFile(BUNDLE, "w", how) as archive:
        warnings.simplefilter("ignore")  # A part that occurs twice.
        for name, data in parts.items():
            archive.writestr(name, data)
        if chance.random() < 0.05:
            archive.writestr(*chance.choice([*parts.items()]))
    return BUNDLE.read_bytes()


def _alter(parts: Parts, chance: random.Random) -> None:
    """One part altered in its format, its bytes or its name, or removed."""
    name = chance.choice([*parts, "question.json", "answer.json"])
    match chance.randrange(6):
        case 0:
            parts[name] = scratched(parts.get(name, b""), chance)
        case 1:
            parts.pop(name, None)
        case 2:
            parts[chance.choice(["../x", "/x", "entries/1.json", odd_name(chance)])] = b"{}"
        case 3:
            parts[name] = parts[chance.choice([*parts])]
        case _:
            _alter_json(parts, name, chance)


def _alter_json(parts: Parts, name: str, chance: random.Random) -> None:
    """JSON with another value, serialized as evidence does."""
    lines = parts.get(name, b"").splitlines() or [b"{}"]
    at = chance.randrange(len(lines))
    try:
        value = mutated(json.loads(lines[at]), chance)
    except (ValueError, RecursionError):
        return
    text = as_json(
        value, sort_keys=chance.random() < 0.9, separators=(",", ":"), ensure_ascii=False
    )
    lines[at] = text.encode("utf-8", "surrogatepass")
    parts[name] = b"\n".join(lines) + b"\n"
