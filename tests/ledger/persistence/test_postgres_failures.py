"""A PostgreSQL server is unreachable, refuses, or cannot write: reported, and nothing is lost."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import (
    InvalidInput,
    LedgerError,
    StoreFull,
    StoreLocked,
    StoreReadOnly,
    StoreUnavailable,
)
from projections.views import Views
from tests.ledger.children import finished, python
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import consent, raw, sound, texts, traces
from tests.postgres import PASSWORD, Server
from tests.tls import Authority, tls_before


def assert_clear(error: LedgerError) -> None:
    """It names the ledger and says what to do, in a line, and nobody's password."""
    assert "postgresql://" in error.message
    assert error.remedy
    assert len(str(error).splitlines()) == 1
    assert "secret" not in str(error)
    assert PASSWORD not in str(error)


# -- who is not let in ---------------------------------------------------------------------------


def test_an_unreachable_server_is_reported_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable, match="cannot be reached") as raised:
        Ledger("postgresql://alice:secret@127.0.0.1:1/audit")
    assert_clear(raised.value)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("database", "role", "password"),
    [
        ("postgres", "postgres", "secret"),
        ("postgres", "nobody_knows", "secret"),
        ("nowhere", "postgres", PASSWORD),
    ],
    ids=["a wrong password", "no such role", "no such database"],
)
def test_a_refused_login_is_reported(
    server: Server, database: str, role: str, password: str
) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached") as raised:
        Ledger(server.network_url(database, role, password))
    assert_clear(raised.value)


def test_a_server_without_tls_is_refused_if_the_url_requires_tls(server: Server) -> None:
    with pytest.raises(StoreUnavailable, match="SSL"):
        Ledger(server.network_url("postgres") + "?sslmode=require")


def test_the_servers_certificate_is_checked_as_the_url_asks(
    server: Server, database: str, tmp_path: Path
) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    with psycopg.connect(database) as db:
        name = db.info.dbname
    with tls_before(server.port, ours.server()) as port:
        url = server.network_url(name).replace(str(server.port), str(port))
        with Ledger(f"{url}?sslmode=verify-full&sslrootcert={ours.root}") as ledger:
            consent(ledger, BEIJING)
        with pytest.raises(StoreUnavailable, match="certificate verify failed"):
            Ledger(f"{url}?sslmode=verify-full&sslrootcert={theirs.root}")
        elsewhere = url.replace("127.0.0.1", "localhost")
        with pytest.raises(StoreUnavailable, match="does not match host name"):
            Ledger(f"{elsewhere}?sslmode=verify-full&sslrootcert={ours.root}")
    sound(database)


def test_a_server_without_free_connections_is_reported(server: Server, database: str) -> None:
    Ledger(database).close()
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS one_too_many")
        db.execute("CREATE ROLE one_too_many LOGIN CONNECTION LIMIT 0")
        with pytest.raises(StoreUnavailable, match="too many connections") as raised:
            Ledger(database.replace("postgres@", "one_too_many@"))
        db.execute("DROP ROLE one_too_many")
    assert_clear(raised.value)


def test_a_role_without_rights_learns_who_grants_them(server: Server, database: str) -> None:
    Ledger(database).close()
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS stranger")
        db.execute("CREATE ROLE stranger LOGIN")
        with pytest.raises(StoreUnavailable, match="The role has no right to do this") as raised:
            Ledger(database.replace("postgres@", "stranger@"))
        db.execute("DROP ROLE stranger")
    assert "authledger database grant" in raised.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret/and more@h/db",
        "postgresql://u:secret@h/db?nonsense=secret",
        "postgresql://u:secret%zz@h/db",
        "postgresql://u:secret%ed%a0%80@h/db",
    ],
)
def test_an_invalid_url_is_reported_without_its_password(url: str) -> None:
    for open_it in (Ledger, lambda url: Views.open(url, load_catalogue())):
        with pytest.raises(InvalidInput) as raised:
            open_it(url)
        assert "secret" not in str(raised.value)


def test_a_database_in_another_encoding_is_refused(server: Server) -> None:
    with server.connection() as db:
        db.execute("DROP DATABASE IF EXISTS latin")
        db.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
        with pytest.raises(StoreUnavailable, match="encoding LATIN1") as raised:
            Ledger(server.url("latin"))
        db.execute("DROP DATABASE latin WITH (FORCE)")
    assert_clear(raised.value)


WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import StoreUnavailable
from tests.ledger.scenario import BEIJING, login
try:
    Ledger("postgresql://h/db")
except StoreUnavailable as error:
    print(error)
with Ledger(sys.argv[1]) as ledger:
    ledger.execute(login(BEIJING))
"""


def test_without_psycopg_the_error_says_how_to_install_it_and_files_work(tmp_path: Path) -> None:
    (said,) = finished(python("-c", WITHOUT_PSYCOPG, tmp_path / "ledger.db"))
    assert said.endswith("pip install 'authledger[postgres]'")


# -- what cannot be written ----------------------------------------------------------------------


def test_a_lock_held_too_long_is_reported_and_does_not_block_readers(database: str) -> None:
    with Ledger(database, lock_timeout_s=1) as ledger, psycopg.connect(database) as other:
        consent(ledger, BEIJING)
        before = texts(ledger)
        other.execute("LOCK TABLE ledger.append_lock IN EXCLUSIVE MODE")
        for attempt in (
            lambda: ledger.execute(login("another"), command_id="again"),
            lambda: ledger.observe(traces(1)),
        ):
            with pytest.raises(StoreLocked, match="locked by another process") as raised:
                attempt()
            assert_clear(raised.value)
        assert texts(ledger) == before
        other.rollback()
        assert not ledger.execute(login("another"), command_id="again").repeated
    sound(database)


def test_an_unexpected_error_is_reported_with_the_databases_own_text(database: str) -> None:
    with Ledger(database) as ledger, raw(database) as db:
        db.execute("DROP TABLE snapshots")
        with pytest.raises(StoreUnavailable, match='"snapshots" does not exist') as raised:
            ledger.execute(login(BEIJING))
        assert_clear(raised.value)


def test_a_read_only_server_is_reported(database: str) -> None:
    with Ledger(database) as ledger:
        consent(ledger, BEIJING)
    read_only = f"{database}&options=-cdefault_transaction_read_only%3Don"
    with Ledger(read_only) as ledger:
        assert ledger.last_position() > 0
        with pytest.raises(StoreReadOnly, match="a standby, or read-only") as raised:
            ledger.execute(login("another"))
        assert_clear(raised.value)


@pytest.fixture
def small_disk(server: Server) -> Iterator[tuple[str, Path]]:
    """A database on a disk that is nearly full, and where the disk is mounted."""
    folder = server.folder / "disk"
    folder.mkdir()
    mount = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=13m", "none", folder], check=False, capture_output=True
    )
    if mount.returncode:
        pytest.skip(f"cannot mount here: {mount.stderr.decode().strip()}")
    server.give(folder)
    with server.connection() as db:
        db.execute(f"CREATE TABLESPACE small LOCATION '{folder}'".encode())
        db.execute("CREATE DATABASE cramped TABLESPACE small")
        yield server.url("cramped"), folder
        db.execute("DROP DATABASE cramped WITH (FORCE)")
        db.execute("DROP TABLESPACE small")
    subprocess.run(["umount", folder], check=True)


def test_on_a_full_disk_nothing_is_lost(small_disk: tuple[str, Path]) -> None:
    url, folder = small_disk
    with Ledger(url) as ledger:
        acknowledged = 0
        with pytest.raises(StoreFull, match=r"Nothing was appended\.") as raised:
            for number in range(100):
                ledger.observe(trace for trace in traces(2_000 * (number + 1))[2_000 * number :])
                acknowledged = ledger.last_position()
        assert_clear(raised.value)
        assert acknowledged > 0
        # Even a read may have to write on such a disk: PostgreSQL makes room in its buffers for it.
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
        assert len(texts(ledger)) == acknowledged
        assert not ledger.execute(login("another")).repeated
        assert len(texts(ledger)) > acknowledged
    sound(url)
