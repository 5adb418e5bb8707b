"""Work on all cores: the results come in order, and a program that uses us needs no guard."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from projections.maintenance.all_cores import on_all_cores

SCRIPT = """
from projections.maintenance.all_cores import on_all_cores
print("begun")
print([*on_all_cores(len, [[1], [2, 3], []], 2)])
"""


def test_the_results_come_in_the_order_of_the_runs() -> None:
    assert [*on_all_cores(len, [[1] * number for number in range(9)], 2)] == [*range(9)]


def test_a_script_without_a_guard_is_not_executed_again(tmp_path: Path) -> None:
    script = tmp_path / "report.py"
    script.write_text(SCRIPT)
    for given in ([str(script)], ["-c", SCRIPT], ["-"]):
        done = subprocess.run(
            [sys.executable, *given],
            input=SCRIPT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout, done.stderr) == ("begun\n[1, 2, 0]\n", "")
