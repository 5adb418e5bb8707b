"""The stock eventsourcing library on PostgreSQL, as its documentation shows it.

Its commits wait for the disk, by the server's settings. Its database functions are off, which is
their default: with them a reader can miss events.
"""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import Tracking
from eventsourcing.postgres import (
    PostgresApplicationRecorder,
    PostgresDatastore,
    PostgresTrackingRecorder,
)
from psycopg.sql import SQL, Identifier

from benchmarks.servers import Database


def environment(database: Database, **more: str) -> dict[str, str]:
    """The environment that tells the library where to store its events."""
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": database.name,
        "POSTGRES_HOST": database.host,
        "POSTGRES_PORT": str(database.port),
        "POSTGRES_USER": database.user,
        "POSTGRES_PASSWORD": "not asked for",
        **more,
    }


class TextRecorder(PostgresApplicationRecorder):
    """A stock recorder that accepts text as names of streams, and can be closed."""

    def close(self) -> None:
        self.datastore.close()


def recorder(database: Database) -> TextRecorder:
    datastore = PostgresDatastore(
        dbname=database.name,
        host=database.host,
        port=str(database.port),
        user=database.user,
        password="not asked for",  # noqa: S106  The socket needs no password.
        originator_id_type="text",
    )
    made = TextRecorder(datastore)
    made.create_table()
    return made


class PermissionsView(PostgresTrackingRecorder):
    """The stock materialised view of stock.py, on PostgreSQL."""

    def __init__(self, datastore: PostgresDatastore, **options: Any) -> None:
        super().__init__(datastore, **options)
        self.permissions = Identifier(datastore.schema, "permissions")
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS {} (account text, permission text, status text, "
                "PRIMARY KEY (account, permission))"
            ).format(self.permissions)
        )

    def set_status(self, account: str, permission: str, status: str, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as c:
            self._insert_tracking(c, tracking)
            c.execute(
                SQL(
                    "INSERT INTO {} VALUES (%s, %s, %s) ON CONFLICT (account, permission) "
                    "DO UPDATE SET status = excluded.status"
                ).format(self.permissions),
                (account, permission, status),
                prepare=True,
            )
