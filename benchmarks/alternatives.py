"""Measures how fast other software appends the ledger's entries, at equal durability.

eventsource-py writes a SQLite file with a write-ahead log and synchronous=FULL. UmaDB is the server
of its wheel, which flushes before it answers. message-db is SQL in a new PostgreSQL server, with
fsync. docs/performance.md says how to install them. This module installs nothing; if one cannot
run, its rows say why.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid4, uuid5

from eventsourcing.persistence import StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder
from pydantic import create_model

from benchmarks import servers, stock
from benchmarks.bulk import BULK_MAX, Bulk
from benchmarks.course import Course, note
from benchmarks.generator import World
from benchmarks.measure import OURS, RAW, STOCK, Row, in_turn, median_ms, rate
from benchmarks.servers import CannotRun
from benchmarks.writing import Raw
from ledger.application import Ledger
from ledger.execution.observations import TRACES_MAX
from ledger.persistence.recorder import Recorder

EVENTSOURCE: Final = "eventsource-py"
UMADB: Final = "UmaDB"
MESSAGE_DB: Final = "message-db"

SINGLES_MAX: Final = 40
"""How many events each sample appends one by one."""
MESSAGE_DB_SQL: Final = Path(sys.prefix) / "lib/node_modules/@eventide/message-db/database"
"""The folder into which `npm install --global --prefix .venv` installs it."""


@dataclass(frozen=True, slots=True)
class Store:
    """A place to append to. The entries are prepared beforehand."""

    one: Callable[[], float]
    """Appends the next events one by one; returns the median in milliseconds."""
    many: Callable[[], float]
    """Appends all pages to an empty store, one transaction each; returns events a second."""


def rows(course: Course) -> tuple[Row, Row]:
    count = min(course.events // 2, BULK_MAX)
    note(f"{count:,} entries appended, beside other software")
    work = Bulk(course, World(count, course.seed))
    reasons: dict[str, str] = {}
    stores: dict[str, Store] = {}
    with ExitStack() as stack:
        for name, opened in COMPETITORS.items():
            try:
                stores[name] = stack.enter_context(opened(work))
            except CannotRun as reason:
                reasons[name] = str(reason)
        ones = in_turn({name: store.one for name, store in stores.items()}, course.repetitions)
        manies = in_turn({name: store.many for name, store in stores.items()}, course.repetitions)
    return (
        Row(
            "append of one prepared entry, beside other software",
            "ms",
            ones,
            reasons=reasons,
            note=f"p50 of {_singles(work)} in each sample; ours and stock: insert_events; raw: one "
            "sqlite3 commit; eventsource-py: SQLiteEventStore.append; UmaDB: Client.append on the "
            "condition that the stream has no newer event; message-db: write_message, by psycopg.",
        ),
        Row(
            "bulk append, prepared entries, beside other software",
            "events/s",
            manies,
            reasons=reasons,
            note=f"{work.count:,} events into an empty store, {TRACES_MAX} a transaction; "
            "eventsource-py: one stream for each transaction, its limit; UmaDB: without "
            "a condition; message-db: write_message for each event, pipelined.",
        ),
    )


def _singles(work: Bulk) -> int:
    return min(SINGLES_MAX, work.count // work.course.repetitions)


def _events(work: Bulk) -> list[StoredEvent]:
    """The events that all samples append one by one: the first ones of each stream."""
    return list(islice(chain(*work.stored), _singles(work) * work.course.repetitions))


def _one_by_one(
    work: Bulk, append: Callable[[Any], object], ready: Iterable[Any]
) -> Callable[[], float]:
    following = iter(ready)
    return lambda: median_ms([partial(append, each) for each in islice(following, _singles(work))])


def _module(name: str, distribution: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise CannotRun(f"{distribution} is not installed: {error}") from error


# -- ours, stock and raw -------------------------------------------------------------------------


@contextmanager
def _ours(work: Bulk) -> Iterator[Store]:
    ledger = Ledger(work.course.place("ones.db"), clock=work.world.clock)
    with closing(ledger):
        yield Store(_inserting(work, ledger.entries), work.recorder)


@contextmanager
def _stock(work: Bulk) -> Iterator[Store]:
    with closing(stock.recorder(work.course.place("ones-stock.db"))) as recorder:
        yield Store(_inserting(work, recorder), work.stock)


def _inserting(work: Bulk, recorder: SQLiteApplicationRecorder | Recorder) -> Callable[[], float]:
    return _one_by_one(work, recorder.insert_events, ([event] for event in _events(work)))


@contextmanager
def _raw(work: Bulk) -> Iterator[Store]:
    ready = ([row] for row in chain(*work.rows()))
    with closing(Raw(work.course.place("ones-raw.db"), "")) as raw:
        yield Store(_one_by_one(work, raw.commit, ready), work.raw)


# -- eventsource-py ------------------------------------------------------------------------------


@contextmanager
def _eventsource(work: Bulk) -> Iterator[Store]:
    """Its events are pydantic models, which the append encodes; the entry is one field."""
    library = _module("eventsource", EVENTSOURCE)
    _module("aiosqlite", "aiosqlite")
    entry = create_model("Entry", __base__=library.DomainEvent, entry=(str, ...))

    def ready(stream: str, events: Iterable[StoredEvent], expected: int) -> tuple[Any, ...]:
        aggregate = uuid5(NAMESPACE_URL, stream)
        return (
            library.StreamId(aggregate, "Entry"),
            [
                entry(aggregate_id=aggregate, aggregate_type="Entry", entry=event.state.decode())
                for event in events
            ],
            library.ExpectedVersion.exact(expected),
        )

    singles = iter(
        [ready(str(e.originator_id), [e], e.originator_version - 1) for e in _events(work)]
    )
    pages = [ready(f"page-{number}", page, 0) for number, page in enumerate(work.stored)]

    async def opened(path: Path) -> Any:
        store = library.SQLiteEventStore(str(path))
        connection = await store._conn()  # It uses the default of the SQLite build.
        await connection.execute("PRAGMA synchronous = FULL")
        return store

    async def append_one(store: Any) -> float:
        taken = []
        for each in islice(singles, _singles(work)):
            begun = perf_counter()
            await store.append(*each)
            taken.append(1_000 * (perf_counter() - begun))
        return median(taken)

    async def append_pages(path: Path) -> float:
        store = await opened(path)
        try:
            begun = perf_counter()
            appended = [await store.append(*page) for page in pages]
            speed = work.count / (perf_counter() - begun)
            assert sum(each.new_version for each in appended) == work.count
            return speed
        finally:
            await store.close()

    with asyncio.Runner() as runner:
        store = runner.run(opened(work.course.place("ones-eventsource.db")))

        def many() -> float:
            with work.course.fresh("eventsource.db") as path:
                return runner.run(append_pages(path))

        try:
            yield Store(lambda: runner.run(append_one(store)), many)
        finally:
            runner.run(store.close())


# -- UmaDB ---------------------------------------------------------------------------------------


@contextmanager
def _umadb(work: Bulk) -> Iterator[Store]:
    """Its events have tags instead of a stream; conditions on tags replace versions."""
    library = _module("umadb", UMADB)

    def event(stored: StoredEvent) -> Any:
        return library.Event(stored.topic, stored.state, tags=[str(stored.originator_id)])

    def nothing_newer(stored: StoredEvent, last: int) -> Any:
        item = library.QueryItem(tags=[str(stored.originator_id)])
        return library.AppendCondition(library.Query([item]), after=last or None)

    singles = [([event(e)], nothing_newer(e, last)) for last, e in enumerate(_events(work))]
    pages = [[event(each) for each in page] for page in work.stored]

    def many() -> float:
        with work.course.fresh("umadb.db") as path, servers.umadb(path) as address:
            client = library.Client(address)
            speed = rate(lambda: [client.append(page) for page in pages], work.count)
            assert client.head() == work.count
            return speed

    with servers.umadb(work.course.place("ones-umadb.db")) as address:
        client = library.Client(address)
        yield Store(_one_by_one(work, lambda each: client.append(*each), singles), many)


# -- message-db ----------------------------------------------------------------------------------

_WRITE: Final = "SELECT write_message(%s, %s, %s, %s, NULL, %s)"
"""Arguments: the message's id, stream, type and data (JSON), the stream's last position or -1."""


@contextmanager
def _message_db(work: Bulk) -> Iterator[Store]:
    psycopg = _module("psycopg", "psycopg")
    installer = MESSAGE_DB_SQL / "install.sh"
    if not installer.exists():
        raise CannotRun(f"{MESSAGE_DB} is not installed: no {MESSAGE_DB_SQL}")

    def message(e: StoredEvent) -> tuple[object, ...]:
        return str(uuid4()), e.originator_id, e.topic, e.state.decode(), e.originator_version - 2

    singles = [message(event) for event in _events(work)]
    pages = [[message(event) for event in page] for page in work.stored]

    with servers.postgresql() as server:
        servers.run(["bash", str(installer)], servers.environment(server))
        with psycopg.connect(
            server.url("message_store", options="-c search_path=message_store"), autocommit=True
        ) as connection:

            def append_pages() -> None:
                for page in pages:
                    with connection.transaction(), connection.cursor() as cursor:
                        cursor.executemany(_WRITE, page)

            def many() -> float:
                connection.execute("TRUNCATE messages RESTART IDENTITY")
                speed = rate(append_pages, work.count)
                assert (
                    connection.execute("SELECT count(*) FROM messages").fetchone()[0] == work.count
                )
                return speed

            one = _one_by_one(work, lambda each: connection.execute(_WRITE, each), singles)
            yield Store(one, many)


COMPETITORS: Final[dict[str, Callable[[Bulk], AbstractContextManager[Store]]]] = {
    OURS: _ours,
    STOCK: _stock,
    RAW: _raw,
    EVENTSOURCE: _eventsource,
    UMADB: _umadb,
    MESSAGE_DB: _message_db,
}
