"""Proofs from a ledger, and the static export of its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import durable_file
from ledger.application import Ledger
from ledger.errors import InvalidInput, NotFound, VerificationFailed
from ledger.log import prover, static_export
from ledger.log.signer import LogSigner
from ledger.merkle.policy import trusting
from ledger.merkle.tiles import decode_bundle, tiles_between
from ledger.merkle.tlogproof import parse_proof, verify_proof
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import Place, raw, texts, traces

ORIGIN = "example.com/authledger"


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@pytest.fixture
def signed(place: Place, keys: Path) -> Iterator[Ledger]:
    """A ledger with a signed log of more than a tile."""
    ledger = Ledger(place, log_keys=keys)
    signer = LogSigner(keys, ORIGIN)
    signer.key.create(place)
    ledger.sign(signer)
    ledger.observe(traces(300))
    yield ledger
    ledger.close()


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(each.relative_to(folder)): each.read_bytes()
        for each in folder.rglob("*")
        if each.is_file()
    }


def test_every_entry_can_be_proven(signed: Ledger, keys: Path) -> None:
    trusted = trusting([LogSigner(keys, ORIGIN).key.verifier])
    for position, text in enumerate(texts(signed), start=1):
        proof = parse_proof(str(prover.inclusion(signed.entries, position)).encode())
        accepted = verify_proof(proof, text.encode(), trusted)
        assert (proof.index, accepted.checkpoint.size) == (position - 1, signed.last_position())


@pytest.mark.parametrize("position", [-1, 0, 10_000])
def test_a_position_that_does_not_exist_is_not_found(signed: Ledger, position: int) -> None:
    with pytest.raises(NotFound, match=f"no position {position}: the log has"):
        prover.inclusion(signed.entries, position)


def test_an_entry_that_no_checkpoint_covers_cannot_be_proved(
    signed: Ledger, place: Place, tmp_path: Path
) -> None:
    signed.close()
    with Ledger(place, log_keys=tmp_path / "nothing") as ledger:
        ledger.execute(login(BEIJING))
        last = ledger.last_position()
        with pytest.raises(NotFound, match="No checkpoint covers position") as raised:
            prover.inclusion(ledger.entries, last)
        assert "log checkpoint" in raised.value.remedy
        prover.inclusion(ledger.entries, 1)


def test_without_a_checkpoint_nothing_can_be_proved(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    with pytest.raises(NotFound, match="no checkpoint"):
        prover.inclusion(ledger.entries, 1)


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4), (4, 10_000)])
def test_sizes_that_the_log_never_had_are_refused(signed: Ledger, old: int, new: int) -> None:
    with pytest.raises(InvalidInput, match="has no consistency proof from"):
        prover.consistency(signed.entries, old, new)


def test_the_export_is_the_whole_log_in_files(signed: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    size = signed.last_position()
    assert static_export.export(signed.entries, folder) == (0, size)
    found = files(folder)
    entries = decode_bundle(found["tile/entries/000"], 256)
    entries += decode_bundle(found[f"tile/entries/001.p/{size - 256}"], size - 256)
    assert entries == [text.encode() for text in texts(signed)]
    assert found["checkpoint"].decode() == signed.entries.checkpoint()
    assert len(found) == 1 + 2 + sum(1 for _ in tiles_between(0, size))


def test_a_second_export_writes_what_is_new_and_deletes_replaced_partial_tiles(
    signed: Ledger, tmp_path: Path
) -> None:
    folder, anew = tmp_path / "site", tmp_path / "anew"
    before = signed.last_position()
    static_export.export(signed.entries, folder)
    full = (folder / "tile" / "0" / "000").stat()
    assert static_export.export(signed.entries, folder) == (before, before)
    for count in (1, 200, 300):
        signed.observe(traces(300 + count)[300:])
        signed.execute(login(f"region-{count}"))
        static_export.export(signed.entries, folder)
    static_export.export(signed.entries, anew)
    assert files(folder) == files(anew)
    assert (folder / "tile" / "0" / "000").stat().st_mtime_ns == full.st_mtime_ns


def test_an_exports_checkpoint_is_written_once_all_that_it_covers_is_on_the_disk(
    signed: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut, the next export trusts the checkpoint and writes only what is newer."""
    folder = tmp_path / "log"
    synced: list[set[str]] = []
    monkeypatch.setattr(durable_file, "sync_all", lambda: synced.append(set(files(folder))))
    static_export.export(signed.entries, folder)
    assert synced == [files(folder).keys() - {static_export.CHECKPOINT_FILE}]


def test_an_interrupted_export_is_completed_by_the_next(signed: Ledger, tmp_path: Path) -> None:
    """Until the new checkpoint is written, everything that the old one covers is there."""
    folder, anew = tmp_path / "site", tmp_path / "anew"
    static_export.export(signed.entries, folder)
    before = files(folder)
    signed.execute(login(BEIJING))

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        static_export.export(signed.entries, folder, interrupted)
    assert before.items() <= files(folder).items()
    static_export.export(signed.entries, folder)
    static_export.export(signed.entries, anew)
    assert files(folder) == files(anew)


def test_an_export_does_not_write_to_the_folder_of_another_log(
    signed: Ledger, tmp_path: Path, keys: Path
) -> None:
    folder = tmp_path / "site"
    with Ledger(tmp_path / "other" / "ledger.db", log_keys=keys) as other:
        signer = LogSigner(keys, "example.com/other")
        signer.key.create(other.location)
        other.sign(signer)
        static_export.export(other.entries, folder)
    before = files(folder)
    with pytest.raises(VerificationFailed, match=r"holds the log example\.com/other, not"):
        static_export.export(signed.entries, folder)
    assert files(folder) == before


@pytest.mark.parametrize("size", [200, 500])
def test_an_export_does_not_overwrite_another_history(
    signed: Ledger, tmp_path: Path, keys: Path, size: int
) -> None:
    """It is evidence that one of the two was rewritten, whether it is shorter or longer."""
    folder = tmp_path / "site"
    LogSigner(keys, ORIGIN).key.folder.joinpath("last-checkpoint").unlink()
    with Ledger(tmp_path / "other" / "ledger.db", log_keys=keys) as other:
        other.observe(traces(size)[1:])
        other.sign(LogSigner(keys, ORIGIN))
        static_export.export(other.entries, folder)
    before = files(folder)
    with pytest.raises(VerificationFailed, match="holds another history"):
        static_export.export(signed.entries, folder)
    assert files(folder) == before


def test_an_export_does_not_write_to_a_folder_with_other_files(
    signed: Ledger, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "checkpoint").write_text("my notes")
    with pytest.raises(VerificationFailed, match="is not a valid checkpoint"):
        static_export.export(signed.entries, folder)
    assert files(folder) == {"checkpoint": b"my notes"}


# -- a damaged ledger ----------------------------------------------------------------------------


@pytest.mark.parametrize("alteration", ["DELETE FROM tiles", "UPDATE tiles SET data = x'00'"])
def test_a_proof_from_damaged_tiles_fails_with_the_tile(
    signed: Ledger, path: Path, alteration: str
) -> None:
    with raw(path) as db:
        db.execute(f"{alteration} WHERE level = 0 AND tile = 0")
    with pytest.raises(VerificationFailed, match="The log of this ledger is damaged: tile/0/000"):
        prover.consistency(signed.entries, 1, 300)


@pytest.mark.parametrize(
    ("alteration", "finding"),
    [
        ("DELETE FROM tiles WHERE level = 1", r"tile/1/000\.p/1 is missing or cut off"),
        ("DELETE FROM events WHERE position = 3", "missing between the positions 1 and 256"),
    ],
)
def test_a_damaged_ledger_is_not_exported(
    signed: Ledger, path: Path, tmp_path: Path, alteration: str, finding: str
) -> None:
    with raw(path) as db:
        db.execute("DROP TRIGGER events_are_never_deleted")
        db.execute(alteration)
    folder = tmp_path / "site"
    with pytest.raises(VerificationFailed, match=finding):
        static_export.export(signed.entries, folder)
    assert not (folder / "checkpoint").exists()
