"""A short run of every fuzzer, the same cases each time; `make fuzz` goes on from any seed."""

from __future__ import annotations

import os
from importlib import import_module

import pytest

from tests.fuzzing import TARGETS
from tests.fuzzing.campaign import fuzz

SEED = int(os.environ.get("AUTHLEDGER_TEST_SEED", "1"))
CASES = 60


@pytest.mark.parametrize("name", TARGETS)
def test_no_odd_input_is_a_bug_or_costs_more_than_its_size(name: str) -> None:
    report = fuzz(name, import_module(f"tests.fuzzing.{name}").target, SEED, range(CASES))
    assert report.cases == CASES
    assert not report.faults, "\n\n".join(report.faults)
