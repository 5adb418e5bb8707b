"""authledger log timestamp, with openssl as the timestamp authority."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.serving import Reply, serving

CONFIGURATION = """
[tsa]
default_tsa = own
[own]
serial = serial
signer_cert = tsa.pem
certs = ca.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[use]
extendedKeyUsage = critical,timeStamping
"""


class Authority:
    """A root, a timestamp certificate under it, and `openssl ts` behind HTTP."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.status = 200
        (folder / "tsa.cnf").write_text(CONFIGURATION)
        (folder / "serial").write_text("01\n")
        self.openssl(
            "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=root"
        )
        self.openssl("req -new -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=tsa")
        self.openssl(
            "x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -set_serial 2 -days 2 -out tsa.pem "
            "-extfile tsa.cnf -extensions use"
        )

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def openssl(self, words: str) -> str:
        done = subprocess.run(
            ["openssl", *words.split()], cwd=self.folder, capture_output=True, check=True, text=True
        )
        return done.stdout

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self.openssl("ts -reply -config tsa.cnf -queryfile query -out reply")
        return (self.folder / "reply").read_bytes()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    if not shutil.which("openssl"):
        assert "CI" not in os.environ, "openssl is missing"
        pytest.skip("openssl is not installed")
    authority = Authority(tmp_path_factory.mktemp("tsa"))

    def answer(_: str, headers: Mapping[str, str], query: bytes) -> Reply:
        assert headers["Content-Type"] == "application/timestamp-query"
        return Reply(authority.status, authority.answer(query))

    with serving(answer) as authority.url:
        yield authority


@pytest.fixture
def kept(cli: Cli, config: Path) -> Path:
    """A checkpoint in a file."""
    assert config.exists()
    cli.authorize()
    cli.done("log init --origin example.com/authledger")
    path = Path("kept")
    path.write_text(cli.done("log checkpoint").out)
    return path


def test_a_timestamp_says_when_a_checkpoint_existed(
    cli: Cli, kept: Path, authority: Authority
) -> None:
    said = cli.done(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {authority.ca}")
    assert "Wrote kept.tsr: the authority confirms that kept existed at 20" in said.err
    said = cli.done(f"log verify-timestamp kept kept.tsr --tsa-ca {authority.ca}")
    assert said.out.startswith("Verified: kept existed at 20")


def test_openssl_verifies_the_timestamp_too(cli: Cli, kept: Path, authority: Authority) -> None:
    cli.done(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {authority.ca}")
    text = cli.folder / "text"
    text.write_text(kept.read_text().partition("\n\n")[0] + "\n")
    said = authority.openssl(
        f"ts -verify -data {text} -in {cli.folder / 'kept.tsr'} -CAfile {authority.ca}"
    )
    assert "Verification: OK" in said


def test_a_timestamp_of_another_checkpoint_is_refused(
    cli: Cli, kept: Path, authority: Authority
) -> None:
    cli.done(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {authority.ca}")
    cli.done("console login --region cn-east-3 --user bob")
    kept.write_text(cli.done("log checkpoint").out)
    said = cli(f"log verify-timestamp kept kept.tsr --tsa-ca {authority.ca}")
    assert (said.code, said.out) == (6, "")
    assert "does not verify for this checkpoint" in said.err


def test_a_timestamp_by_another_authority_is_refused(
    cli: Cli, kept: Path, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Authority(tmp_path_factory.mktemp("other"))
    said = cli(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {other.ca}")
    assert said.code == 6
    assert not Path("kept.tsr").exists()


def test_a_timestamp_with_any_byte_changed_is_refused(
    cli: Cli, kept: Path, authority: Authority
) -> None:
    cli.done(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {authority.ca}")
    stamp = Path("kept.tsr")
    genuine = stamp.read_bytes()
    for place in (0, 30, 80, 120, len(genuine) - 20):
        changed = bytearray(genuine)
        changed[place] ^= 1
        stamp.write_bytes(changed)
        assert cli(f"log verify-timestamp kept kept.tsr --tsa-ca {authority.ca}").code == 6, place


def test_a_replayed_answer_to_an_earlier_request_is_refused(
    cli: Cli, kept: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.done(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {authority.ca}")
    replayed = Path("kept.tsr").read_bytes()
    monkeypatch.setattr(authority, "answer", lambda _: replayed)
    said = cli(f"log timestamp {kept} --tsa {authority.url} --tsa-ca {authority.ca} -o new.tsr")
    assert said.code == 6
    assert not Path("new.tsr").exists()


def test_each_input_that_is_not_usable_is_an_error(
    cli: Cli, kept: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f"--tsa {authority.url} --tsa-ca {authority.ca}"
    assert cli(f"log timestamp nothing {asked}").code == 4
    assert cli(f"log timestamp {authority.ca} {asked}").code == 2
    assert cli(f"log timestamp kept --tsa {authority.url} --tsa-ca kept").code == 2
    assert cli(f"log timestamp kept --tsa http://127.0.0.1:9 --tsa-ca {authority.ca}").code == 7
    monkeypatch.setattr(authority, "status", 503)
    said = cli(f"log timestamp kept {asked}")
    assert said.code == 7
    assert "answered with the HTTP status 503" in said.err
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    said = cli(f"log timestamp {kept} {asked}")
    assert said.code == 7
    assert "pip install 'authledger[timestamps]'" in said.err
