"""A row in the table of command ids that was put in or altered is found, and never followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import CorruptEntry
from ledger.execution.repetition import command_digest
from ledger.verification.entries import verify_entries
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.verification.crimes import Scene
from tests.ledger.worlds import raw, traces

LATER = traces(301)[-1]
"""A trace that the ledger does not have yet."""


@pytest.fixture
def scene(small: Scene) -> Scene:
    return small


def put_in(scene: Scene, command_id: str, first: int, last: int, digest: str | None = None) -> None:
    with raw(scene.place) as db:
        values = (command_id, digest, first, last)
        db.execute("INSERT INTO commands VALUES (?, ?, ?, ?)", values)


def last_of(scene: Scene) -> int:
    with raw(scene.place) as db:
        return int(db.execute("SELECT max(position) FROM events").fetchone()[0])


@pytest.mark.parametrize("beyond", [1, 2, 100_000])
def test_a_row_beyond_the_last_position_is_found(scene: Scene, beyond: int) -> None:
    """The row was put in beforehand, so that a trace would be known when it came."""
    assert scene.found(pin=True, record=True) == ""
    last = last_of(scene)
    put_in(scene, LATER.command_id, last + beyond, last + beyond)
    assert (
        f"command {LATER.command_id}: it lists the positions {last + beyond} to {last + beyond}, "
        "which are not there"
    ) in scene.found()


@pytest.mark.parametrize("at", [1, 200, None], ids=["first", "middle", "beyond"])
def test_a_row_that_was_put_in_does_not_make_a_real_trace_known(
    scene: Scene, at: int | None
) -> None:
    last = last_of(scene)
    first = last + 1 if at is None else at
    put_in(scene, LATER.command_id, first, first)
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        with pytest.raises(CorruptEntry, match=f"command {LATER.command_id}: its row lists"):
            ledger.observe([LATER])
        assert ledger.last_position() == last
        (other,) = traces(302)[-1:]
        assert ledger.observe([other]).new_traces == 1, "another trace is appended"


def test_a_row_that_was_put_in_does_not_make_a_command_executed(scene: Scene) -> None:
    command = grant(BEIJING)
    put_in(scene, "nightly-1", 1, 1, command_digest(command))
    with (
        Ledger(scene.place, log_keys=scene.keys) as ledger,
        pytest.raises(CorruptEntry, match="command nightly-1: its row lists the positions 1 to 1"),
    ):
        ledger.execute(command, command_id="nightly-1")


def test_a_row_without_a_position_is_found(scene: Scene, path: Path) -> None:
    with raw(path) as db:
        db.execute("CREATE TABLE free (command_id TEXT, digest, first_position, last_position)")
        db.execute("INSERT INTO free SELECT * FROM commands")
        db.execute(
            "INSERT INTO free VALUES ('nowhere', NULL, NULL, NULL), ('text', NULL, 'x', 'y')"
        )
        db.execute("DROP TABLE commands")
        db.execute("ALTER TABLE free RENAME TO commands")
    found = scene.found().splitlines()
    assert [each for each in found if not each.startswith("schema, ")] == [
        "command nowhere: it lists the positions None to None, which are not there",
        "command text: it lists the positions x to y, which are not there",
    ]


def test_a_command_that_was_executed_is_known_as_before(scene: Scene) -> None:
    with Ledger(scene.place, log_keys=scene.keys) as ledger:
        first = ledger.execute(login("cn-south-1"), command_id="nightly-2")
        again = ledger.execute(login("cn-south-1"), command_id="nightly-2")
        assert again.repeated
        assert again.entries == first.entries
        known = traces(300)[-1]
        assert ledger.observe([known]).known_traces == 1
    assert scene.found(pin=True, record=True) == ""


@pytest.mark.parametrize("digest", ["1:" + 64 * "0", "as agreed"])
def test_an_altered_digest_of_a_trace_is_found(scene: Scene, digest: str) -> None:
    """With the digest of another copy, that copy would look like the first one."""
    one = traces(300)[7].command_id
    assert with_digests(scene) == ""
    with raw(scene.place) as db:
        db.execute("UPDATE commands SET digest = ? WHERE command_id = ?", (digest, one))
    assert with_digests(scene).startswith(f"command {one}: its digest is not")


def test_it_is_said_that_digests_are_not_checked_by_themselves(scene: Scene) -> None:
    assert any("--digests checks those of traces" in each for each in scene.verdict().unchecked)


def with_digests(scene: Scene) -> str:
    return "\n".join(map(str, verify_entries(scene.place, digests=True).findings))
