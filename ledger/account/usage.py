"""Use of permissions: credentials issued and features used; refusals say what is missing."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field

from ledger.account.decision import Circumstances, Decision, Decisions
from ledger.account.impact import Serving, serving_agency
from ledger.account.meaning import THE_AGENCY, Meaning, Meanings, Says
from ledger.account.questions import Account
from ledger.account.rights import Rights, rights
from ledger.account.wording import because, called, clock, in_region, listed
from ledger.catalogue import Catalogue
from ledger.errors import InvalidInput
from ledger.messages import Command, DomainEvent, StreamKind
from ledger.values import (
    AgencyName,
    Digest,
    FeatureName,
    Instant,
    Line,
    OneRegion,
    PolicyName,
    Region,
    ServiceCode,
    SubjectId,
)

_TO_KNOW: Final = "Recorded as unknown. To know it, import the traces that are missing."
LIFE_SECONDS_MAX: Final = 10**9
"""A longer life cannot be requested: its end would lie outside the calendar."""


class UseFeature(Command):
    """Use a feature of a service in one region, e.g. publish an ingress gateway."""

    service: ServiceCode
    region: OneRegion
    feature: FeatureName


class IssueCredential(Command):
    """Issue a temporary credential for a component, to use one service in one region."""

    service: ServiceCode
    region: OneRegion
    target: ServiceCode
    """The dependent service that the credential is for."""
    component: Line
    life_seconds: Annotated[int, Field(le=LIFE_SECONDS_MAX)] | None = None


class FeatureUsed(DomainEvent):
    """A feature was used; the agency acted on the services that it needs."""

    TOPIC = "FeatureUsed.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    """None if it is not known which of the service's agencies acted: a trace does not tell it."""
    region: Region
    service: ServiceCode
    feature: FeatureName
    services: tuple[ServiceCode, ...]
    account_version: int | None = None


class FeatureRefused(DomainEvent):
    """A feature could not be used: in this region the agency may not use what it needs, or it is
    not known whether it may.

    The cloud's own trace of a refusal names nothing that is missing, and says `why`.
    """

    TOPIC = "FeatureRefused.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    """None if it is not known which of the service's agencies would have acted."""
    region: Region
    service: ServiceCode
    feature: FeatureName
    missing: tuple[ServiceCode, ...]
    not_known: tuple[ServiceCode, ...] | None = None
    """Those of `missing` of which it is not known whether the agency may use them."""
    account_version: int | None = None
    outcome: Literal["refused"] = "refused"
    why: Line | None = None


class FeatureUseUndecided(DomainEvent):
    """Somebody wanted to use a feature. Whether the agency may use what it needs is not known.

    So it is not known whether the use was refused: it counts neither as a use nor as a refusal.
    """

    TOPIC = "FeatureUseUndecided.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    region: Region
    service: ServiceCode
    feature: FeatureName
    not_known: tuple[ServiceCode, ...]
    """The services of which it is not known whether the agency may use them."""
    account_version: int | None = None
    outcome: Literal["unknown"] = "unknown"


class TemporaryCredentialIssued(DomainEvent):
    """Somebody may act as the agency until the credential expires."""

    TOPIC = "TemporaryCredentialIssued.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region
    service: ServiceCode | None = None
    component: Line | None = None
    expires_at: Instant | None = None
    account_version: int | None = None
    address: SubjectId | None = None
    account_name: Line | None = None
    """The name of the account that has the agency, if the trace tells it beside the id."""
    session_name: SubjectId | None = None
    """Stands for the name that the caller gave the session: it may be a person's."""
    source_identity: SubjectId | None = None
    """Stands for the person behind the session, as the caller's own system named it."""
    session_document: Digest | None = None
    """The digest of the policy that limits this session; None if it has none, or none was told."""
    session_document_bytes: int | None = None
    session_policies: tuple[PolicyName, ...] | None = None
    """The policies that limit this session, by name."""


class CredentialRefused(DomainEvent):
    """Somebody asked to act as the agency and was refused."""

    TOPIC = "CredentialRefused.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    region: Region
    service: ServiceCode | None = None
    component: Line | None = None
    why: Line
    account_version: int | None = None
    address: SubjectId | None = None
    outcome: Literal["refused"] = "refused"


class CredentialUndecided(DomainEvent):
    """Somebody asked to act as the agency. Whether it may use the service is not known.

    So it is not known whether a credential was issued: it counts neither as one nor as a refusal.
    """

    TOPIC = "CredentialUndecided.v1"
    STREAM: ClassVar[StreamKind] = "usage"

    agency: AgencyName
    region: Region
    service: ServiceCode
    component: Line | None = None
    why: Line
    account_version: int | None = None
    outcome: Literal["unknown"] = "unknown"


def use_feature(account: Account, command: UseFeature, now: Circumstances) -> Decision:
    service = now.catalogue.service(command.provider, command.service)
    feature = service.feature(command.feature)
    serving = serving_agency(account, service, feature, command.region, now.catalogue)
    agency, lacks, may_lack, _ = serving
    if not lacks and not may_lack:
        used = FeatureUsed(
            agency=agency,
            region=command.region,
            service=command.service,
            feature=command.feature,
            services=feature.needs,
            account_version=account.version,
        )
        return Decision((used,))
    if not lacks:
        return _undecided_use(command, serving, account.version, now)
    refused = FeatureRefused(
        agency=agency,
        region=command.region,
        service=command.service,
        feature=command.feature,
        missing=tuple(sorted((*lacks, *may_lack))),
        not_known=may_lack or None,
        account_version=account.version,
    )
    return Decision(
        (refused,),
        refusal=_refusal(command, serving, now.catalogue),
        remedy=how_to_authorize(command.account, command.service, command.region),
    )


def _undecided_use(
    command: UseFeature, serving: Serving, version: int, now: Circumstances
) -> Decision:
    """No refusal, and no proof of use: the ledger cannot know how it ended."""
    agency, _, may_lack, trusts = serving
    undecided = FeatureUseUndecided(
        agency=agency,
        region=command.region,
        service=command.service,
        feature=command.feature,
        not_known=may_lack,
        account_version=version,
    )
    named = ", ".join(now.catalogue.short_name(command.provider, code) for code in may_lack)
    return Decision(
        (undecided,),
        note=f"{command.feature} needs {named}: whether {agency} may use {named} in "
        f"{command.region} is not known.{because(agency, trusts)} {_TO_KNOW}",
    )


def _refusal(command: UseFeature, serving: Serving, catalogue: Catalogue) -> str:
    """The services that a feature needs: those that are not permitted, those that may not be."""
    agency, lacks, may_lack, trusts = serving
    short = partial(catalogue.short_name, command.provider)
    needed, unsure = ", ".join(map(short, lacks)), ", ".join(map(short, may_lack))
    denied = f"{command.feature} needs {needed}, which {agency} may not use in {command.region}"
    doubt = f"; whether {agency} may use {unsure} is not known" if may_lack else ""
    return f"{denied}{doubt}.{because(agency, trusts)}"


def how_to_authorize(account: str, service: str, region: str) -> str:
    where = f"--account {account} --service {service} --region {region}"
    return (
        "To get the permissions, log in to the console in that region and consent: "
        f"authledger console login {where} && authledger authorization grant {where}"
    )


def issue_credential(account: Account, command: IssueCredential, now: Circumstances) -> Decision:
    service = now.catalogue.service(command.provider, command.service)
    limits = service.credential
    life = limits.default_life_seconds if command.life_seconds is None else command.life_seconds
    if life <= 0:
        raise InvalidInput(f"A life of {life} s is not valid: give a number of seconds above 0.")
    known = {
        name: rights(account, name, command.region, now.catalogue)
        for name in service.agency_names()
    }
    agency = min(known, key=lambda name: _surely_permits(known[name], command.target))
    why, remedy = _why_not(command, agency, known[agency], life, now)
    if why:
        refused = CredentialRefused(
            agency=agency,
            region=command.region,
            service=command.target,
            component=command.component,
            why=why,
            account_version=account.version,
        )
        return Decision((refused,), refusal=why, remedy=remedy)
    if command.target not in known[agency].permitted:
        return _undecided_issue(
            command, agency, because(agency, known[agency].note), account.version
        )
    issued = TemporaryCredentialIssued(
        agency=agency,
        region=command.region,
        service=command.target,
        component=command.component,
        expires_at=now.at + timedelta(seconds=life),
        account_version=account.version,
    )
    return Decision((issued,))


def _surely_permits(known: Rights, service: str) -> int:
    """0: the agency may use the service; 1: that is not known; 2: it may not."""
    if service in known.permitted:
        return 0
    return 1 if known.may_lack([service]) else 2


def _undecided_issue(command: IssueCredential, agency: str, trusts: str, version: int) -> Decision:
    why = f"Whether {agency} may use {command.target} in {command.region} is not known.{trusts}"
    undecided = CredentialUndecided(
        agency=agency,
        region=command.region,
        service=command.target,
        component=command.component,
        why=why,
        account_version=version,
    )
    return Decision((undecided,), note=f"{why} {_TO_KNOW}")


def _why_not(
    command: IssueCredential, agency: str, known: Rights, life: int, now: Circumstances
) -> tuple[str, str]:
    service = now.catalogue.service(command.provider, command.service)
    dependent = service.dependent_codes()
    if command.target not in dependent:
        return (
            f"{command.service} does not depend on {command.target}.",
            f"It depends on: {', '.join(dependent)}.",
        )
    trusts = because(agency, known.note)
    is_denied = bool(known.lacks([command.target]))
    if is_denied and not known.permitted and not known.doubtful:
        why = f"{command.service} is not authorized in {command.region}.{trusts}"
        return why, how_to_authorize(command.account, command.service, command.region)
    if is_denied:
        why = f"{agency} may not use {command.target} in {command.region}.{trusts}"
        return why, how_to_authorize(command.account, command.service, command.region)
    limits = service.credential
    if not limits.shortest_life_seconds <= life <= limits.longest_life_seconds:
        return (
            (
                f"A life of {life} s is not allowed: the shortest is {limits.shortest_life_seconds} s, "
                f"the longest {limits.longest_life_seconds} s."
            ),
            "Choose another with --life SECONDS.",
        )
    return "", ""


def _issued_sentence(event: TemporaryCredentialIssued, who: str) -> str:
    of_whom = f"{event.component} may" if event.component else f"{who} got a credential to"
    until = f" until {clock(event.expires_at)}" if event.expires_at else ""
    what = event.service or "what it is permitted"
    return f"{of_whom} act as {called(event)} on {what}{in_region(event.region)}{until}"


def _used_sentence(event: FeatureUsed, who: str) -> str:
    agency = event.agency or f"an agency of {event.service}"
    return (
        f"{who} used {event.feature}{in_region(event.region)}: "
        f"{agency} acted on {listed(event.services)}"
    )


def _refused_sentence(event: FeatureRefused, who: str) -> str:
    agency = event.agency or f"an agency of {event.service}"
    doubtful = event.not_known or ()
    lacks = [code for code in event.missing if code not in doubtful]
    known = f"{agency} may not use {listed(lacks)} there" if lacks else ""
    doubt = f"whether {agency} may use {listed(doubtful)} there is not known" if doubtful else ""
    why = "; ".join(filter(None, (known, doubt))) or event.why or "refused"
    return f"{who} could not use {event.feature}{in_region(event.region)}: {why}"


def _undecided_sentence(event: FeatureUseUndecided, who: str) -> str:
    agency = event.agency or f"an agency of {event.service}"
    return (
        f"{who} wanted to use {event.feature}{in_region(event.region)}: whether {agency} may use "
        f"{listed(event.not_known)} there is not known"
    )


_PROOF: Final = Says("evidence", "agency", THE_AGENCY)
"""A use that succeeded proves that the agency existed then."""
DECIDE: Decisions = {UseFeature: use_feature, IssueCredential: issue_credential}
EVENTS: Meanings = {
    FeatureUsed: Meaning(
        _used_sentence,
        "counts as a use of the agency",
        says=Says("evidence", "agency", {"name": "agency"}),
    ),
    FeatureRefused: Meaning(
        _refused_sentence,
        "counts as a refused use; nothing changes",
    ),
    FeatureUseUndecided: Meaning(
        _undecided_sentence, "on record only: neither a use nor a refusal is known"
    ),
    TemporaryCredentialIssued: Meaning(
        _issued_sentence, "counts as a credential issued", says=_PROOF, service_is_used=True
    ),
    CredentialRefused: Meaning(
        lambda event, who: f"{who} asked for a credential of {called(event)}: {event.why}",
        "counts as a credential refused; nothing changes",
        service_is_used=True,
    ),
    CredentialUndecided: Meaning(
        lambda event, who: f"{who} asked for a credential of {event.agency}: {event.why}",
        "on record only: neither a credential nor a refusal is known",
        service_is_used=True,
    ),
}
