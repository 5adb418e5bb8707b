"""Measures one durable command. All competitors use a write-ahead log and synchronous=FULL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from typing import Final
from uuid import UUID

from benchmarks import stock
from benchmarks.course import Course, note
from benchmarks.generator import BEGINNING
from benchmarks.measure import OURS, RAW, STOCK, Limit, Row, in_turn, median_ms
from ledger.account.authorization import GrantAuthorization
from ledger.account.console import RequestConsoleLogin
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.application import Actor, Ledger, Request
from ledger.messages import Observation, Provenance
from ledger.persistence.sqlite.schema import SCHEMA

STREAM_LENGTH: Final = 200
"""The number of events of the account that the command needs."""
SINCE_SNAPSHOT: Final = 16
"""The number of these events after the snapshot; a process that reads 32 or more writes one."""
ACCOUNTS: Final = 40
CACHED: Final = {"AGGREGATE_CACHE_MAXSIZE": str(ACCOUNTS)}
"""The setting that makes the stock library cache the aggregates."""
TOGETHER: Final[Mapping[int, tuple[Limit, ...]]] = {4: (), 16: (Limit(0.15),), 64: ()}
"""The numbers of commands in one commit, and the targets of milliseconds for each command."""
REGION: Final = "cn-north-4"
_ACTOR: Final = Actor("alice")


def rows(course: Course) -> tuple[Row, ...]:
    note(f"one command at accounts of {STREAM_LENGTH} events")
    ours = Ours(course.place("commands.db"))
    cold = Stock(stock.environment(course.place("stock.db")))
    warm = Stock(stock.environment(course.place("stock-cached.db"), **CACHED))
    raw = Raw(course.place("raw.db"), ours.entry())
    try:
        from_file = in_turn(
            {OURS: ours.cold, STOCK: cold.sample, RAW: raw.sample}, course.repetitions
        )
        in_memory = in_turn(
            {OURS: ours.warm, STOCK: warm.sample, RAW: raw.sample}, course.repetitions
        )
        together = {
            count: in_turn(
                {OURS: partial(ours.together, count), RAW: raw.sample}, course.repetitions
            )
            for count in TOGETHER
        }
    finally:
        for each in (ours, cold, warm, raw):
            each.close()
    return (
        Row(
            f"one command, account of {STREAM_LENGTH} events read from the file",
            "ms",
            from_file,
            (Limit(1 / 3, STOCK),),
            note=f"p50 of {ACCOUNTS} in each sample; ours: {SINCE_SNAPSHOT} of the events after the"
            " account's snapshot; stock: repository.get, one change, save; raw: one sqlite3 commit"
            " of the same row into the same table.",
        ),
        Row(
            "one command, the account warm in the process",
            "ms",
            in_memory,
            (Limit(2, RAW),),
            note="stock: with its aggregate cache switched on, and all aggregates in it.",
        ),
        *(
            Row(
                f"one of {count} commands in one commit, the accounts warm in the process",
                "ms",
                samples,
                TOGETHER[count],
                note="ours: the time of `execute_many`, divided by the number of its commands; raw: "
                "a commit of its own for each row.",
            )
            for count, samples in together.items()
        ),
    )


class Ours:
    """A ledger with accounts. A command is one login to one account, which appends one event."""

    def __init__(self, place: Path | str) -> None:
        self.ledger = Ledger(place)
        self.accounts = [f"{number:012x}" for number in range(ACCOUNTS)]
        for account in self.accounts:
            self._prepare(account)

    def _prepare(self, account: str) -> None:
        self._log_in(account)
        self.ledger.execute(
            GrantAuthorization(account=account, service="asm", region=REGION), actor=_ACTOR
        )
        missing = STREAM_LENGTH - self.ledger.account("huaweicloud", account).version
        changes = _changes(account, missing)
        self.ledger.observe(islice(changes, missing - SINCE_SNAPSHOT))
        self.ledger.clear_cache()
        self._log_in(account)  # Reads everything, as a new process does, and writes a snapshot.
        self.ledger.observe(changes)
        assert self.ledger.account("huaweicloud", account).version == STREAM_LENGTH

    def _log_in(self, account: str, *, dry_run: bool = False) -> None:
        self.ledger.execute(_login(account), actor=_ACTOR, dry_run=dry_run)

    def cold(self) -> float:
        self.ledger.clear_cache()
        self._log_in("warm", dry_run=True)  # A running process knows the actor.
        return median_ms([partial(self._log_in, account) for account in self.accounts])

    def warm(self) -> float:
        for account in self.accounts:
            self._log_in(account)
        return median_ms([partial(self._log_in, account) for account in self.accounts])

    def together(self, count: int) -> float:
        """The time of one command when so many are in one commit."""
        taken = cycle(self.accounts)
        for account in self.accounts:
            self._log_in(account)
        parts = [[_login(next(taken)) for _ in range(count)] for _ in range(ACCOUNTS)]
        return median_ms([partial(self._execute_many, part) for part in parts]) / count

    def _execute_many(self, commands: Iterable[RequestConsoleLogin]) -> None:
        self.ledger.execute_many([Request(command=each, actor=_ACTOR) for each in commands])

    def entry(self) -> str:
        """The text of the entry that one login appends."""
        self._log_in(self.accounts[0])
        return self.ledger.entry_text(self.ledger.last_position())

    def close(self) -> None:
        self.ledger.close()


def _login(account: str) -> RequestConsoleLogin:
    return RequestConsoleLogin(account=account, service="asm", region=REGION)


def _changes(account: str, count: int) -> Iterator[Observation]:
    """`count` changes of an agency's permissions, in regions other than that of the logins."""
    for n in range(count):
        change = PermissionRevoked if n % 2 else PermissionGranted
        yield Observation(
            provider="huaweicloud",
            account=account,
            events=(
                change(
                    agency="asm_admin_trust",
                    region=f"region-{n // 2 % 8}",
                    service=f"service-{n // 16 % 8}",
                ),
            ),
            effective_at=BEGINNING,
            source=Provenance(trace_id=f"{account}-{n}"),
            actor="alice",
        )


class Stock:
    """A stock application with aggregates. A command makes one change to one aggregate."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.app = stock.Delegations(environment)
        # Each change adds one event to an aggregate, which is little compared with its length.
        self.ids = [self.app.of_length(STREAM_LENGTH, number) for number in range(ACCOUNTS)]
        for each in self.ids:
            self.app.repository.get(each)  # Fills the cache, if there is one.

    def _log_in(self, delegation_id: UUID) -> None:
        delegation: stock.Delegation = self.app.repository.get(delegation_id)
        delegation.log_in("asm", REGION, "p-0123456789abcdef0123")
        self.app.save(delegation)

    def sample(self) -> float:
        return median_ms([partial(self._log_in, each) for each in self.ids])

    def close(self) -> None:
        self.app.close()


class Raw:
    """Commits one row by bare sqlite3 into the ledger's own table."""

    def __init__(self, path: Path, entry: str) -> None:
        self.connection = stock.plain_connection(path)
        for statement in SCHEMA:
            self.connection.execute(statement)
        self.entry = entry
        self.position = 0

    def _commit_one(self) -> None:
        self.position += 1
        stream = "console:huaweicloud:0:asm"
        self.commit([(self.position, stream, self.position, "Event.v1", self.entry)])

    def commit(self, table_rows: Sequence[tuple[object, ...]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(
            "INSERT INTO events (position, stream, version, topic, entry) VALUES (?, ?, ?, ?, ?)",
            table_rows,
        )
        self.connection.execute("COMMIT")

    def commit_all(self, parts: Iterable[Sequence[tuple[object, ...]]]) -> None:
        for part in parts:
            self.commit(part)

    def sample(self) -> float:
        return median_ms([self._commit_one] * ACCOUNTS)

    def close(self) -> None:
        self.connection.close()
