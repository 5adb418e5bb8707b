"""Ledgers to try things on: a file, a clock that does as it is told, observations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.permissions import PermissionGranted
from ledger.application import Ledger, Observation
from ledger.merkle.tree import leaf_hash
from ledger.messages import DomainEvent, Provenance, Recorded
from ledger.persistence.entry import command_id_of
from ledger.persistence.numbering import recorded_in
from ledger.persistence.sqlite.connections import Datastore
from ledger.persistence.sqlite.recorder import LedgerRecorder
from tests.ledger.scenario import ACCOUNT, PROVIDER, grant, login

Place = Path | str
"""Where a ledger is: a file, or the URL of a database."""
ORIGIN = "example.com/authledger"
"""The origin of the tests' logs."""


@dataclass
class Clock:
    """Goes on by a second whenever it is read, unless it is set."""

    now: datetime = datetime(2026, 6, 1, 12, tzinfo=UTC)
    step: timedelta = field(default=timedelta(seconds=1))

    def __call__(self) -> datetime:
        self.now += self.step
        return self.now


def seen(trace: str, *events: DomainEvent, at: datetime, **more: Any) -> Observation:
    """One trace of the cloud."""
    return Observation(
        provider=PROVIDER,
        account=more.pop("account", ACCOUNT),
        events=events,
        effective_at=at,
        source=Provenance(trace_id=trace, file="traces.json", verified=True),
        **more,
    )


def traces(count: int, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> list[Observation]:
    """Traces of some accounts: agencies come, are permitted things, and go."""
    found = []
    for number in range(count):
        at = start + timedelta(minutes=number)
        agency = f"agency {number % 7}"
        event: DomainEvent
        if number % 5 == 0:
            event = AgencyCreated(agency=agency)
        elif number % 11 == 10:
            event = AgencyDeleted(agency=agency)
        else:
            event = PermissionGranted(agency=agency, region=f"region-{number % 3}", service="cce")
        account = f"account-{number % 2}"
        found.append(
            seen(f"trace-{number}", event, at=at, account=account, actor=f"user {number % 3}")
        )
    return found


def consent(ledger: Ledger, region: str, account: str = ACCOUNT) -> tuple[Recorded, ...]:
    """A login and the OK button: two commands."""
    return (
        *ledger.execute(login(region, account)).entries,
        *ledger.execute(grant(region, account)).entries,
    )


def texts(ledger: Ledger) -> list[str]:
    """All that is stored, byte for byte."""
    return [ledger.entry_text(position) for position in range(1, ledger.last_position() + 1)]


def datastore_of(ledger: Ledger) -> Datastore:
    """The connections to a ledger in a file."""
    recorder: object = ledger.recorder
    assert isinstance(recorder, LedgerRecorder)
    assert isinstance(recorder.datastore, Datastore)
    return recorder.datastore


def unchecked(ledger: Ledger) -> Ledger:
    """The same ledger, which now appends also what is not an entry of its stream."""
    ledger.entries.admit = lambda _: None
    return ledger


class Hands:
    """A database through other hands than ours: SQL for both, with `?` for values."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any:
        return self._connection.execute(statement.replace("?", "%s").encode(), params or None)


@contextmanager
def raw(place: Place) -> Iterator[Any]:
    """The file, or the database, through other hands than ours."""
    if isinstance(place, Path):
        with closing(sqlite3.connect(place, isolation_level=None)) as connection:
            yield connection
        return
    with closing(psycopg.connect(place, autocommit=True)) as database:
        database.execute("SET search_path = ledger")
        yield Hands(database)


def sound(place: Place) -> None:
    """Whole, as the engine sees it and as the ledger does: dense positions, whole transactions."""
    with raw(place) as db:
        if isinstance(place, Path):
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        whole(db)


def whole(db: Any) -> None:
    """Positions are 1..n, versions 1..n in each stream, every command's events are all there."""
    count, last = db.execute("SELECT count(*), coalesce(max(position), 0) FROM events").fetchone()
    assert count == last
    gaps = db.execute(
        "SELECT stream FROM events GROUP BY stream "
        "HAVING count(*) <> max(version) OR min(version) <> 1"
    ).fetchall()
    assert gaps == []
    entries = list(entries_of(db))
    covered = 1
    commands = "SELECT command_id, first_position, last_position FROM commands ORDER BY 2"
    for command_id, first, end in db.execute(commands).fetchall():
        assert first == covered, "each position belongs to one command"
        assert {command_id_of(entry) for entry in entries[first - 1 : end]} == {command_id}
        covered = end + 1
    assert covered == last + 1
    times = [recorded_in(entry) or "" for entry in entries]
    assert times == sorted(times)
    leaves = b"".join(map(leaf_hash, entries))
    tiles = db.execute("SELECT data FROM tiles WHERE level = 0 ORDER BY tile")
    assert b"".join(data for (data,) in tiles) == leaves, "every entry is a leaf of the log"


def entries_of(db: Any) -> Iterator[bytes]:
    """The bytes of all entries."""
    if isinstance(db, Hands):
        for (text,) in db.execute("SELECT entry FROM events ORDER BY position"):
            yield text.encode()
        return
    for (entry,) in db.execute("SELECT CAST(entry AS BLOB) FROM events ORDER BY position"):
        yield entry
