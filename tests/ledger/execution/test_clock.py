"""The writer's clock and the ledger's times: what is refused, and the way out that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.account.agency import AgencyCreated, AttemptAgencyDeletion
from ledger.account.permissions import PermissionGranted
from ledger.application import Actor, Ledger
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.clock import AHEAD_MAX, BEHIND_MAX, JUMP_MAX
from ledger.clock_set_back import ClockSetBack
from ledger.errors import ClockDisagrees, InvalidInput
from ledger.values import instant_text
from ledger.verification.entries import verify_entries
from projections.views import Views
from tests.ledger.scenario import ACCOUNT, AGENCY, BEIJING, login, revoke
from tests.ledger.verification.crimes import Scene
from tests.ledger.worlds import Clock, Place, consent, seen

STILL = timedelta()
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
FAR = datetime(2999, 12, 31, tzinfo=UTC)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still between the steps of a test."""
    return Clock(step=STILL)


@pytest.fixture
def ledger(place: Place, clock: Clock) -> Iterator[Ledger]:
    """A ledger with the default tolerance, which other tests do not have."""
    with Ledger(place, clock=clock, clock_jump_max=JUMP_MAX) as ledger:
        yield ledger


def set_to(clock: Clock, at: datetime) -> None:
    clock.now = at


def begun_in_the_future(ledger: Ledger, clock: Clock) -> datetime:
    """A ledger whose newest entries were recorded by a clock of the year 2999; return now."""
    consent(ledger, BEIJING)
    now = clock.now
    set_to(clock, FAR)
    ledger._transactions._clock_jump_max = timedelta(days=10**7)
    ledger.execute(login("another"))
    ledger._transactions._clock_jump_max = JUMP_MAX
    set_to(clock, now + timedelta(hours=1))
    return clock.now


# -- a writer's clock -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "write",
    [
        lambda ledger: ledger.execute(login("another")),
        lambda ledger: ledger.execute(login("another"), dry_run=True),
        lambda ledger: ledger.observe([seen("t", AgencyCreated(agency="a"), at=LONG_AGO)]),
        lambda ledger: ledger.erase(next(iter(ledger.history())).event.subject),
    ],
    ids=["command", "dry run", "trace", "erasure"],
)
@pytest.mark.parametrize(
    "wrong", [-(BEHIND_MAX + timedelta(seconds=1)), JUMP_MAX + timedelta(seconds=1)], ids=str
)
def test_a_writer_whose_clock_is_wrong_appends_nothing(
    ledger: Ledger, clock: Clock, write: Callable[[Ledger], object], wrong: timedelta
) -> None:
    ledger.execute(login(BEIJING), actor=Actor("alice"))
    last = ledger.last_position()
    set_to(clock, clock.now + wrong)
    with pytest.raises(ClockDisagrees, match=r"Nothing was appended\.") as raised:
        write(ledger)
    assert instant_text(clock.now) in raised.value.message
    assert ledger.last_position() == last


@pytest.mark.parametrize("off", [-BEHIND_MAX, JUMP_MAX], ids=str)
def test_a_writer_whose_clock_is_off_by_no_more_than_the_tolerance_appends(
    ledger: Ledger, clock: Clock, off: timedelta
) -> None:
    ledger.execute(login(BEIJING))
    set_to(clock, clock.now + off)
    assert ledger.execute(login("another")).entries


def test_a_long_pause_is_confirmed_once(place: Place, ledger: Ledger, clock: Clock) -> None:
    ledger.execute(login(BEIJING))
    set_to(clock, clock.now + timedelta(days=800))
    with pytest.raises(ClockDisagrees) as raised:
        ledger.execute(login("another"))
    assert "--clock-tolerance 800d" in raised.value.remedy
    with Ledger(place, clock=clock, clock_jump_max=timedelta(days=800)) as other:
        other.execute(login("another"))
    assert ledger.execute(login("a-third")).entries


# -- traces ---------------------------------------------------------------------------------------


def test_a_trace_of_tomorrow_is_refused_with_those_that_came_with_it(
    ledger: Ledger, clock: Clock
) -> None:
    created = AgencyCreated(agency="a")
    tomorrow = seen("tomorrow", created, at=clock.now + AHEAD_MAX + timedelta(seconds=1))
    with pytest.raises(InvalidInput, match="The trace tomorrow happened at"):
        ledger.observe([seen("today", created, at=clock.now), tomorrow])
    assert ledger.last_position() == 0


def test_a_trace_of_a_clock_that_is_slightly_ahead_is_appended_and_a_command_follows_it(
    ledger: Ledger, clock: Clock
) -> None:
    ahead = clock.now + AHEAD_MAX
    ledger.observe([seen("t", AgencyCreated(agency=AGENCY), at=ahead)])
    command = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True)
    assert ledger.execute(command, reason="clean-up").entries[-1].effective_at > ahead


def test_a_known_trace_of_the_future_is_still_known(ledger: Ledger, clock: Clock) -> None:
    now = clock.now
    trace = seen("t", AgencyCreated(agency=AGENCY), at=now + timedelta(days=1))
    set_to(clock, now + timedelta(days=1))
    ledger.observe([trace])
    set_to(clock, now + timedelta(days=1) - BEHIND_MAX)
    assert ledger.observe([trace]).known_traces == 1


# -- a ledger that holds a time of the future -----------------------------------------------------


def test_a_time_of_the_future_has_a_way_out_that_is_recorded(
    place: Place, ledger: Ledger, clock: Clock
) -> None:
    now = begun_in_the_future(ledger, clock)
    with pytest.raises(ClockDisagrees) as raised:
        ledger.execute(login("a-third"))
    assert "log set-clock-back" in raised.value.remedy
    outcome = ledger.set_clock_back(actor=Actor("alice"), reason="the server's clock was wrong")
    event = outcome.entries[-1]
    assert event.event == ClockSetBack(recorded_until=FAR)
    assert event.recorded_at == now
    assert ledger.execute(login("a-third")).entries[-1].recorded_at == now
    assert not verify_entries(place).count


def test_the_clock_is_set_back_only_if_it_is_ahead(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    with pytest.raises(InvalidInput, match="not later than"):
        ledger.set_clock_back(reason="to be sure")


def test_the_clock_is_set_back_once(ledger: Ledger, clock: Clock) -> None:
    begun_in_the_future(ledger, clock)
    ledger.set_clock_back(reason="wrong clock")
    with pytest.raises(InvalidInput, match="not later than"):
        ledger.set_clock_back(reason="wrong clock")


def test_a_time_after_the_correction_knows_all_entries_before_it(
    place: Place, ledger: Ledger, clock: Clock
) -> None:
    now = begun_in_the_future(ledger, clock)
    ledger.set_clock_back(reason="wrong clock")
    end = ledger.last_position()
    set_to(clock, now + timedelta(days=1))
    ledger.execute(login("a-third"))
    later = ledger.last_position()
    assert ledger.resolve(None, instant_text(now)) == AsOf(end)
    assert ledger.resolve(None, instant_text(now + timedelta(days=1))) == AsOf(later)
    before = ledger.resolve(None, instant_text(now - timedelta(minutes=1)))
    assert before is not None
    assert 0 < before.position < end
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        for when in (now, now + timedelta(days=1), now - timedelta(minutes=1)):
            text = instant_text(when)
            assert views.resolve(None, text, clock()) == ledger.resolve(None, text)


def test_a_clock_set_back_that_does_not_name_the_time_before_it_is_found(
    place: Place, ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    """The crime: entries are put in with earlier times, behind an entry that excuses them."""
    begun_in_the_future(ledger, clock)
    ledger.set_clock_back(reason="wrong clock")
    position = ledger.last_position()
    ledger.close()
    scene = Scene(place, tmp_path, None, tmp_path)  # type: ignore[arg-type]
    with scene.unprotected() as db:
        other = scene.altered(db, position, recorded_until=instant_text(clock.now))
        db.execute("UPDATE events SET entry = ? WHERE position = ?", (other, position))
    found = [str(each) for each in verify_entries(place).findings]
    assert any("is earlier than that of the entry before it" in each for each in found), found


# -- what counts now ------------------------------------------------------------------------------


def test_a_fact_of_the_future_does_not_move_commands_and_does_not_count_yet(
    place: Place, ledger: Ledger, clock: Clock
) -> None:
    """An older version took traces of tomorrow: the command's time is the clock's."""
    now = clock.now
    granted = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce")
    set_to(clock, now + timedelta(days=1))
    ledger.observe([seen("t", AgencyCreated(agency=AGENCY), granted, at=clock.now)])
    set_to(clock, now)
    ledger.set_clock_back(reason="the trace was imported by a wrong clock")
    assert ledger.execute(login(BEIJING)).entries[-1].effective_at == now
    assert not ledger.account("huaweicloud", ACCOUNT).agency_exists(AGENCY)
    with Views.open(place, load_catalogue()) as views:
        views.catch_up()
        when = views.resolve(None, None, clock())
        assert when is not None
        assert when == views.resolve("now", None, clock()) == AsOf(when.position, clock())
        assert not views.read("agencies", as_of=when).rows
        set_to(clock, now + timedelta(days=1))
        assert views.resolve(None, None, clock()) is None
        assert views.resolve("now", None, clock()) is None
        assert views.read("agencies").rows


def test_an_answer_of_the_future_does_not_count_yet(ledger: Ledger, clock: Clock) -> None:
    """A wrong clock revoked a consent in the year 2999; it is in force until then."""
    consent(ledger, BEIJING)
    now = clock.now
    set_to(clock, FAR)
    ledger._transactions._clock_jump_max = timedelta(days=10**7)
    ledger.execute(revoke(BEIJING))
    ledger.execute(login("another"))
    set_to(clock, now)
    ledger.set_clock_back(reason="wrong clock")
    account = ledger.account("huaweicloud", ACCOUNT)
    found = account.authorization("asm", BEIJING)
    assert found is not None
    assert found.status == "granted"
    assert account.authorization_since("asm", BEIJING) == now
    assert account.revocation("asm", BEIJING) is None
    assert account.authorization("asm", "another") is None
    assert ledger.execute(revoke(BEIJING)).entries, "it can be revoked now"
    set_to(clock, FAR)
    assert ledger.account("huaweicloud", ACCOUNT).revocation("asm", BEIJING) == FAR
