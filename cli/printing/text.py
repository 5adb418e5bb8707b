"""How one value is written as text: what does not print is escaped.

Names come from the clouds' traces, and may hold escape sequences or characters that turn the
direction of writing.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping


def safe(text: str) -> str:
    r"""The text with everything escaped that does not print, as `\x1b` or `\u202e`."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or unicodedata.category(char) == "Zs" else _escaped(char)
        for char in text
    )


def _escaped(char: str) -> str:
    return (
        char.encode("unicode_escape").decode()
        if not "\ud800" <= char <= "\udfff"
        else (f"\\u{ord(char):04x}")
    )


def as_cell(value: object) -> str:
    """A value as a table shows it: absent is empty, lists stand with commas."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(as_cell(item) for item in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def width_of(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of so many cells, broken at spaces alone: a longer word stays whole."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and width_of(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
