"""One Ledger used by many threads: what they append equals the same commands in sequence."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random
from threading import Barrier
from time import sleep
from typing import NoReturn

import pytest

from ledger.account.account import replay
from ledger.account.agency import CreateAgency
from ledger.account.policy import AttemptPolicyDeletion
from ledger.account.snapshot import to_text
from ledger.account.state import State, account_stream
from ledger.account.usage import IssueCredential
from ledger.application import Actor, Ledger
from ledger.errors import NotFound, Refused, StoreLocked
from ledger.log.key_folder import LogKey
from ledger.messages import Command, Recorded
from tests.ledger.scenario import (
    ASM,
    BEIJING,
    NOON,
    POLICY,
    PROVIDER,
    SHANGHAI,
    decline,
    grant,
    login,
    revoke,
)
from tests.ledger.worlds import Place, sound, texts, traces

THREADS = 6
COMMANDS = 25
ACCOUNTS = ("account-0", "account-1")
Given = tuple[str, Command, Actor, bool]
"""A command's id, the command, its actor, and whether it is a dry run."""


@pytest.fixture(autouse=True)
def _frequent_switches() -> Iterator[None]:
    """Python changes threads a thousand times more often than it would."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(5e-6)
    yield
    sys.setswitchinterval(interval)


def noon() -> datetime:
    """A clock that stands still, so that both orders have the same times."""
    return NOON


def commands_of(seed: int) -> list[Given]:
    """Commands on the same few accounts, agencies and regions; every second one is a dry run."""
    random = Random(seed)
    given: list[Given] = []
    for number in range(COMMANDS):
        account, region = random.choice(ACCOUNTS), random.choice([BEIJING, SHANGHAI])
        agency = f"agency {random.randrange(3)}"
        command = random.choice(
            [
                *(make(region, account) for make in (login, grant, grant, revoke, decline)),
                CreateAgency(account=account, agency=agency),
                AttemptPolicyDeletion(account=account, policy=POLICY),
                IssueCredential(
                    account=account, service=ASM, region=region, target="elb", component="gateway"
                ),
            ]
        )
        actor = Actor(f"user {random.randrange(4)}")
        given.append((f"{seed}/{number}", command, actor, random.random() < 0.5))
    return given


def carry_out(ledger: Ledger, given: Given) -> tuple[Recorded, ...]:
    """The entries of a command, refused or not."""
    command_id, command, actor, dry_run = given
    try:
        outcome = ledger.execute(command, command_id=command_id, actor=actor, dry_run=dry_run)
    except Refused as refused:
        return refused.entries
    except NotFound:
        return ()
    return outcome.entries


def in_threads(ledger: Ledger, seeds: range) -> dict[str, tuple[Recorded, ...]]:
    """Carry out each seed's commands in a thread of its own; the entries by command id."""
    start = Barrier(len(seeds))

    def work(seed: int) -> dict[str, tuple[Recorded, ...]]:
        start.wait()
        return {given[0]: carry_out(ledger, given) for given in commands_of(seed)}

    with ThreadPoolExecutor(len(seeds)) as threads:
        done = list(threads.map(work, seeds))
    return {command_id: entries for each in done for command_id, entries in each.items()}


def facts(ledger: Ledger) -> list[str]:
    """The entries as they are stored, with their random surrogate ids numbered as they appear;
    without what only one of two databases has.
    """
    numbers: dict[str, str] = {}
    chance = re.compile(r'"commitment":"\w+",|"database_user":"\w+",')

    def numbered(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"person {len(numbers)}")

    return [
        chance.sub("", re.sub(r"\b[pr]-[0-9a-f]{20,40}\b", numbered, text))
        for text in texts(ledger)
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_threads_append_what_the_same_commands_append_in_sequence(
    place: Place, tmp_path: Path, seed: int
) -> None:
    """The sequence is the one in which the threads' commands were appended. A command that appended
    nothing, and a dry run, changed nothing, so they are left out of it.
    """
    seeds = range(seed * 100, seed * 100 + THREADS)
    with Ledger(place, clock=noon) as ledger:
        returned = in_threads(ledger, seeds)
        history, appended = list(ledger.history()), facts(ledger)
    given = {each[0]: each for seed in seeds for each in commands_of(seed)}
    order = list(dict.fromkeys(entry.command_id or "" for entry in history))
    for command_id in order:
        assert not given[command_id][-1], "a dry run appends nothing"
        own = [entry for entry in history if entry.command_id == command_id]
        assert list(returned[command_id]) == own, "each thread has its own command's entries"
    with Ledger(tmp_path / "sequence.db", clock=noon) as sequence:
        for command_id in order:
            carry_out(sequence, given[command_id])
        assert facts(sequence) == appended
    assert len(order) > THREADS
    sound(place)


def test_threads_that_use_one_command_id_carry_it_out_once(place: Place) -> None:
    given = ("the one", login(BEIJING), Actor("alice"), False)
    with Ledger(place) as ledger, ThreadPoolExecutor(THREADS) as threads:
        answers = list(threads.map(lambda _: carry_out(ledger, given), range(THREADS * 3)))
        assert answers == [answers[0]] * len(answers)
        assert ledger.last_position() == len(answers[0])
    sound(place)


def test_each_thread_gets_the_checkpoint_that_covers_its_own_entries(
    place: Place, key: LogKey, keys: Path
) -> None:
    with Ledger(place, log_keys=keys) as ledger, ThreadPoolExecutor(THREADS) as threads:
        commands = [login(f"region-{number}") for number in range(40)]
        for outcome in threads.map(ledger.execute, commands):
            assert outcome.checkpoint is not None
            assert int(outcome.checkpoint.split("\n")[1]) == outcome.entries[-1].position
        last = key.last()
        assert last is not None
        assert last.size == ledger.last_position()
    sound(place)


def test_one_thread_imports_while_others_command_and_read(place: Place) -> None:
    observed = traces(200)
    with Ledger(place) as ledger, ThreadPoolExecutor(THREADS) as threads:
        importing = [threads.submit(ledger.observe, observed) for _ in range(2)]
        commanding = [threads.submit(_command, ledger, seed) for seed in range(2)]
        reading = threads.submit(_read_often, ledger)
        counts = [each.result() for each in importing]
        for each in commanding:
            each.result()
        reading.result()
        assert sorted(count.new_traces for count in counts) == [0, 200]
        _read_often(ledger)
    sound(place)


def _command(ledger: Ledger, seed: int) -> None:
    for given in commands_of(seed):
        carry_out(ledger, given)


def _read_often(ledger: Ledger) -> None:
    """An account that one thread reads is of one moment, whatever others append meanwhile."""
    for _ in range(60):
        for name in ACCOUNTS:
            account = ledger.account(PROVIDER, name)
            entries = islice(ledger.stream(account_stream(PROVIDER, name)), account.version)
            assert to_text(replay(State(PROVIDER, name), entries)) == to_text(account.state)


def _fail() -> NoReturn:
    raise StoreLocked("The ledger is locked.")


def test_an_error_says_nothing_of_what_another_thread_appended_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second thread waits for its turn while the first appends, and fails after that."""
    with Ledger(path) as ledger, ThreadPoolExecutor(1) as threads:
        with ledger._transactions.lock:
            failing = threads.submit(ledger.execute, login(SHANGHAI))
            sleep(0.2)
            ledger.execute(login(BEIJING))
            monkeypatch.setattr(ledger.entries, "append", lambda *_: _fail())
        error = failing.exception()
        assert isinstance(error, StoreLocked)
        assert error.__notes__ == ["Nothing was appended."]


def test_a_subject_that_threads_erase_is_erased_once(ledger: Ledger) -> None:
    entries = ledger.execute(login(BEIJING), actor=Actor("alice")).entries
    subject = entries[-1].actor or ""

    def erase(_: int) -> bool:
        try:
            ledger.erase(subject)
        except NotFound:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert sorted(threads.map(erase, range(THREADS))) == [False] * (THREADS - 1) + [True]
    assert [entry.type for entry in ledger.history()].count("SubjectErased") == 1


def test_threads_read_the_history_at_once(place: Place) -> None:
    with Ledger(place) as ledger:
        ledger.observe(traces(30))
        expected = texts(ledger)
        with ThreadPoolExecutor(8) as threads:
            for got in threads.map(lambda _: texts(ledger), range(32)):
                assert got == expected
