"""Keys: parsed strictly; only what a key signed verifies."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import Note, Signature, parse_note
from ledger.merkle.signing import (
    TIME_MAX,
    Algorithm,
    Signer,
    Verified,
    Verifier,
    ed25519_verifies,
    verify_note,
)
from tests.ledger.merkle.keys import LOG, SIGNED_AT, W1, W2, log_key

# The example key and note of Go's golang.org/x/mod/sumdb/note.
GO_VERIFIER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_NOTE = """\
If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
TEXT = "a text\n"

key_names = st.text("abc./é—", min_size=1)
seeds = st.binary(min_size=32, max_size=32)


# -- keys as text --------------------------------------------------------------------------------


def test_the_example_key_of_go_is_read_and_written_the_same() -> None:
    assert str(Verifier.parse(GO_VERIFIER)) == GO_VERIFIER
    signer = Signer.parse(GO_PRIVATE)
    assert signer.private_text() == GO_PRIVATE
    assert signer.verifier == Verifier.parse(GO_VERIFIER)


@given(name=key_names, seed=seeds, algorithm=st.sampled_from(Algorithm))
def test_keys_are_read_as_they_were_written(name: str, seed: bytes, algorithm: Algorithm) -> None:
    signer = Signer(name, algorithm, seed)
    assert Signer.parse(signer.private_text()) == signer
    assert Verifier.parse(str(signer.verifier)) == signer.verifier


def test_the_key_id_depends_on_name_and_type() -> None:
    log = Verifier("a", Algorithm.ED25519, bytes(32))
    witness = Verifier("a", Algorithm.COSIGNATURE, bytes(32))
    other = Verifier("b", Algorithm.ED25519, bytes(32))
    assert len({log.key_id, witness.key_id, other.key_id}) == 3


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("PeterNeumann", "", "not a valid key name"),
        ("PeterNeumann", "Peter Neumann", "not a valid key name"),
        ("PeterNeumann", "Peter\u2003Neumann", "not a valid key name"),
        ("PeterNeumann", "Peter\nNeumann", "not a valid key name"),
        ("PeterNeumann", "Peter\x1bNeumann", "not a valid key name"),
        ("PeterNeumann", "Peter\udcffNeumann", "not UTF-8"),
        ("PeterNeumann", "PeterNewmann", "was altered"),
        ("c74f20a3", "c74f20a4", "was altered"),
        ("c74f20a3", "C74F20A3", "has the form NAME"),
        ("c74f20a3", "c74f20a", "has the form NAME"),
        ("c74f20a3", "c74f20a30", "has the form NAME"),
        ("+c74f20a3", "", "has the form NAME"),
        ("ARpc", "ARpd", "was altered"),
        ("ARpc", "AR-c", "not base64"),
        ("ARpc", " ARpc", "not base64"),
        ("10TW", "10TW\n", "not base64"),
        ("10TW", "10TWAA==", "33 bytes"),
        ("10TW", "", "30 bytes|29 bytes"),
        ("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "", "an unknown type"),
        ("ARpc", "Bhpc", "an unknown type"),
        ("ARpc", "Ahpc", "an unknown type"),
    ],
)
def test_a_malformed_verifier_key_is_refused(was: str, becomes: str, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        Verifier.parse(GO_VERIFIER.replace(was, becomes))


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("PRIVATE+KEY+", "", "begins with PRIVATE"),
        ("PeterNeumann", "PeterNewmann", "was altered"),
        ("c74f20a3", "c74f20a4", "was altered"),
        ("AYEK", "AYEL", "was altered"),
        ("AYEK", "AY!K", "not base64"),
        ("KDFz", "", "29 bytes|30 bytes"),
    ],
)
def test_a_malformed_private_key_is_refused_and_not_shown(
    was: str, becomes: str, message: str
) -> None:
    text = GO_PRIVATE.replace(was, becomes)
    with pytest.raises(NoteInvalid, match=message) as refused:
        Signer.parse(text)
    assert "FALVFGyNhPJEMzD1QIDr" not in f"{refused.value!r} {refused.value.__cause__!r}"


def test_a_signer_does_not_show_its_seed() -> None:
    assert repr(LOG.seed) not in repr(LOG)


# -- signing and verifying -----------------------------------------------------------------------


def test_the_example_note_of_go_verifies_and_is_signed_the_same() -> None:
    note = parse_note(GO_NOTE.encode())
    verifier = Verifier.parse(GO_VERIFIER)
    assert verify_note(note, [verifier]) == (Verified(verifier, None),)
    assert Signer.parse(GO_PRIVATE).sign(note.text) == note.signatures[0]


def test_the_vectors_of_wycheproof_verify_where_they_should_and_nowhere_else(shared: Path) -> None:
    vectors = json.loads((shared / "signatures" / "ed25519_test.json").read_text(encoding="utf-8"))
    cases = [
        (bytes.fromhex(group["publicKey"]["pk"]), test)
        for group in vectors["testGroups"]
        for test in group["tests"]
    ]
    assert len(cases) == vectors["numberOfTests"] == 151
    wanted = {test["tcId"]: test["result"] == "valid" for _, test in cases}
    assert {
        test["tcId"]: ed25519_verifies(key, bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"]))
        for key, test in cases
    } == wanted
    assert set(wanted.values()) == {True, False}


@given(text=st.text(st.characters(codec="utf-8")), at=st.integers(0, TIME_MAX))
def test_each_signature_of_a_key_verifies(text: str, at: int) -> None:
    assert LOG.verifier.verify(text, LOG.sign(text).signature) is None
    assert W1.verifier.verify(text, W1.cosign(text, at).signature) == at


@given(bit=st.integers(0, 64 * 8 - 1), at=st.integers(0, 72 * 8 - 1))
def test_a_signature_with_any_bit_changed_does_not_verify(bit: int, at: int) -> None:
    for signer, signature, changed in (
        (LOG, LOG.sign(TEXT), bit),
        (W1, W1.cosign(TEXT, SIGNED_AT), at),
    ):
        data = bytearray(signature.signature)
        data[changed // 8] ^= 1 << changed % 8
        with pytest.raises(NoteInvalid, match=f"of {signer.name}"):
            signer.verifier.verify(TEXT, bytes(data))


@pytest.mark.parametrize("cut", [0, 7, 8, 63, 71, 73])
def test_a_signature_of_another_length_does_not_verify(cut: int) -> None:
    for signer, signature in ((LOG, LOG.sign(TEXT)), (W1, W1.cosign(TEXT, SIGNED_AT))):
        with pytest.raises(NoteInvalid):
            signer.verifier.verify(TEXT, (signature.signature + b"\0")[:cut])


def test_a_cosignature_covers_its_time_and_is_not_a_log_signature() -> None:
    cosigned = W1.cosign(TEXT, SIGNED_AT).signature
    later = (SIGNED_AT + 1).to_bytes(8, "big") + cosigned[8:]
    with pytest.raises(NoteInvalid):
        W1.verifier.verify(TEXT, later)
    as_a_log = Verifier(W1.name, Algorithm.ED25519, W1.verifier.public_key)
    with pytest.raises(NoteInvalid):
        as_a_log.verify(TEXT, cosigned[8:])
    assert as_a_log.verify(f"cosignature/v1\ntime {SIGNED_AT}\n{TEXT}", cosigned[8:]) is None


def test_a_time_beyond_the_specification_is_refused() -> None:
    with pytest.raises(NoteInvalid, match="impossible time"):
        W1.verifier.verify(TEXT, b"\xff" * 8 + bytes(64))
    with pytest.raises(ValueError, match="not a valid time"):
        W1.cosign(TEXT, TIME_MAX + 1)


def test_a_key_signs_only_in_the_way_of_its_type() -> None:
    with pytest.raises(ValueError, match="witness's key"):
        W1.sign(TEXT)
    with pytest.raises(ValueError, match="log's key"):
        LOG.cosign(TEXT, SIGNED_AT)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(NoteInvalid, match=f"{length} bytes"):
        Verifier("name", Algorithm.ED25519, bytes(length))
    with pytest.raises(NoteInvalid, match=f"{length} bytes"):
        Signer("name", Algorithm.ED25519, bytes(length))
    assert not ed25519_verifies(bytes(length), b"", bytes(64))


# -- whose signatures count ----------------------------------------------------------------------


def test_unknown_signatures_are_ignored_and_stay_in_the_note() -> None:
    stranger = Signature("stranger.example", b"\1\2\3\4", b"anything")
    note = Note(TEXT, (stranger, LOG.sign(TEXT), W1.cosign(TEXT, SIGNED_AT)))
    assert verify_note(note, [W1.verifier, LOG.verifier, W2.verifier]) == (
        Verified(LOG.verifier, None),
        Verified(W1.verifier, SIGNED_AT),
    )
    assert parse_note(str(note).encode()) == note


def test_a_key_is_known_by_its_name_and_its_id_together() -> None:
    signature = LOG.sign(TEXT)
    note = Note(TEXT, (replace(signature, key_id=bytes(4)), replace(signature, name="another")))
    with pytest.raises(NoteInvalid, match=r"No trusted key signed .* another, example\.com/ledger"):
        verify_note(note, [LOG.verifier])


def test_one_wrong_signature_of_a_trusted_key_makes_the_note_invalid() -> None:
    wrong = replace(W1.cosign(TEXT, SIGNED_AT), signature=bytes(72))
    note = Note(TEXT, (LOG.sign(TEXT), wrong))
    with pytest.raises(NoteInvalid, match=r"w1\.example does not verify"):
        verify_note(note, [LOG.verifier, W1.verifier])
    assert verify_note(note, [LOG.verifier])


def test_no_key_is_trusted_by_default() -> None:
    with pytest.raises(NoteInvalid, match="No trusted key"):
        verify_note(Note(TEXT, (LOG.sign(TEXT),)), [])
    with pytest.raises(NoteInvalid, match="signed by nobody"):
        verify_note(Note(TEXT, ()), [LOG.verifier])


def test_two_trusted_keys_with_the_same_name_and_id_are_refused() -> None:
    twin = Verifier(LOG.name, Algorithm.ED25519, log_key(seed="2").verifier.public_key)
    object.__setattr__(twin, "key_id", LOG.verifier.key_id)
    with pytest.raises(NoteInvalid, match="Two trusted keys"):
        verify_note(Note(TEXT, (LOG.sign(TEXT),)), [LOG.verifier, twin])
    assert verify_note(Note(TEXT, (LOG.sign(TEXT),)), [LOG.verifier, LOG.verifier])


def test_trees_and_notes_do_not_import_the_cryptography_package() -> None:
    """Importing it takes longer than most commands take."""
    modules = "checkpoint, note, proofs, tiles, tree"
    script = (
        f"import sys; from ledger.merkle import {modules}; print('cryptography' in sys.modules)"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "False"
