"""A role of PostgreSQL's that sees the views and nothing else uses the API as far as it may."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

import authledger
from ledger.persistence.location import PostgresDatabase
from projections.stores.postgres.rights import grant
from tests.authledger.conftest import BEIJING, login, use
from tests.authledger.conftest import grant as consent
from tests.ledger.kept import TRUST, document, trust_seen

ROLE = "api_reader"


@pytest.fixture
def reader(database: str) -> Iterator[str]:
    """The URL by which a reader sees a ledger with one consent, whose views lack one entry."""
    with psycopg.connect(database, autocommit=True) as db:
        db.execute(f"CREATE ROLE {ROLE} LOGIN".encode())
        with authledger.open(database, create=True, actor="alice") as ledger:
            ledger.execute(login())
            ledger.execute(consent())
            ledger.view("usage")
            grant(PostgresDatabase(database), writers=[], readers=[ROLE])
            ledger.execute(use())
        yield database.replace("postgres@", f"{ROLE}@")
        db.execute(f"DROP OWNED BY {ROLE} CASCADE".encode())
        db.execute(f"DROP ROLE {ROLE}".encode())


def test_a_reader_reads_and_learns_how_many_entries_the_views_lack(reader: str) -> None:
    with authledger.open(reader) as ledger:
        answer = ledger.view("regions", region=BEIJING)
        assert len(answer) == 4
        assert answer.missing == 1
        assert ledger.position == answer.position + 1
        trail = ledger.trail(limit=1)
        assert (trail[0].position, trail.position, trail.missing) == (answer.position,) * 2 + (1,)
        assert len(ledger.trail(event="FeatureUsed")) == 0
        [counted] = (listed := ledger.query("SELECT max(position) AS last FROM audit_trail"))
        assert (counted.last, listed.position, listed.missing) == (answer.position,) * 2 + (1,)
        why = ledger.why(region=BEIJING)
        assert (why.position, why.missing) == (answer.position, 1)
        assert ledger.query("SELECT count(*) AS n FROM regions")[0].n == 4


def test_a_reader_reads_documents(reader: str, database: str) -> None:
    with authledger.open(database) as owner:
        owner.observe([trust_seen("t1", TRUST)])
    with authledger.open(reader) as ledger:
        digest = document(TRUST).digest
        assert ledger.document(digest) == document(TRUST).text
        assert (len(ledger.documents()), ledger.documents().missing) == (0, 3)
    with authledger.open(database) as owner:
        [used] = owner.documents()
        assert (used.document, owner.documents().missing) == (digest, 0)
    with authledger.open(reader) as ledger:
        assert ledger.documents().dicts() == [used._asdict()]


def test_a_reader_writes_nothing(reader: str) -> None:
    with authledger.open(reader) as ledger:
        for _ in range(2):
            with pytest.raises(authledger.StoreForbidden):
                ledger.execute(login())
        [newest] = ledger.trail(limit=1)
        assert newest.position == ledger.position - 1
