"""A dry run shows what would be appended, and changes nothing: neither the file nor the cache."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.account.truth.fact import Fact
from ledger.application import Actor, Ledger
from ledger.errors import Refused
from ledger.messages import Command, Recorded
from ledger.persistence.side_tables import SideRows
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASM,
    BEIJING,
    NOON,
    PROVIDER,
    SHANGHAI,
    grant,
    login,
    revoke,
)
from tests.ledger.worlds import Clock, Place, consent, sound

ALICE = Actor("alice")


def test_a_command_that_comes_during_a_dry_run_does_not_see_what_that_only_tries(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the dry run changed the cached account, the real command would find nothing left to do."""
    ledger.execute(login(BEIJING))
    check = ledger.entries.check
    appended: list[tuple[Recorded, ...]] = []

    def check_after_the_real_command(side_rows: SideRows) -> None:
        monkeypatch.undo()
        appended.append(ledger.execute(grant(BEIJING)).entries)
        check(side_rows)

    monkeypatch.setattr(ledger.entries, "check", check_after_the_real_command)
    dry = ledger.execute(grant(BEIJING), dry_run=True)
    assert appended[0]
    assert dry.entries == ()
    assert "already authorized in cn-north-4" in dry.note, "it was decided again"


@pytest.mark.parametrize("command", [grant(BEIJING), revoke(SHANGHAI), login(SHANGHAI)])
def test_a_dry_run_shows_what_the_command_then_appends(
    ledger: Ledger, clock: Clock, command: Command
) -> None:
    consent(ledger, SHANGHAI)
    ledger.execute(login(BEIJING))
    clock.step = timedelta(0)
    first = _result(ledger, command, dry_run=True)
    second = _result(ledger, command, dry_run=True)
    appended = _result(ledger, command)
    assert first == second == appended
    assert appended


def test_a_dry_run_is_decided_again_where_another_process_changed_the_account_meanwhile(
    place: Place, ledger: Ledger
) -> None:
    """Both would append entries of the same versions, so a check for later ones sees nothing."""
    consent(ledger, BEIJING)
    with Ledger(place, clock=ledger.clock) as other:
        other.execute(revoke(BEIJING))
    dry = ledger.execute(revoke(BEIJING), dry_run=True)
    assert dry.entries == ()
    assert "is not authorized in" in dry.note
    sound(place)


def test_a_dry_run_keeps_the_known_account(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account was not changed, so it need not be read again."""
    ledger.execute(login(BEIJING))
    ledger.execute(grant(BEIJING), dry_run=True, actor=ALICE)
    monkeypatch.setattr(ledger.entries, "select_snapshot", None)
    assert ledger.execute(grant(BEIJING), actor=ALICE).entries


def test_the_account_that_the_ledger_returns_is_the_callers_own(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    own = ledger.account(PROVIDER, ACCOUNT).state
    own.authorizations[ASM, BEIJING].learn(None, NOON.replace(year=2030))  # type: ignore[arg-type]
    own.learn([Fact("deleted", "agency", NOON.replace(year=2030), 99, name=AGENCY)])
    unchanged = ledger.account(PROVIDER, ACCOUNT)
    assert unchanged.authorization(ASM, BEIJING) is not None
    assert unchanged.agency_exists(AGENCY)
    assert own.facts != unchanged.state.facts


def _result(ledger: Ledger, command: Command, *, dry_run: bool = False) -> list[Recorded]:
    """The entries, without what is new in each attempt."""
    try:
        entries = ledger.execute(command, dry_run=dry_run).entries
    except Refused as refused:
        entries = refused.entries
    return [replace(entry, position=None, command_id=None) for entry in entries]
