"""A known trace is completed once by the documents and ids that an older version did not keep."""

from __future__ import annotations

import pytest

from ledger.account.later_reading import IdsRecorded, PolicyDocumentRecorded
from ledger.account.permissions import PermissionGranted
from ledger.account.usage import TemporaryCredentialIssued
from ledger.application import Ledger
from ledger.messages import DomainEvent, Observation
from ledger.subjects import SubjectErased, SubjectRegistered
from ledger.verification.entries import verify_entries
from tests.ledger.kept import (
    AT,
    READ,
    TRUST,
    as_before,
    change_seen,
    document,
    policy_seen,
    trust_seen,
)
from tests.ledger.worlds import Place, raw, seen

READ_DOCUMENT, TRUST_DOCUMENT = document(READ), document(TRUST)
OF_SUBJECTS = (SubjectRegistered, SubjectErased)


def appended(ledger: Ledger, *traces: Observation) -> list[DomainEvent]:
    """Read the traces again; the events that this appends."""
    before = ledger.last_position()
    ledger.observe(traces, complete=True)
    return [entry.event for entry in ledger.history(before + 1)]


def test_a_trace_without_its_document_gets_one_entry_more(ledger: Ledger, place: Place) -> None:
    ledger.observe([as_before(policy_seen("t1", READ, actor="zoe"))])
    before = ledger.last_position()
    found = ledger.observe([policy_seen("t1", READ, actor="zoe")], complete=True)
    (entry,) = ledger.history(before + 1)
    assert entry.event == PolicyDocumentRecorded(
        kind="policy",
        policy="readers",
        policy_id="id of readers",
        document=READ_DOCUMENT.digest,
        document_bytes=READ_DOCUMENT.size,
    )
    *_, first = ledger.history(1, before)
    assert (entry.effective_at, entry.actor, entry.source) == (AT, first.actor, first.source)
    assert entry.command_id == f"{first.command_id}#documents"
    assert (found.known_traces, found.completed_traces, found.entries) == (1, 1, 1)
    assert ledger.entries.select_documents([READ_DOCUMENT.digest])
    assert verify_entries(place).findings == []


def test_a_second_reading_appends_nothing(ledger: Ledger) -> None:
    ledger.observe([as_before(policy_seen("t1", READ)), as_before(trust_seen("t2", TRUST))])
    again = [policy_seen("t1", READ), trust_seen("t2", TRUST)]
    assert len(appended(ledger, *again)) == 2
    assert appended(ledger, *again) == []


def test_a_complete_trace_appends_nothing(ledger: Ledger) -> None:
    ledger.observe([policy_seen("t1", READ)])
    assert appended(ledger, policy_seen("t1", READ)) == []


def test_without_the_wish_a_trace_that_an_older_version_appended_appends_nothing(
    ledger: Ledger, place: Place
) -> None:
    ledger.observe([as_before(policy_seen("t1", READ))])
    with raw(place) as db:
        db.execute("UPDATE commands SET digest = NULL")
    before = ledger.last_position()
    ledger.observe([policy_seen("t1", READ)])
    assert ledger.last_position() == before


def test_a_new_trace_is_appended_as_ever(ledger: Ledger) -> None:
    *_, event = appended(ledger, policy_seen("t1", READ))
    assert event == policy_seen("t1", READ).events[0]


def session(digest: str, size: int) -> TemporaryCredentialIssued:
    return TemporaryCredentialIssued(
        agency="helpers", region="*", session_document=digest, session_document_bytes=size
    )


def inline(digest: str, size: int) -> PermissionGranted:
    return PermissionGranted(
        agency="helpers", region="*", policy="inner", document=digest, document_bytes=size
    )


@pytest.mark.parametrize(
    ("trace", "kind", "of"),
    [
        (policy_seen("t", READ), "policy", {"policy": "readers", "policy_id": "id of readers"}),
        (
            change_seen("t", READ),
            "policy",
            {"policy": "readers", "document_version": "v2"},
        ),
        (trust_seen("t", READ), "trust", {"agency": "helpers", "agency_id": "a1"}),
        (
            seen(
                "t",
                session(READ_DOCUMENT.digest, READ_DOCUMENT.size),
                at=AT,
                documents=(READ_DOCUMENT,),
            ),
            "session",
            {"agency": "helpers"},
        ),
        (
            seen(
                "t",
                inline(READ_DOCUMENT.digest, READ_DOCUMENT.size),
                at=AT,
                documents=(READ_DOCUMENT,),
            ),
            "inline",
            {"agency": "helpers", "policy": "inner"},
        ),
    ],
)
def test_each_kind_of_document_says_whose_it_is(
    ledger: Ledger, trace: Observation, kind: str, of: dict[str, str]
) -> None:
    ledger.observe([as_before(trace)])
    (event,) = appended(ledger, trace)
    fields = {"kind": kind, "document": READ_DOCUMENT.digest, **of}
    assert event.model_dump(exclude_none=True, exclude={"document_bytes"}) == fields


def test_ids_that_were_not_kept_are_added(ledger: Ledger) -> None:
    new = PermissionGranted(
        agency="helpers", agency_id="a1", region="cn-north-4", project_id="0605", policy="inner"
    )
    old = new.model_copy(update={"agency_id": None, "project_id": None})
    ledger.observe([seen("t", old, at=AT)])
    (event,) = appended(ledger, seen("t", new, at=AT))
    assert event == IdsRecorded(
        agency="helpers", agency_id="a1", region="cn-north-4", project_id="0605"
    )
    assert appended(ledger, seen("t", new, at=AT)) == []


def test_the_id_of_a_policy_that_a_grant_lacks_is_added_with_the_agency(ledger: Ledger) -> None:
    """So it is known as that of the grant, and not of a call on the policy itself."""
    new = PermissionGranted(agency="helpers", region="*", policy="inner", policy_id="p1")
    ledger.observe([seen("t", new.model_copy(update={"policy_id": None}), at=AT)])
    (event,) = appended(ledger, seen("t", new, at=AT))
    assert event == IdsRecorded(agency="helpers", policy="inner", policy_id="p1")


def test_an_erased_name_is_not_registered_again(ledger: Ledger) -> None:
    ledger.observe([as_before(policy_seen("t1", READ, actor="zoe"))])
    row = ledger.subject("person", "zoe")
    assert row is not None
    ledger.erase(row.subject)
    (event,) = appended(ledger, policy_seen("t1", READ, actor="zoe"))
    assert not isinstance(event, OF_SUBJECTS)
    assert ledger.subject("person", "zoe") is None


def test_a_text_that_was_lost_is_kept_again_without_an_entry(ledger: Ledger, place: Place) -> None:
    ledger.observe([policy_seen("t1", READ)])
    with raw(place) as db:
        db.execute("DELETE FROM documents")
    before = ledger.last_position()
    found = ledger.observe([policy_seen("t1", READ)], complete=True)
    assert (found.texts_kept_again, ledger.last_position()) == (1, before)
    assert ledger.entries.select_documents([READ_DOCUMENT.digest])


def test_an_erased_text_is_not_kept_again_by_the_completion(ledger: Ledger) -> None:
    ledger.observe([trust_seen("t1", TRUST), as_before(trust_seen("t2", TRUST))])
    ledger.erase_document(TRUST_DOCUMENT.digest)
    found = ledger.observe([trust_seen("t1", TRUST), trust_seen("t2", TRUST)], complete=True)
    assert (found.completed_traces, found.texts_kept_again) == (1, 0)
    assert ledger.entries.select_documents([TRUST_DOCUMENT.digest]) == {}
