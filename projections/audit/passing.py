"""States that rows had between two instants, and events in between that change no row.

policy "etl"   document A ──── document B ──── document A        equal at both instants
before ──────────────┘                             └────── after
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, Final, TypeAlias

from ledger.as_of import AsOf
from ledger.events import BY_NAME
from ledger.values import instant
from projections.audit.difference import Difference, Passing
from projections.audit.pairs import Pair, Row, identity
from projections.audit.statements import NOT_TOLD
from projections.audit.trail import recorded
from projections.definitions.agencies import AGENCIES, BOUNDARIES, TRUSTEES
from projections.definitions.audit_trail import AUDIT_TRAIL, TrailFilter
from projections.definitions.declared import FOLDED, VIEWS
from projections.definitions.policies import POLICIES
from projections.views import Views

States: TypeAlias = Mapping[tuple[Any, ...], list[dict[str, Any]]]
"""The rows that began between two instants, by their identity, sorted by time."""
Silent: TypeAlias = Mapping[tuple[str, ...], list[Passing]]
"""Events that change no row, by account and by the name or the id of what they are about."""
STATES_MAX: Final = 20
"""So many states of a row of a derived view are read, one by one."""
_NOT_MODELLED, _NOT_SAID = "NotModelled", "PermissionsChanged"
_CHANGES: Final = {"PolicyChanged": "policy", "AgencyExpiryChanged": "agency"}
"""The events that begin another state of a thing, and neither its status nor its document."""


def states_between(
    views: Views, name: str, before: AsOf | None, after: AsOf | None, key: Sequence[str]
) -> States:
    """The states that rows of a folded view had between two instants; none of any other view."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in views.between.states(name, before, after) if name in FOLDED else ():
        found.setdefault(identity(row, key), []).append(row)
    return found


def standing_between(
    views: Views, name: str, pair: Pair, before: AsOf | None, after: AsOf | None
) -> list[Row]:
    """The states of a row of a derived view that stands equal at both instants, but since another
    time: read from the newest one back; sorted by time. None of any other row.
    """
    was, is_now = pair
    if name not in VIEWS or was is None or is_now is None or not _stands_anew(was, is_now):
        return []
    newer, older, when = max(((is_now, was, after), (was, is_now, before)), key=_newest)
    known = views.reached() if when is None else when.position
    where = {column: newer[column] for column in VIEWS[name].key}
    found: list[Row] = []
    state: Row | None = newer
    while state and _since(state) > _since(older) and len(found) < STATES_MAX:
        found.append({**state, "valid_from": state["since"]})
        just_before = AsOf(known, instant(state["since"]) - timedelta(microseconds=1))
        rows = views.read(name, as_of=just_before, where=where).dicts()
        state = next((row for row in rows if where.items() <= row.items()), None)
    return found[::-1]


def _stands_anew(was: Row, is_now: Row) -> bool:
    return was.get("status") == is_now.get("status") and _since(was) != _since(is_now)


def _newest(one: tuple[Row, Row, AsOf | None]) -> str:
    return _since(one[0])


def _since(row: Row) -> str:
    """Since when a row stands so; empty if that is not known: then it is the oldest."""
    return row.get("since") or ""


def maker(views: Views, row: Mapping[str, Any]) -> tuple[int | None, str | None]:
    """The position and the actor of the event that began a state; None if no single event did."""
    if row["since"] == row["valid_from"]:
        return row["position"], row.get("actor") or None
    if row.get("document_since") == row["valid_from"]:
        return row["document_position"], None
    column = "policy" if "policy" in row else "agency"
    at = instant(row["valid_from"])
    wanted = TrailFilter(
        provider=row["provider"],
        account=row["account"],
        since=at,
        until=at + timedelta(microseconds=1),
        **{column: row[f"{column}_id"] or row[column]},
    )
    changes = [each for each in views.trail(wanted).dicts() if _CHANGES.get(each["type"]) == column]
    return (changes[0]["position"], changes[0]["actor"]) if len(changes) == 1 else (None, None)


def _of_trust(event: Any) -> str | None:
    is_known = event.trustee or event.trust_document
    return None if is_known else f"the trust was set: {NOT_TOLD}"


def _of_boundary(event: Any) -> str | None:
    is_known = event.policy or event.policy_id
    return None if is_known else "the boundary was set: the policy is not named"


def _of_version(event: Any) -> str | None:
    if event.in_force is not False:
        return None
    words = ("document", (event.document or "")[:12], event.document_version)
    return f"{event.detail or ' '.join(filter(None, words))}, not in force"


def _of_agency(event: Any) -> str | None:
    return str(event.detail)


_SILENT: Final[Mapping[str, tuple[str, str, Callable[[Any], str | None]]]] = {
    AGENCIES.name: ("agency", "AgencyChanged", _of_agency),
    TRUSTEES.name: ("agency", "AgencyTrustChanged", _of_trust),
    BOUNDARIES.name: ("agency", "BoundarySet", _of_boundary),
    POLICIES.name: ("policy", "PolicyChanged", _of_version),
}
"""By view, what its silent events are about, their type, and the words for one; None if a row has
what the event says.
"""


def silent(views: Views, name: str, before: AsOf | None, after: AsOf | None) -> Silent:
    """The events between two instants that change no row: they do not tell what they set, or set
    what no view has.
    """
    found: dict[tuple[str, ...], list[Passing]] = {}
    if name not in _SILENT:
        return found
    thing, event_type, words = _SILENT[name]
    for row in views.between.events((event_type,), before, after):
        event: Any = recorded(row).event
        if what := words(event):
            for word in {getattr(event, thing), getattr(event, f"{thing}_id")} - {None}:
                place = (row["provider"], row["account"], word)
                found.setdefault(place, []).append(_passing(row, what))
    return found


def silent_about(found: Silent, name: str, row: Row) -> Sequence[Passing]:
    """The silent events about the thing of a row: by its id, else by its name."""
    if name not in _SILENT:
        return ()
    thing, place = _SILENT[name][0], (row["provider"], row["account"])
    for word in (row.get(f"{thing}_id"), row.get(thing)):
        if word and (*place, word) in found:
            return found[(*place, word)]
    return ()


def not_known(
    views: Views, before: AsOf | None, after: AsOf | None, where: Mapping[str, str]
) -> Iterator[Difference]:
    """The calls between two instants of which it is not known what they changed, by account.

    One may have changed any row of its account: the region is not asked for.
    """
    asked = {name: value for name, value in where.items() if name in ("provider", "account")}
    found = views.between.events((_NOT_MODELLED, _NOT_SAID), before, after, **asked)
    calls = [(row, recorded(row).event) for row in found if row["outcome"] != "refused"]
    for key, same in groupby(sorted(calls, key=_about), _about):
        yield _calls(dict(key), list(same))


def _about(call: tuple[Row, Any]) -> tuple[tuple[str, str], ...]:
    """The account, and the call; or the agency, if only its permissions changed."""
    row, event = call
    if row["type"] == _NOT_SAID:
        what = ("agency", event.agency or event.agency_id or "")
    else:
        what = ("call", event.call)
    return ("provider", row["provider"]), ("account", row["account"]), what


def _calls(key: Mapping[str, str], calls: Sequence[tuple[Row, Any]]) -> Difference:
    last, _ = calls[-1]
    return Difference(
        view=AUDIT_TRAIL.name,
        key=key,
        before=None,
        after={"calls": len(calls)},
        since=last["effective_at"],
        position=last["position"],
        actor=last["actor"],
        reason=last["reason"],
        between=tuple(
            _passing(row, BY_NAME[row["type"]].sentence(event, "").strip()) for row, event in calls
        ),
    )


def _passing(row: Row, what: str) -> Passing:
    return Passing(at=row["effective_at"], what=what, position=row["position"], actor=row["actor"])
