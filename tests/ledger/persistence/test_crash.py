"""After a kill at any moment, the ledger has whole transactions and all acknowledged ones."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import struct
import time
from collections import Counter
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.persistence.entry import command_id_of, type_of
from ledger.verification.entries import verify_entries
from tests.ledger import appender
from tests.ledger.scenario import grant, login
from tests.ledger.worlds import Clock, Place, datastore_of, raw, sound, texts, traces, whole

KILLS = int(os.environ.get("AUTHLEDGER_TEST_KILLS", "125"))
"""`make fuzz` asks for more."""


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Processes that begin with everything imported: what is killed is the ledger at work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.ledger.appender"])
    return context


def test_a_process_killed_at_any_moment_leaves_whole_transactions(
    place: Place, processes: ForkServerContext
) -> None:
    """One growing ledger, one process after another; each is killed while it appends."""
    seed = int(os.environ.get("AUTHLEDGER_TEST_SEED", random.randrange(10**9)))
    print(f"AUTHLEDGER_TEST_SEED={seed}")  # noqa: T201  To have the same moments again.
    chance = random.Random(seed)
    kills = KILLS if isinstance(place, Path) else KILLS // 3
    acknowledged: dict[str, int] = {}
    for turn in range(kills):
        # An account grown long takes long to read, and the kills would all fall into that.
        _killed(processes, place, f"t{turn}", f"account-{turn // 10}", chance, acknowledged)
        _recovered(place, acknowledged, thoroughly=turn % 10 == 0)
    sound(place)
    assert verify_entries(place, jobs=1).findings == []
    assert len(acknowledged) > kills, "most were killed at work, not before it"


def _killed(  # noqa: PLR0917  All of them are where and when it happens.
    processes: ForkServerContext,
    place: Place,
    name: str,
    account: str,
    chance: random.Random,
    acknowledged: dict[str, int],
) -> None:
    """Start an appender, kill it at some moment, and keep what it had acknowledged."""
    listening, saying = processes.Pipe(duplex=False)
    child = processes.Process(target=_append, args=(place, name, account, saying))
    child.start()
    saying.close()
    if chance.random() < 0.1:
        time.sleep(chance.uniform(0, 0.05))  # Perhaps while it opens, or reads what there is.
    else:
        _keep(listening, acknowledged, 1 + chance.randrange(5))  # It is at work then.
        time.sleep(chance.uniform(0, 0.01))
    child.kill()
    child.join()
    child.close()
    _keep(listening, acknowledged)
    listening.close()


def _keep(listening: Connection, acknowledged: dict[str, int], lines: int | None = None) -> None:
    """Read acknowledgements: so many of them, or until the process is gone."""
    while lines is None or lines > 0:
        try:
            line = listening.recv()
        except EOFError:
            return
        lines = None if lines is None else lines - 1
        match line.split():
            case ["command", command_id, entries]:
                acknowledged[command_id] = int(entries)
            case ["traces", number]:
                acknowledged["traces"] = int(number)
            case ["open"]:
                pass
            case other:
                raise AssertionError(other)


def _append(place: Place, name: str, account: str, saying: Connection) -> None:
    appender.go_on(place, name, saying.send, account)


def _recovered(place: Place, acknowledged: dict[str, int], *, thoroughly: bool) -> None:
    if isinstance(place, Path) and not place.exists():
        assert not acknowledged
        return
    with Ledger(place) as ledger:
        ledger.last_position()
    if thoroughly:
        sound(place)
    with raw(place) as db:
        whole(db)
        kept = dict(
            db.execute("SELECT command_id, last_position - first_position + 1 FROM commands")
        )
        for command_id, entries in acknowledged.items():
            if command_id == "traces":
                continue
            # A command that found nothing left to do appended nothing, and keeps no id.
            assert kept.get(command_id, 0) == entries, f"{command_id} was acknowledged"
        if "traces" in acknowledged:
            assert sum("/trace-" in command_id for command_id in kept) == 40
        # Consent is one transaction: wherever it was granted, all of its permissions follow.
        assert _partly_granted(db) == []


def _partly_granted(db: Any) -> list[str | None]:
    """The commands that granted an authorization, but not its four permissions."""
    granted: dict[str | None, Counter[str]] = {}
    for topic, entry in db.execute("SELECT topic, entry FROM events").fetchall():
        granted.setdefault(command_id_of(entry), Counter())[type_of(topic)] += 1
    return [
        command_id
        for command_id, types in granted.items()
        if types["AuthorizationGranted"] == 1 and types["PermissionGranted"] != 4
    ]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[str]]]:
    """A ledger with everything still in its log, and its entries after each transaction."""
    path = tmp_path_factory.mktemp("grown") / "ledger.db"
    states: list[list[str]] = [[]]
    ledger = Ledger(path, clock=Clock())
    with datastore_of(ledger).get_connection(commit=True) as connection:
        connection.cursor().execute("PRAGMA wal_autocheckpoint = 0")
    for region in ("one", "two"):
        ledger.execute(login(region))
        states.append(texts(ledger))
        ledger.execute(grant(region))
        states.append(texts(ledger))
    ledger.observe(traces(20))
    states.append(texts(ledger))
    copy = path.with_name("crashed.db")
    shutil.copy(path, copy)
    shutil.copy(f"{path}-wal", f"{copy}-wal")
    ledger.close()
    return copy, states


def _offsets(log: bytes) -> list[int]:
    """Around every frame's edges, within its header and its page, and some in between."""
    (page,) = struct.unpack(">I", log[8:12])
    frame = 24 + page
    edges = range(32, len(log) + 1, frame)
    near = {edge + more for edge in edges for more in (-1, 0, 1, 8, 23, 24, 25, page // 2)}
    chance = random.Random(len(log))
    near |= {chance.randrange(len(log)) for _ in range(60)}
    return sorted(offset for offset in near | {0, 1, 31} if 0 <= offset <= len(log))


def test_a_write_ahead_log_cut_at_any_byte_opens_in_an_earlier_state(
    grown: tuple[Path, list[list[str]]], tmp_path: Path
) -> None:
    """After a crash of the machine the log ends at some byte. No transaction is there in part."""
    crashed, states = grown
    log = Path(f"{crashed}-wal").read_bytes()
    reached = 0
    for offset in _offsets(log):
        path = tmp_path / "cut.db"
        shutil.copy(crashed, path)
        Path(f"{path}-wal").write_bytes(log[:offset])
        with Ledger(path) as ledger:
            got = texts(ledger)
            assert got in states, f"cut at byte {offset}"
            assert len(got) >= reached, "a longer log holds no less"
            reached = len(got)
        with raw(path) as db:
            whole(db)
        path.unlink()
    assert reached == len(states[-1]), "the whole log holds everything"


def test_a_write_ahead_log_with_a_broken_byte_opens_in_an_earlier_state(
    grown: tuple[Path, list[list[str]]], tmp_path: Path
) -> None:
    """A frame's checksum covers all before it: what follows a broken byte is not believed."""
    crashed, states = grown
    log = Path(f"{crashed}-wal").read_bytes()
    chance = random.Random(7)
    for _ in range(60):
        broken = bytearray(log)
        broken[chance.randrange(32, len(log))] ^= 1 << chance.randrange(8)
        path = tmp_path / "broken.db"
        shutil.copy(crashed, path)
        Path(f"{path}-wal").write_bytes(broken)
        with Ledger(path) as ledger:
            assert texts(ledger) in states
        path.unlink()
