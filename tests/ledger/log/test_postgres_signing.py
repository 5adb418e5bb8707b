"""Several processes sign one log on PostgreSQL: a conflict is retried and is not a fork."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.errors import LogForked
from ledger.log.signer import LogSigner
from ledger.persistence.postgres.log_tables import PostgresLogRows
from ledger.verification.verdict import verify
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import ORIGIN, consent, sound


def test_a_conflict_is_retried_and_not_reported_as_a_fork(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server refuses the events, and gives the lock to the next process, before the loser of
    the conflict has read the answer. The loser still signs, and finds a record that is ahead.
    """
    with Ledger(database, log_keys=tmp_path) as loser, Ledger(database, log_keys=tmp_path) as other:
        consent(loser, BEIJING)
        signer = LogSigner(tmp_path, ORIGIN)
        signer.key.create(loser.location)
        loser.sign(signer)
        append, checkpoint = loser.entries.append, LogSigner.checkpoint
        put_tiles = PostgresLogRows.put_tiles
        forks = []

        def append_after_another(*arguments: Any) -> Any:
            """Another process takes the next version of the console's stream."""
            monkeypatch.setattr(loser.entries, "append", append)
            other.execute(login(BEIJING), command_id="other")
            # A further statement would bring the answer to the first, and the case would not occur.
            monkeypatch.setattr(PostgresLogRows, "put_tiles", lambda *_: None)
            monkeypatch.setattr(LogSigner, "checkpoint", find_it_ahead)
            return append(*arguments)

        def find_it_ahead(self: LogSigner, *_: Any) -> str:
            """Fail as if a third process had signed since the server gave the lock away."""
            monkeypatch.setattr(PostgresLogRows, "put_tiles", put_tiles)
            monkeypatch.setattr(LogSigner, "checkpoint", checkpoint)
            forks.append(LogForked("The log has 9 entries; its key signed one of 11 before."))
            raise forks[0]

        monkeypatch.setattr(loser.entries, "append", append_after_another)
        outcome = loser.execute(login(BEIJING), command_id="loser")
        assert forks
        assert outcome.checkpoint == loser.entries.checkpoint()
        note, record = loser.entries.checkpoint(), signer.key.last()
    sound(database)
    assert verify(database, note, [signer.key.verifier], pins={}, record=record).verified
