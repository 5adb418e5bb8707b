"""Settings that the authledger.toml of a working folder must not name unless the user trusts it.

A user who unpacks a folder and runs a command in it has not agreed to what the folder contains.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.settings import GUARDED, NAMES
from tests.cli.conftest import BEIJING, Cli

INIT = "log init --origin example.com/authledger"


@pytest.fixture
def local(cli: Cli, config: Path) -> Callable[[str], Path]:
    """Writes the folder's authledger.toml; the user's configuration is elsewhere, and empty."""
    assert config.exists()

    def write(text: str) -> Path:
        path = cli.folder / "authledger.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def attacked(
    cli: Cli, local: Callable[[str], Path], config: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A downloaded folder: a ledger with a signed log, its keys, and an entry not signed yet."""
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(config / "stranger"))
    cli.authorize()
    cli.done(INIT)
    monkeypatch.delenv("AUTHLEDGER_LOG_KEYS")
    cli.done(f"console login --region {BEIJING} --user bob")
    shutil.copytree(config / "stranger", cli.folder / "keys")
    local('log_keys = "keys"\n')
    return cli.folder / "keys" / "example.com_authledger"


def test_a_signer_command_in_a_downloaded_folder_does_not_run(cli: Cli, attacked: Path) -> None:
    (attacked / "private.key").unlink()
    ran = cli.folder / "ran"
    (attacked / "signer-command").write_text(f"touch {ran}\n")
    (attacked / "signer-command").chmod(0o600)
    said = cli("log checkpoint")
    assert said.code == 2
    assert not ran.exists()
    assert f"{cli.folder}/authledger.toml sets log_keys, and this file is not trusted" in said.err
    assert f": authledger trust {cli.folder}\n" in said.err, "a command that can be pasted"
    cli.done("trust .")
    assert cli("log checkpoint").code == 7
    assert ran.exists(), "the attack is real: a folder that is trusted runs its command"


def test_a_strangers_key_in_a_downloaded_folder_verifies_nothing(cli: Cli, attacked: Path) -> None:
    assert attacked.exists()
    said = cli("log verify")
    assert said.code == 2
    assert "erified" not in said.out
    assert "log_keys" in said.err


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('catalogue = "extra"', "catalogue"),
        ('log_keys = "keys"', "log_keys"),
        ('actor = "alice"', "actor"),
        ('checkpoint_every = "0"', "checkpoint_every"),
        ('log_keys = "/keys"\ncatalogue = "extra"', "catalogue and log_keys"),
        ('ledger = "postgresql://nobody:secret@stranger.example/x?sslkey=/tmp/x.so:1"', "ledger"),
    ],
)
def test_an_untrusted_file_is_refused_with_what_it_sets(
    cli: Cli,
    local: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    named: str,
) -> None:
    monkeypatch.delenv("AUTHLEDGER_LEDGER")
    path = local(f"{text}\n")
    for line in ("view regions", f"console login --region {BEIJING}", "catalogue list"):
        said = cli(line)
        assert said.code == 2
        assert f"{path} sets {named}, and this file is not trusted" in said.err
        assert "Nothing was done" in said.err
        assert "secret" not in said.err
    assert not cli.ledger.exists()


def test_settings_that_decide_nothing_about_trust_need_none(
    cli: Cli, local: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AUTHLEDGER_LEDGER")
    harmless = {name: "x" for name in NAMES if name == "ledger" or name not in GUARDED}
    harmless |= {"ledger": "mine.db", "provider": "huaweicloud", "service": "asm"}
    harmless |= {"output": "json"}
    local("".join(f"{name} = {json.dumps(value)}\n" for name, value in harmless.items()))
    cli.done(f"console login --region {BEIJING}")
    assert (cli.folder / "mine.db").exists()


def test_a_folder_cannot_put_another_name_under_your_commands(
    cli: Cli, local: Callable[[str], Path]
) -> None:
    local('actor = "alice"\n')
    assert cli(f"console login --region {BEIJING}").code == 2
    assert not cli.ledger.exists()
    cli.done("trust .")
    cli.done("agency create mine --trustee service:asm")
    assert "alice" in cli.done("audit trail").out, "the attack is real"


def test_flags_variables_and_the_users_own_file_need_no_trust(
    cli: Cli, local: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, config: Path
) -> None:
    (cli.folder / "extra").mkdir()
    path = local('catalogue = "absent"\nlog_keys = "keys"\n')
    monkeypatch.setenv("AUTHLEDGER_LOG_KEYS", str(config / "mine"))
    assert cli("catalogue list").code == 2
    cli.done("catalogue list --catalogue extra")
    monkeypatch.setenv("AUTHLEDGER_CATALOGUE", "extra")
    cli.done("catalogue list")
    monkeypatch.delenv("AUTHLEDGER_CATALOGUE")
    monkeypatch.delenv("AUTHLEDGER_LOG_KEYS")
    path.unlink()
    (config / "authledger").mkdir()
    (config / "authledger" / "config.toml").write_text(f'catalogue = "{cli.folder}/extra"\n')
    cli.done("catalogue list")


def test_trust_ends_when_the_file_changes(cli: Cli, local: Callable[[str], Path]) -> None:
    (cli.folder / "extra").mkdir()
    path = local('catalogue = "extra"\n')
    said = cli.done("trust .")
    assert f"Trusted: {path}" in said.err
    assert "It sets catalogue" in said.err
    cli.done("catalogue list")
    path.write_text('catalogue = "extra"\nlog_keys = "keys"\n')
    said = cli("catalogue list")
    assert said.code == 2
    assert "this file changed since it was trusted" in said.err
    cli.done("trust .")
    cli.done("catalogue list")


def test_trust_is_of_one_place(
    cli: Cli, local: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same bytes elsewhere, or a link to them, would name another folder."""
    local('catalogue = "extra"\n')
    (cli.folder / "extra").mkdir()
    cli.done("trust .")
    for make in (shutil.copy, lambda path, link: Path(link).symlink_to(path)):
        other = cli.folder / f"other-{make.__name__}"
        other.mkdir()
        make(cli.folder / "authledger.toml", other / "authledger.toml")
        monkeypatch.chdir(other)
        assert cli("catalogue list").code == 2
    (cli.folder / "by-link").symlink_to(cli.folder)
    monkeypatch.chdir(cli.folder / "by-link")
    cli.done("catalogue list")


def test_trusted_files_are_listed_and_removed(cli: Cli, local: Callable[[str], Path]) -> None:
    assert "No file is trusted" in cli.done("trust --list").err
    path = local('catalogue = "extra"\n')
    cli.done("trust .")
    assert [row["state"] for row in cli.done("trust --list -o json").json] == ["trusted"]
    local("")
    [row] = cli.done("trust --list -o json").json
    assert (row["file"], row["state"]) == (str(path), "changed")
    path.unlink()
    assert [row["state"] for row in cli.done("trust --list -o json").json] == ["missing"]
    cli.done("trust --remove .")
    assert cli.done("trust --list -o json").json == []
    assert cli("trust --remove .").code == 4
    local('catalogue = "extra"\n')
    assert cli("catalogue list").code == 2


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("trust", 2),
        ("trust . --list", 2),
        ("trust --list --remove", 2),
        ("trust .", 4),
        ("trust nowhere", 4),
    ],
)
def test_a_file_that_cannot_be_trusted_is_an_error(
    cli: Cli, config: Path, line: str, code: int
) -> None:
    assert cli(line).code == code
    assert not list(config.rglob("*.json"))


def test_a_file_that_is_not_valid_is_not_trusted(cli: Cli, local: Callable[[str], Path]) -> None:
    local("colour = 'red'\n")
    assert cli("trust .").code == 2
    assert cli.done("trust --list -o json").json == []


def test_a_damaged_list_trusts_nothing(
    cli: Cli, local: Callable[[str], Path], config: Path
) -> None:
    local('catalogue = "extra"\n')
    cli.done("trust .")
    [entry] = config.rglob("*.json")
    entry.write_text("[]")
    for line in ("catalogue list", "trust --list"):
        said = cli(line)
        assert said.code == 2
        assert str(entry) in said.err
