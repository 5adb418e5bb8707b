"""A plain Python fold of each projection, with which the SQL must agree.

Of the folded projections it is the fold of all facts of each account, at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from ledger.account.answers import Held
from ledger.account.facts import fact_of
from ledger.account.rights import rights_of
from ledger.account.truth.derive import derive
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import rules_of
from ledger.account.truth.spans import Span
from ledger.catalogue import load_catalogue
from ledger.messages import Recorded
from ledger.values import instant_text

Key = tuple[str, ...]
Row = tuple[Any, ...]
Change = Callable[[Any, Recorded], tuple[Key, Row] | None]
"""The key and the values (or counters) of an event and its entry; None if it changes nothing."""
LAST_CHANGE: dict[str, Change] = {}
SUMS: dict[str, Change] = {}
FOLDED = ("regions", "agencies", "trustees", "boundaries", "policies")


def last_change(change: Change) -> Change:
    """The function of a projection of the same name, of which the last change wins."""
    return LAST_CHANGE.setdefault(change.__name__, change)


def counters(change: Change) -> Change:
    """The function of a projection of the same name, whose counters are summed."""
    return SUMS.setdefault(change.__name__, change)


def _who(entry: Recorded) -> Row:
    return (entry.actor or "", entry.origin)


def _account(entry: Recorded) -> Key:
    return (str(entry.provider), str(entry.account))


@last_change
def recorded_authorizations(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    prefix, _, status = entry.type.partition("Authorization")
    if prefix or status not in {"Requested", "Granted", "Declined", "Revoked"}:
        return None
    return (event.region, *_account(entry), event.service), (status.lower(), *_who(entry))


@counters
def logins(event: Any, entry: Recorded) -> tuple[Key, Row] | None:
    if entry.type != "ConsoleLoginRequested":
        return None
    key = (event.region, *_account(entry), event.service)
    return key, tuple(int(event.outcome == o) for o in ("admitted", "dialog", "unknown", "refused"))


@dataclass(frozen=True, slots=True)
class _Known:
    row: Row
    effective_at: datetime
    position: int


def fold(name: str, history: Iterable[Recorded], effective_at: datetime | None = None) -> list[Row]:
    """The view's rows after that history: now, or at an effective time."""
    if name in FOLDED:
        return shown(name, spans_of(history), effective_at)
    known: dict[Key, _Known] = {}
    change = LAST_CHANGE.get(name) or SUMS[name]
    for entry in history:
        changed = change(entry.event, entry)
        if changed is None or (effective_at and entry.effective_at > effective_at):
            continue
        key, row = changed
        assert entry.position is not None
        before = known.get(key)
        if name in SUMS:
            added = tuple(a + b for a, b in zip(row, before.row, strict=True)) if before else row
            at = max(entry.effective_at, before.effective_at) if before else entry.effective_at
            known[key] = _Known(added, at, entry.position)
        elif before is None or entry.effective_at >= before.effective_at:
            known[key] = _Known(row, entry.effective_at, entry.position)
    return sorted(
        (*key, *it.row, instant_text(it.effective_at), it.position) for key, it in known.items()
    )


Spans = list[tuple[Key, Span]]
"""Each span with its account."""


def spans_of(history: Iterable[Recorded]) -> Spans:
    """All that the facts come to, of every time."""
    facts: dict[Key, list[Fact]] = defaultdict(list)
    for entry in history:
        if fact := fact_of(entry):
            facts[_account(entry)].append(fact)
    return [
        (account, span)
        for account, known in facts.items()
        for span in derive(known, rules_of(account[0]))
    ]


def shown(
    name: str, spans: Spans, at: datetime | None = None, clock: datetime | None = None
) -> list[Row]:
    """The rows of a folded view: at an effective time; or now, by a clock (None: the machine's)."""
    now = clock or datetime.now(UTC)
    rows = (_row(name, account, span) for account, span in spans if _holds(span, at, now))
    return sorted((row for row in rows if row), key=in_order)


def in_order(row: Row) -> Row:
    """The key by which views sort their rows: nothing comes first."""
    return tuple((value is not None, value) for value in row)


def _holds(span: Span, at: datetime | None, now: datetime) -> bool:
    if at is not None:
        return span.valid_from <= at and (span.until_at is None or span.until_at > at)
    begun = span.note != "expired" or span.valid_from <= now
    lasts = span.until_at is None or (span.expires and span.until_at > now)
    return begun and lasts


def _row(name: str, account: Key, span: Span) -> Row | None:
    thing = (span.name or span.thing, _id(account, span.thing, span.name))
    since = None if span.since is None else instant_text(span.since)
    who = (span.actor or "", span.origin or "inferred", span.note or "")
    end = (since, span.position)
    digest, version, document = _document(span)
    match name, span.subject:
        case "regions", "permission":
            policy = (
                span.policy or span.policy_id or "",
                _id(account, span.policy_id or "", span.policy),
            )
            where = (span.region, *account, *thing, span.service or "", *policy)
            return (*where, span.status, *who, digest, *document, *end)
        case "agencies", "agency":
            until = instant_text(span.value) if isinstance(span.value, datetime) else None
            return (*account, *thing, span.status, *who, until, *end)
        case "trustees", "trust":
            status = "trusted" if span.status == "set" else span.status
            return (
                *(*account, *thing, span.value or "", status),
                *(*who, digest, *document, *end),
            )
        case "boundaries", "boundary":
            removed = span.status == "set" and span.value is None
            status = "removed" if removed else span.status
            return (*account, *thing, span.value or "", status, *who, *end)
        case "policies", "policy":
            return (*account, *thing, span.status, *who, digest, version, *document, *end)
        case _:
            return None


def _document(span: Span) -> tuple[str, str, Row]:
    """The digest of the document, its version; since when and by which event."""
    content = span.content
    if content is None:
        return "", "", (None, None)
    since = None if content.since is None else instant_text(content.since)
    return content.digest, content.version or "", (since, content.position)


def _id(account: Key, thing: str, name: str | None) -> str:
    """The immutable id; empty if the thing has none, and is known by its name and beginning."""
    slot = name.casefold() if name and account[0] == "aws" else name
    return "" if name and thing.startswith(f"{slot}~") else thing


def boundaries(history: list[Recorded]) -> list[int]:
    """The positions at which a command ends, and 0."""
    return [0] + [
        entry.position or 0
        for entry, after in zip_longest(history, history[1:])
        if after is None or after.command_id != entry.command_id or entry.command_id is None
    ]


def attempts(history: list[Recorded], at: datetime | None = None) -> list[Row]:
    """Refused and carried-out attempts: those of events, or the deletions that are known."""
    counted: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0])
    latest: dict[Key, list[tuple[str, int]]] = defaultdict(list)
    for entry in history:
        if entry.type.endswith("DeletionAttempted") and (at is None or entry.effective_at <= at):
            event: Any = entry.event
            key = (*_account(entry), getattr(event, "agency", ""), getattr(event, "policy", ""))
            counted[key][0 if event.outcome == "refused" else 1] += 1
            latest[key].append((instant_text(entry.effective_at), entry.position or 0))
    for name in ("agencies", "policies"):
        for row in fold(name, history, at):
            provider, account, thing, _, status, _, origin, *_, since, position = row
            if status == "deleted" and origin != "inferred":
                key = (provider, account, *((thing, "") if name == "agencies" else ("", thing)))
                counted[key][2] += 1
                latest[key].append((since, position))
    return sorted(
        (*key, refused, max(done, deleted), *map(max, zip(*latest[key], strict=True)))
        for key, (refused, done, deleted) in counted.items()
    )


def capabilities(history: list[Recorded], rows: list[Row] | None = None) -> list[Row]:
    """Which features work where, by the permissions of `rows` (those of now)."""
    known = fold("regions", history) if rows is None else rows
    trusts = fold("trustees", history)
    agreed = _agreed(history)
    asked = {row[:4] for row in fold("recorded_authorizations", history)}
    asked |= {(region, *place, "cce") for region, place, _ in agreed if region is not None}
    served = {
        (*row[:3], service.code)
        for row in known
        for service in _catalogue.services_of(row[1])
        if row[3] in service.agency_names()
    }
    return sorted(
        (*place, feature.name, *_best(known, trusts, agreed, place, service, feature.needs))
        for place in asked | served
        for service in [_catalogue.service(place[1], place[3])]
        for feature in service.features
    )


_catalogue = load_catalogue()
_Agreed = set[tuple[str | None, Key, str]]


def _agreed(history: list[Recorded]) -> _Agreed:
    """Region, account and agency of each consent in CCE's console whose agency may exist."""
    there = {row[:3] for row in fold("agencies", history) if row[4] != "deleted"}
    return {
        (event.region, _account(entry), event.agency)
        for entry in history
        if entry.type == "PermissionsChanged"
        for event in [_any(entry.event)]
        if event.detail.startswith("createUserAgencies:")
        and (*_account(entry), event.agency) in there
    }


def _any(event: Any) -> Any:
    return event


def _best(  # noqa: PLR0917  The answer follows from each of them.
    known: list[Row],
    trusts: list[Row],
    agreed: _Agreed,
    place: Key,
    service: Any,
    needs: Iterable[str],
) -> Row:
    """The agency that lacks least, whether the feature works through it, what is missing, and why.

    The accounts of these histories have names, so a trust in one is known not to be the service's.
    """
    region, provider, account, _ = place
    ranked = []
    for preference, agency in enumerate(service.agency_names()):
        others = {
            row[3]: row[4]
            for row in trusts
            if row[:3] == (provider, account, agency)
            and row[4] not in ("", *(e.trustee for e in _catalogue.entries_of(provider, agency)))
        }
        held = [
            Held(row[4], _place(row[0]), row[5] or None, row[6], row[8], None, None)
            for row in known
            if row[1:4] == (provider, account, agency) and row[8] != "revoked"
        ]
        astray = sorted({others[each.thing] for each in held if each.thing in others})
        held = [each for each in held if each.thing not in others]
        agrees = any(
            (whose, name) == ((provider, account), agency) and where in (region, None)
            for where, whose, name in agreed
        )
        entries = _catalogue.entries_of(provider, agency)
        rights = rights_of(held, region, entries, has_agreed=agrees)
        lacking, unsure = rights.lacks(needs), rights.may_lack(needs)
        status = "broken" if lacking else "unknown" if unsure else "works"
        missing = ",".join(lacking or unsure)
        note = f"trusts {','.join(astray)}" if astray and missing else ""
        ranked.append((len(lacking), len(unsure), preference, (agency, status, missing, note)))
    return min(ranked)[-1]


def _place(region: str) -> str | None:
    return None if region == "not known" else region
