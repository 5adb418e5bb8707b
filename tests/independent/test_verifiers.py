"""Independent verifiers accept the ledger's proofs, and refuse them after any change.

conftest.py lists the verifiers. The end of the test run says which of them ran.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.log import prover as proofs
from ledger.log import static_export
from ledger.log.signer import LogSigner
from ledger.merkle.note import base64_text
from tests.independent.conftest import Verify, VerifyProofs
from tests.ledger.scenario import BEIJING, login
from tests.ledger.worlds import traces

ORIGIN = "example.com/authledger"


@dataclass
class Given:
    """A signed ledger, its verifier key, and the folder of its proofs."""

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
    """Logs of several sizes: one entry, about one full tile, and several tiles."""
    keys, folder = tmp_path / "keys", tmp_path / "given"
    folder.mkdir()
    path = tmp_path / "db" / "ledger.db"
    ledger = Ledger(path, log_keys=keys)
    ledger.observe(traces(request.param - 1)[: request.param // 2])
    while ledger.last_position() < request.param:
        ledger.execute(login(BEIJING))
    signer = LogSigner(keys, ORIGIN)
    signer.key.create(path)
    ledger.sign(signer)
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


def test_a_proof_with_a_changed_byte_is_refused(
    given: Given, verifier: Verify, request: pytest.FixtureRequest
) -> None:
    """At six places of each file; a shell starts many processes, so it takes three."""
    places = 3 if "shell" in request.node.callspec.id else 6
    position = given.ledger.last_position() * 2 // 3 + 1
    position = min(position, given.ledger.last_position())
    proof, entry = given.proof(position)
    for path in (proof, entry):
        whole = path.read_bytes()
        step = max(1, len(whole) // places)
        for at in range(position % step, len(whole) - 1, step):  # Other places at each size.
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert not verifier("record", given.vkey, proof, entry), (path.name, at)
        path.write_bytes(whole)
    assert verifier("record", given.vkey, proof, entry)


def test_a_proof_of_another_entry_is_refused(given: Given, verifier: Verify) -> None:
    given.ledger.execute(login(BEIJING))
    proof, _ = given.proof(1)
    _, other = given.proof(2)
    assert not verifier("record", given.vkey, proof, other)


def test_a_signature_of_another_key_is_refused(
    given: Given, verifier: Verify, tmp_path: Path
) -> None:
    other = LogSigner(tmp_path / "others", ORIGIN)
    other.key.create(tmp_path / "db" / "ledger.db")
    assert not verifier("record", str(other.key.verifier), *given.proof(1))


def test_go_accepts_a_consistency_proof(given: Given, go: Verify) -> None:
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
    static_export.export(given.ledger.entries, site)
    assert go("tiles", given.vkey, site)
    given.ledger.execute(login(BEIJING))
    static_export.export(given.ledger.entries, site)
    assert go("tiles", given.vkey, site)
    for path in [each for each in site.rglob("*") if each.is_file()]:
        whole = path.read_bytes()
        at = len(whole) // 2
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert not go("tiles", given.vkey, site), path
        path.write_bytes(whole)


# -- Merkle proofs alone -------------------------------------------------------------------------


def unpacked(proof: Path, entry: Path) -> dict[str, Any]:
    """The content of a .tlog-proof, parsed without any of our code."""
    head, checkpoint = proof.read_text().split("\n\n", 1)
    _, index, *hashes = head.split("\n")
    size, root = checkpoint.split("\n")[1:3]
    return {
        "entry": entry.read_bytes().hex(),
        "index": int(index.removeprefix("index ")),
        "size": int(size),
        "root": base64.b64decode(root).hex(),
        "hashes": [base64.b64decode(each).hex() for each in hashes],
    }


def altered(given: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The proof with one byte changed, one hash removed, or one hash added."""

    def flipped(hex_text: str, at: int) -> str:
        data = bytearray.fromhex(hex_text)
        data[at] ^= 1
        return data.hex()

    for name in {"entry", "root", "new_root"} & given.keys():
        for at in (0, len(given[name]) // 4, -1):
            yield given | {name: flipped(given[name], at)}
    hashes = given["hashes"]
    for place, each in enumerate(hashes):
        for at in (0, 15, -1):
            other = [*hashes[:place], flipped(each, at), *hashes[place + 1 :]]
            yield given | {"hashes": other}
        yield given | {"hashes": hashes[:place] + hashes[place + 1 :]}
    if hashes:
        yield given | {"hashes": [*hashes, hashes[-1]]}


@pytest.fixture(params=["sigstore", "npm"])
def prover(request: pytest.FixtureRequest) -> VerifyProofs:
    found: VerifyProofs = request.getfixturevalue(request.param)
    return found


def test_an_inclusion_proof_is_accepted_and_an_altered_one_is_refused(
    given: Given, prover: VerifyProofs
) -> None:
    last = given.ledger.last_position()
    good = [unpacked(*given.proof(position)) for position in {1, last * 2 // 3 or 1, last}]
    assert prover(good) == [True] * len(good)
    bad = [other for each in good for other in altered(each)]
    if last > 1:
        bad += [each | {"index": each["index"] ^ 1} for each in good]
    assert prover(bad) == [False] * len(bad)


def test_npm_accepts_a_consistency_proof(given: Given, npm: VerifyProofs) -> None:
    old, before = given.checkpoint(), given.ledger.last_position()
    given.ledger.execute(login(BEIJING))
    given.ledger.execute(login("another"))
    new, after = given.checkpoint(), given.ledger.last_position()
    roots = [base64.b64decode(each.read_text().split("\n")[2]).hex() for each in (old, new)]
    hashes = [each.hex() for each in proofs.consistency(given.ledger.entries, before, after)]
    if before & (before - 1) == 0:
        # This verifier wants the first root as the first hash, which RFC 9162 permits.
        hashes = [roots[0], *hashes]
    proof = {
        "size": before,
        "root": roots[0],
        "new_size": after,
        "new_root": roots[1],
        "hashes": hashes,
    }
    bad = list(altered(proof))
    assert npm([proof, *bad]) == [True, *[False] * len(bad)]
