"""Impact: the features that work now, and would not without some permissions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Final, NamedTuple

from ledger.account.answers import Held, PermissionKey
from ledger.account.decision import Circumstances
from ledger.account.questions import Account
from ledger.account.rights import rights, rights_of
from ledger.account.trust import served
from ledger.catalogue import AgencyEntry, Catalogue, Feature, Service
from ledger.values import ALL_REGIONS

_REGION: Final = re.compile(r"\*|[^\s:*]{1,128}")
IMPACT_BYTES_MAX: Final = 15_000
"""How much of an impact an entry holds. The totals say how much there is in all."""


def as_many_as_fit(impact: tuple[str, ...]) -> tuple[str, ...]:
    """The first items of an impact, as many as an entry has room for."""
    room, kept = IMPACT_BYTES_MAX, []
    for name in impact:
        room -= len(name.encode()) + 3
        if room < 0:
            break
        kept.append(name)
    return tuple(kept)


def total(impact: tuple[str, ...]) -> int | None:
    """How many items there are in all; None if the entry has room for all of them."""
    return None if as_many_as_fit(impact) == impact else len(impact)


def regions_of(permissions: Iterable[PermissionKey]) -> tuple[str, ...]:
    """The regions of permissions, sorted; a project whose name is not known by its id."""
    places = {key.place or "" for key in permissions}
    return tuple(sorted(place for place in places if _REGION.fullmatch(place)))


class Serving(NamedTuple):
    """The agency through which a feature works, or would work if it lacked nothing."""

    agency: str
    lacks: tuple[str, ...]
    """The services that the feature needs and the agency may not use, sorted."""
    may_lack: tuple[str, ...]
    """Those of which that is not known, sorted."""
    note: str = ""
    """The party that the agency trusts instead of the service."""


def serving_agency(
    account: Account, service: Service, feature: Feature, region: str, catalogue: Catalogue
) -> Serving:
    """The agency through which a feature works in a region, and the services that it lacks.

    Of all agencies that the service ever had, the one that lacks fewest, then the one of which
    least is not known; of equals the newest. So says the view `capabilities`.
    """
    candidates = [
        Serving(name, known.lacks(feature.needs), known.may_lack(feature.needs), known.note)
        for name in service.agency_names()
        for known in [rights(account, name, region, catalogue)]
    ]
    return min(candidates, key=lambda one: (len(one.lacks), len(one.may_lack)))


def broken_features(
    account: Account, ended: Iterable[PermissionKey], now: Circumstances
) -> tuple[str, ...]:
    """`region/service/feature` of each feature that works now, not without these permissions."""
    gone = frozenset(ended)
    regions = {key.place for key in gone}
    if ALL_REGIONS in regions:
        agencies = {key.agency for key in gone if key.agency is not None}
        regions |= {region for agency in agencies for region in account.regions_of(agency)}
    broken = set()
    named = sorted(region for region in regions if region is not None)
    for service in now.catalogue.services_of(account.provider):
        names = service.agency_names()
        entries = {name: now.catalogue.entries_of(account.provider, name) for name in names}
        had = {name: served(account, name, entries[name]).held for name in names}
        left = {name: served(account, name, entries[name], without=gone).held for name in names}
        for region, feature in product(named, service.features):
            if _works(had, region, feature, entries) and not _works(left, region, feature, entries):
                broken.add(f"{region}/{service.code}/{feature.name}")
    return tuple(sorted(broken))


def _works(
    held: Mapping[str, Iterable[Held]],
    region: str,
    feature: Feature,
    entries: Mapping[str, Iterable[AgencyEntry]],
) -> bool:
    """Whether one of the agencies certainly may use all that the feature needs in the region."""
    return any(
        set(feature.needs) <= rights_of(each, region, entries[agency]).permitted
        for agency, each in held.items()
    )
