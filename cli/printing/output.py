"""Prints data on stdout as table, json, jsonl or csv, and notes on stderr.

Names come from the clouds' traces, and may hold escape sequences or characters that turn the
direction of writing. A terminal is shown those in escaped form; json stays exact, and csv with
--raw. Without it, a text in csv that a spreadsheet would calculate gets an apostrophe in front.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from enum import StrEnum
from typing import Any

from cli.printing.columns import Choice, picked
from cli.printing.text import as_cell, safe, wrapped

raw_csv: ContextVar[bool] = ContextVar("raw_csv", default=False)
"""Whether the command that runs was given --raw."""


class Output(StrEnum):
    """The forms in which data can be printed."""

    TABLE = "table"
    JSON = "json"
    JSONL = "jsonl"
    CSV = "csv"


def output_named(text: str) -> Output:
    """The form of output with a name. Raises InvalidInput."""
    if text in list(Output):
        return Output(text)
    from ledger.errors import InvalidInput
    from ledger.near_words import did_you_mean

    raise InvalidInput(
        f"The form of output {text!r} is not valid.", remedy=did_you_mean(text, Output)
    )


def escape_what_does_not_encode(stream: object) -> None:
    r"""Let a text stream write escapes, such as `\u5317`, for what its encoding does not have."""
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")


def out(*lines: str) -> None:
    """Lines of data for a person."""
    sys.stdout.write("".join(f"{safe(line)}\n" for line in lines))


def out_wrapped(text: str, *, indent: str) -> None:
    """A sentence for a person: on a terminal wrapped at spaces, anywhere else on one line."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    out(*(f"{indent}{line}" for line in wrapped(safe(text), width - len(indent))))


def say(text: str) -> None:
    """Print a note on stderr: how a time was resolved, what is going on."""
    _flush()
    _note("\n".join(safe(line) for line in text.split("\n")) + "\n")


def warn(text: str) -> None:
    """Print an error or a warning on stderr, in red on a terminal that has colours."""
    _flush()
    text = safe(text)
    _note(f"\x1b[31m{text}\x1b[0m\n" if coloured(sys.stderr) else f"{text}\n")


def _note(text: str) -> None:
    """Write to stderr. A note that cannot be written is lost; the exit code stays as it is."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def silence(stream: Any) -> None:
    """Send later output to the null device, so that the interpreter's last flush does not fail."""
    # A test's buffer is not a real file; it has no reader that could leave.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _flush() -> None:
    """Keep the two streams in order. A failure to write is reported when the program ends."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()


def coloured(stream: Any) -> bool:
    """Whether a stream is a terminal that wants colours (https://no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def show(
    form: Output,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    headings: Sequence[str] | None = None,
    empty: str = "Nothing.",
    records: Iterable[Mapping[str, Any]] | None = None,
    choice: Choice | None = None,
    whole: bool = False,
) -> None:
    """Print rows in the form that was asked for.

    `records` are what json and jsonl print, where that is more than the table's cells. `choice` is
    what --columns chose, None for a command without that option. `whole`: a table that does not fit
    the terminal becomes blocks, and no column is left out.
    """
    if choice is not None and choice.is_given:
        places = choice.places(columns)
        columns, headings, whole = picked(columns, places), None, True
        rows = [picked(row, places) for row in rows]
    if form is Output.TABLE:
        shown = headings or [name.replace("_", " ") for name in columns]
        _draw(shown, rows, empty, choice, whole=whole)
    elif form is Output.CSV:
        lines = _Lines()
        writer = csv.writer(lines)
        written = _csv_text if raw_csv.get() else _unformulated
        writer.writerow(map(written, columns))
        writer.writerows([written(value) for value in row] for row in rows)
        exact("".join(lines))
    else:
        documents = records or (dict(zip(columns, row, strict=True)) for row in rows)
        show_documents(form, documents)


def _draw(
    headings: Sequence[str],
    rows: Iterable[Sequence[Any]],
    empty: str,
    choice: Choice | None,
    *,
    whole: bool,
) -> None:
    from cli.printing.table import draw

    drawn, notes = draw(headings, rows, whole=whole)
    if not drawn and empty:
        say(empty)
    if notes:
        how = "" if choice is None else "--columns NAME,NAME, "
        notes.append(f"To see all columns: {how}-o json or a wider terminal.")
        width = shutil.get_terminal_size().columns
        say("\n".join(line for note in notes for line in wrapped(note, width)))


def show_documents(form: Output, documents: Iterable[Mapping[str, Any]]) -> None:
    """Print documents: one JSON array, or one document a line."""
    lines = [json.dumps(document, ensure_ascii=False) for document in documents]
    if form is Output.JSONL:
        exact("".join(f"{line}\n" for line in lines))
    elif lines:
        exact("[\n  " + ",\n  ".join(lines) + "\n]\n")
    else:
        exact("[]\n")


def show_document(form: Output, document: Mapping[str, Any]) -> None:
    """Print one document as JSON, on one line for jsonl."""
    indent = None if form is Output.JSONL else 2
    exact(json.dumps(document, ensure_ascii=False, indent=indent) + "\n")


def exact(text: str) -> None:
    """Print data unchanged, in UTF-8 whatever the locale.

    On a terminal, what does not print is written as JSON's own escape, which is the same value.
    """
    if sys.stdout.isatty():
        text = "\n".join(_json_safe(line) for line in text.split("\n"))
    sys.stdout.flush()
    stream = getattr(sys.stdout, "buffer", None)
    if stream is None:
        sys.stdout.write(text)
        return
    stream.write(_as_utf8(text))
    stream.flush()


def _as_utf8(text: str) -> bytes:
    """Bytes that were not text are written as they are; a lone surrogate as JSON's own escape."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace")


def _json_safe(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or unicodedata.category(char) == "Zs"
        else json.dumps(char)[1:-1]
        if char != "\x7f"
        else "\\u007f"
        for char in text
    )


class _Lines(list[str]):
    """The rows of a csv.writer, as lines. It quotes a carriage return only if rows end with one."""

    def write(self, row: str) -> None:
        self.append(row.removesuffix("\r\n") + "\n")


def _csv_text(value: object) -> object:
    if isinstance(value, list | tuple):
        return " ".join(as_cell(item) for item in value)
    return as_cell(value) if isinstance(value, bool | Mapping) else value


_number = re.compile(r"[+-]?\d+([.,]\d+)?")
_formula = re.compile(r"(^|[;\t\r\n])(?=[=+\-@\t\r\n＝＋－＠])")
"""Where a formula begins: in front, or behind what some spreadsheets separate cells by."""


def _unformulated(value: object) -> object:
    """A cell that no spreadsheet calculates: https://owasp.org/www-community/attacks/CSV_Injection.

    Numbers stay numbers.
    """
    text = _csv_text(value)
    if not isinstance(text, str) or _number.fullmatch(text):
        return text
    return _formula.sub(r"\1'", text)
