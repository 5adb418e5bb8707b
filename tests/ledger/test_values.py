"""The words of the domain take any script, and refuse what would break a stream, a line, a byte."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from ledger import values
from tests.ledger.examples import WORDS

KINDS = {
    name: kind
    for name, kind in vars(values).items()
    if not name.startswith("_") and kind in list(WORDS) and kind not in (str, int, bool)
}


def admits(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("AccountId", "0a1b2c3d4e5f67890a1b2c3d4e5f6789"),
        ("AccountId", "123456789012"),
        ("AccountId", "a.b_c-d"),
        ("Region", "cn-north-4"),
        ("Region", "*"),
        ("Region", "北京四"),
        ("Region", "منطقة"),
        ("AgencyName", "asm_admin_trust"),
        ("AgencyName", "وكالة"),
        ("AgencyName", "🛡️ 𝔱𝔯𝔲𝔰𝔱"),
        ("AgencyName", "a:b"),
        ("AgencyName", "x" * 128),
        ("AgencyName", "𐍈" * 128),
        ("PolicyName", "asm admin trust policy"),
        ("PolicyName", "arn:aws:iam::aws:policy/AdministratorAccess"),
        ("SubjectId", "p-0123456789abcdef0123"),
        ("CommandId", "2026/03/01 #7"),
        ("Line", "x" * 1024),
    ],
)
def test_names_may_be_of_any_script(kind: str, value: str) -> None:
    assert admits(KINDS[kind] if kind in KINDS else getattr(values, kind), value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("Provider", ""),
        ("Provider", "Huawei"),
        ("Provider", "a:b"),
        ("Provider", "x" * 33),
        ("AccountId", ""),
        ("AccountId", "a:b"),
        ("AccountId", "-a"),
        ("AccountId", "a b"),
        ("AccountId", "a\n"),
        ("AccountId", "x" * 65),
        ("AccountId", "账户"),
        ("Region", ""),
        ("Region", "**"),
        ("Region", "cn-*"),
        ("Region", "cn north"),
        ("Region", "cn:north"),
        ("Region", "cn-north-4\n"),
        ("Region", "x" * 129),
        ("ServiceCode", "CCE"),
        ("ServiceCode", "a b"),
        ("FeatureName", "ingress gateway"),
        ("FeatureName", "mesh\n"),
        ("AgencyName", ""),
        ("AgencyName", "a\nb"),
        ("AgencyName", "a\n"),
        ("AgencyName", "a\x00b"),
        ("AgencyName", "a\x85b"),
        ("AgencyName", "a\u2028b"),
        ("AgencyName", "a\u2029b"),
        ("AgencyName", "half \ud83d"),
        ("AgencyName", "x" * 129),
        ("PolicyName", "x" * 513),
        ("Trustee", "x" * 2049),
        ("SubjectId", "alice"),
        ("SubjectId", "p-0123456789ABCDEF0123"),
        ("SubjectId", "p-0123456789abcdef0123\n"),
        ("CommandId", "x" * 129),
        ("Line", ""),
        ("Line", "two\nlines"),
        ("Line", "x" * 1025),
        ("Line", 7),
        ("Line", None),
    ],
)
def test_characters_that_would_break_a_stream_a_line_or_a_byte_are_refused(
    kind: str, value: object
) -> None:
    assert not admits(getattr(values, kind), value)


@given(text=st.text())
def test_no_region_and_no_account_can_forge_a_stream(text: str) -> None:
    for kind in (values.Region, values.AccountId, values.Provider, values.ServiceCode):
        if admits(kind, text):
            assert ":" not in text
            assert len(text.splitlines()) == 1


@given(text=st.text(min_size=1, max_size=100))
def test_one_line_of_text_is_one_line_however_it_is_split(text: str) -> None:
    if admits(values.Line, text):
        assert len(text.splitlines()) == 1


zones = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(
    at=st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001  The zones are drawn beside them.
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=zones,
    )
)
def test_a_time_is_written_at_fixed_width_and_read_as_itself(at: datetime) -> None:
    text = values.instant_text(at)
    assert len(text) == 27
    assert text.endswith("Z")
    assert values.instant(text) == at
    assert values.instant(text).tzinfo is UTC


@given(
    one=st.datetimes(timezones=st.just(UTC)),
    other=st.datetimes(timezones=st.just(UTC)),
)
def test_the_order_of_texts_is_the_order_of_times(one: datetime, other: datetime) -> None:
    assert (one < other) == (values.instant_text(one) < values.instant_text(other))


@pytest.mark.parametrize("text", ["2026-03-01", "2026-03-01T09:30:00", "now", ""])
def test_a_time_without_a_zone_is_not_valid(text: str) -> None:
    with pytest.raises(ValueError, match=r"names no zone|form of RFC 3339"):
        values.instant(text)
    assert not admits(values.Instant, text)
    assert not admits(values.Instant, datetime(2026, 3, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "1772357400",
        "1772357400.5",
        "20260301T093000Z",
        "2026-W10-1T00:00:00Z",
        "2026-W10-1T00:00:00.000000Z",
        "2026-060T00:00:00Z",
        "2026-03-01X09:30:00Z",
        "2026-03-01T09:30Z",
        "2026-03-01T09Z",
        "2026-03-01T09:30:00,5Z",
        "2026-03-01T09:30:00+0800",
        "2026-03-01T09:30:00+08",
        "2026-03-01T09:30:00.12+0800",
        "2026-03-01T09:30:00,123456Z",
        "2026-03-01T09:30:00+08:00:30",
        "2026-03-01T09:30:00 Z",
        "2026-03-01T09:30:00Z\n",
        " 2026-03-01T09:30:00Z",
        "٢٠٢٦-03-01T09:30:00Z",
    ],
)
def test_a_number_or_another_form_of_iso_8601_is_not_an_instant(text: str) -> None:
    """Python reads most of them, and pydantic a number as seconds or milliseconds."""
    with pytest.raises(ValueError, match="is not written in the form of RFC 3339"):
        values.instant(text)
    assert not admits(values.Instant, text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:30:00.123456Z",
        "2026-03-01T09:30:00.123456789Z",
        "2026-03-01 09:30:00.123456Z",
        "2026-03-01T17:30:00.123456+08:00",
        "2026-03-01T02:00:00.1234560-07:30",
    ],
)
def test_every_form_of_rfc_3339_is_an_instant(text: str) -> None:
    at = datetime(2026, 3, 1, 9, 30, 0, 123_456, tzinfo=UTC)
    assert values.instant(text) == at
    assert admits(values.Instant, text)


EDGES = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]


@pytest.mark.parametrize("text", EDGES)
def test_a_time_that_lies_outside_the_calendar_in_utc_is_not_valid(text: str) -> None:
    with pytest.raises(ValueError, match="outside the calendar"):
        values.instant(text)
    with pytest.raises(ValueError, match="outside the calendar"):
        values.instant_text(datetime.fromisoformat(text))
    assert not admits(values.Instant, text)
    assert not admits(values.Instant, datetime.fromisoformat(text))


def test_no_duration_leads_out_of_the_calendar() -> None:
    last = values.instant("9999-12-31T23:00:00Z")
    assert values.later(last, timedelta(minutes=1)) == last.replace(minute=1)
    for far in (timedelta(hours=1), timedelta.min, timedelta.max):
        with pytest.raises(ValueError, match="outside the calendar"):
            values.later(last, far)


class Autumn(tzinfo):
    """A clock that is set back from summer time in the night that is asked about."""

    def utcoffset(self, at: datetime | None) -> timedelta:
        return timedelta(hours=1 if at is not None and at.fold else 2)

    def dst(self, at: datetime | None) -> timedelta:
        return self.utcoffset(at) - timedelta(hours=1)

    def tzname(self, at: datetime | None) -> str:
        return str(self.utcoffset(at))


def test_the_hour_that_is_repeated_in_autumn_is_two_hours() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=Autumn())
    assert values.instant_text(first) == "2026-10-25T00:30:00.000000Z"
    assert values.instant_text(first.replace(fold=1)) == "2026-10-25T01:30:00.000000Z"
