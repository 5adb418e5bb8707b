"""What other hands did to a ledger does not get into its copy, and is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import LedgerError, VerificationFailed
from tests.ledger.copying.copies import contents, copied, filled, hands, small_parts
from tests.ledger.worlds import Place, raw, sound

Crime = Callable[[Any], object]
AT = 40


def sql(statement: str, *params: object) -> Crime:
    return lambda db: db.execute(statement, params)


def _renamed(db: Any) -> None:
    """Entry and columns agree; only the leaf knows."""
    (text,) = db.execute("SELECT entry FROM events WHERE position = ?", (AT,)).fetchone()
    changed = re.sub(r'"recorded_at":"2026', '"recorded_at":"2027', text)
    db.execute(
        "UPDATE events SET entry = ?, recorded_at = replace(recorded_at, '2026', '2027') "
        "WHERE position = ?",
        (changed, AT),
    )


def _moved(db: Any) -> None:
    for old, new in ((AT, -1), (AT + 1, AT), (-1, AT + 1)):
        db.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))


ENTRY = {
    "bytes in the place of a text": sql(
        "UPDATE events SET entry = CAST(entry AS BLOB) WHERE position = ?", AT
    ),
    "a text that is no UTF-8": sql(
        "UPDATE events SET entry = CAST(x'ff' AS TEXT) WHERE position = ?", AT
    ),
    "half a character": sql(
        "UPDATE events SET entry = replace(entry, 'cce', '\\ud800') WHERE position = ?", AT
    ),
    "a NUL": sql("UPDATE events SET entry = entry || char(0) WHERE position = ?", AT),
    "no text at all": sql("UPDATE events SET entry = 7 WHERE position = ?", AT),
    "white space": sql("UPDATE events SET entry = entry || ' ' WHERE position = ?", AT),
    "a topic of nobody": sql("UPDATE events SET topic = 'os:system' WHERE position = ?", AT),
    "a stream in bytes": sql("UPDATE events SET stream = x'ff' WHERE position = ?", AT),
    "another version": sql("UPDATE events SET version = 4711 WHERE position = ?", AT),
    "a column that disagrees": sql("UPDATE events SET account = 'x' WHERE position = ?", AT),
    "what only its leaf knows": _renamed,
    "two that changed places": _moved,
}


def spoiled(path: Path, crime: Crime) -> None:
    with hands(path) as db:
        crime(db)


def refused(source: Place, target: Place) -> LedgerError:
    with small_parts(16), pytest.raises(VerificationFailed) as raised:
        copied(source, target)
    return raised.value


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.db"
    filled(path)
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target.db"


@pytest.mark.parametrize("crime", ENTRY.values(), ids=ENTRY)
def test_an_altered_entry_is_named_and_only_what_stands_before_it_is_copied(
    source: Path, target: Path, crime: Crime
) -> None:
    before = contents(source)
    spoiled(source, crime)
    error = refused(source, target)
    assert error.message.startswith(f"position {AT}: ")
    sound(target)
    got = contents(target)["events"]
    assert 0 < len(got) < AT
    assert got == before["events"][: len(got)]


BESIDE = {
    "a tile is missing": (sql("DELETE FROM tiles WHERE level = 0"), "another number of leaves"),
    "a tile is cut off": (
        sql("UPDATE tiles SET data = substr(data, 1, 32) WHERE level = 0"),
        "another number of leaves",
    ),
    "a tile is a text": (sql("UPDATE tiles SET data = CAST(data AS TEXT)"), "leaves"),
    "a leaf is another": (
        sql("UPDATE tiles SET data = CAST(zeroblob(32) || substr(data, 33) AS BLOB)"),
        "position 1: the entry is not the one that the log has a leaf of",
    ),
    "an entry is gone": (
        sql("DELETE FROM events WHERE position = 40"),
        "another number of leaves",
    ),
    "the last entry is gone": (
        sql("DELETE FROM events WHERE position = (SELECT max(position) FROM events)"),
        "another number of leaves",
    ),
    "a command is gone": (
        sql("DELETE FROM commands WHERE command_id = 'two'"),
        "the one before ends at",
    ),
    "the last command is gone": (
        sql("DELETE FROM commands WHERE command_id = 'refused'"),
        r"position \d+: its command refused does not say that it appended it",
    ),
    "a command has another id": (
        sql("UPDATE commands SET command_id = 'twice' WHERE command_id = 'two'"),
        r"position \d+: its command two does not say that it appended it",
    ),
    "a command claims too much": (
        sql("UPDATE commands SET last_position = last_position + 9 WHERE command_id = 'refused'"),
        "command refused: it has the positions",
    ),
    "a command ends before it begins": (
        sql("UPDATE commands SET last_position = 0 WHERE command_id = 'two'"),
        "command two: it has the positions",
    ),
    "another name": (
        sql("UPDATE subjects SET name = 'mallory' WHERE name = 'user 2'"),
        "subject p-.*: the name that is kept is not the one that was registered",
    ),
    "a name that is no UTF-8": (
        sql("UPDATE subjects SET name = CAST(x'ff' AS TEXT) WHERE name = 'user 2'"),
        "subject p-",
    ),
    "no salt": (sql("UPDATE subjects SET salt = 'x' WHERE name = 'user 2'"), "subject p-"),
    "a checkpoint that is no UTF-8": (
        sql("INSERT INTO checkpoint VALUES (1, CAST(x'ff' AS TEXT))"),
        "checkpoint is none",
    ),
    "a digest that is no text": (
        sql("UPDATE commands SET digest = x'ff' WHERE command_id = 'two'"),
        "command two: its digest is no text",
    ),
    "a checkpoint that is none": (
        sql("INSERT INTO checkpoint VALUES (1, 'nothing')"),
        "checkpoint is none",
    ),
    "a checkpoint of another log": (
        sql(
            "INSERT INTO checkpoint VALUES (1, ?)",
            f"x\n3\n{'A' * 43}=\n\n\N{EM DASH} x AAAAAAAA\n",
        ),
        "checkpoint of 3 entries is not one of its log",
    ),
    "a checkpoint of what is not there": (
        sql(
            "INSERT INTO checkpoint VALUES (1, ?)",
            f"x\n3000\n{'A' * 43}=\n\n\N{EM DASH} x AAAAAAAA\n",
        ),
        "checkpoint of 3000 entries is not one of its log",
    ),
}


@pytest.mark.parametrize(("crime", "said"), BESIDE.values(), ids=BESIDE)
def test_what_was_altered_beside_the_entries_is_named(
    source: Path, target: Path, crime: Crime, said: str
) -> None:
    spoiled(source, crime)
    assert re.search(said, refused(source, target).message)
    sound(target)


def test_a_tile_above_the_leaves_that_is_another_is_named(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "long.db"
    filled(source, 600)
    spoiled(source, sql("UPDATE tiles SET data = zeroblob(length(data)) WHERE level = 1"))
    with pytest.raises(VerificationFailed, match=r"tile/1/000.p/2: the tile in .*long.db"):
        copied(source, target)
    sound(target)


@pytest.mark.parametrize(
    "crime",
    [
        sql("DELETE FROM tiles"),
        sql("UPDATE tiles SET data = CAST(data || zeroblob(32) AS BLOB) WHERE level = 0"),
        sql("DELETE FROM events WHERE position = (SELECT max(position) FROM events)"),
    ],
    ids=["no leaves", "a leaf too many", "an entry too few"],
)
def test_a_target_with_other_leaves_than_entries_is_not_gone_on_with(
    source: Path, target: Path, crime: Crime
) -> None:
    copied(source, target)
    spoiled(target, crime)
    with pytest.raises(VerificationFailed, match=f"The log of {target} is not whole"):
        copied(source, target)


def test_a_database_that_was_altered_is_found_out_as_well(source: Path, database: str) -> None:
    copied(source, database)
    with raw(database) as db:
        db.execute("DROP TRIGGER events_are_never_changed ON events")
        db.execute("UPDATE events SET account = 'x' WHERE position = ?", (AT,))
    error = refused(database, source.with_name("back.db"))
    assert error.message.startswith(f"position {AT}: the stored account is 'x'")
