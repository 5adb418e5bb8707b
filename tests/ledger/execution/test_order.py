"""The same facts in any order of arrival give the same answers, now and as of any day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.account.account import settle
from ledger.account.agency import AgencyCreated, AgencyDeleted, AgencyTrustChanged
from ledger.account.authorization import (
    AuthorizationDeclined,
    AuthorizationGranted,
    AuthorizationRequested,
    AuthorizationRevoked,
)
from ledger.account.impact import serving_agency
from ledger.account.permissions import (
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.account.permissions import (
    key_of as permission_key,
)
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.state import Account, PermissionKey
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent
from tests.ledger.scenario import ACCOUNT, AGENCY, ASM, BEIJING, POLICY, PROVIDER, SHANGHAI

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = 12
AGENCIES = (AGENCY, "backup")
POLICIES = (POLICY, "own")
REGIONS = (BEIJING, SHANGHAI, "*")
SERVICES = ("cce", "vpc", None)

Fact = tuple[int, DomainEvent]
"""A minute, and what happened then."""


def key_of(event: DomainEvent) -> tuple[object, ...]:
    """The key that a fact is about; two facts about one key never have the same time here."""
    match event:
        case AgencyCreated() | AgencyDeleted() | AgencyTrustChanged():
            return ("agency", event.agency)
        case PolicyCreated() | PolicyDeleted() | PolicyChanged():
            return ("policy", event.policy)
        case PermissionGranted() | PermissionRevoked():
            return ("permission", event.agency, event.region, event.service, event.policy)
        case (
            AuthorizationRequested()
            | AuthorizationGranted()
            | AuthorizationDeclined()
            | AuthorizationRevoked()
        ):
            return ("authorization", event.service, event.region)
        case _:
            return ("other",)


agencies = st.sampled_from(AGENCIES)
policies = st.sampled_from(POLICIES)
permissions = {
    "agency": agencies,
    "region": st.sampled_from(REGIONS),
    "service": st.sampled_from(SERVICES),
    "policy": st.sampled_from((*POLICIES, None)),
}
answers = {"service": st.just(ASM), "region": st.sampled_from(REGIONS[:2])}
events: st.SearchStrategy[DomainEvent] = st.one_of(
    st.builds(AgencyCreated, agency=agencies, trustee=st.sampled_from((None, "service:asm"))),
    st.builds(AgencyDeleted, agency=agencies),
    st.builds(AgencyTrustChanged, agency=agencies, trustee=st.sampled_from((None, "account:1"))),
    st.builds(PolicyCreated, policy=policies),
    st.builds(PolicyDeleted, policy=policies),
    st.builds(PolicyChanged, policy=policies),
    # Permissions thrice: theirs are the rules where order could matter.
    st.builds(PermissionGranted, **permissions),
    st.builds(PermissionGranted, **permissions),
    st.builds(PermissionGranted, **permissions),
    st.builds(PermissionRevoked, **permissions),
    st.builds(PermissionsChanged, agency=agencies, detail=st.just("something")),
    st.builds(AuthorizationRequested, **answers, services=st.just(()), agencies=st.just(())),
    st.builds(AuthorizationGranted, **answers, services=st.just(()), agencies=st.just((AGENCY,))),
    st.builds(AuthorizationDeclined, **answers),
    st.builds(AuthorizationRevoked, **answers),
)
facts = st.lists(
    st.tuples(st.integers(0, MINUTES), events),
    max_size=24,
    unique_by=lambda fact: (fact[0], key_of(fact[1])),
)


def arrive(history: list[Fact]) -> Account:
    """Let the facts arrive in this order."""
    account = Account(PROVIDER, ACCOUNT)
    for minute, event in history:
        list(settle(account, event, START + timedelta(minutes=minute)))
    return account


def answers_at(account: Account, minute: int) -> dict[str, object]:
    """All that the account knows to have held at a minute."""
    at = START + timedelta(minutes=minute)
    return {
        "agencies": {name: known.at(at) for name, known in account.agencies.items()},
        "trustees": {name: known.at(at) for name, known in account.trustees.items()},
        "policies": {name: known.at(at) for name, known in account.policies.items()},
        "authorizations": {key: known.at(at) for key, known in account.authorizations.items()},
        "permissions": {
            key
            for known in account.permissions.values()
            for key, timeline in known.items()
            if timeline.at(at)
        },
    }


def present(account: Account) -> dict[str, object]:
    """All that `decide` asks of an account."""
    service = load_catalogue().service(PROVIDER, ASM)
    return {
        "agencies": {name: account.agency_exists(name) for name in AGENCIES},
        "count": account.agency_count(),
        "policies": {name: account.policy_exists(name) for name in POLICIES},
        "permissions": {name: set(account.open_permissions(name)) for name in AGENCIES},
        "regions": {name: account.regions_of(name) for name in AGENCIES},
        "authorizations": {region: account.authorization(ASM, region) for region in REGIONS},
        "features": {
            (region, feature.name): serving_agency(account, service, feature, region)
            for region in REGIONS
            for feature in service.features
        },
        "latest": account.latest_effective_at,
    }


@dataclass
class Plain:
    """The oracle: facts in the order in which they happened, ended by deletions, nothing clever."""

    agencies: set[str] = field(default_factory=set)
    policies: set[str] = field(default_factory=set)
    permissions: set[PermissionKey] = field(default_factory=set)

    def happen(self, event: DomainEvent) -> None:
        match event:
            case AgencyCreated():
                self.agencies.add(event.agency)
            case PolicyCreated():
                self.policies.add(event.policy)
            case AgencyDeleted():
                self.agencies.discard(event.agency)
                self.permissions = {key for key in self.permissions if key.agency != event.agency}
            case PolicyDeleted():
                self.policies.discard(event.policy)
                self.permissions = {key for key in self.permissions if key.policy != event.policy}
            case PermissionGranted() | PermissionRevoked():
                key = permission_key(event)
                (
                    self.permissions.add
                    if isinstance(event, PermissionGranted)
                    else self.permissions.discard
                )(key)
            case _:
                pass  # The trustee of an agency does not matter here.


def plainly(history: list[Fact], until: int) -> Plain:
    """The state at a minute. A deletion ends what was granted at the same instant."""
    plain = Plain()
    for minute, event in sorted(
        history, key=lambda fact: (fact[0], isinstance(fact[1], AgencyDeleted | PolicyDeleted))
    ):
        if minute <= until:
            plain.happen(event)
    return plain


@settings(max_examples=300)
@given(st.data())
def test_the_order_of_arrival_changes_no_present_answer(data: st.DataObject) -> None:
    history = data.draw(facts)
    shuffled = data.draw(st.permutations(history))
    assert present(arrive(history)) == present(arrive(shuffled))


@settings(max_examples=300)
@given(st.data())
def test_the_order_of_arrival_changes_no_answer_as_of_any_minute(data: st.DataObject) -> None:
    history = data.draw(facts)
    one, other = arrive(history), arrive(data.draw(st.permutations(history)))
    for minute in range(-1, MINUTES + 2):
        assert answers_at(one, minute) == answers_at(other, minute)


@settings(max_examples=300)
@given(history=facts)
def test_in_any_order_the_answers_are_those_of_the_facts_in_time_order(history: list[Fact]) -> None:
    account = arrive(history)
    for minute in range(MINUTES + 1):
        expected, got = plainly(history, minute), answers_at(account, minute)
        at = START + timedelta(minutes=minute)
        assert got["permissions"] == expected.permissions
        assert {n for n, t in account.agencies.items() if t.at(at) is not None} == expected.agencies
        assert {n for n, t in account.policies.items() if t.at(at) is not None} == expected.policies


def test_a_late_permission_ends_at_a_later_deletion_that_is_already_known() -> None:
    account = arrive([(1, AgencyCreated(agency=AGENCY)), (5, AgencyDeleted(agency=AGENCY))])
    late = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce")
    at = START + timedelta(minutes=3)
    assert list(settle(account, late, at)) == [
        (late, at),
        (
            PermissionRevoked(
                agency=AGENCY, region=BEIJING, service="cce", consequence_of="AgencyDeleted"
            ),
            START + timedelta(minutes=5),
        ),
    ]
    assert answers_at(account, 4)["permissions"]
    assert not answers_at(account, 5)["permissions"]


def test_a_late_permission_whose_own_end_is_known_is_not_ended_again() -> None:
    end = PermissionRevoked(agency=AGENCY, region=BEIJING, service="cce")
    account = arrive([(4, end), (5, AgencyDeleted(agency=AGENCY))])
    late = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce")
    at = START + timedelta(minutes=3)
    assert list(settle(account, late, at)) == [(late, at)]
    assert not answers_at(account, 4)["permissions"]


def test_a_late_permission_of_a_former_agency_leaves_its_successor_without() -> None:
    account = arrive(
        [
            (5, AgencyDeleted(agency=AGENCY)),
            (7, AgencyCreated(agency=AGENCY)),
            (3, PermissionGranted(agency=AGENCY, region=BEIJING, service="cce")),
        ]
    )
    assert account.agency_exists(AGENCY)
    assert account.open_permissions(AGENCY) == ()


def test_of_two_facts_with_the_same_time_the_one_learned_later_counts() -> None:
    created, deleted = AgencyCreated(agency=AGENCY), AgencyDeleted(agency=AGENCY)
    assert not arrive([(1, created), (1, deleted)]).agency_exists(AGENCY)
    assert arrive([(1, deleted), (1, created)]).agency_exists(AGENCY)
