"""Proofs and the static export: what is asked for, what cannot be, and what grew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger import durable_file
from ledger.application import Ledger
from ledger.errors import InvalidInput, NotFound, VerificationFailed
from ledger.log import prover
from ledger.log.signer import LogSigner
from ledger.merkle.policy import trusting
from ledger.merkle.tiles import decode_bundle, tiles_between
from ledger.merkle.tlogproof import parse_proof, verify_proof
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import Place, texts, traces

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
    ledger.entries.sign(signer)
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
def test_a_position_that_is_not_there_is_not_found(signed: Ledger, position: int) -> None:
    with pytest.raises(NotFound, match=f"no position {position}; the last is"):
        prover.inclusion(signed.entries, position)


def test_an_entry_that_no_checkpoint_covers_is_told(
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


def test_without_a_checkpoint_there_is_nothing_to_prove(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    with pytest.raises(NotFound, match="no checkpoint"):
        prover.inclusion(ledger.entries, 1)


@pytest.mark.parametrize(("old", "new"), [(5, 4), (-1, 4), (4, 10_000)])
def test_sizes_that_are_none_are_told(signed: Ledger, old: int, new: int) -> None:
    with pytest.raises(InvalidInput, match="has no proof from"):
        prover.consistency(signed.entries, old, new)


def test_the_export_is_the_whole_log_in_files(signed: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    size = signed.last_position()
    assert prover.export(signed.entries, folder) == (0, size)
    found = files(folder)
    entries = decode_bundle(found["tile/entries/000"], 256)
    entries += decode_bundle(found[f"tile/entries/001.p/{size - 256}"], size - 256)
    assert entries == [text.encode() for text in texts(signed)]
    assert found["checkpoint"].decode() == signed.entries.checkpoint()
    assert len(found) == 1 + 2 + sum(1 for _ in tiles_between(0, size))


def test_exporting_again_writes_what_grew_and_takes_away_what_is_partial_no_more(
    signed: Ledger, tmp_path: Path
) -> None:
    folder, anew = tmp_path / "site", tmp_path / "anew"
    before = signed.last_position()
    prover.export(signed.entries, folder)
    full = (folder / "tile" / "0" / "000").stat()
    assert prover.export(signed.entries, folder) == (before, before)
    for count in (1, 200, 300):
        signed.observe(traces(300 + count)[300:])
        signed.execute(login(f"region-{count}"))
        prover.export(signed.entries, folder)
    prover.export(signed.entries, anew)
    assert files(folder) == files(anew)
    assert (folder / "tile" / "0" / "000").stat().st_mtime_ns == full.st_mtime_ns


def test_an_export_that_broke_off_is_gone_on_with(signed: Ledger, tmp_path: Path) -> None:
    """Until the checkpoint is there, the one before still has all that it covers."""
    folder, anew = tmp_path / "site", tmp_path / "anew"
    prover.export(signed.entries, folder)
    before = files(folder)
    signed.execute(login(BEIJING))

    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prover.export(signed.entries, folder, breaks)
    assert before.items() <= files(folder).items()
    prover.export(signed.entries, folder)
    prover.export(signed.entries, anew)
    assert files(folder) == files(anew)


def test_an_exports_checkpoint_is_written_once_all_that_it_covers_is_on_the_disk(
    signed: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut, the next export trusts the checkpoint and writes only what is newer."""
    folder = tmp_path / "log"
    synced: list[set[str]] = []
    monkeypatch.setattr(durable_file, "sync_all", lambda: synced.append(set(files(folder))))
    prover.export(signed.entries, folder)
    assert synced == [files(folder).keys() - {prover.CHECKPOINT_FILE}]


def test_another_logs_folder_is_not_written_to(signed: Ledger, tmp_path: Path, keys: Path) -> None:
    folder = tmp_path / "site"
    with Ledger(tmp_path / "other" / "ledger.db", log_keys=keys) as other:
        signer = LogSigner(keys, "example.com/other")
        signer.key.create(other.location)
        other.entries.sign(signer)
        prover.export(other.entries, folder)
    before = files(folder)
    with pytest.raises(VerificationFailed, match=r"holds the log example\.com/other, not"):
        prover.export(signed.entries, folder)
    assert files(folder) == before


@pytest.mark.parametrize("size", [200, 500])
def test_another_history_is_not_written_over(
    signed: Ledger, tmp_path: Path, keys: Path, size: int
) -> None:
    """Whether it is shorter or longer: it is the proof that one of them was rewritten."""
    folder = tmp_path / "site"
    LogSigner(keys, ORIGIN).key.folder.joinpath("last-checkpoint").unlink()
    with Ledger(tmp_path / "other" / "ledger.db", log_keys=keys) as other:
        other.observe(traces(size)[1:])
        other.entries.sign(LogSigner(keys, ORIGIN))
        prover.export(other.entries, folder)
    before = files(folder)
    with pytest.raises(VerificationFailed, match="holds another history"):
        prover.export(signed.entries, folder)
    assert files(folder) == before


def test_a_folder_with_something_else_is_not_written_to(signed: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "checkpoint").write_text("my notes")
    with pytest.raises(VerificationFailed, match="is no checkpoint"):
        prover.export(signed.entries, folder)
    assert files(folder) == {"checkpoint": b"my notes"}
