"""Evidence carries the policy documents that its entries refer to, and a checker compares them."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.errors import VerificationFailed
from ledger.log.signer import LogSigner
from projections.evidence.check import check
from projections.evidence.make import Evidence, make
from projections.views import Views
from tests.ledger.kept import READ, TRUST, WRITE, as_before, change_seen, document, policy_seen
from tests.ledger.worlds import ORIGIN, Clock

CATALOGUE = load_catalogue()
READ_DOCUMENT, TRUST_DOCUMENT = document(READ), document(TRUST)
QUESTION = "policies policy=readers"


class Signed:
    """A ledger with a key, in which policies of two accounts have documents."""

    def __init__(self, folder: Path) -> None:
        self.place, self.file, self.keys = (
            folder / "own" / "ledger.db",
            folder / "e.zip",
            folder / "keys",
        )
        self.ledger = Ledger(self.place, clock=Clock(), log_keys=self.keys)
        self.signer = LogSigner(self.keys, ORIGIN)
        self.signer.key.create(self.place)
        elsewhere = policy_seen("t2", TRUST, "others", account="another")
        self.ledger.observe([elsewhere, policy_seen("t1", READ)])
        self.ledger.sign(self.signer)

    def made(self, *, complete: bool = False) -> set[str]:
        """The digests of the documents in the file."""
        with Views.open(self.place, CATALOGUE) as views:
            views.catch_up()
            make(self.ledger, views, QUESTION, self.file, complete=complete)
        with zipfile.ZipFile(self.file) as archive:
            names = [Path(name) for name in archive.namelist()]
        return {name.stem for name in names if name.parent.name == "documents"}

    def checked(self) -> Evidence:
        return check(self.file, [self.signer.key.verifier], CATALOGUE)

    def altered(self, name: str, text: bytes | None) -> None:
        """Replace, add or remove a part of the file."""
        with zipfile.ZipFile(self.file) as archive:
            parts = {each: archive.read(each) for each in archive.namelist()}
        parts.pop(name, None)
        parts |= {} if text is None else {name: text}
        with zipfile.ZipFile(self.file, "w") as archive:
            for each, data in parts.items():
                archive.writestr(each, data)


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[Signed]:
    signed = Signed(tmp_path)
    yield signed
    signed.ledger.close()


def test_the_documents_of_the_answers_entries_go_along(signed: Signed) -> None:
    assert signed.made() == {READ_DOCUMENT.digest}
    assert not any("only the digest" in note for note in signed.checked().notes)
    assert signed.checked().documents == {READ_DOCUMENT.digest: READ_DOCUMENT.text}


def test_complete_evidence_has_every_document(signed: Signed) -> None:
    assert signed.made(complete=True) == {READ_DOCUMENT.digest, TRUST_DOCUMENT.digest}
    assert signed.checked().documents.keys() == {READ_DOCUMENT.digest, TRUST_DOCUMENT.digest}


def test_an_erased_document_does_not_go_along_and_the_evidence_holds(signed: Signed) -> None:
    signed.ledger.erase_document(READ_DOCUMENT.digest)
    assert signed.made() == set()
    held = signed.checked()
    assert held.documents == {}
    assert f"Of the document {READ_DOCUMENT.digest} only the digest is known" in held.notes[-1]


def test_a_checker_may_lack_a_document(signed: Signed) -> None:
    signed.made()
    signed.altered(f"documents/{READ_DOCUMENT.digest}.json", None)
    assert signed.checked().documents == {}


def test_an_altered_document_is_not_verified(signed: Signed) -> None:
    signed.made()
    signed.altered(f"documents/{READ_DOCUMENT.digest}.json", b"{}")
    with pytest.raises(VerificationFailed, match="has another digest"):
        signed.checked()


def test_a_document_that_no_entry_refers_to_is_not_verified(signed: Signed) -> None:
    signed.made()
    signed.altered(f"documents/{hashlib.sha256(b'{}').hexdigest()}.json", b"{}")
    with pytest.raises(VerificationFailed, match="no entry refers to"):
        signed.checked()


def test_a_document_that_was_altered_in_the_ledger_makes_no_evidence(signed: Signed) -> None:
    import sqlite3

    with sqlite3.connect(signed.place) as db:
        db.execute("UPDATE documents SET text = '{}'")
    db.close()
    with pytest.raises(VerificationFailed, match="was altered"):
        signed.made()
    assert not signed.file.exists()


def test_evidence_of_a_document_in_force_holds_and_brings_its_text(tmp_path: Path) -> None:
    """Of a policy that an older version read and a later reading completed, and that changed."""
    signed = Signed(tmp_path)
    signed.ledger.observe([as_before(policy_seen("t3", READ, "late"))])
    signed.ledger.observe([policy_seen("t3", READ, "late")], complete=True)
    signed.ledger.observe([change_seen("t4", WRITE)])
    signed.ledger.sign(signed.signer)
    for policy, given in (("late", document(READ)), ("readers", document(WRITE))):
        with Views.open(signed.place, CATALOGUE) as views:
            views.catch_up()
            (row,) = views.read("policies", where={"policy": policy}).dicts()
            make(signed.ledger, views, f"policies policy={policy}", signed.file)
        stated = signed.checked()
        assert given.digest in stated.documents
        assert (row["document"] == given.digest) == (policy == "late")
    signed.ledger.close()
