"""Decisions know the uses of the agencies that they name: from streams beside the account's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent

from ledger.account.agency import AgencyCreated, AgencyDeleted, AttemptAgencyDeletion, CreateAgency
from ledger.account.usage import TemporaryCredentialIssued
from ledger.application import Ledger
from ledger.errors import CorruptEntry, Refused
from ledger.execution.state_cache import SNAPSHOT_AFTER
from ledger.messages import DomainEvent, Observation
from tests.ledger.scenario import ACCOUNT, AGENCY, BEIJING, NOON, PROVIDER, grant, login
from tests.ledger.unprotected import unprotected
from tests.ledger.worlds import Clock, Place, raw, seen, sound

USED = TemporaryCredentialIssued(agency=AGENCY, region=BEIJING)
CREATE = CreateAgency(account=ACCOUNT, agency=AGENCY)


def happened(minute: int, event: DomainEvent) -> Observation:
    at = NOON - timedelta(days=1) + timedelta(minutes=minute)
    return seen(f"trace-{minute}", event, at=at)


def test_consent_reuses_an_agency_of_which_only_a_use_was_seen(ledger: Ledger) -> None:
    ledger.observe([happened(1, USED)])
    ledger.execute(login(BEIJING))
    consented = ledger.execute(grant(BEIJING)).entries
    assert [entry.type for entry in consented] == [
        "AuthorizationGranted",
        "PolicyCreated",
        *["PermissionGranted"] * 4,
    ]


def test_the_name_of_an_agency_of_which_only_a_use_was_seen_is_taken(ledger: Ledger) -> None:
    ledger.observe([happened(1, USED)])
    with pytest.raises(Refused, match="exists already"):
        ledger.execute(CREATE)


def test_the_quota_counts_agencies_that_only_a_use_proves(ledger: Ledger) -> None:
    """None of them is named by the command. The quota is 50."""

    def used(number: int) -> DomainEvent:
        return TemporaryCredentialIssued(agency=f"other-{number}", region=BEIJING)

    ledger.observe([happened(number, used(number)) for number in range(48)])
    assert ledger.execute(CREATE).entries
    ledger.observe([happened(50, used(50))])
    one_more = CreateAgency(account=ACCOUNT, agency="one-more")
    with pytest.raises(Refused, match="its quota"):
        ledger.execute(one_more)
    ledger.execute(CreateAgency(account="another", agency="one-more"))


def test_a_use_after_the_deletion_proves_that_the_agency_was_made_again(ledger: Ledger) -> None:
    ledger.observe([happened(1, AgencyCreated(agency=AGENCY)), happened(3, USED)])
    ledger.observe([happened(2, AgencyDeleted(agency=AGENCY))])
    command = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True)
    deleted = ledger.execute(command, reason="clean-up").entries
    assert [entry.type for entry in deleted] == ["AgencyDeletionAttempted", "AgencyDeleted"]
    assert ledger.execute(CREATE).entries, "the use lies before that deletion"


def test_a_use_under_the_id_counts_for_the_name(ledger: Ledger) -> None:
    """The trace of the use names the id only, so it lies in another stream than the name's."""
    made, deleted = AgencyCreated(agency=AGENCY, agency_id="id-2"), AgencyDeleted(agency=AGENCY)
    at = NOON - timedelta(days=1)
    ledger.observe([seen("made", made, at=at), seen("deleted", deleted, at=at)])
    with pytest.raises(Refused, match="is not known"):
        ledger.execute(CREATE)
    ledger.observe([happened(1, TemporaryCredentialIssued(agency_id="id-2", region=BEIJING))])
    with pytest.raises(Refused, match="exists already"):
        ledger.execute(CREATE)


def test_a_decision_is_taken_again_if_another_process_imported_a_use_meanwhile(
    place: Place, ledger: Ledger
) -> None:
    ledger.execute(login(BEIJING))
    ledger.execute(CREATE, dry_run=True)
    with Ledger(place, clock=ledger.clock) as other:
        other.observe([happened(1, USED)])
    with pytest.raises(Refused, match="exists already"):
        ledger.execute(CREATE)
    sound(place)


def test_a_use_that_the_process_itself_imports_is_known_at_once(ledger: Ledger) -> None:
    ledger.execute(CREATE, dry_run=True)
    ledger.observe([happened(1, USED)])
    with pytest.raises(Refused, match="exists already"):
        ledger.execute(CREATE)


def test_the_snapshot_of_the_uses_saves_the_reading_of_their_stream(
    place: Place, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Ledger(place, clock=clock) as ledger:
        ledger.observe([happened(minute, USED) for minute in range(SNAPSHOT_AFTER)])
    with Ledger(place, clock=clock) as ledger:
        ledger.execute(login(BEIJING))
    assert list(kept(place)) == [(f"usage:{PROVIDER}:{ACCOUNT}:{AGENCY}", SNAPSHOT_AFTER)]
    with Ledger(place, clock=clock) as ledger:
        read: list[int | None] = []
        select = ledger.entries.select_events

        def counted(stream: str, *, gt: int | None = None, **more: Any) -> Sequence[StoredEvent]:
            read.append(gt)
            return select(stream, gt=gt, **more)

        monkeypatch.setattr(ledger.entries, "select_events", counted)
        with pytest.raises(Refused, match="exists already"):
            ledger.execute(CREATE)
        assert SNAPSHOT_AFTER - 1 in read, "from the entry of the snapshot on"


def kept(place: Place) -> Iterator[tuple[str, int]]:
    with raw(place) as db:
        yield from db.execute("SELECT stream, version FROM snapshots").fetchall()


def test_a_command_takes_effect_after_a_use_whose_clock_is_ahead(
    ledger: Ledger, clock: Clock
) -> None:
    ahead: datetime = clock.now + timedelta(minutes=4)
    ledger.observe([seen("ahead", USED, at=ahead)])
    command = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True)
    deleted = ledger.execute(command, reason="clean-up").entries[-1]
    assert deleted.effective_at > ahead
    assert ledger.execute(CREATE).entries


@pytest.mark.parametrize("entry", ["7", "{", '{"topic":"TemporaryCredentialIssued.v1"}'])
def test_a_use_that_cannot_be_read_is_named(path: Path, ledger: Ledger, entry: str) -> None:
    ledger.observe([happened(1, USED)])
    with unprotected(path) as db:
        db.execute("UPDATE events SET entry = ? WHERE stream LIKE 'usage:%'", (entry,))
    with pytest.raises(CorruptEntry, match=f"usage:{PROVIDER}:{ACCOUNT}:{AGENCY} version 1"):
        ledger.execute(CREATE)
