"""A rebuild: its certificate, others that read and append beside it, a process that dies in it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.console import RequestConsoleLogin
from ledger.catalogue import load_catalogue
from ledger.errors import NotFound, StoreLocked
from projections.definitions.declared import PROJECTIONS
from projections.maintenance.row_writer import RowWriter
from projections.views import Views
from tests.projections.shown import all_rows
from tests.projections.worlds import Do, See, World

CATALOGUE = load_catalogue()


def test_the_certificate_shows_engine_range_version_and_equal_digests(
    world: World, views: Views
) -> None:
    certificate = views.rebuild()
    assert re.match(r"sqlite 3\.|postgresql \d", certificate.engine)
    assert (certificate.first_position, certificate.last_position) == (
        1,
        world.ledger.last_position(),
    )
    assert certificate.code_version
    assert certificate.equal
    assert [p.name for p in certificate.projections] == ["trail", *PROJECTIONS]


def test_a_rebuild_repairs_an_altered_view_and_the_certificate_shows_it(
    world: World, views: Views
) -> None:
    before = all_rows(views)
    views._store.connection.execute("UPDATE policies_1 SET status = 'deleted'")
    certificate = views.rebuild(["policies"])
    assert not certificate.equal
    assert all_rows(views) == before


def test_rebuilding_an_unknown_projection_is_not_found(views: Views) -> None:
    with pytest.raises(NotFound, match="no projection 'nothing'"):
        views.rebuild(["nothing"])


def test_progress_is_reported_for_each_projection(views: Views, world: World) -> None:
    steps: list[tuple[str, int, int]] = []
    views.rebuild(on_progress=lambda name, done, total: steps.append((name, done, total)))
    last = world.ledger.last_position()
    assert sorted(steps) == sorted((name, last, last) for name in PROJECTIONS)


def test_events_appended_during_a_rebuild_are_in_it(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others append and catch up until the moment of the swap."""
    upkeep, fill = type(views._store.upkeep), type(views._store.upkeep).fill

    def fill_while_others_append(*args: Any) -> None:
        fill(*args)
        world.take(Do(RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="x-1")))
        with Views.open(world.place, CATALOGUE) as other:
            other.catch_up()

    monkeypatch.setattr(upkeep, "fill", fill_while_others_append)
    certificate = views.rebuild(["logins"])
    assert certificate.equal
    assert certificate.last_position == world.ledger.last_position()
    assert ("x-1",) in views.query("SELECT region FROM logins").rows


def test_facts_appended_while_folded_views_are_rebuilt_are_in_them(
    world: World, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_all = RowWriter.write_all

    def write_while_others_append(*args: Any) -> None:
        write_all(*args)
        world.take(See(AgencyCreated(agency="another"), 1))
        world.take(See(AgencyDeleted(agency="asm_admin_trust"), 300_000))
        with Views.open(world.place, CATALOGUE) as other:
            other.catch_up()

    monkeypatch.setattr(RowWriter, "write_all", write_while_others_append)
    certificate = views.rebuild(["agencies", "regions"])
    assert certificate.equal
    assert certificate.last_position == world.ledger.last_position()
    shown = {row["agency"]: row["status"] for row in views.read("agencies").dicts()}
    assert shown == {"another": "exists", "asm_admin_trust": "deleted"}
    monkeypatch.undo()
    assert views.rebuild().equal


def test_a_view_that_another_process_rebuilt_meanwhile_is_not_swapped(
    world: World, path: Path, views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    upkeep, before = type(views._store.upkeep), all_rows(views)
    fill = upkeep.fill

    def fill_while_another_rebuilds(*args: Any) -> None:
        monkeypatch.setattr(upkeep, "fill", fill)
        with Views.open(world.place, CATALOGUE) as other:
            other.rebuild(["logins"])
        fill(*args)

    monkeypatch.setattr(upkeep, "fill", fill_while_another_rebuilds)
    with pytest.raises(StoreLocked, match="rebuilt logins in the meantime"):
        views.rebuild(["logins"])
    assert all_rows(views) == before


def test_readers_can_read_while_a_rebuild_swaps(world: World, views: Views) -> None:
    expected = views.read("regions").rows
    stop = threading.Event()
    seen: list[object] = []
    failures: list[BaseException] = []

    def read() -> None:
        try:
            with Views.open(world.place, CATALOGUE) as reader:
                while not stop.is_set():
                    seen.append(reader.read("regions").rows == expected)
                    seen.append(
                        reader.query("SELECT count(*) FROM regions").rows == [(len(expected),)]
                    )
        except BaseException as failure:  # noqa: BLE001 - the test raises it below
            failures.append(failure)

    thread = threading.Thread(target=read)
    thread.start()
    for _ in range(15):
        views.rebuild()
    stop.set()
    thread.join()
    assert not failures
    assert len(seen) > 2
    assert all(seen)


def test_two_processes_catch_up_at_once_and_agree(world: World) -> None:
    code = (
        "import sys\n"
        "from ledger.catalogue import load_catalogue; from projections.views import Views\n"
        "with Views.open(sys.argv[1], load_catalogue()) as v: print(v.catch_up())"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", code, str(world.place)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    answers = [child.communicate()[0].decode().strip() for child in children]
    assert answers == [str(world.ledger.last_position())] * 4
    with Views.open(world.place, CATALOGUE) as views:
        assert views.rebuild().equal


def test_a_killed_rebuild_leaves_the_live_view(world: World, views: Views) -> None:
    before = all_rows(views)
    code = (
        "import os, signal, sys\n"
        "from ledger.catalogue import load_catalogue; from projections.history import tables\n"
        "from projections.views import Views\n"
        "tables.create_views = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "with Views.open(sys.argv[1], load_catalogue()) as v: v.rebuild(['logins'])"
    )
    child = subprocess.run([sys.executable, "-c", code, str(world.place)], check=False)
    assert child.returncode == -signal.SIGKILL
    assert all_rows(views) == before
    assert views.rebuild().equal
