"""The contents that a migration must keep, for its tests on both databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.application import Actor, Ledger
from ledger.log.signer import LogSigner
from ledger.persistence.columns import COLUMNS, FORMAT_VERSION
from ledger.verification.entries import verify_entries
from tests.ledger.former_tables import former_entries
from tests.ledger.kept import READ, TRUST, policy_seen, trust_seen
from tests.ledger.scenario import BEIJING, SHANGHAI, login
from tests.ledger.worlds import ORIGIN, Place, consent, raw, sound, traces

TABLES = {
    "events": f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position",
    "commands": "SELECT * FROM commands ORDER BY first_position",
    "subjects": "SELECT * FROM subjects ORDER BY subject",
    "documents": "SELECT * FROM documents ORDER BY digest",
    "snapshots": "SELECT * FROM snapshots ORDER BY stream",
    "tiles": "SELECT level, tile, data FROM tiles ORDER BY level, tile",
    "checkpoint": "SELECT note FROM checkpoint",
}


@former_entries()
def filled(place: Place, keys: Path, count: int = 300) -> None:
    """Rows in each table: commands, a person's erasure, documents, a snapshot, a checkpoint."""
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.sign(signer)
        for number in range(40):
            ledger.execute(login(f"region-{number}"), actor=Actor("Zoë"))
        ledger.observe(traces(count))
        ledger.observe([policy_seen("t1", READ), trust_seen("t2", TRUST)])
        consent(ledger, SHANGHAI)
        row = ledger.subject("person", "user 1")
        assert row is not None
        ledger.erase(row.subject)
    with Ledger(place, log_keys=keys) as again:
        again.execute(login(BEIJING))  # With a snapshot, for it had to read much.


def contents(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    with raw(place) as db:
        return {name: db.execute(select).fetchall() for name, select in TABLES.items()}


def is_migrated(place: Place) -> bool:
    with raw(place) as db:
        select = "PRAGMA user_version" if isinstance(place, Path) else "SELECT version FROM format"
        (version,) = db.execute(select).fetchone()
        names = [each[0] for each in db.execute("SELECT * FROM events LIMIT 1").description]
    assert (version == FORMAT_VERSION) is (names == list(COLUMNS))
    return bool(version == FORMAT_VERSION)


def assert_migrated(place: Place, before: dict[str, list[tuple[Any, ...]]]) -> None:
    with Ledger(place, create=False) as ledger:
        assert ledger.last_position() == len(before["events"])
    assert is_migrated(place)
    sound(place)
    after = contents(place)
    for name in TABLES:
        assert after[name] == before[name], name
    assert verify_entries(place).findings == []
