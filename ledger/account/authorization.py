"""Consent: the OK button of the dialog, by service and region, permanent until it is revoked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from ledger.account.agency import AgencyCreated, new_id
from ledger.account.answers import Thing
from ledger.account.consent import inferred_consent
from ledger.account.decision import Circumstances, Decision, Decisions
from ledger.account.meaning import ON_RECORD_ONLY, Meaning, Meanings, Standing
from ledger.account.permissions import (
    PermissionGranted,
    may_have_permissions,
    missing_permissions,
    revoked,
)
from ledger.account.policy import PolicyCreated
from ledger.account.questions import Account
from ledger.account.state import Authorization, AuthorizationStatus, State, Timeline
from ledger.account.wording import clock, in_region, listed
from ledger.catalogue import Service
from ledger.messages import Command, DomainEvent, StreamKind
from ledger.values import AgencyName, Instant, Line, OneRegion, Region, ServiceCode


class GrantAuthorization(Command):
    """The OK button: agree, permanently, that the service may act in one region."""

    COUNTS_AGENCIES = True

    service: ServiceCode
    region: OneRegion


class DeclineAuthorization(Command):
    """Close the dialog without consent."""

    service: ServiceCode
    region: OneRegion


class RevokeAuthorization(Command):
    """Revoke the account's consent in one region."""

    service: ServiceCode
    region: OneRegion


class AuthorizationRequested(DomainEvent):
    """The dialog opened: the service asks for the use of other services in one region."""

    TOPIC = "AuthorizationRequested.v1"

    service: ServiceCode
    region: Region
    services: tuple[ServiceCode, ...]
    agencies: tuple[AgencyName, ...]


class AuthorizationGranted(DomainEvent):
    """The account agreed that the service may use these services in one region."""

    TOPIC = "AuthorizationGranted.v1"

    service: ServiceCode
    region: Region
    services: tuple[ServiceCode, ...]
    agencies: tuple[AgencyName, ...]


class AuthorizationDeclined(DomainEvent):
    """The dialog was closed without consent."""

    TOPIC = "AuthorizationDeclined.v1"

    service: ServiceCode
    region: Region


class AuthorizationRevoked(DomainEvent):
    """The account revoked its consent in one region.

    Credentials issued before may work until `credentials_usable_until`: the cloud does not end
    them early.
    """

    TOPIC = "AuthorizationRevoked.v1"

    service: ServiceCode
    region: Region
    agencies: tuple[AgencyName, ...] = ()
    credentials_usable_until: Instant | None = None


class AuthorizationRefused(DomainEvent):
    """An answer to a dialog was not accepted: the dialog was not open, or a quota is used up."""

    TOPIC = "AuthorizationRefused.v1"
    STREAM: ClassVar[StreamKind] = "console"

    service: ServiceCode
    region: Region
    answer: Literal["grant", "decline"]
    why: Line
    outcome: Literal["refused"] = "refused"


AuthorizationEvent = (
    AuthorizationRequested | AuthorizationGranted | AuthorizationDeclined | AuthorizationRevoked
)

_STATUS: dict[type[DomainEvent], AuthorizationStatus] = {
    AuthorizationRequested: "requested",
    AuthorizationGranted: "granted",
    AuthorizationDeclined: "declined",
    AuthorizationRevoked: "revoked",
}


def evolve(state: State, event: AuthorizationEvent, at: datetime) -> None:
    known = state.authorizations.setdefault((event.service, event.region), Timeline())
    agencies = () if isinstance(event, AuthorizationDeclined) else event.agencies
    known.learn(Authorization(_STATUS[type(event)], agencies), at)


def standing(account: Account, event: AuthorizationEvent) -> Standing:
    known = account.authorization(event.service, event.region)
    return Standing(
        f"authorization of {event.service} in {event.region}",
        known.status if known else "never requested",
        account.authorization_since(event.service, event.region),
    )


def authorized(
    account: Account, service: Service, region: str, now: Circumstances
) -> Literal["yes", "no", "not known"]:
    """Whether the account consented, as recorded or inferred, and no permission is missing."""
    known = account.authorization(service.code, region)
    inferred = inferred_consent(account, service, region)
    if inferred is not None and not inferred.is_known:
        return "not known"
    if inferred is not None and not inferred.has_all_permissions:
        return "yes"
    if inferred is None and (known is None or known.status != "granted"):
        return "no"
    if not missing_permissions(account, service, region, now):
        return "yes"
    return "not known" if may_have_permissions(account, service, region, now) else "no"


def in_doubt(account: Account, service: Service, region: str) -> str:
    """Says that the consent is not known, what that depends on, and what to do."""
    inferred = inferred_consent(account, service, region)
    why = f" ({inferred.rests_on})" if inferred else ""
    return (
        f"Whether {service.code} is authorized in {region} is not known{why}. "
        "To know it, import the traces that are missing."
    )


def grant(account: Account, command: GrantAuthorization, now: Circumstances) -> Decision:
    service = now.catalogue.service(command.provider, command.service)
    answer = authorized(account, service, command.region, now)
    if answer == "yes":
        # Consent is permanent: consenting twice is one fact.
        inferred = inferred_consent(account, service, command.region)
        source = f" (inferred from {inferred.rests_on})" if inferred else ""
        return Decision(
            note=f"{command.service} is already authorized in {command.region}{source}. "
            "Nothing was appended."
        )
    known = account.authorization(command.service, command.region)
    missing = missing_permissions(account, service, command.region, now)
    is_asked = known is not None and known.status == "requested"
    if answer == "not known" and not is_asked:
        return Decision(note=f"{in_doubt(account, service, command.region)} Nothing was appended.")
    if not is_asked:
        return _not_asked(command, "grant")
    agencies = service.baseline_at(now.at).agencies
    quota = now.catalogue.quota(command.provider, "agencies")
    new = sum(_needs_creation(account, agency.name) for agency in agencies)
    if quota is not None and new and account.has_agencies(quota - new + 1):
        return _refused(
            command,
            "grant",
            f"The account has {account.agency_count()} of {quota} agencies; consent needs {new} more.",
            "Delete agencies that nothing needs, or have the quota raised.",
        )
    granted = AuthorizationGranted(
        service=command.service,
        region=command.region,
        services=tuple(sorted({code for agency in agencies for code in agency.services})),
        agencies=tuple(agency.name for agency in agencies),
    )
    return Decision(
        (
            granted,
            *_created(account, service, now),
            *(PermissionGranted(**key._asdict()) for key in missing),
        )
    )


def _created(account: Account, service: Service, now: Circumstances) -> tuple[DomainEvent, ...]:
    """The agencies and policies that the first consent brings, and a later one reuses."""
    created: list[DomainEvent] = []
    for agency in service.baseline_at(now.at).agencies:
        is_new = _needs_creation(account, agency.name)
        if is_new:
            created.append(
                AgencyCreated(
                    agency=agency.name,
                    agency_id=new_id(account, agency.name),
                    trustee=agency.trustee,
                    purpose=agency.purpose,
                )
            )
        may_have_policy = not is_new and account.state.has_bare_ids("policy")
        for policy in () if may_have_policy else agency.own_policies:
            created += _policy_created(account, policy, agency.name)
    return tuple(created)


def _needs_creation(account: Account, agency: str) -> bool:
    """Whether consent creates an agency. One that is known by its id alone may be the one."""
    return _is_missing(account.agency(agency)) and not account.has_unnamed_agency()


def _is_missing(thing: Thing | None) -> bool:
    """Whether consent creates it. One that may exist is reused: no creation is invented."""
    return thing is None or not thing.may_exist


def _policy_created(account: Account, policy: str, agency: str) -> list[DomainEvent]:
    if not _is_missing(account.policy(policy)):
        return []
    return [PolicyCreated(policy=policy, policy_id=new_id(account, policy), agency=agency)]


def decline(account: Account, command: DeclineAuthorization, now: Circumstances) -> Decision:
    known = account.authorization(command.service, command.region)
    if known is None or known.status != "requested":
        return _not_asked(command, "decline")
    return Decision(
        (AuthorizationDeclined(service=command.service, region=command.region),),
    )


def _not_asked(
    command: GrantAuthorization | DeclineAuthorization, answer: Literal["grant", "decline"]
) -> Decision:
    why = f"No authorization request of {command.service} is pending in {command.region}."
    remedy = (
        "To open the dialog, log in to the console in that region: authledger console login "
        f"--account {command.account} --service {command.service} --region {command.region}"
    )
    return _refused(command, answer, why, remedy)


def _refused(
    command: GrantAuthorization | DeclineAuthorization,
    answer: Literal["grant", "decline"],
    why: str,
    remedy: str,
) -> Decision:
    refused = AuthorizationRefused(
        service=command.service, region=command.region, answer=answer, why=why
    )
    return Decision((refused,), refusal=why, remedy=remedy)


def revoke(account: Account, command: RevokeAuthorization, now: Circumstances) -> Decision:
    service = now.catalogue.service(command.provider, command.service)
    known = account.authorization(command.service, command.region)
    named = known.agencies if known else ()
    ended = [
        key
        for agency in dict.fromkeys((*named, *service.agency_names()))
        for key in account.open_permissions(agency)
        if key.place == command.region
    ]
    # If it was requested again or declined since, a consent still holds while it permits anything.
    if not ended and (known is None or known.status != "granted"):
        return Decision(
            note=f"{command.service} is not authorized in {command.region}. Nothing was appended."
        )
    usable_until = now.at + timedelta(seconds=service.credential.longest_life_seconds)
    taken_back = AuthorizationRevoked(
        service=command.service,
        region=command.region,
        agencies=tuple(dict.fromkeys((*named, *(key.agency for key in ended if key.agency)))),
        credentials_usable_until=usable_until,
    )
    return Decision((taken_back, *(revoked(key, "AuthorizationRevoked") for key in ended)))


def _revoked_sentence(event: AuthorizationRevoked, who: str) -> str:
    until = event.credentials_usable_until
    tail = f"; credentials issued before may work until {clock(until)}" if until else ""
    return f"{who} revoked the consent for {event.service}{in_region(event.region)}{tail}"


DECIDE: Decisions = {
    GrantAuthorization: grant,
    DeclineAuthorization: decline,
    RevokeAuthorization: revoke,
}
EVENTS: Meanings = {
    AuthorizationRequested: Meaning(
        lambda event, _: (
            f"{event.service} asked to use {listed(event.services)}{in_region(event.region)}"
        ),
        standing,
        role="change",
        evolve=evolve,
    ),
    AuthorizationGranted: Meaning(
        lambda event, who: (
            f"{who} consented, permanently: {event.service} may use "
            f"{listed(event.services)}{in_region(event.region)}"
        ),
        standing,
        role="change",
        evolve=evolve,
        answers=AuthorizationRequested,
    ),
    AuthorizationDeclined: Meaning(
        lambda event, who: (
            f"{who} closed the dialog without consent to {event.service}{in_region(event.region)}"
        ),
        standing,
        role="change",
        evolve=evolve,
    ),
    AuthorizationRevoked: Meaning(_revoked_sentence, standing, role="change", evolve=evolve),
    AuthorizationRefused: Meaning(
        lambda event, who: f"{who} tried to {event.answer}: {event.why}", ON_RECORD_ONLY
    ),
}
