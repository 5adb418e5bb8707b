"""Documents beside the events: each text once, under its digest, checked and erasable."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.application import Actor, Ledger
from ledger.erased_documents import DocumentErased
from ledger.errors import NotFound
from ledger.persistence.location import SQLiteFile
from ledger.verification.entries import verify_entries
from tests.ledger.children import finished, python
from tests.ledger.former_tables import make_former
from tests.ledger.kept import READ, TRUST, WRITE, document, policy_seen, trust_seen
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import Place, raw, seen

READ_DOCUMENT, TRUST_DOCUMENT, WRITE_DOCUMENT = map(document, (READ, TRUST, WRITE))


def kept(ledger: Ledger) -> set[str]:
    location = ledger.location
    with raw(location.path if isinstance(location, SQLiteFile) else location.url) as db:
        return {row[0] for row in db.execute("SELECT digest FROM documents").fetchall()}


def findings(place: Place) -> list[str]:
    return [str(each) for each in verify_entries(place).findings]


# -- keeping -------------------------------------------------------------------------------------


def test_the_text_is_kept_beside_the_event_that_has_its_digest(ledger: Ledger) -> None:
    ledger.observe([policy_seen("t1", READ)])
    row = ledger.entries.select_documents([READ_DOCUMENT.digest])[READ_DOCUMENT.digest]
    assert (row.size, row.text) == (READ_DOCUMENT.size, READ_DOCUMENT.text)
    *_, entry = ledger.history()
    assert getattr(entry.event, "document", None) == READ_DOCUMENT.digest
    assert "ecs:servers:get" not in ledger.entry_text(ledger.last_position())


def test_a_document_of_many_traces_is_kept_once(ledger: Ledger) -> None:
    ledger.observe([policy_seen("t1", READ), policy_seen("t2", READ, "others")])
    ledger.observe([policy_seen("t3", READ, "more"), trust_seen("t4", TRUST)])
    assert kept(ledger) == {READ_DOCUMENT.digest, TRUST_DOCUMENT.digest}


@pytest.mark.parametrize("value", ["not JSON", {"Statement": "x" * 300_000}])
def test_a_text_that_is_not_json_or_too_long_is_known_by_its_digest_alone(
    ledger: Ledger, place: Place, value: object
) -> None:
    ledger.observe([policy_seen("t1", value)])
    assert kept(ledger) == set()
    found = verify_entries(place)
    assert (found.findings, found.without_text) == ([], 1)


def test_a_document_to_which_no_event_of_its_trace_refers_is_not_kept(ledger: Ledger) -> None:
    trace = policy_seen("t1", READ)
    bare = trace.events[0].model_copy(update={"document": None, "document_bytes": None})
    ledger.observe([seen("t1", bare, at=trace.effective_at, documents=trace.documents)])
    assert kept(ledger) == set()


# -- erasing -------------------------------------------------------------------------------------


def test_an_erased_text_is_gone_and_the_history_stays_valid(ledger: Ledger, place: Place) -> None:
    ledger.observe([policy_seen("t1", READ), trust_seen("t2", TRUST)])
    ledger.erase_document(TRUST_DOCUMENT.digest, actor=Actor("dpo"), reason="a request")
    assert kept(ledger) == {READ_DOCUMENT.digest}
    *_, entry = ledger.history()
    assert entry.event == DocumentErased(document=TRUST_DOCUMENT.digest)
    assert entry.reason == "a request"
    found = verify_entries(place)
    assert (found.findings, found.without_text) == ([], 1)
    with pytest.raises(NotFound, match="keeps no text"):
        ledger.erase_document(TRUST_DOCUMENT.digest)


def test_an_erased_text_does_not_come_back_with_a_later_trace(ledger: Ledger, place: Place) -> None:
    ledger.observe([trust_seen("t1", TRUST)])
    ledger.erase_document(TRUST_DOCUMENT.digest)
    ledger.observe([trust_seen("t2", TRUST), policy_seen("t3", READ)], complete=True)
    ledger.observe([trust_seen("t1", TRUST)], complete=True)
    assert kept(ledger) == {READ_DOCUMENT.digest}
    assert findings(place) == []


def test_an_erased_text_is_in_no_byte_of_the_files(ledger: Ledger, path: Path) -> None:
    """Many other documents, so that rows move between pages before and after."""
    for number in range(60):
        ledger.observe([policy_seen(f"t{number}", {"Statement": [f"{number}" * 40]})])
    ledger.observe([trust_seen("t", TRUST)])
    for number in range(60, 90):
        ledger.observe([policy_seen(f"t{number}", {"Statement": [f"{number}" * 40]})])
    ledger.erase_document(TRUST_DOCUMENT.digest)
    for file in path.parent.iterdir():
        assert b"zoe.of.nowhere" not in file.read_bytes(), file
    assert len(kept(ledger)) == 90
    assert findings(path) == []


# -- verifying -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("crime", "expected"),
    [
        ("UPDATE documents SET text = '{}'", "does not have this digest"),
        ("UPDATE documents SET size = size + 1", "does not have this digest"),
        (f"UPDATE documents SET digest = '{'0' * 64}'", "does not have this digest"),
        (
            (
                "INSERT INTO documents VALUES "
                f"('{WRITE_DOCUMENT.digest}', {WRITE_DOCUMENT.size}, '{WRITE_DOCUMENT.text}')"
            ),
            "no event refers to it",
        ),
    ],
)
def test_verification_finds_a_text_that_is_not_the_events(
    ledger: Ledger, place: Place, crime: str, expected: str
) -> None:
    ledger.observe([policy_seen("t1", READ)])
    assert findings(place) == []
    with raw(place) as db:
        db.execute(crime)
    (found,) = findings(place)
    assert expected in found


def test_verification_finds_a_text_that_is_there_although_it_was_erased(
    ledger: Ledger, place: Place
) -> None:
    ledger.observe([policy_seen("t1", READ)])
    ledger.erase_document(READ_DOCUMENT.digest)
    with raw(place) as db:
        db.execute("INSERT INTO documents VALUES (?, ?, ?)", tuple(READ_DOCUMENT))
    (found,) = findings(place)
    assert found == f"document {READ_DOCUMENT.digest}: it was erased, but a text is stored"


# -- ledgers of the last version -----------------------------------------------------------------


def test_a_ledger_of_the_last_version_gets_the_table_when_it_is_opened(place: Place) -> None:
    with Ledger(place) as ledger:
        ledger.execute(login(BEIJING))
        root = ledger.entries.read_tile(0, 0, ledger.last_position())
    make_former(place, 2)
    with Ledger(place, create=False) as ledger:
        assert ledger.entries.read_tile(0, 0, ledger.last_position()) == root
        ledger.observe([policy_seen("t1", READ)])
        assert kept(ledger) == {READ_DOCUMENT.digest}
    assert findings(place) == []


def test_a_ledger_of_the_last_version_is_verified_as_it_is(place: Place) -> None:
    with Ledger(place) as ledger:
        ledger.execute(login(BEIJING))
    make_former(place, 2)
    assert findings(place) == []


READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from ledger.application import Ledger

os.setgroups([]); os.setgid(65534); os.setuid(65534)
with Ledger(Path(sys.argv[1]), create=False) as ledger:
    print(ledger.last_position(), ledger.entries.select_documents(["0" * 64]))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
@pytest.mark.parametrize("version", [2, 3])
def test_a_file_of_an_older_format_that_may_only_be_read_is_read(path: Path, version: int) -> None:
    with Ledger(path) as ledger:
        ledger.execute(login(BEIJING))
        last = ledger.last_position()
    make_former(path, version)
    before = path.read_bytes()
    path.chmod(0o444)
    path.parent.chmod(0o777)
    for folder in path.parents[1:]:
        if len(folder.parts) > 2 and folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    assert finished(python("-c", READ_AS_NOBODY, path)) == [f"{last} {{}}"]
    assert path.read_bytes() == before


def test_sqlite_has_the_same_table_after_a_migration(path: Path) -> None:
    def schema() -> str:
        with closing(sqlite3.connect(path)) as db:
            (sql,) = db.execute("SELECT sql FROM sqlite_schema WHERE name='documents'").fetchone()
        return str(sql)

    Ledger(path).close()
    fresh = schema()
    make_former(path, 2)
    Ledger(path).close()
    assert schema() == fresh
