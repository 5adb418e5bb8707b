"""Threads share a ledger: each reads through a connection of its own, and commands take turns."""

from __future__ import annotations

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

import authledger
from authledger.connections import ViewsByThread
from ledger.catalogue import load_catalogue
from ledger.errors import StoreUnavailable
from projections.views import Views
from tests.authledger.conftest import login, use
from tests.ledger.worlds import Place


def test_threads_write_and_read_the_same_ledger(ledger: authledger.Ledger) -> None:
    before = ledger.position

    def work(_: int) -> int:
        ledger.execute(use())
        return len(ledger.view("regions")) + len(ledger.query("SELECT 1"))

    with ThreadPoolExecutor(4) as threads:
        assert [*threads.map(work, range(20))] == [5] * 20
    assert ledger.position == before + 20
    assert ledger.view("usage")[0].features_used == 20


class Opened:
    """Opens views, and knows which of them are open."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.open: list[Views] = []

    def __call__(self) -> Views:
        views = Views.open(self.place, load_catalogue())
        close = views.close

        def closing() -> None:
            self.open.remove(views)
            close()

        views.close = closing  # type: ignore[method-assign]
        self.open.append(views)
        return views


@pytest.fixture
def opened(ledger: authledger.Ledger, place: Place) -> Opened:
    return Opened(place)


def test_a_thread_keeps_its_connection_and_closes_it_when_it_ends(opened: Opened) -> None:
    by_thread = ViewsByThread(opened)

    def read() -> None:
        for _ in range(3):
            with by_thread.reading() as views:
                views.last_position()

    read()
    assert len(opened.open) == 1
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    gc.collect()
    assert len(opened.open) == 1
    by_thread.close()
    assert opened.open == []


def test_closing_closes_the_connections_of_all_threads(opened: Opened) -> None:
    by_thread = ViewsByThread(opened)
    with ThreadPoolExecutor(2) as threads:
        barrier = threading.Barrier(2)

        def read(_: int) -> None:
            with by_thread.reading() as views:
                barrier.wait(10)
                views.last_position()

        [*threads.map(read, range(2))]
        assert len(opened.open) == 2
        by_thread.close()
        assert opened.open == []


def test_a_ledger_that_nobody_holds_any_more_leaves_no_connection(opened: Opened) -> None:
    by_thread = ViewsByThread(opened)
    with by_thread.reading() as views:
        views.last_position()
    del by_thread, views
    gc.collect()
    assert opened.open == []


def test_a_connection_that_failed_is_replaced(opened: Opened) -> None:
    by_thread = ViewsByThread(opened)
    with pytest.raises(StoreUnavailable) as lost, by_thread.reading():
        raise StoreUnavailable("The connection was lost.")
    assert opened.open == [], lost  # Also while somebody still looks at the error.
    with by_thread.reading() as views:
        assert views.last_position() > 0
    by_thread.close()


def test_reading_goes_on_after_the_server_ended_the_connection(database: str) -> None:
    with authledger.open(database, create=True, actor="alice") as ledger:
        ledger.execute(login())
        assert len(ledger.view("logins")) == 1
        with psycopg.connect(database, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        with pytest.raises(authledger.StoreUnavailable):
            ledger.view("logins")
        assert len(ledger.view("logins")) == 1


def test_no_file_stays_open_after_close(path: Path, ledger: authledger.Ledger) -> None:
    ledger.view("usage")
    ledger.close()
    fds = [Path(f"/proc/self/fd/{fd.name}") for fd in Path("/proc/self/fd").iterdir()]
    open_files = {str(fd.resolve()) for fd in fds if fd.exists()}
    assert not [name for name in open_files if name.startswith(str(path))]
