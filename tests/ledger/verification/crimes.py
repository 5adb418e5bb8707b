"""A ledger with its key elsewhere, and ways to alter it past every protection."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from ledger.application import Ledger
from ledger.log.key_folder import LogKey
from ledger.log.signer import LogSigner
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.note import parse_note
from ledger.merkle.signing import Verifier
from ledger.persistence.merkle_log import Log
from ledger.persistence.postgres.log_tables import PostgresLogRows
from ledger.verification.verdict import Verdict, verify
from tests.ledger.unprotected import unprotected
from tests.ledger.worlds import Place, entries_of, raw, traces

ORIGIN = "example.com/authledger"
VICTIM = 48


@dataclass
class Scene:
    """A ledger with its key elsewhere, and a checkpoint that an auditor kept earlier."""

    place: Place
    keys: Path
    pin: Checkpoint
    folder: Path
    """A folder for forged ledgers."""

    @property
    def key(self) -> LogKey:
        return LogKey(self.keys, ORIGIN)

    def verdict(
        self, *, pin: bool = False, record: bool = False, keys: list[Verifier] | None = None
    ) -> Verdict:
        """Verify with nothing but the file and the verifier key, or with a pin or record too."""
        with raw(self.place) as db:
            row = db.execute("SELECT note FROM checkpoint").fetchone()
        return verify(
            self.place,
            row[0] if row else None,
            [self.key.verifier] if keys is None else keys,
            pins={"pin": self.pin} if pin else {},
            record=self.key.last() if record else None,
        )

    def found(self, *, pin: bool = False, record: bool = False) -> str:
        """All findings, one a line."""
        return "\n".join(map(str, self.verdict(pin=pin, record=record).verification.findings))

    def unprotected(self) -> AbstractContextManager[Any]:
        """A connection without triggers and column types, which are back afterwards."""
        return unprotected(self.place)

    def altered(self, db: Any, position: int, **fields: object) -> str:
        """An entry with other values, in canonical JSON."""
        (text,) = db.execute("SELECT entry FROM events WHERE position = ?", (position,)).fetchone()
        return json.dumps(
            json.loads(text) | fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )


def checkpoint(ledger: Ledger) -> Checkpoint:
    note = ledger.entries.checkpoint()
    assert note is not None
    return parse_checkpoint(parse_note(note.encode()).text)


def rebuild_log(scene: Scene) -> None:
    """Build all tiles anew from the altered entries."""
    with raw(scene.place) as db:
        db.execute("DELETE FROM tiles")
        if isinstance(scene.place, Path):
            db.execute("PRAGMA user_version = 1")
        entries = list(entries_of(db))
    if isinstance(scene.place, Path):
        Ledger(scene.place, log_keys=scene.keys / "nothing").close()
        return
    with psycopg.connect(scene.place) as connection, connection.cursor() as c:
        c.execute("SET search_path = ledger")
        Log().append(PostgresLogRows(c), 0, entries)


def forged(scene: Scene, keys: Path) -> Scene:
    """Another history of the same log, signed with the key in `keys`, whose record is deleted."""
    path = scene.folder / "forged.db"
    if keys == scene.keys:
        (scene.key.folder / "last-checkpoint").unlink()
    with Ledger(path, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        if not signer.key.exists:
            signer.key.create(path)
        ledger.observe(traces(320))
        ledger.sign(signer)
    return Scene(path, keys, scene.pin, scene.folder)
