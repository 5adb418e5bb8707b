"""The stock eventsourcing library as its documentation shows it, on SQLite, at equal durability.

Its SQLite datastore sets the write-ahead log, and leaves `synchronous` at the default of the SQLite
build. Here it is FULL, as in the ledger. A ProjectionRunner needs a subscription, which the SQLite
recorder lacks; a polling subscription replaces it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import (
    ApplicationRecorder,
    Notification,
    Subscription,
    Tracking,
)
from eventsourcing.projection import Projection
from eventsourcing.sqlite import (
    SQLiteApplicationRecorder,
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteDatastore,
    SQLiteFactory,
    SQLiteTrackingRecorder,
)

POLL_S = 0.001
PAGE = 500


class _Pool(SQLiteConnectionPool):
    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous = FULL")
        return connection


class DurableDatastore(SQLiteDatastore):
    """The stock datastore, with connections that commit as durably as the ledger's."""

    def __init__(self, db_name: str, **options: Any) -> None:
        super().__init__(db_name, **options)
        self.pool.close()
        self.pool = _Pool(db_name=db_name)


class PollingSubscription(Subscription[ApplicationRecorder]):
    """Reads a page of notifications at a time; when all are read, it waits and reads again."""

    def __init__(
        self, recorder: ApplicationRecorder, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(recorder, gt, topics)
        self._page: list[Notification] = []

    def __next__(self) -> Notification:
        while not self._page:
            if self._has_been_stopped:
                raise StopIteration
            found = self._recorder.select_notifications(
                self._last_notification_id or 0, PAGE, topics=self._topics, inclusive_of_start=False
            )
            self._page = list(reversed(found))
            if not found:
                time.sleep(POLL_S)
        notification = self._page.pop()
        self._last_notification_id = notification.id
        return notification


class _Recorder(SQLiteApplicationRecorder):
    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        return PollingSubscription(self, gt, topics)


class DurableFactory(SQLiteFactory):
    """The stock factory with the durable datastore and the polling subscription."""

    application_recorder_class = _Recorder

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.datastore.close()
        self.datastore = DurableDatastore(
            self.datastore.pool.db_name,
            single_row_tracking=self.datastore.single_row_tracking,
            originator_id_type=self.datastore.originator_id_type,
        )


def environment(path: Path, **more: str) -> dict[str, str]:
    """The environment that tells the library where to store its events."""
    return {
        "PERSISTENCE_MODULE": "benchmarks.stock:DurableFactory",
        "SQLITE_DBNAME": os.fspath(path),
        **more,
    }


class TextRecorder(SQLiteApplicationRecorder):
    """A stock recorder that accepts text as names of streams, and can be closed."""

    def close(self) -> None:
        self.datastore.close()


def recorder(path: Path) -> TextRecorder:
    made = TextRecorder(DurableDatastore(os.fspath(path), originator_id_type="text"))
    made.create_table()
    return made


class Delegation(Aggregate):
    """An account's delegation as the library's tutorial would write it."""

    @event("Registered")
    def __init__(self, provider: str, account: str) -> None:
        self.provider = provider
        self.account = account
        self.permissions: dict[str, str] = {}
        self.latest_login = ""

    @event("PermissionGranted")
    def grant(self, agency: str, region: str, service: str, actor: str) -> None:
        self.permissions[f"{agency}/{region}/{service}"] = f"granted by {actor}"

    @event("PermissionRevoked")
    def revoke(self, agency: str, region: str, service: str, actor: str) -> None:
        self.permissions[f"{agency}/{region}/{service}"] = f"revoked by {actor}"

    @event("LoginAdmitted")
    def log_in(self, service: str, region: str, actor: str) -> None:
        self.latest_login = f"{actor} at {service} in {region}"


class Delegations(Application[UUID]):
    """The stock application over such aggregates."""

    name = "delegations"

    def of_length(self, length: int, number: int) -> UUID:
        """Create an aggregate with `length` events; return its id."""
        delegation = Delegation("huaweicloud", f"{number:012x}")
        for n in range(length - 1):
            change = delegation.revoke if n % 2 else delegation.grant
            change("asm_admin_trust", f"region-{n // 2 % 8}", f"service-{n // 16 % 8}", "p-0123")
        self.save(delegation)
        return delegation.id


class PermissionsView(SQLiteTrackingRecorder):
    """A stock materialised view: the present permissions. That is one of the ledger's eight
    projections, without its history, so the comparison favours it.
    """

    def construct_create_table_statements(self) -> list[str]:
        return [
            *super().construct_create_table_statements(),
            (
                "CREATE TABLE IF NOT EXISTS permissions (account TEXT, permission TEXT, "
                "status TEXT, PRIMARY KEY (account, permission)) WITHOUT ROWID"
            ),
        ]

    def set_status(self, account: str, permission: str, status: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as c:
            self._insert_tracking(c, tracking)
            c.execute(
                "INSERT INTO permissions VALUES (?, ?, ?) ON CONFLICT (account, permission) "
                "DO UPDATE SET status = excluded.status",
                (account, permission, status),
            )


class PermissionsProjection(Projection[Any]):
    """Projects each event in a transaction of its own, as the library does."""

    name = "permissions"

    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        status = type(domain_event).__name__
        if status in {"PermissionGranted", "PermissionRevoked"}:
            permission = f"{domain_event.agency}/{domain_event.region}/{domain_event.service}"
            self.view.set_status(str(domain_event.originator_id), permission, status, tracking)
        else:
            self.view.insert_tracking(tracking)


def plain_connection(path: Path) -> sqlite3.Connection:
    """A bare sqlite3 connection with the ledger's durability, for the raw limits."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection
