"""Four processes at one account at once: nothing lost, nothing twice, positions 1..n."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.answers import PermissionKey
from ledger.account.authorization import AuthorizationGranted
from ledger.account.questions import Account
from ledger.account.usage import IssueCredential
from ledger.application import Actor, Ledger
from ledger.errors import Refused, StoreLocked
from ledger.execution.transactions import CONFLICTS_MAX
from ledger.messages import Command
from ledger.subjects import SubjectRegistered
from tests.ledger.children import appender, finished
from tests.ledger.scenario import ACCOUNT, ASKED, ASM, BEIJING, grant, login, revoke
from tests.ledger.worlds import Clock, Place, consent, sound, texts, traces

PROCESSES = 4
COUNT = 60


def test_four_processes_appending_to_one_account_lose_nothing_and_repeat_nothing(
    place: Place,
) -> None:
    children = [appender("race", place, f"p{number}", str(COUNT)) for number in range(PROCESSES)]
    said = [line.split() for child in children for line in finished(child)]
    assert len(said) == PROCESSES * COUNT

    sound(place)
    with Ledger(place) as ledger:
        history = list(ledger.history())
        per_command = Counter(entry.command_id for entry in history)
        for _, command_id, entries in said:
            assert per_command[command_id] == int(entries)
        assert sum(per_command.values()) == sum(int(entries) for *_, entries in said)
        # One account: one agency, and one consent in each region.
        created = [e for e in history if isinstance(e.event, AgencyCreated)]
        assert len(created) == 1
        consented = Counter(
            e.event.region for e in history if isinstance(e.event, AuthorizationGranted)
        )
        assert set(consented.values()) == {1}
        account = ledger.account("huaweicloud", ACCOUNT)
        for region in consented:
            assert account.permitted_services("asm_admin_trust", region) == set(ASKED)
        # Three names, registered once each, though all four used them.
        registered = [e for e in history if isinstance(e.event, SubjectRegistered)]
        assert len(registered) == 3


def test_four_processes_importing_the_same_traces_append_each_once(
    place: Place, tmp_path: Path
) -> None:
    children = [appender("observe", place, "150") for _ in range(PROCESSES)]
    for child in children:
        finished(child)
    sound(place)
    with Ledger(place) as ledger, Ledger(tmp_path / "alone.db") as alone:
        alone.observe(traces(150))
        assert len(texts(ledger)) == len(texts(alone))
        assert {e.command_id for e in ledger.history()} == {e.command_id for e in alone.history()}
        for name in ("account-0", "account-1"):
            one, other = (each.account("huaweicloud", name) for each in (ledger, alone))
            assert _permissions(one) == _permissions(other)


def _permissions(account: Account) -> dict[str | None, set[PermissionKey]]:
    names = [agency.name for agency in account.agencies()]
    return {name: set(account.open_permissions(name or "")) for name in names}


def test_the_same_command_id_from_many_at_once_is_carried_out_once(place: Place) -> None:
    ledgers = [Ledger(place) for _ in range(PROCESSES)]
    ledgers[0].execute(login(BEIJING))

    def consent(ledger: Ledger) -> list[int | None]:
        outcome = ledger.execute(grant(BEIJING), command_id="the one", actor=Actor("alice"))
        return [entry.position for entry in outcome.entries]

    with ThreadPoolExecutor(PROCESSES) as threads:
        answers = list(threads.map(consent, ledgers))
    assert answers[0], "each answer names the first one's entries"
    assert all(positions == answers[0] for positions in answers)
    for ledger in ledgers:
        ledger.close()
    sound(place)


def test_all_who_open_a_new_ledger_at_once_get_in(tmp_path: Path) -> None:
    """SQLite does not wait where several switch a new file to WAL at once."""
    for turn in range(15):
        path = tmp_path / f"{turn}.db"
        with ThreadPoolExecutor(8) as threads:
            opened = list(threads.map(lambda _, new=path: Ledger(new), range(8)))
        for ledger in opened:
            assert ledger.last_position() == 0
            ledger.close()


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(
            IssueCredential(
                account=ACCOUNT, service=ASM, region=BEIJING, target="elb", component="gateway"
            ),
            id="which appends to a stream beside the account's",
        ),
        pytest.param(grant(BEIJING), id="which appends nothing"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_command_is_decided_again_if_another_process_changed_the_account(
    place: Place, command: Command, *, dry_run: bool
) -> None:
    with Ledger(place) as ledger, Ledger(place) as other:
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        ledger.execute(command)  # As the process knows it from now on.
        other.execute(revoke(BEIJING))
        with pytest.raises(Refused):
            ledger.execute(command, dry_run=dry_run)
    sound(place)


def test_after_two_conflicts_a_decision_is_taken_under_the_append_lock(
    place: Place, clock: Clock
) -> None:
    """Otherwise a process that waits for the lock could always find that others were faster."""
    with (
        Ledger(place, clock=clock) as ledger,
        Ledger(place, clock=clock, lock_timeout_s=1) as other,
    ):
        attempts: list[str] = []

        def race() -> datetime:
            try:
                other.execute(login(f"region-{len(attempts)}"))
                attempts.append("faster")
            except StoreLocked:
                attempts.append("kept out")
            return clock()

        ledger.clock = race
        entries = ledger.execute(login(BEIJING), actor=Actor("alice")).entries
        assert attempts == [*["faster"] * CONFLICTS_MAX, "kept out"]
        assert entries[-1].position == ledger.last_position()
        other.execute(login("and-on"))
    sound(place)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_decision_that_appends_nothing_gives_the_append_lock_back(
    place: Place, clock: Clock, *, dry_run: bool
) -> None:
    with (
        Ledger(place, clock=clock) as ledger,
        Ledger(place, clock=clock, lock_timeout_s=1) as other,
    ):
        consent(ledger, BEIJING)
        attempts: list[int] = []

        def race() -> datetime:
            attempts.append(len(attempts))
            if len(attempts) <= CONFLICTS_MAX:
                other.execute(login(f"region-{len(attempts)}"))
            return clock()

        ledger.clock = race
        assert ledger.execute(grant(BEIJING), dry_run=dry_run).entries == ()
        assert len(attempts) == CONFLICTS_MAX + 1
        other.execute(login("and-on"))
    sound(place)


def test_a_follower_misses_nothing_and_sees_no_gap(database: str) -> None:
    """Three processes append, some appends fail, and each position is there in its turn."""
    Ledger(database).close()
    children = [appender("race", database, f"p{number}", "60") for number in range(2)]
    children.append(appender("observe", database, "150"))
    seen: list[int] = []
    with Ledger(database) as ledger:
        while any(child.poll() is None for child in children):
            seen += [e.position or 0 for e in ledger.history(len(seen) + 1)]
            assert seen == list(range(1, len(seen) + 1))
        for child in children:
            finished(child)
        seen += [e.position or 0 for e in ledger.history(len(seen) + 1)]
        assert seen == list(range(1, ledger.last_position() + 1))
    sound(database)
