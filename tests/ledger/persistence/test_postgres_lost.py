"""A connection or server is lost at any moment: nothing is lost, and nothing is repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGQUIT, Signals
from typing import Any

import psycopg
import pytest

from ledger.account.agency import AgencyCreated
from ledger.application import Ledger
from ledger.errors import (
    OutcomeUnknown,
    StoreUnavailable,
)
from ledger.persistence.postgres import connections as postgres_connections
from tests import postgres
from tests.cutting import Cut, Way, way_to
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.worlds import Clock, consent, raw, sound, traces
from tests.postgres import Server


def connections_of(ledger: Ledger) -> Any:
    recorder: Any = ledger.recorder
    return recorder.datastore.connections


# -- connections that go -------------------------------------------------------------------------


@pytest.fixture
def way(server: Server, database: str) -> Iterator[Way]:
    with way_to(server.port) as way:
        yield way


@pytest.fixture
def by_way(server: Server, database: str, way: Way) -> str:
    """The database, by a way that can be cut."""
    with psycopg.connect(database) as db:
        name = db.info.dbname
    url = server.network_url(name)
    return url.replace(str(server.port), str(way.port))


def test_a_connection_cut_between_two_commands_is_replaced(
    by_way: str, way: Way, database: str
) -> None:
    with Ledger(by_way) as ledger:
        ledger.execute(login(BEIJING))
        way.cut()
        ledger.execute(grant(BEIJING))
        way.cut()
        assert len(list(ledger.history())) == ledger.last_position()
        assert way.connections == 3
    sound(database)


def test_a_connection_that_the_server_ended_is_replaced(database: str) -> None:
    with Ledger(database) as ledger, psycopg.connect(database, autocommit=True) as db:
        ledger.execute(login(BEIJING))
        for _ in range(3):
            db.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'authledger' AND datname = current_database()"
            )
            ledger.execute(login("another"))
    sound(database)


def test_a_working_connection_is_not_tested_before_use(by_way: str, way: Way) -> None:
    """A ping before each use costs a round trip, and half a minute where a server is gone."""
    with Ledger(by_way) as ledger:
        ledger.execute(login(BEIJING))
        for _ in range(10):
            ledger.last_position()  # In one of the first, the statement is prepared.
        before = way.sent
        for _ in range(20):
            ledger.last_position()
        assert way.sent == before + 20
        assert way.connections == 1


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("many", [False, True], ids=["one command", "many traces"])
def test_a_connection_cut_at_the_commit_loses_nothing_and_repeats_nothing(
    by_way: str, way: Way, database: str, cut: Cut, *, many: bool
) -> None:
    with Ledger(by_way) as ledger:
        consent(ledger, BEIJING)
        last = ledger.last_position()
        way.cut_at_commit = cut
        if many:
            observed = ledger.observe(traces(200))
            assert observed.new_traces == 200
            assert ledger.last_position() == last + observed.entries
            assert ledger.observe(traces(200)).new_traces == 0
        else:
            outcome = ledger.execute(login("another"), command_id="the other")
            positions = [entry.position for entry in outcome.entries]
            assert positions == list(range(last + 1, last + 1 + len(positions)))
            assert list(outcome.entries) == list(ledger.history(last + 1))
            assert ledger.execute(login("another"), command_id="the other").repeated
        assert not way.is_to_cut
        ledger.execute(login("further"))
    sound(database)


def test_another_processes_append_is_not_mistaken_for_the_lost_one(
    by_way: str, way: Way, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is lost, and before the next attempt another has taken the place."""
    with Ledger(by_way) as ledger, Ledger(database) as other:
        consent(ledger, BEIJING)
        other.account("huaweicloud", "0a1b2c3d4e5f")
        connections = connections_of(ledger)
        again = connections._taken

        def after_another() -> object:
            if way.cut_at_commit is None:
                monkeypatch.undo()
                other.execute(login("theirs"))
            return again()

        monkeypatch.setattr(connections, "_taken", after_another)
        way.cut_at_commit = "before"
        outcome = ledger.execute(login("ours"), command_id="ours")
        assert not outcome.repeated
        assert len([e for e in ledger.history() if e.command_id == "ours"]) == len(outcome.entries)
    sound(database)


def test_an_unknown_outcome_is_reported_and_the_command_id_settles_it(
    by_way: str, way: Way, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connections, "RETRY_S", 0.5)
    with Ledger(by_way) as ledger:
        ledger.execute(login(BEIJING))
        way.cut_at_commit, way.is_closed = "after", True
        with pytest.raises(OutcomeUnknown, match="lost at the commit") as raised:
            ledger.execute(grant(BEIJING), command_id="the one")
        assert "--command-id the one:" in raised.value.remedy
        way.is_closed = False
        assert ledger.execute(grant(BEIJING), command_id="the one").repeated
        way.cut_at_commit, way.is_closed = "before", True
        with pytest.raises(
            OutcomeUnknown, match="Try again: a trace that is in the ledger already"
        ):
            ledger.observe(traces(3))
        way.is_closed = False
        assert ledger.observe(traces(3)).new_traces == 3
    sound(database)


def test_an_outcome_that_cannot_be_looked_up_in_time_is_reported_as_unknown(
    by_way: str, way: Way, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commit is lost, and then another holds the lock for too long."""
    with Ledger(by_way, lock_timeout_s=1) as ledger, psycopg.connect(database) as other:
        ledger.execute(login(BEIJING))
        connections = connections_of(ledger)
        again = connections._taken

        def after_another() -> object:
            if not way.is_to_cut:
                monkeypatch.undo()
                other.execute("LOCK TABLE ledger.append_lock IN EXCLUSIVE MODE")
            return again()

        monkeypatch.setattr(connections, "_taken", after_another)
        way.cut_at_commit = "after"
        with pytest.raises(OutcomeUnknown):
            ledger.execute(grant(BEIJING), command_id="the one")
        other.rollback()
        assert ledger.execute(grant(BEIJING), command_id="the one").repeated
    sound(database)


def test_the_signers_record_follows_a_commit_whose_answer_was_lost(
    by_way: str, way: Way, database: str, tmp_path: Path
) -> None:
    from ledger.log.signer import LogSigner
    from ledger.verification.verdict import verify

    with Ledger(by_way, log_keys=tmp_path) as ledger:
        signer = LogSigner(tmp_path, "example.com/authledger")
        signer.key.create(ledger.location)
        ledger.sign(signer)
        cuts: tuple[Cut, Cut] = ("after", "before")
        for cut in cuts:
            way.cut_at_commit = cut
            outcome = ledger.execute(login(BEIJING))
            assert outcome.checkpoint == ledger.entries.checkpoint()
        last = signer.key.last()
        assert last is not None
        assert last.size == ledger.last_position()
        note = ledger.entries.checkpoint()
        assert verify(database, note, [signer.key.verifier], pins={}, record=last).verified


def test_a_transaction_that_the_server_aborted_is_retried(database: str) -> None:
    """As with a deadlock: the server asks twice to try again, and then it succeeds."""
    with Ledger(database) as ledger, raw(database) as db:
        db.execute("CREATE SEQUENCE ledger.turn")
        db.execute(
            "CREATE FUNCTION ledger.twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF nextval('ledger.turn') < 3 THEN "
            "RAISE EXCEPTION 'not now' USING ERRCODE = 'deadlock_detected'; END IF; "
            "RETURN NEW; END $$"
        )
        db.execute(
            "CREATE TRIGGER twice BEFORE INSERT ON ledger.commands FOR EACH ROW "
            "EXECUTE FUNCTION ledger.twice()"
        )
        assert ledger.execute(login(BEIJING)).entries[0].position == 1
        assert db.execute("SELECT last_value FROM ledger.turn").fetchone() == (3,)
    sound(database)


def test_a_row_that_the_server_refuses_leaves_no_doubt_about_the_commit_behind_it(
    database: str,
) -> None:
    with Ledger(database) as ledger, raw(database) as db:
        ledger.execute(login(BEIJING))
        last = ledger.last_position()
        db.execute(
            "CREATE FUNCTION ledger.not_here() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "RAISE EXCEPTION 'not here' USING ERRCODE = 'insufficient_resources'; END $$"
        )
        db.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON ledger.commands FOR EACH ROW "
            "EXECUTE FUNCTION ledger.not_here()"
        )
        with pytest.raises(StoreUnavailable, match="not here") as refused:
            ledger.execute(login(BEIJING))
        assert not isinstance(refused.value, OutcomeUnknown)
        assert "Nothing was appended." in refused.value.__notes__
        db.execute("DROP TRIGGER refuse ON ledger.commands")
        assert ledger.execute(login(BEIJING)).entries[0].position == last + 1
    sound(database)


# -- servers that go -----------------------------------------------------------------------------


@pytest.mark.parametrize("how", [SIGQUIT, SIGKILL], ids=["stopped", "crashed"])
def test_a_server_that_restarts_under_load_loses_nothing_acknowledged(
    how: Signals,
) -> None:
    """Durable, for what was acknowledged before the crash must be there after it."""
    with postgres.running(durable=True) as server:
        url = server.url("postgres")
        acknowledged: list[int] = []
        is_over = threading.Event()

        def go_on() -> None:
            with Ledger(url, clock=Clock()) as ledger:
                number = 0
                while not is_over.is_set():
                    number += 1
                    entries = ledger.execute(login("r"), command_id=f"c{number}").entries
                    acknowledged.append(len(entries))

        worker = threading.Thread(target=go_on)
        worker.start()
        for _ in range(2):
            reached = len(acknowledged)
            _until(lambda reached=reached: len(acknowledged) > reached + 20)
            server.stop(how)
            server.start()
        reached = len(acknowledged)
        _until(lambda: len(acknowledged) > reached + 20)
        is_over.set()
        worker.join(30)
        sound(url)
        with raw(url) as db:
            kept = dict(
                db.execute("SELECT command_id, last_position - first_position + 1 FROM commands")
            )
        for number, entries in enumerate(acknowledged, start=1):
            assert kept[f"c{number}"] == entries
        assert len(kept) == len(acknowledged)


def _until(holds: object) -> None:
    end = time.monotonic() + 30
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_process_that_is_stopped_in_an_append_does_not_keep_the_lock(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_connections, "IDLE_IN_TRANSACTION_S", 1)
    with Ledger(database) as still, Ledger(database) as ledger:
        still.last_position()
        with connections_of(still).connection() as connection:
            connection.execute("BEGIN")
            connection.execute("LOCK TABLE append_lock IN EXCLUSIVE MODE")
            ledger.execute(login(BEIJING))
        still.execute(login(BEIJING))
    sound(database)


def test_known_traces_are_recognised_after_a_lost_connection(by_way: str, way: Way) -> None:
    """After a failed append the process reads the account again instead of trusting its cache."""
    with Ledger(by_way) as ledger:
        consent(ledger, BEIJING)
        way.cut()
        consent(ledger, "another")
        created = [e for e in ledger.history() if isinstance(e.event, AgencyCreated)]
        assert len(created) == 1
