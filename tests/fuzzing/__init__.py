"""Fuzzers: odd input of every kind, made from a seed, and what must hold whatever comes.

    make fuzz                                 for some minutes; writers are killed as well
    make fuzz SEED=7 TARGETS=urls             one target, the same cases again
    python -m tests.fuzzing urls --seed 7 --case 1234

A target is a module with a context `target(folder)`, which yields a function: it makes one input by
the given chance, feeds it to the program, and returns how many bytes the input had. It raises Fault
where the program did what it must not. `campaign` draws cases, measures and reports.
"""

from typing import Final

TARGETS: Final = ("traces", "settings", "commands", "evidence", "exports", "urls")
"""The modules of this folder that are targets."""
