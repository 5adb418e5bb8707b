"""The questions that decisions ask of an account, as everything stands at one instant.

An answer says what the facts prove. A thing whose creation was not seen exists once a later fact
proves it. A permission that is not known to be granted is not granted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

from ledger.account.answers import Held, PermissionKey, Thing, surety
from ledger.account.state import Agreed, Authorization, State
from ledger.account.truth.content import Content
from ledger.account.truth.lines import CREATION_NOT_SEEN, GRANTED, NOT_KNOWN
from ledger.account.truth.rules import Rules, rules_of
from ledger.account.truth.spans import Span, Subject
from ledger.account.truth.timeline import ASKED, EXISTS
from ledger.values import ALL_REGIONS

_ANSWERS: Final = ("granted", "revoked")
"""The statuses of an authorization that settle it. A dialog that opened or closed does not."""
_LAST: Final = 2**63


class Account:
    """One account at the instant `at`. A fact that lies after it does not count yet.

    An agency is named by its name, or by its id if no fact told the name.
    """

    def __init__(self, state: State, at: datetime) -> None:
        self.at, self.state = at, state
        self.provider, self.account, self.version = state.provider, state.account, state.version
        self._rules = rules_of(state.provider)
        self._held: dict[tuple[Subject, str], list[Span]] = {}
        self._permitted: dict[str, list[Span]] = {}

    # -- consent ----------------------------------------------------------------------------------

    def authorization(self, service: str, region: str) -> Authorization | None:
        """The status of a service's authorization in one region; None if it never asked."""
        known = self._authorized(service, region)
        return known[1] if known else None

    def authorization_since(self, service: str, region: str) -> datetime | None:
        known = self._authorized(service, region)
        return known[0] if known else None

    def _authorized(self, service: str, region: str) -> tuple[datetime, Authorization] | None:
        known = self.state.authorizations.get((service, region))
        return known.at(self.at) if known else None

    def revocation(self, service: str, region: str) -> datetime | None:
        """When consent was revoked, if it was not granted since. A dialog alone changes nothing."""
        known = self.state.authorizations.get((service, region), ())
        answers = [
            (at, each.status) for at, each in known if each.status in _ANSWERS and at <= self.at
        ]
        at, status = answers[-1] if answers else (None, None)
        return at if status == "revoked" else None

    # -- what exists ------------------------------------------------------------------------------

    def agency(self, name: str) -> Thing | None:
        """The agency that has the name, or had it last; None if no fact names one."""
        return self._thing(self._lives("agency", name))

    def agency_exists(self, name: str) -> bool:
        """Whether it is proven that an agency of that name exists."""
        known = self.agency(name)
        return known is not None and known.exists

    def agencies(self) -> tuple[Thing, ...]:
        """The agencies that are proven to exist, by the account's facts and the known uses."""
        return tuple(
            self._as_thing(span)
            for span in self.state.cells.everything()
            if span.subject == "agency" and span.status in (EXISTS, ASKED) and self._holds(span)
        )

    def agency_count(self) -> int:
        """How many agencies are proven to exist."""
        return len(self.agencies())

    def has_agencies(self, count: int) -> bool:
        """Whether so many agencies are proven to exist. Cheaper than to count them."""
        return len(self.state.agencies_named()) >= count and self.agency_count() >= count

    def has_unnamed_agency(self) -> bool:
        """Whether an agency exists, or may exist, of which only the id is known.

        It may have any name, until a fact tells it.
        """
        own = [fact for fact in self.state.facts if fact.kind == "agency" and fact.id is not None]
        named = {fact.id for fact in own if fact.name is not None}
        unnamed = dict.fromkeys(fact.id for fact in own if fact.id not in named)
        found = (self.agency(identity) for identity in unnamed if identity is not None)
        return any(agency is not None and agency.may_exist for agency in found)

    def policy(self, name: str) -> Thing | None:
        """The policy that has the name, or had it last; None if no fact names one.

        A permission that was granted under a policy proves it. Its creation need not be seen.
        """
        known = self._thing(self._lives("policy", name))
        if known is not None or self.state.cells.of_policy(name):
            return known  # It had the name once, and has another one now.
        if any(span.policy == name for span in self._under(name)):
            return Thing(name, name, None, EXISTS, None, CREATION_NOT_SEEN)
        return None

    def content_of_policy(self, name: str) -> Content | None:
        """The document of a policy that exists; None if no fact told one, or a change of one."""
        held = [span for span in self._lives("policy", name) if span.status == EXISTS]
        return next((span.content for span in held), None)

    def policy_exists(self, name: str) -> bool:
        """Whether it is proven that a policy of that name exists."""
        known = self.policy(name)
        return known is not None and known.exists

    def value(self, subject: Subject, agency: str) -> Span | None:
        """The agency's trust, expiry or boundary: the span that holds; None if no fact told one."""
        found = self._lives(subject, agency)
        return max(found, key=lambda span: span.valid_from, default=None)

    def trusts(self, agency: str, identity: str) -> tuple[Span, ...]:
        """The trusts of agencies of that name and id (empty: none is known)."""
        return tuple(
            span
            for span in self._lives("trust", agency)
            if (_identity(span.thing, span.name, self._rules) or "") == identity
        )

    # -- what is permitted ------------------------------------------------------------------------

    def permitted_services(self, agency: str, region: str) -> frozenset[str]:
        """The services that grants name, those for all regions included.

        A policy may permit more: `ledger.account.rights` says what is known of that.
        """
        return frozenset(
            span.service
            for span in self._granted(agency, _has_service)
            if span.service is not None and span.region in (region, "*")
        )

    def held(self, agency: str, without: Collection[PermissionKey] = ()) -> tuple[Held, ...]:
        """The permissions that are, or may be, granted to the agency, apart from some."""
        found = self._permitted.get(agency)
        if found is None:
            found = self._permitted[agency] = self._lasting(agency)
        return tuple(
            self._as_held(span)
            for status in (GRANTED, NOT_KNOWN)
            for span in found
            if span.status == status and (not without or self._key(span) not in without)
        )

    def has_agreed(self, agency: str, region: str) -> bool:
        """Whether the account agreed in a console that the agency gets rights in the region, by a
        trace that does not tell them.
        """
        return any(
            agency in (thing.name, thing.key) and agreed.region in (region, ALL_REGIONS, None)
            for agreed, thing in self.agreements()
        )

    def agreements(self) -> tuple[tuple[Agreed, Thing], ...]:
        """The consents in a console, with their agencies: those that may still exist."""
        found = (
            (each, self.agency(each.agency_id or each.agency or "")) for each in self.state.agreed
        )
        return tuple((each, thing) for each, thing in found if thing and not thing.is_gone)

    def open_permissions(self, agency: str) -> tuple[PermissionKey, ...]:
        """The permissions that are granted, in the order of their first facts."""
        first = self._first_positions(agency)
        granted = sorted(self._granted(agency), key=lambda span: first[_line(span)])
        return tuple(map(self._key, granted))

    def permissions_under(self, policy: str) -> tuple[PermissionKey, ...]:
        """The permissions under a policy that are granted, of all agencies."""
        known = self.policy(policy)
        under = [
            span
            for span in self._under(policy)
            if known is not None
            and span.policy_id in (known.key, None)
            and span.status == GRANTED
            and self._holds(span)
        ]
        wanted = {self._key(span) for span in under}
        agencies = {span.name or span.thing for span in under}
        found = dict.fromkeys(
            key
            for agency in sorted(agencies, key=lambda one: min(self._first_positions(one).values()))
            for key in self.open_permissions(agency)
        )
        return tuple(key for key in found if key in wanted)

    def regions_of(self, agency: str) -> tuple[str, ...]:
        """The regions and projects in which the agency has a permission, sorted."""
        places = {key.place for key in self.open_permissions(agency)}
        return tuple(sorted(place for place in places if place is not None))

    def permission(
        self, agency: str, region: str | None, service: str | None, policy: str | None
    ) -> Span | None:
        """One permission as it stands; None if no fact told of it.

        The region may be named by its project's id, the policy by its id.
        """
        regions = (region, self.state.name_of("project", region))
        found = [
            span
            for span in self._permissions(agency, service)
            if span.region in regions and policy in (span.policy, span.policy_id)
        ]
        return max(found, key=lambda span: (span.status == GRANTED, span.valid_from), default=None)

    def regions(self) -> set[str]:
        """The regions in which the account was asked for consent, or was granted a permission."""
        return self.state.regions()

    # -- spans ------------------------------------------------------------------------------------

    def _lives(self, subject: Subject, name: str) -> list[Span]:
        """The spans that hold of a life, a trust or an expiry."""
        known = self._held.get((subject, name))
        if known is None:
            cells = self.state.cells
            of_policy = subject == "policy"
            found = cells.of_policy(name) if of_policy else cells.lives_of(name)
            known = [span for span in self._that_hold(found, name) if span.subject == subject]
            self._held[subject, name] = known
        return known

    def _permissions(self, agency: str, service: str | None) -> Iterable[Span]:
        """The spans that hold of the agency's permissions to use a service."""
        return self._lasting(agency, lambda each: each == service)

    def _granted(
        self, agency: str, is_wanted: Callable[[str | None], bool] | None = None
    ) -> list[Span]:
        """The spans that hold of what is granted to the agency, of services that are wanted."""
        return [span for span in self._lasting(agency, is_wanted) if span.status == GRANTED]

    def _lasting(
        self, agency: str, is_wanted: Callable[[str | None], bool] | None = None
    ) -> list[Span]:
        """The spans that hold of the agency's permissions, of services that are wanted."""
        return self._that_hold(self.state.cells.lasting_permissions_of(agency, is_wanted), agency)

    def _that_hold(self, spans: Iterable[Span], name: str) -> list[Span]:
        """Those of the spans that hold, and are of the things that are called so."""
        at, rules = self.at, self._rules
        return [
            span
            for span in spans  # Not by `_holds`: there may be very many.
            if span.valid_from <= at
            and (span.until_at is None or at < span.until_at)
            and (span.name == name or _is_called(span, name, rules))
        ]

    def _under(self, policy: str) -> list[Span]:
        return self.state.cells.under_policy(policy)

    def _holds(self, span: Span) -> bool:
        return span.valid_from <= self.at and (span.until_at is None or self.at < span.until_at)

    def _thing(self, spans: Iterable[Span]) -> Thing | None:
        """Of the things that had a name, the one that is there most surely, or was there last."""
        found = min(spans, key=surety, default=None)
        return None if found is None else self._as_thing(found)

    def _as_thing(self, span: Span) -> Thing:
        identity = _identity(span.thing, span.name, self._rules)
        return Thing(span.thing, span.name, identity, span.status, span.since, span.note)

    def _first_positions(self, agency: str) -> dict[tuple[str | None, ...], int]:
        """The position of the first fact of each permission that agencies of a name ever had."""
        first: dict[tuple[str | None, ...], int] = {}
        for span in self.state.cells.permissions_of(agency):
            position = _LAST if span.position is None else span.position
            first[_line(span)] = min(first.get(_line(span), _LAST), position)
        return first

    def _key(self, span: Span) -> PermissionKey:
        region = None if span.region == NOT_KNOWN else span.region
        is_project = self.state.is_bare_id("project", region)
        is_policy_id = self.state.is_bare_id("policy", span.policy)
        return PermissionKey(
            span.name,
            None if is_project else region,
            span.service,
            None if is_policy_id else span.policy,
            agency_id=span.thing if span.name is None else None,
            project_id=region if is_project else None,
            policy_id=span.policy if is_policy_id else self._policy_id(span),
        )

    def _as_held(self, span: Span) -> Held:
        identity = _identity(span.thing, span.name, self._rules) or ""
        place = None if span.region == NOT_KNOWN else span.region
        policy = span.policy or span.policy_id
        return Held(identity, place, span.service, policy, span.status, span.since, span.position)

    def _policy_id(self, span: Span) -> str | None:
        """The id of a permission's policy, where its name does not lead to the policy."""
        identity = span.policy_id
        if identity is None or span.policy is None:
            return identity
        named = self._thing(self._lives("policy", span.policy))
        if named is not None and named.exists and named.key == identity:
            return None
        return _identity(identity, span.policy, self._rules)


def _has_service(service: str | None) -> bool:
    return service is not None


def _line(span: Span) -> tuple[str | None, ...]:
    return span.region, span.service, span.policy or span.policy_id


def _is_called(span: Span, name: str, rules: Rules) -> bool:
    return span.thing == name or rules.slot(span.name or span.thing) == rules.slot(name)


def _identity(thing: str, name: str | None, rules: Rules) -> str | None:
    """The immutable id in a thing's key, which without one is `name~begin`."""
    made_up = name is not None and thing.startswith(f"{rules.slot(name)}~")
    return None if made_up else thing
