"""Target: trace files of every shape, in which some records are altered and others are not.

No record may end an import, and every record is counted. The records next to a bad one are in the
ledger, and the ledger verifies.
"""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from ledger.application import Ledger
from ledger.sources import SOURCES, files
from ledger.verification.entries import verify_entries
from tests.fuzzing.campaign import Attempt
from tests.fuzzing.mutation import as_json, mutated, scratched
from tests.fuzzing.oracle import Fault, run
from tests.ledger.worlds import sound
from tests.sources.reading import FIXTURES

LEDGER: Final = Path("ledger.db")
LONGEST: Final = 200_000
RENEWED_EVERY: Final = 50
"""After this many files the ledger is verified and replaced, since a long one is slower."""
_ID: Final = {"cts": "trace_id", "cloudtrail": "eventID"}
_ENVELOPE: Final = {"cts": "traces", "cloudtrail": "Records"}


@dataclass(frozen=True)
class Made:
    """The bytes of a file, and the command ids of the facts that must be read from it."""

    content: bytes
    facts: frozenset[str]


@contextmanager
def target(folder: Path) -> Iterator[Attempt]:
    records = {kind: _records(kind) for kind in SOURCES}
    count = 0

    def attempt(chance: random.Random) -> int:
        nonlocal count
        count += 1
        kind = chance.choice([*SOURCES])
        made = _file(kind, records[kind], chance)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(files, "PIECE_BYTES", chance.choice([7, 256, 1 << 18]))
            _imported(kind, made)
        if count % RENEWED_EVERY == 0:
            _renew()
        return len(made.content)

    yield attempt
    _renew()


def _records(kind: str) -> list[Any]:
    document = json.loads((FIXTURES / f"{kind}.json").read_bytes())
    return list(document[_ENVELOPE[kind]])


def _file(kind: str, records: list[Any], chance: random.Random) -> Made:
    """Some records unchanged but with new ids, and some altered ones, in any file format."""
    longest = chance.choice([64, 4_096, 4_096, LONGEST])
    sound_ones, texts = [], []
    for record in chance.choices(records, k=chance.randint(1, 8)):
        if chance.random() < 0.5:
            own = record | {_ID[kind]: f"{chance.getrandbits(64):016x}"}
            sound_ones.append(own)
            texts.append(as_json(own))
        else:
            texts.append(as_json(mutated(record, chance, longest)))
    text, is_whole = _formed(kind, texts, chance)
    content, is_untouched = _stored(text, chance)
    counted = sound_ones if is_whole and is_untouched else []
    facts = (_command_id(kind, own) for own in counted)
    return Made(content, frozenset(each for each in facts if each))


def _command_id(kind: str, record: Any) -> str | None:
    return getattr(SOURCES[kind].translate(record, "x"), "command_id", None)


def _formed(kind: str, texts: list[str], chance: random.Random) -> tuple[str, bool]:
    """The records in one file format, and whether the unaltered ones must be read from it."""
    are_json = all(map(_is_json, texts))
    match chance.randrange(5):
        case 0:
            return "[" + ",\n".join(texts) + "]", are_json
        case 1:
            return f'{{"{_ENVELOPE[kind]}" : [{" , ".join(texts)}]}}', are_json
        case 2:
            ahead = (
                '{"eventName": "ListRoles"}\n' * 2
            )  # The first two lines show that this is JSON Lines.
            return ahead + "\n".join(texts) + "\n" * chance.randrange(3), True
        case 3:
            return " ".join(texts), are_json
        case _:
            return f'{{"x": 1, "{_ENVELOPE[kind]}": [{",".join(texts)}], "y": []}}', are_json


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _stored(text: str, chance: random.Random) -> tuple[bytes, bool]:
    """The text as bytes, and whether all of them are unaltered."""
    encoding = chance.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16"])
    content, is_untouched = text.encode(encoding, "surrogatepass"), chance.random() < 0.7
    if not is_untouched:
        content = scratched(content, chance)
    if chance.random() < 0.3:
        half = chance.randrange(len(content) + 1)
        content = gzip.compress(content[:half], 1) + gzip.compress(content[half:], 1)
        if chance.random() < 0.3:
            content, is_untouched = scratched(content, chance), False
    return content, is_untouched


def _imported(kind: str, made: Made) -> None:
    """Import it. Raises Fault if the numbers disagree, or a fact is missing in the ledger."""
    file = Path("traces.json")
    file.write_bytes(made.content)
    before = _last()
    said = run(["--ledger", str(LEDGER), "import", kind, str(file), "-o", "json"])
    if not said.out:
        raise Fault(f"the import ended with {said.code} and no report: {said.err[:500]}")
    numbers = json.loads(said.out)
    facts = numbers["understood"]
    counted = facts + sum(numbers[each] for each in ("read_only", "not_understood", "malformed"))
    if counted != numbers["records"] or facts != numbers["new_traces"] + numbers["known_traces"]:
        raise Fault(f"the report does not add up: {numbers}")
    with Ledger(LEDGER) as ledger:
        if ledger.last_position() - before != numbers["entries_appended"]:
            raise Fault(f"{numbers['entries_appended']} entries were acknowledged, not appended")
        if missing := made.facts - ledger.entries.select_commands(made.facts).keys():
            raise Fault(f"unaltered records among altered ones were not imported: {missing}")


def _last() -> int:
    if not LEDGER.exists():
        return 0
    with Ledger(LEDGER) as ledger:
        return ledger.last_position()


def _renew() -> None:
    """Verify the ledger and remove it. Raises Fault."""
    if not LEDGER.exists():
        return
    sound(LEDGER)
    done = verify_entries(LEDGER, jobs=1)
    if done.count:
        raise Fault(f"the ledger does not verify: {[str(each) for each in done.findings]}")
    for path in Path().glob(f"{LEDGER}*"):
        path.unlink()
