"""What can be done to a ledger by who can write to its file, and by which check it shows.

Each crime is committed on the file itself, through other hands than ours; triggers and generated
columns stop nobody who owns the file. Where a crime leaves a database in which everything fits,
only what lies outside it tells: a checkpoint that somebody kept (a pin), or the signer's record.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.log.signer import LogSigner
from ledger.persistence.columns import DERIVED_COLUMNS
from tests.ledger.scenario import BEIJING, SHANGHAI, grant, login
from tests.ledger.verification.crimes import (
    ORIGIN,
    VICTIM,
    Scene,
    checkpoint,
    forged,
    log_made_anew,
)
from tests.ledger.worlds import Place, traces

DERIVED = ", ".join(DERIVED_COLUMNS)


@pytest.fixture
def scene(place: Place, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    keys = tmp_path_factory.mktemp("config")
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.entries.sign(signer)
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        ledger.observe(traces(300))
        pin = checkpoint(ledger)
        ledger.execute(login(SHANGHAI))
        ledger.execute(grant(SHANGHAI))
    return Scene(place, keys, pin, tmp_path)


def test_without_a_crime_nothing_is_found(scene: Scene) -> None:
    verdict = scene.verdict(pin=True, record=True)
    assert verdict.verified
    assert verdict.checkpoint is not None
    assert verdict.verification.size == verdict.checkpoint.size > scene.pin.size > 256
    with scene.hands():
        pass
    assert scene.found() == "", "bare hands alone leave no trace that is taken for a crime"


def test_it_says_who_looks_at_the_indexes(scene: Scene) -> None:
    """A look of our own there is for files only."""
    (said,) = (each for each in scene.verdict().unchecked if "indexes" in each)
    own = isinstance(scene.place, Path)
    assert said.endswith("(--indexes)" if own else "(pg_amcheck --heapallindexed)")


# -- entries and columns -------------------------------------------------------------------------


def test_an_entry_altered(scene: Scene) -> None:
    with scene.hands() as db:
        text = scene.altered(db, VICTIM, reason="as agreed")
        db.execute("UPDATE events SET entry = ? WHERE position = ?", (text, VICTIM))
    found = scene.found()
    assert "tile/0/000: the stored tile is not the one of the entries" in found
    assert "checkpoint: the first" in found
    assert "altered, taken out, put in or moved" in found


def test_an_entry_altered_with_its_columns_and_all_tiles(scene: Scene) -> None:
    with scene.hands() as db:
        text = scene.altered(db, VICTIM, region="cn-south-1")
        db.execute(
            "UPDATE events SET entry = ?, region = 'cn-south-1' WHERE position = ?", (text, VICTIM)
        )
    log_made_anew(scene)
    assert scene.found().startswith("checkpoint: the first"), "the root was signed"


def test_columns_altered_but_not_the_entry(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE events SET region = 'cn-south-1' WHERE position = ?", (VICTIM,))
    assert scene.found() == (
        f"position {VICTIM}: the stored region is 'cn-south-1', the entry's 'region-1'"
    )


@pytest.mark.parametrize("column", ["actor", "outcome", "effective_at", "recorded_at", "type"])
def test_any_other_column_altered(scene: Scene, column: str) -> None:
    with scene.hands() as db:
        db.execute(f"UPDATE events SET {column} = 'x' WHERE position = ?", (VICTIM,))
    assert f"position {VICTIM}: the stored {column} is 'x', the entry's" in scene.found()


def test_a_column_emptied(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE events SET region = NULL WHERE position = ?", (VICTIM,))
    assert f"position {VICTIM}: the stored region is absent, the entry's" in scene.found()


def test_an_event_moved_to_another_stream(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute(
            "UPDATE events SET stream = 'account:huaweicloud:mine' WHERE position = ?", (VICTIM,)
        )
    found = scene.found()
    assert f"position {VICTIM}: the stored stream is 'account:huaweicloud:mine', the" in found
    assert "stream account:huaweicloud:mine: its versions go from" in found


def test_an_event_retyped(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute(
            "UPDATE events SET topic = 'PolicyDeleted.v1', type = 'PolicyDeleted' "
            "WHERE position = ?",
            (VICTIM,),
        )
    assert (
        f"position {VICTIM}: the stored topic is 'PolicyDeleted.v1', the entry's" in scene.found()
    )


def test_an_event_of_an_unknown_type(scene: Scene) -> None:
    with scene.hands() as db:
        text = scene.altered(db, VICTIM, topic="Nothing.v1")
        db.execute(
            "UPDATE events SET entry = ?, topic = 'Nothing.v1', type = 'Nothing' "
            "WHERE position = ?",
            (text, VICTIM),
        )
    assert "the topic 'Nothing.v1' is none of this program's events" in scene.found()


# -- positions -----------------------------------------------------------------------------------


def test_an_event_removed_from_the_middle(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM events WHERE position = ?", (VICTIM,))
    found = scene.found()
    assert f"position {VICTIM + 1}: it follows on position {VICTIM - 1}" in found
    assert "an older copy was put in its place, or its end was cut off" in found


def test_an_event_removed_and_the_rest_moved_up(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM events WHERE position = ?", (VICTIM,))
        last = db.execute("SELECT max(position) FROM events").fetchone()[0]
        for position in range(VICTIM + 1, last + 1):
            db.execute(
                "UPDATE events SET position = ? WHERE position = ?", (position - 1, position)
            )
    log_made_anew(scene)
    found = scene.found()
    assert "the log has" in found
    assert "does not say that it appended it" in found, "the commands tell, too"


def test_an_event_renumbered(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE events SET position = 100000 WHERE position = ?", (VICTIM,))
    assert "position 100000: it follows on position" in scene.found()


def test_two_events_swapped(scene: Scene) -> None:
    with scene.hands() as db:
        for old, new in ((VICTIM, -1), (VICTIM + 1, VICTIM), (-1, VICTIM + 1)):
            db.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))
    found = scene.found()
    assert "tile/0/000: the stored tile is not the one of the entries" in found
    assert "checkpoint: the first" in found


def test_an_event_inserted(scene: Scene) -> None:
    with scene.hands() as db:
        last = db.execute("SELECT max(position) FROM events").fetchone()[0]
        db.execute(
            "INSERT INTO events SELECT ?, stream || 'x', version, topic, entry, type, "
            f"{DERIVED} FROM events WHERE position = ?",
            (last + 1, VICTIM),
        )
    found = scene.found()
    assert f"position {last + 1}: the stored stream is" in found
    assert "tail: no checkpoint covers the last 1 entries" in found


def test_the_tail_cut(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM events WHERE position > 300")
    log_made_anew(scene)
    assert "checkpoint: the log has 300 entries, and had" in scene.found()


def test_a_tail_that_no_checkpoint_covered_cut(scene: Scene) -> None:
    """Undetectable; so it is said as long as there is such a tail."""
    with Ledger(scene.place, log_keys=scene.keys / "nothing") as unsigned:
        before = unsigned.last_position()
        unsigned.execute(login("cn-south-1"))
        count = unsigned.last_position() - before
    assert scene.found() == (
        f"tail: no checkpoint covers the last {count} entries: they could be taken away unseen; "
        "`authledger log checkpoint` signs one"
    )
    with scene.hands() as db:
        db.execute("DELETE FROM events WHERE position > ?", (before,))
        db.execute("DELETE FROM commands WHERE first_position > ?", (before,))
        db.execute("DELETE FROM subjects WHERE subject NOT IN (SELECT actor FROM events)")
    log_made_anew(scene)
    assert scene.found(pin=True, record=True) == ""


# -- bytes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crime", "said"),
    [
        ("entry || ' '", "not written as canonical JSON"),
        ("entry || '\n'", "not written as canonical JSON"),
        ("entry || '{}'", "not one line of JSON"),
        ("replace(entry, '{', '{ ')", "not written as canonical JSON"),
        ("""replace(entry, '"format":1', '"format":1,"format":1')""", "canonical JSON"),
        ("""replace(entry, '"format":1', '"format":1.0')""", "a number that is not whole"),
        ("""replace(entry, '"format":1', '"format":2')""", "has the format 2, not 1"),
        ("''", "not one line of JSON"),
        ("'[]'", "not an object"),
    ],
)
def test_bytes_that_two_readers_would_read_differently(scene: Scene, crime: str, said: str) -> None:
    """Trailing bytes, duplicate keys, other spellings."""
    with scene.hands() as db:
        db.execute(f"UPDATE events SET entry = {crime} WHERE position = ?", (VICTIM,))
    found = scene.found()
    assert f"position {VICTIM}: " in found
    assert said in found


@pytest.mark.parametrize(
    ("crime", "said"),
    [
        ("CAST(entry AS BLOB)", "as bytes and no text"),
        ("entry || char(0)", "not one line of JSON"),
        ("CAST(entry || x'ff' AS TEXT)", "is no UTF-8"),
    ],
)
def test_bytes_that_are_no_text(scene: Scene, path: Path, crime: str, said: str) -> None:
    """A BLOB for a text, NULs, invalid UTF-8: PostgreSQL has no place for them, a file has."""
    test_bytes_that_two_readers_would_read_differently(scene, crime, said)


@pytest.mark.parametrize(
    ("crime", "said"),
    [
        ("CAST(region AS BLOB)", "'region-1', as bytes and no text"),
        ("region || char(0)", r"'region-1\x00'"),
        ("CAST(region || x'ff' AS TEXT)", r"'region-1\udcff'"),
    ],
)
def test_a_column_that_looks_the_same(scene: Scene, path: Path, crime: str, said: str) -> None:
    with scene.hands() as db:
        db.execute(f"UPDATE events SET region = {crime} WHERE position = ?", (VICTIM,))
    assert scene.found() == (
        f"position {VICTIM}: the stored region is {said}, the entry's 'region-1'"
    )


# -- the log -------------------------------------------------------------------------------------


def test_tiles_altered(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE tiles SET data = ? WHERE level = 0 AND tile = 1", (bytes(32),))
    assert "the stored tile is not the one of the entries" in scene.found()


def test_tiles_removed(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM tiles WHERE level = 1")
    assert "tile/1/000.p/1: the stored tile is missing" in scene.found()


def test_tiles_added(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("INSERT INTO tiles VALUES (0, 99, ?)", (bytes(32),))
    assert "tiles: there are" in scene.found()


def test_the_checkpoint_removed(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("DELETE FROM checkpoint")
    assert "checkpoint: there is none" in scene.found()


def test_the_checkpoint_altered(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE checkpoint SET note = replace(note, '\n3', '\n2')")
    assert "does not verify" in scene.found()


def test_a_checkpoint_of_nobody(scene: Scene) -> None:
    assert "key: none was given" in "\n".join(
        map(str, scene.verdict(keys=[]).verification.findings)
    )


def test_a_history_of_the_criminals_own_with_a_key_of_his_own(
    scene: Scene, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The key swapped: everything fits, but the key is not the one that the auditor was given."""
    true_key = scene.key.verifier
    forgery = forged(scene, tmp_path_factory.mktemp("criminal"))
    assert forgery.found() == "", "with the criminal's key all is well"
    found = forgery.verdict(keys=[true_key]).verification.findings
    assert "No trusted key signed the note" in str(found[0])


# -- what only somebody outside can tell ---------------------------------------------------------


def test_an_older_genuine_database_restored(scene: Scene, path: Path) -> None:
    shutil.copy(path, path.with_name("copy"))
    with Ledger(path, log_keys=scene.keys) as ledger:
        ledger.execute(login("cn-south-1"))
        scene.pin = checkpoint(ledger)
    path.with_name("copy").replace(path)
    alone = scene.verdict()
    assert alone.verified, "by itself it is a genuine ledger"
    assert "whether an older genuine copy was put in its place" in alone.unchecked[0]
    assert "pin: the log has" in scene.found(pin=True)
    assert "the signer's record: the log has" in scene.found(record=True)


def test_a_fork_signed_with_the_stolen_key(scene: Scene) -> None:
    forgery = forged(scene, scene.keys)
    alone = forgery.verdict()
    assert alone.verified, "by itself it is a genuine ledger"
    assert "signed with a stolen key" in alone.unchecked[0]
    assert "pin: the first" in forgery.found(pin=True)


def test_the_commands_altered(scene: Scene) -> None:
    """By which a command could be carried out twice."""
    with scene.hands() as db:
        db.execute(
            "DELETE FROM commands WHERE first_position = (SELECT 1 + max(last_position) "
            "FROM commands WHERE last_position < ?)",
            (VICTIM,),
        )
    assert "does not say that it appended it" in scene.found()


def test_a_name_put_behind_another_surrogate_id(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE subjects SET name = name || 'x'")
    assert "the name that is kept is not the one that was registered" in scene.found()


def test_findings_without_end_are_counted(scene: Scene) -> None:
    with scene.hands() as db:
        db.execute("UPDATE events SET region = 'x'")
    done = scene.verdict().verification
    assert len(done.findings) == 100
    assert done.count >= done.size
