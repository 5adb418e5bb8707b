"""When the cloud's own recording was off between two instants: changes of then may be missing.

trail "main"    stopped ───────── started ──────────── selectors emptied ─────
before ────────────────┘                                       └───── after
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final, NamedTuple

from ledger.as_of import AsOf
from ledger.events import switches
from projections.audit.difference import Difference, Passing
from projections.audit.pairs import Row
from projections.audit.trail import recorded
from projections.definitions.audit_trail import AUDIT_TRAIL, TrailFilter
from projections.views import Views

_TYPES: Final = ("RecordingChanged",)
_ALL: Final = AsOf(0)


class _Off(NamedTuple):
    """A time without recording, and the trail's row and the event of the call that began it."""

    row: Row
    event: Any
    until: str | None
    """When it ended; None if no call that began it again was seen."""


def not_recorded(
    views: Views, before: AsOf | None, after: AsOf | None, where: Mapping[str, str]
) -> Iterator[Difference]:
    """The times between two instants in which a recorder was off, by account and recorder.

    A call that switched it off counts too, if only one of the instants knows of it. The region is
    not asked for: a recorder of one region may record what holds in all.
    """
    asked = {name: value for name, value in where.items() if name in ("provider", "account")}
    new = {row["position"] for row in views.between.events(_TYPES, before, after, **asked)}
    begin, end = sorted(views.between.seen_until(when) for when in (before, after))
    found = [
        each
        for each in _times(views, _known(views, (before, after), asked))
        if each.row["position"] in new
        or (each.row["effective_at"] < end and (each.until is None or each.until > begin))
    ]
    for key, times in groupby(sorted(found, key=_place), _place):
        yield _difference(key, list(times))


def _known(views: Views, instants: Iterable[AsOf | None], asked: Mapping[str, str]) -> list[Row]:
    """The rows of all calls of which one of the instants knows, in order of time."""
    rows = {
        row["position"]: row
        for when in instants
        for row in views.between.events(_TYPES, _ALL, when, **asked)
    }
    return sorted(rows.values(), key=lambda row: (row["effective_at"], row["position"]))


def _times(views: Views, rows: list[Row]) -> Iterator[_Off]:
    """Each time from a call that switched recording off to the next one that switched it on.

    After a deletion, any recorder of the account that is switched on records again.
    """
    calls = [(row, _event(row)) for row in rows if row["outcome"] != "refused"]
    for place, (row, event) in enumerate(calls):
        for switch in (each for each in switches(event, row["provider"]) if not each.is_on):
            later = (
                other
                for other, its_event in calls[place + 1 :]
                if (other["provider"], other["account"]) == (row["provider"], row["account"])
                and switch._replace(is_on=True) in switches(its_event, row["provider"])
                and (event.change == "deleted" or _is_same(row, event, other, its_event))
            )
            until = next((other["effective_at"] for other in later), None)
            yield _Off(row, event, until or _made_again(views, row, event))


def _event(row: Row) -> Any:
    return recorded(row).event


def _is_same(row: Row, event: Any, other: Row, its_event: Any) -> bool:
    return (event.recorder, row["region"]) == (its_event.recorder, other["region"])


def _made_again(views: Views, row: Row, event: Any) -> str | None:
    """When an agency that the recording needs was made again."""
    if event.change != "deleted":
        return None
    of_agency = {"agency": event.recorder, "event": "AgencyCreated"}
    made = TrailFilter(provider=row["provider"], account=row["account"], **of_agency)
    times = (each["effective_at"] for each in views.trail(made, newest_first=False).dicts())
    return next((at for at in times if at > row["effective_at"]), None)


def _place(each: _Off) -> tuple[tuple[str, str], ...]:
    row, event = each.row, each.event
    place = ("provider", row["provider"]), ("account", row["account"])
    return *place, ("recorder", event.recorder)


def _difference(key: tuple[tuple[str, str], ...], times: list[_Off]) -> Difference:
    row = times[-1].row
    return Difference(
        view=AUDIT_TRAIL.name,
        key=dict(key),
        before=None,
        after={"status": "recording stopped"},
        since=row["effective_at"],
        position=row["position"],
        actor=row["actor"],
        reason=row["reason"],
        between=tuple(map(_passing, times)),
    )


def _passing(each: _Off) -> Passing:
    row, event = each.row, each.event
    began = f"{event.change}: {event.detail}" if event.change == "changed" else event.change
    until = f"until {each.until[:19]}Z" if each.until else "and no call switched it on again"
    what = f"the recording by {event.recorder} was {began}, {until}"
    return Passing(at=row["effective_at"], what=what, position=row["position"], actor=row["actor"])
