"""Views, the trail, why, diff and SQL through the Python API, on both databases."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

import authledger
from authledger import rows
from tests.authledger.conftest import (
    ACCOUNT,
    BEIJING,
    SINGAPORE,
    grant,
    login,
    use,
)
from tests.ledger.worlds import Clock, Place


def test_a_view_includes_what_was_just_appended(ledger: authledger.Ledger) -> None:
    ledger.execute(use("mesh"))
    answer = ledger.view(rows.UsageRow)
    assert answer[0].features_used == 1
    assert answer.position == ledger.position


def test_a_view_is_narrowed_by_its_columns(ledger: authledger.Ledger) -> None:
    ledger.execute(login(SINGAPORE))
    ledger.execute(grant(SINGAPORE))
    answer = ledger.view("regions", region=SINGAPORE, service="elb", status="granted")
    assert [(row.region, row.service) for row in answer] == [(SINGAPORE, "elb")]
    position = answer[0].position
    assert ledger.view("regions", position=position)[0].service == "elb"


@pytest.mark.parametrize(
    "when",
    [
        "@3",
        3,
        "2026-06-01T12:00:10Z",
        datetime(2026, 6, 1, 12, 0, 10, tzinfo=UTC),
        datetime(2026, 6, 1, 20, 0, 10, tzinfo=timezone(timedelta(hours=8))),
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
        assert len(ledger.view("authorizations", as_of=date(2026, 6, 1))) == 0


def test_a_time_without_a_zone_is_refused(ledger: authledger.Ledger) -> None:
    with pytest.raises(authledger.InvalidInput, match="no time zone"):
        ledger.view("usage", as_of=datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("ask", "error", "says"),
    [
        (lambda it: it.view("region"), authledger.NotFound, "Did you mean 'regions'"),
        (lambda it: it.view("audit_trail"), authledger.NotFound, "Accepted: regions, agencies"),
        (lambda it: it.view("regions", status="grantd"), authledger.InvalidInput, "'granted'"),
        (lambda it: it.view("usage", servce="x"), authledger.InvalidInput, "has no column"),
        (lambda it: it.view("usage", region=4), authledger.InvalidInput, "must be a text"),
        (lambda it: it.view("usage", region=None), authledger.InvalidInput, "Leave region out"),
        (lambda it: it.view("usage", position="4"), authledger.InvalidInput, "be an integer"),
        (lambda it: it.view("usage", as_of="soon"), authledger.InvalidInput, "RFC 3339"),
        (lambda it: it.view("usage", as_of="@99"), authledger.InvalidInput, "not written yet"),
        (lambda it: it.view("usage", as_of=1.5), authledger.InvalidInput, "1.5 is not a valid"),
        (lambda it: it.view("usage", as_of=True), authledger.InvalidInput, "True is not a valid"),
        (lambda it: it.trail(limit=0), authledger.InvalidInput, "limit=0 is not valid"),
        (lambda it: it.query("SELECT 1", row_limit=-1), authledger.InvalidInput, "row_limit=-1"),
        (lambda it: it.trail(servce="x"), authledger.InvalidInput, "Did you mean 'service'"),
        (lambda it: it.trail(event="AgencyCreate"), authledger.InvalidInput, "'AgencyCreated'"),
        (lambda it: it.why(), authledger.InvalidInput, "Nothing to explain"),
        (lambda it: it.why(servce="x"), authledger.InvalidInput, "Did you mean 'service'"),
        (lambda it: it.diff("@1", regin="x"), authledger.InvalidInput, "Did you mean 'region'"),
        (lambda it: it.diff("@1", views=["region"]), authledger.NotFound, "'regions'"),
        (lambda it: it.diff("@1", views="region"), authledger.NotFound, "'regions'"),
        (lambda it: it.trail(since="@4"), authledger.InvalidInput, "is a position"),
        (
            lambda it: it.query("DELETE FROM usage"),
            authledger.InvalidInput,
            "only read|query failed",
        ),
        (lambda it: it.entry(99), authledger.NotFound, "osition 99"),
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


def test_an_empty_answer_says_which_words_no_entry_has(ledger: authledger.Ledger) -> None:
    answers = (
        ledger.view("regions", region="cn-north-9"),
        ledger.trail(region="cn-north-9"),
        ledger.why(region="cn-north-9"),
        ledger.diff("@1", region="cn-north-9"),
    )
    for answer in answers:
        assert answer.remarks == (
            "No entry of this ledger has the region 'cn-north-9'. Did you mean 'cn-north-4'?",
        )
    assert ledger.view("regions", region=BEIJING).remarks == ()


def test_a_region_that_no_entry_has_is_named_beside_what_is_in_all_regions(
    ledger: authledger.Ledger,
) -> None:
    granted = authledger.event("PermissionGranted.v1", agency="copier", region="*", policy="p")
    ledger.observe(
        [
            authledger.Observation(
                provider="huaweicloud",
                account=ACCOUNT,
                events=(granted,),
                effective_at=datetime(2026, 3, 1, tzinfo=UTC),
                source=authledger.Provenance(trace_id="everywhere"),
            )
        ]
    )
    answers = (
        ledger.view("regions", region="cn-north-9"),
        ledger.trail(region="cn-north-9"),
        ledger.why(region="cn-north-9"),
    )
    for answer in answers:
        assert [row.region for row in answer] == ["*"]
        assert answer.remarks == (
            "No entry of this ledger has the region 'cn-north-9'. Did you mean 'cn-north-4'?",
        )


def test_a_used_service_is_not_confused_with_a_service_that_asks(ledger: authledger.Ledger) -> None:
    assert ledger.view("regions", service="elb", status="revoked").remarks == ()
    assert ledger.view("authorizations", service="elb").remarks == (
        "No entry of this ledger has the asking service 'elb'. It is a service that agencies use.",
    )
    assert ledger.view("regions", service="asm").remarks == (
        "No entry of this ledger has the used service 'asm'. It is a service that asks.",
    )


def test_why_gives_the_chain_behind_an_answer(ledger: authledger.Ledger) -> None:
    chain = ledger.why(region=BEIJING, uses="elb")
    assert {row.event for row in chain if row.role == "change"} == {"PermissionGranted"}
    assert "AuthorizationGranted" in {row.event for row in chain if row.role == "cause"}
    last = chain[-1]
    assert (last.role, last.actor_name) == ("change", "alice")
    assert last.because_of in {row.position for row in chain}
    assert last.effective_at.tzinfo is UTC


def test_diff_gives_the_rows_that_differ(ledger: authledger.Ledger) -> None:
    answer = ledger.diff("@3", views=["authorizations", "agencies"])
    assert [(row.view, row.change) for row in answer] == [
        ("authorizations", "changed"),
        ("agencies", "new"),
    ]
    consent = answer[0]
    assert consent.key["region"] == BEIJING
    assert (consent.before, consent.after) == ({"status": "requested"}, {"status": "granted"})
    assert consent.since is not None
    assert not ledger.diff("@3", "@3")


def test_a_replay_says_what_each_entry_changed(ledger: authledger.Ledger) -> None:
    replayed = [*ledger.replay(last=5)]
    assert [each.entry.position for each in replayed] == [1, 2, 3, 4, 5]
    assert replayed[3].sentence.startswith("alice consented")


def test_a_view_is_read_up_to_a_limit(ledger: authledger.Ledger) -> None:
    whole = ledger.view("regions")
    first = ledger.view("regions", limit=2)
    assert (first.rows, first.more) == (whole.rows[:2], True)
    assert not ledger.view("regions", limit=len(whole)).more
    with pytest.raises(authledger.InvalidInput, match="limit=0 is not valid"):
        ledger.view("regions", limit=0)
