"""People behind surrogate ids: their names can be checked while they are kept, and are erasable."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.account.usage import TemporaryCredentialIssued
from ledger.application import Actor, Ledger
from ledger.errors import InvalidInput, NotFound, StoreLocked
from ledger.messages import Observation, Provenance, Recorded
from ledger.persistence.side_tables import SideRows, SubjectRow
from ledger.subjects import SubjectErased, SubjectRegistered, commitment, new_salt, new_subject
from tests.ledger.scenario import AGENCY, BEIJING, SHANGHAI, grant, login
from tests.ledger.worlds import Clock, Place, raw, seen, texts

NOW = Clock().now
NAMES = (
    "alice@example.com",
    "Zoë Müller-Lüdenscheidt",
    "محمد بن سلمان",
    "שלמה המלך",
    "李雷",
    "👩🏽‍💻 𝔄𝔩𝔦𝔠𝔢 𐍈",
    "علی\u200cرضا",
    "山田\u3000太郎",
    "x" * 1024,
    "O'Brien \"; DROP TABLE subjects; --",
    "a\\b/c:d*e",
)


@pytest.fixture
def ledger(place: Place) -> Iterator[Ledger]:
    with Ledger(place, clock=Clock(), lock_timeout_s=1) as ledger:
        yield ledger


def subject_of(ledger: Ledger, name: str) -> str:
    row = ledger.subject("person", name)
    assert row is not None
    return row.subject


@pytest.mark.parametrize("name", NAMES)
def test_an_entry_holds_a_surrogate_id_and_never_a_name(ledger: Ledger, name: str) -> None:
    entries = ledger.execute(login(BEIJING), actor=Actor(name)).entries
    ids = {entry.actor for entry in entries if not isinstance(entry.event, SubjectRegistered)}
    assert ids == {subject_of(ledger, name)}
    assert ledger.names(i for i in ids if i) == {subject_of(ledger, name): name}
    for text in texts(ledger):
        assert name not in text
        assert json.dumps(name)[1:-1] not in text


@pytest.mark.parametrize(
    "name",
    [
        "",
        "two\nlines",
        "tab\t",
        "\x00",
        "half \ud83d",
        "right to left \u202e override",
        "isolate \u2066x\u2069",
        "zero\u200bwidth",
        "x" * 1025,
    ],
)
def test_a_name_that_would_deceive_or_cannot_be_printed_is_refused_as_an_actor(name: str) -> None:
    with pytest.raises(InvalidInput, match="is not a valid actor"):
        Actor(name)


def test_one_name_is_one_subject_and_registered_once(ledger: Ledger, place: Place) -> None:
    for region in (BEIJING, SHANGHAI):
        ledger.execute(login(region), actor=Actor("alice"))
    with Ledger(place) as again:
        again.execute(grant(BEIJING), actor=Actor("alice"))
    registered = [e for e in ledger.history() if isinstance(e.event, SubjectRegistered)]
    assert len(registered) == 1


def test_the_same_text_as_a_person_and_as_an_address_is_two_subjects(ledger: Ledger) -> None:
    issued = TemporaryCredentialIssued(agency=AGENCY, region=BEIJING)
    ledger.observe([seen("t", issued, at=Clock().now, actor="10.0.0.1", address="10.0.0.1")])
    person, address = ledger.subject("person", "10.0.0.1"), ledger.subject("address", "10.0.0.1")
    assert person is not None
    assert address is not None
    assert person.subject.startswith("p-")
    assert address.subject.startswith("a-")
    *_, entry = ledger.history()
    assert isinstance(entry.event, TemporaryCredentialIssued)
    assert (entry.actor, entry.event.address) == (person.subject, address.subject)


def test_the_name_of_a_trace_s_file_is_a_subject_registered_once(ledger: Ledger) -> None:
    name = "export for alice.json"
    ledger.observe(from_file(name, 1, 2))
    file = ledger.subject("file", name)
    assert file is not None
    assert file.subject.startswith("f-")
    registered, *entries = ledger.history()
    assert registered.event == SubjectRegistered(
        subject=file.subject, kind="file", commitment=commitment(file.salt, "file", name)
    )
    assert [each.source and each.source.file for each in entries] == [file.subject] * 2
    assert not [text for text in texts(ledger) if "alice" in text]


def from_file(name: str, *numbers: int) -> list[Observation]:
    """Traces that were read from a file of this name."""
    return [
        replace(
            seen(f"t{each}", TemporaryCredentialIssued(agency=AGENCY, region=BEIJING), at=NOW),
            source=Provenance(trace_id=f"t{each}", file=name),
        )
        for each in numbers
    ]


def test_erasing_the_name_of_a_file_leaves_no_byte_of_it(ledger: Ledger, path: Path) -> None:
    name = "export for alice.to.be.forgotten.json"
    ledger.observe(from_file(name, 1))
    row = ledger.subject("file", name)
    assert row is not None
    assert name.encode() in bytes_of(path)
    ledger.erase(row.subject)
    assert name.encode() not in bytes_of(path)
    assert ledger.names([row.subject]) == {}


def test_a_file_that_comes_again_after_erasure_gets_a_new_id_if_it_tells_something_new(
    ledger: Ledger,
) -> None:
    ledger.observe(from_file("a.json", 1))
    before = ledger.subject("file", "a.json")
    assert before is not None
    ledger.erase(before.subject)
    last = ledger.last_position()
    ledger.observe(from_file("a.json", 1))
    assert ledger.last_position() == last, "the trace is known"
    ledger.observe(from_file("a.json", 1, 2))
    again = ledger.subject("file", "a.json")
    assert again is not None
    assert again.subject != before.subject


def test_the_commitment_can_be_checked_with_name_and_salt(ledger: Ledger, place: Place) -> None:
    ledger.execute(login(BEIJING), actor=Actor("李雷"))
    (registered,) = [e.event for e in ledger.history() if isinstance(e.event, SubjectRegistered)]
    with raw(place) as db:
        (kept,) = db.execute("SELECT * FROM subjects WHERE kind = 'person'").fetchall()
    assert kept[:3] == (registered.subject, "person", "李雷")
    by_hand = hashlib.sha256(bytes.fromhex(kept[3]) + b"person\0" + "李雷".encode()).hexdigest()
    assert registered.commitment == by_hand == commitment(kept[3], "person", "李雷")


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    other=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_a_commitment_binds_name_kind_and_salt(name: str, other: str) -> None:
    salt = new_salt()
    bound = commitment(salt, "person", name)
    assert bound != commitment(salt, "address", name)
    assert bound != commitment(new_salt(), "person", name)
    assert (bound == commitment(salt, "person", other)) == (name == other)


def test_ids_and_salts_are_random() -> None:
    assert len({new_subject("person") for _ in range(1000)}) == 1000
    assert len({new_salt() for _ in range(1000)}) == 1000
    assert len(bytes.fromhex(new_salt())) == 32


def bytes_of(path: Path) -> bytes:
    """All bytes of a ledger on disk."""
    return b"".join(p.read_bytes() for p in sorted(path.parent.iterdir()) if p.is_file())


def test_erasing_leaves_neither_name_nor_salt_in_any_byte_of_the_files(
    ledger: Ledger, path: Path
) -> None:
    name = "alice.to.be.forgotten@example.com"
    ledger.execute(login(BEIJING), actor=Actor(name))
    row = ledger.subject("person", name)
    assert row is not None
    assert name.encode() in bytes_of(path)
    assert row.salt.encode() in bytes_of(path)
    ledger.erase(row.subject)
    assert name.encode() not in bytes_of(path)
    assert row.salt.encode() not in bytes_of(path)
    ledger.close()
    assert name.encode() not in bytes_of(path)


@pytest.mark.parametrize("seed", range(2))
def test_erasing_one_of_very_many_names_leaves_no_byte_of_it(
    ledger: Ledger, path: Path, seed: int
) -> None:
    """SQLite leaves copies of rows that it moved between pages, secure_delete or not."""
    chance = random.Random(seed)
    people = [
        SubjectRow(
            subject=f"p-{chance.randbytes(10).hex()}",
            kind="person",
            name=f"<{number:06}>{'y' * chance.choice([0, 5, 30, 200, 900, 3000])}",
            salt=chance.randbytes(32).hex(),
        )
        for number in range(3000)
    ]
    for start in range(0, len(people), 20):
        ledger.entries.append([], SideRows(subjects=people[start : start + 20]))
    gone = chance.sample(people, 300)
    events = [SubjectErased(subject=row.subject) for row in gone]
    stored = [
        ledger.mapper.to_stored_event(
            Recorded(
                stream=f"subject:{event.subject}",
                version=1,
                event=event,
                recorded_at=NOW,
                effective_at=NOW,
                origin="commanded",
            )
        )
        for event in events
    ]
    ledger.entries.append(stored, SideRows(erased=[row.subject for row in gone]))
    ledger.entries.wipe("subjects")
    names = set(re.findall(rb"<[0-9]{6}>", bytes_of(path)))
    salts = set(re.findall(rb"[0-9a-f]{64}", bytes_of(path)))
    assert names.isdisjoint(row.name[:8].encode() for row in gone)
    assert salts.isdisjoint(row.salt.encode() for row in gone)
    stayed = {row.subject: row.name for row in people}
    for row in gone:
        del stayed[row.subject]
    assert ledger.names(row.subject for row in people) == stayed
    assert names == {name[:8].encode() for name in stayed.values()}


def test_erasing_changes_no_entry_and_is_an_entry_itself(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING), actor=Actor("alice"))
    before = texts(ledger)
    subject = subject_of(ledger, "alice")
    ledger.erase(subject, actor=Actor("privacy office"), reason="asked for it")
    after = texts(ledger)
    assert after[: len(before)] == before
    *_, erased = ledger.history()
    assert erased.event == SubjectErased(subject=subject)
    assert erased.reason == "asked for it"
    assert erased.stream == f"subject:{subject}"
    assert erased.version == 2
    assert erased.actor == subject_of(ledger, "privacy office")
    assert subject not in ledger.names([subject])


def test_a_person_who_comes_back_after_erasure_gets_a_new_id(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING), actor=Actor("alice"))
    before = subject_of(ledger, "alice")
    ledger.erase(before)
    ledger.execute(login(SHANGHAI), actor=Actor("alice"))
    assert subject_of(ledger, "alice") != before
    assert ledger.names([before]) == {}


def test_a_person_who_erases_herself_leaves_no_name_either(ledger: Ledger, path: Path) -> None:
    name = "self-eraser@example.com"
    ledger.execute(login(BEIJING), actor=Actor(name))
    subject = subject_of(ledger, name)
    ledger.erase(subject, actor=Actor(name), reason="my right")
    assert name.encode() not in bytes_of(path)
    *_, erased = ledger.history()
    assert erased.actor == subject


def test_a_subject_that_is_unknown_or_erased_cannot_be_erased(ledger: Ledger) -> None:
    ledger.execute(login(BEIJING), actor=Actor("alice"))
    subject = subject_of(ledger, "alice")
    ledger.erase(subject)
    last = ledger.last_position()
    for unknown in (subject, "p-00000000000000000000"):
        with pytest.raises(NotFound, match="has no name for"):
            ledger.erase(unknown)
    assert ledger.last_position() == last


def test_another_process_that_knew_the_name_does_not_bring_it_back(
    ledger: Ledger, place: Place
) -> None:
    """It remembers the surrogate id; entries that it appends under the id stay without a name."""
    ledger.execute(login(BEIJING), actor=Actor("alice"))
    before = subject_of(ledger, "alice")
    with Ledger(place, clock=Clock()) as other:
        other.execute(login(BEIJING), actor=Actor("alice"))
        ledger.erase(before)
        other.execute(login(BEIJING), actor=Actor("alice"))
    *_, entry = ledger.history()
    assert entry.actor != before, "it must not be traced to whom was erased"


def test_a_reader_that_keeps_the_write_ahead_log_is_reported(ledger: Ledger, path: Path) -> None:
    name = "alice.to.be.forgotten@example.com"
    ledger.execute(login(BEIJING), actor=Actor(name))
    subject = subject_of(ledger, name)
    with raw(path) as reader, closing(reader.cursor()) as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT count(*) FROM events").fetchone()
        with pytest.raises(StoreLocked, match="its bytes remain in the write-ahead log"):
            ledger.erase(subject)
        cursor.execute("ROLLBACK")
    assert ledger.names([subject]) == {}
    ledger.close()
    assert name.encode() not in bytes_of(path)
