"""Several commands in one commit: each has its own outcome, and knows those before it."""

from __future__ import annotations

import multiprocessing
import random
import time
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import IntegrityError

from ledger.account.agency import AttemptAgencyDeletion, CreateAgency
from ledger.application import Actor, Ledger, Request
from ledger.errors import (
    CommandIdReused,
    InvalidInput,
    LedgerError,
    NotFound,
    Refused,
    StoreUnavailable,
    StreamChanged,
)
from ledger.execution import commands, deciding
from ledger.execution.batch import Batch, Known
from ledger.execution.outcome import Outcome
from ledger.log.key_folder import LogKey
from ledger.messages import Command, Recorded
from ledger.verification.entries import verify_entries
from tests.ledger import appender
from tests.ledger.appender import BATCH
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    NOON,
    SHANGHAI,
    decline,
    grant,
    login,
    revoke,
)
from tests.ledger.worlds import Clock, Place, texts

ALICE = Actor("alice")


def asked(*wanted: Command, actor: Actor | None = None) -> list[Request]:
    return [Request(command=each, actor=actor) for each in wanted]


def kinds(results: list[Outcome | LedgerError]) -> list[str]:
    """For each result, the types of its entries, or of the error."""
    return [
        "+".join(entry.type for entry in each.entries)
        if isinstance(each, Outcome)
        else type(each).__name__
        for each in results
    ]


def without_ids(ledger: Ledger) -> list[Recorded]:
    """The entries without the ids that are random, and what only one of two databases has."""
    ids: dict[str, Any] = dict.fromkeys(("command_id", "run_by", "database_user"))
    return [replace(each, **ids) for each in ledger.history()]


def accepted(result: Outcome | LedgerError) -> Outcome:
    assert isinstance(result, Outcome)
    return result


def commits(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of entries of each append from now on."""
    found, append = list[int](), ledger.entries.append

    def counted(stored: Any, side_rows: Any) -> Any:
        found.append(len(stored))
        return append(stored, side_rows)

    monkeypatch.setattr(ledger.entries, "append", counted)
    return found


STORY = (
    login(BEIJING),
    grant(BEIJING),
    login(SHANGHAI),
    decline(SHANGHAI),
    grant(SHANGHAI),
    revoke(BEIJING),
    AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY),
)


def test_the_entries_are_those_of_commands_that_come_one_by_one(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    """Also the refused one in the middle, and all on the same stream."""
    clock.step = timedelta(0)
    with Ledger(tmp_path / "one by one.db", clock=clock) as other:
        for command in STORY:
            try:
                other.execute(command)
            except Refused:
                continue
        expected = without_ids(other)
    ledger.execute_many(asked(*STORY))
    assert without_ids(ledger) == expected


def test_all_are_in_one_append_and_each_outcome_has_its_own_entries(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    appends = commits(ledger, monkeypatch)
    results = ledger.execute_many(asked(*STORY, actor=ALICE))
    assert appends == [ledger.last_position()]
    entries = [entry for each in results for entry in each.entries]
    assert entries == list(ledger.history())


def test_a_batch_is_signed_once_and_every_outcome_has_the_checkpoint(
    key: LogKey, keys: Path, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert key is not None
    signed = []
    monkeypatch.setattr(
        "ledger.log.signer.LogSigner.released", lambda self, note: signed.append((self, note))
    )
    with Ledger(place, log_keys=keys) as ledger:
        results = ledger.execute_many(asked(login(BEIJING), login(SHANGHAI), grant(BEIJING)))
        notes = {accepted(each).checkpoint for each in results}
        assert notes == {ledger.entries.checkpoint()}
        assert len(signed) == 1


def test_a_later_command_sees_what_an_earlier_one_of_the_batch_decided(ledger: Ledger) -> None:
    results = ledger.execute_many(asked(grant(BEIJING), login(BEIJING), grant(BEIJING)))
    assert kinds(results)[0] == "Refused"
    assert "AuthorizationGranted" in kinds(results)[2]
    assert ledger.account("huaweicloud", ACCOUNT).state.version > 0


def test_a_command_without_entries_takes_nobody_elses(ledger: Ledger) -> None:
    results = ledger.execute_many(
        asked(login(BEIJING), grant(BEIJING), grant(BEIJING), login(SHANGHAI))
    )
    nothing = accepted(results[2])
    assert (nothing.entries, nothing.checkpoint) == ((), None)
    assert nothing.note
    assert "ConsoleLoginRequested" in kinds(results)[3]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (AttemptAgencyDeletion(account=ACCOUNT, agency="nobody"), NotFound),
        (AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True), InvalidInput),
    ],
    ids=["not found", "no reason"],
)
def test_an_error_of_one_command_leaves_the_others_as_they_are(
    ledger: Ledger, wrong: Command, error: type[LedgerError]
) -> None:
    results = ledger.execute_many(asked(login(BEIJING), grant(BEIJING), wrong, revoke(BEIJING)))
    assert isinstance(results[2], error)
    assert "AuthorizationRevoked" in kinds(results)[3]
    assert [e.position for each in results for e in each.entries] == [
        *range(1, ledger.last_position() + 1)
    ]


def test_a_command_that_was_too_long_is_not_known_to_those_after_it(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.persistence.entry.ENTRY_BYTES_MAX", 1_500)
    long = CreateAgency(account=ACCOUNT, agency="mesh", trustee="x" * 2_000)
    short = CreateAgency(account=ACCOUNT, agency="mesh", trustee="service:asm")
    results = ledger.execute_many(asked(long, short))
    assert kinds(results)[0] == "InvalidInput"
    assert "AgencyCreated" in kinds(results)[1]


def test_a_used_command_id_returns_its_first_outcome(ledger: Ledger) -> None:
    first = ledger.execute(login(BEIJING), command_id="id-1", actor=ALICE)
    with pytest.raises(Refused):
        ledger.execute(grant(SHANGHAI), command_id="id-2", actor=ALICE)
    before = ledger.last_position()
    same, refused, other, foreign, new = ledger.execute_many(
        [
            Request(command=login(BEIJING), command_id="id-1", actor=ALICE),
            Request(command=grant(SHANGHAI), command_id="id-2", actor=ALICE),
            Request(command=login(SHANGHAI), command_id="id-1", actor=ALICE),
            Request(command=login(BEIJING), command_id="id-1", actor=Actor("mallory")),
            Request(command=login(SHANGHAI), command_id="id-3", actor=ALICE),
        ]
    )
    assert accepted(same).entries == first.entries
    assert accepted(same).repeated
    assert isinstance(refused, Refused)
    assert refused.entries
    assert isinstance(other, CommandIdReused)
    assert isinstance(foreign, CommandIdReused)
    assert [entry.position for entry in accepted(new).entries] == [
        *range(before + 1, ledger.last_position() + 1)
    ]


def test_a_command_id_that_comes_twice_in_a_batch_is_carried_out_once(ledger: Ledger) -> None:
    twice = Request(command=login(BEIJING), command_id="id-1", actor=ALICE)
    other = Request(command=login(SHANGHAI), command_id="id-1", actor=ALICE)
    first, again, reused = ledger.execute_many([twice, twice, other])
    assert accepted(again).entries == accepted(first).entries
    assert (accepted(first).repeated, accepted(again).repeated) == (False, True)
    assert isinstance(reused, CommandIdReused)
    assert [e.type for e in ledger.history()].count("ConsoleLoginRequested") == 1


def test_a_batch_that_is_repeated_appends_nothing(ledger: Ledger) -> None:
    requests = [
        Request(command=each, command_id=f"id-{n}", actor=ALICE) for n, each in enumerate(STORY)
    ]
    first = ledger.execute_many(requests)
    before = texts(ledger)
    again = ledger.execute_many(requests)
    assert texts(ledger) == before
    assert [each.entries for each in again] == [each.entries for each in first]


def test_a_new_name_is_registered_once_for_the_batch(ledger: Ledger) -> None:
    results = ledger.execute_many(asked(login(BEIJING), login(SHANGHAI), actor=ALICE))
    assert kinds(results) == [
        "SubjectRegistered+ConsoleLoginRequested+AuthorizationRequested",
        "ConsoleLoginRequested+AuthorizationRequested",
    ]


def test_all_are_decided_again_after_a_conflict(ledger: Ledger, place: Place) -> None:
    """Another process records a consent that this one does not know."""
    ledger.execute(login(BEIJING))
    with Ledger(place, clock=ledger.clock) as other:
        other.execute(grant(BEIJING))
    results = ledger.execute_many(asked(login(SHANGHAI), grant(BEIJING), revoke(BEIJING)))
    assert accepted(results[1]).note, "it is granted already"
    assert "AuthorizationRevoked" in kinds(results)[2]
    assert verify_entries(place, jobs=1).findings == []


def test_an_id_that_another_process_used_meanwhile_returns_that_outcome(
    ledger: Ledger, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = Request(command=login(BEIJING), command_id="id-1", actor=ALICE)
    used, was = ledger.entries.select_commands, iter([True])

    def late(ids: Any) -> Any:
        found = used(ids)
        if next(was, False):
            with Ledger(place, clock=ledger.clock) as other:
                other.execute_many([request])
        return found

    monkeypatch.setattr(ledger.entries, "select_commands", late)
    first, second = ledger.execute_many([request, *asked(login(SHANGHAI))])
    assert accepted(first).repeated
    assert not accepted(second).repeated


def test_conflicts_without_end_are_given_up_and_nothing_stays(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conflict(*_: Any) -> Any:
        raise IntegrityError

    with monkeypatch.context() as patched:
        patched.setattr(ledger.entries, "append", conflict)
        with pytest.raises(StreamChanged, match="Nothing was appended"):
            ledger.execute_many(asked(login(BEIJING)))
    assert ledger.last_position() == 0
    with pytest.raises(Refused):
        ledger.execute(grant(BEIJING))


def test_the_decisions_are_forgotten_when_the_append_fails(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: Any) -> Any:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.entries, "append", lost)
        with pytest.raises(StoreUnavailable, match="Nothing was appended"):
            ledger.execute_many(asked(login(BEIJING), login(SHANGHAI), actor=ALICE))
    assert ledger.last_position() == 0
    with pytest.raises(Refused, match="log"):
        ledger.execute(grant(BEIJING), actor=ALICE)


def test_a_fault_in_the_middle_of_the_decisions_leaves_nothing(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    decided, calls = deciding.decided, iter(range(10))

    def failing(*args: Any) -> Any:
        if next(calls) == 1:
            raise StoreUnavailable("gone")
        return decided(*args)

    with monkeypatch.context() as patched:
        patched.setattr(commands, "decided", failing)
        with pytest.raises(StoreUnavailable):
            ledger.execute_many(asked(login(BEIJING), grant(BEIJING)))
    assert ledger.last_position() == 0
    assert kinds(ledger.execute_many(asked(grant(BEIJING)))) == ["Refused"]


def test_a_batch_is_all_or_nothing_when_its_side_rows_fail(
    ledger: Ledger, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are inserted already when the commands' rows are written."""
    ledger.execute(login(BEIJING))
    before = texts(ledger)

    def failing(*_: Any) -> Any:
        raise OSError("no space")

    with monkeypatch.context() as patched:
        patched.setattr(ledger.entries.log, "append", failing)
        with pytest.raises((LedgerError, OSError)):
            ledger.execute_many(asked(grant(BEIJING), login(SHANGHAI), actor=ALICE))
    assert texts(ledger) == before
    assert verify_entries(place, jobs=1).findings == []
    ledger.execute_many(asked(grant(BEIJING), login(SHANGHAI), actor=ALICE))
    assert verify_entries(place, jobs=1).findings == []


def test_a_batch_relies_on_what_its_first_command_knew_of_a_stream() -> None:
    batches = [Batch(Known({"s": known}, relied={"s"}), NOON) for known in (3, 4)]
    assert Batch.joined(batches, NOON).side_rows().versions == {"s": 3}


def test_an_empty_batch_appends_nothing(ledger: Ledger) -> None:
    assert ledger.execute_many([]) == []
    assert ledger.last_position() == 0


def test_a_batch_has_at_most_a_thousand_commands_and_no_dry_run(ledger: Ledger) -> None:
    with pytest.raises(InvalidInput, match="1000 commands"):
        ledger.execute_many(asked(*[login(BEIJING)] * 1_001))
    with pytest.raises(InvalidInput, match="no dry run"):
        ledger.execute_many([Request(command=login(BEIJING), dry_run=True)])
    assert ledger.last_position() == 0
    assert len(ledger.execute_many(asked(*[login(BEIJING)] * 1_000))) == 1_000


def position(line: str) -> int:
    return int(line.removeprefix("batch "))


def test_a_process_killed_at_any_moment_leaves_whole_batches(place: Place) -> None:
    chance, entries = random.Random(7), 2 * BATCH
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ledger.appender"])
    acknowledged = 0
    for _ in range(10 if isinstance(place, Path) else 4):
        listening, saying = context.Pipe(duplex=False)
        child = context.Process(target=appender.go_on_in_batches, args=(place, saying.send))
        child.start()
        saying.close()
        acknowledged = position(listening.recv())
        time.sleep(chance.uniform(0, 0.03))
        child.kill()
        child.join()
        with suppress(EOFError):
            while True:
                acknowledged = position(listening.recv())
        with Ledger(place) as ledger:
            last = ledger.last_position()
        assert last % entries == 0
        assert acknowledged <= last <= acknowledged + entries
    assert acknowledged > entries
    assert verify_entries(place, jobs=1).findings == []
