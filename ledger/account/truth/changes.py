"""Changes: what new facts changed in the spans of one key, or of many.

before    granted 10 ──────────────            after    granted 10 ── revoked 20 ──
change    (granted 10 ─, granted 10 ─ 20)   and   (nothing, revoked 20 ─)
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ledger.account.truth.spans import Span


class Change(NamedTuple):
    """One span that new facts changed: as it was, and as it is. None: there was, or is, none.

    Both have the same key and the same `valid_from`.
    """

    before: Span | None
    after: Span | None


def differences(before: Iterable[Span], after: Iterable[Span]) -> list[Change]:
    """The changes between spans; those that are gone come first."""
    old = {span[:9]: span for span in before}
    changed = [
        Change(known, span)
        for span in after
        if (known := old.pop(span[:9], None)) is None or known != span
    ]
    return [*(Change(span, None) for span in old.values()), *changed] if old else changed


def differences_of_line(before: list[Span], after: list[Span]) -> list[Change]:
    """The same for spans of one key, sorted by time, of which the first ones hardly differ."""
    if len(before) > 1 and len(after) > 1:
        return differences(before, after)
    if not before or not after or before[0][8] != after[0][8]:
        return differences(before, after)
    changed = [] if before[0] == after[0] else [Change(before[0], after[0])]
    gone = [Change(span, None) for span in before[1:]]
    return [*gone, *changed, *(Change(None, span) for span in after[1:])]


def composed(first: list[Change], then: list[Change]) -> list[Change]:
    """The changes after two steps, each of which changed something."""
    if not first or not then:
        return first or then
    found = {_place(change): change for change in first}
    for change in then:
        known = found.get(_place(change), change)
        found[_place(change)] = Change(known.before, change.after)
    return [change for change in found.values() if change.before != change.after]


def _place(change: Change) -> tuple[object, ...]:
    span = change.after or change.before
    assert span is not None, "a change has a span before it or after it"
    return span[:9]
