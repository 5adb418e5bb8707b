"""Consent that no command and no dialog told: it is inferred from what the account did.

An account consented to a service in a region if every policy is granted there that a dated baseline
of the catalogue gives the service's agencies, or if it agreed in the service's console to agencies
of which one may still exist. Nothing is appended for it. The view `authorizations` says the same in
SQL, and has the facts that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from ledger.account.answers import Held
from ledger.account.questions import Account
from ledger.account.rights import complete
from ledger.account.trust import served
from ledger.account.truth.lines import GRANTED
from ledger.account.wording import clock, listed
from ledger.catalogue import AgencyEntry, Baseline, Service
from ledger.values import ALL_REGIONS, ENTERPRISE_PROJECT, GLOBAL


class Consent(NamedTuple):
    """An inferred consent: since when, by the facts (None: not known), and what it follows from."""

    since: datetime | None
    rests_on: str
    has_all_permissions: bool
    """Whether the facts name the permissions that it gave."""
    is_known: bool = True
    """Whether the facts prove it. If not, they leave open whether the account consented."""


def inferred_consent(account: Account, service: Service, region: str) -> Consent | None:
    """The account's consent to a service in a region, as far as it follows from other facts.

    It ends with its permissions. A recorded consent counts before it, and so does a revocation that
    was recorded later than it began. A dialog that was opened, or closed without consent, does not.
    """
    known = account.authorization(service.code, region)
    if known is not None and known.status == "granted":
        return None
    revoked_at = account.revocation(service.code, region)
    found = (*_by_policies(account, service, region), *_by_agreement(account, service, region))
    consent = min(found, key=_earliest, default=None)
    if consent is None or revoked_at is None:
        return consent
    return consent if consent.since is not None and consent.since > revoked_at else None


def _earliest(consent: Consent) -> tuple[bool, bool, float]:
    """Of those that are proven. One whose beginning was not seen is the earliest."""
    is_seen = consent.since is not None
    return not consent.is_known, is_seen, consent.since.timestamp() if consent.since else 0.0


def _by_policies(account: Account, service: Service, region: str) -> Iterator[Consent]:
    if region == GLOBAL or region.startswith(ENTERPRISE_PROJECT):
        return  # The services of a baseline are regional.
    for baseline in service.baselines:
        granted = list(_granted(account, baseline, region))
        if not all(granted):
            may_be = list(_granted(account, baseline, region, or_perhaps=True))
            if all(may_be):
                policies = listed(sorted({repr(held.policy) for each in may_be for held in each}))
                why = f"whether {policies} are granted is not known"
                yield Consent(None, why, has_all_permissions=False, is_known=False)
        elif granted:
            begun = [held.since for each in granted for held in each]
            since = None if None in begun else max(at for at in begun if at is not None)
            policies = listed(sorted({repr(held.policy) for each in granted for held in each}))
            when = f"since {clock(since)}" if since else "by a grant that was not seen"
            yield Consent(since, f"{policies}, granted {when}", has_all_permissions=True)


def _granted(
    account: Account, baseline: Baseline, region: str, *, or_perhaps: bool = False
) -> Iterator[list[Held]]:
    """For each agency to which the baseline gives policies, the grants of them that came first; an
    empty list if one is missing. With `or_perhaps`, grants that are not known count too.
    """
    for entry in baseline.agencies:
        if entry.policies:
            found = served(account, entry.name, [entry]).held
            here = [each for each in found if each.place in (region, ALL_REGIONS)]
            held = [each._replace(status=GRANTED) for each in here] if or_perhaps else here
            whole = [_first(held, thing, entry) for thing, _ in complete(held, [entry])]
            yield min(whole, key=_completed, default=[])


def _first(held: Iterable[Held], thing: str, entry: AgencyEntry) -> list[Held]:
    granted = [each for each in held if each.is_of_policy and each.thing == thing]
    return [
        min((each for each in granted if each.policy == policy), key=_began)
        for policy in entry.policies
    ]


def _completed(granted: Iterable[Held]) -> tuple[bool, float]:
    """When the last of the grants became true; one whose beginning was not seen is the earliest."""
    began = [_began(each) for each in granted]
    return all(seen for seen, _ in began), max(at for _, at in began)


def _began(held: Held) -> tuple[bool, float]:
    return held.since is not None, held.since.timestamp() if held.since else 0.0


def _by_agreement(account: Account, service: Service, region: str) -> Iterator[Consent]:
    for agreed, agency in account.agreements():
        rests_on = f"the agreement of {clock(agreed.at)} to {agency.name or agency.key}"
        if (agreed.service, agreed.region) == (service.code, region):
            yield Consent(agreed.at, rests_on, has_all_permissions=False)
        if (agreed.service, agreed.region) == (service.code, None):
            why = f"in which region {rests_on} holds is not known"
            yield Consent(None, why, has_all_permissions=False, is_known=False)
