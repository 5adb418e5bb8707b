"""A command is executed once, also if it is repeated or meets a conflict."""

from __future__ import annotations

import uuid
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError

from ledger.account.account import evolve
from ledger.account.agency import CreateAgency
from ledger.account.permissions import PermissionRevoked
from ledger.account.state import State
from ledger.account.usage import UseFeature
from ledger.application import Actor, Ledger
from ledger.errors import (
    CommandIdReused,
    InvalidInput,
    Refused,
    StoreLocked,
    StreamChanged,
)
from ledger.execution.transactions import ATTEMPTS_MAX
from ledger.messages import Recorded
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    POLICY,
    SHANGHAI,
    decline,
    grant,
    login,
    revoke,
)
from tests.ledger.worlds import Clock, Place, consent, raw, seen, sound, texts, traces

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


# -- command ids ---------------------------------------------------------------------------------


def test_the_same_command_under_the_same_id_appends_nothing_and_tells_the_same(
    ledger: Ledger,
) -> None:
    ledger.execute(login(BEIJING))
    first = ledger.execute(grant(BEIJING), command_id="id-1")
    last = ledger.last_position()
    again = ledger.execute(grant(BEIJING), command_id="id-1")
    assert again.entries == first.entries
    assert again.repeated
    assert not first.repeated
    assert ledger.last_position() == last


def test_a_repeated_command_tells_the_same_whatever_happened_since(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING))
    first = ledger.execute(grant(BEIJING), command_id="id-1")
    ledger.execute(revoke(BEIJING))
    assert ledger.execute(grant(BEIJING), command_id="id-1").entries == first.entries
    assert ledger.account("huaweicloud", ACCOUNT).regions_of(AGENCY) == ()


@pytest.mark.parametrize("other", [login(SHANGHAI), grant(BEIJING), login(BEIJING, "another")])
def test_another_command_under_the_same_id_is_a_conflict(ledger: Ledger, other: object) -> None:
    ledger.execute(login(BEIJING), command_id="id-1")
    last = ledger.last_position()
    with pytest.raises(CommandIdReused, match=r"id-1 .*positions 1 to 2"):
        ledger.execute(other, command_id="id-1")  # type: ignore[arg-type]
    assert ledger.last_position() == last


def test_a_refused_command_is_refused_again_and_recorded_once(ledger: Ledger) -> None:
    with pytest.raises(Refused) as first:
        ledger.execute(decline(BEIJING), command_id="id-1")
    with pytest.raises(Refused, match="that command was refused: No authorization") as again:
        ledger.execute(decline(BEIJING), command_id="id-1")
    assert first.value.entries == again.value.entries
    assert ledger.last_position() == 1


# -- whose command id it is ----------------------------------------------------------------------

ALICE, MALLORY = Actor("alice"), Actor("mallory")


@pytest.mark.parametrize(
    ("owner", "other"), [(ALICE, MALLORY), (ALICE, None), (None, MALLORY), (ALICE, Actor("Alice"))]
)
@pytest.mark.parametrize("dry_run", [False, True])
def test_a_command_id_that_another_actor_used_is_a_conflict_that_shows_nothing_of_theirs(
    ledger: Ledger, owner: Actor | None, other: Actor | None, *, dry_run: bool
) -> None:
    first = ledger.execute(login(BEIJING), command_id="id-1", actor=owner)
    if other == MALLORY:
        ledger.execute(login(SHANGHAI), actor=other)  # Their name is known.
    last = ledger.last_position()
    for command in (login(BEIJING), grant(SHANGHAI)):
        with pytest.raises(CommandIdReused) as refused:
            ledger.execute(command, command_id="id-1", actor=other, dry_run=dry_run)
        assert str(refused.value) == (
            "The command id id-1 was used before by another actor. Nothing was appended. Choose "
            "another command id: only the actor who used an id can repeat its command."
        )
    assert ledger.last_position() == last
    again = ledger.execute(login(BEIJING), command_id="id-1", actor=owner)
    assert (again.entries, again.repeated) == (first.entries, True)


def test_a_refusal_belongs_to_its_actor_too(ledger: Ledger) -> None:
    with pytest.raises(Refused) as first:
        ledger.execute(decline(BEIJING), command_id="id-1", actor=ALICE)
    with pytest.raises(CommandIdReused, match="by another actor"):
        ledger.execute(decline(BEIJING), command_id="id-1", actor=MALLORY)
    with pytest.raises(Refused) as again:
        ledger.execute(decline(BEIJING), command_id="id-1", actor=ALICE)
    assert first.value.entries == again.value.entries


def test_it_is_the_name_that_repeats_however_it_is_known(ledger: Ledger) -> None:
    """The system's user tries again with the flag that names them."""
    ledger.execute(login(BEIJING), command_id="id-1", actor=Actor("alice", "os-user"))
    assert ledger.execute(login(BEIJING), command_id="id-1", actor=ALICE).repeated


@pytest.mark.parametrize("registered_again", [False, True])
def test_after_an_erasure_nobody_can_repeat_the_actors_commands(
    place: Place, ledger: Ledger, *, registered_again: bool
) -> None:
    """A name that returns gets another surrogate id: whether it is the same person is not known."""
    first = ledger.execute(login(BEIJING), command_id="id-1", actor=ALICE)
    with Ledger(place) as other:  # Not from the first process, which has a cache.
        other.erase(first.entries[-1].actor or "")
        if registered_again:
            other.execute(login(SHANGHAI), actor=ALICE)
    last = ledger.last_position()
    with pytest.raises(CommandIdReused, match="an actor whose name was erased"):
        ledger.execute(login(BEIJING), command_id="id-1", actor=ALICE)
    assert ledger.last_position() == last


def test_every_command_with_an_actor_has_an_entry_that_names_them(ledger: Ledger) -> None:
    """So the table of commands needs no column for the actor, and older ledgers have theirs."""
    for number, command in enumerate(
        (login(BEIJING), grant(BEIJING), revoke(BEIJING), decline(BEIJING), grant(SHANGHAI))
    ):
        with suppress(Refused):
            ledger.execute(command, command_id=f"id-{number}", actor=Actor(f"user {number}"))
    named: dict[str | None, set[str | None]] = {}
    for entry in ledger.history():
        named.setdefault(entry.command_id, set()).update({entry.actor} - {None})
    assert len(named) == 5
    assert all(len(actors) == 1 for actors in named.values())
    assert len(set.union(*named.values())) == 5


def test_a_command_that_appended_nothing_leaves_its_id_free(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    last = ledger.last_position()
    assert ledger.execute(grant(BEIJING), command_id="id-1").entries == ()
    assert ledger.execute(grant(BEIJING), command_id="id-1").entries == ()
    assert ledger.last_position() == last


def test_commands_without_an_id_get_one_each(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    ids = {entry.command_id for entry in ledger.history()}
    assert len(ids) == 2
    assert all(uuid.UUID(each) for each in ids if each is not None)


@pytest.mark.parametrize("command_id", ["", "x" * 129, "two\nlines", "half \ud83d"])
def test_an_id_that_cannot_be_one_is_invalid(ledger: Ledger, command_id: str) -> None:
    with pytest.raises(InvalidInput):
        ledger.execute(login(BEIJING), command_id=command_id)
    assert ledger.last_position() == 0


@pytest.mark.parametrize("reason", ["", "x" * 1025, "two\nlines", "half \ud83d", "\u2028"])
def test_a_reason_that_is_not_one_line_is_invalid(ledger: Ledger, reason: str) -> None:
    with pytest.raises(InvalidInput):
        ledger.execute(login(BEIJING), reason=reason)
    assert ledger.last_position() == 0


def test_a_trace_is_one_fact_however_often_and_from_whichever_file_it_comes(
    ledger: Ledger,
) -> None:
    first = ledger.observe(traces(50))
    again = ledger.observe([*traces(50), *traces(60)])
    assert (first.new_traces, first.known_traces) == (50, 0)
    assert (again.new_traces, again.known_traces) == (10, 100)
    assert ledger.last_position() == first.entries + again.entries


# -- conflicts -----------------------------------------------------------------------------------


def test_a_command_is_decided_again_after_a_conflict(
    place: Place, ledger: Ledger, clock: Clock
) -> None:
    """Both know the account; the other consents first, so that this one has nothing left to do."""
    ledger.execute(login(BEIJING))
    with Ledger(place, clock=clock) as other:
        catalogue = ledger.catalogue
        account = ledger.account("huaweicloud", ACCOUNT)
        raced = False

        def race() -> datetime:
            nonlocal raced
            if not raced:
                raced = True
                other.execute(grant(BEIJING))
            return clock()

        ledger.clock = race
        outcome = ledger.execute(grant(BEIJING))
    assert outcome.entries == ()
    assert "already authorized in cn-north-4" in outcome.note
    assert ledger.catalogue is catalogue
    assert ledger.account("huaweicloud", ACCOUNT).version >= account.version
    sound(place)


def test_a_command_is_given_up_after_twenty_conflicts_and_appends_nothing(
    place: Place, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    def conflict(*_: object) -> None:
        attempts.append(1)
        raise IntegrityError("another writer appended to the stream")

    monkeypatch.setattr(ledger.entries, "append", conflict)
    with pytest.raises(StreamChanged, match=f"after 20 attempts: .* the account {ACCOUNT}") as up:
        ledger.execute(CreateAgency(account=ACCOUNT, agency="mine"))
    assert up.value.__notes__ == ["Nothing was appended."]
    assert len(attempts) == ATTEMPTS_MAX
    assert ledger.last_position() == 0
    sound(place)


def test_after_a_failed_append_the_ledger_knows_what_the_file_knows(
    path: Path, ledger: Ledger
) -> None:
    consent(ledger, BEIJING)
    with raw(path) as db:
        db.execute("BEGIN IMMEDIATE")
        impatient = Ledger(path, lock_timeout_s=1)
        with pytest.raises(StoreLocked):
            impatient.execute(revoke(BEIJING))
        assert impatient.account("huaweicloud", ACCOUNT).regions_of(AGENCY) == (BEIJING,)
        db.execute("ROLLBACK")
    impatient.execute(revoke(BEIJING))
    assert impatient.account("huaweicloud", ACCOUNT).regions_of(AGENCY) == ()
    impatient.close()
    sound(path)


def test_an_error_after_the_commit_leaves_no_half_of_the_account_in_memory(
    place: Place, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account that the process knows has taken some of the entries, and not the others."""
    consent(ledger, BEIJING)
    taken: list[Recorded] = []

    def failing(state: State, entry: Recorded) -> None:
        if taken:
            raise StoreLocked("locked")
        taken.append(entry)
        evolve(state, entry)

    with monkeypatch.context() as patch:
        patch.setattr(ledger._transactions.cache.accounts, "_take", failing)
        with pytest.raises(StoreLocked) as failed:
            ledger.execute(revoke(BEIJING))
    assert "appended" in failed.value.__notes__[0]
    assert taken
    assert ledger.account("huaweicloud", ACCOUNT).regions_of(AGENCY) == ()
    assert ledger.execute(revoke(BEIJING)).entries == ()
    sound(place)


def test_an_observation_is_known_to_the_commands_of_the_same_process(ledger: Ledger) -> None:
    consent(ledger, BEIJING)
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, service="cce", policy=POLICY)
    ledger.observe([seen("lost", lost, at=datetime(2026, 6, 1, 12, 1, tzinfo=UTC))])
    with pytest.raises(Refused, match="mesh needs CCE"):
        ledger.execute(UseFeature(account=ACCOUNT, service="asm", region=BEIJING, feature="mesh"))


# -- dry runs ------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_be_and_appends_nothing(ledger: Ledger, place: Place) -> None:
    ledger.execute(login(BEIJING))
    before = texts(ledger)
    would = ledger.execute(grant(BEIJING), actor=Actor("alice"), dry_run=True)
    assert would.dry_run
    assert texts(ledger) == before
    did = ledger.execute(grant(BEIJING), actor=Actor("alice"))
    assert [e.type for e in would.entries] == [e.type for e in did.entries]
    assert [(e.stream, e.version) for e in would.entries[1:]] == [
        (e.stream, e.version) for e in did.entries[1:]
    ]
    assert all(entry.position is None for entry in would.entries)
    sound(place)


def test_a_dry_refusal_is_not_recorded(ledger: Ledger) -> None:
    with pytest.raises(Refused) as raised:
        ledger.execute(grant(BEIJING), dry_run=True)
    assert raised.value.dry_run
    assert ledger.last_position() == 0
