"""Measures a ledger on PostgreSQL, the stock library and bare psycopg, on one server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, Final

import psycopg
from eventsourcing.persistence import StoredEvent

from benchmarks import servers, stock_postgres
from benchmarks.bulk import Bulk
from benchmarks.course import Course, Made, note
from benchmarks.generator import World
from benchmarks.measure import OURS, RAW, STOCK, Limit, Row, in_turn, median_ms, rate
from benchmarks.reading import CALLS, TENTH, Follower, stock_rebuild
from benchmarks.servers import CannotRun, Database
from benchmarks.writing import ACCOUNTS, CACHED, SINCE_SNAPSHOT, STREAM_LENGTH, Ours, Stock
from ledger.application import Ledger
from ledger.execution.observations import TRACES_MAX
from ledger.persistence.columns import COLUMNS
from ledger.persistence.numbering import Numbered, numbered
from ledger.persistence.postgres.append import row_of
from ledger.persistence.postgres.schema import SCHEMA
from projections.views import Views
from tests.postgres import Server

OBSERVE: Final = "Ledger.observe"
EVENTS_MAX: Final = 300_000
"""The size limit of the generated ledger, which has a third of the requested events: generating
it takes as long as everything that is measured with it.
"""
BULK_MAX: Final = 50_000
STOCK_AT_ONCE: Final = 400
"""How many entries the stock library gets in a transaction. With 1,000 entries of 600 bytes it did
not return: its pipeline and the server each waited for the other to read.
"""
AS_STOCK: Final = "ours, 400 at once"
_NAMES: Final = ", ".join(COLUMNS)
_INSERT: Final = f"INSERT INTO ledger.events ({_NAMES}) VALUES ({', '.join(['%s'] * len(COLUMNS))})"  # noqa: S608
_COPY: Final = f"COPY ledger.events ({_NAMES}) FROM STDIN (FORMAT BINARY)"
_TYPES: Final = ["int8" if name in {"position", "version"} else "text" for name in COLUMNS]


def rows(course: Course) -> Iterator[Row]:
    try:
        with servers.postgresql() as server:
            yield from commands(course, server)
            yield bulk(course, server)
            yield from views(course, server)
    except CannotRun as reason:
        yield Row("PostgreSQL: all rows", "ms", {}, reasons={OURS: str(reason)})


# -- writing -------------------------------------------------------------------------------------


def commands(course: Course, server: Server) -> Iterator[Row]:
    note(f"PostgreSQL: one command at accounts of {STREAM_LENGTH} events")
    with ExitStack() as stack:

        def database() -> Database:
            return stack.enter_context(servers.database(server))

        ours = stack.enter_context(closing(Ours(database().url)))
        environments = (
            stock_postgres.environment(database()),
            stock_postgres.environment(database(), **CACHED),
        )
        cold, warm = (stack.enter_context(closing(Stock(each))) for each in environments)
        raw = stack.enter_context(closing(_Raw(database(), ours.entry())))
        yield Row(
            f"PostgreSQL: one command, account of {STREAM_LENGTH} events read from the database",
            "ms",
            in_turn({OURS: ours.cold, STOCK: cold.sample, RAW: raw.sample}, course.repetitions),
            (Limit(1 / 3, STOCK),),
            note=f"p50 of {ACCOUNTS} in each sample; ours: {SINCE_SNAPSHOT} of the events after the"
            " account's snapshot; stock: repository.get, one change, save; raw: one psycopg commit "
            "of the same row into the same table.",
        )
        yield Row(
            "PostgreSQL: one command, the account warm in the process",
            "ms",
            in_turn({OURS: ours.warm, STOCK: warm.sample, RAW: raw.sample}, course.repetitions),
            (Limit(2, RAW),),
            note="stock: with its aggregate cache switched on, and all aggregates in it.",
        )


def bulk(course: Course, server: Server) -> Row:
    count = min(course.events // 6, BULK_MAX)
    note(f"PostgreSQL: bulk append of {count:,} events")
    work = Bulk(course, World(count, course.seed))
    ready = _ready(work)

    few = list(_parted([event for page in work.stored for event in page]))

    def ours(pages: Sequence[Sequence[StoredEvent]]) -> float:
        with servers.database(server) as database, closing(Ledger(database.url)) as ledger:
            append = ledger.entries.insert_events
            return rate(lambda: [append(page) for page in pages], work.count)

    def observe() -> float:
        with (
            servers.database(server) as database,
            closing(Ledger(database.url, clock=work.world.clock)) as ledger,
        ):
            return rate(lambda: [ledger.observe(page) for page in work.traces], work.count)

    def stock() -> float:
        with (
            servers.database(server) as database,
            closing(stock_postgres.recorder(database)) as recorder,
        ):
            append = recorder.insert_events
            return rate(lambda: [append(page) for page in few], work.count)

    def raw() -> float:
        with servers.database(server) as database, closing(_Raw(database)) as raw:
            return rate(lambda: raw.copy_all(ready), work.count)

    return Row(
        "PostgreSQL: bulk append, prepared entries: insert_events",
        "events/s",
        in_turn(
            {
                OURS: partial(ours, work.stored),
                AS_STOCK: partial(ours, few),
                OBSERVE: observe,
                STOCK: stock,
                RAW: raw,
            },
            course.repetitions,
        ),
        (Limit(4, STOCK),),
        note=f"{count:,} events into an empty database, {TRACES_MAX} a transaction, stock "
        f"{STOCK_AT_ONCE}: it hangs at 1,000; raw: a binary COPY of the same rows, prepared with all "
        f"columns, into the ledger's table with its indexes; {OBSERVE}: ours from traces, with the "
        "rules, names and encoding.",
    )


def _parted(events: Sequence[StoredEvent]) -> Iterator[Sequence[StoredEvent]]:
    for first in range(0, len(events), STOCK_AT_ONCE):
        yield events[first : first + STOCK_AT_ONCE]


def _ready(work: Bulk) -> list[list[tuple[Any, ...]]]:
    """The pages as rows for the table."""
    found, last = [], 0
    for page in work.stored:
        found.append([row_of(row) for row in numbered(last, None, page)[0]])
        last += len(page)
    return found


class _Raw:
    """Bare psycopg, into the ledger's own table."""

    def __init__(self, database: Database, entry: str = "") -> None:
        self.connection = psycopg.connect(database.url, autocommit=True)
        for statement in SCHEMA:
            self.connection.execute(statement.encode())
        self.entry, self.position = entry.encode(), 0

    def _commit_one(self) -> None:
        self.position += 1
        stream = "console:huaweicloud:0:asm"
        row = Numbered(self.position, stream, self.position, "Event.v1", self.entry)
        self.connection.execute(_INSERT.encode(), row_of(row), prepare=True)

    def sample(self) -> float:
        return median_ms([self._commit_one] * ACCOUNTS)

    def copy_all(self, pages: Iterable[Sequence[tuple[Any, ...]]]) -> None:
        """Copy each page in one transaction."""
        for page in pages:
            with self.connection.cursor() as cursor, cursor.copy(_COPY.encode()) as copy:
                copy.set_types(_TYPES)
                for row in page:
                    copy.write_row(row)

    def close(self) -> None:
        self.connection.close()


# -- the views -----------------------------------------------------------------------------------


def views(course: Course, server: Server) -> Iterator[Row]:
    events = min(course.events // 3, EVENTS_MAX)
    note(f"PostgreSQL: a ledger of {events:,} events, and one of a tenth")
    with servers.database(server) as first, servers.database(server) as second:
        big, small = course.make(first.url, events), course.make(second.url, events // 10)
        yield _rebuild(course, server, big)
        yield _catch_up(course, big, small)


def _rebuild(course: Course, server: Server, made: Made) -> Row:
    note("PostgreSQL: rebuilding all views")

    def stock() -> float:
        with servers.database(server) as database:
            return stock_rebuild(
                stock_postgres.environment(database), stock_postgres.PermissionsView
            )

    with Views.open(made.path, course.catalogue) as kept:
        last = kept.catch_up()
        samples = in_turn(
            {OURS: lambda: rate(kept.rebuild, last), STOCK: stock}, min(course.repetitions, 3)
        )
    return Row(
        "PostgreSQL: rebuild of all views",
        "events/s",
        samples,
        (Limit(100, STOCK),),
        note=f"ours: all projections of {last:,} events, their digests compared; stock: "
        "ProjectionRunner, one projection, with its own subscription.",
    )


def _catch_up(course: Course, big: Made, small: Made) -> Row:
    note("PostgreSQL: catching up after one command")
    with closing(Follower(course, big)) as at_big, closing(Follower(course, small)) as at_small:
        samples = in_turn({OURS: at_big.sample, TENTH: at_small.sample}, course.repetitions)
    return Row(
        "PostgreSQL: catch up after one command, all views",
        "ms",
        samples,
        (Limit(1.3, TENTH),),
        note=f"p50 of {CALLS} in each sample; one transaction, which does not wait for the disk.",
    )
