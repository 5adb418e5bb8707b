"""Key rotation: both keys sign during the overlap, and the old one signs the news of the new."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import KeyUnusable
from ledger.log.key_folder import LogKey
from ledger.log.signing_key import NewKey
from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.signing import Verifier, verify_note
from tests.ledger.scenario import BEIJING, SHANGHAI, login
from tests.ledger.worlds import ORIGIN, Place


def signed_by(place: Place, keys: Path, region: str = BEIJING) -> set[bytes]:
    """Append, and return the ids of the keys that signed the checkpoint; all must verify."""
    with Ledger(place, log_keys=keys) as ledger:
        note = ledger.execute(login(region)).checkpoint
    assert note is not None
    parsed = parse_note(note.encode())
    for verifier in LogKey(keys, ORIGIN).verifiers:
        verify_note(parsed, [verifier])
    return {each.key_id for each in parsed.signatures}


def test_both_keys_sign_until_the_old_one_is_retired(key: LogKey, keys: Path, place: Place) -> None:
    old = key.verifier
    key.rotate(NewKey.of(ORIGIN))
    assert key.verifier != old == key.previous
    assert signed_by(place, keys) == {old.key_id, key.verifier.key_id}
    key.retire()
    assert LogKey(keys, ORIGIN).previous is None
    assert signed_by(place, keys, SHANGHAI) == {key.verifier.key_id}
    with Ledger(place) as ledger:
        record = (key.folder / "last-checkpoint").read_text()
        assert record == ledger.entries.checkpoint(), "no bytes of the longer record are left"
    assert not list(key.folder.glob("previous*"))


def test_a_retired_key_no_longer_verifies_new_checkpoints(
    key: LogKey, keys: Path, place: Place
) -> None:
    old = key.verifier
    key.rotate(NewKey.of(ORIGIN))
    key.retire()
    with Ledger(place, log_keys=keys) as ledger:
        note = ledger.execute(login(BEIJING)).checkpoint
    assert note is not None
    with pytest.raises(NoteInvalid, match="No trusted key signed"):
        verify_note(parse_note(note.encode()), [old])


def test_a_second_rotation_is_refused_until_the_first_is_over(key: LogKey) -> None:
    key.rotate(NewKey.of(ORIGIN))
    with pytest.raises(KeyUnusable, match="rotation is not over"):
        key.rotate(NewKey.of(ORIGIN))


def test_the_previous_key_is_refused_if_other_users_can_read_it(
    key: LogKey, keys: Path, place: Place
) -> None:
    key.rotate(NewKey.of(ORIGIN))
    (key.folder / "previous.private.key").chmod(0o644)
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match=r"previous\.private\.key is open to other users"),
    ):
        ledger.execute(login(BEIJING))


@pytest.mark.parametrize("written", range(4))
def test_an_interrupted_rotation_can_be_repeated_and_the_old_key_still_signs(
    key: LogKey, keys: Path, place: Place, written: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = key.verifier
    left = iter([True] * written)
    write = LogKey._write

    def write_until_the_power_fails(self: LogKey, name: str, content: str) -> None:
        if not next(left, False):
            raise OSError("the power failed")
        write(self, name, content)

    with monkeypatch.context() as patched:
        patched.setattr(LogKey, "_write", write_until_the_power_fails)
        with pytest.raises(KeyUnusable, match="the power failed"):
            key.rotate(NewKey.of(ORIGIN))
    again = LogKey(keys, ORIGIN)
    assert again.verifier == old
    again.rotate(NewKey.of(ORIGIN))
    assert signed_by(place, keys) == {old.key_id, again.verifier.key_id}
    assert Verifier.parse(str(again.previous)) == old


def test_during_an_interrupted_rotation_only_the_old_key_signs_or_none(
    key: LogKey, keys: Path, place: Place
) -> None:
    old = key.verifier
    new = NewKey.of(ORIGIN)
    for name in ("private.key", "verifier.key"):
        (key.folder / f"previous.{name}").write_text((key.folder / name).read_text())
        (key.folder / f"previous.{name}").chmod(0o600)
    assert signed_by(place, keys) == {old.key_id}
    (key.folder / "private.key").write_text(f"{new.private_text}\n")
    with Ledger(place, log_keys=keys) as ledger:
        before = ledger.last_position()
        with pytest.raises(KeyUnusable, match="do not belong together"):
            ledger.execute(login(SHANGHAI))
        assert ledger.last_position() == before
    LogKey(keys, ORIGIN).rotate(new)
    assert len(signed_by(place, keys, SHANGHAI)) == 2
