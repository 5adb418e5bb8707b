"""Logins to a service's console; each is a fact, and the first in a region opens the dialog."""

from __future__ import annotations

from typing import ClassVar, Literal

from ledger.account.authorization import AuthorizationRequested, authorized, in_doubt
from ledger.account.decision import Circumstances, Decision, Decisions
from ledger.account.meaning import Meaning, Meanings
from ledger.account.questions import Account
from ledger.account.wording import in_region
from ledger.messages import Command, DomainEvent, StreamKind
from ledger.values import OneRegion, Region, ServiceCode, SubjectId


class RequestConsoleLogin(Command):
    """Somebody logs in to the console of a service in one region."""

    service: ServiceCode
    region: OneRegion


class ConsoleLoginRequested(DomainEvent):
    """Somebody logged in to the console of a service in one region, or tried to."""

    TOPIC = "ConsoleLoginRequested.v1"
    STREAM: ClassVar[StreamKind] = "console"

    service: ServiceCode
    region: Region
    outcome: Literal["admitted", "dialog", "refused", "unknown"]
    address: SubjectId | None = None
    mfa: bool | None = None


def request_login(account: Account, command: RequestConsoleLogin, now: Circumstances) -> Decision:
    service = now.catalogue.service(command.provider, command.service)
    known = account.authorization(command.service, command.region)
    agencies = service.baseline_at(now.at).agencies
    answer = authorized(account, service, command.region, now)
    if answer == "yes":
        return Decision((_login(command, "admitted"),))
    if answer == "not known":
        note = in_doubt(account, service, command.region)
        return Decision((_login(command, "unknown"),), note=f"{note} The login is recorded.")
    dialog = _login(command, "dialog")
    if known and known.status == "requested":
        # The same request still waits for its answer: asking again is not a new fact.
        return Decision(
            (dialog,),
            note="An authorization request is already pending; no further one was appended.",
        )
    requested = AuthorizationRequested(
        service=command.service,
        region=command.region,
        services=tuple(sorted({code for agency in agencies for code in agency.services})),
        agencies=tuple(agency.name for agency in agencies),
    )
    return Decision((dialog, requested))


def _login(
    command: RequestConsoleLogin, outcome: Literal["admitted", "dialog", "unknown"]
) -> ConsoleLoginRequested:
    return ConsoleLoginRequested(service=command.service, region=command.region, outcome=outcome)


def _sentence(event: ConsoleLoginRequested, who: str) -> str:
    ending = {
        "admitted": "and was let in",
        "dialog": "and the authorization dialog opened",
        "refused": "and was refused",
        "unknown": "and whether the authorization dialog opened is not known",
    }[event.outcome]
    return f"{who} logged in to the console of {event.service}{in_region(event.region)} {ending}"


DECIDE: Decisions = {RequestConsoleLogin: request_login}
EVENTS: Meanings = {ConsoleLoginRequested: Meaning(_sentence, "counts as a login")}
