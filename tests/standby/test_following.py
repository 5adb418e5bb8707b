"""`projection follow` continues after a lost connection, a restart and a failover."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import StoreUnavailable
from projections.stores.postgres import connection as postgres
from projections.views import Views
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import consent
from tests.standby.pair import Pair, until

_CUT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
    "WHERE datname = '{}' AND pid <> pg_backend_pid() AND application_name = 'authledger'"
)


class Follower:
    """A thread that follows views, and its position, lost connections and errors."""

    def __init__(self, url: str, interval_s: float = 0.1) -> None:
        self.position, self.lost = -1, 0
        self._url, self._interval_s = url, interval_s
        self._is_over = threading.Event()
        self.failed: list[BaseException] = []
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        try:
            with Views.open(self._url, load_catalogue()) as views:
                for position in views.follow(self._interval_s, self._note):
                    self.position = position
                    if self._is_over.is_set():
                        break
        except StoreUnavailable as error:
            self.failed.append(error)

    def _note(self, _: StoreUnavailable) -> None:
        self.lost += 1

    def has(self, position: int) -> None:
        until(lambda: self.position >= position or self.failed, f"the views reach {position}")
        assert not self.failed, self.failed

    def end(self, ledger: Ledger) -> None:
        self._is_over.set()
        ledger.execute(login("last"))
        self.thread.join(60)
        assert not self.thread.is_alive()


@contextmanager
def following(url: str, ledger: Ledger) -> Iterator[Follower]:
    follower = Follower(url)
    follower.has(ledger.last_position())
    yield follower
    follower.end(ledger)


def appended(ledger: Ledger) -> int:
    ledger.execute(login("another"))
    return ledger.last_position()


@pytest.fixture
def ledger(pair: Pair, database: str) -> Iterator[Ledger]:
    with Ledger(pair.network_url(database)) as ledger:
        consent(ledger, BEIJING)
        yield ledger


def test_a_follower_reconnects_after_its_connection_is_cut(
    pair: Pair, database: str, ledger: Ledger
) -> None:
    with following(pair.network_url(database), ledger) as follower:
        for number in range(1, 4):
            with pair.connection(pair.primary) as db:
                assert db.execute(_CUT.format(database).encode()).fetchall()
            follower.has(appended(ledger))
            assert follower.lost >= number


def test_a_follower_reconnects_to_a_restarted_and_to_a_promoted_server(
    pair: Pair, database: str, ledger: Ledger
) -> None:
    with following(pair.network_url(database), ledger) as follower:
        pair.run("stop", pair.primary)
        pair.run("start", pair.primary)
        follower.has(appended(ledger))
        pair.kill(pair.primary)
        pair.promote()
        follower.has(appended(ledger))
        assert follower.lost >= 2
    with Views.open(pair.network_url(database), load_catalogue()) as views:
        views.catch_up()
        assert views.rebuild().equal


def test_a_follower_polls_on_a_standby_and_catches_up_after_its_promotion(
    pair: Pair, database: str, ledger: Ledger
) -> None:
    with Views.open(pair.network_url(database), load_catalogue()) as views:
        views.catch_up()
        pair.replayed()
        standby = pair.url_of(pair.standby, database)
        follower = Follower(standby)
        follower.has(ledger.last_position())
        last = appended(ledger)
        views.catch_up()
        follower.has(last)
    pair.kill(pair.primary)
    pair.promote()
    follower.has(appended(ledger))
    assert follower.lost == 0
    follower.end(ledger)


def test_a_follower_that_finds_no_server_for_long_fails(
    pair: Pair, database: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOST_S", 1)
    follower = Follower(pair.url_of(pair.primary, database))
    follower.has(ledger.last_position())
    pair.run("stop", pair.primary)
    follower.thread.join(60)
    assert [type(error) for error in follower.failed] == [StoreUnavailable]
    assert "cannot be reached" in str(follower.failed[0])
