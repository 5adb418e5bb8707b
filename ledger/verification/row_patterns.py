"""Patterns of good entries: a regular expression for each form of entry.

    {"account":"…","actor":"…",…,"stream":"account:…","topic":"PermissionGranted.v1","version":9}

The pattern of a form (a topic and its keys) lets each field have any value of its type without
escapes. An entry that matches is canonical JSON by RFC 8785 with the keys of an entry that was
checked in full before, decodes to its event, and is in the stream of that event. An entry that does
not match may be good as well: it is checked in full.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

Matcher = tuple[Callable[[str], "re.Match[str] | None"], Sequence[int]]
"""Matches an entry; and the numbers of the groups GROUPS."""

PER_TOPIC_MAX: Final = 16
"""Trying more patterns without a match takes as long as checking the row in full."""
GROUPS: Final = ("command_id", "recorded_at", "stream", "version")
"""The members that the reader of a segment wants of each entry, in canonical order."""
# Without a range above 255 `re` looks up each character in a bitmap, which is twice as fast.
_ASCII: Final = {
    "<text>": r"[ !#-\[\]-\x7f]*",
    "<line>": r"[ !#-\[\]-~]",
    "<place>": r"[!#-)+-9;-\[\]-~]",
}
# Without half characters, as which bytes are read that are not UTF-8; in lines without control
# characters and breaks of lines, in places without spaces.
_ANY: Final = {
    "<text>": r"[ !#-\[\]-\ud7ff\ue000-\U0010ffff]*",
    "<line>": r"[ !#-\[\]-~\xa0-\u2027\u202a-\ud7ff\ue000-\U0010ffff]",
    "<place>": r"[!#-)+-9;-\[\]-~\xa1-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e"
    r"\u2060-\u2fff\u3001-\ud7ff\ue000-\U0010ffff]",
}
_NAME: Final = re.compile("[a-z][a-z0-9_]*")
_REPEATED: Final = re.compile(r"\(\?P=([a-z_]+)\)")
_TOKEN: Final = re.compile("<text>|<line>|<place>")


class Matchers(dict[object, list[Matcher]]):
    """By topic: the matchers of its patterns, which are compiled when the topic first occurs.

    Each returns a match for a good entry, and None for any other.
    """

    def __init__(self, patterns: Mapping[str, list[str]], characters: Mapping[str, str]) -> None:
        super().__init__()
        self._patterns, self._characters = patterns, characters

    def __missing__(self, topic: object) -> list[Matcher]:
        patterns = self._patterns.get(topic) if isinstance(topic, str) else None
        if not patterns:
            return []
        self[topic] = [self._matcher(each) for each in patterns]
        return self[topic]

    def _matcher(self, pattern: str) -> Matcher:
        compiled = re.compile(_TOKEN.sub(lambda token: self._characters[token[0]], pattern))
        return compiled.fullmatch, [compiled.groupindex[name] for name in GROUPS]


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
    """The pattern of an entry, with tokens for characters; None if a value has no pattern."""
    # Imported when the first row is learned: workers are given most of their patterns.
    from ledger.verification.field_patterns import stream_pattern, value_pattern  # noqa: PLC0415

    stream, members = stream_pattern(fields), []
    repeated = {*GROUPS, *_REPEATED.findall(stream)}
    for name, value in fields.items():
        its = value_pattern(fields["topic"], name, value)
        if name == "stream":
            its = f'"{stream}"'
        if its is None or not _NAME.fullmatch(name):
            return None
        members.append(f'"{name}":{_group(name, its) if name in repeated else its}')
    # A group that matches nothing, so that the groups are the same for all patterns.
    absent = "" if "command_id" in fields else "(?P<command_id>(?!))?"
    return rf"{absent}\{{{','.join(members)}\}}"


def _group(name: str, pattern: str) -> str:
    """The pattern with a group around the value, without the quotes of a text."""
    if not pattern.startswith('"'):
        return f"(?P<{name}>{pattern})"
    return f'"(?P<{name}>{pattern[1:-1]})"'
