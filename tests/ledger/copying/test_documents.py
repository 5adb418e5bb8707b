"""A copy has the texts of documents too, and what was erased in the source is erased in it."""

from __future__ import annotations

import pytest

from ledger.application import Ledger
from ledger.errors import VerificationFailed
from ledger.verification.entries import verify_entries
from tests.ledger.copying.copies import all_ways, copied
from tests.ledger.kept import READ, TRUST, document, policy_seen, trust_seen
from tests.ledger.worlds import Place, raw


def texts(place: Place) -> list[tuple[str, int, str]]:
    with raw(place) as db:
        return list(db.execute("SELECT digest, size, text FROM documents ORDER BY digest"))


@pytest.fixture
def with_documents(source: Place) -> Place:
    with Ledger(source) as ledger:
        ledger.observe([policy_seen("t1", READ), trust_seen("t2", TRUST)])
    return source


@all_ways
def test_the_texts_are_copied(with_documents: Place, target: Place) -> None:
    copied(with_documents, target)
    assert texts(target) == texts(with_documents) != []
    assert verify_entries(target).findings == []


@all_ways
def test_a_text_that_was_erased_in_the_source_is_erased_in_the_copy(
    with_documents: Place, target: Place
) -> None:
    copied(with_documents, target)
    with Ledger(with_documents) as ledger:
        ledger.erase_document(document(TRUST).digest)
    copied(with_documents, target)
    assert texts(target) == [tuple(document(READ))]
    assert verify_entries(target).findings == []


def test_a_copy_without_names_has_no_texts(with_documents: Place, target: Place) -> None:
    copied(with_documents, target, with_names=False)
    assert texts(target) == []
    assert verify_entries(target).without_text == 2


def test_a_text_that_only_the_copy_still_keeps_stays_there(
    with_documents: Place, target: Place
) -> None:
    """It was lost in the source, not erased."""
    copied(with_documents, target)
    with raw(with_documents) as db:
        db.execute("DELETE FROM documents")
    copied(with_documents, target)
    assert len(texts(target)) == 2


def test_an_altered_text_is_not_copied(with_documents: Place, target: Place) -> None:
    with raw(with_documents) as db:
        db.execute("UPDATE documents SET text = '{}'")
    with pytest.raises(VerificationFailed, match="does not have this digest"):
        copied(with_documents, target)
    assert texts(target) == []
