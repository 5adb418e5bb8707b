"""Short ways to write facts of the agency `ci`, and to ask what they come to.

A letter names a call, as in the design's own examples: C created, D deleted, A attached,
X detached, E evidence, T trust set, B boundary set, U boundary removed, W a policy was changed,
R a trace was read again. A time is a number of seconds after noon.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, Final

from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Call, Fact
from ledger.account.truth.rules import AWS, Rules
from ledger.account.truth.spans import Span
from ledger.account.truth.timeline import BEGINNING

NOON: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLS: Final[dict[str, Call]] = {
    "C": "created",
    "D": "deleted",
    "A": "granted",
    "X": "revoked",
    "E": "evidence",
    "T": "trust set",
    "L": "deletion asked for",
    "F": "deletion failed",
    "P": "expiry set",
    "B": "boundary set",
    "U": "boundary removed",
    "W": "renamed",
    "R": "read again",
}


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def fact(letter: str, seconds: float, actor: str = "carol", **given: Any) -> Fact:
    """A fact of the agency `ci`, under the policy `admin` if it grants or revokes."""
    given.setdefault("name", None if "id" in given and letter != "C" else "ci")
    if letter in "AX":
        given = {"policy": "admin", "region": "*"} | given
    given.setdefault("kind", "agency")
    return Fact(CALLS[letter], at=at(seconds), position=0, actor=actor, **given)


def numbered(facts: Iterable[Fact]) -> list[Fact]:
    """The facts with positions, in the order in which they are given."""
    return [one._replace(position=index) for index, one in enumerate(facts, start=1)]


def spans(*facts: Fact, rules: Rules = AWS) -> list[Span]:
    return sorted(derive(numbered(facts), rules), key=Span.order)


def unplaced(found: Iterable[Span]) -> list[Span]:
    """The spans without positions, which depend on the order of arrival."""
    return [
        span._replace(position=None, content=span.content and span.content._replace(position=None))
        for span in found
    ]


def in_every_order(*facts: Fact, rules: Rules = AWS) -> list[Span]:
    """The spans without positions. They must be the same for every order of arrival."""
    first = unplaced(spans(*facts, rules=rules))
    for order in permutations(facts):
        assert unplaced(spans(*order, rules=rules)) == first
    return first


def shown(found: Sequence[Span], subject: str, **keys: str | None) -> list[str]:
    """The spans of a subject as `FROM-UNTIL status since by note`, times in seconds after noon."""
    return [
        " ".join(
            [
                f"{_seconds(span.valid_from)}-{_seconds(span.until_at)}",
                span.status if span.value is None or subject == "agency" else str(span.value),
                *([f"since {_seconds(span.since)}"] if span.since else []),
                *([f"by {span.actor}"] if span.actor else []),
                *([f"({span.note})"] if span.note else []),
            ]
        )
        for span in found
        if span.subject == subject
        and all(getattr(span, name) == value for name, value in keys.items())
    ]


def _seconds(time: datetime | None) -> str:
    if time == BEGINNING:
        return "…"
    return "" if time is None else f"{(time - NOON).total_seconds():g}"
