"""The Python API asks and answers as the command line does, on both databases."""

from __future__ import annotations

import json
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import authledger
from authledger import rows
from ledger.application import Ledger as WriteSide
from ledger.log.signer import LogSigner
from tests.authledger.conftest import (
    ACCOUNT,
    BEIJING,
    SINGAPORE,
    delete_policy,
    grant,
    login,
    use,
)
from tests.ledger.worlds import ORIGIN, Clock, Place, seen

# -- opening -------------------------------------------------------------------------------------


def test_a_ledger_is_made_only_where_it_is_asked_for(place: Place) -> None:
    with pytest.raises(authledger.NotFound, match="create=True"):
        authledger.open(place)
    with authledger.open(place, create=True) as made:
        assert made.position == 0
    with authledger.open(place) as found:
        assert found.position == 0


def test_a_failed_opening_makes_no_file(path: Path) -> None:
    with pytest.raises(authledger.NotFound):
        authledger.open(path)
    assert list(path.parent.iterdir()) == []


def test_a_closed_ledger_says_that_it_is_closed(ledger: authledger.Ledger) -> None:
    ledger.close()
    ledger.close()
    for use_it in (lambda: ledger.view("usage"), lambda: ledger.execute(login())):
        with pytest.raises(authledger.InvalidInput, match="was closed"):
            use_it()


def test_a_location_of_something_else_is_refused() -> None:
    with pytest.raises(authledger.InvalidInput):
        authledger.open("mysql://host/audit")


# -- writing -------------------------------------------------------------------------------------


def test_a_command_appends_and_returns_its_entries(ledger: authledger.Ledger) -> None:
    outcome = ledger.execute(use())
    assert [entry.type for entry in outcome.entries] == ["FeatureUsed"]
    assert outcome.entries[0].position == ledger.position


def test_a_refusal_is_raised_after_it_was_appended(ledger: authledger.Ledger) -> None:
    before = ledger.position
    with pytest.raises(authledger.Refused, match="is protected") as refused:
        ledger.execute(delete_policy(), actor="mallory")
    assert [entry.position for entry in refused.value.entries] == [
        *range(before + 1, ledger.position + 1)
    ]
    row = ledger.trail(event="PolicyDeletionAttempted")[0]
    assert (row.outcome, row.actor_name) == ("refused", "mallory")


def test_a_command_id_makes_trying_again_safe(ledger: authledger.Ledger) -> None:
    first = ledger.execute(use(), command_id="pipeline-41")
    again = ledger.execute(use(), command_id="pipeline-41")
    assert again.repeated
    assert again.entries == first.entries


def test_a_dry_run_appends_nothing(ledger: authledger.Ledger) -> None:
    before = ledger.position
    assert ledger.execute(use(), dry_run=True).entries
    assert ledger.position == before


@pytest.mark.parametrize(
    ("actor", "name", "established"),
    [
        (None, "alice", "claimed"),
        ("bob", "bob", "claimed"),
        (authledger.Actor("carol", "os-user"), "carol", "os-user"),
    ],
)
def test_the_actor_is_the_ledgers_or_the_calls(
    ledger: authledger.Ledger, actor: Any, name: str, established: str
) -> None:
    entry = ledger.execute(use(), actor=actor).entries[-1]
    assert entry.actor is not None
    assert ledger.names([entry.actor]) == {entry.actor: name}
    assert entry.actor_established == established


def test_without_any_actor_it_is_the_operating_systems_user(path: Path) -> None:
    with authledger.open(path, create=True) as ledger:
        entry = ledger.execute(login()).entries[-1]
        assert entry.actor_established == "os-user"


def test_what_a_trace_tells_is_appended_once(ledger: authledger.Ledger) -> None:
    created = authledger.event("AgencyCreated.v1", agency="ops", trustee="account:5f4e3d2c1b0a")
    trace = seen("trace-1", created, at=datetime(2026, 2, 1, tzinfo=UTC), account=ACCOUNT)
    assert ledger.observe([trace]).new_traces == 1
    assert ledger.observe([trace]).known_traces == 1
    row = ledger.view(rows.AgenciesRow, agency="ops")[0]
    assert (row.origin, row.since) == ("observed", datetime(2026, 2, 1, tzinfo=UTC))


def test_a_fact_that_is_not_valid_is_refused() -> None:
    with pytest.raises(authledger.InvalidInput, match="agency: Field required"):
        authledger.event("AgencyCreated.v1", trustee="account:5f4e3d2c1b0a")
    with pytest.raises(authledger.UnknownTopic):
        authledger.event("AgencyRenamed.v1")


def test_trace_files_are_imported(ledger: authledger.Ledger) -> None:
    folder = Path(__file__).parents[1] / "sources" / "fixtures"
    done = ledger.import_traces("cloudtrail", folder / "cloudtrail.json")
    assert done.complete
    assert done.observed.new_traces > 0
    assert done.report.records >= done.observed.new_traces
    again = ledger.import_traces("cloudtrail", [str(folder / "cloudtrail.json")])
    assert again.observed.new_traces == 0


def test_a_cut_trace_file_is_imported_as_far_as_it_goes_and_called_incomplete(
    ledger: authledger.Ledger, tmp_path: Path
) -> None:
    whole = Path(__file__).parents[1] / "sources" / "fixtures" / "cloudtrail.json"
    cut = tmp_path / "cut.json"
    cut.write_bytes(whole.read_bytes()[:-100])
    done = ledger.import_traces("cloudtrail", cut)
    assert not done.complete
    assert done.observed.new_traces > 0
    assert done.report.places


@pytest.mark.parametrize(
    ("source", "path", "error", "says"),
    [
        ("azure", ".", authledger.InvalidInput, "cts, cloudtrail"),
        ("cts", "nowhere.json", authledger.NotFound, "nowhere.json"),
    ],
)
def test_an_import_that_cannot_begin_reads_nothing(
    ledger: authledger.Ledger, source: str, path: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        ledger.import_traces(source, path)
    assert "Nothing was read" in str(raised.value)


def test_a_name_is_forgotten(ledger: authledger.Ledger) -> None:
    subject = ledger.trail(event="AuthorizationGranted")[0].actor
    assert subject is not None
    ledger.erase(subject, reason="left the company")
    assert ledger.names([subject]) == {}
    assert ledger.trail(event="AuthorizationGranted")[0].actor_name is None


# -- reading -------------------------------------------------------------------------------------


def test_a_view_includes_what_was_just_appended(ledger: authledger.Ledger) -> None:
    ledger.execute(use("mesh"))
    answer = ledger.view(rows.UsageRow)
    assert answer[0].features_used == 1
    assert answer.position == ledger.position


def test_a_view_is_narrowed_by_its_columns(ledger: authledger.Ledger) -> None:
    ledger.execute(login(SINGAPORE))
    ledger.execute(grant(SINGAPORE))
    answer = ledger.view("region_agencies", region=SINGAPORE, service="elb", status="granted")
    assert [(row.region, row.service) for row in answer] == [(SINGAPORE, "elb")]
    position = answer[0].position
    assert ledger.view("region_agencies", position=position)[0].service == "elb"


@pytest.mark.parametrize(
    "when",
    [
        "@3",
        3,
        "2026-03-01T12:00:10Z",
        datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC),
        datetime(2026, 3, 1, 20, 0, 10, tzinfo=timezone(timedelta(hours=8))),
    ],
    ids=str,
)
def test_an_instant_is_a_text_a_position_or_a_time(place: Place, when: authledger.When) -> None:
    clock = Clock(step=timedelta(0))
    with authledger.open(place, create=True, clock=clock) as ledger:
        ledger.execute(login())
        clock.now += timedelta(minutes=1)
        ledger.execute(grant())
        assert len(ledger.view("authorizations", status="granted")) == 1
        assert [row.status for row in ledger.view("authorizations", as_of=when)] == ["requested"]
        assert [row.status for row in ledger.view("authorizations", known_at=when)] == ["requested"]
        assert len(ledger.view("authorizations", as_of=date(2026, 3, 1))) == 0


def test_a_time_without_a_zone_is_refused(ledger: authledger.Ledger) -> None:
    with pytest.raises(authledger.InvalidInput, match="no time zone"):
        ledger.view("usage", as_of=datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda it: it.view("region"), authledger.NotFound, "region_agencies, agencies"),
        (lambda it: it.view("audit_trail"), authledger.NotFound, "There are"),
        (lambda it: it.view("usage", servce="x"), authledger.InvalidInput, "has no column"),
        (lambda it: it.view("usage", region=4), authledger.InvalidInput, "compared with a text"),
        (lambda it: it.view("usage", position="4"), authledger.InvalidInput, "with an integer"),
        (lambda it: it.view("usage", as_of="soon"), authledger.InvalidInput, "RFC 3339"),
        (lambda it: it.view("usage", as_of="@99"), authledger.InvalidInput, "not written yet"),
        (lambda it: it.trail(servce="x"), authledger.InvalidInput, "account, region, service"),
        (lambda it: it.trail(since="@4"), authledger.InvalidInput, "is a position"),
        (
            lambda it: it.query("DELETE FROM usage"),
            authledger.InvalidInput,
            "only read|not understood",
        ),
        (lambda it: it.entry(99), authledger.NotFound, "no position 99"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_can(
    ledger: authledger.Ledger, ask: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        ask(ledger)


def test_the_trail_is_read_by_pages(ledger: authledger.Ledger) -> None:
    first = ledger.trail(limit=4)
    assert first.more
    rest = ledger.trail(limit=100, after=first[-1].position)
    assert not rest.more
    read = [row.position for row in (*first, *rest)]
    assert read == [*range(ledger.position, 0, -1)]


def test_the_trail_is_bounded_by_times(ledger: authledger.Ledger) -> None:
    consent = ledger.trail(event="AuthorizationGranted")[0]
    later = ledger.trail(since=consent.effective_at, newest_first=False)
    earlier = ledger.trail(until=consent.effective_at)
    assert later[0].position == consent.position
    assert len(later) + len(earlier) == ledger.position


def test_an_entry_and_the_history_are_as_stored(ledger: authledger.Ledger) -> None:
    last = ledger.position
    assert json.loads(ledger.entry(last))["topic"] == "PermissionGranted.v1"
    assert [entry.position for entry in ledger.history(last - 1)] == [last - 1, last]


def test_the_account_is_as_decisions_see_it(ledger: authledger.Ledger) -> None:
    account = ledger.account(ACCOUNT)
    assert account.permitted_services("asm_admin_trust", BEIJING) == {"aom", "cce", "elb", "vpc"}


def test_free_sql_says_when_there_are_more_rows(ledger: authledger.Ledger) -> None:
    answer = ledger.query("SELECT position, type FROM audit_trail ORDER BY position", row_limit=2)
    assert answer.more
    assert [row.position for row in answer] == [1, 2]


# -- proving -------------------------------------------------------------------------------------


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "keys"


@pytest.fixture
def signed(place: Place, keys: Path) -> Iterator[tuple[authledger.Ledger, str]]:
    """A ledger whose log has a key, and the verifier key."""
    with WriteSide(place, log_keys=keys) as begun:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(begun.location)
        begun.entries.sign(signer)
    with authledger.open(place, log_keys=keys, clock=Clock()) as ledger:
        ledger.execute(login())
        ledger.execute(grant())
        yield ledger, str(signer.key.verifier)


Signed = tuple[authledger.Ledger, str]


def test_evidence_is_checked_without_the_ledger(signed: Signed, tmp_path: Path) -> None:
    ledger, vkey = signed
    made = ledger.evidence(rows.RegionsRow, tmp_path / "answer.zip", service="elb")
    held = authledger.verify_evidence(tmp_path / "answer.zip", [vkey])
    assert held.answer == made.answer
    assert held.answer[0].service == "elb"
    assert held.origin == ORIGIN
    assert held.size == ledger.position
    assert not held.complete
    assert held.remarks


def test_spoilt_evidence_is_refused(signed: Signed, tmp_path: Path) -> None:
    ledger, vkey = signed
    path = tmp_path / "answer.zip"
    ledger.evidence("region_agencies", path, complete=True)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["answer.json"] = parts["answer.json"].replace(b"granted", b"revoked", 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    with pytest.raises(authledger.VerificationFailed):
        authledger.verify_evidence(path, vkey)


def test_evidence_without_a_key_to_check_it_by_is_not_verified(tmp_path: Path) -> None:
    with pytest.raises(authledger.InvalidInput, match="verifier key"):
        authledger.verify_evidence(tmp_path / "answer.zip", [])


def test_a_signed_ledger_is_verified(signed: Signed, tmp_path: Path) -> None:
    ledger, vkey = signed
    kept = tmp_path / "checkpoint"
    checkpoint = ledger.execute(use()).checkpoint
    assert checkpoint is not None
    kept.write_text(checkpoint, encoding="utf-8")
    ledger.execute(use())
    assert ledger.verify(keys=[vkey], since=[kept]).verified
    assert ledger.verify().verified


def test_an_altered_ledger_is_not_verified(path: Path, keys: Path, signed: Signed) -> None:
    ledger, _ = signed
    with closing(sqlite3.connect(path)) as connection, connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE events SET entry = replace(entry, 'elb', 'obs')")
    with pytest.raises(authledger.VerificationFailed, match=r"not verified: .* finding"):
        ledger.verify()
    verdict = ledger.verify(check=False)
    assert not verdict.verified
    assert verdict.verification.findings


def test_an_unsigned_ledger_is_not_verified(ledger: authledger.Ledger) -> None:
    with pytest.raises(authledger.VerificationFailed, match="nobody signed"):
        ledger.verify()
