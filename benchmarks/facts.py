"""Draws the facts of the generated accounts from a given random generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyTrustChanged,
)
from ledger.account.authorization import (
    AuthorizationDeclined,
    AuthorizationGranted,
    AuthorizationRequested,
)
from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
)
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.account.usage import (
    CredentialRefused,
    FeatureRefused,
    FeatureUsed,
    TemporaryCredentialIssued,
)
from ledger.messages import DomainEvent

Facts = tuple[DomainEvent, ...]

REGIONS: Final = {
    "huaweicloud": (
        "cn-north-1", "cn-north-4", "cn-east-3", "cn-south-1", "ap-southeast-1", "ap-southeast-3",
        "af-south-1", "la-south-2",
    ),
    "aws": ("us-east-1", "us-west-2", "eu-central-1", "ap-northeast-1"),
}  # fmt: skip
SERVICES: Final = ("aom", "cce", "elb", "vpc", "evs", "obs", "swr", "dns")
CONSOLES: Final = ("asm", "cce", "console")
FEATURES: Final = ("mesh", "ingress-gateway", "metrics", "access-log", "canary-release")
COMPONENTS: Final = ("istio-ingressgateway", "cluster-autoscaler", "log-agent", "csi-driver")
PURPOSES: Final = ("backup", "billing", "deploy", "monitoring", "etl", "archive")
SHARED_AGENCIES: Final = ("asm_admin_trust", "cce_admin_trust")
"""These names occur in all accounts; each account also has agencies with names of its own."""


@dataclass(slots=True)
class Site:
    """One account: its existing agencies and policies, and its open permissions."""

    number: int
    provider: str
    account: str
    regions: tuple[str, ...]
    agencies: tuple[str, ...]
    policies: tuple[str, ...]
    existing: set[str] = field(default_factory=set)
    open: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Agency, region, service and policy."""
    events: int = 0


def site(number: int, random: Random) -> Site:
    """The account with that number. Every fifth belongs to AWS."""
    provider = "huaweicloud" if number % 5 else "aws"
    account = f"{random.getrandbits(48):012x}"
    if provider == "aws":
        account = f"{random.randrange(10**11, 10**12)}"
    regions = REGIONS[provider]
    own = tuple(f"{purpose}_{account[:8]}" for purpose in random.sample(PURPOSES, 2))
    return Site(
        number=number,
        provider=provider,
        account=account,
        regions=tuple(random.sample(regions, random.randint(2, len(regions)))),
        agencies=(*SHARED_AGENCIES, *own),
        policies=("asm admin trust policy", "VPC FullAccess", f"{own[0]} policy"),
    )


def happen(site: Site, random: Random) -> Facts:
    """The facts of one trace. If an agency does not exist yet, its creation is drawn instead."""
    agency = random.choice(site.agencies)
    if agency not in site.existing:
        happened = _create(site, agency, random)
    else:
        (kind,) = random.choices(_KINDS, cum_weights=_CUMULATED)
        happened = kind(site, agency, random)
    site.events += len(happened)
    return happened


def _create(site: Site, agency: str, random: Random) -> Facts:
    site.existing.add(agency)
    created = AgencyCreated(
        agency=agency,
        agency_id=f"{random.getrandbits(128):032x}",
        trustee=f"service:{agency.partition('_')[0]}",
        purpose="Lets the service manage other services on the account's behalf",
    )
    missing = [policy for policy in site.policies if policy not in site.existing]
    site.existing.update(missing[:1])
    return (
        created,
        *(
            PolicyCreated(policy=policy, policy_id=f"{random.getrandbits(128):032x}", agency=agency)
            for policy in missing[:1]
        ),
    )


def _grant(site: Site, agency: str, random: Random) -> Facts:
    key = (
        agency,
        random.choice(site.regions),
        random.choice(SERVICES),
        random.choice(site.policies),
    )
    site.open.append(key)
    return (_granted(key),)


def _granted(key: tuple[str, str, str, str]) -> PermissionGranted:
    agency, region, service, policy = key
    return PermissionGranted(
        agency=agency, region=region, service=service, policy=policy, policy_kind="custom"
    )


def _revoke(site: Site, agency: str, random: Random) -> Facts:
    if not site.open:
        return _grant(site, agency, random)
    at = random.randrange(len(site.open))
    site.open[at], site.open[-1] = site.open[-1], site.open[at]
    named, region, service, policy = site.open.pop()
    return (PermissionRevoked(agency=named, region=region, service=service, policy=policy),)


def _consent(site: Site, agency: str, random: Random) -> Facts:
    """A dialog's request, or the answer to one: mostly consent, with its permissions."""
    service, region = random.choice(CONSOLES[:2]), random.choice(site.regions)
    asked = tuple(sorted(random.sample(SERVICES, 4)))
    chance = random.random()
    if chance < 0.5:
        return (
            AuthorizationRequested(
                service=service, region=region, services=asked, agencies=(agency,)
            ),
        )
    if chance < 0.6:
        return (AuthorizationDeclined(service=service, region=region),)
    keys = [(agency, region, code, site.policies[0]) for code in asked]
    site.open += keys
    return (
        AuthorizationGranted(service=service, region=region, services=asked, agencies=(agency,)),
        *map(_granted, keys),
    )


def _login(site: Site, _: str, random: Random) -> Facts:
    return (
        ConsoleLoginRequested(
            service=random.choice(CONSOLES),
            region=random.choice(site.regions),
            outcome="admitted" if random.random() < 0.95 else "refused",
            mfa=random.random() < 0.7,
        ),
    )


def _credential(site: Site, agency: str, random: Random) -> Facts:
    return (
        TemporaryCredentialIssued(
            agency=agency,
            region=random.choice(site.regions),
            service=random.choice(SERVICES),
            component=random.choice(COMPONENTS),
            account_version=site.events,
        ),
    )


def _refused_credential(site: Site, agency: str, random: Random) -> Facts:
    return (
        CredentialRefused(
            agency=agency,
            region=random.choice(site.regions),
            service=random.choice(SERVICES),
            component=random.choice(COMPONENTS),
            why="AccessDenied: the agency may not use the service in this region",
        ),
    )


def _feature(site: Site, agency: str, random: Random) -> Facts:
    region, feature = random.choice(site.regions), random.choice(FEATURES)
    needs = tuple(sorted(random.sample(SERVICES, 2)))
    if random.random() < 0.15:
        return (
            FeatureRefused(
                agency=agency, region=region, service="asm", feature=feature, missing=needs,
                account_version=site.events,
            ),
        )  # fmt: skip
    return (
        FeatureUsed(
            agency=agency, region=region, service="asm", feature=feature, services=needs,
            account_version=site.events,
        ),
    )  # fmt: skip


def _attempt(site: Site, agency: str, random: Random) -> Facts:
    policy = random.choice(site.policies)
    return (
        random.choice(
            (
                PolicyDeletionAttempted(
                    policy=policy, outcome="refused", why="The policy is protected."
                ),
                AgencyDeletionAttempted(
                    agency=agency, outcome="refused", why="The agency is protected."
                ),
                PermissionChangeRefused(agency=agency, policy=policy, why="AccessDenied"),
            )
        ),
    )


def _change(site: Site, agency: str, random: Random) -> Facts:
    return (
        random.choice(
            (
                PolicyChanged(policy=random.choice(site.policies), detail="a new version"),
                AgencyTrustChanged(agency=agency, trustee=f"account:{random.randrange(10**8)}"),
            )
        ),
    )


def _delete(site: Site, agency: str, random: Random) -> Facts:
    """The deletion of an agency or a policy. The ledger itself records the permissions' ends."""
    policy = random.choice(site.policies)
    if random.random() < 0.5 and policy in site.existing:
        site.existing.discard(policy)
        site.open = [key for key in site.open if key[3] != policy]
        return (PolicyDeleted(policy=policy),)
    site.existing.discard(agency)
    site.open = [key for key in site.open if key[0] != agency]
    return (AgencyDeleted(agency=agency),)


_WEIGHTS: Final[dict[Callable[[Site, str, Random], Facts], float]] = {
    _login: 15,
    _credential: 30,
    _feature: 22,
    _refused_credential: 2,
    _grant: 15,
    _revoke: 11,
    _consent: 2,
    _attempt: 1.5,
    _change: 1,
    _delete: 0.3,
}
_KINDS: Final = tuple(_WEIGHTS)
_CUMULATED: Final = tuple(sum(tuple(_WEIGHTS.values())[: n + 1]) for n in range(len(_WEIGHTS)))
