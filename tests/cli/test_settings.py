"""Where a setting comes from: flag > variable > ./authledger.toml > XDG > default."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.errors import InvalidInput
from ledger.persistence.location import PostgresDatabase, SQLiteFile, location_of
from tests.cli.conftest import Cli


@pytest.fixture
def bare(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Nothing is configured."""
    monkeypatch.delenv("AUTHLEDGER_LEDGER")
    monkeypatch.delenv("AUTHLEDGER_ACCOUNT")
    monkeypatch.setenv("XDG_DATA_HOME", str(cli.folder / "share"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(cli.folder / "config"))
    return cli


def account_of(cli: Cli, flags: str = "") -> str:
    said = cli.done(f"console login --region cn-north-4 --dry-run -o json {flags}")
    return str(said.json[-1]["account"])


def test_each_source_wins_over_the_next(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare.folder / "config" / "authledger").mkdir(parents=True)
    (bare.folder / "config" / "authledger" / "config.toml").write_text('account = "xdg"\n')
    assert account_of(bare) == "xdg"
    (bare.folder / "authledger.toml").write_text('account = "local"\n')
    assert account_of(bare) == "local"
    monkeypatch.setenv("AUTHLEDGER_ACCOUNT", "variable")
    assert account_of(bare) == "variable"
    assert account_of(bare, "--account flag") == "flag"


def test_config_show_says_what_each_setting_comes_from(
    bare: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = bare.folder / "config" / "authledger" / "config.toml"
    own.parent.mkdir(parents=True)
    own.write_text('provider = "aws"\naccount = "xdg"\nactor = "carol"\n')
    local = bare.folder / "authledger.toml"
    local.write_text('account = "local"\nregion = "cn-north-4"\n')
    monkeypatch.setenv("AUTHLEDGER_SERVICE", "cce")
    url = "postgresql://me:secret@db.example/authledger"
    said = bare.done(f"--account flag config show --ledger {url} -o json")
    shown = {row["setting"]: (row["value"], row["source"]) for row in said.json}
    assert shown["account"] == ("flag", "--account")
    assert shown["service"] == ("cce", "AUTHLEDGER_SERVICE")
    assert shown["region"] == ("cn-north-4", str(local))
    assert shown["provider"] == ("aws", str(own))
    assert shown["actor"] == ("carol", str(own))
    assert shown["checkpoint_every"] == ("1", "default")
    assert shown["log_keys"] == (str(own.parent / "keys"), "default")
    assert shown["output"] == ("json", "--output")
    assert shown["catalogue"] == (None, "default")
    assert "secret" not in said.out
    assert "db.example" in str(shown["ledger"][0])
    assert str(local) in bare.done("config show").out


def test_config_show_shows_what_an_untrusted_file_names_and_does_not_use_it(bare: Cli) -> None:
    local = bare.folder / "authledger.toml"
    local.write_text('actor = "alice"\nlog_keys = "keys"\naccount = "local"\n')
    assert bare("view regions").code == 2
    said = bare.done("config show -o json")
    states = {(row["setting"], row["value"]): row["state"] for row in said.json}
    assert states["account", "local"] == "in use"
    assert states["actor", "alice"] == "not trusted"
    assert states["log_keys", str(Path("keys"))] == "not trusted"
    assert "authledger trust ." in said.err
    bare.done("trust .")
    said = bare.done("config show -o json")
    states = {(row["setting"], row["value"]): row["state"] for row in said.json}
    assert states["actor", "alice"] == "in use"
    assert set(states.values()) == {"in use"}


def test_config_show_needs_no_ledger_and_makes_none(bare: Cli) -> None:
    bare.done("config show")
    assert not (bare.folder / "share").exists()


def test_without_an_account_the_error_lists_the_three_ways_to_give_one(bare: Cli) -> None:
    said = bare("console login --region cn-north-4")
    assert said.code == 2
    for way in ("--account", "AUTHLEDGER_ACCOUNT", "authledger.toml"):
        assert way in said.err


def test_the_default_ledger_lies_in_the_xdg_data_folder_and_is_made_by_writing(bare: Cli) -> None:
    ledger = bare.folder / "share" / "authledger" / "ledger.db"
    assert bare("view regions").code == 4
    assert not ledger.parent.exists()
    said = bare.done("console login --region cn-north-4 --account a")
    assert f"A new ledger: {ledger}" in said.err
    assert ledger.exists()


def test_a_mistyped_word_makes_no_ledger(bare: Cli) -> None:
    assert bare("console login --region cn-north-4 --account a --user ''").code == 2
    assert not (bare.folder / "share").exists()


def test_the_ledger_may_be_named_before_or_after_the_command(bare: Cli) -> None:
    bare.done("--ledger one.db console login --region cn-north-4 --account a")
    bare.done("console login --region cn-north-4 --account a --ledger sqlite:///two.db")
    assert {path.name for path in bare.folder.glob("*.db")} == {"one.db", "two.db"}


def test_a_path_in_a_file_is_relative_to_that_file(bare: Cli) -> None:
    folder = bare.folder / "config" / "authledger"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('ledger = "mine.db"\naccount = "a"\n')
    bare.done("console login --region cn-north-4")
    assert (folder / "mine.db").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("colour = 'red'", "'colour', which is not a setting"),
        ("account = 7", "the setting account is not valid"),
        ("account =", "is not TOML"),
    ],
)
def test_a_file_that_cannot_be_understood_is_named(bare: Cli, text: str, says: str) -> None:
    (bare.folder / "authledger.toml").write_text(text)
    said = bare("console login --region cn-north-4")
    assert said.code == 2
    assert "authledger.toml" in said.err
    assert says in said.err


def test_the_form_of_output_can_be_configured(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.authorize()
    monkeypatch.setenv("AUTHLEDGER_OUTPUT", "json")
    assert cli.done("view regions").json
    monkeypatch.setenv("AUTHLEDGER_OUTPUT", "xml")
    assert cli("view regions").code == 2


def test_a_configured_actor_is_claimed(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHLEDGER_ACTOR", "pipeline")
    entry = cli.done("console login --region cn-north-4 -o json").json[-1]
    assert entry["actor_established"] == "claimed"


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("a/b.db", "a/b.db"),
        ("sqlite:///a/b.db", "a/b.db"),
        ("sqlite:////a/b.db", "/a/b.db"),
    ],
)
def test_a_ledger_is_a_path_or_an_sqlite_url(location: str, path: str) -> None:
    assert location_of(location) == SQLiteFile(Path(path))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://alice:secret@db/audit", "postgresql://alice@db/audit"),
        ("postgres://alice:se%40:cret@a:1,b:2/audit", "postgres://alice@a:1,b:2/audit"),
        (
            "postgresql://a@db/x?sslmode=verify-full&password=secret&sslpassword=secret",
            "postgresql://a@db/x?sslmode=verify-full&password=…&sslpassword=…",
        ),
        ("postgresql:///audit?user=a&password=secret", "postgresql:///audit?user=a&password=…"),
        (
            "postgresql://a@db/x?pass%77ord=secret&%73slpassword=secret&scram_client_key=secret",
            "postgresql://a@db/x?pass%77ord=…&%73slpassword=…&scram_client_key=…",
        ),
        ("postgresql://a:a?secret@db/x", "postgresql://a@db/x"),
        ("postgresql://a:#secret:@db/x?options=-c%20b", "postgresql://a@db/x?options=-c%20b"),
        ("postgresql://%2Ftmp:5/x", "postgresql://%2Ftmp:5/x"),
        ("postgresql://[::1]:5433/audit", "postgresql://[::1]:5433/audit"),
    ],
)
def test_a_ledger_is_a_postgresql_url_and_its_password_is_not_shown(url: str, shown: str) -> None:
    location = location_of(url)
    assert location == PostgresDatabase(url)
    assert str(location) == shown
    assert "secret" not in repr(location)


@pytest.mark.parametrize(
    "location", ["sqlite://", "sqlite:///", "sqlite:x", "http://x:secret@y", "postgres+x://y", ""]
)
def test_other_urls_are_not_accepted_as_ledgers(location: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        location_of(location)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a:b/secret@db/audit",
        "postgresql://a:b@secret@db/audit",
        "postgresql://a:5/secret@db/audit",
        "postgresql://a:5/b?secret@db/audit",
        "postgresql://a:b?c/secret@db/audit",
        "postgresql://a:secret",
        "postgresql://a:secret@db/x\0",
        "postgresql://a:secret\ud800@db/x",
        " postgresql://a:secret@db/x",
        "'postgresql://a:secret@db/x'",
    ],
)
def test_a_url_that_libpq_reads_otherwise_is_refused_and_not_shown(url: str) -> None:
    """It takes a part of the password for the host or the port, and prints it."""
    with pytest.raises(InvalidInput) as raised:
        location_of(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("path", ["a\0b", "sqlite:///a\0b", "a\ud800b", Path("a\0b")])
def test_a_path_that_cannot_be_is_refused(path: str | Path) -> None:
    with pytest.raises(InvalidInput, match="not a valid path"):
        location_of(path)


BACKUP = """
[service]
provider = "huaweicloud"
code = "cbr"
name = "Cloud Backup and Recovery"
sources = [{ title = "a test" }]
dependencies = [{ code = "evs", short_name = "EVS", name = "Disks", purpose = "back up" }]
features = [{ name = "vault", title = "keep copies", needs = ["evs"] }]
[[service.baselines]]
since = 2020-01-01
note = "first"
agencies = [{ name = "cbr_trust", trustee = "service:cbr", purpose = "x", services = ["evs"] }]
"""


@pytest.fixture
def more(cli: Cli) -> Path:
    """A catalogue folder with one further service."""
    folder = cli.folder / "more"
    folder.mkdir()
    (folder / "backup.toml").write_text(BACKUP)
    return folder


def test_a_catalogue_folder_adds_a_service(cli: Cli, more: Path) -> None:
    said = cli.done(f"--catalogue {more} console login --region cn-north-4 --service cbr")
    assert "Disks: to back up" in said.out
    assert cli("--catalogue nowhere catalogue list").code == 2


@pytest.fixture
def backup(cli: Cli, more: Path) -> Path:
    """A ledger in which a service was authorized that only a catalogue folder knows."""
    cli.done(f"--catalogue {more} console login --region cn-north-4 --service cbr")
    cli.done(f"--catalogue {more} authorization grant --region cn-north-4 --service cbr")
    return more


def test_with_its_catalogue_the_capabilities_of_a_service_are_known(cli: Cli, backup: Path) -> None:
    said = cli.done(f"view capabilities --catalogue {backup} -o json")
    assert [(row["feature"], row["status"]) for row in said.json] == [("vault", "works")]
    assert "not known" not in said.err


@pytest.mark.usefixtures("backup")
def test_without_its_catalogue_the_capabilities_of_a_service_are_unknown(cli: Cli) -> None:
    cli.authorize()
    said = cli.done("view capabilities -o json")
    assert {(row["service"], row["status"]) for row in said.json} == {
        ("asm", "works"),
        ("cbr", "unknown"),
    }
    assert "lists no features of cbr of huaweicloud" in said.err
    assert "--catalogue FOLDER" in said.err
    assert "not known" not in cli.done("view capabilities --service asm").err


@pytest.mark.usefixtures("backup")
@pytest.mark.parametrize("condition", ["status works", "feature vault", "agency cbr_trust"])
def test_a_filter_does_not_hide_that_a_service_is_unknown(cli: Cli, condition: str) -> None:
    said = cli.done(f"view capabilities --{condition}")
    assert "Nothing" not in said.err
    assert "lists no features of cbr of huaweicloud" in said.err


@pytest.mark.usefixtures("backup", "config")
def test_evidence_says_that_a_service_is_unknown(cli: Cli) -> None:
    key = cli.done("log init --origin example.com/authledger").out.strip()
    said = cli.done("audit evidence 'capabilities region=cn-north-4'")
    assert "lists no features of cbr of huaweicloud" in said.err
    said = cli.done(f"audit verify-evidence evidence.zip --key {key} -o json")
    assert [(row["service"], row["status"]) for row in said.json] == [("cbr", "unknown")]


def test_a_catalogue_file_that_does_not_fit_is_described_on_one_line(cli: Cli, more: Path) -> None:
    (more / "backup.toml").write_text(BACKUP.replace('code = "cbr"', ""))
    said = cli(f"--catalogue {more} catalogue list")
    assert said.code == 2
    file = more / "backup.toml"
    assert said.err == f"Error: {file} is not a valid catalogue file: code: Field required.\n"


def test_a_connection_string_in_a_file_is_recognised_and_not_taken_for_a_path(bare: Cli) -> None:
    folder = bare.folder / "config" / "authledger"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('ledger = "host=h password=secret"\n', encoding="utf-8")
    said = bare("view regions --account 1")
    assert said.code == 2
    assert "Write a URL" in said.err
    assert "secret" not in said.err
