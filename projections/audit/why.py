"""Why an answer is what it is: the changes of what is asked about, each with what caused it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from ledger.errors import InvalidInput
from ledger.events import BY_NAME
from projections.audit.trail import sentences
from projections.definitions.audit_trail import TrailFilter
from projections.projection import INFERRED
from projections.views import Views

CHANGES_MAX: Final = 10_000
"""How many changes of one kind an answer holds."""
BEFORE_MAX: Final = 50
"""How many events before a change are looked at for its command's: one command may end many."""
_CHANGES: Final = tuple(name for name, meaning in BY_NAME.items() if meaning.role != "cause")
_CONSEQUENCES: Final = frozenset(
    name for name, meaning in BY_NAME.items() if meaning.role == "consequence"
)
_ANSWERS: Final = {
    name: meaning.answers.__name__ for name, meaning in BY_NAME.items() if meaning.answers
}

Row = Mapping[str, Any]
"""A row of the audit trail."""
_Found = dict[int, dict[str, Any]]
"""Rows by position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One event of the chain behind an answer. Times are RFC 3339 text, as in the views."""

    position: int
    effective_at: str
    recorded_at: str
    event: str
    role: Literal["change", "cause"]
    because_of: int | None
    """The position of the event that caused it: of the same command, or the request it answers."""
    what: str
    provider: str | None
    account: str | None
    region: str | None
    service: str | None
    agency: str | None
    policy: str | None
    actor: str | None
    actor_name: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """The chain by position, as of the last position that the views have reached.

    `cut` names the kinds of change of which only the first CHANGES_MAX are in the chain.
    """

    position: int
    links: tuple[Link, ...]
    cut: tuple[str, ...] = ()


def why(
    views: Views,
    *,
    region: str | None = None,
    agency: str | None = None,
    service: str | None = None,
    uses: str | None = None,
    policy: str | None = None,
    account: str | None = None,
    provider: str | None = None,
) -> Why:
    """The events that changed what is named, and those that caused them.

    Events of one command or one trace belong together: the consent causes the permissions, the
    deletion ends them. `service` is a service that asks for authorization, `uses` one that an
    agency may use. A region also finds what changed in all regions (`*`). Raises InvalidInput if no
    region, agency, service or policy is named.
    """
    if not any((region, agency, service, uses, policy)):
        raise InvalidInput(
            "Nothing to explain: name a region, an agency, a service or a policy.",
            remedy="For example: authledger audit why --region cn-north-4.",
        )
    last = views.reached()
    asked = TrailFilter(
        region=region,
        agency=agency,
        service=service,
        uses=uses,
        policy=policy,
        account=account,
        provider=provider,
    )
    changes, cut = _changes(views, asked)
    proofs = _behind_rows(views, asked)
    changes |= {at: row for at, row in proofs.items() if row["type"] in _CHANGES}
    proofs |= _behind_consents(views, asked)
    found = {**proofs, **changes, **_of_same_commands(views, changes)}
    found |= _requests(views, found)
    rows = [found[position] for position in sorted(found)]
    links = zip(rows, _causes(rows), sentences(views, rows), strict=True)
    return Why(last, tuple(_link(*link, changes) for link in links), cut)


def _changes(views: Views, asked: TrailFilter) -> tuple[_Found, tuple[str, ...]]:
    """The changes that fit, and the kinds of which there are more."""
    changes: _Found = {}
    cut: dict[str, None] = {}
    for event in _CHANGES:
        page = views.trail(replace(asked, event=event), limit=CHANGES_MAX, newest_first=False)
        changes |= {row["position"]: row for row in page.dicts()}
        if page.more:
            cut[event] = None
    return changes, tuple(cut)


def _behind_rows(views: Views, asked: TrailFilter) -> _Found:
    """The events that rows rest on: ends of policies, proofs.

    The trail has the grants and revocations; of a renamed policy or project, the rows also find
    those that told a former name.
    """
    if asked.service is not None:
        return {}  # It asks for authorization; no folded view has that.
    named = ("region", "agency", "policy", "account", "provider")
    columns = {name: getattr(asked, name) for name in named} | {"service": asked.uses}
    positions = views.behind(columns, besides=_CONSEQUENCES, limit=CHANGES_MAX)
    if asked.policy or asked.region:
        others = BY_NAME.keys() - _CONSEQUENCES
        positions += views.behind(columns, besides=others, limit=CHANGES_MAX)
    return {row["position"]: row for row in views.trail_at(positions).dicts()}


def _behind_consents(views: Views, asked: TrailFilter) -> _Found:
    """The events that consents rest on which are inferred, of the service that asks."""
    if asked.service is None:
        return {}
    named = ("region", "account", "provider", "service")
    rows = views.read("authorizations", where={name: getattr(asked, name) for name in named})
    inferred = (row for row in rows.dicts() if row["origin"] == INFERRED)
    positions = {int(at) for row in inferred for at in row["rests_on"].split(",") if at}
    return {row["position"]: row for row in views.trail_at(sorted(positions)).dicts()}


def _of_same_commands(views: Views, changes: _Found) -> _Found:
    """The events that stand before the changes in their commands, and may have caused them."""
    found: _Found = {}
    for position, row in sorted(changes.items()):
        before = changes.get(position - 1)
        if before is None or before["command_id"] != row["command_id"]:
            found |= _same_command(views, row)  # Else that one's events are this one's.
    return found


def _same_command(views: Views, row: Row) -> _Found:
    """The events before a row in its command, which stand together."""
    near: _Found = {}
    wanted = TrailFilter(account=row["account"], provider=row["provider"])
    for other in views.trail(wanted, after=row["position"], limit=BEFORE_MAX).dicts():
        if other["command_id"] != row["command_id"]:
            break
        if other["type"] not in _CONSEQUENCES:
            near[other["position"]] = other
    return near


def _requests(views: Views, found: _Found) -> _Found:
    """The requests that were answered: the latest of that service in that region before it."""
    requests: _Found = {}
    for row in found.values():
        if row["type"] in _ANSWERS:
            same = {key: row[key] for key in ("provider", "account", "region", "service")}
            wanted = TrailFilter(event=_ANSWERS[row["type"]], **same)
            page = views.trail(wanted, after=row["position"], limit=1)
            requests |= {request["position"]: request for request in page.dicts()}
    return requests


def _causes(rows: list[dict[str, Any]]) -> Iterator[int | None]:
    """For each row the first event of the same command; else the request that it answered."""
    first: dict[str, int] = {}
    latest: dict[tuple[str, ...], int] = {}
    for row in rows:
        place = (row["provider"], row["account"], row["region"], row["service"])
        because_of = first.setdefault(row["command_id"], row["position"])
        if because_of != row["position"]:
            yield because_of
        else:
            yield latest.get((_ANSWERS.get(row["type"], ""), *place))
        latest[row["type"], *place] = row["position"]


def _link(row: dict[str, Any], because_of: int | None, what: str, changes: _Found) -> Link:
    named = (
        "provider", "account", "region", "service", "agency", "policy",
        "actor", "actor_name", "reason",
    )  # fmt: skip
    return Link(
        position=row["position"],
        effective_at=row["effective_at"],
        recorded_at=row["recorded_at"],
        event=row["type"],
        role="change" if row["position"] in changes else "cause",
        because_of=because_of,
        what=what,
        **{name: row[name] for name in named},
    )
