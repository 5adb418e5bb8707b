"""Compares an output with the lines of it that a document shows."""

from __future__ import annotations

import re


def fits(shown: list[str], output: str) -> bool:
    """Whether an output has the lines that are shown, in their order.

    A line `…` stands for any lines, `…` within a line for anything; runs of spaces may differ.
    """
    return re.fullmatch(pattern(shown), output) is not None


def pattern(shown: list[str]) -> str:
    parts = [
        r"(?:[^\n]*\n)*?" if line == "…" else _line_pattern(line) + r"\s*?\n" for line in shown
    ]
    return "".join(parts)


def _line_pattern(line: str) -> str:
    words = re.split(r"(…|\s+)", line)
    return "".join(
        "[^\n]*?" if word == "…" else r"\s+" if word.isspace() else re.escape(word)
        for word in words
    )
