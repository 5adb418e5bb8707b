"""The eventsourcing library's own test cases, on our recorders and our factories.

The cases that do not run here, and why:

- `AggregateRecorderTestCase` expects `insert_events` to return None, as a recorder without
  positions does. Ours is an application recorder; the library's own application recorders fail it
  at the same line (`test_the_aggregate_case_is_not_for_application_recorders` holds the evidence).
  Its other statements are those of `ApplicationRecorderTestCase`, and it runs itself on the
  recorder that our factory gives for aggregates and snapshots.
- The cases with a cipher need the package pycryptodome, which nothing here depends on. An entry is
  text that people, SQL and proofs read; a ciphered one is none of these.
- `optional_test_insert_subscribe`: nothing is notified; projections poll.
- `TranscoderTestCase`: our mapper writes entries itself and uses no transcoder.
"""

from __future__ import annotations

import importlib.util
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import TestCase
from uuid import UUID, uuid4

import pytest
from eventsourcing import postgres as stock_postgres
from eventsourcing import sqlite as stock
from eventsourcing.persistence import AggregateRecorder, StoredEvent
from eventsourcing.postgres import PostgresDatastore
from eventsourcing.utils import Environment, get_topic

from ledger.persistence.postgres import recorder as postgres
from ledger.persistence.postgres.connections import Datastore
from ledger.persistence.postgres.factory import LedgerFactory as PostgresLedgerFactory
from ledger.persistence.recorder import Recorder
from ledger.persistence.sqlite import connections
from ledger.persistence.sqlite.recorder import LedgerFactory, LedgerRecorder

HAS_CIPHER = importlib.util.find_spec("Crypto") is not None
if not HAS_CIPHER:  # The library's cases import its cipher, and that pycryptodome, all alike.
    sys.modules["eventsourcing.cipher"] = ModuleType("eventsourcing.cipher")
    sys.modules["eventsourcing.cipher"].AESCipher = None  # type: ignore[attr-defined]

from eventsourcing.tests import application as application_cases  # noqa: E402
from eventsourcing.tests import persistence as cases  # noqa: E402

if not HAS_CIPHER:
    del sys.modules["eventsourcing.cipher"]

PERSISTENCE = "ledger.persistence.sqlite.recorder:LedgerFactory"

needs_cipher = pytest.mark.skipif(
    not HAS_CIPHER, reason="needs pycryptodome, which nothing here depends on"
)


class OnOurs(TestCase):
    """A new ledger for each case, closed after it."""

    _originator_id_type: Any = "uuid"

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> Iterator[None]:
        self.folder = tmp_path
        self.datastores: list[stock.SQLiteDatastore] = []
        before = set(threading.enumerate())
        yield
        for thread in set(threading.enumerate()) - before:
            thread.join()  # Some cases leave readers running; nobody closes a file under them.
        for datastore in self.datastores:
            datastore.close()

    def datastore(self) -> connections.Datastore:
        path = self.folder / f"ledger{len(self.datastores)}.db"
        # Ten writers at once, each fsyncing: as patient as the ledger itself is.
        datastore = connections.Datastore(
            f"file:{path}", lock_timeout=30, originator_id_type=self._originator_id_type
        )
        self.datastores.append(datastore)
        return datastore

    def create_recorder(self) -> LedgerRecorder:
        recorder = LedgerRecorder(self.datastore())
        recorder.create_table()
        return recorder


class OnPostgres(TestCase):
    """An empty database for each case."""

    _originator_id_type: Any = "uuid"

    @pytest.fixture(autouse=True)
    def _database(self, database: str) -> Iterator[None]:
        self.url = database
        self.datastores: list[PostgresDatastore] = []
        before = set(threading.enumerate())
        yield
        for thread in set(threading.enumerate()) - before:
            thread.join()
        for datastore in self.datastores:
            datastore.close()

    def create_recorder(self) -> postgres.LedgerRecorder:
        datastore = Datastore(self.url, originator_id_type=self._originator_id_type)
        self.datastores.append(datastore)
        recorder = postgres.LedgerRecorder(datastore)
        recorder.create_table()
        return recorder


class TestApplicationRecorder(OnOurs, cases.ApplicationRecorderTestCase[LedgerRecorder]):
    pass


class TestApplicationRecorderOnPostgres(
    OnPostgres, cases.ApplicationRecorderTestCase[postgres.LedgerRecorder]
):
    pass


class TestApplicationRecorderWithTextIdsOnPostgres(TestApplicationRecorderOnPostgres):
    _originator_id_type = "text"

    def new_originator_id(self) -> str:
        return f"account:huaweicloud:{uuid4()}"


class TestApplicationRecorderWithTextIds(TestApplicationRecorder):
    _originator_id_type = "text"

    def new_originator_id(self) -> str:
        return f"account:huaweicloud:{uuid4()}"


class TestNonInterleavingNotificationIds(OnOurs, cases.NonInterleavingNotificationIDsBaseCase):
    pass


class TestNonInterleavingNotificationIdsOnPostgres(
    OnPostgres, cases.NonInterleavingNotificationIDsBaseCase
):
    pass


class TestAggregateRecorderOfOurFactoryOnPostgres(OnPostgres, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:  # type: ignore[override]
        factory = PostgresLedgerFactory(Environment("App", {"POSTGRES_URL": self.url}))
        self.datastores.append(factory.datastore)
        return factory.aggregate_recorder()


class TestAggregateRecorderOfOurFactory(OnOurs, cases.AggregateRecorderTestCase):
    def create_recorder(self) -> AggregateRecorder:  # type: ignore[override]
        factory = LedgerFactory(
            Environment("App", {"SQLITE_DBNAME": f"file:{self.folder / 'aggregates.db'}"})
        )
        self.datastores.append(factory.datastore)
        return factory.aggregate_recorder()


def test_the_aggregate_case_is_not_for_application_recorders(tmp_path: Path) -> None:
    def positions(recorder: AggregateRecorder) -> object:
        return recorder.insert_events(
            [StoredEvent(uuid4(), 1, "topic1", b"state1"), StoredEvent(uuid4(), 1, "topic1", b"s2")]
        )

    theirs = stock.SQLiteApplicationRecorder(stock.SQLiteDatastore(f"file:{tmp_path / 'a.db'}"))
    ours = LedgerRecorder(connections.Datastore(f"file:{tmp_path / 'b.db'}"))
    for recorder in (theirs, ours):
        recorder.create_table()
        assert positions(recorder) == [1, 2]
        recorder.datastore.close()


class TestFactory(OnOurs, cases.InfrastructureFactoryTestCase[LedgerFactory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase")
        self.env["PERSISTENCE_MODULE"] = PERSISTENCE
        self.env["SQLITE_DBNAME"] = f"file:{self.folder / 'factory.db'}"
        super().setUp()

    def expected_factory_class(self) -> type[LedgerFactory]:
        return LedgerFactory

    def expected_application_recorder_class(self) -> type[LedgerRecorder]:
        return LedgerRecorder

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return stock.SQLiteAggregateRecorder

    def expected_tracking_recorder_class(self) -> type[stock.SQLiteTrackingRecorder]:
        return stock.SQLiteTrackingRecorder

    def tracking_recorder_subclass(self) -> type[stock.SQLiteTrackingRecorder]:
        return TrackingRecorderSubclass

    def expected_process_recorder_class(self) -> type[stock.SQLiteProcessRecorder]:
        return stock.SQLiteProcessRecorder

    test_mapper_with_cipher = needs_cipher(
        cases.InfrastructureFactoryTestCase.test_mapper_with_cipher
    )
    test_mapper_with_cipher_and_compressor = needs_cipher(
        cases.InfrastructureFactoryTestCase.test_mapper_with_cipher_and_compressor
    )
    test_mapper_with_wrong_cipher_key = needs_cipher(
        cases.InfrastructureFactoryTestCase.test_mapper_with_wrong_cipher_key
    )


class TrackingRecorderSubclass(stock.SQLiteTrackingRecorder):
    pass


class TestFactoryOnPostgres(OnPostgres, cases.InfrastructureFactoryTestCase[PostgresLedgerFactory]):
    def setUp(self) -> None:
        self.env = Environment("TestCase")
        self.env["PERSISTENCE_MODULE"] = "ledger.persistence.postgres.factory:LedgerFactory"
        self.env["POSTGRES_URL"] = self.url
        super().setUp()

    def expected_factory_class(self) -> type[PostgresLedgerFactory]:
        return PostgresLedgerFactory

    def expected_application_recorder_class(self) -> type[postgres.LedgerRecorder]:
        return postgres.LedgerRecorder

    def expected_aggregate_recorder_class(self) -> type[AggregateRecorder]:
        return stock_postgres.PostgresAggregateRecorder

    def expected_tracking_recorder_class(self) -> type[stock_postgres.PostgresTrackingRecorder]:
        return stock_postgres.PostgresTrackingRecorder

    def tracking_recorder_subclass(self) -> type[stock_postgres.PostgresTrackingRecorder]:
        return PostgresTrackingRecorderSubclass

    def expected_process_recorder_class(self) -> type[stock_postgres.PostgresProcessRecorder]:
        return stock_postgres.PostgresProcessRecorder

    test_mapper_with_cipher = needs_cipher(
        cases.InfrastructureFactoryTestCase.test_mapper_with_cipher
    )
    test_mapper_with_cipher_and_compressor = needs_cipher(
        cases.InfrastructureFactoryTestCase.test_mapper_with_cipher_and_compressor
    )
    test_mapper_with_wrong_cipher_key = needs_cipher(
        cases.InfrastructureFactoryTestCase.test_mapper_with_wrong_cipher_key
    )


class PostgresTrackingRecorderSubclass(stock_postgres.PostgresTrackingRecorder):
    pass


class OurEnvironment(TestCase):
    """The library's cases read their persistence from the environment."""

    @pytest.fixture(autouse=True)
    def _environment(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PERSISTENCE_MODULE", PERSISTENCE)
        monkeypatch.setenv("SQLITE_DBNAME", f"file:{tmp_path / 'application.db'}")
        monkeypatch.setenv("SQLITE_LOCK_TIMEOUT", "30")


class TestExampleApplication(OurEnvironment, application_cases.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(LedgerFactory)


# One of them is about a deprecation, which it catches itself.
@pytest.mark.filterwarnings("default::DeprecationWarning")
class TestApplication(OurEnvironment, application_cases.ApplicationTestCase):
    pass


class OurDatabase(TestCase):
    """The same on PostgreSQL. That a variable turns on what loses events must not matter."""

    @pytest.fixture(autouse=True)
    def _environment(self, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(
            "PERSISTENCE_MODULE", "ledger.persistence.postgres.factory:LedgerFactory"
        )
        monkeypatch.setenv("POSTGRES_URL", database)
        monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "y")
        monkeypatch.setenv("POSTGRES_PRE_PING", "y")


class TestExampleApplicationOnPostgres(OurDatabase, application_cases.ExampleApplicationTestCase):
    expected_factory_topic = get_topic(PostgresLedgerFactory)


@pytest.mark.filterwarnings("default::DeprecationWarning")
class TestApplicationOnPostgres(OurDatabase, application_cases.ApplicationTestCase):
    # About the library's cache, and it waits until each of many threads was the first: with a lock
    # that is granted in order that takes half a minute. Its sister, which waits too, does run.
    test_check_aggregate_fastforwarding_nonblocking = None  # type: ignore[assignment]


def test_the_ledger_lets_no_environment_variable_choose_what_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ledger.application import Ledger

    for name in ("PERSISTENCE_MODULE", "LEDGER_PERSISTENCE_MODULE", "MAPPER_TOPIC", "CIPHER_TOPIC"):
        monkeypatch.setenv(name, "antigravity:nothing")
    with Ledger(tmp_path / "ledger.db") as ledger:
        assert type(ledger.factory) is LedgerFactory


def test_an_id_that_is_a_uuid_comes_back_as_one(tmp_path: Path) -> None:
    recorder = LedgerRecorder(connections.Datastore(f"file:{tmp_path / 'ledger.db'}"))
    recorder.create_table()
    originator_id = uuid4()
    recorder.insert_events([StoredEvent(originator_id, 1, "topic1", b"state1")])
    (event,) = recorder.select_events(originator_id)
    assert event.originator_id == originator_id
    assert isinstance(event.originator_id, UUID)
    recorder.datastore.close()


def test_both_recorders_promise_the_same() -> None:
    """The type checker holds each against the protocol; this holds each against the other."""
    ours: tuple[type[Recorder], ...] = (LedgerRecorder, postgres.LedgerRecorder)
    promised = {name for name in vars(Recorder) if not name.startswith("_")}
    assert len(promised) > 15
    for kind in ours:
        assert promised <= set(dir(kind))
