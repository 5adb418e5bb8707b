"""Given what happened, when a command comes, then these facts. No database, no clock.

    given(login(BEIJING)).when(grant(BEIJING)).then(AuthorizationGranted(...), ...)

The given steps are commands, which are decided in their turn, or events, as an import brings
them. Each happens a minute after the one before; `at(minutes, …)` gives a step another time.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ledger.account.account import decide, evolve
from ledger.account.agency import AgencyCreated
from ledger.account.authorization import (
    AuthorizationGranted,
    DeclineAuthorization,
    GrantAuthorization,
    RevokeAuthorization,
)
from ledger.account.console import RequestConsoleLogin
from ledger.account.decision import Circumstances, Decision
from ledger.account.permissions import Cause, PermissionGranted, PermissionRevoked
from ledger.account.policy import PolicyCreated
from ledger.account.questions import Account
from ledger.account.state import State, account_stream
from ledger.catalogue import Catalogue, load_catalogue
from ledger.errors import LedgerError
from ledger.messages import Command, DomainEvent, Origin, Provenance, Recorded

PROVIDER = "huaweicloud"
ACCOUNT = "0a1b2c3d4e5f67890a1b2c3d4e5f6789"
BEIJING = "cn-north-4"
SHANGHAI = "cn-east-3"
GUANGZHOU = "cn-south-1"
ASM = "asm"
AGENCY = "asm_admin_trust"
POLICY = "asm admin trust policy"
SERVICES = ("aom", "cce", "elb", "vpc")
ASKED = ("cce", "vpc", "elb", "aom")
"""The dependent services in the order of the dialog."""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""When the first thing given happens."""


def login(region: str, account: str = ACCOUNT) -> RequestConsoleLogin:
    return RequestConsoleLogin(account=account, service=ASM, region=region)


def grant(region: str, account: str = ACCOUNT) -> GrantAuthorization:
    return GrantAuthorization(account=account, service=ASM, region=region)


def decline(region: str, account: str = ACCOUNT) -> DeclineAuthorization:
    return DeclineAuthorization(account=account, service=ASM, region=region)


def revoke(region: str, account: str = ACCOUNT) -> RevokeAuthorization:
    return RevokeAuthorization(account=account, service=ASM, region=region)


def consent(*regions: str) -> tuple[Command, ...]:
    """A login and the OK button in each region."""
    return tuple(command for region in regions for command in (login(region), grant(region)))


def granted(region: str) -> AuthorizationGranted:
    return AuthorizationGranted(service=ASM, region=region, services=SERVICES, agencies=(AGENCY,))


def agency_created() -> AgencyCreated:
    return AgencyCreated(
        agency=AGENCY,
        trustee="service:asm",
        purpose="operate the services that components of a mesh need",
    )


def policy_created() -> PolicyCreated:
    return PolicyCreated(policy=POLICY, agency=AGENCY)


def permissions_granted(region: str) -> tuple[PermissionGranted, ...]:
    return tuple(
        PermissionGranted(agency=AGENCY, region=region, service=code, policy=POLICY)
        for code in ASKED
    )


def permissions_revoked(region: str, cause: Cause) -> tuple[PermissionRevoked, ...]:
    return tuple(
        PermissionRevoked(
            agency=AGENCY, region=region, service=code, policy=POLICY, consequence_of=cause
        )
        for code in ASKED
    )


class At(NamedTuple):
    """Something given that happens at another time than its turn."""

    minutes: float
    what: Command | DomainEvent


Step = Command | DomainEvent | At


def at(minutes: float, what: Command | DomainEvent) -> At:
    return At(minutes, what)


@dataclass(frozen=True)
class Given:
    """An account with a history."""

    state: State
    now: datetime = NOON
    catalogue: Catalogue = field(default_factory=load_catalogue)

    @property
    def account(self) -> Account:
        """The account as it stands when the command comes."""
        return Account(self.state, self.state.after_all(self.now))

    def when(self, command: Command, *, reason: str | None = None) -> When:
        """Decide; an error is kept for `fails_with`."""
        state, account = copy.deepcopy(self.state), self.account
        try:
            decision = decide(account, command, Circumstances(account.at, self.catalogue, reason))
        except LedgerError as error:
            return When(account, None, [], error)
        take(state, decision.events, account.at, "commanded")
        after = Account(state, state.after_all(account.at))
        return When(after, decision, list(decision.events), None)


@dataclass(frozen=True)
class When:
    """The outcome of a command, and the account after it."""

    account: Account
    decision: Decision | None
    facts: list[DomainEvent]
    error: LedgerError | None

    def then(self, *expected: DomainEvent) -> When:
        """Exactly these facts, in this order; a made-up id is compared where one is expected."""
        decided = self.decided()
        assert decided.refusal is None, f"refused: {decided.refusal}"
        self._are(expected)
        return self

    def refused(self, saying: str, *expected: DomainEvent) -> When:
        """The rules say no, in such words, with a remedy; the attempt is these facts."""
        decided = self.decided()
        assert decided.refusal is not None, f"not refused, but {self.facts}"
        assert saying in decided.refusal
        assert decided.remedy
        assert self.facts, "the attempt is recorded"
        if expected:
            self._are(expected)
        return self

    def nothing(self, saying: str) -> When:
        """No fact, and a note that says so."""
        self.then()
        assert saying in self.decided().note
        return self

    def fails_with(self, kind: type[LedgerError], saying: str) -> LedgerError:
        """The command cannot even be refused."""
        assert type(self.error) is kind, f"no {kind.__name__}: {self.error or self.facts}"
        assert saying in str(self.error)
        return self.error

    def decided(self) -> Decision:
        assert self.decision is not None, f"failed: {self.error}"
        return self.decision

    def _are(self, expected: tuple[DomainEvent, ...]) -> None:
        got = [_without_made_up_ids(fact) for fact in self.facts]
        assert got == [_without_made_up_ids(event) for event in expected]


def given(
    *history: Step,
    catalogue: Catalogue | None = None,
    account: str = ACCOUNT,
    begin: datetime = NOON,
) -> Given:
    """An account to which this happened, a minute between."""
    catalogue = catalogue or load_catalogue()
    state = State(PROVIDER, account)
    for turn, item in enumerate(history):
        what, minutes = (item.what, item.minutes) if isinstance(item, At) else (item, turn)
        happen(state, what, begin + timedelta(minutes=minutes), catalogue)
    return Given(state, begin + timedelta(minutes=len(history)), catalogue)


def happen(
    state: State, what: Command | DomainEvent, now: datetime, catalogue: Catalogue
) -> list[Recorded]:
    """Let a command be decided, or a fact arrive; the entries that came of it."""
    if isinstance(what, DomainEvent):
        return take(state, (what,), now, "observed")
    account = Account(state, state.next_instant(now))
    decision = decide(account, what, Circumstances(account.at, catalogue, "as given"))
    return take(state, decision.events, account.at, "commanded")


def take(
    state: State, events: Iterable[DomainEvent], at: datetime, origin: Origin
) -> list[Recorded]:
    """Let the account evolve by events, as one command or one trace; those of its stream."""
    entries: list[Recorded] = []
    trace = f"trace-{state.version + 1}"
    for event in events:
        if event.STREAM == "account":
            entries.append(recorded(state, event, at, origin, trace))
            evolve(state, entries[-1])
    return entries


def recorded(
    state: State, event: DomainEvent, at: datetime, origin: Origin, trace: str
) -> Recorded:
    """The account's next entry."""
    return Recorded(
        stream=account_stream(state.provider, state.account),
        version=state.version + 1,
        event=event,
        recorded_at=at,
        effective_at=at,
        origin=origin,
        actor="p-00000000000000000001",
        source=Provenance(trace_id=trace) if origin == "observed" else None,
        provider=state.provider,
        account=state.account,
        position=state.version + 1,
    )


def _without_made_up_ids(event: DomainEvent) -> DomainEvent:
    made_up = {"agency_id", "policy_id"} & set(type(event).model_fields)
    return event.model_copy(update=dict.fromkeys(made_up))
