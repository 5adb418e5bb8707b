"""A standby, and a role that only reads, answer like the primary or say how far they are behind."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import StoreLocked
from ledger.log.signer import LogSigner
from projections.definitions.declared import SELECTED
from projections.maintenance.present import sorted_present
from projections.projection import Projection
from projections.views import Views
from tests.cli.conftest import ACCOUNT, BEIJING, Cli, Said
from tests.ledger.scenario import login
from tests.ledger.worlds import ORIGIN
from tests.projections.conftest import story
from tests.projections.worlds import World
from tests.standby.pair import Pair, until


class Asked:
    """Runs a command line on the primary (also as another role) and on the standby."""

    def __init__(self, pair: Pair, database: str, cli: Cli) -> None:
        self.pair, self.database, self._cli = pair, database, cli

    def on(self, name: str, line: str, role: str = "ledger") -> Said:
        return self._cli(
            f"--ledger {shlex.quote(self.pair.url_of(name, self.database, role))} {line}"
        )

    def primary(self, line: str) -> Said:
        said = self.on(self.pair.primary, line)
        self.pair.replayed()
        return said

    def standby(self, line: str) -> Said:
        return self.on(self.pair.standby, line)


@pytest.fixture(scope="module")
def _story(_pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The reference story in a signed log, and its views."""
    _pair.mend()
    database, keys = _pair.make_database(), tmp_path_factory.mktemp("keys")
    world = World(_pair.url_of(_pair.primary, database))
    for step in story():
        world.take(step)
    signer = LogSigner(keys, ORIGIN)
    signer.key.create(world.ledger.location)
    world.ledger.sign(signer)
    world.ledger.close()
    return database, keys


@pytest.fixture
def asked(pair: Pair, _story: tuple[str, Path], cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Asked:
    database, keys = _story
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(keys))
    monkeypatch.setenv("AUTHLEDGER_LEDGER", "postgresql://nowhere")
    with Views.open(pair.url_of(pair.primary, database), load_catalogue()) as views:
        views.catch_up()
    pair.replayed()
    return Asked(pair, database, cli)


@pytest.mark.parametrize(
    "line",
    [
        "agency show asm_admin_trust",
        "agency list -o json",
        "view regions --as-of @5",
        "view capabilities",
        "view policies --as-of 2026-04-11 --known-at @9",
        "audit trail --outcome refused -o json",
        "audit show 3",
        "audit diff @5 @20",
        "query 'SELECT type, count(*) FROM audit_trail GROUP BY type ORDER BY type' -o csv",
        "projection status -o csv",
        "log checkpoint",
        "log prove 3",
        "log verify -o json",
    ],
)
def test_a_standby_answers_as_the_primary_does(asked: Asked, line: str) -> None:
    primary, standby = asked.primary(line), asked.standby(line)
    assert primary.code == 0, primary.err
    assert (standby.code, standby.out) == (0, primary.out), standby.err
    assert "missing" not in standby.err


@pytest.mark.parametrize(
    "line",
    [
        f"console login --region {BEIJING}",
        f"authorization revoke --region {BEIJING} --reason x",
        "agency delete asm_admin_trust",
    ],
)
def test_a_standby_refuses_commands_and_names_the_way_to_the_primary(
    asked: Asked, line: str
) -> None:
    said = asked.standby(line)
    assert said.code == 7, said.err
    assert "the server is a standby" in said.err
    assert "target_session_attrs=read-write" in said.err


def test_a_rebuild_on_a_standby_compares_and_changes_nothing(asked: Asked) -> None:
    said = asked.standby("projection rebuild -o json")
    assert said.code == 0, said.err
    compared = said.json
    assert compared["equal"]
    assert not compared["swapped"]
    assert "Compared only" in said.err
    assert "nothing was replaced" in asked.standby("projection rebuild policies").out
    rebuilt = asked.primary("projection rebuild -o json").json
    assert rebuilt["swapped"]
    assert [(each["name"], each["rows"]) for each in compared["projections"]] == [
        (each["name"], each["rows"]) for each in rebuilt["projections"]
    ]
    for one, other in zip(compared["projections"], rebuilt["projections"], strict=True):
        assert one["digest_before"] == one["digest_after"] == other["digest_after"]
    assert asked.standby("projection rebuild -o json").json["equal"]


def test_a_rebuild_on_a_standby_finds_altered_views(asked: Asked) -> None:
    with asked.pair.connection(asked.pair.primary, asked.database) as db:
        (table,) = db.execute(
            "SELECT 'views.' || name || '_' || generation FROM views.tracking "
            "WHERE name = 'policies'"
        ).fetchone() or ("",)
        db.execute(f"UPDATE {table} SET status = 'forged'".encode())
    asked.pair.replayed()
    said = asked.standby("projection rebuild")
    assert said.code == 6
    assert "differ from the events: policies." in said.err
    assert "on the primary" in said.err
    assert "They are replaced" in asked.primary("projection rebuild policies").err
    assert asked.standby("projection rebuild").code == 0


def test_a_standby_says_how_many_events_its_views_lack(asked: Asked) -> None:
    reached = asked.primary("projection status -o json").json[0]["position"]
    typed = f"console login --region {BEIJING} --user alice --account {ACCOUNT} -o json"
    entries = len(asked.primary(typed).json)
    assert entries == 1
    behind = f"the views have reached position {reached}: 1 event is missing"
    for line in (
        "view regions",
        "agency show asm_admin_trust",
        "query 'SELECT 1'",
        "audit diff @3 @5",
    ):
        said = asked.standby(line)
        assert said.code == 0, said.err
        assert behind in said.err, line
    assert asked.standby("projection rebuild -o json").json["last_position"] == reached
    assert asked.standby("projection rebuild").code == 0
    asked.primary(typed)
    assert "2 events are missing" in asked.standby("view regions").err
    assert "missing" not in asked.primary("view regions").err
    assert "missing" not in asked.standby("view regions").err


@pytest.fixture
def auditor(asked: Asked) -> Iterator[str]:
    """A role that may read everything and write nothing."""
    with asked.pair.connection(asked.pair.primary, asked.database) as db:
        db.execute("CREATE ROLE auditor LOGIN")
        db.execute("GRANT pg_read_all_data TO auditor")
        yield "auditor"
        db.execute("DROP OWNED BY auditor")
        db.execute("DROP ROLE auditor")


def test_a_role_that_only_reads_learns_how_many_events_the_views_lack(
    asked: Asked, auditor: str
) -> None:
    typed = f"console login --region {BEIJING} --user alice --account {ACCOUNT}"
    assert asked.primary(typed).code == 0
    said = asked.on(asked.pair.primary, "view regions", auditor)
    assert said.code == 0, said.err
    assert "1 event is missing, and they cannot be caught up here" in said.err
    said = asked.on(asked.pair.primary, "projection rebuild -o json", auditor)
    assert said.code == 0, said.err
    assert said.json["equal"]
    assert not said.json["swapped"]


def test_missing_views_and_those_of_another_version_are_reported(
    asked: Asked, database: str
) -> None:
    with asked.pair.connection(asked.pair.primary, asked.database) as db:
        db.execute("UPDATE views.tracking SET fingerprint = 'older' WHERE name = 'policies'")
    asked.pair.replayed()
    said = asked.standby("view policies")
    assert said.code == 7
    assert "made by another version" in said.err
    assert asked.primary("view policies").code == 0
    assert asked.standby("view policies").code == 0

    typed = f"console login --region {BEIJING} --account {ACCOUNT}"
    fresh = Asked(asked.pair, database, asked._cli)
    assert fresh.primary(typed).code == 0
    said = fresh.standby("view policies")
    assert said.code == 7
    assert "has no views yet" in said.err
    assert fresh.standby("audit trail").code == 7


def test_with_remote_apply_the_standby_shows_a_write_at_once(pair: Pair, database: str) -> None:
    url = f"{pair.network_url(database)}&options=-csynchronous_commit%3Dremote_apply"
    with Ledger(url) as writing:
        writing.execute(login(BEIJING))
        pair.replayed()
        with Ledger(pair.url_of(pair.standby, database)) as reading:
            for number in range(30):
                writing.execute(login(f"r{number}"))
                assert reading.last_position() == writing.last_position()


def test_a_reader_that_names_both_servers_gets_the_standby(
    asked: Asked, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = asked.pair.network_url(asked.database)
    monkeypatch.setenv("AUTHLEDGER_LEDGER", both.replace("read-write", "prefer-standby"))
    assert cli.done("view regions").out == asked.primary("view regions").out
    assert cli(f"console login --region {BEIJING}").code == 7


def test_a_long_query_that_conflicts_with_the_primarys_changes_says_try_again(
    asked: Asked,
) -> None:
    pair, errors = asked.pair, []

    def query() -> None:
        with Views.open(pair.url_of(pair.standby, asked.database), load_catalogue()) as views:
            try:
                views.query("SELECT pg_sleep(60) FROM policies", time_limit_s=60)
            except StoreLocked as error:
                errors.append(error)

    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
    with pair.connection(pair.standby) as db:
        db.execute("ALTER SYSTEM SET max_standby_streaming_delay = '10ms'")
        db.execute("SELECT pg_reload_conf()")
        try:
            asking = threading.Thread(target=query)
            asking.start()
            until(lambda: pair.value(pair.standby, sleeping), "the query sleeps")
            assert asked.primary("projection rebuild policies").code == 0
            asking.join(60)
        finally:
            db.execute("ALTER SYSTEM RESET max_standby_streaming_delay")
            db.execute("SELECT pg_reload_conf()")
    (error,) = errors
    assert "conflict with recovery" in error.message
    assert "Try again" in error.remedy
    assert asked.standby("view policies").code == 0


@pytest.mark.parametrize("projection", SELECTED.values(), ids=list(SELECTED))
def test_a_present_is_sorted_by_bytes_under_any_locale_of_the_database(
    asked: Asked, projection: Projection
) -> None:
    """A key that is an expression would be sorted by the locale of the database."""
    with asked.pair.connection(asked.pair.standby, asked.database) as db:
        db.execute("SET search_path = views")
        for column in projection.key:
            found = db.execute(
                f"SELECT pg_collation_for(max({column.name})) "
                f"FROM ({sorted_present(projection)}) AS present".encode()
            )
            assert found.fetchone() == ('"C"',), column.name
