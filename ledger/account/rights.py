"""The services that an agency may use in a region: yes, no, or not known.

A grant under a policy says which services it permits in two cases only: the grant names a service,
or a dated baseline of the catalogue gives the agency this policy. A baseline's services are
permitted where all policies are granted that it gives the agency. Any other policy may permit
anything, as its content is not known here. So a service is not permitted only where nothing is
granted that could permit it. The view `capabilities` says the same in SQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from ledger.account.answers import Held
from ledger.account.questions import Account
from ledger.account.trust import served
from ledger.account.truth.lines import GRANTED
from ledger.catalogue import AgencyEntry, Catalogue
from ledger.values import ALL_REGIONS, ENTERPRISE_PROJECT, GLOBAL, is_bare_id


class Rights(NamedTuple):
    """The services that an agency may use in one region, and those of which that is not known."""

    permitted: frozenset[str]
    doubtful: frozenset[str]
    may_permit_more: bool
    """Whether something is granted, or may be, that could permit any service."""
    note: str = ""
    """The parties that the agency trusts instead of the service: its permissions do not count."""

    def lacks(self, services: Iterable[str]) -> tuple[str, ...]:
        """Those of the services that the agency may not use, sorted."""
        if self.may_permit_more:
            return ()
        return tuple(sorted(set(services) - self.permitted - self.doubtful))

    def may_lack(self, services: Iterable[str]) -> tuple[str, ...]:
        """Those of the services of which that is not known, sorted."""
        unsure = set(services) - self.permitted
        return tuple(sorted(unsure if self.may_permit_more else unsure & self.doubtful))


def rights(account: Account, agency: str, region: str, catalogue: Catalogue) -> Rights:
    """The agency's rights in a region, those for all regions included."""
    entries = catalogue.entries_of(account.provider, agency)
    agreed = account.has_agreed(agency, region)
    held, note = served(account, agency, entries)
    return rights_of(held, region, entries, has_agreed=agreed)._replace(note=note)


def rights_of(
    held: Iterable[Held],
    region: str,
    entries: Iterable[AgencyEntry],
    *,
    has_agreed: bool = False,
) -> Rights:
    """The rights that come of what is, or may be, granted. `entries` are the agency's baselines.

    `has_agreed`: the account agreed to what the console asked for, and no trace tells what that is.
    """
    known = tuple(held)
    is_here = () if region.startswith(ENTERPRISE_PROJECT) else (region, ALL_REGIONS)
    here = [each for each in known if each.place in is_here]
    maybe_here = [each for each in known if _may_lie_in(each.place, region)]
    whole = () if region == GLOBAL else tuple(complete(here, entries))
    explained = {(thing, policy) for thing, entry in whole for policy in entry.policies}
    permitted = {each.service for each in here if each.service and each.status == GRANTED}
    permitted |= {service for _, entry in whole for service in entry.services}
    doubtful = {each.service for each in (*here, *maybe_here) if each.service} - permitted
    unexplained = [each for each in here if (each.thing, each.policy) not in explained]
    more = has_agreed or any(not each.service for each in (*unexplained, *maybe_here))
    return Rights(frozenset(permitted), frozenset(doubtful), more)


def complete(
    held: Collection[Held], entries: Iterable[AgencyEntry]
) -> Iterator[tuple[str, AgencyEntry]]:
    """The baselines' entries of which every policy is granted to one agency; the agency's id."""
    granted = {(each.thing, each.policy) for each in held if each.is_of_policy}
    things = {thing for thing, _ in granted}
    for entry in entries:
        for thing in things if entry.policies else ():
            if all((thing, policy) in granted for policy in entry.policies):
                yield thing, entry


def _may_lie_in(place: str | None, region: str) -> bool:
    """Whether a place that is not a region may be in one, or concern what is there."""
    if place is None or place.startswith(ENTERPRISE_PROJECT):
        return True
    return is_bare_id(place) and not is_bare_id(region)  # A project whose name no fact told.
