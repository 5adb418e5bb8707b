"""Fuzzers: unusual input of every kind, generated from a seed, and the conditions for any input.

    make fuzz                                 for some minutes; also kills writers
    make fuzz SEED=7 TARGETS=urls             one target, the same cases again
    python -m tests.fuzzing urls --seed 7 --case 1234

A target is a module with a context manager `target(folder)`, which yields a function. The function
generates one input from the given random generator, feeds it to the program, and returns the size
of the input in bytes. It raises Fault if the program did something that it must not do. `campaign`
draws cases, measures and reports.
"""

from typing import Final

TARGETS: Final = ("traces", "settings", "commands", "evidence", "exports", "urls")
"""The modules of this folder that are targets."""
