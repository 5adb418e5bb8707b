"""Reading and appending fail at entries that were altered outside the ledger, and name them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import (
    CorruptEntry,
    UnknownTopic,
)
from ledger.messages import Recorded
from tests.ledger.scenario import (
    BEIJING,
    login,
)
from tests.ledger.worlds import Place, consent, raw

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def planted(place: Place, topic: str, entry: str | bytes, position: int) -> None:
    """Insert an entry past the ledger."""
    with raw(place) as db:
        value = "CAST(? AS TEXT)" if isinstance(place, Path) else "?"
        db.execute(
            "INSERT INTO events (position, stream, version, topic, entry) "
            f"VALUES (?, 'account:huaweicloud:x', 1, ?, {value})",
            (position, topic, entry),
        )


def test_an_unknown_topic_in_the_table_is_named_and_never_imported(
    ledger: Ledger, place: Place
) -> None:
    consent(ledger, BEIJING)
    position = ledger.last_position() + 1
    fields = {
        **json.loads(ledger.entry_text(1)),
        "stream": "account:huaweicloud:x",
        "version": 1,
        "topic": "antigravity:geohash",
    }
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    planted(place, "antigravity:geohash", text, position)
    reads: list[Callable[[], Iterator[Recorded]]] = [
        ledger.history,
        lambda: ledger.stream("account:huaweicloud:x"),
    ]
    for read in reads:
        with pytest.raises(UnknownTopic, match=rf"position {position} .*'antigravity:geohash'"):
            list(read())
    assert "antigravity" not in sys.modules
    assert len(list(ledger.history(1, position - 1))) == position - 1, (
        "the entries before it are readable"
    )


@pytest.mark.parametrize(
    "entry",
    ["", "[]", "text"],
    ids=repr,
)
def test_reading_an_altered_entry_fails_with_its_position(
    ledger: Ledger, place: Place, entry: str | bytes
) -> None:
    consent(ledger, BEIJING)
    position = ledger.last_position() + 1
    planted(place, "AgencyCreated.v1", entry, position)
    reads: list[Callable[[], Iterator[Recorded]]] = [
        ledger.history,
        lambda: ledger.stream("account:huaweicloud:x"),
    ]
    for read in reads:
        with pytest.raises(CorruptEntry, match=f"position {position} "):
            list(read())


@pytest.mark.parametrize(
    "entry",
    ["\0", b"\xff\xfe", b'"\xc3("', b"[\xed\xa0\x80"],
    ids=repr,
)
def test_reading_an_entry_that_is_not_text_fails_with_its_position(
    ledger: Ledger, path: Path, entry: str | bytes
) -> None:
    """PostgreSQL cannot store such bytes."""
    test_reading_an_altered_entry_fails_with_its_position(ledger, path, entry)


def test_reading_a_topic_that_is_not_text_fails_with_its_position(
    ledger: Ledger, path: Path
) -> None:
    with raw(path) as db:
        db.execute(
            "INSERT INTO events (position, stream, version, topic, entry) "
            "VALUES (1, 's', 1, CAST(x'ff' AS TEXT), 'x')"
        )
    with pytest.raises(CorruptEntry, match="position 1 "):
        list(ledger.history())


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=repr)
@pytest.mark.parametrize("time", ["zzz", "2026-03-01", "", "9999-99-99T99:99:99.999999Z"])
def test_an_altered_recorded_time_does_not_spread_into_what_is_appended_next(
    ledger: Ledger, place: Place, time: str, separators: tuple[str, str]
) -> None:
    entry = json.dumps({"recorded_at": time}, separators=separators)
    planted(place, "AgencyCreated.v1", entry, 1)
    with pytest.raises(CorruptEntry, match="position 1: the recorded time"):
        ledger.execute(login(BEIJING))
    assert ledger.last_position() == 1
