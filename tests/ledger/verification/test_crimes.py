"""The alterations that are possible with write access to a ledger, and the check that finds each.

Each alteration is made in the file itself, past triggers and column types, which do not stop
the file's owner. Where an alteration leaves a database in which everything agrees, only something
outside it shows the alteration: a checkpoint that somebody kept (a pin), or the signer's record.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.application import Ledger
from tests.ledger.scenario import login
from tests.ledger.verification.crimes import (
    VICTIM,
    Scene,
    checkpoint,
    forged,
    rebuild_log,
)
from tests.ledger.worlds import raw


@pytest.fixture
def scene(small: Scene) -> Scene:
    return small


def test_an_unaltered_ledger_has_no_findings(scene: Scene) -> None:
    verdict = scene.verdict(pin=True, record=True)
    assert verdict.verified
    assert verdict.checkpoint is not None
    assert verdict.verification.size == verdict.checkpoint.size > scene.pin.size > 256
    with scene.unprotected():
        pass
    assert scene.found() == "", "removing the protection alone is not a finding"


def test_the_verdict_names_the_tool_that_checks_the_indexes(scene: Scene) -> None:
    """The own check exists for files only."""
    (clause,) = (each for each in scene.verdict().unchecked if "indexes" in each)
    tool = "--indexes" if isinstance(scene.place, Path) else "pg_amcheck --heapallindexed"
    assert clause.endswith(f"({tool} checks that)")


# -- entries and columns -------------------------------------------------------------------------


def test_an_altered_entry_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        text = scene.altered(db, VICTIM, reason="as agreed")
        db.execute("UPDATE events SET entry = ? WHERE position = ?", (text, VICTIM))
    found = scene.found()
    assert "tile/0/000: the stored tile does not match the entries" in found
    assert "checkpoint: the first" in found
    assert "altered, removed, inserted or moved" in found


def test_an_entry_altered_with_all_tiles_is_found_by_the_checkpoint(
    scene: Scene,
) -> None:
    with scene.unprotected() as db:
        text = scene.altered(db, VICTIM, region="cn-south-1")
        db.execute("UPDATE events SET entry = ? WHERE position = ?", (text, VICTIM))
    rebuild_log(scene)
    assert scene.found().startswith("checkpoint: the first"), "the root was signed"


def test_nothing_else_in_a_row_could_disagree_with_its_entry(scene: Scene) -> None:
    """Each of the columns that can is altered by one of the tests below."""
    with raw(scene.place) as db:
        row = db.execute("SELECT * FROM events WHERE position = ?", (VICTIM,))
        assert [each[0] for each in row.description] == [
            *("position", "stream", "version", "topic", "entry")
        ]


def test_an_event_with_another_version_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE events SET version = 4711 WHERE position = ?", (VICTIM,))
    assert f"position {VICTIM}: the column version holds 4711, but the entry says" in scene.found()


def test_an_event_moved_to_another_stream_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute(
            "UPDATE events SET stream = 'account:huaweicloud:mine' WHERE position = ?", (VICTIM,)
        )
    found = scene.found()
    assert f"position {VICTIM}: the column stream holds 'account:huaweicloud:mine', but" in found
    assert "stream account:huaweicloud:mine: it has versions from" in found


def test_an_event_with_another_topic_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE events SET topic = 'PolicyDeleted.v1' WHERE position = ?", (VICTIM,))
    assert f"position {VICTIM}: the column topic holds 'PolicyDeleted.v1', but" in scene.found()


def test_an_event_of_an_unknown_topic_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        text = scene.altered(db, VICTIM, topic="Nothing.v1")
        db.execute(
            "UPDATE events SET entry = ?, topic = 'Nothing.v1' WHERE position = ?", (text, VICTIM)
        )
    assert "the topic 'Nothing.v1' is not known to this version of authledger" in scene.found()


# -- positions -----------------------------------------------------------------------------------


def test_an_event_removed_from_the_middle_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("DELETE FROM events WHERE position = ?", (VICTIM,))
    found = scene.found()
    assert f"position {VICTIM + 1}: expected position {VICTIM} here" in found
    assert "entries were deleted, an older copy replaced the ledger, or another" in found


def test_an_event_removed_with_the_later_ones_renumbered_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("DELETE FROM events WHERE position = ?", (VICTIM,))
        last = db.execute("SELECT max(position) FROM events").fetchone()[0]
        for position in range(VICTIM + 1, last + 1):
            db.execute(
                "UPDATE events SET position = ? WHERE position = ?", (position - 1, position)
            )
    rebuild_log(scene)
    found = scene.found()
    assert "but the ledger has" in found
    assert "does not list this position" in found, "the commands disagree too"


def test_a_renumbered_event_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE events SET position = 100000 WHERE position = ?", (VICTIM,))
    assert "position 100000: expected position" in scene.found()


def test_two_swapped_events_are_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        for old, new in ((VICTIM, -1), (VICTIM + 1, VICTIM), (-1, VICTIM + 1)):
            db.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))
    found = scene.found()
    assert "tile/0/000: the stored tile does not match the entries" in found
    assert "checkpoint: the first" in found


def test_an_inserted_event_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        last = db.execute("SELECT max(position) FROM events").fetchone()[0]
        db.execute(
            "INSERT INTO events SELECT ?, stream || 'x', version, topic, entry FROM events "
            "WHERE position = ?",
            (last + 1, VICTIM),
        )
    found = scene.found()
    assert f"position {last + 1}: the column stream holds" in found
    assert f"tail: the checkpoint covers {last} of {last + 1} entries" in found


def test_deleted_last_entries_are_found_by_the_checkpoint(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("DELETE FROM events WHERE position > 300")
    rebuild_log(scene)
    assert "entries, but the ledger has 300: entries were deleted" in scene.found()


def test_entries_that_no_checkpoint_covers_are_a_finding_as_deleting_them_is_not(
    scene: Scene,
) -> None:
    """It cannot be detected afterwards; so the verdict warns while there is such a tail."""
    with Ledger(scene.place, log_keys=scene.keys / "nothing") as unsigned:
        before = unsigned.last_position()
        unsigned.execute(login("cn-south-1"))
        after = unsigned.last_position()
    assert scene.found() == (
        f"tail: the checkpoint covers {before} of {after} entries: deleting later ones would go "
        "unnoticed; `authledger log checkpoint` signs one that covers all"
    )
    with scene.unprotected() as db:
        db.execute("DELETE FROM events WHERE position > ?", (before,))
        db.execute("DELETE FROM commands WHERE first_position > ?", (before,))
        db.execute(
            "DELETE FROM subjects WHERE 'subject:' || subject NOT IN (SELECT stream FROM events)"
        )
    rebuild_log(scene)
    assert scene.found(pin=True, record=True) == ""


# -- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alteration", "finding"),
    [
        ("entry || ' '", "not written as canonical JSON"),
        ("entry || '\n'", "not written as canonical JSON"),
        ("entry || '{}'", "not one line of JSON"),
        ("replace(entry, '{', '{ ')", "not written as canonical JSON"),
        ("""replace(entry, '"format":2', '"format":2,"format":2')""", "canonical JSON"),
        ("""replace(entry, '"format":2', '"format":2.0')""", "a number that is not whole"),
        ("""replace(entry, '"format":2', '"format":1')""", "format is 1, expected 2"),
        ("''", "not one line of JSON"),
        ("'[]'", "not an object"),
    ],
)
def test_an_entry_that_is_not_canonical_is_found(
    scene: Scene, alteration: str, finding: str
) -> None:
    """Trailing bytes, duplicate keys, other forms of the same JSON."""
    with scene.unprotected() as db:
        db.execute(f"UPDATE events SET entry = {alteration} WHERE position = ?", (VICTIM,))
    found = scene.found()
    assert f"position {VICTIM}: " in found
    assert finding in found


@pytest.mark.parametrize(
    ("alteration", "finding"),
    [
        ("CAST(entry AS BLOB)", "as bytes, not as text"),
        ("entry || char(0)", "not one line of JSON"),
        ("CAST(entry || x'ff' AS TEXT)", "is not valid UTF-8"),
    ],
)
def test_an_entry_that_is_not_text_is_found(
    scene: Scene, path: Path, alteration: str, finding: str
) -> None:
    """A BLOB for a text, NULs, invalid UTF-8: SQLite stores them, PostgreSQL cannot."""
    test_an_entry_that_is_not_canonical_is_found(scene, alteration, finding)


@pytest.mark.parametrize(
    ("alteration", "finding"),
    [
        ("CAST(topic AS BLOB)", "{0!r} as bytes, not as text"),
        ("topic || char(0)", r"'{0}\x00'"),
        ("CAST(topic || x'ff' AS TEXT)", r"'{0}\udcff'"),
    ],
)
def test_a_column_that_only_looks_the_same_is_found(
    scene: Scene, path: Path, alteration: str, finding: str
) -> None:
    with scene.unprotected() as db:
        (topic,) = db.execute("SELECT topic FROM events WHERE position = ?", (VICTIM,)).fetchone()
        db.execute(f"UPDATE events SET topic = {alteration} WHERE position = ?", (VICTIM,))
    assert (
        f"position {VICTIM}: the column topic holds {finding.format(topic)}, but the entry says "
        f"{topic!r}"
    ) in scene.found()


# -- the log -------------------------------------------------------------------------------------


def test_an_altered_tile_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE tiles SET data = ? WHERE level = 0 AND tile = 1", (bytes(32),))
    assert "the stored tile does not match the entries" in scene.found()


def test_a_removed_tile_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("DELETE FROM tiles WHERE level = 1")
    assert "tile/1/000.p/1: the stored tile is missing" in scene.found()


def test_an_added_tile_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("INSERT INTO tiles VALUES (0, 99, ?)", (bytes(32),))
    assert "tiles: the table has" in scene.found()


def test_a_removed_checkpoint_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("DELETE FROM checkpoint")
    assert "checkpoint: the ledger stores no checkpoint" in scene.found()


def test_an_altered_checkpoint_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE checkpoint SET note = replace(note, '\n3', '\n2')")
    assert "does not verify" in scene.found()


def test_a_checkpoint_is_not_believed_without_a_key(scene: Scene) -> None:
    assert "key: no verifier key was given" in "\n".join(
        map(str, scene.verdict(keys=[]).verification.findings)
    )


def test_another_history_under_another_key_is_found(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Everything agrees, but the key is not the one that the auditor was given."""
    true_key = scene.key.verifier
    forgery = forged(scene, tmp_path_factory.mktemp("forger"))
    assert forgery.found() == "", "under the forger's key everything agrees"
    found = forgery.verdict(keys=[true_key]).verification.findings
    assert "No trusted key signed the note" in str(found[0])


# -- what only a checkpoint kept outside shows ----------------------------------------------------


def test_a_restored_older_copy_is_found_by_a_pin_or_the_signers_record(
    scene: Scene, path: Path
) -> None:
    shutil.copy(path, path.with_name("copy"))
    with Ledger(path, log_keys=scene.keys) as ledger:
        ledger.execute(login("cn-south-1"))
        scene.pin = checkpoint(ledger)
    path.with_name("copy").replace(path)
    alone = scene.verdict()
    assert alone.verified, "by itself everything in it agrees"
    assert "whether an older, genuine copy replaced this ledger" in alone.unchecked[0]
    assert "pin: this checkpoint covers" in scene.found(pin=True)
    assert "the signer's record: this checkpoint covers" in scene.found(record=True)


def test_a_fork_signed_with_a_stolen_key_is_found_by_a_pin(scene: Scene) -> None:
    forgery = forged(scene, scene.keys)
    alone = forgery.verdict()
    assert alone.verified, "by itself everything in it agrees"
    assert "has the private key signed another history" in alone.unchecked[0]
    assert "pin: the first" in forgery.found(pin=True)


def test_a_deleted_command_is_found(scene: Scene) -> None:
    """So that a command could be executed twice."""
    with scene.unprotected() as db:
        db.execute(
            "DELETE FROM commands WHERE first_position = (SELECT 1 + max(last_position) "
            "FROM commands WHERE last_position < ?)",
            (VICTIM,),
        )
    assert "does not list this position" in scene.found()


def test_an_altered_name_is_found(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE subjects SET name = name || 'x'")
    assert "its stored kind, name and salt do not match its registration" in scene.found()


def test_only_the_first_hundred_findings_are_kept_and_all_are_counted(scene: Scene) -> None:
    with scene.unprotected() as db:
        db.execute("UPDATE events SET topic = 'x'")
    done = scene.verdict().verification
    assert len(done.findings) == 100
    assert done.count >= done.size
