"""Makes what the library needs of a ledger on PostgreSQL."""

from __future__ import annotations

from typing import Any

from eventsourcing.persistence import BaseInfrastructureFactory
from eventsourcing.postgres import PostgresFactory

from ledger.errors import StoreUnavailable
from ledger.persistence.opening import REFUSES_ALTERED
from ledger.persistence.postgres.connections import Datastore
from ledger.persistence.postgres.recorder import LedgerRecorder


class LedgerFactory(PostgresFactory):
    """The library's factory with our datastore and recorder.

    It ignores the library's environment variables: they turn on, for example, database functions
    by which a reader loses events, or a ping before each use.
    """

    application_recorder_class = LedgerRecorder

    def __init__(self, env: Any) -> None:
        url = env.get("POSTGRES_URL")
        if not url:
            raise StoreUnavailable("POSTGRES_URL is empty.")
        # Not PostgresFactory's, which reads all variables.
        BaseInfrastructureFactory.__init__(self, env)
        self.datastore: Datastore = Datastore(
            url,
            lock_timeout_s=int(env.get("POSTGRES_LOCK_TIMEOUT") or 30),
            may_create=env.get("LEDGER_CREATE") != "no",
            originator_id_type=env.get("ORIGINATOR_ID_TYPE") or "uuid",
        )
        self.datastore.refuses_altered = env.get(REFUSES_ALTERED) != "no"
