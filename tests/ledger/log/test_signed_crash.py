"""A process killed at any moment has released no checkpoint that the ledger then contradicts."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.log.key_folder import LogKey
from ledger.log.signer import LogSigner
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.note import parse_note
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.verification.entries import verify_entries
from tests.ledger.scenario import grant, login, revoke
from tests.ledger.worlds import Place, sound, texts, traces

KILLS = int(os.environ.get("AUTHLEDGER_TEST_KILLS", "60"))
"""`make fuzz` asks for more."""
ORIGIN = "example.com/authledger"


def test_a_released_checkpoint_is_never_contradicted(
    place: Place, tmp_path_factory: pytest.TempPathFactory
) -> None:
    seed = int(os.environ.get("AUTHLEDGER_TEST_SEED", random.randrange(10**9)))
    print(f"AUTHLEDGER_TEST_SEED={seed}")  # noqa: T201  To have the same moments again.
    chance = random.Random(seed)
    keys = tmp_path_factory.mktemp("config")
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        released = {_checkpoint(ledger.sign(signer))}
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([__name__])
    kills = KILLS if isinstance(place, Path) else KILLS // 3
    for turn in range(kills):
        listening, saying = processes.Pipe(duplex=False)
        child = processes.Process(target=_append, args=(place, keys, f"t{turn}", saying))
        child.start()
        saying.close()
        for _ in range(1 + chance.randrange(5)):
            released.add(_checkpoint(listening.recv()))
        time.sleep(chance.uniform(0, 0.01))
        child.kill()
        child.join()
        try:
            while True:
                released.add(_checkpoint(listening.recv()))
        except EOFError:
            pass
        last = LogKey(keys, ORIGIN).last()
        assert last is not None
        released.add(last)  # The record may be ahead of what was received.
    _check(place, keys, released)
    assert len(released) > kills


def _check(place: Place, keys: Path, released: set[Checkpoint]) -> None:
    sound(place)
    assert verify_entries(place, jobs=1).findings == []
    with Ledger(place, log_keys=keys) as ledger:
        receipt = ledger.execute(login("afterwards")).checkpoint
        assert receipt is not None, "the ledger can be appended to, and is signed"
        roots, frontier = {0: Frontier().root()}, Frontier()
        for text in texts(ledger):
            frontier.extend([leaf_hash(text.encode())])
            roots[frontier.size] = frontier.root()
        for checkpoint in (*released, _checkpoint(receipt)):
            assert roots.get(checkpoint.size) == checkpoint.root, checkpoint.size


def _append(place: Place, keys: Path, name: str, saying: Connection) -> None:
    """Append without end, and send each released checkpoint to the parent."""
    with Ledger(place, log_keys=keys) as ledger:
        for number in itertools.count():
            region = f"{name}-{number % 3}"
            for command in (login(region), grant(region), revoke(region)):
                saying.send(ledger.execute(command).checkpoint)
            if number % 4 == 3:
                ledger.observe(traces(40))
                saying.send(ledger.entries.checkpoint())


def _checkpoint(note: str) -> Checkpoint:
    return parse_checkpoint(parse_note(note.encode()).text)
