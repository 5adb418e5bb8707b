"""The standby is lost: writers wait for it, and a commit on one disk is not acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import pytest

from ledger.application import Ledger, Outcome
from ledger.errors import StoreLocked
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import consent, raw, sound
from tests.standby.pair import Pair, until

Answer = TypeVar("Answer")
_WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
    "AND application_name = 'authledger'"
)


class Doing(Generic[Answer]):
    """Runs some work in a thread beside the test."""

    def __init__(self, work: Callable[[], Answer]) -> None:
        self._work = work
        self._answer: list[Answer] = []
        self._thread = threading.Thread(target=self._do, daemon=True)
        self._thread.start()

    def _do(self) -> None:
        self._answer.append(self._work())

    @property
    def goes_on(self) -> bool:
        return self._thread.is_alive()

    def answer(self) -> Answer:
        self._thread.join(60)
        assert not self.goes_on
        (answer,) = self._answer
        return answer


@pytest.fixture
def alone(pair: Pair, database: str) -> Iterator[Ledger]:
    """A ledger with entries, on a primary whose standby is down."""
    with Ledger(pair.network_url(database)) as ledger:
        consent(ledger, BEIJING)
        pair.run("stop", pair.standby)
        yield ledger


def waits(pair: Pair, number: int = 1) -> None:
    """Wait until this many commits wait for the standby."""
    until(lambda: pair.value(pair.primary, _WAITING) == number, f"{number} wait for the standby")


def on_standby(pair: Pair, database: str, command_id: str) -> object:
    pair.replayed()
    with raw(pair.url_of(pair.standby, database)) as db:
        found = db.execute("SELECT count(*) FROM commands WHERE command_id = ?", (command_id,))
        return found.fetchone()[0]


def test_a_writer_waits_for_the_standby_and_a_reader_does_not(
    pair: Pair, database: str, alone: Ledger
) -> None:
    last = alone.last_position()
    writing = Doing(lambda: alone.execute(login("waiting"), command_id="waiting"))
    waits(pair)
    with Ledger(pair.network_url(database), lock_timeout_s=1) as other:
        assert other.last_position() == last, "an unacknowledged commit is not visible"
        with pytest.raises(StoreLocked):
            other.execute(login("another"))
    assert writing.goes_on
    pair.run("start")
    assert not writing.answer().repeated
    assert on_standby(pair, database, "waiting") == 1
    sound(pair.url_of(pair.primary, database))


def test_an_operator_can_release_the_primary_from_its_standby(
    pair: Pair, database: str, alone: Ledger
) -> None:
    writing = Doing(lambda: alone.execute(login("waiting"), command_id="waiting"))
    waits(pair)
    assert "works without a standby" in pair.run("release")
    assert not writing.answer().repeated
    alone.execute(login("alone"), command_id="alone")
    assert "continues where it stopped" in pair.run("rejoin")
    assert on_standby(pair, database, "alone") == 1
    assert f"{pair.standby} is sync" in pair.run("status")


def test_a_commit_seen_after_a_restart_is_acknowledged_only_with_the_standby(
    pair: Pair, database: str, alone: Ledger
) -> None:
    """The commit was never acknowledged to its writer, but after the restart all can see it."""
    command = login("waiting")

    def again() -> Outcome:
        with Ledger(pair.network_url(database)) as other:
            return other.execute(command, command_id="waiting")

    first = Doing(lambda: alone.execute(command, command_id="waiting"))
    waits(pair)
    pair.kill(pair.primary)
    pair.run("start", pair.primary)
    with raw(pair.url_of(pair.primary, database)) as db:
        found = db.execute("SELECT count(*) FROM commands WHERE command_id = 'waiting'")
        assert found.fetchone() == (1,)
    waits(pair)
    second = Doing(again)
    waits(pair, 2)
    assert first.goes_on
    assert second.goes_on
    pair.run("start")
    assert not first.answer().repeated
    assert second.answer().repeated
    assert on_standby(pair, database, "waiting") == 1
    sound(pair.url_of(pair.primary, database))


def test_a_cancelled_wait_for_the_standby_starts_again(
    pair: Pair, database: str, alone: Ledger
) -> None:
    """The server would report success, with a warning that nobody reads."""
    writing = Doing(lambda: alone.execute(login("waiting"), command_id="waiting"))
    for _ in range(3):
        waits(pair)
        cancelled = pair.value(
            pair.primary,
            "SELECT bool_and(pg_cancel_backend(pid)) FROM pg_stat_activity "
            "WHERE wait_event = 'SyncRep'",
        )
        assert cancelled
    assert writing.goes_on
    pair.run("start")
    assert not writing.answer().repeated
    assert on_standby(pair, database, "waiting") == 1
