"""Activity: what agencies did, by traces of any service in which an agency is the actor.

Each entry sums up one file: the calls of one agency, session, service, action, region, day and
outcome. So the entries grow with the files, the days and the sessions, and not with the calls.

    ci  ec2:RunInstances  us-east-1  2026-03-01  7 calls, 09:30:00 … 17:12:44  file 5f0c…  p-81d3…
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from ledger.account.decision import Decisions
from ledger.account.meaning import Meaning, Meanings, Says
from ledger.account.wording import called, clock, in_region
from ledger.messages import DomainEvent, StreamKind
from ledger.values import AgencyName, Digest, Instant, Line, Region, ServiceCode, SubjectId

OTHER_ACTIONS: Final = "(other actions)"
"""Stands for the actions of a file that has too many different ones."""
SESSIONS_MAX: Final = 16
"""So many sessions have entries of their own, of the calls that are alike but for the session. Many
programs give each session another name: their entries would grow with the calls.
"""
TRACES_KEPT_MAX: Final = 32
"""Of more calls an entry has no ids: its size would grow with the calls."""
TRACE_CHARS: Final = 12


class _Calls(DomainEvent):
    """The calls of one agency, session, action and day, as many as one source file has."""

    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region | None = None
    service: ServiceCode
    action: Line
    calls: int
    first_at: Instant
    last_at: Instant
    file_digest: Digest
    """The SHA-256 of the file's bytes, as they are stored."""
    traces: Line | None = None
    """The first 12 digits of the SHA-256 of each trace's id, sorted, one after another. They tell
    which calls two files have in common. None if there are more than TRACES_KEPT_MAX calls, or one
    has no id.
    """
    session_name: SubjectId | None = None
    """Stands for the name that the caller gave the session: it may be a person's."""
    source_identity: SubjectId | None = None
    """Stands for the person behind the session, as the caller's own system named it."""
    switched_by: SubjectId | None = None
    """Stands for the user who began the session, if the traces name one."""
    more_sessions: bool | None = None
    """True: the calls of all sessions beyond SESSIONS_MAX, which are not named."""


class AgencyActed(_Calls):
    """The agency called an action of a service on one day, and the calls succeeded: as many as one
    source file has. A file that is read again is the same fact.
    """

    TOPIC = "AgencyActed.v1"


class AgencyActionFailed(_Calls):
    """The agency called an action of a service on one day, and the calls did not succeed: as many
    as one source file has.
    """

    TOPIC = "AgencyActionFailed.v1"

    outcome: Literal["refused", "failed"]
    """`refused`: the agency may not do it. `failed`: for any other reason, such as a quota."""


Acts = AgencyActed | AgencyActionFailed


def _acted(event: AgencyActed, _: str) -> str:
    return f"{called(event)} called {_what(event)}"


def _not_done(event: AgencyActionFailed, _: str) -> str:
    how = "was refused" if event.outcome == "refused" else "failed to call"
    return f"{called(event)} {how} {_what(event)}"


def _what(event: Acts) -> str:
    times = "once" if event.calls == 1 else f"{event.calls} times"
    first, last = clock(event.first_at), clock(event.last_at)
    when = f"at {first}" if first == last else f"from {first} to {last}"
    of_all = ", in further sessions" if event.more_sessions else ""
    return f"{event.service}:{event.action}{in_region(event.region)} {times}, {when}{of_all}"


_PROOF: Final = Says(
    "evidence", "agency", {"name": "agency", "id": "agency_id", "at": "first_at"}, needs_id=True
)
"""A call that succeeded proves that the agency existed at the first of the calls. A session may
outlive its agency: only the id tells that it is not one which got the name later.
"""
DECIDE: Decisions = {}
EVENTS: Meanings = {
    AgencyActed: Meaning(_acted, "counts as uses of the agency", says=_PROOF, service_is_used=True),
    AgencyActionFailed: Meaning(
        _not_done, "counts as uses that failed; nothing changes", service_is_used=True
    ),
}
