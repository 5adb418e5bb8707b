"""What the ledger gives away is accepted by verifiers that we did not write, and refused altered.

Go's own implementation of transparency logs, `golang.org/x/mod/sumdb` (Debian: golang-go and
golang-golang-x-mod-dev); and bash with openssl, sha256sum and coreutils. Where one is not installed
its tests are skipped and say so; where CI is set, they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import proofs
from ledger.application import Ledger
from ledger.merkle.note import base64_text
from ledger.signer import LogSigner
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import traces

HERE = Path(__file__).parent
GOPATH = Path("/usr/share/gocode")
ORIGIN = "example.com/authledger"

Verify = Callable[..., bool]
"""Called with a kind and arguments; whether the verifier accepted."""


def missing(what: str) -> None:
    """Nobody needs other people's verifiers but CI, which must have them."""
    if os.environ.get("CI"):
        pytest.fail(f"{what}, and CI must not go without")
    pytest.skip(what)


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """Go's sumdb, behind a program of a few lines."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb").exists():
        missing("Go's sumdb is not installed: apt install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    where = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache")}
    program = folder / "verify"
    subprocess.run(
        ["go", "build", "-o", program, HERE / "verify.go"],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)} | where,
    )
    return lambda *words: _accepted([program, *words])


@pytest.fixture(scope="session")
def shell() -> Verify:
    """Openssl and sha256sum."""
    for program in ("bash", "openssl", "sha256sum", "od"):
        if shutil.which(program) is None:
            missing(f"{program} is not installed")
    return lambda *words: _accepted(["bash", HERE / "verify.sh", *words[1:]])


def _accepted(words: list[object]) -> bool:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == b"verified"


@dataclass
class Given:
    """A signed ledger, what it gave away, and its verifier key."""

    ledger: Ledger
    vkey: str
    folder: Path

    def proof(self, position: int) -> tuple[Path, Path]:
        proof, entry = self.folder / f"{position}.tlog-proof", self.folder / f"{position}.entry"
        proof.write_text(str(proofs.inclusion(self.ledger.entries, position)))
        entry.write_text(self.ledger.entry_text(position))
        return proof, entry

    def checkpoint(self) -> Path:
        note = self.ledger.entries.checkpoint()
        assert note is not None
        path = self.folder / f"checkpoint-{self.ledger.last_position()}"
        path.write_text(note)
        return path


@pytest.fixture(params=[1, 255, 256, 257, 700])
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Given]:
    """Logs of some sizes: a single entry, about a full tile, and some tiles."""
    keys, folder = tmp_path / "keys", tmp_path / "given"
    folder.mkdir()
    path = tmp_path / "db" / "ledger.db"
    ledger = Ledger(path, log_keys=keys)
    ledger.observe(traces(request.param - 1)[: request.param // 2])
    while ledger.last_position() < request.param:
        ledger.execute(login(BEIJING))
    signer = LogSigner(keys, ORIGIN)
    signer.key.create(path)
    ledger.entries.sign(signer)
    yield Given(ledger, str(signer.key.verifier), folder)
    ledger.close()


@pytest.fixture(params=["go", "shell"])
def verifier(request: pytest.FixtureRequest) -> Verify:
    found: Verify = request.getfixturevalue(request.param)
    return found


def test_inclusion_and_signature_are_accepted(given: Given, verifier: Verify) -> None:
    last = given.ledger.last_position()
    for position in {1, 2, last // 2, last // 3, last - 1, last} & set(range(1, last + 1)):
        assert verifier("record", given.vkey, *given.proof(position)), position


def test_nothing_is_accepted_with_a_byte_changed(given: Given, verifier: Verify) -> None:
    position = given.ledger.last_position() * 2 // 3 + 1
    position = min(position, given.ledger.last_position())
    proof, entry = given.proof(position)
    for path in (proof, entry):
        whole = path.read_bytes()
        step = max(1, len(whole) // 12)
        for at in range(0, len(whole) - 1, step):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert not verifier("record", given.vkey, proof, entry), (path.name, at)
        path.write_bytes(whole)
    assert verifier("record", given.vkey, proof, entry)


def test_another_entry_is_not_accepted(given: Given, verifier: Verify) -> None:
    given.ledger.execute(login(BEIJING))
    proof, _ = given.proof(1)
    _, other = given.proof(2)
    assert not verifier("record", given.vkey, proof, other)


def test_another_key_is_not_accepted(given: Given, verifier: Verify, tmp_path: Path) -> None:
    other = LogSigner(tmp_path / "others", ORIGIN)
    other.key.create(tmp_path / "db" / "ledger.db")
    assert not verifier("record", str(other.key.verifier), *given.proof(1))


def test_go_accepts_that_the_log_only_grew(given: Given, go: Verify) -> None:
    old, before = given.checkpoint(), given.ledger.last_position()
    given.ledger.execute(login(BEIJING))
    given.ledger.execute(login("another"))
    new, after = given.checkpoint(), given.ledger.last_position()
    hashes = [base64_text(h) for h in proofs.consistency(given.ledger.entries, before, after)]
    assert go("tree", given.vkey, old, new, *hashes)
    for index, each in enumerate(hashes):
        changed = ("B" if each[0] == "A" else "A") + each[1:]
        assert not go("tree", given.vkey, old, new, *hashes[:index], changed, *hashes[index + 1 :])
        assert not go("tree", given.vkey, old, new, *hashes[:index], *hashes[index + 1 :])


def test_go_reads_the_exported_log_leaf_by_leaf(given: Given, go: Verify) -> None:
    site = given.folder / "site"
    proofs.export(given.ledger.entries, site)
    assert go("tiles", given.vkey, site)
    given.ledger.execute(login(BEIJING))
    proofs.export(given.ledger.entries, site)
    assert go("tiles", given.vkey, site)
    for path in [each for each in site.rglob("*") if each.is_file()]:
        whole = path.read_bytes()
        at = len(whole) // 2
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not go("tiles", given.vkey, site), path
        path.write_bytes(whole)
