"""The exact words of verdicts: each says what is known, and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.errors import InvalidInput, VerificationFailed
from ledger.log.signer import LogSigner
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.note import parse_note
from ledger.merkle.policy import Policy
from ledger.merkle.signing import Algorithm, Signer, Verifier
from ledger.verification.verdict import Verdict, pinned, verifier_of, verify
from tests.ledger.scenario import BEIJING, grant, login
from tests.ledger.worlds import Place

ORIGIN = "example.com/authledger"
OTHER = Checkpoint("example.com/other", 2, bytes(32))
WITNESS = Signer("witness.example", Algorithm.COSIGNATURE, bytes(32)).verifier


@pytest.fixture
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


@pytest.fixture
def verifier(place: Place, keys: Path) -> Verifier:
    """A signed ledger of two entries; its verifier key."""
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.sign(signer)
        ledger.execute(login(BEIJING))
        return signer.key.verifier


def note_of(place: Place) -> str:
    with Ledger(place) as ledger:
        note = ledger.entries.checkpoint()
    assert note is not None
    return note


def said(verdict: Verdict) -> list[str]:
    return [str(each) for each in verdict.verification.findings]


FINDINGS: dict[str, tuple[Callable[[str, Place, Verifier], Verdict], list[str]]] = {
    "no checkpoint": (
        lambda _, place, key: verify(place, None, [key], pins={}),
        [
            (
                "checkpoint: the ledger stores no checkpoint: either its log was never signed "
                "(`authledger log init --origin NAME` begins that), or the checkpoint was deleted"
            )
        ],
    ),
    "no key": (
        lambda note, place, _: verify(place, note, [], pins={}),
        [
            (
                "key: no verifier key was given, so the signature of the checkpoint was not checked "
                "and anybody may have made it; give the key with --key"
            )
        ],
    ),
    "another key": (
        lambda note, place, _: verify(place, note, [WITNESS], pins={}),
        [
            "checkpoint: No trusted key signed the note; it is signed by example.com/authledger.",
        ],
    ),
    "a pin of another log": (
        lambda note, place, key: verify(place, note, [key], pins={"pin": OTHER}),
        [
            (
                "pin: this is a checkpoint of the log example.com/other, but the ledger is the log "
                "example.com/authledger"
            ),
        ],
    ),
    "a pin of another history": (
        lambda note, place, key: verify(
            place, note, [key], pins={"pin": Checkpoint(ORIGIN, 2, bytes(32))}
        ),
        [
            (
                "pin: the first 2 entries do not give the root of this checkpoint: some were altered, "
                "removed, inserted or moved, or another copy of the ledger went on"
            ),
        ],
    ),
    "a pin of more entries": (
        lambda note, place, key: verify(
            place, note, [key], pins={"pin": Checkpoint(ORIGIN, 99, bytes(32))}
        ),
        [
            (
                "pin: this checkpoint covers 99 entries, but the ledger has 2: entries were deleted, an "
                "older copy replaced the ledger, or another copy of it went on"
            )
        ],
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_each_finding_about_the_log_says_what_is_known(
    place: Place, verifier: Verifier, name: str
) -> None:
    make, expected = FINDINGS[name]
    verdict = make(note_of(place), place, verifier)
    assert said(verdict) == expected
    assert not verdict.verified
    assert (verdict.signed_by == ()) is (name in {"no checkpoint", "no key", "another key"})


def test_entries_that_no_checkpoint_covers_are_counted(place: Place, verifier: Verifier) -> None:
    note = note_of(place)
    with Ledger(place, log_keys=Path("nothing")) as unsigned:
        unsigned.execute(grant(BEIJING))
        last = unsigned.last_position()
    assert said(verify(place, note, [verifier], pins={})) == [
        (
            f"tail: the checkpoint covers 2 of {last} entries: deleting later ones would go "
            "unnoticed; `authledger log checkpoint` signs one that covers all"
        )
    ]


PINS = (
    "whether an older, genuine copy replaced this ledger, or somebody who has the private key "
    "signed another history: that takes a checkpoint that you kept (--since FILE)"
)
RECORD = "the signer's own record of its last checkpoint: it is not available"
ALWAYS = [
    (
        "the digests by which a repeated command or trace is compared with its first time (--digests "
        "checks those of traces, and takes several times as long)"
    ),
    "whether everything that happened in the cloud was recorded",
    "whether the clocks that the times come from were right",
    "the views, which are derived from the entries (`authledger projection rebuild` compares them)",
]


@pytest.mark.parametrize("has_record", [False, True])
@pytest.mark.parametrize("has_pin", [False, True])
def test_a_verdict_lists_exactly_what_was_not_checked(
    place: Place, verifier: Verifier, *, has_pin: bool, has_record: bool
) -> None:
    note = note_of(place)
    known = parse_checkpoint(parse_note(note.encode()).text)
    verdict = verify(
        place,
        note,
        [verifier],
        pins={"pin": known} if has_pin else {},
        record=known if has_record else None,
    )
    by = "--indexes" if isinstance(place, Path) else "pg_amcheck --heapallindexed"
    indexes = (
        "whether the indexes agree with their tables: a damaged index can hide entries from "
        f"queries ({by} checks that)"
    )
    assert verdict.verified
    assert verdict.signed_by == (verifier,)
    assert list(verdict.unchecked) == [
        *([] if has_pin else [PINS]),
        *([] if has_record else [RECORD]),
        indexes,
        *ALWAYS,
    ]


def test_indexes_that_were_checked_are_not_listed(path: Path) -> None:
    Ledger(path).close()
    assert not any(
        "indexes" in each for each in verify(path, None, [], pins={}, indexes=True).unchecked
    )


def test_a_pin_that_is_not_valid_says_how_to_give_an_older_key(
    place: Place, verifier: Verifier
) -> None:
    with pytest.raises(InvalidInput) as raised:
        pinned(note_of(place).encode(), "kept", [WITNESS])
    assert raised.value.message == (
        "kept is not a valid checkpoint under the keys given: No trusted key signed the note; it "
        "is signed by example.com/authledger."
    )
    assert raised.value.remedy == (
        "If the log's key was rotated since it was signed, give the older verifier key as well: "
        "--key OLD --key NEW."
    )
    assert verifier.name == ORIGIN


def test_a_pin_without_the_required_cosignatures_says_so(place: Place, verifier: Verifier) -> None:
    policy = Policy(logs=(verifier,), witnesses={"w": WITNESS}, quorum="w")
    with pytest.raises(VerificationFailed) as raised:
        pinned(note_of(place).encode(), "kept", [], policy)
    assert raised.value.message == (
        "kept does not have the cosignatures that the policy requires: The quorum 'w' is not "
        "reached: valid cosignatures are by nobody."
    )


def test_a_verifier_key_that_is_not_valid_says_which_form_it_has() -> None:
    with pytest.raises(InvalidInput) as raised:
        verifier_of("x")
    assert raised.value.message == (
        "'x' is not a valid verifier key: A key has the form NAME+KEYID+BASE64, where KEYID is 8 "
        "hexadecimal digits."
    )
