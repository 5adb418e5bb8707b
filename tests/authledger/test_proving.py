"""Evidence and verification through the Python API, on both databases."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import authledger
from authledger import rows
from ledger.application import Ledger as WriteSide
from ledger.log.signer import LogSigner
from tests.authledger.conftest import (
    grant,
    login,
    use,
)
from tests.ledger.worlds import ORIGIN, Clock, Place


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config") / "keys"


@pytest.fixture
def signed(place: Place, keys: Path) -> Iterator[tuple[authledger.Ledger, str]]:
    """A ledger whose log has a key, and the verifier key."""
    with WriteSide(place, log_keys=keys) as begun:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(begun.location)
        begun.sign(signer)
    with authledger.open(place, log_keys=keys, clock=Clock()) as ledger:
        ledger.execute(login())
        ledger.execute(grant())
        yield ledger, str(signer.key.verifier)


Signed = tuple[authledger.Ledger, str]


def test_evidence_is_checked_without_the_ledger(signed: Signed, tmp_path: Path) -> None:
    ledger, vkey = signed
    made = ledger.evidence(rows.RegionsRow, tmp_path / "answer.zip", service="elb")
    held = authledger.verify_evidence(tmp_path / "answer.zip", [vkey])
    assert held.answer == made.answer
    assert held.answer[0].service == "elb"
    assert held.origin == ORIGIN
    assert held.size == ledger.position
    assert not held.complete
    assert held.remarks


def test_evidence_that_names_a_view_by_its_former_name_is_verified(
    signed: Signed, tmp_path: Path
) -> None:
    ledger, vkey = signed
    path = tmp_path / "answer.zip"
    ledger.evidence("regions", path, service="elb")
    replaced(path, "question.json", b'"regions"', b'"region_agencies"')
    assert authledger.verify_evidence(path, [vkey]).answer[0].service == "elb"


def replaced(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Write the file again with another text in one part."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = parts[part].replace(old, new, 1)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def test_spoilt_evidence_is_refused(signed: Signed, tmp_path: Path) -> None:
    ledger, vkey = signed
    path = tmp_path / "answer.zip"
    ledger.evidence("regions", path, complete=True)
    replaced(path, "answer.json", b"granted", b"revoked")
    with pytest.raises(authledger.VerificationFailed):
        authledger.verify_evidence(path, vkey)


def test_evidence_without_a_key_to_check_it_by_is_not_verified(tmp_path: Path) -> None:
    with pytest.raises(authledger.InvalidInput, match="verifier key"):
        authledger.verify_evidence(tmp_path / "answer.zip", [])


def test_a_signed_ledger_is_verified(signed: Signed, tmp_path: Path) -> None:
    ledger, vkey = signed
    kept = tmp_path / "checkpoint"
    checkpoint = ledger.execute(use()).checkpoint
    assert checkpoint is not None
    kept.write_text(checkpoint, encoding="utf-8")
    ledger.execute(use())
    assert ledger.verify(keys=[vkey], since=[kept]).verified
    assert ledger.verify().verified


def test_an_altered_ledger_is_not_verified(path: Path, keys: Path, signed: Signed) -> None:
    ledger, _ = signed
    with closing(sqlite3.connect(path)) as connection, connection:
        for (name,) in connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute("UPDATE events SET entry = replace(entry, 'elb', 'obs')")
    with pytest.raises(authledger.VerificationFailed, match=r"not verified: .* finding"):
        ledger.verify()
    verdict = ledger.verify(check=False)
    assert not verdict.verified
    assert verdict.verification.findings


def test_an_unsigned_ledger_is_not_verified(ledger: authledger.Ledger) -> None:
    with pytest.raises(authledger.VerificationFailed, match="no checkpoint"):
        ledger.verify()
