"""Reads one JSON value at a time from a text of any length, and counts lines and columns.

……,{…},{…},{…},……        Only a window around the value that is being read is in memory.
       └─ window ─┘
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import orjson

from ledger.sources.fields import Unreadable
from ledger.sources.files import Broken

VALUE_CHARS_MAX: Final = 1 << 26
"""The most characters that a record may have. Real ones have a few thousand."""
ESCAPE_CHARS_MAX: Final = 12
"""An error so near to the window's end may vanish with more text: an escape or a word is cut."""

DECODER: Final = json.JSONDecoder()
_HEAD_CHARS: Final = 12
"""The beginning of another record is recognised by so many characters: `{"eventVersi`."""
_RECORD_CHARS_MAX: Final = 8_192
"""Another beginning is searched for within so many characters. Where records begin differently, the
search is in vain.
"""
_EXPONENT_CHARS: Final = len("e+1")
"""A number so near to the window's end may go on."""
_space = re.compile(r"[ \t\n\r]*")


class Missing(Broken):
    """A bracket or a separator is missing; what stands in its place may be whole."""


class Window:
    """A part of a text, which moves on over the values that are read.

    `place` is the place where the last one begins, such as `line 3, column 17`.
    """

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces = pieces
        self._window = ""
        self._at = 0
        self._start = 0
        self._line = 1
        self._column = 1
        self._counted = 0
        """The index in the window whose line and column these are."""
        self.expects_no_fact = True
        """Whether the next value probably yields no fact: then orjson may read it, which is faster,
        but not exact.
        """
        self._is_first_reading = False
        """Whether orjson read the last value; `exactly` would read it again."""
        self._fault = 0
        """The index in the window at which the last value that cannot be read is at fault."""
        self._failure: Broken | None = None
        """The reason why the text ended early, if it did."""

    @property
    def place(self) -> str:
        self._count(self._start)
        return self._place(self._start)

    def _element(self) -> Any:
        """An element. It is nearly always an object, and the next one begins as it does.

        A JSON object defines its own end, so the text between two such beginnings is one object, or
        it is not JSON. orjson reads it in half the time; `exactly` reads it again.
        """
        window, start = self._window, self._at
        if not self.expects_no_fact or not window.startswith("{", start):
            return self._value()
        head = window[start : start + _HEAD_CHARS]
        end = window.find(f",{head}", start, start + _RECORD_CHARS_MAX)
        if end > 0:
            try:
                value = orjson.loads(window[start:end])
            except ValueError:  # Python's reader may still accept it: NaN, lone surrogates.
                return self._value()
            self._start, self._at, self._is_first_reading = start, end, True
            return value
        return self._value()

    def exactly(self, value: Any) -> Any:
        """The value that was yielded last, read by Python's reader: numbers of any size are exact.

        Raises Unreadable for values that only orjson accepts: very deep nesting, very long numbers.
        """
        if not self._is_first_reading:
            return value
        try:
            return DECODER.raw_decode(self._window, self._start)[0]
        except (ValueError, RecursionError) as error:
            raise Unreadable(str(error)) from error

    def _value(self) -> Any:
        """The value that begins here, complete. Raises Broken."""
        self._next()
        while True:
            at = self._at
            try:
                value, end = DECODER.raw_decode(self._window, at)
            except (ValueError, RecursionError) as error:
                if is_cut_off(error, self._window) and self._more():
                    continue
                raise self._broken(error, self._at, self._at - at) from None
            is_cut = isinstance(value, int | float) and len(self._window) - end < _EXPONENT_CHARS
            if is_cut and self._more():
                continue  # The number may go on.
            end += self._at - at  # At the text's end, too, the text before the value is dropped.
            self._start, self._at, self._is_first_reading = self._at, end, False
            return value

    def _short(self, chars_max: int) -> Any:
        """The value that begins here, if it has at most so many characters. Raises Broken."""
        while len(self._window) - self._at < chars_max and self._more():
            pass
        try:
            value, end = DECODER.raw_decode(self._window[self._at : self._at + chars_max])
        except (ValueError, RecursionError) as error:
            raise self._broken(error, self._at, self._at) from None
        self._start, self._at, self._is_first_reading = self._at, self._at + end, False
        return value

    def _next(self) -> str:
        """The next character that is not white space, without consuming it; empty at the end."""
        if self._at < len(self._window) and (char := self._window[self._at]) not in " \t\n\r":
            return char
        while True:
            at = _space.match(self._window, self._at).end()  # type: ignore[union-attr]
            self._at = at
            if at < len(self._window):
                return self._window[at]
            if not self._more():
                return ""

    def _expect(self, char: str) -> None:
        if self._next() != char:
            raise Missing(self._place(self._at), f"expecting {char!r}")
        self._at += 1

    def _more(self) -> bool:
        """Drop the consumed text, and read as much again as is left; False at the end."""
        self._count(self._at)
        held = self._window[self._at :]
        self._at = self._counted = 0
        if len(held) > VALUE_CHARS_MAX:
            self._window = held
            message = f"a value is longer than {VALUE_CHARS_MAX} characters"
            raise Broken(self._place(0), message, to_end=True)
        fresh: list[str] = []
        wanted = max(len(held), 1)
        while wanted > 0 and self._failure is None:
            try:
                piece = next(self._pieces, None)
            except Broken as failure:
                self._failure = failure
                break
            if piece is None:
                break
            fresh.append(piece)
            wanted -= len(piece)
        self._window = held + "".join(fresh)
        return len(self._window) > len(held)

    def _skip(self, broken: Broken, at: int) -> None:
        """Move on to `at`; the break counts what is not read."""
        broken.skipped = (broken.skipped or 0) + bytes_of(self._window[self._at : at])
        self._at = at

    def _count(self, index: int) -> None:
        """Count lines up to where a value begins or ends. Each character is counted once."""
        self._line, self._column = self._line_and_column(index)
        self._counted = index

    def _line_and_column(self, index: int) -> tuple[int, int]:
        lines = self._window.count("\n", self._counted, index)
        if not lines:
            return self._line, self._column + index - self._counted
        return self._line + lines, index - self._window.rfind("\n", self._counted, index)

    def _place(self, index: int) -> str:
        line, column = self._line_and_column(index)
        return f"line {line}, column {column}"

    def _broken(self, error: Exception, start: int, origin: int) -> Broken:
        """The break of a value that begins at `start`; the error counts from `origin`."""
        self._count(start)
        self._fault = start
        if isinstance(error, json.JSONDecodeError):
            self._fault = origin + error.pos
            return Broken(self._place(origin + error.pos), error.msg)
        if isinstance(error, RecursionError):
            return Broken(self._place(start), "nested too deeply")
        return Broken(self._place(start), str(error))


def is_cut_off(error: Exception, text: str) -> bool:
    """Whether the error might vanish with more text."""
    return isinstance(error, json.JSONDecodeError) and (
        error.msg.startswith("Unterminated string") or error.pos >= len(text) - ESCAPE_CHARS_MAX
    )


def bytes_of(text: str) -> int:
    """How many bytes of UTF-8 a text was; bytes that are not valid are lone surrogates in it."""
    try:
        return len(text.encode(errors="surrogateescape"))
    except UnicodeEncodeError:  # A lone surrogate of UTF-16.
        return len(text.encode(errors="surrogatepass"))
