"""A few hundred odd inputs; `python -m tests.sources.fuzz` reads more."""

from __future__ import annotations

from tests.sources.fuzz import run


def test_odd_traces_crash_nothing_lose_no_neighbour_and_are_accounted_for() -> None:
    result = run(400, seed=0)
    assert result.inputs == 400
    assert result.faults == []
