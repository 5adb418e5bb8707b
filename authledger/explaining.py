"""The rows of two answers about the history: why something is as it is, two instants compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from projections.audit.difference import Difference, Passing
from projections.audit.why import CHANGES_MAX, Why
from projections.views import Result


class WhyRow(NamedTuple):
    """One event of the chain behind an answer, by position."""

    position: int
    """The event's place in the history."""
    effective_at: datetime
    """When it happened in the cloud."""
    recorded_at: datetime
    """When the ledger learned it."""
    event: str
    """The event's name."""
    role: str
    """`change`: it changed what was asked about; `cause`: it led to such a change."""
    because_of: int | None
    """The position of the event that caused it: of the same command, or the request it answers."""
    what: str
    """The event in one sentence."""
    provider: str | None
    account: str | None
    region: str | None
    service: str | None
    agency: str | None
    policy: str | None
    actor: str | None
    """Surrogate id of its actor."""
    actor_name: str | None
    """The name behind it; None once it was erased."""
    reason: str | None
    """The reason that was given."""


class DiffRow(NamedTuple):
    """One row of a view that differs between two instants."""

    view: str
    change: str
    """`new`, `gone`, `renamed`, `changed`; `equal`: changed only in between.
    `not modelled`, `not told`: calls in between of which it is not known what they changed.
    """
    key: Mapping[str, str]
    """The columns that say which row it is, with their values."""
    before: Mapping[str, Any] | None
    """The values at the first instant, by column; None if the row did not exist."""
    after: Mapping[str, Any] | None
    """The values at the second instant; None if the row did not exist."""
    since: datetime | None
    """Effective time of the latest event behind the row; None in a view derived from others."""
    position: int | None
    """Position of that event."""
    actor: str | None
    """Surrogate id of that event's actor."""
    reason: str | None
    """The reason that was given."""
    added: str
    """If the row has another document: the statements that it has now and had not before, each on a
    line as JSON.
    """
    removed: str
    """Those that it had before and has not now; of a row that ended, those that it had."""
    says: str
    """Those that it has now, if it is not known which ones it had before."""
    not_known: str | None
    """The words for what is not known of the statements: `content not told`, `what was before is
    not known`, or `only the digest is known`.
    """
    between: str
    """Each state that the row had in between, if it is another one than at the two instants, or
    each call of which it is not known what it changed: on a line, after its time.
    """


def why_result(why: Why) -> Result:
    rows = [tuple(getattr(link, name) for name in WhyRow._fields) for link in why.links]
    return Result(WhyRow._fields, rows, why.position)


def cut_remarks(why: Why) -> tuple[str, ...]:
    """A sentence for each kind of change of which the chain lacks some."""
    return tuple(
        f"Of the changes {event} only the first {CHANGES_MAX} are here. Name more to narrow it down."
        for event in why.cut
    )


def diff_result(differences: Iterable[Difference], position: int) -> Result:
    rows = [tuple(_cell(getattr(each, name)) for name in DiffRow._fields) for each in differences]
    return Result(DiffRow._fields, rows, position)


def _cell(value: Any) -> Any:
    """Statements, and what passed in between, as lines; any other value as it is."""
    return "\n".join(map(_line, value)) if isinstance(value, tuple) else value


def _line(part: str | Passing) -> str:
    return f"{part.at} {part.what}" if isinstance(part, Passing) else part
