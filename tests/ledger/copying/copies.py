"""Ledgers to copy between, and their contents, for the tests of copying."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ledger.application import Actor, Ledger
from ledger.copying.copy import Copied, copy
from ledger.errors import Refused
from ledger.persistence.columns import COLUMNS
from ledger.persistence.postgres import raw_rows as postgres_stored
from ledger.persistence.sqlite import raw_rows as sqlite_stored
from ledger.verification.entries import verify_entries
from tests.ledger.scenario import BEIJING, SHANGHAI, grant, login
from tests.ledger.worlds import Clock, Place, raw, sound, traces

FILE, DATABASE = "sqlite", "postgresql"
WAYS = [(FILE, DATABASE), (DATABASE, FILE), (FILE, FILE), (DATABASE, DATABASE)]
all_ways = pytest.mark.parametrize(("source", "target"), WAYS, indirect=True)
there_and_back = pytest.mark.parametrize(("source", "target"), WAYS[:2], indirect=True)
New = Callable[[str], Place]
"""Makes an empty place of a kind."""

TABLES = {
    "events": f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position",
    "commands": "SELECT command_id, digest, first_position, last_position FROM commands "
    "ORDER BY first_position",
    "subjects": "SELECT subject, kind, name, salt FROM subjects ORDER BY subject",
    "tiles": "SELECT level, tile, data FROM tiles ORDER BY level, tile",
    "checkpoint": "SELECT note FROM checkpoint",
}


def contents(place: Place) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that are copied, in the same form for both databases."""
    with raw(place) as db:
        return {name: db.execute(select).fetchall() for name, select in TABLES.items()}


def copied(source: Place, target: Place, **options: Any) -> Copied:
    """Open both ledgers and copy."""
    with Ledger(source, create=False) as one, Ledger(target) as other:
        return copy(one, other, **options)


def assert_is_copy(source: Place, target: Place) -> None:
    """Assert that the target has the same rows as the source, and verifies."""
    one, other = contents(source), contents(target)
    for name in TABLES:
        assert other[name] == one[name], name
    sound(target)
    found = verify_entries(target, [len(one["events"])])
    assert found.findings == []


def filled(place: Place, count: int = 60, **options: Any) -> None:
    """Fill a ledger with commands, a refusal and traces by people, one of whom is erased."""
    with Ledger(place, clock=Clock(), **options) as ledger:
        ledger.execute(login(BEIJING), actor=Actor("Zoë Müller-Lüdenscheidt"), command_id="first")
        ledger.execute(grant(BEIJING), actor=Actor("محمد"), reason="𝔄 — because", command_id="two")
        ledger.observe(traces(count))
        row = ledger.subject("person", "user 1")
        assert row is not None
        ledger.erase(row.subject)
        with pytest.raises(Refused):
            ledger.execute(grant(SHANGHAI), command_id="refused")


@contextmanager
def small_parts(rows: int) -> Iterator[None]:
    """Have copies made in many parts of a few rows each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite_stored, "PAGE", rows)
        patch.setattr(postgres_stored, "PAGE", rows)
        yield
