"""Finds JSON values in a text of any length: an array's elements, lines, an envelope's records.

Only a window of the text, around the value that is being read, is in memory.

    [{…},{…}]     {"Records":[{…},{…}]}     {…}⏎{…}⏎     {…}     {"meta_data":{…},"traces":[{…}]}
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Generator, Iterator
from itertools import islice
from typing import Any, Final

from ledger.sources.broken_array import Search
from ledger.sources.files import Broken
from ledger.sources.json_window import DECODER, Missing, Window, bytes_of, is_cut_off

_LINES_CHARS_MAX: Final = 1 << 18
"""The first two lines, by which a file of lines is recognised, are searched for within so many
characters.
"""
_STRANGER_CHARS_MAX: Final = 1 << 18
"""A record with a key that no other has is recognised behind a broken one up to so many characters:
what seems to begin there may hold the rest of the text.
"""
_KEYS_MAX: Final = 32
_KEY_CHARS_MAX: Final = 256
"""An envelope's first key, with the white space around it, has at most so many characters."""
_SWALLOWED_DEPTH_MAX: Final = 8
_closing = re.compile(r"[\]}\s]*")
_next_document = re.compile(r"[\]}\s]*\n[ \t\r]*[\[{]")
_into_record = re.compile(r",\s*\{\s*\Z")
_first_key = re.compile(r'\{\s*"([^"\\]{1,256})"\s*:')
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
        is_record: Callable[[Any], bool] = lambda _: False,
    ) -> None:
        super().__init__(pieces)
        self._envelopes = frozenset(envelopes)
        around = "|".join(re.escape(key) for key in (*envelopes, *preambles)) or "(?!)"
        self._envelope_begins = re.compile(rf'{{[ \t\n\r]*"(?:{around})"[ \t\n\r]*:')
        keys_of = "|".join(map(re.escape, envelopes)) or "(?!)"
        self._envelope_key = re.compile(rf'"(?:{keys_of})"[ \t\n\r]*:[ \t\n\r]*\[')
        self._keys = {*keys, *envelopes, *preambles}
        """The keys with which records and envelopes begin, also those read from arrays: a few
        suffice to recognise others.
        """
        self._keys_max = len(self._keys) + _KEYS_MAX
        self._is_between = False
        """Whether a record begins here behind a broken one: no comma is expected before it."""
        self._is_record = is_record
        self._is_inner = False
        """Whether the array's depth is not known, because a broken record seemed to hold others, or
        to end the array.
        """
        self._is_array_read = False
        """Whether an array was read: a bracket of a broken record may have seemed to end it."""

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
            broken.skipped += sum(map(bytes_of, self._pieces))
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
                        broken.begins, broken.skipped = self._place(self._start), bytes_of(line)
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
                    yield from self._whole()
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
                    yield from self._behind(broken)
                except _NextLine:
                    continue

    def _behind(self, broken: Broken) -> Iterator[Any]:
        """Read on behind a break outside of arrays: an array that only seemed to have ended may go
        on. No comma stands between documents.
        """
        if not self._is_array_read and not self._window.startswith(",", self._at):
            yield from self._read_on(broken, in_array=False)
            return
        self._is_inner = True
        yield from self._read_on(broken)
        yield from self._rest_of_array()
        while self._next() in {"]", "}"}:  # They close what seemed to be closed before.
            self._at += 1

    def _whole(self) -> Iterator[Any]:
        """The value that begins here. One that is broken behind an envelope's key is read member by
        member.
        """
        try:
            value = self._apart(self._value())
        except Broken as broken:
            if broken.to_end or not self._envelope_key.search(self._window, self._at, self._fault):
                raise
            self._keys.update(_first_key.findall(self._window, self._at, self._fault)[:1])
            yield from self._members()
        else:
            yield from self._unwrapped(value)

    def _apart(self, value: Any) -> Any:
        """The value that was read, unless it is a text up to the first quote of another record:
        then a quote is too many before it. Raises Broken.
        """
        if isinstance(value, str) and _into_record.search(value):
            self._at = self._fault = self._start
            raise Broken(self._place(self._at), "a text ends within a record")
        return value

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
        self._is_array_read = True
        if self._next() == "]":
            self._at += 1
            return
        self._is_inner = False
        value = yield from self._one()
        yield from self._rest_of_array(value)

    def _rest_of_array(self, value: Any = None) -> Iterator[Any]:
        """The elements behind `value`, which is read already."""
        while True:
            if self._window.startswith(",", self._at):
                self._at += 1
            elif (yield from self._is_end(value)):
                return
            self._is_between = False
            value = yield from self._one(value)

    def _one(self, before: Any = None) -> Generator[Any, None, Any]:
        """Yield the next element and return it. If it is broken, yield the break, and what is found
        behind it; return the element before it.
        """
        try:
            value = self._apart(self._element())
        except Broken as broken:
            yield from self._read_on(broken)
            return before
        if isinstance(value, dict) and len(self._keys) < self._keys_max:
            self._keys.update(islice(value, 1))
        yield value
        return value

    def _is_end(self, value: Any) -> Generator[Any, None, bool]:
        """Whether the array ends behind an element. If neither its end nor a comma stands there,
        yield the break, and what is found behind it.
        """
        while (char := self._next()) != ",":
            if char == "]" and not (self._is_inner and self._goes_on()):
                self._at += 1
                return True
            missing = Broken(self._place(self._at), "expecting ']'")
            if char == "{":
                if not self._is_between:
                    missing.skipped = 0
                    yield missing
                return False
            if char == "":
                yield from self._swallowed(value)
            yield from self._read_on(missing)
        self._at += 1
        return False

    def _goes_on(self) -> bool:
        """Whether more than the brackets of the array's end follows: neither the text's end, nor a
        line that begins with another document.
        """
        while self._closes(self._window) and self._more():
            pass
        is_over = self._closes(self._window) or _next_document.match(self._window, self._at)
        return not is_over

    def _closes(self, window: str) -> bool:
        return _closing.fullmatch(window, self._at) is not None

    def _swallowed(self, value: Any, depth: int = _SWALLOWED_DEPTH_MAX) -> Iterator[Any]:
        """The records in lists within a record: if the array is not closed, the record's own list
        was cut, and the array's other records seem to belong to it.
        """
        if depth == 0 or not isinstance(value, dict | list) or self._is_envelope_read(value):
            return
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(value, list) and self._is_record(part):
                yield part
            else:
                yield from self._swallowed(part, depth - 1)

    def _is_envelope_read(self, value: Any) -> bool:
        return isinstance(value, dict) and not self._envelopes.isdisjoint(value)

    def _read_on(self, broken: Broken, *, in_array: bool = True) -> Iterator[Any]:
        """Skip to the array's next record, or to its end; yield the break with what was skipped.

        A record that had to be read to be sure of it is yielded, too. Raises _NextLine if a line
        with a record of its own begins instead; Broken if there is nothing more.
        """
        if broken.to_end or self._failure is not None:
            raise broken
        broken.begins, broken.skipped = self._place(self._at), 0
        search = Search(
            self._window, self._at, self._keys, in_array=in_array, is_lost=self._is_inner
        )
        is_last = False
        while True:
            found = search.next(self._window, self._at, is_last=is_last)
            self._skip(broken, found.at)
            if found.what in {"candidate", "stranger", "inner", "strange line"}:
                record = self._candidate(broken, found.what)
                if record is None:
                    continue
                yield broken
                yield record
                if found.what == "strange line":
                    raise _NextLine
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

    def _candidate(self, broken: Broken, what: str) -> Any:
        """The record that begins here; None if it cannot be read, or is only a part of another."""
        try:
            value = (
                self._short(_STRANGER_CHARS_MAX) if what.startswith("strange") else self._value()
            )
        except Broken as again:
            if again.to_end:
                raise
            if what == "candidate":
                self._skip(broken, self._at + 1)
            return None
        if what != "candidate" and not self._is_record(value):
            self._at = self._start  # The search goes on behind its bracket.
            return None
        self._is_inner = self._is_inner or what == "inner"
        return value

    def _members(self) -> Iterator[Any]:
        """The records in the envelope that begins here. Its other members are skipped; a key of an
        envelope with another value stands for a record, if there is no array at all.
        """
        self._expect("{")
        others: list[Any] | None = []
        while True:
            key = self._value() if self._next() == '"' else None
            self._expect(":")
            if key in self._envelopes and self._next() == "[":
                yield from self._elements()
                others = None
            elif key not in self._envelopes:
                self._value()
            elif isinstance(value := self._value(), dict):
                yield value
            elif others is not None:
                others.append({key: value})
            if self._next() == "}":
                self._at += 1
                yield from others or ()
                return
            self._expect(",")

    def _unwrapped(self, value: Any) -> Iterator[Any]:
        """The records of an envelope that was read as one value; any other value is a record."""
        held = [key for key in value if key in self._envelopes] if isinstance(value, dict) else []
        arrays = [value[key] for key in held if isinstance(value[key], list)]
        objects = [value[key] for key in held if isinstance(value[key], dict)]
        for each in arrays:
            yield from each
        yield from objects
        if not arrays and not objects:
            yield value
