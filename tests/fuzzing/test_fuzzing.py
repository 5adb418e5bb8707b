"""A short run of every fuzzer with the same cases each time; `make fuzz` runs others."""

from __future__ import annotations

import os
from importlib import import_module

import pytest

from tests.fuzzing import TARGETS
from tests.fuzzing.campaign import fuzz

SEED = int(os.environ.get("AUTHLEDGER_TEST_SEED", "1"))
CASES = 60


@pytest.mark.parametrize("name", TARGETS)
def test_no_odd_input_causes_a_bug_or_takes_longer_than_its_size_allows(name: str) -> None:
    report = fuzz(name, import_module(f"tests.fuzzing.{name}").target, SEED, range(CASES))
    assert report.cases == CASES
    assert not report.faults, "\n\n".join(report.faults)
