"""A ledger on PostgreSQL, as it is typed."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.cli.conftest import BEIJING, Cli


@pytest.fixture
def on_postgres(cli: Cli, database: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.setenv("AUTHLEDGER_LEDGER", database)
    return cli


def test_the_first_writing_command_makes_the_ledger(on_postgres: Cli, database: str) -> None:
    assert on_postgres("log checkpoint").code == 4
    said = on_postgres.done(f"console login --region {BEIJING} --user alice")
    assert "A new ledger: postgresql://postgres@/" in said.err
    assert "A new ledger" not in on_postgres.done(f"console login --region {BEIJING}").err


def test_the_story_is_the_same_as_in_a_file(on_postgres: Cli) -> None:
    on_postgres.authorize()
    assert on_postgres.appended(f"feature use ingress-gateway --region {BEIJING}") == [
        "FeatureUsed"
    ]
    said = on_postgres("policy delete 'asm admin trust policy' --actor mallory")
    assert said.code == 3
    again = on_postgres.done(f"console login --region {BEIJING} --command-id one -o json").json
    assert (
        on_postgres.done(f"console login --region {BEIJING} --command-id one -o json").json == again
    )


def test_a_dry_run_makes_no_ledger(on_postgres: Cli, database: str) -> None:
    assert on_postgres.done(f"console login --region {BEIJING} --dry-run").out
    with psycopg.connect(database) as db:
        assert db.execute("SELECT to_regnamespace('ledger')").fetchone() == (None,)


def test_its_log_is_signed_proved_verified_and_exported(on_postgres: Cli, config: Path) -> None:
    assert config.exists()
    on_postgres.authorize()
    vkey = on_postgres.done("log init --origin example.com/authledger").lines[0]
    on_postgres.done("console login --region ap-southeast-3")
    Path("pin").write_text(on_postgres.done("log checkpoint").out)
    on_postgres.done("console login --region cn-south-1")
    said = on_postgres.done("log verify --since pin -o json").json
    assert said[0]["verified"], said
    assert said[0]["entries"] == said[0]["checkpoint_size"]
    assert vkey
    on_postgres.done("log prove 3")
    on_postgres.done("log export site")
    assert (Path("site") / "checkpoint").exists()


def test_a_crime_is_found_by_name_and_place(on_postgres: Cli, config: Path, database: str) -> None:
    assert config.exists()
    on_postgres.authorize()
    on_postgres.done("log init --origin example.com/authledger")
    with psycopg.connect(database) as db:
        db.execute("ALTER TABLE ledger.events DISABLE TRIGGER ALL")
        db.execute("UPDATE ledger.events SET topic = 'elsewhere' WHERE position = 2")
    said = on_postgres("log verify")
    assert said.code == 6
    assert "position 2: the column topic holds 'elsewhere'" in said.out


def test_tables_are_made_and_rights_given_by_command(on_postgres: Cli, database: str) -> None:
    assert "A ledger of 0 entries" in on_postgres.done("database init").err
    on_postgres.done(f"console login --region {BEIJING}")
    assert "A ledger of 0 entries" not in on_postgres.done("database init").err
    with psycopg.connect(database, autocommit=True) as db:
        for role in ("cli_writer", "cli_reader"):
            db.execute(f"DROP ROLE IF EXISTS {role}".encode())
            db.execute(f"CREATE ROLE {role} LOGIN".encode())
        said = on_postgres.done("database grant --writer cli_writer --reader cli_reader")
        assert "cli_writer may append" in said.err
        assert "cli_reader may read the views" in said.err
        writer = database.replace("postgres@", "cli_writer@")
        on_postgres.done(f"console login --region {BEIJING} --ledger '{writer}'")
        [row] = on_postgres.done(f"view logins --ledger '{writer}' -o json").json
        assert row["dialogs"] == 2
        said = on_postgres.done(f"projection rebuild --ledger '{writer}'")
        assert "Compared only" in said.err, "the views are their owner's to make"
        reader = database.replace("postgres@", "cli_reader@")
        said = on_postgres(f"console login --region {BEIJING} --ledger '{reader}'")
        assert said.code == 7
        assert "authledger database grant --writer" in said.err
        asked = f"query 'SELECT dialogs FROM logins' -o json --ledger '{reader}'"
        said = on_postgres.done(asked)
        assert said.json == [{"dialogs": 2}]
        on_postgres.done(f"console login --region {BEIJING}")
        said = on_postgres.done(asked)
        assert said.json == [{"dialogs": 2}]
        assert "cannot be caught up here" in said.err
        said = on_postgres(f"query 'SELECT salt FROM ledger.subjects' --ledger '{reader}'")
        assert said.code == 2
        assert "may only read the views" in said.err
        for role in ("cli_writer", "cli_reader"):
            db.execute(f"DROP OWNED BY {role}".encode())
            db.execute(f"DROP ROLE {role}".encode())


@pytest.mark.parametrize(
    "asked",
    [
        "audit trail --limit 1 --columns position",
        f"audit why --region {BEIJING} --columns position",
        "query 'SELECT max(position) AS position FROM audit_trail'",
        "view regions --columns position",
    ],
)
def test_a_role_that_may_not_catch_up_learns_where_the_trail_ends(
    on_postgres: Cli, analyst: str, asked: str
) -> None:
    [row] = on_postgres.done("projection catch-up -o json").json
    reached = row["position"]
    on_postgres.done(f"console login --region {BEIJING}")
    for form in ("table", "json", "csv"):
        said = on_postgres.done(f"{asked} -o {form} --ledger '{analyst}'")
        assert f"now, position {reached}" in said.err
        assert f"the views have reached position {reached}: 2 events are missing" in said.err
        assert str(reached + 1) not in said.out


@pytest.fixture
def analyst(on_postgres: Cli, database: str) -> Iterator[str]:
    """The ledger as a role names it that sees the views alone, caught up with a consent."""
    on_postgres.authorize()
    on_postgres.done("projection catch-up")
    with psycopg.connect(database, autocommit=True) as db:
        db.execute("DROP ROLE IF EXISTS cli_analyst")
        db.execute("CREATE ROLE cli_analyst LOGIN")
        on_postgres.done("database grant --reader cli_analyst")
        yield database.replace("postgres@", "cli_analyst@")
        db.execute("DROP OWNED BY cli_analyst")
        db.execute("DROP ROLE cli_analyst")


@pytest.mark.parametrize(
    "line",
    [
        "view regions",
        "view capabilities --as-of @4",
        "view regions --as-of -0s --known-at now",
        "agency list",
        "agency show asm_admin_trust",
        "policy list",
        "policy show 'asm admin trust policy'",
        "authorization list",
        "audit trail --since 2001-01-01",
        "audit why --agency asm_admin_trust",
        "audit diff @1 now",
        "subject list",
        "projection status",
        "query 'SELECT * FROM audit_trail'",
    ],
)
def test_a_role_that_sees_only_the_views_can_use_every_command_that_reads_them(
    on_postgres: Cli, analyst: str, line: str
) -> None:
    seen = on_postgres.done(f"{line} -o csv --ledger '{analyst}'")
    assert seen.out == on_postgres.done(f"{line} -o csv").out
    assert len(seen.out.splitlines()) > 1


@pytest.mark.parametrize("line", ["audit show 1", "export parquet out", "log verify"])
def test_other_commands_tell_such_a_role_that_it_may_not_see_the_ledger(
    on_postgres: Cli, analyst: str, line: str
) -> None:
    said = on_postgres(f"{line} --ledger '{analyst}'")
    assert said.code == 7
    assert "The role has no right to do this" in said.err
    assert "`authledger view`" in said.err


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("database grant --writer nobody_knows", 2, "no role 'nobody_knows'"),
        ("database grant", 2, "No role was given"),
        ("database init --ledger file.db", 2, "is a file"),
        (
            "console login --region cn-north-4 --ledger postgresql://a:secret@127.0.0.1:1/x",
            7,
            "reached",
        ),
        ("log checkpoint --ledger postgresql://a:secret@h/x?nonsense=1", 2, "libpq"),
    ],
)
def test_a_request_that_cannot_be_carried_out_is_explained(
    on_postgres: Cli, line: str, code: int, says: str
) -> None:
    on_postgres.done("database init")
    said = on_postgres(line)
    assert said.code == code, said.err
    assert says in said.err
    assert "secret" not in said.err


LOADED = """
import sys
from cli.main import app
try:
    app(sys.argv[1:], prog_name="authledger")
except SystemExit as end:
    assert not end.code, end.code
assert not {"psycopg", "psycopg_pool"} & set(sys.modules)
"""


@pytest.mark.parametrize(
    "arguments",
    [["--version"], ["console", "login", "--region", "cn-north-4"], ["log", "verify", "--help"]],
)
def test_a_ledger_in_a_file_does_not_load_what_speaks_to_postgresql(
    cli: Cli, arguments: list[str]
) -> None:
    subprocess.run([sys.executable, "-c", LOADED, *arguments], check=True, capture_output=True)


WITHOUT_PSYCOPG = """
import sys
sys.modules["psycopg"] = None
from cli.main import run
run()
"""


@pytest.mark.parametrize(
    "typed", ["database init", "database grant --writer w", "query 'SELECT 1'", "audit trail"]
)
def test_without_psycopg_the_error_says_how_to_install_it(typed: str) -> None:
    line = [*shlex.split(typed), "--ledger", "postgresql://h/db"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PSYCOPG, *line], check=False, capture_output=True, text=True
    )
    assert done.returncode == 7, done.stderr
    assert "pip install 'authledger[postgres]'" in done.stderr


def test_an_answer_becomes_evidence_there_too(on_postgres: Cli, config: Path) -> None:
    on_postgres.authorize()
    key = on_postgres.done("log init --origin example.com/authledger").out.strip()
    on_postgres.done('audit evidence "regions agency=asm_admin_trust"')
    on_postgres.lose()
    said = on_postgres.done(f"audit verify-evidence evidence.zip --key {key} -o json")
    assert {row["status"] for row in said.json} == {"granted"}
