"""Mutated traces: whatever a file holds, nothing raises and every record is accounted for."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest

from ledger.sources import SOURCES, ImportReport, files, read_traces
from tests.sources.reading import NOW, ledger

JUNK = [None, 1, True, "", "x", [], {}, [1], {"a": 1}, "\ud800", "\n", "{", "[]", -5, "9" * 30, 1e9]


def mutated(value: Any, chance: random.Random) -> Any:
    """Here and there something else, or nothing."""
    if chance.random() < 0.05:
        return chance.choice(JUNK)
    if isinstance(value, dict):
        return {k: mutated(v, chance) for k, v in value.items() if chance.random() > 0.02}
    if isinstance(value, list):
        return [mutated(item, chance) for item in value]
    return value


def scratched(content: bytes, chance: random.Random) -> bytes:
    """Some bytes lost, some others in their place; at times compressed, with a bit turned."""
    scratch = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(scratch))
        scratch[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    if chance.random() < 0.3:
        scratch = bytearray(gzip.compress(bytes(scratch)))
        scratch[chance.randrange(10, len(scratch))] ^= 1 << chance.randrange(8)
    return bytes(scratch)


@pytest.mark.parametrize("kind", SOURCES)
def test_no_mutation_stops_an_import(
    fixtures: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (fixtures / f"{kind}.json").read_bytes()
    file = tmp_path / "mutated.json"
    with ledger(tmp_path) as opened:
        for seed in range(150):
            chance = random.Random(seed)
            monkeypatch.setattr(files, "PIECE_BYTES", chance.choice([7, 64, 1 << 18]))
            other = json.dumps(mutated(json.loads(whole), chance)).encode()
            file.write_bytes(other if seed % 2 else scratched(whole, chance))
            report = ImportReport()
            opened.observe(read_traces(SOURCES[kind], [file], report, now=NOW))
            assert report.accounted() == report.records, f"seed {seed}"
        assert sum(1 for _ in opened.history()) == opened.last_position()
