"""A log's key: where it is kept, what it signs, and what it refuses to sign."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import InvalidInput, KeyUnusable, LogForked, NotFound
from ledger.log.key_folder import LogKey
from ledger.log.signer import LogSigner
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.note import parse_note
from ledger.merkle.signing import verify_note
from ledger.merkle.tree import leaf_hash, tree_root
from tests.ledger.scenario import BEIJING, SHANGHAI, grant, login
from tests.ledger.worlds import ORIGIN, Place, raw, texts, traces


def verified(note: str | None, key: LogKey) -> Checkpoint:
    """Verify a checkpoint's signature, and parse it."""
    assert note is not None
    parsed = parse_note(note.encode())
    verify_note(parsed, [key.verifier])
    return parse_checkpoint(parsed.text)


def root_at(ledger: Ledger, size: int) -> bytes:
    return tree_root(leaf_hash(text.encode()) for text in texts(ledger)[:size])


# -- what it signs -------------------------------------------------------------------------------


def test_every_append_ends_with_a_checkpoint_that_covers_it(
    key: LogKey, keys: Path, place: Place
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        for command in (login(BEIJING), grant(BEIJING), login(SHANGHAI)):
            outcome = ledger.execute(command)
            receipt = verified(outcome.checkpoint, key)
            assert receipt == Checkpoint(
                ORIGIN, ledger.last_position(), root_at(ledger, ledger.last_position())
            )
        ledger.observe(traces(300))
        kept = verified(ledger.entries.checkpoint(), key)
        assert (kept.size, kept.root) == (kept.size, root_at(ledger, ledger.last_position()))
        assert key.last() == kept


def test_the_first_checkpoint_covers_entries_from_before_the_key(keys: Path, place: Place) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        ledger.observe(traces(20))
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        first = verified(ledger.sign(signer), signer.key)
        assert first == Checkpoint(ORIGIN, ledger.last_position(), root_at(ledger, first.size))


@pytest.mark.parametrize("every", [0, 5])
def test_a_setting_says_after_how_many_entries_a_checkpoint_is_signed(
    key: LogKey, keys: Path, place: Place, every: int
) -> None:
    with Ledger(place, log_keys=keys, checkpoint_every=every) as ledger:
        sizes = [0]
        for _ in range(12):
            outcome = ledger.execute(login(BEIJING))
            if outcome.checkpoint:
                sizes.append(verified(outcome.checkpoint, key).size)
        assert [b - a for a, b in itertools.pairwise(sizes)] == (
            [5] * (ledger.last_position() // 5) if every else []
        )


def test_without_the_key_appends_go_on_unsigned(key: LogKey, place: Place, tmp_path: Path) -> None:
    with Ledger(place, log_keys=tmp_path / "nothing here") as ledger:
        before = ledger.entries.checkpoint()
        assert ledger.execute(login(BEIJING)).checkpoint is None
        assert ledger.entries.checkpoint() == before
    with Ledger(place, log_keys=key.folder.parent) as ledger:
        receipt = verified(ledger.execute(login(BEIJING)).checkpoint, key)
        assert receipt.size == ledger.last_position(), "the unsigned entries are covered now"


def test_two_ledgers_sign_with_one_key(key: LogKey, keys: Path, place: Place) -> None:
    with Ledger(place, log_keys=keys) as one, Ledger(place, log_keys=keys) as other:
        for ledger in (one, other, other, one, other):
            receipt = verified(ledger.execute(login(BEIJING)).checkpoint, key)
            assert receipt.root == root_at(ledger, receipt.size)
            assert key.last() == receipt


def test_a_dry_run_and_a_command_that_appends_nothing_sign_nothing(
    key: LogKey, keys: Path, place: Place
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        before = ledger.entries.checkpoint()
        assert ledger.execute(login(SHANGHAI), dry_run=True).checkpoint is None
        assert ledger.execute(grant(BEIJING)).checkpoint is None
        assert ledger.entries.checkpoint() == before


# -- what it refuses to sign ---------------------------------------------------------------------


def test_appending_to_a_restored_older_copy_is_not_signed(
    key: LogKey, keys: Path, path: Path
) -> None:
    with Ledger(path, log_keys=keys) as ledger:
        ledger.execute(login(BEIJING))
    shutil.copy(path, path.with_name("copy"))
    with Ledger(path, log_keys=keys) as ledger:
        for _ in range(5):
            ledger.execute(login(BEIJING))
    path.with_name("copy").replace(path)
    with Ledger(path, log_keys=keys) as ledger:
        before = ledger.last_position()
        with pytest.raises(
            LogForked, match=r"has \d+ entries, but its key has already signed a checkpoint of \d+"
        ):
            ledger.execute(login(SHANGHAI))
        assert ledger.last_position() == before, "nothing is appended either"


def test_a_rewritten_history_is_not_signed(key: LogKey, keys: Path, path: Path) -> None:
    """Even if everything in the database agrees: the record is not in it."""
    with Ledger(path, log_keys=keys) as ledger:
        ledger.execute(login(BEIJING))
    other = path.with_name("other.db")
    with Ledger(other) as forged:
        for _ in range(4):
            forged.execute(login(SHANGHAI))
    with raw(path) as db, raw(other) as forgery:
        note = db.execute("SELECT note FROM checkpoint").fetchone()
        forgery.execute("INSERT INTO checkpoint VALUES (1, ?)", note)
    other.replace(path)
    with (
        Ledger(path, log_keys=keys) as ledger,
        pytest.raises(
            LogForked, match=r"entries of the log .* are not shown to be those that its key signed"
        ),
    ):
        ledger.execute(login(BEIJING))


def test_a_torn_record_stops_the_append(key: LogKey, keys: Path, place: Place) -> None:
    (key.folder / "last-checkpoint").write_text("example.com/authl")
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match="the signer's record, cannot be read") as raised,
    ):
        ledger.execute(login(BEIJING))
    assert "log verify" in raised.value.remedy


def test_a_record_is_never_replaced_by_an_older_checkpoint(
    key: LogKey, keys: Path, place: Place
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        older = ledger.execute(login(BEIJING)).checkpoint
        ledger.execute(login(BEIJING))
        newest = key.last()
        assert older is not None
        key.remember(older)
        assert key.last() == newest


# -- where it is kept ----------------------------------------------------------------------------


def test_only_the_owner_can_read_the_key(key: LogKey) -> None:
    assert stat.S_IMODE(key.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(each.stat().st_mode) for each in key.folder.iterdir()} == {0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_other_users_can_read_or_change_is_refused(
    key: LogKey, keys: Path, place: Place, mode: int
) -> None:
    (key.folder / "private.key").chmod(mode)
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match=f"is open to other users .mode {mode:o}") as raised,
    ):
        ledger.execute(login(BEIJING))
    assert "chmod go=" in raised.value.remedy


def test_a_key_folder_that_other_users_can_enter_is_refused(
    key: LogKey, keys: Path, place: Place
) -> None:
    key.folder.chmod(0o750)
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match="is open to other users"),
    ):
        ledger.execute(login(BEIJING))


def test_a_key_within_the_ledgers_folder_is_refused(path: Path) -> None:
    with pytest.raises(KeyUnusable, match="lies within the ledger's folder") as raised:
        LogKey(path.parent / "keys", ORIGIN).create(path)
    assert "AUTHLEDGER_LOG_KEYS" in raised.value.remedy
    assert not (path.parent / "keys").exists()


def test_an_existing_key_is_not_replaced(key: LogKey, place: Place) -> None:
    before = (key.folder / "private.key").read_bytes()
    with pytest.raises(KeyUnusable, match="has a key already"):
        LogKey(key.folder.parent, ORIGIN).create(place)
    assert (key.folder / "private.key").read_bytes() == before


def test_a_private_key_and_a_verifier_key_that_do_not_match_are_refused(
    key: LogKey, keys: Path, place: Place
) -> None:
    other = LogKey(keys, "other")
    other.create(place)
    shutil.copy(other.folder / "private.key", key.folder / "private.key")
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match="do not belong together"),
    ):
        ledger.execute(login(BEIJING))


def test_a_malformed_private_key_is_refused_and_not_shown(
    key: LogKey, keys: Path, place: Place
) -> None:
    (key.folder / "private.key").write_text("PRIVATE+KEY+secret-of-mine")
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match="is not a valid key") as raised,
    ):
        ledger.execute(login(BEIJING))
    assert "secret-of-mine" not in str(raised.value)


def test_a_log_name_that_no_key_can_have_is_refused(keys: Path, place: Place) -> None:
    with pytest.raises(InvalidInput, match="not a valid key name"):
        LogKey(keys, "a name").create(place)
    assert not LogKey(keys, "a name").exists


def test_a_missing_key_is_not_found(keys: Path) -> None:
    with pytest.raises(NotFound, match="no key of the log"):
        _ = LogKey(keys, ORIGIN).verifier


# -- a signer command ----------------------------------------------------------------------------


SCRIPT = """
import subprocess, sys, tempfile
with tempfile.NamedTemporaryFile() as text:
    text.write(sys.stdin.buffer.read())
    text.flush()
    done = subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", sys.argv[1], "-in", text.name],
        capture_output=True,
    )
sys.stderr.buffer.write(done.stderr)
sys.stdout.buffer.write(done.stdout)
sys.exit(done.returncode)
"""


@pytest.fixture
def kms(tmp_path: Path, place: Place, keys: Path) -> LogKey:
    """A log whose key is kept by openssl, behind a signer command."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    pem, script = tmp_path / "key.pem", tmp_path / "sign.py"
    script.write_text(SCRIPT)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", pem], check=True)
    der = subprocess.run(
        ["openssl", "pkey", "-in", pem, "-pubout", "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    from ledger.merkle.signing import Algorithm, Verifier

    verifier = Verifier(ORIGIN, Algorithm.ED25519, der[-32:])
    key = LogKey(keys, ORIGIN)
    key.create(place, command=f"{sys.executable} {script} {pem}", vkey=str(verifier))
    return key


def test_a_signer_command_signs_instead_of_a_private_key(
    kms: LogKey, keys: Path, place: Place
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        ledger.sign(LogSigner(keys, ORIGIN))
        assert verified(ledger.execute(login(BEIJING)).checkpoint, kms).size
    assert not (kms.folder / "private.key").exists()


@pytest.mark.parametrize(
    "answer",
    ["sys.exit('the KMS is asleep')", "sys.stdout.write('A' * 86 + '==')", "print('not base64!')"],
)
def test_a_signer_command_that_gives_no_valid_signature_stops_the_append(
    kms: LogKey, keys: Path, place: Place, answer: str
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        ledger.sign(LogSigner(keys, ORIGIN))
        command = f'{sys.executable} -c "import sys; {answer}"'
        (kms.folder / "signer-command").write_text(command)
    with Ledger(place, log_keys=keys) as ledger:
        with pytest.raises(KeyUnusable, match="did not give a valid signature") as raised:
            ledger.execute(login(BEIJING))
        assert ("asleep" in str(raised.value)) == ("asleep" in answer)
        assert ledger.last_position() == 0


def test_a_signer_command_that_other_users_can_change_is_refused(
    kms: LogKey, keys: Path, place: Place
) -> None:
    (kms.folder / "signer-command").chmod(0o622)
    with (
        Ledger(place, log_keys=keys) as ledger,
        pytest.raises(KeyUnusable, match="is open to other users"),
    ):
        ledger.sign(LogSigner(keys, ORIGIN))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_key_folder_that_cannot_be_written_is_an_error(tmp_path: Path, path: Path) -> None:
    folder = tmp_path / "readonly"
    folder.mkdir(mode=0o500)
    with pytest.raises(KeyUnusable, match="could not be written"):
        LogKey(folder, ORIGIN).create(path.parent / "elsewhere" / "ledger.db")
