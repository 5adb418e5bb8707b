"""Small worlds of commands and observations, drawn by Hypothesis, that act on a real ledger."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyTrustChanged,
    AttemptAgencyDeletion,
    CreateAgency,
)
from ledger.account.authorization import (
    AuthorizationGranted,
    DeclineAuthorization,
    GrantAuthorization,
    RevokeAuthorization,
)
from ledger.account.console import ConsoleLoginRequested, RequestConsoleLogin
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import AttemptPolicyDeletion, PolicyCreated, PolicyDeleted
from ledger.account.usage import (
    CredentialRefused,
    IssueCredential,
    TemporaryCredentialIssued,
    UseFeature,
)
from ledger.application import Actor, Ledger
from ledger.errors import LedgerError
from ledger.messages import Command, DomainEvent, Observation, Provenance
from tests.ledger.worlds import Place

BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
ACCOUNTS = ("0a1b2c3d4e5f", "5f4e3d2c1b0a")
REGIONS = ("cn-north-4", "ap-southeast-3", "مركز-1")
AGENCIES = ("asm_admin_trust", "other")
POLICIES = ("asm admin trust policy", "arn:aws:iam::1:policy/p")
SYSTEM_POLICIES = ("CCE Administrator", "Tenant Guest", "Tenant Administrator")
"""Those of the catalogue's older baselines: two together, or one alone."""
PLACES = ("*", "enterprise-project/1", "0123456789abcdef0123456789abcdef")
"""All regions, a part of all regions, and a project of which no region is known."""


@dataclass(slots=True)
class Clock:
    """A clock that goes on by a minute at each look."""

    at: datetime = BEGINNING + timedelta(days=100)

    def __call__(self) -> datetime:
        self.at += timedelta(minutes=1)
        return self.at


@dataclass(frozen=True, slots=True)
class Do:
    """A command, by whom."""

    command: Command
    actor: str = "alice"
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class See:
    """An observed fact, at a number of minutes after the beginning."""

    event: DomainEvent
    minute: int
    account: str = ACCOUNTS[0]
    provider: str = "huaweicloud"


Step = Do | See


@dataclass(slots=True)
class World:
    """A ledger, and what was done to it."""

    place: Place
    ledger: Ledger = field(init=False)
    traces: int = 0
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.place, clock=self.clock)

    def take(self, step: Step) -> None:
        if isinstance(step, Do):
            # A refusal is recorded; an unknown name is not. Both are part of the world.
            with suppress(LedgerError):
                self.ledger.execute(step.command, actor=Actor(step.actor), reason=step.reason)
            return
        self.traces += 1
        at = BEGINNING + timedelta(minutes=step.minute)
        self.clock.at = max(self.clock.at, at)  # No trace is of tomorrow.
        self.ledger.observe(
            [
                Observation(
                    provider=step.provider,
                    account=step.account,
                    events=(step.event,),
                    effective_at=at,
                    source=Provenance(trace_id=f"trace-{self.traces}"),
                    actor="bob",
                )
            ]
        )


accounts = st.sampled_from(ACCOUNTS)
regions = st.sampled_from(REGIONS)
agencies = st.sampled_from(AGENCIES)
policies = st.sampled_from(POLICIES)
services = st.sampled_from(("cce", "vpc", "elb", "aom"))


def _placed(
    command: Callable[..., Command], **fields: st.SearchStrategy[object]
) -> st.SearchStrategy[Do]:
    return st.builds(
        Do,
        st.builds(command, account=accounts, **fields),
        actor=st.sampled_from(("alice", "عمر")),
        reason=st.just("because"),
    )


_of_asm: dict[str, st.SearchStrategy[object]] = {"service": st.just("asm"), "region": regions}

commands: st.SearchStrategy[Do] = st.one_of(
    _placed(RequestConsoleLogin, **_of_asm),
    _placed(GrantAuthorization, **_of_asm),
    _placed(DeclineAuthorization, **_of_asm),
    _placed(RevokeAuthorization, **_of_asm),
    _placed(UseFeature, feature=st.sampled_from(("mesh", "ingress-gateway", "metrics")), **_of_asm),
    _placed(IssueCredential, target=services, component=st.just("gateway"), **_of_asm),
    _placed(CreateAgency, agency=agencies),
    _placed(AttemptAgencyDeletion, agency=agencies, override=st.booleans()),
    _placed(AttemptPolicyDeletion, policy=policies, override=st.booleans()),
)

_permission: dict[str, st.SearchStrategy[object]] = {
    "agency": agencies,
    "region": st.one_of(regions, st.sampled_from(PLACES)),
    "service": st.one_of(st.none(), st.none(), services),
    "policy": st.one_of(st.none(), policies, st.sampled_from(SYSTEM_POLICIES)),
}
observed_events: st.SearchStrategy[DomainEvent] = st.one_of(
    st.builds(AgencyCreated, agency=agencies, trustee=st.sampled_from(("service:asm", None))),
    st.builds(AgencyTrustChanged, agency=agencies, trustee=st.just("account:1")),
    st.builds(AgencyDeleted, agency=agencies),
    st.builds(PolicyCreated, policy=policies),
    st.builds(PolicyDeleted, policy=policies),
    st.builds(PermissionGranted, **_permission),
    st.builds(PermissionRevoked, **_permission),
    st.builds(
        PermissionsChanged,
        agency=st.sampled_from(("CCENodeAgency", "CCECSIAgency")),
        region=st.one_of(st.none(), regions),
        detail=st.sampled_from(("createUserAgencies: agreed to in the console of CCE", "other")),
    ),
    st.builds(AgencyDeleted, agency=st.just("CCENodeAgency")),
    st.builds(
        AuthorizationGranted,
        service=st.just("asm"),
        region=regions,
        services=st.just(("cce",)),
        agencies=st.just(("asm_admin_trust",)),
    ),
    st.builds(
        ConsoleLoginRequested,
        service=st.just("console"),
        region=regions,
        outcome=st.sampled_from(("admitted", "refused")),
    ),
    st.builds(TemporaryCredentialIssued, agency=agencies, region=regions),
    st.builds(CredentialRefused, agency=agencies, region=regions, why=st.just("AccessDenied")),
)
"""Facts from a cloud's traces, true or not: the views agree with the fold for all of them."""

minutes = st.integers(min_value=0, max_value=300_000)
observations: st.SearchStrategy[See] = st.builds(See, observed_events, minutes, account=accounts)
steps: st.SearchStrategy[Step] = st.one_of(commands, observations)
