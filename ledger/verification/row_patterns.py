"""Patterns of good rows: a regular expression for each form of entry, which checks all of a row.

    {"account":"…","actor":"…",…,"version":9}["text","account:…",9,"PermissionGranted.v1"]

A row is read as its entry, followed by the JSON of its columns. The pattern of a form (a topic and
its keys) lets each text be any text without escapes, and each column only what the entry says. A
row that matches is canonical JSON by RFC 8785, with the keys and columns of an entry that was
checked in full before. A row that does not match may be good as well: it is checked in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Match = Callable[[str], "re.Match[str] | None"]

PER_TOPIC_MAX: Final = 16
"""Trying more patterns without a match takes as long as checking the row in full."""
_LITERAL: Final = frozenset({"format", "topic"})
_READ: Final = frozenset({"recorded_at", "command_id"})
"""The members that the reader of a segment wants of each entry."""
# Without a range above 255 `re` looks up each character in a bitmap, which is twice as fast.
_ASCII: Final = r"[ !#-\[\]-\x7f]*"
_ANY: Final = r"[ !#-\[\]-\U0010ffff]*"
_NAME: Final = re.compile("[a-z][a-z0-9_]*")
# Whole, and exact as a double, which RFC 8785 makes of numbers.
_INTEGER: Final = "(?:0|-?[1-9][0-9]{0,14})"


class RowPatterns:
    """The patterns that were learned, by topic. `comma` separates the columns of a row."""

    def __init__(
        self, patterns: Mapping[str, Iterable[str]] | None = None, *, comma: str = ","
    ) -> None:
        self._comma = comma
        self._patterns = {topic: list(each) for topic, each in (patterns or {}).items()}
        self._ascii: dict[str, list[Match]] = {}
        self._any: dict[str, list[Match]] = {}

    @property
    def patterns(self) -> Mapping[str, list[str]]:
        """The patterns by topic, in a form that can be sent to another process."""
        return self._patterns

    def matches(self, topic: str, *, is_ascii: bool) -> list[Match]:
        """The matchers of a topic's patterns.

        Each returns a match with the groups `entry` (the first), `recorded_at` and `command_id`
        for a good row, and None for any other.
        """
        found = (self._ascii if is_ascii else self._any).get(topic)
        return found if found is not None else self._compiled(topic, is_ascii=is_ascii)

    def learn(self, entry: str, columns: Iterable[str]) -> None:
        """Add the pattern of an entry that was checked in full, together with its columns."""
        fields = json.loads(entry)
        pattern = _pattern(fields, tuple(columns), self._comma)
        patterns = self._patterns.setdefault(fields["topic"], [])
        if pattern is None or pattern in patterns or len(patterns) >= PER_TOPIC_MAX:
            return
        patterns.append(pattern)
        topic = fields["topic"]
        self._ascii.pop(topic, None)
        self._any.pop(topic, None)

    def _compiled(self, topic: str, *, is_ascii: bool) -> list[Match]:
        patterns = self._patterns.get(topic)
        if not patterns:
            return []
        text = _ASCII if is_ascii else _ANY
        compiled: list[Match] = [
            re.compile(each.replace("<text>", text)).fullmatch for each in patterns
        ]
        (self._ascii if is_ascii else self._any)[topic] = compiled
        return compiled


def _pattern(fields: dict[str, Any], columns: tuple[str, ...], comma: str) -> str | None:
    """The pattern of a row, with `<text>` for any text; None if a value has no pattern."""
    members = []
    for name, value in fields.items():
        member = _member(name, value, is_group=name in columns or name in _READ)
        if member is None:
            return None
        members.append(f'"{name}":{member}')
    expected = (_column(name, fields) for name in columns)
    absent = "" if "command_id" in fields else "(?P<command_id>(?!))?"
    stored = comma.join(('"text"', *expected))
    return rf"(?P<entry>\{{{','.join(members)}\}}){absent}\[{stored}\]"


def _member(name: str, value: object, *, is_group: bool) -> str | None:
    """The pattern of a member's value; None if it has none."""
    if not _NAME.fullmatch(name):
        pattern: str | None = None
    elif name in _LITERAL:
        pattern = re.escape(json.dumps(value))
    elif isinstance(value, bool):
        pattern = None if is_group else "(?:true|false)"
    elif isinstance(value, int):
        pattern = f"(?P<{name}>{_INTEGER})" if is_group else _INTEGER
    elif isinstance(value, str):
        pattern = f'"(?P<{name}><text>)"' if is_group else '"<text>"'
    elif isinstance(value, list) and not is_group and all(isinstance(v, str) for v in value):
        pattern = r'\[(?:"<text>"(?:,"<text>")*)?\]'
    else:
        pattern = None
    return pattern


def _column(name: str, fields: dict[str, Any]) -> str:
    """The pattern of a column: a back reference to the member of the same name."""
    if name not in fields:
        return "null"
    if name in _LITERAL:
        return re.escape(json.dumps(fields[name]))
    return f"(?P={name})" if isinstance(fields[name], int) else f'"(?P={name})"'
