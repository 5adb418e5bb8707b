"""A ledger of several segments, made once for each database; each test has a copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.application import Ledger
from ledger.log.signer import LogSigner
from tests.ledger.scenario import BEIJING, SHANGHAI, grant, login
from tests.ledger.verification.crimes import ORIGIN, Scene, checkpoint
from tests.ledger.worlds import Place, traces
from tests.postgres import Server


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return ledger_made(tmp_path_factory.mktemp("db") / "ledger.db", tmp_path_factory)


@pytest.fixture(scope="package")
def made_database(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    name = server.take()
    yield ledger_made(server.url(name), tmp_path_factory)
    server.give_back(name)


def ledger_made(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Four segments and a part of one, with commands of one entry and of many."""
    keys = tmp_path_factory.mktemp("config")
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.sign(signer)
        ledger.observe(traces(700))
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        ledger.observe(traces(1_100)[700:])
        return Scene(place, keys, checkpoint(ledger), keys)


@pytest.fixture
def small(place: Place, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A ledger of a few hundred entries with a key of its own, to which a test may append."""
    keys = tmp_path_factory.mktemp("config")
    with Ledger(place, log_keys=keys) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(place)
        ledger.sign(signer)
        ledger.execute(login(BEIJING))
        ledger.execute(grant(BEIJING))
        ledger.observe(traces(300))
        pin = checkpoint(ledger)
        ledger.execute(login(SHANGHAI))
        ledger.execute(grant(SHANGHAI))
    return Scene(place, keys, pin, tmp_path)


@pytest.fixture
def scene(place: Place, request: pytest.FixtureRequest) -> Scene:
    """A copy, which a test may alter."""
    if isinstance(place, Path):
        made = request.getfixturevalue("made")
        shutil.copy(made.place, place)
    else:
        made = request.getfixturevalue("made_database")
        copy_of(made.place, place)
    return Scene(place, made.keys, made.pin, made.folder)


def copy_of(made: str, place: str) -> None:
    Ledger(place).close()
    with psycopg.connect(made) as one, psycopg.connect(place) as other:
        for table in (b"events", b"commands", b"subjects", b"tiles", b"checkpoint"):
            with (
                one.cursor().copy(b"COPY ledger.%s TO STDOUT" % table) as rows,
                other.cursor().copy(b"COPY ledger.%s FROM STDIN" % table) as copy,
            ):
                for row in rows:
                    copy.write(row)
