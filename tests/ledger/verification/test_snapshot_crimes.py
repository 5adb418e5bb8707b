"""A forged snapshot: `log verify` finds it, and no command decides on it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ledger.account.agency import AgencyDeletionAttempted, AttemptAgencyDeletion
from ledger.account.snapshot import to_text
from ledger.account.state import State
from ledger.account.usage import TemporaryCredentialIssued
from ledger.account.uses import Uses
from ledger.application import Ledger
from ledger.errors import Refused
from ledger.execution import seal
from ledger.execution.seal import Seal
from ledger.log.signer import LogSigner
from ledger.persistence.side_tables import SnapshotRow
from tests.ledger.execution.test_snapshots import changes
from tests.ledger.scenario import ACCOUNT, AGENCY, BEIJING, NOON, PROVIDER, consent, login, revoke
from tests.ledger.verification.crimes import ORIGIN, Scene, checkpoint
from tests.ledger.worlds import Clock, Place, raw, seen

STREAM = f"account:{PROVIDER}:{ACCOUNT}"
USES = f"usage:{PROVIDER}:{ACCOUNT}:{AGENCY}"


@pytest.fixture
def scene(
    place: Place, clock: Clock, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> Scene:
    """A signed ledger whose account has a snapshot."""
    keys = tmp_path_factory.mktemp("config")
    with Ledger(place, log_keys=keys, clock=clock) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.sign(signer)
        for command in consent(BEIJING):
            ledger.execute(command)
        ledger.observe([seen(f"c-{n}", each, at=NOON) for n, each in enumerate(changes(40))])
        pin = checkpoint(ledger)
    with Ledger(place, log_keys=keys, clock=clock) as ledger:
        ledger.account(PROVIDER, ACCOUNT)
        ledger.observe([seen("last", *changes(1, 99), at=NOON)])
    return Scene(place, keys, pin, tmp_path)


def snapshot(scene: Scene) -> SnapshotRow:
    with raw(scene.place) as db:
        (row,) = db.execute("SELECT stream, version, anchor, state FROM snapshots").fetchall()
    return SnapshotRow(*row)


def forge(scene: Scene, *, anchor: str | None = None) -> None:
    """An account in which nothing ever happened, at the version of the true snapshot."""
    empty = State(PROVIDER, ACCOUNT)
    empty.version = snapshot(scene).version
    with raw(scene.place) as db:
        db.execute("UPDATE snapshots SET state = ?", (to_text(empty),))
        if anchor is not None:
            db.execute("UPDATE snapshots SET anchor = ?", (anchor,))


def digest_of_entry(scene: Scene) -> str:
    """The anchor by which an older version of the program recognised a snapshot."""
    entry = entry_at(scene, snapshot(scene).version)
    return hashlib.sha256(entry.encode()).hexdigest()[:16]


def entry_at(scene: Scene, version: int) -> str:
    with raw(scene.place) as db:
        (entry,) = db.execute(
            "SELECT entry FROM events WHERE stream = ? AND version = ?", (STREAM, version)
        ).fetchone()
    return str(entry)


def test_an_empty_state_with_the_right_anchor_is_found(scene: Scene) -> None:
    forge(scene, anchor=digest_of_entry(scene))
    version = snapshot(scene).version
    assert scene.found(pin=True, record=True) == (
        f"snapshot of {STREAM}: its state is not the one that the first {version} entries of the "
        "stream give"
    )


def test_a_true_snapshot_is_not_a_finding(scene: Scene) -> None:
    assert snapshot(scene).version > 40
    assert scene.found(pin=True, record=True) == ""


def test_the_forged_uses_of_an_agency_are_found(scene: Scene, clock: Clock) -> None:
    used = TemporaryCredentialIssued(agency=AGENCY, region=BEIJING)
    with Ledger(scene.place, log_keys=scene.keys, clock=clock) as ledger:
        ledger.observe([seen(f"use-{n}", used, at=NOON) for n in range(40)])
    with Ledger(scene.place, log_keys=scene.keys, clock=clock) as ledger:
        ledger.execute(login(BEIJING))
    assert scene.found() == ""
    with raw(scene.place) as db:
        forged = to_text(Uses(PROVIDER, ACCOUNT, AGENCY, 40))
        db.execute("UPDATE snapshots SET state = ? WHERE stream = ?", (forged, USES))
    assert scene.found().startswith(f"snapshot of {USES}: its state is not the one")


@pytest.mark.parametrize(
    ("assignment", "finding"),
    [
        ("version = 1000", "it is of version 1000, but the stream has"),
        ("state = '[]'", "its state is not the one"),
        ("stream = 'other:x'", "it is of no account, and of no agency's uses"),
        ("stream = 'account:huaweicloud:nobody'", "but the stream has 0 entries"),
    ],
)
def test_a_snapshot_that_belongs_nowhere_is_found(
    scene: Scene, assignment: str, finding: str
) -> None:
    with raw(scene.place) as db:
        db.execute(f"UPDATE snapshots SET {assignment}")
    assert finding in scene.found()


def test_a_snapshot_of_another_program_is_passed_over_as_commands_do(scene: Scene) -> None:
    """It is said: nobody compared it."""
    with raw(scene.place) as db:
        db.execute('UPDATE snapshots SET state = replace(state, \'"state":"\', \'"state":"0\')')
    verdict = scene.verdict(pin=True, record=True)
    assert verdict.verified
    assert any(
        "1 snapshot of an account that another version" in each for each in verdict.unchecked
    )


@pytest.mark.parametrize("keeps_the_seal", [True, False], ids=["true seal", "old anchor"])
def test_a_revoke_does_not_follow_an_empty_state(
    scene: Scene, clock: Clock, keeps_the_seal: bool
) -> None:
    forge(scene, anchor=None if keeps_the_seal else digest_of_entry(scene))
    with Ledger(scene.place, log_keys=scene.keys, clock=clock) as ledger:
        outcome = ledger.execute(revoke(BEIJING))
    assert "AuthorizationRevoked" in [entry.type for entry in outcome.entries]


def test_a_protected_deletion_is_recorded_in_spite_of_an_empty_state(
    scene: Scene, clock: Clock
) -> None:
    forge(scene, anchor=digest_of_entry(scene))
    with (
        Ledger(scene.place, log_keys=scene.keys, clock=clock) as ledger,
        pytest.raises(Refused) as raised,
    ):
        ledger.execute(AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY))
    (attempt,) = [
        entry.event
        for entry in raised.value.entries
        if isinstance(entry.event, AgencyDeletionAttempted)
    ]
    assert BEIJING in attempt.impact_regions, "it says what the deletion would have ended"


@pytest.mark.parametrize("reason", ["another user", "open to others", "cut off", "no folder"])
def test_only_a_key_of_the_users_own_seals(scene: Scene, clock: Clock, reason: str) -> None:
    """Otherwise the entries are replayed, which is slower and never wrong."""
    path = scene.keys / seal.NAME
    keys: Path = scene.keys
    if reason == "another user":
        keys = scene.folder / "others"
    elif reason == "open to others":
        path.chmod(0o640)
    elif reason == "cut off":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    row = snapshot(scene)
    entry = entry_at(scene, row.version).encode()
    assert Seal(scene.keys).fits(row.anchor, STREAM, row.version, entry, row.state) == (
        reason == "another user"
    )
    assert not Seal(keys).fits(row.anchor, STREAM, row.version, entry, row.state)
    assert not Seal(None).fits(row.anchor, STREAM, row.version, entry, row.state)
    assert Seal(None).of(STREAM, row.version, entry, row.state) is None
    with Ledger(scene.place, log_keys=keys, clock=clock) as ledger:
        assert "AuthorizationRevoked" in [e.type for e in ledger.execute(revoke(BEIJING)).entries]
    assert (keys / seal.NAME).stat().st_mode & 0o777 == 0o600, "and a key is made"
