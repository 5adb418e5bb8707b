"""The policy: parsed strictly, and satisfied only by enough of the right signatures."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import NoteInvalid, PolicyInvalid
from ledger.merkle.note import Note
from ledger.merkle.policy import POLICY_BYTES_MAX, Group, Policy, parse_policy, trusting
from ledger.merkle.signing import Algorithm, Verified, Verifier
from tests.ledger.merkle.keys import (
    LOG,
    ORIGIN,
    SIGNED_AT,
    W1,
    W2,
    W3,
    log_key,
    signed,
    witness_key,
)

CHECKPOINT = Checkpoint(ORIGIN, 5, bytes(range(32)))

# The shape of the specification's example: two levels of groups.
X = [witness_key(f"x{number}.example") for number in (1, 2, 3)]
Y = [witness_key(f"y{number}.example") for number in (1, 2, 3)]
EXAMPLE = f"""\
log {LOG.verifier}

witness X1 {X[0].verifier}
witness X2 {X[1].verifier}
witness X3 {X[2].verifier}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y[0].verifier}
witness Y2 {Y[1].verifier}
witness Y3 {Y[2].verifier}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""
SMALL = f"""\
log {LOG.verifier}
witness a {W1.verifier}
witness b {W2.verifier}
group g any a b
quorum g
"""


def policy(text: str) -> Policy:
    return parse_policy(text.encode(errors="surrogateescape"))


# -- the text ------------------------------------------------------------------------------------


def test_a_policy_is_read() -> None:
    assert policy(SMALL) == Policy(
        logs=(LOG.verifier,),
        witnesses={"a": W1.verifier, "b": W2.verifier},
        groups={"g": Group(1, ("a", "b"))},
        quorum="g",
    )


def test_a_policy_may_have_blanks_comments_and_addresses() -> None:
    read = policy(
        f" \t# Logs and witnesses of ours: «é»\n\n\tlog  {LOG.verifier}\thttps://log.example/ \n"
        f"witness a {W1.verifier} https://w1.example\n#quorum none\nquorum\ta\n"
    )
    assert read.urls == {LOG.verifier: "https://log.example/", W1.verifier: "https://w1.example"}
    assert (read.logs, read.quorum) == ((LOG.verifier,), "a")


def test_names_may_be_any_bytes() -> None:
    read = parse_policy(
        f"witness \N{KELVIN SIGN} {W1.verifier}\nwitness K {W2.verifier}\n".encode()
        + f"witness \xff {W3.verifier}\nquorum \xff\n".encode("latin-1")
    )
    assert len(read.witnesses) == 3
    assert read.satisfied_by({W3.verifier})
    assert not read.satisfied_by({W1.verifier, W2.verifier})


def test_32_logs_witnesses_and_groups_are_read() -> None:
    numbers = range(32)
    logs = [f"log {log_key(f'log{n}').verifier}\n" for n in numbers]
    witnesses = [f"witness w{n} {witness_key(f'w{n}').verifier}\n" for n in numbers]
    groups = ["group g0 all w0\n", *(f"group g{n} all w{n} g{n - 1}\n" for n in numbers[1:])]
    read = policy("".join([*logs, *witnesses, *groups, "quorum g31\n"]))
    assert [len(each) for each in (read.logs, read.witnesses, read.groups)] == [32, 32, 32]
    everyone = set(read.witnesses.values())
    assert read.satisfied_by(everyone)
    assert not any(read.satisfied_by(everyone - {each}) for each in everyone)


A, B = f"witness a {W1.verifier}\n", f"witness b {W2.verifier}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no line end"),
        (SMALL[:-1], "may be cut off"),
        (SMALL.replace("\n", "\r\n"), "control character"),
        (SMALL + "#\x7f\n", "control character"),
        (SMALL.replace("quorum g\n", ""), "no quorum line"),
        (SMALL + "quorum g\n", "Line 6 .* a quorum line already"),
        (A + "quorum c\n", "Line 2 .* no earlier line defines 'c'"),
        ("quorum a\n" + A, "Line 1 .* no earlier line"),
        ("quorum none extra\n", "expected log VKEY"),
        ("quorum\n", "expected log VKEY"),
        ("Quorum none\n", "expected log VKEY"),
        ("trust me\n", "expected log VKEY"),
        (f"log {LOG.verifier} url more\n", "expected log VKEY"),
        ("log\n", "expected log VKEY"),
        (f"log {W1.verifier}\n", "type is 04, not 01"),
        (f"log {LOG.verifier}\nlog {LOG.verifier}\n", "same public key"),
        (f"log {str(LOG.verifier)[:-4]}\n", "has 30 bytes|has 29 bytes|not base64"),
        (f"witness a {LOG.verifier}\n", "type is 01, not 04"),
        (f"witness {W1.verifier}\n", "expected log VKEY"),
        (f"witness none {W1.verifier}\n", "'none' is used already"),
        (A + f"witness a {W2.verifier}\n", "'a' is used already"),
        (A + f"witness b {W1.verifier}\n", "same public key"),
        (A + B + "group a any b\n", "'a' is used already"),
        (A + "group none any a\n", "'none' is used already"),
        (A + "group g any\n", "expected log VKEY"),
        (A + "group g any none\n", "no earlier line defines 'none'"),
        (A + "group g any g\n", "no earlier line defines 'g'"),
        (A + B + "group g any a a\n", "would count twice"),
        (A + B + "group g any a b\ngroup h any a\n", "would count twice"),
        (A + B + "group g 0 a b\n", "not all, any, or a number from 1 to 2"),
        (A + B + "group g 3 a b\n", "not all, any, or a number"),
        (A + B + "group g 01 a b\n", "not all, any, or a number"),
        (A + B + "group g -1 a b\n", "not all, any, or a number"),
        (A + B + "group g most a b\n", "not all, any, or a number"),
        ("#" * POLICY_BYTES_MAX + "\n", "are read"),
    ],
)
def test_a_malformed_policy_is_refused(text: str, message: str) -> None:
    with pytest.raises(PolicyInvalid, match=message):
        policy(text)


def test_one_key_under_two_names_is_one_witness() -> None:
    twin = Verifier("another.example", Algorithm.COSIGNATURE, W1.verifier.public_key)
    with pytest.raises(PolicyInvalid, match="same public key"):
        policy(A + f"witness b {twin}\nquorum a\n")


def test_a_log_that_rotates_its_key_may_have_two() -> None:
    new = log_key(seed="new")
    read = policy(f"log {LOG.verifier}\nlog {new.verifier}\nquorum none\n")
    for signer in (LOG, new):
        assert read.accept(signed(CHECKPOINT, log=signer)).log == signer.verifier


# -- the quorum ----------------------------------------------------------------------------------


def test_the_examples_quorum_needs_two_of_one_group_and_one_of_the_other() -> None:
    read = policy(EXAMPLE)
    everyone = [each.verifier for each in (*X, *Y)]
    for count in range(7):
        for cosigners in combinations(everyone, count):
            xs, ys = (
                sum(each in cosigners for each in half) for half in (everyone[:3], everyone[3:])
            )
            assert read.satisfied_by(cosigners) == (xs >= 2 and ys >= 1)


def test_a_single_witness_may_be_the_quorum() -> None:
    read = policy(A + B + "quorum b\n")
    assert read.satisfied_by([W2.verifier])
    assert not read.satisfied_by([W1.verifier])


def test_quorum_none_requires_no_witness() -> None:
    assert policy("quorum none\n").satisfied_by([])


# -- checkpoints ---------------------------------------------------------------------------------


def test_a_checkpoint_with_enough_cosignatures_is_accepted() -> None:
    accepted = policy(SMALL).accept(signed(CHECKPOINT, W3, W2))
    assert (accepted.checkpoint, accepted.log) == (CHECKPOINT, LOG.verifier)
    assert accepted.cosignatures == (Verified(W2.verifier, SIGNED_AT),)


def test_a_checkpoint_with_too_few_cosignatures_is_refused() -> None:
    with pytest.raises(PolicyInvalid, match=r"quorum 'g' is not reached: .* nobody"):
        policy(SMALL).accept(signed(CHECKPOINT, W3))


def test_a_witness_that_signs_twice_counts_once() -> None:
    read = policy(A + B + f"log {LOG.verifier}\ngroup g all a b\nquorum g\n")
    with pytest.raises(PolicyInvalid, match=r"w1\.example, w1\.example"):
        read.accept(signed(CHECKPOINT, W1, W1))


def test_a_checkpoint_with_cosignatures_alone_is_refused() -> None:
    note = signed(CHECKPOINT, W1)
    with pytest.raises(NoteInvalid, match="No trusted key of the log"):
        policy(SMALL).accept(Note(note.text, note.signatures[1:]))


def test_a_log_cannot_sign_the_checkpoint_of_another() -> None:
    other = log_key("example.com/other")
    read = trusting([LOG.verifier, other.verifier])
    with pytest.raises(NoteInvalid, match=f"No trusted key of the log '{ORIGIN}'"):
        read.accept(signed(CHECKPOINT, log=other))
    own = signed(replace(CHECKPOINT, origin=other.name), log=other)
    assert read.accept(own).log == other.verifier


def test_a_signed_text_that_is_not_a_checkpoint_is_refused() -> None:
    with pytest.raises(NoteInvalid, match="at least three lines"):
        trusting([LOG.verifier]).accept(Note("text\n", (LOG.sign("text\n"),)))
