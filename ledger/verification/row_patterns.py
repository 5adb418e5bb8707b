"""Patterns of good entries: a regular expression for each form of entry.

    {"account":"…","actor":"…",…,"stream":"account:…","topic":"PermissionGranted.v1","version":9}

The pattern of a form (a topic and its keys) lets each text be any text without escapes. An entry
that matches is canonical JSON by RFC 8785, with the keys of an entry that was checked in full
before. An entry that does not match may be good as well: it is checked in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Match = Callable[[str], "re.Match[str] | None"]

PER_TOPIC_MAX: Final = 16
"""Trying more patterns without a match takes as long as checking the row in full."""
GROUPS: Final = ("command_id", "recorded_at", "stream", "version")
"""The members that the reader of a segment wants of each entry, in canonical order."""
_LITERAL: Final = frozenset({"format", "topic"})
# Without a range above 255 `re` looks up each character in a bitmap, which is twice as fast.
_ASCII: Final = r"[ !#-\[\]-\x7f]*"
# Without half characters, as which bytes are read that are not UTF-8.
_ANY: Final = r"[ !#-\[\]-\ud7ff\ue000-\U0010ffff]*"
_NAME: Final = re.compile("[a-z][a-z0-9_]*")
# Whole, and exact as a double, which RFC 8785 makes of numbers.
_INTEGER: Final = "(?:0|-?[1-9][0-9]{0,14})"


class Matchers(dict[object, list[Match]]):
    """By topic: the matchers of its patterns, which are compiled when the topic first occurs.

    Each returns a match with the groups GROUPS for a good entry, and None for any other.
    """

    def __init__(self, patterns: Mapping[str, list[str]], text: str) -> None:
        super().__init__()
        self._patterns, self._text = patterns, text

    def __missing__(self, topic: object) -> list[Match]:
        patterns = self._patterns.get(topic) if isinstance(topic, str) else None
        if not patterns:
            return []
        compiled: list[Match] = [
            re.compile(each.replace("<text>", self._text)).fullmatch for each in patterns
        ]
        self[topic] = compiled
        return compiled


class RowPatterns:
    """The patterns that were learned, by topic; `ascii` and `any` match entries with them."""

    def __init__(self, patterns: Mapping[str, Iterable[str]] | None = None) -> None:
        self._patterns = {topic: list(each) for topic, each in (patterns or {}).items()}
        self.ascii = Matchers(self._patterns, _ASCII)
        self.any = Matchers(self._patterns, _ANY)

    @property
    def patterns(self) -> Mapping[str, list[str]]:
        """The patterns by topic, in a form that can be sent to another process."""
        return self._patterns

    def learn(self, entry: str) -> None:
        """Add the pattern of an entry that was checked in full, together with its columns."""
        fields = json.loads(entry)
        topic, pattern = fields["topic"], _pattern(fields)
        patterns = self._patterns.setdefault(topic, [])
        if pattern is None or pattern in patterns or len(patterns) >= PER_TOPIC_MAX:
            return
        patterns.append(pattern)
        self.ascii.pop(topic, None)
        self.any.pop(topic, None)


def _pattern(fields: dict[str, Any]) -> str | None:
    """The pattern of an entry, with `<text>` for any text; None if a value has no pattern."""
    members = []
    for name, value in fields.items():
        member = _member(name, value, is_group=name in GROUPS)
        if member is None:
            return None
        members.append(f'"{name}":{member}')
    # A group that matches nothing, so that the groups are the same for all patterns.
    absent = "" if "command_id" in fields else "(?P<command_id>(?!))?"
    return rf"{absent}\{{{','.join(members)}\}}"


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
