"""A receipt: the entries that were checked in full once are only hashed the next time."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import InvalidInput
from ledger.log.signer import LogSigner
from ledger.verification import segment
from ledger.verification.receipt import Receipt, parse_receipt, read_receipt
from ledger.verification.verdict import Verdict, verify
from tests.ledger.verification.crimes import ORIGIN, Scene, rebuild_log
from tests.ledger.worlds import raw, traces

SEGMENT = 256
NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def scene(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """With a copy of the keys too: their record knows one history."""
    keys = tmp_path_factory.mktemp("config") / "keys"
    shutil.copytree(scene.keys, keys)
    return replace(scene, keys=keys)


def note_of(scene: Scene) -> str:
    with Ledger(scene.place) as ledger:
        return str(ledger.entries.checkpoint())


def verdict_of(scene: Scene, receipt: Receipt | None = None, *, jobs: int = 1) -> Verdict:
    return verify(
        scene.place,
        note_of(scene),
        [scene.key.verifier],
        pins={},
        jobs=jobs,
        receipt=receipt,
        with_receipt=True,
        segment_size=SEGMENT,
    )


def receipt_of(scene: Scene, relied: Receipt | None = None) -> Receipt:
    found = verdict_of(scene, relied).receipt(note_of(scene), NOW)
    assert found is not None
    return found


def grown(scene: Scene) -> int:
    """Let the ledger grow, signed; return how many entries it has."""
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.observe(traces(1_400)[1_100:])
        return ledger.last_position()


@pytest.fixture
def in_full(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of rows of each page that is checked and not only hashed."""
    pages, leaves = list[int](), segment.SegmentReader._leaves

    def counted(self: Any, rows: Any, *args: Any) -> Any:
        pages.append(len(rows))
        return leaves(self, rows, *args)

    monkeypatch.setattr(segment.SegmentReader, "_leaves", counted)
    return pages


def test_only_what_came_after_is_checked_in_full(scene: Scene, in_full: list[int]) -> None:
    receipt = receipt_of(scene)
    whole = receipt.size // SEGMENT * SEGMENT
    last = grown(scene)
    in_full.clear()
    verdict = verdict_of(scene, receipt)
    assert verdict.verified
    assert verdict.verification.size == last
    assert verdict.verification.rehashed == whole >= 4 * SEGMENT
    assert sum(in_full) == last - whole
    assert f"positions 1 to {whole} were checked in full on 2026-05-01T00" in verdict.relied
    assert "now they were only hashed again" in verdict.relied


def test_several_processes_rely_on_the_same(scene: Scene) -> None:
    receipt = receipt_of(scene)
    grown(scene)
    alone, several = verdict_of(scene, receipt), verdict_of(scene, receipt, jobs=2)
    assert alone.verification == several.verification
    assert alone.relied == several.relied


def test_the_next_receipt_says_when_each_part_was_checked(scene: Scene) -> None:
    first = receipt_of(scene)
    last = grown(scene)
    verdict = verdict_of(scene, first)
    second = verdict.receipt(note_of(scene), datetime(2026, 6, 1, tzinfo=UTC))
    assert second is not None
    assert (second.size, second.whole_size) == (last, last // SEGMENT * SEGMENT)
    relied = verdict_of(scene, second).relied
    assert "between 2026-05-01T00:00:00.000000Z and 2026-06-01T00" in relied


def test_a_run_that_checked_no_further_segment_keeps_the_times(scene: Scene) -> None:
    first = receipt_of(scene)
    later = verdict_of(scene, first).receipt(note_of(scene), datetime(2026, 6, 1, tzinfo=UTC))
    assert later == first


CRIMES = {
    "an entry": "UPDATE events SET entry = replace(entry, 'cce', 'asm') WHERE position = 203",
    "a stream": "UPDATE events SET stream = stream || 'x' WHERE position = 5",
    "a version": "UPDATE events SET version = 10000 + version WHERE position = 300",
    "a topic": "UPDATE events SET topic = 'AgencyCreated.v1' WHERE position = 8",
    "an entry removed": "DELETE FROM events WHERE position = 300",
    "a command id": "UPDATE commands SET command_id = 'x' WHERE first_position = 300",
    "a command removed": "DELETE FROM commands WHERE first_position = 300",
    "a tile": "DELETE FROM tiles WHERE level = 0 AND tile = 1",
    "a later entry": "UPDATE events SET entry = replace(entry, 'cce', 'asm') WHERE position > 1090",
}


@pytest.mark.parametrize("crime", CRIMES.values(), ids=CRIMES)
def test_a_crime_before_or_after_the_receipt_has_the_findings_of_a_full_check(
    scene: Scene, crime: str
) -> None:
    receipt = receipt_of(scene)
    with scene.unprotected() as db:
        db.execute(crime)
    full, relied = verdict_of(scene), verdict_of(scene, receipt)
    assert not relied.verified
    assert relied.verification.rehashed == 0
    assert set(full.verification.findings) <= set(relied.verification.findings)
    assert "everything was checked in full: the ledger is not as it says" in relied.relied
    assert relied.receipt(note_of(scene), NOW) is None


def test_a_history_altered_with_its_tiles_and_signed_again_is_found_by_the_root(
    scene: Scene,
) -> None:
    """Nothing within the ledger shows it; the key's owner did it."""
    receipt = receipt_of(scene)
    with scene.unprotected() as db:
        db.execute("UPDATE events SET entry = replace(entry, 'cce', 'asm') WHERE position = 203")
    rebuild_log(scene)
    with raw(scene.place) as db:
        db.execute("DELETE FROM checkpoint")
    (scene.key.folder / "last-checkpoint").unlink()
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.sign(LogSigner(scene.keys, ORIGIN))
    assert verdict_of(scene).verified
    found = verdict_of(scene, receipt).verification.findings
    assert any(
        each.place == "the receipt" and "do not give the root" in each.what for each in found
    )


def test_a_receipt_of_more_entries_than_there_are_is_a_finding(scene: Scene) -> None:
    receipt = replace(receipt_of(scene), size=9_999)
    verdict = verdict_of(scene, receipt)
    (found,) = (each for each in verdict.verification.findings if each.place == "the receipt")
    assert "covers 9999 entries" in found.what
    assert verdict.verification.rehashed == 0


def test_a_receipt_of_another_log_is_an_error(scene: Scene) -> None:
    receipt = replace(receipt_of(scene), origin="example.com/another")
    with pytest.raises(InvalidInput, match=r"another, but this ledger is the log"):
        verdict_of(scene, receipt)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"rules": "0" * 16}, "other rules"),
        ({"keys": ("00000000",)}, "another key"),
        ({"columns": "0" * 64}, "not as it says"),
        ({"commands": "0" * 64}, "not as it says"),
        ({"whole_size": 512}, "not as it says"),
        ({"whole_size": 99_840}, "not as it says"),
        ({"whole_size": 0}, "fewer than 256"),
    ],
)
def test_a_receipt_that_does_not_fit_is_never_relied_on(
    scene: Scene, in_full: list[int], change: dict[str, Any], why: str
) -> None:
    receipt = replace(receipt_of(scene), **change)
    in_full.clear()
    verdict = verdict_of(scene, receipt)
    assert verdict.verified
    assert verdict.verification.rehashed == 0
    assert sum(in_full) >= verdict.verification.size
    assert why in verdict.relied


def test_a_receipt_of_earlier_rules_is_not_relied_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = receipt_of(scene)
    monkeypatch.setattr("ledger.verification.receipt.RULES", 3)
    assert "other rules" in verdict_of(scene, receipt).relied


def test_a_receipt_is_read_as_it_was_written(scene: Scene, tmp_path: Path) -> None:
    receipt, path = receipt_of(scene), tmp_path / "receipt.json"
    assert read_receipt(path) is None
    receipt.write(path)
    assert read_receipt(path) == receipt
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"sum": 1}', "\xff", "checkpoint\n1\n"],
)
def test_anything_else_is_an_error(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a valid receipt"):
        parse_receipt(text.encode("latin-1"), "kept")


def test_an_altered_receipt_is_an_error(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    receipt_of(scene).write(path)
    fields = json.loads(path.read_text())
    for name in fields.keys() - {"sum"}:
        altered = fields | {name: 7 if isinstance(fields[name], int) else "x"}
        with pytest.raises(InvalidInput, match="is not a valid receipt"):
            parse_receipt(json.dumps(altered).encode(), "kept")
