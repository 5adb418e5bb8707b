"""The key signs only what this process appended, or verified and showed; never a thief's key."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import KeyUnusable, VerificationFailed
from ledger.log.key_events import KeyRotated
from ledger.log.signer import LogSigner
from ledger.log.signing_key import NewKey
from ledger.merkle.checkpoint import parse_checkpoint
from ledger.merkle.note import parse_note
from ledger.persistence.side_tables import SideRows
from ledger.verification.verdict import record_of, verify
from tests.ledger.scenario import BEIJING, SHANGHAI, grant, login
from tests.ledger.verification.crimes import ORIGIN, Scene
from tests.ledger.worlds import raw, unchecked


@pytest.fixture
def scene(small: Scene) -> Scene:
    return small


def signed_size(scene: Scene) -> int:
    with raw(scene.place) as db:
        (note,) = db.execute("SELECT note FROM checkpoint").fetchone()
    return parse_checkpoint(parse_note(note.encode()).text).size


def by_hand(scene: Scene, count: int = 2) -> tuple[int, int]:
    """Entries that a process without the key appends: their first and last position."""
    with Ledger(scene.place, log_keys=scene.folder / "none") as thief:
        first = thief.last_position() + 1
        for number in range(count):
            thief.execute(login(f"by-hand-{number}"))
        return first, thief.last_position()


def altered(scene: Scene) -> None:
    """The last entry is another one than its leaf."""
    with scene.unprotected() as db:
        (last,) = db.execute("SELECT max(position) FROM events").fetchone()
        text = scene.altered(db, last, reason="as agreed")
        db.execute("UPDATE events SET entry = ? WHERE position = ?", (text, last))


def test_a_tail_is_verified_and_shown_before_it_is_signed(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    first, last = by_hand(scene)
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        outcome = ledger.execute(grant("by-hand-0"))
        assert outcome.checkpoint is not None
        assert signed_size(scene) == ledger.last_position()
        assert f"The positions {first} to {last} were appended without a signature" in caplog.text
        caplog.clear()
        ledger.execute(login("cn-south-1"))
        assert caplog.text == ""
    assert scene.found(pin=True, record=True) == ""


def test_a_tail_that_is_not_sound_is_never_signed(scene: Scene) -> None:
    by_hand(scene)
    altered(scene)
    before = signed_size(scene)
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        with pytest.raises(VerificationFailed, match="the stored tile does not match"):
            ledger.execute(login("cn-south-1"))
        with pytest.raises(VerificationFailed, match="the stored tile does not match"):
            ledger.sign(LogSigner(scene.keys, ORIGIN))
    assert signed_size(scene) == before


def test_an_entry_of_a_tail_that_no_command_lists_is_never_signed(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.folder / "none") as thief:
        event = thief.entries.select_notifications(thief.last_position(), 1)[0]
        fields = json.loads(event.state) | {"version": event.originator_version + 1}
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        stored = type(event)(
            id=0,
            originator_id=event.originator_id,
            originator_version=event.originator_version + 1,
            topic=event.topic,
            state=text.encode(),
        )
        unchecked(thief).entries.append([stored], SideRows())
    with (
        Ledger(scene.place, log_keys=scene.keys) as ledger,
        pytest.raises(VerificationFailed, match="does not list this position"),
    ):
        ledger.execute(login("cn-south-1"))


def test_the_old_key_never_vouches_for_a_key_that_a_thief_announced(scene: Scene) -> None:
    """The entry is a good one. But only the holder of the old key appends such entries."""
    thiefs = NewKey.of(ORIGIN)
    with Ledger(scene.place, log_keys=scene.folder / "none") as thief:
        thief.append_event(KeyRotated(log=ORIGIN, verifier_key=thiefs.vkey))
    before = signed_size(scene)
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        for sign in (
            lambda: ledger.execute(login("cn-south-1")),
            lambda: ledger.sign(LogSigner(scene.keys, ORIGIN)),
        ):
            with pytest.raises(VerificationFailed, match=f"with the key of the log {ORIGIN}"):
                sign()
    assert signed_size(scene) == before


def test_the_holder_of_the_key_announces_another(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.append_event(KeyRotated(log=ORIGIN, verifier_key=NewKey.of(ORIGIN).vkey))
        assert signed_size(scene) == ledger.last_position()


def test_a_forged_checkpoint_in_the_ledger_does_not_hide_a_tail(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """The size in a note counts only with the key's signature."""
    _, last = by_hand(scene)
    with raw(scene.place) as db:
        (note,) = db.execute("SELECT note FROM checkpoint").fetchone()
        lines = note.split("\n")
        db.execute(
            "UPDATE checkpoint SET note = ?", ("\n".join([lines[0], str(last), *lines[2:]]),)
        )
    altered(scene)
    with (
        Ledger(scene.place, log_keys=scene.keys) as ledger,
        pytest.raises(VerificationFailed, match="the stored tile does not match"),
    ):
        ledger.execute(login("cn-south-1"))


def test_a_forged_checkpoint_hides_no_earlier_entry_of_a_tail_without_a_record(
    scene: Scene,
) -> None:
    first, last = by_hand(scene, 6)
    with scene.unprotected() as db:
        text = scene.altered(db, first, reason="as agreed")
        db.execute("UPDATE events SET entry = ? WHERE position = ?", (text, first))
        (note,) = db.execute("SELECT note FROM checkpoint").fetchone()
        lines = note.split("\n")
        db.execute(
            "UPDATE checkpoint SET note = ?", ("\n".join([lines[0], str(last - 1), *lines[2:]]),)
        )
    (scene.key.folder / "last-checkpoint").unlink()
    with (
        Ledger(scene.place, log_keys=scene.keys) as ledger,
        pytest.raises(VerificationFailed, match="the stored tile does not match"),
    ):
        ledger.execute(login("cn-south-1"))


def test_a_log_that_begins_on_an_old_ledger_is_verified_first(
    place: Path | str, tmp_path: Path, keys: Path
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        ledger.execute(login(BEIJING))
        ledger.execute(login(SHANGHAI))
    altered(Scene(place, keys, None, tmp_path))  # type: ignore[arg-type]
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        with pytest.raises(VerificationFailed, match="the stored tile does not match"):
            ledger.sign(signer)
        assert ledger.entries.checkpoint() is None


def test_several_processes_with_the_key_sign_in_turn_and_show_nothing(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        Ledger(scene.place, log_keys=scene.keys) as one,
        Ledger(scene.place, log_keys=scene.keys) as other,
    ):
        for number in range(3):
            assert one.execute(login(f"one-{number}")).checkpoint
            assert other.execute(login(f"other-{number}")).checkpoint
    assert caplog.text == ""


# -- the record ----------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"example.com/authl"], ids=["emptied", "cut off"])
def test_an_empty_or_cut_off_record_is_never_taken_for_none(scene: Scene, content: bytes) -> None:
    (scene.key.folder / "last-checkpoint").write_bytes(content)
    with (
        Ledger(scene.place, log_keys=scene.keys) as ledger,
        pytest.raises(KeyUnusable, match="the signer's record, cannot be read"),
    ):
        ledger.execute(login("cn-south-1"))
    with pytest.raises(KeyUnusable, match="the signer's record, cannot be read"):
        scene.key.last()


def test_an_empty_or_missing_record_is_a_finding(scene: Scene) -> None:
    """Where the key is, so that an older copy of the ledger cannot be put in its place."""
    path = scene.key.folder / "last-checkpoint"
    last, fault = record_of(scene.key)
    assert (last is not None, fault) == (True, "")
    path.write_bytes(b"")
    assert "the signer's record, cannot be read" in found_with_record(scene)
    path.unlink()
    assert "the signer's record, is missing, although the key is here" in found_with_record(scene)
    (scene.key.folder / "private.key").unlink()
    assert found_with_record(scene) == "", "an auditor has the verifier key alone"


def found_with_record(scene: Scene) -> str:
    record, fault = record_of(scene.key)
    with raw(scene.place) as db:
        (note,) = db.execute("SELECT note FROM checkpoint").fetchone()
    keys = [scene.key.verifier]
    done = verify(scene.place, note, keys, pins={}, record=record, record_fault=fault)
    return "\n".join(map(str, done.verification.findings))


def test_without_a_record_the_ledgers_own_checkpoint_is_continued(scene: Scene) -> None:
    (scene.key.folder / "last-checkpoint").unlink()
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        assert ledger.execute(login("cn-south-1")).checkpoint
    last = scene.key.last()
    assert last is not None
    assert last.size == signed_size(scene)


# -- without the key -----------------------------------------------------------------------------


def test_an_append_without_the_key_says_once_that_it_is_not_signed(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    with Ledger(scene.place, log_keys=scene.folder / "none") as ledger:
        assert ledger.execute(login("cn-south-1")).checkpoint is None
        ledger.execute(login("cn-south-2"))
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        f"The key of the log {ORIGIN} is not here: what is appended is not signed."
    )


def test_an_append_without_the_key_is_refused_if_a_signature_is_required(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.folder / "none", require_signature=True) as ledger:
        last = ledger.last_position()
        with pytest.raises(KeyUnusable, match="Nothing was appended"):
            ledger.execute(login("cn-south-1"))
        assert ledger.last_position() == last


def test_an_append_over_a_tail_is_refused_if_a_signature_is_required(scene: Scene) -> None:
    by_hand(scene)
    with Ledger(scene.place, log_keys=scene.keys, require_signature=True) as ledger:
        with pytest.raises(KeyUnusable, match=r"Nothing was appended: a signature is required\."):
            ledger.execute(login("cn-south-1"))
        ledger.sign(LogSigner(scene.keys, ORIGIN))
        assert ledger.execute(login("cn-south-1")).checkpoint
