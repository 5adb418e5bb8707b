"""Limits: the longest is taken, one more is not. The numbers are repeated here on purpose.

A test that takes a limit from the code would follow any change of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import pytest
from pydantic import TypeAdapter, ValidationError

from ledger import values
from ledger.account.impact import as_many_as_fit, total
from ledger.errors import InvalidInput
from ledger.execution.request import Actor, check_texts
from ledger.merkle.checkpoint import Checkpoint, decimal
from ledger.merkle.invalid import EvidenceInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.policy import parse_policy
from ledger.merkle.signing import Algorithm, Signer, Verifier
from ledger.merkle.tiles import encode_bundle, entries_path, tile_path
from ledger.merkle.tlogproof import format_proof, parse_proof
from ledger.sources.trust_policy import trustee
from tests.ledger.merkle.keys import LOG, W1
from tests.ledger.merkle.test_tlogproof import PROOF

REFUSALS: Final = (ValidationError, InvalidInput, EvidenceInvalid, ValueError)
SIGNATURE: Final = LOG.sign("text\n").line()


def refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except REFUSALS:
        return True
    return False


def word(kind: Any) -> Callable[[int], bool]:
    adapter = TypeAdapter(kind)
    return lambda length: not refused(lambda: adapter.validate_python("x" * length))


def cosigned_at(second: int) -> bool:
    """Whether a cosignature of that second can be made."""
    return not refused(lambda: W1.cosign("text\n", second))


def verified_at(second: int) -> bool:
    """Whether another program's cosignature of that second is verified."""
    message = f"cosignature/v1\ntime {second}\ntext\n".encode()
    signature = second.to_bytes(8, "big") + W1._private_key.sign(message)
    return not refused(lambda: W1.verifier.verify("text\n", signature))


def trusted(length: int) -> bool:
    """Whether the names of all principals are kept, which make a line of that length."""
    names = ["a" * (length - 5), "bcd"]
    policy = {"Statement": {"Effect": "Allow", "Principal": {"AWS": names}}}
    return trustee(json.dumps(policy)) == ", ".join(names)


def note_of(length: int) -> bytes:
    end = f"\n\n{SIGNATURE}".encode()
    return b"x" * (length - len(end)) + end


def proof_of(hashes: int) -> bytes:
    return format_proof(replace(PROOF, hashes=(bytes(32),) * hashes)).encode()


def policy_of(length: int) -> bytes:
    text = f"log {LOG.verifier}\nquorum none\n#"
    return f"{text}{'x' * (length - len(text) - 1)}\n".encode()


TAKEN: Final[dict[str, tuple[int, Callable[[int], bool]]]] = {
    # Names, in characters.
    "a provider": (32, word(values.Provider)),
    "an account": (64, word(values.AccountId)),
    "a region": (128, word(values.Region)),
    "one region": (128, word(values.OneRegion)),
    "a service": (128, word(values.ServiceCode)),
    "a feature": (64, word(values.FeatureName)),
    "an agency": (128, word(values.AgencyName)),
    "a policy": (512, word(values.PolicyName)),
    "a trustee": (2_048, word(values.Trustee)),
    "a command id": (128, word(values.CommandId)),
    "a reason": (1_024, word(values.Line)),
    "an actor": (1_024, lambda length: not refused(lambda: Actor("x" * length))),
    # The room in an entry.
    "an impact, in bytes with the signs around it": (
        15_000,
        lambda size: as_many_as_fit(("x" * (size - 3),)) != (),
    ),
    "an impact of several, in characters of two bytes": (
        7_497,
        lambda length: as_many_as_fit(("é", "é" * (length - 1))) == ("é", "é" * (length - 1)),
    ),
    "the names of those whom a trust policy trusts": (2_000, trusted),
    # The log.
    "the level of a tile": (63, lambda level: not refused(lambda: tile_path(level, 0))),
    "the width of a tile": (256, lambda width: not refused(lambda: entries_path(0, width))),
    "an entry of a bundle": (65_535, lambda n: not refused(lambda: encode_bundle([b"x" * n]))),
    "the entries of a bundle": (256, lambda n: not refused(lambda: encode_bundle([b""] * n))),
    "the time of a cosignature that is made": (2**63 - 1, cosigned_at),
    "the time of a cosignature that is verified": (2**63 - 1, verified_at),
    "the bytes of a seed": (
        32,
        lambda n: not refused(lambda: Signer("log", Algorithm.ED25519, bytes(n))),
    ),
    "the bytes of a public key": (
        32,
        lambda n: not refused(lambda: Verifier("log", Algorithm.ED25519, bytes(n))),
    ),
    "a note": (1_000_000, lambda n: not refused(lambda: parse_note(note_of(n)))),
    "the signatures of a note": (
        100,
        lambda n: not refused(lambda: parse_note(f"text\n\n{SIGNATURE * n}".encode())),
    ),
    "the size of a log": (
        2**63 - 1,
        lambda size: not refused(lambda: Checkpoint("log", size, bytes(32))),
    ),
    "the number of a checkpoint": (
        2**63 - 1,
        lambda number: not refused(lambda: decimal(str(number), "The size")),
    ),
    "the hashes of a proof": (63, lambda n: not refused(lambda: parse_proof(proof_of(n)))),
    "a policy file": (1_000_000, lambda n: not refused(lambda: parse_policy(policy_of(n)))),
}
"""By what is limited: the limit, and whether one of that size is taken."""


SHORTEST: Final = {
    "an actor": 1,
    "a reason": 1,
    "the level of a tile": 0,
    "the width of a tile": 1,
    "the time of a cosignature that is made": 0,
    "the number of a checkpoint": 0,
}
"""By what is limited at both ends: the lower limit."""


@pytest.mark.parametrize("what", TAKEN)
def test_the_longest_is_taken_and_one_more_is_not(what: str) -> None:
    limit, is_taken = TAKEN[what]
    assert is_taken(limit)
    assert not is_taken(limit + 1)


@pytest.mark.parametrize("what", SHORTEST)
def test_the_shortest_is_taken_and_one_less_is_not(what: str) -> None:
    limit, is_taken = SHORTEST[what], TAKEN[what][1]
    assert is_taken(limit)
    assert not is_taken(limit - 1)


@pytest.mark.parametrize(
    ("name", "limit"), [("command_id", 128), ("correlation_id", 1_024), ("reason", 1_024)]
)
def test_a_text_that_is_too_long_is_refused_with_the_longest_length(name: str, limit: int) -> None:
    check_texts(**{name: "x" * limit})
    with pytest.raises(InvalidInput) as refusal:
        check_texts(**{name: "x" * (limit + 1)})
    assert refusal.value.remedy == f"Write one line of 1 to {limit} characters."


def test_an_impact_without_room_in_the_entry_is_counted() -> None:
    """An impact of which all fits needs no number: it can be counted."""
    fits = ("x" * 7_497, "x" * 7_497)
    assert (as_many_as_fit(fits), total(fits)) == (fits, None)
    more = (*fits, "y")
    assert (as_many_as_fit(more), total(more)) == (fits, 3)
    assert (as_many_as_fit(()), total(())) == ((), None)
