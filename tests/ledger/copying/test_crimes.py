"""Altered rows of a ledger are not copied, and the error says where they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.errors import LedgerError, VerificationFailed
from tests.ledger.copying.copies import contents, copied, filled, small_parts
from tests.ledger.unprotected import unprotected
from tests.ledger.worlds import Place, raw, sound

Crime = Callable[[Any], object]
AT = 42


def sql(statement: str, *params: object) -> Crime:
    return lambda db: db.execute(statement, params)


def _renamed(db: Any) -> None:
    """The row agrees with its entry; only the leaf shows it."""
    (text,) = db.execute("SELECT entry FROM events WHERE position = ?", (AT,)).fetchone()
    changed = re.sub(r'"recorded_at":"2026', '"recorded_at":"2027', text)
    db.execute("UPDATE events SET entry = ? WHERE position = ?", (changed, AT))


def _moved(db: Any) -> None:
    for old, new in ((AT, -1), (AT + 1, AT), (-1, AT + 1)):
        db.execute("UPDATE events SET position = ? WHERE position = ?", (new, old))


ENTRY = {
    "bytes in the place of a text": sql(
        "UPDATE events SET entry = CAST(entry AS BLOB) WHERE position = ?", AT
    ),
    "a text that is not UTF-8": sql(
        "UPDATE events SET entry = CAST(x'ff' AS TEXT) WHERE position = ?", AT
    ),
    "half a character": sql(
        "UPDATE events SET entry = replace(entry, 'cce', '\\ud800') WHERE position = ?", AT
    ),
    "a NUL": sql("UPDATE events SET entry = entry || char(0) WHERE position = ?", AT),
    "a number in the place of a text": sql("UPDATE events SET entry = 7 WHERE position = ?", AT),
    "white space": sql("UPDATE events SET entry = entry || ' ' WHERE position = ?", AT),
    "an unknown topic": sql("UPDATE events SET topic = 'os:system' WHERE position = ?", AT),
    "a stream in bytes": sql("UPDATE events SET stream = x'ff' WHERE position = ?", AT),
    "another version": sql("UPDATE events SET version = 4711 WHERE position = ?", AT),
    "another stream": sql("UPDATE events SET stream = 'x' WHERE position = ?", AT),
    "a change that only the leaf shows": _renamed,
    "two swapped entries": _moved,
}


def spoiled(path: Path, crime: Crime) -> None:
    with unprotected(path) as db:
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
def test_an_altered_entry_is_named_and_only_entries_before_it_are_copied(
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
        "position 1: the entry does not match its leaf in the log",
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
        "expected to start at",
    ),
    "the last command is gone": (
        sql("DELETE FROM commands WHERE command_id = 'refused'"),
        r"position \d+: its command refused does not list this position",
    ),
    "a command has another id": (
        sql("UPDATE commands SET command_id = 'twice' WHERE command_id = 'two'"),
        r"position \d+: its command two does not list this position",
    ),
    "a command claims too much": (
        sql("UPDATE commands SET last_position = last_position + 9 WHERE command_id = 'refused'"),
        "command refused: it lists the positions",
    ),
    "a command ends before it begins": (
        sql("UPDATE commands SET last_position = 0 WHERE command_id = 'two'"),
        "command two: it lists the positions",
    ),
    "another name": (
        sql("UPDATE subjects SET name = 'mallory' WHERE name = 'user 2'"),
        "subject p-.*: its stored kind, name and salt do not match its registration",
    ),
    "a name that is not UTF-8": (
        sql("UPDATE subjects SET name = CAST(x'ff' AS TEXT) WHERE name = 'user 2'"),
        "subject p-",
    ),
    "no salt": (sql("UPDATE subjects SET salt = 'x' WHERE name = 'user 2'"), "subject p-"),
    "a checkpoint that is not UTF-8": (
        sql("INSERT INTO checkpoint VALUES (1, CAST(x'ff' AS TEXT))"),
        "checkpoint cannot be read",
    ),
    "a digest that is not a text": (
        sql("UPDATE commands SET digest = x'ff' WHERE command_id = 'two'"),
        "command two: its digest is not a text",
    ),
    "a checkpoint that is not valid": (
        sql("INSERT INTO checkpoint VALUES (1, 'nothing')"),
        "checkpoint cannot be read",
    ),
    "a checkpoint of another log": (
        sql(
            "INSERT INTO checkpoint VALUES (1, ?)",
            f"x\n3\n{'A' * 43}=\n\n\N{EM DASH} x AAAAAAAA\n",
        ),
        "checkpoint of 3 entries does not match its log",
    ),
    "a checkpoint of more entries": (
        sql(
            "INSERT INTO checkpoint VALUES (1, ?)",
            f"x\n3000\n{'A' * 43}=\n\n\N{EM DASH} x AAAAAAAA\n",
        ),
        "checkpoint of 3000 entries does not match its log",
    ),
}


@pytest.mark.parametrize(("crime", "said"), BESIDE.values(), ids=BESIDE)
def test_an_altered_row_in_another_table_is_named(
    source: Path, target: Path, crime: Crime, said: str
) -> None:
    spoiled(source, crime)
    assert re.search(said, refused(source, target).message)
    sound(target)


def test_an_altered_tile_above_the_leaves_is_named(tmp_path: Path, target: Path) -> None:
    source = tmp_path / "long.db"
    filled(source, 600)
    spoiled(source, sql("UPDATE tiles SET data = zeroblob(length(data)) WHERE level = 1"))
    with pytest.raises(
        VerificationFailed, match=r"tile/1/000.p/2: the tiles in .*long.db and .* differ"
    ):
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
def test_a_target_that_has_not_one_leaf_for_each_entry_is_refused(
    source: Path, target: Path, crime: Crime
) -> None:
    copied(source, target)
    spoiled(target, crime)
    with pytest.raises(VerificationFailed, match=f"The log of {target} is damaged"):
        copied(source, target)


def test_an_altered_entry_in_postgresql_is_named_too(source: Path, database: str) -> None:
    copied(source, database)
    with raw(database) as db:
        db.execute("DROP TRIGGER events_are_never_changed ON events")
        db.execute("UPDATE events SET stream = 'x' WHERE position = ?", (AT,))
    error = refused(database, source.with_name("back.db"))
    assert error.message.startswith(f"position {AT}: the column stream holds 'x'")


def test_a_tile_that_is_deleted_in_the_target_during_the_copy_is_not_blamed_on_the_source(
    source: Path, target: Path
) -> None:
    def damage(_: str, done: int, total: int) -> None:
        if done == total:
            with unprotected(target) as db:
                db.execute("DELETE FROM tiles WHERE level = 0")

    with pytest.raises(VerificationFailed, match=r"the tiles in .* and .* differ") as raised:
        copied(source, target, on_progress=damage)
    assert str(target) in raised.value.message
    assert "run `authledger log verify` on both" in raised.value.remedy
    assert contents(target)["events"] == contents(source)["events"]
