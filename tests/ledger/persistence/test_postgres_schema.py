"""The program declares of a new ledger's catalogs just what the server says of one."""

from __future__ import annotations

import psycopg
import pytest

from ledger.application import Ledger
from ledger.persistence.location import PostgresDatabase
from ledger.persistence.postgres import catalogs, declared
from ledger.persistence.postgres.roles import Granted, grant
from ledger.persistence.postgres.schema_check import SCHEMA, objects, schema_differences
from tests.ledger.former_tables import make_former
from tests.ledger.worlds import raw


def test_the_declaration_is_what_the_server_says_of_a_new_ledger(database: str) -> None:
    Ledger(database).close()
    with psycopg.connect(database) as connection, connection.cursor() as c:
        assert objects(c, SCHEMA) == declared.MADE
        assert c.execute(catalogs.BRIEF.encode(), (SCHEMA,)).fetchone() == (declared.BRIEF,)


@pytest.mark.parametrize("version", [2, 3])
def test_a_ledger_of_an_older_format_has_no_differences(database: str, version: int) -> None:
    Ledger(database).close()
    make_former(database, version)
    with psycopg.connect(database) as connection, connection.cursor() as c:
        assert schema_differences(c, version) == []
    Ledger(database).close()
    with psycopg.connect(database) as connection, connection.cursor() as c:
        assert schema_differences(c, 4) == [], "nor has it after the migration"
        assert c.execute(catalogs.BRIEF.encode(), (SCHEMA,)).fetchone() == (declared.BRIEF,)


def test_the_rights_that_are_granted_are_not_differences(database: str) -> None:
    Ledger(database).close()
    with raw(database) as db:
        for role in ("a_writer", "a_reader"):
            db.execute(f"DROP ROLE IF EXISTS {role}")
            db.execute(f"CREATE ROLE {role}")
    grant(PostgresDatabase(database), Granted(["a_writer"], ["a_reader"]))
    with psycopg.connect(database) as connection, connection.cursor() as c:
        assert schema_differences(c, 4) == []
        connection.execute("DROP OWNED BY a_writer, a_reader; DROP ROLE a_writer, a_reader")
