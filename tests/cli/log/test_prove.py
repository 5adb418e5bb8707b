"""authledger log prove, verify-proof and export."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def key(cli: Cli, config: Path) -> str:
    """A signed ledger; its verifier key."""
    assert config.exists()
    cli.authorize()
    return cli.done("log init --origin example.com/authledger").out.strip()


def test_a_proof_and_its_entry_verify_without_the_ledger(cli: Cli, key: str) -> None:
    cli.done("log prove 3 -o mine.tlog-proof")
    cli.lose()
    said = cli.done(f"log verify-proof mine.tlog-proof --key {key}")
    assert said.out.startswith("Verified: mine.entry is position 3 of example.com/authledger")
    assert "Not checked: the other entries of the log" in said.err


def test_a_proof_is_named_after_its_position_by_default(cli: Cli, key: str) -> None:
    cli.done("log prove 2")
    Path("elsewhere").mkdir()
    Path("2.entry").rename("elsewhere/it")
    cli.done(f"log verify-proof 2.tlog-proof --entry elsewhere/it --key {key}")


@pytest.mark.parametrize("name", [".", "folder", "mine.entry"])
def test_a_proof_cannot_have_the_name_of_its_entry_or_of_a_folder(
    cli: Cli, key: str, name: str
) -> None:
    Path("folder").mkdir()
    for said in (cli(f"log prove 2 -o {name}"), cli(f"log verify-proof {name} --key {key}")):
        assert said.code == 2
        assert "cannot hold a proof" in said.err
    assert not Path("mine.entry").exists()


def test_an_altered_entry_does_not_verify(cli: Cli, key: str) -> None:
    cli.done("log prove 2")
    with Path("2.entry").open("a") as file:
        file.write("\n")
    said = cli(f"log verify-proof 2.tlog-proof --key {key}")
    assert said.code == 6
    assert "does not prove 2.entry" in said.err


def test_a_proof_does_not_verify_under_another_key(cli: Cli, key: str) -> None:
    assert key
    cli.done("log prove 2")
    said = cli(
        "log verify-proof 2.tlog-proof --key "
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    assert said.code == 6
    assert "No trusted key signed" in said.err or "origin" in said.err


def test_a_consistency_proof_is_printed_in_base64(cli: Cli, key: str) -> None:
    assert key
    said = cli.done("log prove --consistency 2 5")
    assert all(len(line) == 44 for line in said.lines)
    assert said.lines


@pytest.mark.parametrize(
    ("words", "code", "saying"),
    [
        ("prove", 2, "Give either a position, or two sizes"),
        ("prove 1 --consistency 1 2", 2, "Give either a position, or two sizes"),
        ("prove 999", 4, "There is no position 999"),
        ("prove --consistency 5 2", 2, "has no consistency proof from 5 to 2"),
        ("verify-proof nothing.tlog-proof --key KEY", 4, "There is no file nothing.tlog-proof"),
    ],
)
def test_a_proof_that_does_not_exist_is_an_error(
    cli: Cli, key: str, words: str, code: int, saying: str
) -> None:
    said = cli(f"log {words.replace('KEY', key)}")
    assert said.code == code
    assert saying in said.err


def test_the_export_prints_the_sizes_before_and_after(cli: Cli, key: str) -> None:
    assert key
    (first,) = cli.done("log export site -o json").json
    cli.done("console login --region cn-east-3 --user bob")
    (second,) = cli.done("log export site -o json").json
    assert first["before"] == 0
    assert second["before"] == first["entries"] < second["entries"]
    assert Path("site/checkpoint").read_text() == cli.done("log checkpoint").out
