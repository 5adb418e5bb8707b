"""A name that goes without an entry, or stays in spite of one, is found; none goes without one."""

from __future__ import annotations

import pytest

from ledger.application import Actor, Ledger
from ledger.copying.copy import copy
from ledger.persistence.as_is import AsIs
from ledger.persistence.side_tables import SideRows
from ledger.verification.verdict import verify
from tests.ledger.scenario import login
from tests.ledger.verification.crimes import Scene
from tests.ledger.worlds import raw


@pytest.fixture
def scene(small: Scene) -> Scene:
    with Ledger(small.place, log_keys=small.keys) as ledger:
        ledger.execute(login("cn-south-1"), actor=Actor("alice"))
    return small


def alice(scene: Scene) -> str:
    with raw(scene.place) as db:
        return str(db.execute("SELECT subject FROM subjects WHERE name = 'alice'").fetchone()[0])


def erase(scene: Scene, subject: str) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.erase(subject, actor=Actor("privacy office"))


def test_a_name_that_is_missing_without_an_erasure_is_found(scene: Scene) -> None:
    """So that nobody learns who it was."""
    subject = alice(scene)
    assert scene.found(pin=True, record=True) == ""
    with raw(scene.place) as db:
        db.execute("DELETE FROM subjects WHERE name = 'alice'")
    assert scene.found().startswith(
        f"subject {subject}: its name is missing, but no entry erases it"
    )


def test_a_name_that_was_erased_is_not_a_finding(scene: Scene) -> None:
    erase(scene, alice(scene))
    assert scene.found(pin=True, record=True) == ""


def test_a_name_that_is_there_in_spite_of_its_erasure_is_found(scene: Scene) -> None:
    with raw(scene.place) as db:
        row = db.execute("SELECT * FROM subjects WHERE name = 'alice'").fetchone()
    erase(scene, row[0])
    with raw(scene.place) as db:
        db.execute("INSERT INTO subjects VALUES (?, ?, ?, ?)", tuple(row))
    assert scene.found() == f"subject {row[0]}: an entry erases its name, but a name is stored"


def test_no_append_deletes_a_name_without_the_event(scene: Scene) -> None:
    subject = alice(scene)
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        ledger.entries.append([], SideRows(erased=[subject]))
        ledger.entries.append_as_is(AsIs(ledger.last_position(), erased=[subject]))
        stored = ledger.execute(login("cn-south-2"), actor=Actor("bob")).entries[-1]
        assert ledger.names([subject]) == {subject: "alice"}
        assert stored.position == ledger.last_position()
    assert scene.found(pin=True, record=True) == ""


def test_a_copy_of_a_ledger_whose_names_were_deleted_deletes_none_in_its_target(
    scene: Scene,
) -> None:
    subject, there = alice(scene), scene.folder / "there.db"
    with Ledger(scene.place, log_keys=scene.keys) as one, Ledger(there) as other:
        copy(one, other)
        with raw(scene.place) as db:
            db.execute("DELETE FROM subjects WHERE kind <> 'runner'")
        one.execute(login("cn-south-3"))
        copy(one, other)
        assert other.names([subject]) == {subject: "alice"}


def test_a_copy_without_names_is_verified_as_one(scene: Scene) -> None:
    there = scene.folder / "there.db"
    with Ledger(scene.place, log_keys=scene.keys) as one, Ledger(there) as other:
        copy(one, other, with_names=False)
        note = other.entries.checkpoint()
    keys = [scene.key.verifier]
    assert not verify(there, note, keys, pins={}).verified
    verdict = verify(there, note, keys, pins={}, without_names=True)
    assert verdict.verified
    (said,) = (each for each in verdict.unchecked if "names are missing" in each)
    assert said.endswith("this is said to be a copy without names")
