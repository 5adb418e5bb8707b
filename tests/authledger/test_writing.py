"""Commands, observations and imports through the Python API, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import authledger
from authledger import rows
from tests.authledger.conftest import (
    ACCOUNT,
    delete_policy,
    grant,
    login,
    use,
)
from tests.ledger.kept import TRUST, document, trust_seen
from tests.ledger.worlds import Place, seen


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


def test_a_command_appends_and_returns_its_entries(ledger: authledger.Ledger) -> None:
    outcome = ledger.execute(use())
    assert [entry.type for entry in outcome.entries] == ["FeatureUsed"]
    assert outcome.entries[0].position == ledger.position


def test_anything_but_a_command_is_refused(ledger: authledger.Ledger) -> None:
    before = ledger.position
    for given in ("grant", authledger.GrantAuthorization):
        with pytest.raises(
            authledger.InvalidInput, match=r"is not a command\. Nothing was appended"
        ):
            ledger.execute(given)  # type: ignore[arg-type]
    assert ledger.position == before


def test_a_refusal_is_raised_after_it_was_appended(ledger: authledger.Ledger) -> None:
    before = ledger.position
    with pytest.raises(authledger.Refused, match="is protected") as refused:
        ledger.execute(delete_policy(), actor="mallory")
    assert [entry.position for entry in refused.value.entries] == [
        *range(before + 1, ledger.position + 1)
    ]
    row = ledger.trail(event="PolicyDeletionAttempted")[0]
    assert (row.outcome, row.actor_name) == ("refused", "mallory")


def test_several_commands_have_a_result_each_in_their_order(ledger: authledger.Ledger) -> None:
    before = ledger.position
    asked = [
        authledger.Request(command=use(), command_id="pipeline-1", reason="its own"),
        delete_policy(),
        login(region="cn-nort-4"),
        "grant",
        authledger.Request(command=use(), command_id="pipeline-1"),
        use(),
    ]
    used, refused, mistyped, wrong, again, last = ledger.execute_many(
        asked,  # type: ignore[arg-type]
        actor="zoe",
        reason="for all",
    )
    assert isinstance(used, authledger.Outcome)
    assert isinstance(refused, authledger.Refused)
    assert isinstance(mistyped, authledger.InvalidInput)
    assert "cn-north-4" in str(mistyped)
    assert isinstance(wrong, authledger.InvalidInput)
    assert isinstance(again, authledger.Outcome)
    assert again.repeated
    assert isinstance(last, authledger.Outcome)
    done = [entry for each in (used, refused, last) for entry in each.entries]
    assert [entry.position for entry in done] == [*range(before + 1, ledger.position + 1)]
    reasons = {row.reason for row in ledger.trail(actor="zoe")}
    assert reasons == {"for all", "its own"}


def test_a_text_for_several_commands_is_checked_before_them(ledger: authledger.Ledger) -> None:
    before = ledger.position
    with pytest.raises(authledger.InvalidInput, match="reason"):
        ledger.execute_many([use()], reason="")
    assert ledger.position == before


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


def test_a_mistyped_region_is_refused_unless_it_is_called_new(ledger: authledger.Ledger) -> None:
    before = ledger.position
    with pytest.raises(authledger.InvalidInput, match="Did you mean 'cn-north-4'") as refused:
        ledger.execute(login("cn-nort-4"))
    assert "new_region=True" in refused.value.remedy
    assert ledger.position == before
    ledger.execute(login("cn-nort-4"), new_region=True)
    ledger.execute(grant("cn-nort-4"))  # The account uses it by now.
    assert len(ledger.view("regions", region="cn-nort-4")) == 4


def test_the_facts_of_a_trace_are_appended_once(ledger: authledger.Ledger) -> None:
    created = authledger.event("AgencyCreated.v1", agency="ops", trustee="account:5f4e3d2c1b0a")
    trace = seen("trace-1", created, at=datetime(2026, 2, 1, tzinfo=UTC), account=ACCOUNT)
    assert ledger.observe([trace]).new_traces == 1
    assert ledger.observe([trace]).known_traces == 1
    row = ledger.view(rows.AgenciesRow, agency="ops")[0]
    assert (row.origin, row.since) == ("observed", datetime(2026, 2, 1, tzinfo=UTC))


def test_a_fact_that_is_not_valid_is_refused() -> None:
    with pytest.raises(authledger.InvalidInput, match="agency: Field required"):
        authledger.event("AgencyCreated.v1", trustee="account:5f4e3d2c1b0a")
    with pytest.raises(authledger.InvalidInput, match=r"Did you mean 'AgencyCreated.v1'"):
        authledger.event("AgencyCreatd.v1")


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
        ("azure", ".", authledger.InvalidInput, "cloudtrail, cts"),
        ("cts", "nowhere.json", authledger.NotFound, "nowhere.json"),
    ],
)
def test_an_import_that_cannot_begin_reads_nothing(
    ledger: authledger.Ledger, source: str, path: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as raised:
        ledger.import_traces(source, path)
    assert "Nothing was read" in str(raised.value)


def test_one_id_may_be_given_by_itself(ledger: authledger.Ledger) -> None:
    actor = str(ledger.trail()[0].actor)
    assert ledger.names(actor) == ledger.names([actor]) != {}


def test_a_name_is_forgotten(ledger: authledger.Ledger) -> None:
    subject = ledger.trail(event="AuthorizationGranted")[0].actor
    assert subject is not None
    ledger.erase(subject, reason="left the company")
    assert ledger.names([subject]) == {}
    assert ledger.trail(event="AuthorizationGranted")[0].actor_name is None


def test_a_document_is_read_and_forgotten(ledger: authledger.Ledger) -> None:
    ledger.observe([trust_seen("t1", TRUST)])
    digest = document(TRUST).digest
    assert ledger.document(digest[:8]) == document(TRUST).text
    (row,) = ledger.documents()
    assert (row.document, row.text, row.agency) == (digest, "kept", "helpers")
    ledger.erase_document(digest[:8], reason="a request")
    assert ledger.documents()[0].text == "erased"
    with pytest.raises(authledger.NotFound, match="only the digest is known: it was erased"):
        ledger.document(digest)
