"""authledger log witness, and log verify --policy."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.log import http_post
from ledger.merkle.signing import Algorithm, Signer
from tests.cli.conftest import Cli
from tests.witness import NOW, Reply, Witness, serving

KEPT = Path("kept")
LOG = "example.com/authledger"


@pytest.fixture
def key(cli: Cli, config: Path) -> str:
    """A signed ledger; its verifier key."""
    assert config.exists()
    cli.authorize()
    return cli.done(f"log init --origin {LOG}").out.strip()


@pytest.fixture
def one(key: str) -> Iterator[Witness]:
    with serving(Witness("witness.example/one", key)) as witness:
        yield witness


@pytest.fixture
def two(key: str) -> Iterator[Witness]:
    with serving(Witness("witness.example/two", key)) as witness:
        yield witness


def policy(key: str, one: Witness, two: Witness | None = None, quorum: str = "all") -> None:
    lines = f"log {key}\n{one.policy_line('one')}"
    if two is not None:
        lines += two.policy_line("two") + f"group both {quorum} one two\nquorum both\n"
    else:
        lines += "quorum one\n"
    Path("policy").write_text(lines)


def grow(cli: Cli, region: str = "cn-east-3") -> None:
    cli.done(f"console login --region {region} --user bob")


def test_a_cosigned_checkpoint_is_a_pin_for_log_verify(
    cli: Cli, key: str, one: Witness, two: Witness
) -> None:
    policy(key, one, two)
    said = cli.done("log witness --policy policy -o kept")
    assert f"cosigned by {one.signer.name}, {two.signer.name}." in said.err
    assert KEPT.read_text().count("\n— ") == 3
    cli.done("log verify --policy policy --since kept")
    grow(cli)
    said = cli.done("log verify --policy policy --since kept")
    assert "Not checked: whether witnesses cosigned the entries after position" in said.err


def test_without_a_file_the_cosigned_checkpoint_is_printed(
    cli: Cli, key: str, one: Witness
) -> None:
    policy(key, one)
    said = cli.done("log witness --policy policy")
    assert said.out.startswith(cli.done("log checkpoint").out)
    assert said.out.endswith("\n")
    assert one.signer.name in said.lines[-1]


def test_a_witness_that_knows_an_older_one_gets_the_proof_from_there(
    cli: Cli, key: str, one: Witness
) -> None:
    policy(key, one)
    cli.done("log witness --policy policy -o kept")
    grow(cli)
    cli.done("log witness --policy policy -o kept")
    assert one.requests == 2, "the kept checkpoint says from which size"
    grow(cli)
    cli.done("log witness --policy policy")
    assert one.requests == 4, "without it, the witness says from which size"
    cli.done("log witness --policy policy -o kept")
    cli.done("log witness --policy policy -o kept")


def test_one_of_two_is_enough_where_the_policy_says_so(
    cli: Cli, key: str, one: Witness, two: Witness
) -> None:
    two.url = "http://127.0.0.1:9"  # Nobody listens there.
    policy(key, one, two, quorum="any")
    said = cli.done("log witness --policy policy -o kept")
    assert (
        "No cosignature from two: http://127.0.0.1:9/add-checkpoint cannot be reached" in said.err
    )
    cli.done("log verify --policy policy --since kept")
    policy(key, one, two, quorum="all")
    said = cli("log witness --policy policy -o other")
    assert said.code == 7
    assert "does not have the cosignatures that" in said.err
    assert not Path("other").exists()
    said = cli("log verify --policy policy --since kept")
    assert said.code == 6
    assert "kept does not have the cosignatures that" in said.err


# -- another history -----------------------------------------------------------------------------


def forked(cli: Cli, config: Path) -> None:
    """Replace the ledger by a fork, signed with the log's key after its record was deleted."""
    older = cli.folder / "older.db"
    with closing(sqlite3.connect(cli.ledger)) as db, closing(sqlite3.connect(older)) as copy:
        db.backup(copy)
    grow(cli, "cn-east-3")
    cli.done("log witness --policy policy -o kept")
    for each in cli.folder.glob("ledger.db*"):
        each.unlink()
    shutil.move(older, cli.ledger)
    next(config.rglob("last-checkpoint")).unlink()


@pytest.mark.parametrize("more", [0, 1, 3])
def test_a_fork_signed_with_the_stolen_key_is_not_cosigned(
    cli: Cli, key: str, one: Witness, config: Path, more: int
) -> None:
    policy(key, one)
    forked(cli, config)
    for _ in range(more):
        grow(cli, "af-south-1")
    if not more:
        cli.done("log checkpoint")
    cli.done("log verify")  # Everything in it agrees.
    said = cli("log witness --policy policy")
    assert said.code == 6
    assert f"The witness {one.signer.name} " in said.err
    said = cli("log verify --policy policy --since kept")
    assert said.code == 6
    assert "--since kept: " in said.out


# -- witnesses that misbehave --------------------------------------------------------------------


class Hostile(Witness):
    """Gives the answer that a test chose."""

    reply: Callable[[Witness, bytes], Reply]

    def answer(self, path: str, body: bytes) -> Reply:
        assert path.endswith("/add-checkpoint")
        return type(self).reply(self, body)


def _line(witness: Witness, text: str) -> bytes:
    return witness.signer.cosign(text, NOW).line().encode()


def _stranger(_: Witness, body: bytes) -> Reply:
    text = body.partition(b"\n\n")[2].decode().rpartition("\n\n")[0] + "\n"
    other = Signer("witness.example/hostile", Algorithm.COSIGNATURE, b"x" * 32)
    return 200, other.cosign(text, NOW).line().encode(), "text/plain"


REPLIES: dict[str, tuple[Callable[[Witness, bytes], Reply], str]] = {
    "nothing": (lambda *_: (200, b"", "text/plain"), "its answer is not a valid cosignature"),
    "garbage": (
        lambda *_: (200, b"\xff\x00garbage\n", "text/plain"),
        "its answer is not a valid cosignature",
    ),
    "too much": (lambda *_: (200, b"x" * 70_000, "text/plain"), "more than 65536 bytes"),
    "a signature over another text": (
        lambda w, _: (200, _line(w, "example.com/authledger\n1\n\n"), "text/plain"),
        "does not verify",
    ),
    "the signature of another key": (_stranger, "No trusted key signed"),
    "a size that is not a number": (
        lambda *_: (409, b"many\n", "text/x.tlog.size"),
        "without the size",
    ),
    "not found": (lambda *_: (404, b"unknown log\n", "text/plain"), "it answered 404: unknown log"),
    "an error": (lambda *_: (500, b"oops", "text/plain"), "it answered 500: oops"),
    "another place": (lambda w, _: (302, w.url.encode(), "text/plain"), "it answered 302"),
}


@pytest.mark.parametrize("reply", REPLIES)
def test_a_witness_is_not_believed_if_it_answers(
    cli: Cli, key: str, reply: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, saying = REPLIES[reply]
    monkeypatch.setattr(Hostile, "reply", staticmethod(answer), raising=False)
    with serving(Hostile("witness.example/hostile", key)) as hostile:
        policy(key, hostile)
        said = cli("log witness --policy policy -o kept")
    assert said.code == 7
    assert saying in said.err
    assert not KEPT.exists()


def test_a_witness_that_cosigned_more_entries_means_an_older_copy(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = (409, b"99999\n", "text/x.tlog.size")
    monkeypatch.setattr(Hostile, "reply", staticmethod(lambda *_: reply), raising=False)
    with serving(Hostile("witness.example/hostile", key)) as hostile:
        policy(key, hostile)
        said = cli("log witness --policy policy")
    assert said.code == 6
    assert "says that it cosigned 99999 entries" in said.err


def test_a_slow_witness_is_not_waited_for(
    cli: Cli, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_: object) -> Reply:
        time.sleep(0.6)
        return 200, b"", "text/plain"

    monkeypatch.setattr(Hostile, "reply", staticmethod(slow), raising=False)
    monkeypatch.setattr(http_post, "ANSWER_S_MAX", 0.2)
    with serving(Hostile("witness.example/hostile", key)) as hostile:
        policy(key, hostile)
        said = cli("log witness --policy policy")
    assert said.code == 7
    assert "cannot be reached: timed out" in said.err


# -- options and policies that are refused -------------------------------------------------------


def test_a_policy_that_requires_witnesses_needs_a_cosigned_checkpoint(
    cli: Cli, key: str, one: Witness
) -> None:
    policy(key, one)
    said = cli("log verify --policy policy")
    assert said.code == 2
    assert "give the checkpoint that they cosigned" in said.err
    KEPT.write_text(cli.done("log checkpoint").out)
    said = cli("log verify --policy policy --since kept")
    assert said.code == 6
    assert "does not have the cosignatures that" in said.err


@pytest.mark.parametrize(
    ("text", "code", "saying"),
    [(None, 4, "There is no policy"), ("log x\n", 2, "Line 1 of the policy")],
)
def test_a_policy_that_is_not_valid_is_refused(
    cli: Cli, key: str, text: str | None, code: int, saying: str
) -> None:
    assert key
    if text is not None:
        Path("policy").write_text(text)
    for words in ("witness --policy policy", "verify --policy policy --since kept"):
        said = cli(f"log {words}")
        assert said.code == code
        assert saying in said.err


def test_a_policy_and_a_key_are_not_given_together(cli: Cli, key: str, one: Witness) -> None:
    policy(key, one)
    assert cli(f"log verify --policy policy --key {key} --since kept").code == 2
