"""A failure after a commit names what was appended; one before it says that nothing was."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Actor, Ledger
from ledger.copying.copy import copy
from ledger.errors import KeyUnusable, LogForked, StoreFull
from ledger.execution import observations
from ledger.execution.outcome import Committed
from ledger.log.key_folder import LogKey
from ledger.subjects import SubjectErased
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.worlds import Place, traces


def full(*_: object, **__: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture
def no_record(monkeypatch: pytest.MonkeyPatch, key: LogKey) -> LogKey:
    """The partition with the signer's record is full."""
    monkeypatch.setattr("ledger.log.signer_record.os.pwrite", full)
    return key


def fails_from_call(monkeypatch: pytest.MonkeyPatch, ledger: Ledger, name: str, call: int) -> None:
    """Let a method of the recorder fail from this call on as a full disk does."""
    method, calls = getattr(ledger.entries, name), iter(range(1, 1_000_000))

    def failing(*args: Any) -> Any:
        return full() if next(calls) >= call else method(*args)

    monkeypatch.setattr(ledger.entries, name, failing)


def test_a_command_whose_checkpoint_is_not_recorded_reports_its_entries(
    no_record: LogKey, keys: Path, place: Place
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        with pytest.raises(KeyUnusable) as raised:
            ledger.execute(login(BEIJING), actor=Actor("alice"))
        last = ledger.last_position()
        assert last > 0
        assert [entry.position for entry in raised.value.entries] == list(range(1, last + 1))
        assert list(ledger.history()) == list(raised.value.entries)
    said = str(raised.value)
    assert f"{last} entries were appended, positions 1 to {last}." in said
    assert "last-checkpoint, the signer's record, could not be written: No space left" in said
    assert "nothing was appended" not in said.lower()


def test_the_next_checkpoint_renews_the_record_that_could_not_be_written(
    key: LogKey, keys: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        with monkeypatch.context() as patched, pytest.raises(KeyUnusable):
            patched.setattr("ledger.log.signer_record.os.pwrite", full)
            ledger.execute(login(BEIJING))
        ledger.execute(login(BEIJING))
        recorded = key.last()
        assert recorded is not None
        assert recorded.size == ledger.last_position()


def test_a_half_written_record_is_an_error(
    key: LogKey, keys: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.pwrite
    monkeypatch.setattr(
        "ledger.log.signer_record.os.pwrite", lambda file, data, at: write(file, data[:9], at)
    )
    with Ledger(place, log_keys=keys) as ledger, pytest.raises(KeyUnusable, match="were appended"):
        ledger.execute(login(BEIJING), actor=Actor("alice"))


def test_a_refusal_whose_checkpoint_is_not_recorded_reports_its_entries(
    no_record: LogKey, keys: Path, place: Place
) -> None:
    with Ledger(place, log_keys=keys) as ledger:
        with pytest.raises(KeyUnusable, match="1 entry was appended, at position 1") as raised:
            ledger.execute(grant(BEIJING))
        assert [entry.event.outcome for entry in raised.value.entries] == ["refused"]


def test_an_import_that_stops_in_a_later_transaction_says_what_the_earlier_ones_appended(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "TRACES_MAX", 10)
    fails_from_call(monkeypatch, ledger, "append", 3)
    with pytest.raises(StoreFull) as raised:
        ledger.observe(traces(100))
    last = ledger.last_position()
    assert f"{last} entries were appended, positions 1 to {last}." in str(raised.value)
    assert "nothing was appended" not in str(raised.value).lower()


def test_an_import_whose_checkpoint_is_not_recorded_says_what_was_appended(
    no_record: LogKey, keys: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "TRACES_MAX", 10)
    with Ledger(place, log_keys=keys) as ledger:
        with pytest.raises(KeyUnusable) as raised:
            ledger.observe(traces(100))
        last = ledger.last_position()
        assert last >= 10
        assert f"positions 1 to {last}." in str(raised.value)


def test_an_error_in_a_trace_file_names_what_was_appended_before(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observations, "TRACES_MAX", 10)

    def cut() -> Any:
        yield from traces(25)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        ledger.observe(cut())
    assert raised.value.__notes__ == [str(ledger.committed)]
    assert ledger.committed.last == ledger.last_position() > 0


def test_an_erasure_whose_bytes_cannot_be_wiped_says_that_it_was_appended(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = ledger.execute(login(BEIJING), actor=Actor("alice")).entries
    subject = next(entry.actor for entry in entries if entry.actor)
    fails_from_call(monkeypatch, ledger, "wipe", 1)
    with pytest.raises(StoreFull) as raised:
        ledger.erase(subject)
    (last,) = ledger.history(ledger.last_position())
    assert isinstance(last.event, SubjectErased)
    assert f"1 entry was appended, at position {last.position}." in str(raised.value)


def test_a_copy_that_stops_says_what_it_has_copied(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.execute(login(BEIJING), actor=Actor("alice"))
    with Ledger(tmp_path / "other.db") as target:
        fails_from_call(monkeypatch, target, "append_as_is", 2)  # The first call has all entries.
        with pytest.raises(StoreFull) as raised:
            copy(ledger, target)
        last = target.last_position()
    assert f"{last} entries were appended, positions 1 to {last}." in str(raised.value)


# -- before the commit ---------------------------------------------------------------------------


def test_a_full_disk_before_the_commit_says_that_nothing_was_appended(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    fails_from_call(monkeypatch, ledger, "append", 1)
    for call in (lambda: ledger.execute(login(BEIJING)), lambda: ledger.observe(traces(5))):
        with pytest.raises(StoreFull, match=r"Nothing was appended\.") as raised:
            call()
        assert str(raised.value).count("appended") == 1
    assert ledger.last_position() == 0


def test_a_forked_log_says_that_nothing_was_appended(
    key: LogKey, keys: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forked(*_: object) -> str:
        raise LogForked("Not the one.")

    with Ledger(place, log_keys=keys) as ledger:
        monkeypatch.setattr("ledger.log.signer.LogSigner.checkpoint", forked)
        with pytest.raises(LogForked, match=r"Nothing was appended\."):
            ledger.execute(login(BEIJING))
        assert ledger.last_position() == 0


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ([], "Nothing was appended."),
        ([[7]], "1 entry was appended, at position 7."),
        ([[7, 8], [9]], "3 entries were appended, positions 7 to 9."),
        ([[7, 8], [], [12]], "3 entries were appended, among positions 7 to 12."),
    ],
)
def test_the_message_names_the_committed_positions(parts: list[list[int]], says: str) -> None:
    committed = Committed()
    for part in parts:
        committed.add(part)
    assert str(committed) == says
