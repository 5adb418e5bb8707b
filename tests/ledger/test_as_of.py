"""Every question says which time it means; answers stand where a command ended."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import Ledger
from ledger.as_of import AsOf, parse_duration, parse_when, resolve
from ledger.errors import InvalidInput
from ledger.values import instant_text
from tests.ledger.scenario import BEIJING, SHANGHAI
from tests.ledger.worlds import Clock, consent

NOW = datetime(2026, 3, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("@1", 1),
        ("@999999999999999999", 999999999999999999),
        (" @7 ", 7),
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T09:30:00Z", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01T17:30:00+08:00", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("2026-03-01 09:30:00.5Z", datetime(2026, 3, 1, 9, 30, 0, 500_000, tzinfo=UTC)),
        ("now", NOW),
        ("-7d", NOW - timedelta(days=7)),
        ("-12h", NOW - timedelta(hours=12)),
        ("-90m", NOW - timedelta(minutes=90)),
        ("-1s", NOW - timedelta(seconds=1)),
        ("-2w", NOW - timedelta(weeks=2)),
    ],
)
def test_a_time_is_written_in_one_of_these_ways(text: str, meant: int | datetime) -> None:
    assert parse_when(text, NOW) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "7d",
        "-7y",
        "-999999w",
        "@",
        "@-1",
        "@1.5",
        "@1234567890123456789",
        "@٣",
        "-٣d",
        "٢٠٢٦-٠٣-٠١",
        "2026-02-30",
        "2026-03-01T09:30:00",
        "2026-13-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1772357400",
    ],
)
def test_a_text_that_is_not_a_time_is_refused_with_the_valid_forms(text: str) -> None:
    with pytest.raises(InvalidInput, match="RFC 3339"):
        parse_when(text, NOW)


def test_a_time_that_is_not_in_the_calendar_is_refused_with_the_reason() -> None:
    """Of a text in another form there is none that the valid forms do not say."""
    for text, why in (("2026-13-01T00:00:00Z", ": month must be in 1..12"), ("yesterday", "")):
        with pytest.raises(InvalidInput) as refusal:
            parse_when(text, NOW)
        assert refusal.value.message == f"{text!r} is not a valid time{why}."


@given(text=st.text(max_size=40))
def test_every_text_is_a_time_or_is_refused(text: str) -> None:
    with suppress(InvalidInput):
        assert isinstance(parse_when(text, NOW), int | datetime)


def test_without_a_time_the_answer_is_about_now(ledger: Ledger) -> None:
    assert ledger.resolve(None, None) is None


def test_a_position_within_a_command_falls_back_to_the_end_of_the_one_before(
    ledger: Ledger,
) -> None:
    """A login is 1 and 2, a consent 3 to 9."""
    assert len(consent(ledger, BEIJING)) == 9
    resolved = [ledger.resolve(f"@{position}", None) for position in range(10)]
    assert resolved == [AsOf(position) for position in (0, 0, 2, 2, 2, 2, 2, 2, 2, 9)]


def test_a_position_that_is_not_written_yet_is_refused(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    for question in (("@10", None), (None, "@10")):
        with pytest.raises(InvalidInput, match=r"not written yet\. The last position is 9"):
            ledger.resolve(*question)


def test_knowledge_at_a_time_ends_at_the_last_position_recorded_by_then(
    ledger: Ledger, clock: Clock
) -> None:
    consent(ledger, BEIJING)
    then = clock.now
    clock.now += timedelta(days=1)
    consent(ledger, SHANGHAI)
    known = ledger.resolve(None, instant_text(then))
    assert known == AsOf(9)
    assert ledger.resolve(None, instant_text(then - timedelta(days=1))) == AsOf(0)
    assert ledger.resolve(None, "-12h") == AsOf(9)


def test_a_past_effective_time_is_answered_by_all_that_is_known_now(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    at = datetime(2026, 3, 1, tzinfo=UTC)
    assert ledger.resolve("2026-03-01", None) == AsOf(9, at)
    assert ledger.resolve("2026-03-01", "@2") == AsOf(2, at)


def test_a_position_excludes_known_at(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    with pytest.raises(InvalidInput, match="exclude each other"):
        ledger.resolve("@2", "@1")


def test_an_empty_ledger_answers_too(ledger: Ledger) -> None:
    assert ledger.resolve("@0", None) == AsOf(0)
    week_before = ledger.resolve("-7d", None)
    assert week_before is not None
    assert week_before.position == 0
    assert resolve(ledger.entries, "2026-03-01", None, NOW) == AsOf(0, NOW - timedelta(days=7.5))
    assert resolve(ledger.entries, None, "-7d", NOW) == AsOf(0)
    with pytest.raises(InvalidInput, match=r"not written yet\. The last position is 0"):
        ledger.resolve("@1", None)


def test_an_answer_says_which_question_it_answers() -> None:
    assert str(AsOf(9)) == "as known at position 9"
    assert str(AsOf(9, NOW)) == "as of 2026-03-08T12:00:00.000000Z, as known at position 9"


@given(position=st.integers(0, 40))
def test_a_resolved_position_never_lies_within_a_command(
    position: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "boundaries.db"
    with Ledger(path, clock=Clock()) as ledger:
        if not ledger.last_position():
            for region in ("one", "two", "three", "four"):
                consent(ledger, region)
        position = min(position, ledger.last_position())
        resolved = ledger.resolve(f"@{position}", None)
        assert resolved is not None
        ids = [entry.command_id for entry in ledger.history()]
        end = resolved.position
        assert end <= position
        assert end in (0, len(ids)) or ids[end - 1] != ids[end]


@pytest.mark.parametrize("text", ["2026-03-08T12:00:00.000001Z", "2026-03-09", "9999-12-31"])
def test_a_time_that_has_not_come_yet_is_refused(ledger: Ledger, text: str) -> None:
    """An answer about tomorrow would be one about what is known today."""
    for as_of, known_at in ((text, None), (None, text), (text, "@0")):
        with pytest.raises(InvalidInput, match=r"has not come yet: the clock says 2026-03-08"):
            resolve(ledger.entries, as_of, known_at, NOW)


def test_this_very_moment_and_a_position_of_any_time_can_be_asked_about(ledger: Ledger) -> None:
    now = instant_text(NOW)
    assert resolve(ledger.entries, now, None, NOW) == AsOf(0, NOW)
    assert resolve(ledger.entries, None, now, NOW) == AsOf(0)


def test_as_of_now_is_now(ledger: Ledger) -> None:
    assert resolve(ledger.entries, "now", None, NOW) is None
    assert resolve(ledger.entries, "now", "@0", NOW) == AsOf(0, NOW)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("12h", timedelta(hours=12)),
        ("400d", timedelta(days=400)),
        ("8w", timedelta(weeks=8)),
    ],
)
def test_a_duration_is_written_as_in_a_time_before_now(text: str, meant: timedelta) -> None:
    assert parse_duration(text) == meant


@pytest.mark.parametrize("text", ["", "5", "-5d", "5y", "1.5h", "5 d", "9999999d", "٣d"])
def test_another_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a valid duration"):
        parse_duration(text)
