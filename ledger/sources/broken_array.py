"""Finds the next record of an array behind a broken one.

The text behind the fault is read token by token, so that brackets within texts do not count. A
record begins at the array's own depth, with a key with which records of this array begin. If the
brackets or the quotes do not fit together, the depth is not known any more: then a record is only
recognised by such a key, behind a comma. A text cannot have that by chance, because quotes are
escaped in it. An object with another key, there or in a line, is a record only if it reads as one.

    [{"a":1},{"a":},{"a":3}]       the depth is known: goes on at {"a":3}
    [{"a":1},{"a":"x,{"a":3}]      the quotes do not fit: goes on at ,{"a":

A record that is cut within a list of its own seems to hold all that follow: one that begins there,
behind a comma, is only a candidate.

    [{"a":1},{"a":[,{"a":3}]       goes on at ,{"a":
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Final, Literal, NamedTuple

HEAD_CHARS_MAX: Final = 1_024
"""A comma, white space and the first key of a record have at most so many characters."""

_token = re.compile(
    r'[ \t\n\r]+|"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"|[{}\[\],:]|[^\s{}\[\],:"]+'
)
_KEY: Final = r'"[^"\\\x00-\x1f]{1,256}"'
_first_key = re.compile(rf"\{{[ \t\n\r]*({_KEY})[ \t\n\r]*:")
_end = re.compile(r"\][ \t\n\r]*(?:[,}\[{\]]|$)")
_BEFORE: Final = {True: r"(?:\n|,[ \t\n\r]{0,256})", False: r"\n"}
"""The text before a record: in an array, and where each has its own line."""
_CLOSES: Final = {"}": "{", "]": "["}
_WORD: Final = "word"


class Found(NamedTuple):
    """`at`: the text before it is not needed any more. `what`: what begins there.

    `record`: the next record. `candidate`: it is one if it can be read. `stranger`: it begins with
    another key, and is one if it reads as one. `inner`: the same, and it seems to lie within the
    broken one. `end`: the array's end.
    `line`: a line with a record or an envelope of its own. `strange line`: the same of a stranger.
    None: nothing yet, more text is needed.
    """

    at: int
    what: Literal["record", "candidate", "stranger", "inner", "end", "line", "strange line"] | None


class Search:
    """A search that begins where a record is broken, or where a separator is missing.

    `keys`: those with which other records begin. `in_array`: whether the array goes on behind it;
    otherwise only a line with a record of its own is searched for. `is_lost`: whether the depth is
    not known from the beginning.
    """

    def __init__(
        self,
        window: str,
        at: int,
        keys: Collection[str],
        *,
        in_array: bool = True,
        is_lost: bool = False,
    ) -> None:
        own = _first_key.match(window, at)
        heads = {json.dumps(key, ensure_ascii=False) for key in keys} | ({own[1]} if own else set())
        self._begins = "|".join(map(re.escape, sorted(heads))) or "(?!)"
        self._head = re.compile(
            rf"{_BEFORE[in_array]}(?=\{{[ \t\n\r]{{0,256}}(?:(?P<known>{self._begins})|{_KEY})"
            r"[ \t\n\r]{0,64}:)"
        )
        record = rf"\{{[ \t\n\r]*(?:{self._begins})" if heads else r"\{"
        self._record = re.compile(record)
        self._stray = re.compile(rf"\]{record}")
        """A bracket directly before a record. Another document has a line of its own."""
        self._open: list[str] = []
        self._last = ""
        """The token before, without white space: a bracket, a separator or _WORD."""
        self._ahead = 0
        """So many characters behind `at` are read already: the last token. It may be at fault."""
        self._is_lost = is_lost or not in_array
        self._is_first = window.startswith("{", at)

    def next(self, window: str, at: int, *, is_last: bool) -> Found:
        """Search on from `at`. `is_last`: no more text follows the window."""
        found = None if self._is_lost else self._by_depth(window, at, is_last=is_last)
        if found and not self._is_lost:
            return found
        at = found.at if found else at
        head = self._head.search(window, at)
        if head and head["known"]:
            return Found(head.end(), "line" if head[0] == "\n" else "candidate")
        if head:
            return Found(head.end(), "strange line" if head[0] == "\n" else "stranger")
        return Found(max(at, len(window) - (0 if is_last else HEAD_CHARS_MAX)), None)

    def _by_depth(self, window: str, at: int, *, is_last: bool) -> Found:
        """Read tokens up to a record, or to the last one before the depth is lost."""
        keep, index = at, at + self._ahead
        while index < len(window):
            token = _token.match(window, index)
            if token is None:
                self._is_lost = is_last or not _may_go_on(window, index)
                break
            if len(window) - index < HEAD_CHARS_MAX + len(token[0]) and not is_last:
                break  # The token, or the key behind it, may go on.
            if not token[0].isspace():
                what = self._take(token[0], window, index)
                if what:
                    self._ahead = len(token[0])
                    return Found(index, what)
                if self._is_lost:
                    break
                keep = index
            index = token.end()
        self._ahead = index - keep
        return Found(keep, None)

    def _take(self, word: str, window: str, index: int) -> Literal["record", "inner", "end"] | None:
        """Take a token; return what begins with it at the array's depth, or in a list within."""
        if not self._open and not self._is_first:
            if word == "{" and self._record.match(window, index):
                return "record"
            if word == "]" and self._last in {"", ","} and self._stray.match(window, index):
                self._last = ","
                return None
            if word == "]" and _end.match(window, index):
                return "end"
        is_inner = word == "{" and self._last == "," and self._open[-1:] == ["["]
        self._is_lost = not (self._fits(word) if self._open else self._fits_between(word))
        self._is_first = False
        if word in _CLOSES and not self._is_lost:
            self._open.pop()
        elif word in "{[":
            self._open.append(word)
        self._last = word if word in "{}[],:" else _WORD
        return "inner" if is_inner and self._record.match(window, index) else None

    def _fits_between(self, word: str) -> bool:
        """Whether a token can stand at the array's depth: an object that is not like the records
        of the array is probably a part of the broken one.
        """
        if word == "{":
            return self._is_first
        return word == "," or (word not in "}]:" and self._last in {"", ","})

    def _fits(self, word: str) -> bool:
        """Whether a token within an element can follow the one before it."""
        around = self._open[-1]
        if word in _CLOSES:  # A value may be missing before it, in an object.
            return around == _CLOSES[word] and (word == "}" or self._last != ",")
        if word in "{[":
            return self._last == ":" if around == "{" else self._last in {"[", ","}
        if word == ":":
            return around == "{" and self._last == _WORD
        return word == "," or self._last != _WORD


def _may_go_on(window: str, index: int) -> bool:
    """Whether more text may make a token of what begins here: a text without a line's end."""
    return re.search(r"[\x00-\x1f]", window[index:]) is None
