"""A clock that is wrong, as a person at the command line meets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ledger.application import Ledger, system_clock
from tests.cli.conftest import Cli
from tests.ledger.scenario import login
from tests.ledger.worlds import Clock

LOGIN = "console login --region cn-north-4 --user alice"
LATER = f"{system_clock() + timedelta(days=1):%Y-%m-%d}"

pytestmark = pytest.mark.usefixtures("config")


def begun(cli: Cli, at: datetime) -> None:
    """The ledger has an entry that was recorded at that time."""
    with Ledger(cli.place, clock=Clock(now=at)) as ledger:
        ledger.execute(login("cn-north-4"))


def test_a_long_pause_is_asked_about_and_the_answer_can_be_pasted(cli: Cli) -> None:
    begun(cli, datetime(2020, 1, 1, tzinfo=UTC))
    said = cli(f"--clock-tolerance 1d {LOGIN}")
    assert said.code == 7
    days = (system_clock() - datetime(2020, 1, 1, tzinfo=UTC)).days + 1
    assert f"authledger --clock-tolerance {days}d COMMAND" in said.err
    cli.done(f"--clock-tolerance {days}d {LOGIN}")
    cli.done(LOGIN)


def test_a_variable_answers_too_and_no_file_can(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    begun(cli, datetime(2020, 1, 1, tzinfo=UTC))
    monkeypatch.setenv("AUTHLEDGER_CLOCK_TOLERANCE", "1d")
    assert cli(LOGIN).code == 7
    monkeypatch.setenv("AUTHLEDGER_CLOCK_TOLERANCE", "soon")
    assert cli(LOGIN).code == 2
    monkeypatch.delenv("AUTHLEDGER_CLOCK_TOLERANCE")
    (cli.folder / "authledger.toml").write_text('clock_tolerance = "9999d"')
    assert cli(LOGIN).code == 2


def test_a_ledger_of_the_future_is_corrected_by_an_entry(cli: Cli) -> None:
    begun(cli, system_clock() + timedelta(days=30))
    said = cli(LOGIN)
    assert said.code == 7
    assert "authledger log set-clock-back --reason TEXT" in said.err
    assert cli("log set-clock-back").code == 2, "it needs a reason"
    entries = cli.appended("log set-clock-back --reason 'wrong clock' --actor alice")
    assert entries == ["ClockSetBack"]
    cli.done(LOGIN)
    assert "set the ledger's clock back" in cli.done("audit trail").out
    cli.done("log init --origin example.com/clock")
    cli.done("log verify")
    assert cli("log set-clock-back --reason again").code == 2


@pytest.mark.parametrize("option", ["--as-of", "--known-at"])
def test_nothing_is_answered_about_tomorrow(cli: Cli, option: str) -> None:
    cli.authorize()
    said = cli(f"view regions {option} {LATER}")
    assert said.code == 2
    assert "has not come yet" in said.err


def test_as_of_now_is_now(cli: Cli) -> None:
    cli.authorize()
    now, also_now = cli.done("view regions"), cli.done("view regions --as-of now")
    assert (now.out, now.err) == (also_now.out, also_now.err)
