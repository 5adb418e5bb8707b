"""A batch of traces: few reads of the ledger, and no run of Python's garbage collector."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.account.usage import TemporaryCredentialIssued as Issued
from ledger.application import Ledger, Observation
from tests.ledger.worlds import traces


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db") as opened:
        yield opened


def uses(count: int) -> list[Observation]:
    """The same traces with a use each, of another agency: so each has a stream of its own."""
    return [
        replace(each, events=(Issued(agency=f"own {n}", region="r"),))
        for n, each in enumerate(traces(count))
    ]


def test_the_versions_of_all_streams_of_a_batch_are_read_at_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[list[str]] = []
    max_versions = ledger.entries.max_versions

    def counted(streams: Iterable[str]) -> dict[str, int]:
        read.append([*streams])
        return max_versions(read[-1])

    monkeypatch.setattr(ledger.entries, "max_versions", counted)
    assert ledger.observe(uses(50)).new_traces == 50
    assert sorted(map(len, read)) in ([50], [0, 50])
    again = [
        replace(each, source=replace(each.source, trace_id=f"{n}"))
        for n, each in enumerate(uses(50))
    ]
    assert ledger.observe(again).new_traces == 50
    assert [
        entry.version for entry in ledger.history() if entry.type == "TemporaryCredentialIssued"
    ] == ([1] * 50 + [2] * 50)


def seen_by(observed: list[Observation], seen: list[bool]) -> Iterator[Observation]:
    for each in observed:
        seen.append(gc.isenabled())
        yield each


def test_the_collector_is_off_while_traces_are_read_and_on_again_afterwards(ledger: Ledger) -> None:
    seen: list[bool] = []
    ledger.observe(seen_by(traces(3), seen))
    assert seen == [False] * 3
    assert gc.isenabled()


def test_the_collector_is_on_again_after_a_failure_and_after_control_c(ledger: Ledger) -> None:
    for failure in (OSError("the disk is gone"), KeyboardInterrupt()):

        def failing(failure: BaseException = failure) -> Iterator[Observation]:
            yield from traces(1)
            raise failure

        with pytest.raises(type(failure)):
            ledger.observe(failing())
        assert gc.isenabled()


def test_a_collector_that_was_off_stays_off(ledger: Ledger) -> None:
    gc.disable()
    try:
        ledger.observe(traces(3))
        assert not gc.isenabled()
    finally:
        gc.enable()
