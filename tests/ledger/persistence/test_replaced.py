"""The ledger's file is replaced while it is open: nothing is acknowledged that is in no ledger."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import Ledger, Observation
from ledger.errors import LedgerReplaced, StoreUnavailable
from ledger.execution.observations import TRACES_MAX
from ledger.persistence.raw_reading import stored_rows
from ledger.verification.entries import verify_entries
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import Clock, consent, traces


def put_in_its_place(path: Path) -> None:
    """Rename a backup over the ledger, as a person does who restores one.

    The old write-ahead log must go first, or SQLite takes it for the one of the backup.
    """
    backup = path.with_name("backup.db")
    with Ledger(backup) as other:
        consent(other, BEIJING, "another")
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    backup.replace(path)


def test_an_import_whose_file_is_replaced_acknowledges_nothing_more(
    path: Path, ledger: Ledger
) -> None:
    ledger.execute(login(BEIJING))

    def replaced_on_the_way() -> Iterator[Observation]:
        given = traces(2 * TRACES_MAX)
        yield from given[:TRACES_MAX]
        put_in_its_place(path)
        yield from given[TRACES_MAX:]

    with pytest.raises(LedgerReplaced, match="is another file now"):
        ledger.observe(replaced_on_the_way())
    with Ledger(path) as found:
        assert found.last_position() < TRACES_MAX
    assert not verify_entries(path).count


def test_a_command_after_the_file_was_replaced_is_refused(path: Path, ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    put_in_its_place(path)
    for write in (lambda: ledger.execute(login("another")), ledger.last_position):
        with pytest.raises(LedgerReplaced) as raised:
            write()
        assert str(path) in raised.value.message
        assert "log verify" in raised.value.remedy


def test_a_file_that_is_replaced_within_the_transaction_is_noticed_after_it(
    path: Path, ledger: Ledger
) -> None:
    consent(ledger, BEIJING)
    with (
        pytest.raises(LedgerReplaced),
        ledger.entries.append_lock(),
    ):
        put_in_its_place(path)
        ledger.execute(login("another"))


def test_a_deleted_file_is_noticed(path: Path, ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    path.unlink()
    with pytest.raises(LedgerReplaced, match="no longer there"):
        ledger.execute(login(BEIJING))


def test_a_verification_whose_file_is_replaced_says_nothing(path: Path, ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    with pytest.raises(LedgerReplaced), stored_rows(ledger.location) as rows:
        put_in_its_place(path)
        assert rows.extent()[2] > 0


def test_a_file_that_is_only_read_copied_or_touched_stays_the_ledger(
    path: Path, ledger: Ledger, clock: Clock
) -> None:
    ledger.execute(login(BEIJING))
    shutil.copy(path, path.with_name("copied.db"))
    path.touch()
    path.chmod(0o640)
    with Ledger(path, clock=clock) as other:
        other.execute(login("another"))
    assert ledger.execute(login("a-third")).entries


def test_a_file_that_was_read_without_locks_is_not_answered_from_if_it_was_written(
    path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.execute(login(BEIJING))
    ledger.close()
    monkeypatch.setattr("ledger.persistence.sqlite.files.may_write", lambda _: False)
    with stored_rows(ledger.location) as rows:
        assert rows.extent()[2] > 0
    with (
        pytest.raises(StoreUnavailable, match="was written to while it was read"),
        stored_rows(ledger.location) as rows,
    ):
        with Ledger(path) as other:
            other.execute(login("another"))
        assert rows.extent()[2] > 0
