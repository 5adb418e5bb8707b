"""Spans: what is to be shown of each key, from one instant until another.

permission  AROA1 "ci"  * Admin   12:00:10 ── 12:08:00   granted  since 12:00:10 by carol
permission  AROA1 "ci"  * Admin   12:08:00 ──            revoked  since 12:08:00 by alice
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final, Literal, NamedTuple

from ledger.account.truth.content import Content
from ledger.account.truth.timeline import RENAMED, State, Timeline, state_at
from ledger.messages import Origin

Subject = Literal["agency", "policy", "project", "permission", "trust", "expiry", "boundary"]
EXPIRY_NOTE: Final = "expired"


class Span(NamedTuple):
    """A key's status from `valid_from` until `until_at` (None: it lasts).

    `thing` is the immutable id, or `name~begin`; so are `policy_id` and `project_id`, where it is
    known which policy or project the name means. `since` and `actor` are of the call that brought
    the status about, `position` is that of the fact behind it (of one of them, if there are
    several; None where only an order is not known). Of a trust or an expiry, `value` is the
    trusted party or the time; of an agency, the time when it expires; of a boundary, the policy,
    or None if there is no boundary any more. `content` is the document of a policy, of an inline
    permission or of a trust.

    `expires` says that the span ends at `until_at` by itself, because the agency expires then. An
    answer about the present ends such a span by its own clock; no fact lies at `until_at`.
    """

    subject: Subject
    thing: str
    name: str | None
    region: str | None
    service: str | None
    policy: str | None
    policy_id: str | None
    project_id: str | None
    valid_from: datetime
    until_at: datetime | None
    status: str
    since: datetime | None
    actor: str | None
    origin: Origin | None
    position: int | None
    note: str | None
    value: str | datetime | None
    content: Content | None = None
    expires: bool = False

    @property
    def key(self) -> tuple[str | None, ...]:
        return self[:8]

    def order(self) -> tuple[object, ...]:
        return (*(part or "" for part in self[:8]), self.valid_from)


Identity = tuple[
    Subject, str, str | None, str | None, str | None, str | None, str | None, str | None
]


def spans_of(identity: Identity, timeline: Timeline) -> Iterator[Span]:
    """The spans of one key, from its states. A renamed thing goes on under its new name."""
    last = len(timeline) - 1
    for index, (at, state) in enumerate(timeline):
        if state.status == RENAMED:
            continue
        until, then = timeline[index + 1] if index < last else (None, None)
        yield tuple.__new__(Span, (*identity, at, until, *state, _expires(then, until)))


def named(timeline: Timeline, renamed: Iterable[datetime]) -> Iterator[Timeline]:
    """The parts of a timeline, which is not empty, between the instants of renamings."""
    for at in sorted(renamed):
        index = bisect_left(timeline, at, key=lambda item: item[0])
        during = state_at(timeline, at)
        if index and during is not None:
            yield [*timeline[:index], (at, during._replace(status=RENAMED))]
            after = index + (index < len(timeline) and timeline[index][0] == at)
            timeline = [(at, during), *timeline[after:]]
    yield timeline


def _expires(then: State | None, at: datetime | None) -> bool:
    """Whether a state is that of an expired agency, which no call made so at that instant."""
    return (
        then is not None and then.note == EXPIRY_NOTE and then.origin is None and then.since == at
    )
