"""The independent verifiers, and a summary of those that ran.

Go's own implementation of transparency logs, `golang.org/x/mod/sumdb` (Debian: golang-go and
golang-golang-x-mod-dev); bash with openssl, sha256sum and coreutils; the Merkle proofs of
sigstore-python; npm's `@transmute/rfc9162`, pinned by the package-lock.json in this folder. If
one is not installed, its tests are skipped with the reason; if CI is set, they fail.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

HERE = Path(__file__).parent
GOPATH = Path("/usr/share/gocode")

Verify = Callable[..., bool]
"""Called with a kind and arguments; returns whether the verifier accepted."""
VerifyProofs = Callable[[list[dict[str, Any]]], list[bool]]
"""Called with Merkle proofs in the format of verify.js; returns which of them were accepted."""

_ran: dict[str, str] = {}
"""By verifier: its version, or why it did not run."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _ran:
        said = "; ".join(f"{name}: {state}" for name, state in sorted(_ran.items()))
        terminalreporter.write_line(f"Independent verifiers: {said}")


def missing(name: str, reason: str) -> None:
    """Skip the test; in CI, which must have all verifiers, fail it."""
    _ran[name] = f"did not run, {reason}"
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI needs it")
    pytest.skip(reason)


def _said(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, check=False, text=True)
    return (done.stdout or done.stderr).strip().splitlines()[0]


def _accepted(words: list[object]) -> bool:
    done = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == b"verified"


@pytest.fixture(scope="session")
def go(tmp_path_factory: pytest.TempPathFactory) -> Verify:
    """Go's sumdb, called by a small program."""
    if shutil.which("go") is None or not (GOPATH / "src/golang.org/x/mod/sumdb").exists():
        missing("Go", "Go's sumdb is not installed: apt install golang-go golang-golang-x-mod-dev")
    folder = tmp_path_factory.mktemp("go")
    where = {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOCACHE": str(folder / "cache")}
    program = folder / "verify"
    subprocess.run(
        ["go", "build", "-o", program, HERE / "verify.go"],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)} | where,
    )
    _ran["Go"] = _said("go", "version").removeprefix("go version ")
    return lambda *words: _accepted([program, *words])


@pytest.fixture(scope="session")
def shell() -> Verify:
    """Openssl and sha256sum."""
    for program in ("bash", "openssl", "sha256sum", "od"):
        if shutil.which(program) is None:
            missing("openssl", f"{program} is not installed")
    _ran["openssl"] = _said("openssl", "version").removeprefix("OpenSSL ")
    return lambda *words: _accepted(["bash", HERE / "verify.sh", *words[1:]])


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> VerifyProofs:
    """@transmute/rfc9162, installed from the registry as pinned by the lock."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            missing("npm", f"{program} is not installed")
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--cache", str(folder / "cache")]
    done = subprocess.run(
        ["npm", "ci", *quiet], cwd=folder, capture_output=True, check=False, text=True
    )
    if done.returncode:
        missing("npm", f"`npm ci` failed: {done.stderr.strip().splitlines()[-1:]}")
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    installed = packages["node_modules/@transmute/rfc9162"]["version"]
    _ran["npm"] = f"@transmute/rfc9162 {installed}, node {_said('node', '--version')}"

    def verify(given: list[dict[str, Any]]) -> list[bool]:
        answered = subprocess.run(
            ["node", HERE / "verify.js"],
            cwd=folder,
            input=json.dumps(given).encode(),
            capture_output=True,
            check=True,
        )
        answers: list[bool] = json.loads(answered.stdout)
        return answers

    return verify


@pytest.fixture(scope="session")
def sigstore() -> VerifyProofs:
    """The Merkle proofs of sigstore-python, which does not check consistency proofs."""
    try:
        merkle = import_module("sigstore._internal.merkle")
    except ImportError as error:
        missing("sigstore", f"sigstore-python is not installed ({error})")
        raise
    _ran["sigstore"] = f"sigstore-python {version('sigstore')}"

    def accepts(given: dict[str, Any]) -> bool:
        proof = SimpleNamespace(
            log_index=given["index"],
            tree_size=given["size"],
            root_hash=bytes.fromhex(given["root"]),
            hashes=[bytes.fromhex(each) for each in given["hashes"]],
        )
        body = bytes.fromhex(given["entry"])
        inner = SimpleNamespace(inclusion_proof=proof, canonicalized_body=body)
        try:
            merkle.verify_merkle_inclusion(SimpleNamespace(_inner=inner))
        except merkle.VerificationError:
            return False
        return True

    return lambda given: list(map(accepts, given))
