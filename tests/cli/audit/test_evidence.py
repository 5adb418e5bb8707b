"""authledger audit evidence and verify-evidence: an answer that is checked without the ledger."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli.reading import catch_up
from ledger.log.prover import signed_checkpoint
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.note import Note
from ledger.persistence.recorder import Recorder
from projections.views import Views
from tests.cli.audit.bundle_file import (
    BUNDLE,
    GRANTED,
    NONE,
    STRANGER,
    flipped,
    parts,
)
from tests.cli.conftest import ACCOUNT, Cli
from tests.ledger.children import appender


def test_an_answer_is_checked_without_the_ledger(cli: Cli, key: str) -> None:
    cli.done(f'audit evidence "{GRANTED}"')
    cli.lose()
    said = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json")
    assert {row["agency"] for row in said.json} == {"asm_admin_trust"}
    assert {row["status"] for row in said.json} == {"granted"}
    assert "whether other entries change the answer" in said.err
    assert "entries.jsonl" not in parts()


def test_evidence_about_a_region_includes_what_holds_in_all_regions(cli: Cli, key: str) -> None:
    trace = {
        "time": 1770000001000,
        "trace_name": "updateAgencyInheritedGrants",
        "trace_rating": "normal",
        "service_type": "IAM",
        "resource_type": "agency",
        "resource_name": "copier",
        "domain_id": ACCOUNT,
        "trace_id": "inherited-1",
        "code": "200",
        "request": {"roles": [{"id": "r7", "display_name": "Tenant Guest"}]},
    }
    Path("t.json").write_text(json.dumps({"traces": [trace]}))
    cli.done("import cts t.json")
    cli.done("audit evidence 'regions region=eu-de agency=copier'")
    cli.lose()
    [row] = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json").json
    assert (row["region"], row["policy"], row["status"]) == ("*", "Tenant Guest", "granted")


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


@pytest.mark.parametrize("asked", ["", "--known-at now"])
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
