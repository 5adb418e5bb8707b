"""Finds JSON values in a text of any length: an array's elements, lines, an envelope's records.

Only a window of the text, around the value that is being read, is in memory.

    [{…},{…}]     {"Records":[{…},{…}]}     {…}⏎{…}⏎     {…}     {"meta_data":{…},"traces":[{…}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any, Final

from ledger.sources.broken_array import Search
from ledger.sources.files import Broken
from ledger.sources.json_window import DECODER, Missing, Window, is_cut_off

_LINES_CHARS_MAX: Final = 1 << 18
"""The first two lines, by which a file of lines is recognised, are searched for within so many
characters.
"""
_KEYS_MAX: Final = 32
_KEY_CHARS_MAX: Final = 256
"""An envelope's first key, with the white space around it, has at most so many characters."""
_line = re.compile(r"[^\n]*\S[^\n]*")
_two_lines = re.compile(r"(?:\s*\S[^\n]*\n){2}")


class _NextLine(Exception):
    """The next line has a record or an envelope of its own: nothing more is read of this one."""


class Values(Window):
    """The values of a text. Iterating yields each of them, and Broken for one that cannot be read.

    `place` is the place where the last one begins, such as `line 3, column 17`.
    """

    def __init__(
        self,
        pieces: Iterator[str],
        envelopes: Collection[str],
        preambles: Collection[str] = (),
        keys: Collection[str] = (),
    ) -> None:
        super().__init__(pieces)
        self._envelopes = frozenset(envelopes)
        around = "|".join(re.escape(key) for key in (*envelopes, *preambles)) or "(?!)"
        self._envelope_begins = re.compile(rf'{{[ \t\n\r]*"(?:{around})"[ \t\n\r]*:')
        self._keys = {*keys, *envelopes, *preambles}
        """The keys with which records and envelopes begin, also those read from arrays: a few
        suffice to recognise others.
        """
        self._keys_max = len(self._keys) + _KEYS_MAX
        self._is_between = False
        """Whether a record begins here behind a broken one: no comma is expected before it."""

    def __iter__(self) -> Iterator[Any]:
        if self._next() == "" and self._failure is None:
            yield Broken("", "the file is empty")
            return
        try:
            yield from self._lines() if self._is_lines() else self._documents()
        except Broken as broken:
            yield self._failure or self._to_end(broken)
            return
        if self._failure is not None:
            yield self._failure

    def _to_end(self, broken: Broken) -> Broken:
        """The break, with all the text from here on: none of it is read."""
        if broken.skipped is None:
            broken.begins, broken.skipped = self._place(self._at), 0
        self._skip(broken, len(self._window))
        broken.to_end = True
        try:
            broken.skipped += sum(map(_bytes, self._pieces))
        except Broken:
            broken.skipped = None
        return broken

    # -- kinds of text ---------------------------------------------------------------------------

    def _is_lines(self) -> bool:
        """Whether each line is a value: the first line is, or it is broken and the second is."""
        while not _two_lines.match(self._window) and len(self._window) < _LINES_CHARS_MAX:
            if not self._more():  # The first piece may be short: a gzip file has many members.
                break
        lines = [found[0] for _, found in zip(range(2), _line.finditer(self._window), strict=False)]
        if not lines or not lines[0].lstrip().startswith("{"):
            return False
        if self._envelope_begins.match(lines[0].lstrip()):
            return False  # Each of its records is reported with its own place.
        try:
            DECODER.decode(lines[0].strip())
        except json.JSONDecodeError as error:
            if is_cut_off(error, lines[0].strip()) or len(lines) == 1:
                return False
            try:
                return isinstance(DECODER.decode(lines[1].strip()), dict)
            except (ValueError, RecursionError):
                return False
        except (ValueError, RecursionError):
            return len(lines) > 1
        return True

    def _lines(self) -> Iterator[Any]:
        while True:
            end = self._window.find("\n", self._at)
            if end < 0:
                if self._more():
                    continue
                end = len(self._window)
            self._start, self._at = self._at, min(end + 1, len(self._window))
            line = self._window[self._start : end]
            if line and not line.isspace():
                try:
                    found = DECODER.decode(line)
                except (ValueError, RecursionError) as error:
                    if self._failure is None or self._at < len(self._window):
                        broken = self._broken(error, self._start, self._start)
                        broken.begins, broken.skipped = self._place(self._start), _bytes(line)
                        yield broken
                else:
                    yield from self._unwrapped(found)
            if self._at >= len(self._window) and not self._more():
                return

    def _documents(self) -> Iterator[Any]:
        while char := self._next():
            try:
                if char == "[":
                    yield from self._elements()
                elif char == "{" and self._is_envelope():
                    yield from self._members()
                else:
                    yield from self._unwrapped(self._value())
            except _NextLine:
                continue
            except Broken as broken:
                if broken.skipped is not None:
                    raise
                if isinstance(broken, Missing) and self._begins_line():
                    broken.skipped = 0
                    yield broken
                    continue
                try:
                    yield from self._read_on(broken, in_array=False)
                except _NextLine:
                    continue

    def _begins_line(self) -> bool:
        """Whether an object begins here, and a line with it."""
        return self._next() == "{" and self._line_and_column(self._at)[1] == 1

    def _is_envelope(self) -> bool:
        """Whether an envelope begins here. Its first key may lie in the next piece."""
        while ":" not in self._window[self._at : self._at + _KEY_CHARS_MAX]:
            if len(self._window) - self._at >= _KEY_CHARS_MAX or not self._more():
                break
        return self._envelope_begins.match(self._window, self._at) is not None

    def _elements(self) -> Iterator[Any]:
        """The elements of the array that begins here. Behind a broken one it is read on."""
        self._at += 1
        if self._next() == "]":
            self._at += 1
            return
        while True:
            try:
                value = self._element()
            except Broken as broken:
                yield from self._read_on(broken)
            else:
                if isinstance(value, dict) and len(self._keys) < self._keys_max:
                    self._keys.update(islice(value, 1))
                yield value
            while not self._window.startswith(",", self._at) and (char := self._next()) != ",":
                if char == "]":
                    self._at += 1
                    return
                missing = Broken(self._place(self._at), "expecting ']'")
                if char == "{":
                    if not self._is_between:
                        missing.skipped = 0
                        yield missing
                    break
                yield from self._read_on(missing)
            else:
                self._at += 1
            self._is_between = False

    def _read_on(self, broken: Broken, *, in_array: bool = True) -> Iterator[Any]:
        """Skip to the array's next record, or to its end; yield the break with what was skipped.

        A record that had to be read to be sure of it is yielded, too. Raises _NextLine if a line
        with a record of its own begins instead; Broken if there is nothing more.
        """
        if broken.to_end or self._failure is not None:
            raise broken
        broken.begins, broken.skipped = self._place(self._at), 0
        search = Search(self._window, self._at, self._keys, in_array=in_array)
        is_last = False
        while True:
            found = search.next(self._window, self._at, is_last=is_last)
            self._skip(broken, found.at)
            if found.what == "candidate":
                try:
                    value = self._value()
                except Broken as again:
                    if again.to_end:
                        raise
                    self._skip(broken, self._at + 1)
                    continue
                yield broken
                yield value
                return
            if found.what is not None:
                self._is_between = found.what == "record"
                yield broken
                if found.what == "line":
                    raise _NextLine
                return
            if is_last:
                raise broken
            is_last = not self._more()

    def _skip(self, broken: Broken, at: int) -> None:
        broken.skipped = (broken.skipped or 0) + _bytes(self._window[self._at : at])
        self._at = at

    def _members(self) -> Iterator[Any]:
        """The records in the envelope that begins here. Its other members are skipped."""
        self._expect("{")
        while True:
            key = self._value() if self._next() == '"' else None
            self._expect(":")
            if key in self._envelopes and self._next() == "[":
                yield from self._elements()
            elif key in self._envelopes:
                yield self._value()
            else:
                self._value()
            if self._next() == "}":
                self._at += 1
                return
            self._expect(",")

    def _unwrapped(self, value: Any) -> Iterator[Any]:
        """The records of an envelope that was read as one value; any other value is a record."""
        if isinstance(value, dict):
            for key in self._envelopes & value.keys():
                if isinstance(value[key], list):
                    yield from value[key]
                    return
                if isinstance(value[key], dict):
                    yield value[key]
                    return
        yield value


def _bytes(text: str) -> int:
    """How many bytes of UTF-8 a text was; bytes that are not valid are lone surrogates in it."""
    try:
        return len(text.encode(errors="surrogateescape"))
    except UnicodeEncodeError:  # A lone surrogate of UTF-16.
        return len(text.encode(errors="surrogatepass"))
