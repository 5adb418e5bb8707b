"""Every append adds its entries to the Merkle log as leaves, in the same transaction."""

from __future__ import annotations

from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError

from ledger.application import Ledger
from ledger.errors import CorruptEntry
from ledger.merkle.tiles import TileHashes, tiles_between
from ledger.merkle.tree import frontier_of, leaf_hash, tree_root
from ledger.persistence.side_tables import SideRows
from tests.ledger.scenario import BEIJING, SHANGHAI, grant, login
from tests.ledger.worlds import Place, raw, texts, traces


def root(ledger: Ledger) -> bytes:
    """The root that the stored tiles give."""
    size = ledger.entries.tree_size()
    return frontier_of(size, TileHashes(size, ledger.entries.read_tile)).root()


def root_of_entries(ledger: Ledger) -> bytes:
    """The root that the entries give."""
    return tree_root(leaf_hash(text.encode()) for text in texts(ledger))


def test_the_leaves_are_the_entries_in_the_order_of_their_positions(ledger: Ledger) -> None:
    assert ledger.entries.tree_size() == 0
    ledger.execute(login(BEIJING))
    ledger.execute(grant(BEIJING))
    ledger.observe(traces(300))
    ledger.execute(login(SHANGHAI))
    assert ledger.entries.tree_size() == ledger.last_position() > 300
    assert root(ledger) == root_of_entries(ledger)


def test_two_ledgers_that_append_by_turns_grow_one_tree(place: Place) -> None:
    with Ledger(place) as one, Ledger(place) as other:
        for ledger in (one, other, other, one, other, one):
            ledger.execute(login(BEIJING))
        assert root(one) == root(other) == root_of_entries(one)


def test_an_append_that_was_rolled_back_adds_no_leaf(ledger: Ledger, place: Place) -> None:
    """Even if another process then appends as many entries."""
    ledger.execute(login(BEIJING))
    stored = ledger.mapper.to_stored_event(next(ledger.history()))
    stored = type(stored)(stored.originator_id, 2, stored.topic, stored.state)
    with pytest.raises(IntegrityError):
        ledger.entries.append([stored], SideRows(relied=["p-00000000000000000000"]))
    with Ledger(place) as other:
        other.entries.append([stored], SideRows())
    ledger.execute(login(SHANGHAI))
    assert root(ledger) == root_of_entries(ledger)


def test_each_tile_of_the_standard_is_a_row(ledger: Ledger) -> None:
    ledger.observe(traces(300))
    size = ledger.last_position()
    for level, index, width in tiles_between(0, size):
        assert len(ledger.entries.read_tile(level, index, width)) == width * 32
    assert ledger.entries.read_tile(0, 99, 256) == b""


def test_a_ledger_without_a_log_gets_one_when_opened(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.observe(traces(300))
        expected = root(ledger)
    with raw(path) as db:
        db.execute("DROP TABLE tiles")
        db.execute("DROP TABLE checkpoint")
        db.execute("PRAGMA user_version = 1")
    with Ledger(path) as ledger:
        assert root(ledger) == expected
        ledger.execute(login(BEIJING))
        assert root(ledger) == root_of_entries(ledger)


@pytest.mark.parametrize(
    "crime",
    [
        "DELETE FROM events WHERE position = (SELECT max(position) FROM events)",
        "INSERT INTO events (position, stream, version, topic, entry) VALUES (99, 's', 1, 't', '')",
        "DELETE FROM tiles",
    ],
)
def test_appending_fails_if_the_log_has_not_one_leaf_for_each_entry(path: Path, crime: str) -> None:
    with Ledger(path) as ledger:
        ledger.execute(login(BEIJING))
    with raw(path) as db:
        db.execute("DROP TRIGGER events_are_never_deleted")
        db.execute(crime)
    with Ledger(path) as ledger:
        before = ledger.last_position()
        with pytest.raises(CorruptEntry, match=r"last position is \d+, but its log has"):
            ledger.execute(login(BEIJING, "another"))
        assert ledger.last_position() == before


def test_the_log_takes_33_bytes_or_less_for_each_entry(ledger: Ledger, place: Place) -> None:
    ledger.observe(traces(300))
    with raw(place) as db:
        (kept,) = db.execute("SELECT sum(length(data)) FROM tiles").fetchone()
    assert kept == 32 * (ledger.last_position() + ledger.last_position() // 256)
