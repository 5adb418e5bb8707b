"""On PostgreSQL the views belong to their owner, also if another role creates them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import StoreUnavailable
from ledger.persistence.location import PostgresDatabase
from projections.engines import EngineName
from projections.stores.postgres.rights import grant
from projections.views import Views
from tests.ledger.scenario import BEIJING, SHANGHAI
from tests.ledger.test_catalogue import PRINTING
from tests.ledger.worlds import consent
from tests.projections.engines.replaying import Replayable, exported, opened, replayed

ROLES = ("views_owner", "views_member", "views_writer", "views_reader")
CATALOGUE = load_catalogue()
MAKERS = ("views_owner", "views_member", "postgres")


@pytest.fixture
def as_role(database: str) -> Iterator[dict[str, str]]:
    """The database's URL by role. The owner is not a superuser; a member may act as the owner."""
    with psycopg.connect(database, autocommit=True) as db:
        for role in ROLES:
            db.execute(f"DROP ROLE IF EXISTS {role}".encode())
            db.execute(f"CREATE ROLE {role} LOGIN".encode())
        db.execute("GRANT views_owner TO views_member")
        db.execute(f"GRANT CREATE ON DATABASE {db.info.dbname} TO views_owner".encode())
        urls = {role: database.replace("postgres@", f"{role}@") for role in ROLES}
        with Ledger(urls["views_owner"]) as ledger:
            consent(ledger, BEIJING)
        yield urls | {"postgres": database}
        for role in ROLES:
            db.execute(f"DROP OWNED BY {role} CASCADE".encode())
        for role in ROLES:
            db.execute(f"DROP ROLE {role}".encode())


@pytest.mark.parametrize("giver", MAKERS)
@pytest.mark.parametrize("maker", MAKERS)
def test_the_roles_keep_their_rights_after_every_grant_and_rebuild(
    as_role: dict[str, str], giver: str, maker: str
) -> None:
    there = PostgresDatabase(as_role[giver])
    grant(there, writers=["views_writer"], readers=["views_reader"])
    with Views.open(as_role[maker], CATALOGUE) as views:
        views.catch_up()
        certificate = views.rebuild()
        assert certificate.equal
        assert certificate.swapped
        expected = views.read("regions").rows
    for role in ROLES:
        with Views.open(as_role[role], CATALOGUE) as views:
            views.catch_up()
            assert views.read("regions").rows == expected
    with Ledger(as_role["views_writer"]) as ledger:
        consent(ledger, SHANGHAI)
    with Views.open(as_role["views_writer"], CATALOGUE) as views:
        assert views.catch_up() > 0
        assert not views.rebuild().swapped, "a writer compares"
    with Views.open(as_role["views_owner"], CATALOGUE) as views:
        assert views.rebuild().swapped
    with psycopg.connect(as_role["postgres"]) as db:
        owners = db.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class "
            "WHERE relnamespace = to_regnamespace('views')"
        ).fetchall()
    assert owners == [("views_owner",)]


def test_a_writer_with_another_catalogue_reads_the_views_as_created(
    as_role: dict[str, str], tmp_path: Path
) -> None:
    there = PostgresDatabase(as_role["views_owner"])
    grant(there, writers=["views_writer"], readers=["views_reader"])
    with Views.open(as_role["views_owner"], CATALOGUE) as views:
        views.catch_up()
        expected = views.read("capabilities").rows
    (tmp_path / "printing.toml").write_text(PRINTING)
    other = load_catalogue(tmp_path)
    for role in ("views_writer", "views_reader"):
        with Views.open(as_role[role], other) as views:
            views.catch_up()
            assert views.read("capabilities").rows == expected
            assert views.has_another_catalogue()
        with Views.open(as_role[role], CATALOGUE) as views:
            views.catch_up()
            assert not views.has_another_catalogue()


def test_a_replay_of_more_events_than_the_views_have_is_refused(
    as_role: dict[str, str], tmp_path: Path
) -> None:
    grant(PostgresDatabase(as_role["views_owner"]), writers=[], readers=["views_reader"])
    with Views.open(as_role["views_owner"], CATALOGUE) as views:
        reached = views.catch_up()
    with Ledger(as_role["views_owner"]) as ledger:
        consent(ledger, SHANGHAI)
        last = ledger.last_position()
    exported(as_role["views_owner"], tmp_path / "out")
    with psycopg.connect(as_role["postgres"], autocommit=True) as db:
        db.execute("GRANT pg_read_all_data TO views_reader")
    message = f"reached position {reached}, but the export ends at {last}"
    with (
        closing(opened(EngineName.DUCKDB)) as engine,
        pytest.raises(StoreUnavailable, match=message),
    ):
        replayed(Replayable(as_role["views_reader"], tmp_path / "out"), engine)


def test_other_views_catch_up_while_a_swap_waits_for_a_reader(as_role: dict[str, str]) -> None:
    owner = as_role["views_owner"]
    done: list[bool] = []

    def rebuild() -> None:
        with Views.open(owner, CATALOGUE) as views:
            done.append(views.rebuild(["policies"]).equal)

    with Views.open(owner, CATALOGUE) as views:
        views.catch_up()
        with Views.open(owner, CATALOGUE) as reader, reader._store.connection.snapshot("policies"):
            waiting = threading.Thread(target=rebuild)
            waiting.start()
            for number in range(5):
                with Ledger(owner) as ledger:
                    consent(ledger, SHANGHAI if number % 2 else BEIJING)
                    views.catch_up()
                    assert views.reached() == ledger.last_position()
                    assert views.read("agencies").rows
                threading.Event().wait(0.3)
            assert not done, "the reader is in its way"
        waiting.join(60)
        assert done == [True]
