"""Every entry says who really ran the process: it cannot be claimed, and its name can be erased."""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger.application import Actor, Ledger, Request
from ledger.copying.copy import copy
from ledger.persistence.as_is import AsIs
from ledger.persistence.columns import FORMAT_VERSION
from ledger.persistence.side_tables import SubjectRow
from ledger.persistence.sqlite.migration import Migration
from ledger.subjects import SubjectErased, commitment, runner_id
from ledger.verification.entries import verify_entries
from tests.ledger.former_tables import former_entries
from tests.ledger.scenario import BEIJING, SHANGHAI, login
from tests.ledger.worlds import Place, consent, raw, texts, traces

ME = f"{pwd.getpwuid(os.getuid()).pw_name}@{os.uname().nodename}"
CEO = Actor("ceo")


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger(place) as opened:
        yield opened


def runners(ledger: Ledger) -> set[str | None]:
    """The names of those who ran the processes that appended the entries."""
    ids = [entry.run_by for entry in ledger.history()]
    names = ledger.names(each for each in ids if each)
    return {each and names.get(each, "erased") for each in ids}


def as_another(monkeypatch: pytest.MonkeyPatch, user: str) -> None:
    monkeypatch.setattr("ledger.runner.system_user", lambda: user)


def test_a_claimed_actor_does_not_hide_who_ran_the_command(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING), actor=CEO)
    entries = list(ledger.history())
    assert {entry.actor_established for entry in entries} == {"claimed"}
    assert runners(ledger) == {ME}


@pytest.mark.parametrize("how", ["commands", "traces", "many", "an erasure"])
def test_every_entry_has_its_runner_however_it_was_appended(ledger: Ledger, how: str) -> None:
    ledger.execute(login(BEIJING), actor=CEO)
    if how == "commands":
        consent(ledger, SHANGHAI)
    elif how == "traces":
        ledger.observe(traces(50))
        ledger.observe(traces(60), complete=True)
    elif how == "many":
        ledger.execute_many(
            Request(command=login(f"region-{n}"), actor=Actor(f"user {n}")) for n in range(5)
        )
    else:
        row = ledger.subject("person", "ceo")
        assert row is not None
        ledger.erase(row.subject)
    assert runners(ledger) == {ME}
    assert len({entry.run_by for entry in ledger.history()}) == 1, "one runner has one id"


def test_the_name_stands_once_and_no_event_registers_it(ledger: Ledger, place: Place) -> None:
    ledger.execute(login(BEIJING))
    ledger.observe(traces(5))
    with raw(place) as db:
        rows = db.execute("SELECT subject, name, salt FROM subjects WHERE kind = 'runner'")
        ((subject, name, salt),) = rows.fetchall()
    assert name == ME
    assert subject == runner_id(salt, name) == f"r-{commitment(salt, 'runner', name)[:40]}"
    assert not any(ME in text for text in texts(ledger))


def test_two_users_of_one_ledger_have_two_runners(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    for user in ("alice", "bob"):
        as_another(monkeypatch, user)
        with Ledger(place) as ledger:
            ledger.execute(login(BEIJING), actor=CEO)
    with Ledger(place) as ledger:
        host = os.uname().nodename
        assert runners(ledger) == {f"alice@{host}", f"bob@{host}"}


def test_processes_that_begin_at_once_agree_on_one_id(place: Place) -> None:
    """The second one's first append is a conflict: it finds the name that the first has kept."""
    with Ledger(place) as one, Ledger(place) as other:
        one.execute(login(BEIJING))
        other.execute(login(SHANGHAI))
        assert len({entry.run_by for entry in one.history()}) == 1


def test_an_erased_runner_leaves_the_history_as_it_was(ledger: Ledger, place: Place) -> None:
    ledger.execute(login(BEIJING), actor=CEO)
    subject = next(ledger.history()).run_by
    assert subject is not None
    before = texts(ledger)
    ledger.erase(subject)
    assert texts(ledger)[: len(before)] == before
    assert runners(ledger) == {"erased"}
    erased = list(ledger.history())[-1]
    assert erased.event == SubjectErased(subject=subject)
    assert erased.version == 1
    ledger.execute(login(SHANGHAI))
    assert runners(ledger) == {"erased", ME}, "later entries have another id"
    assert verify_entries(place).findings == []


@pytest.mark.parametrize("column", ["name", "salt"])
def test_a_runner_whose_name_was_exchanged_is_found(
    ledger: Ledger, place: Place, column: str
) -> None:
    ledger.execute(login(BEIJING), actor=CEO)
    assert verify_entries(place).findings == []
    with raw(place) as db:
        other = "'mallory@host'" if column == "name" else f"'{'0' * 64}'"
        db.execute(f"UPDATE subjects SET {column} = {other} WHERE kind = 'runner'")
    (finding,) = verify_entries(place).findings
    assert "do not match its registration" in str(finding)


def test_a_runner_in_an_entry_cannot_be_exchanged(ledger: Ledger, place: Place) -> None:
    ledger.execute(login(BEIJING), actor=CEO)
    subject = next(ledger.history()).run_by
    with raw(place) as db:
        on = "" if isinstance(place, Path) else " ON events"
        db.execute(f"DROP TRIGGER events_are_never_changed{on}")
        db.execute(
            "UPDATE events SET entry = replace(entry, ?, ?) WHERE position = 1",
            (subject, f"r-{'0' * 40}"),
        )
    assert verify_entries(place).findings != []


# -- the database's user -------------------------------------------------------------------------


def database_users(ledger: Ledger) -> set[str | None]:
    return {json.loads(text).get("database_user") for text in texts(ledger)}


def test_a_file_has_no_database_user(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger.db") as ledger:
        ledger.execute(login(BEIJING), actor=CEO)
        assert database_users(ledger) == {None}


def test_the_session_user_of_the_database_is_in_every_entry(database: str) -> None:
    with psycopg.connect(database) as db:
        (user,) = db.execute("SELECT session_user").fetchone() or ("",)
    with Ledger(database) as ledger:
        ledger.execute(login(BEIJING), actor=CEO)
        ledger.observe(traces(50))
        assert database_users(ledger) == {user}


# -- older ledgers, and copies -------------------------------------------------------------------


def former(place: Place) -> list[str]:
    """A ledger of format 4: its entries."""
    with former_entries(), Ledger(place) as ledger:
        ledger.execute(login(BEIJING), actor=CEO)
        ledger.observe(traces(20))
        before = texts(ledger)
    with raw(place) as db:
        db.execute(
            "PRAGMA user_version = 4"
            if isinstance(place, Path)
            else "UPDATE format SET version = 4"
        )
    return before


def version(place: Place) -> Any:
    with raw(place) as db:
        select = "PRAGMA user_version" if isinstance(place, Path) else "SELECT version FROM format"
        return db.execute(select).fetchone()[0]


def test_a_ledger_of_format_4_opens_verifies_and_appends_on(place: Place) -> None:
    before = former(place)
    assert verify_entries(place).findings == []
    assert version(place) == 4, "to verify changes nothing"
    with Ledger(place) as ledger:
        assert texts(ledger) == before
        assert runners(ledger) == {None}
        ledger.execute(login(SHANGHAI), actor=CEO)
        assert texts(ledger)[: len(before)] == before
        assert runners(ledger) == {None, ME}
    assert version(place) == FORMAT_VERSION == 5
    assert verify_entries(place).findings == []


def test_a_trace_that_format_4_appended_is_known(place: Place) -> None:
    before = former(place)
    with Ledger(place) as ledger:
        counts = ledger.observe(traces(20))
        assert (counts.new_traces, counts.conflicts) == (0, 0)
        assert texts(ledger) == before


@pytest.mark.parametrize("to_a_file", [True, False])
def test_a_copy_has_the_runners_and_not_those_that_were_erased(
    tmp_path: Path, database: str, to_a_file: bool
) -> None:
    places: list[Place] = [tmp_path / "ledger.db", database]
    target, source_place = places if to_a_file else reversed(places)
    with Ledger(source_place) as source, Ledger(target) as copied:
        source.execute(login(BEIJING), actor=CEO)
        copy(source, copied)
        assert runners(copied) == {ME}
        subject = next(source.history()).run_by
        assert subject is not None
        source.erase(subject)
        copy(source, copied)
        assert runners(copied) == {"erased"}
    assert verify_entries(target).findings == []


def test_a_name_of_an_erased_runner_is_not_stored_again_by_a_copy(place: Place) -> None:
    with Ledger(place) as ledger:
        ledger.execute(login(BEIJING), actor=CEO)
        subject = next(ledger.history()).run_by
        assert subject is not None
        with raw(place) as db:
            rows = db.execute("SELECT * FROM subjects WHERE subject = ?", (subject,)).fetchall()
        ledger.erase(subject)
        names = [SubjectRow(*row) for row in rows]
        ledger.entries.append_as_is(AsIs(ledger.last_position(), subjects=names))
        assert ledger.names([subject]) == {}


def test_the_entries_of_format_4_are_not_copied_to_another_table(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The migration takes as long for a million entries as for one."""
    former(path)
    monkeypatch.setattr(Migration, "_check_room", lambda _: pytest.fail("it would copy"))
    Ledger(path).close()
    assert version(path) == FORMAT_VERSION
