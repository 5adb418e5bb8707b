"""A proof file: parsed strictly; it proves one entry at one index, under a given policy."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import EvidenceInvalid, NoteInvalid, PolicyInvalid, ProofInvalid
from ledger.merkle.policy import Policy, parse_policy, trusting
from ledger.merkle.proofs import inclusion_proof
from ledger.merkle.tlogproof import TlogProof, format_proof, parse_proof, verify_proof
from ledger.merkle.tree import leaf_hash
from tests.ledger.merkle.keys import LOG, ORIGIN, W1, log_key, signed
from tests.ledger.merkle.trees import mth, reading

ENTRIES = [f'{{"version":{index}}}'.encode() for index in range(40)]
LEAVES = [leaf_hash(entry) for entry in ENTRIES]
TRUSTING = trusting([LOG.verifier])


def proof_of(index: int, size: int, extra: bytes | None = None) -> TlogProof:
    checkpoint = Checkpoint(ORIGIN, size, mth(LEAVES[:size]))
    hashes = inclusion_proof(index, size, reading(LEAVES))
    return TlogProof(index, tuple(hashes), signed(checkpoint, W1), extra)


PROOF = proof_of(6, 9)
TEXT = format_proof(PROOF)

extras = st.none() | st.binary(max_size=40)


@given(data=st.data(), size=st.integers(1, len(ENTRIES)), extra=extras)
def test_the_proof_of_any_entry_can_be_parsed_and_verifies(
    data: st.DataObject, size: int, extra: bytes | None
) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = proof_of(index, size, extra)
    assert parse_proof(str(proof).encode()) == proof
    accepted = verify_proof(proof, ENTRIES[index], TRUSTING)
    assert (accepted.log, accepted.checkpoint.size) == (LOG.verifier, size)


def test_the_file_has_the_lines_of_the_specification() -> None:
    header, extra, index, *rest = format_proof(replace(PROOF, extra=b"extra")).split("\n")
    assert (header, extra, index) == ("c2sp.org/tlog-proof@v1", "extra ZXh0cmE=", "index 6")
    assert rest[len(PROOF.hashes) : len(PROOF.hashes) + 3] == ["", ORIGIN, "9"]


def test_a_proof_does_not_verify_for_another_entry() -> None:
    for entry in (*ENTRIES[:6], *ENTRIES[7:], ENTRIES[6] + b"\n", b""):
        with pytest.raises(ProofInvalid):
            verify_proof(PROOF, entry, TRUSTING)


def test_a_proof_does_not_verify_for_another_index() -> None:
    for index in (*range(6), *range(7, 12)):
        with pytest.raises(ProofInvalid):
            verify_proof(replace(PROOF, index=index), ENTRIES[6], TRUSTING)


def test_a_proof_does_not_verify_under_an_untrusted_checkpoint() -> None:
    with pytest.raises(NoteInvalid, match="No trusted key"):
        verify_proof(PROOF, ENTRIES[6], Policy())
    with pytest.raises(NoteInvalid, match="No trusted key"):
        verify_proof(PROOF, ENTRIES[6], trusting([log_key(seed="other").verifier]))


def test_the_quorum_of_the_policy_is_required() -> None:
    policy = f"log {LOG.verifier}\nwitness w {W1.verifier}\nquorum w\n".encode()
    assert verify_proof(PROOF, ENTRIES[6], parse_policy(policy)).cosignatures
    alone = replace(PROOF.checkpoint, signatures=PROOF.checkpoint.signatures[:1])
    with pytest.raises(PolicyInvalid, match="quorum"):
        verify_proof(replace(PROOF, checkpoint=alone), ENTRIES[6], parse_policy(policy))


@given(data=st.data())
def test_a_file_with_any_character_changed_is_refused_or_says_the_same(
    data: st.DataObject,
) -> None:
    """The part that may change: a signature by a key that is not trusted."""
    at = data.draw(st.integers(0, len(TEXT.encode()) - 1))
    other = data.draw(st.integers(0, 255))
    changed = bytearray(TEXT.encode())
    changed[at] = other
    try:
        proof = parse_proof(bytes(changed))
        verify_proof(proof, ENTRIES[6], TRUSTING)
    except EvidenceInvalid:
        return
    assert str(proof).encode() == changed
    same = replace(proof.checkpoint, signatures=proof.checkpoint.signatures[:1])
    assert replace(proof, checkpoint=same) == replace(
        PROOF, checkpoint=replace(PROOF.checkpoint, signatures=PROOF.checkpoint.signatures[:1])
    )


HEAD = "c2sp.org/tlog-proof@v1\n"
HASH = TEXT.split("\n")[2] + "\n"


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        (HEAD, "", "does not begin"),
        (HEAD, HEAD.upper(), "does not begin"),
        (HEAD, HEAD.replace("v1", "v2"), "does not begin"),
        (HEAD, HEAD.replace("\n", "\r\n"), "does not begin"),
        (HEAD, "\n" + HEAD, "does not begin"),
        (HEAD, HEAD.replace("tlog", "tlög"), "not ASCII"),
        ("index 6\n", "", "no index"),
        ("index 6", "index  6", "not a decimal"),
        ("index 6", "index 06", "not a decimal"),
        ("index 6", "index -6", "not a decimal"),
        ("index 6", "index ", "not a decimal"),
        ("index 6", "index", "no index"),
        ("index 6", "index 9223372036854775808", "not a decimal"),
        ("index 6", "Index 6", "no index"),
        ("index 6\n", "index 6\nextra AA==\n", "not base64"),
        ("index 6\n", "extra AA==\nextra AA==\nindex 6\n", "no index"),
        ("index 6\n", "extra A\nindex 6\n", "not base64"),
        ("index 6\n", "extra\nindex 6\n", "no index"),
        (HASH, HASH[4:], "does not have"),
        (HASH, " " + HASH, "not base64"),
        (HASH, HASH * 61, "64 hashes"),
        (HASH, "\n" + HASH, "does not verify"),
        ("\n\n", "\n", "no empty line|not base64"),
    ],
)
def test_a_malformed_proof_is_refused(was: str, becomes: str, message: str) -> None:
    assert was in TEXT
    with pytest.raises((ProofInvalid, NoteInvalid), match=message):
        verify_proof(parse_proof(TEXT.replace(was, becomes).encode()), ENTRIES[6], TRUSTING)


@pytest.mark.parametrize("garbage", ["\n", "x", "x\n", "\n\n", " "])
def test_a_proof_with_bytes_after_its_end_is_refused(garbage: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_proof((TEXT + garbage).encode())
