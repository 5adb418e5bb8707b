"""The same facts in any order of arrival give decisions the same answers; none is appended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.account.account import replay
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
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.application import Ledger
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent, Observation, Provenance, Recorded
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASM,
    BEIJING,
    POLICY,
    PROVIDER,
    SHANGHAI,
    recorded,
)

START = datetime(2026, 3, 1, tzinfo=UTC)
MINUTES = 12
AGENCIES = (AGENCY, "backup")
POLICIES = (POLICY, "own")
REGIONS = (BEIJING, SHANGHAI, "*")
SERVICES = ("cce", "vpc", None)

ANSWERS = (
    AuthorizationRequested,
    AuthorizationGranted,
    AuthorizationDeclined,
    AuthorizationRevoked,
)
Fact = tuple[int, DomainEvent]
"""A minute, and what happened then."""


def key_of(number: int, fact: Fact) -> object:
    """Of two answers to one dialog at one time, the one learned later counts: here is one only."""
    minute, event = fact
    return (minute, event.service, event.region) if isinstance(event, ANSWERS) else number


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


def _without_ties(history: list[Fact]) -> list[Fact]:
    return list({key_of(*numbered): numbered[1] for numbered in enumerate(history)}.values())


facts = st.lists(st.tuples(st.integers(0, MINUTES), events), max_size=24).map(_without_ties)


def entries(history: Iterable[tuple[int, Fact]], state: State) -> Iterator[Recorded]:
    """Entries of numbered facts, each in a trace of its own, as they arrive."""
    for number, (minute, event) in history:
        at = START + timedelta(minutes=minute)
        yield recorded(state, event, at, "observed", f"trace-{number}")


def arrive(history: Iterable[tuple[int, Fact]]) -> State:
    """Let numbered facts arrive in this order."""
    state = State(PROVIDER, ACCOUNT)
    return replay(state, entries(history, state))


def present(state: State) -> dict[str, object]:
    """All that `decide` asks of an account."""
    catalogue = load_catalogue()
    service = catalogue.service(PROVIDER, ASM)
    account = Account(state, state.next_instant(START))
    return {
        "agencies": {name: account.agency(name) for name in AGENCIES},
        "count": account.agency_count(),
        "policies": {name: account.policy(name) for name in POLICIES},
        "under": {name: set(account.permissions_under(name)) for name in POLICIES},
        "permissions": {name: set(account.open_permissions(name)) for name in AGENCIES},
        "regions": {name: account.regions_of(name) for name in AGENCIES},
        "authorizations": {region: account.authorization(ASM, region) for region in REGIONS},
        "features": {
            (region, feature.name): serving_agency(account, service, feature, region, catalogue)
            for region in REGIONS
            for feature in service.features
        },
        "instant": account.at,
    }


@given(st.data())
def test_the_order_of_arrival_changes_no_answer(data: st.DataObject) -> None:
    history = list(enumerate(data.draw(facts)))
    shuffled = data.draw(st.permutations(history))
    assert present(arrive(history)) == present(arrive(shuffled))


# -- nothing is concluded where a trace is recorded ----------------------------------------------


def observe(ledger: Ledger, *history: Fact) -> Account:
    """Let facts arrive one by one; each appends one entry."""
    for number, (minute, event) in enumerate(history):
        trace = Observation(
            provider=PROVIDER,
            account=ACCOUNT,
            events=(event,),
            effective_at=START + timedelta(minutes=minute),
            source=Provenance(trace_id=f"trace-{number}"),
        )
        assert ledger.observe([trace]).entries == 1
    return ledger.account(PROVIDER, ACCOUNT)


PERMITTED = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce")


def test_a_deletion_ends_the_permissions_without_entries_of_their_own(ledger: Ledger) -> None:
    account = observe(ledger, (1, PERMITTED), (5, AgencyDeleted(agency=AGENCY)))
    assert account.open_permissions(AGENCY) == ()


def test_the_deletion_of_a_policy_ends_what_it_permits_without_entries_of_their_own(
    ledger: Ledger,
) -> None:
    under = PERMITTED.model_copy(update={"policy": "own"})
    made, deleted = PolicyCreated(policy="own"), PolicyDeleted(policy="own")
    account = observe(ledger, (0, made), (1, under), (1, PERMITTED), (5, deleted))
    assert [key.policy for key in account.open_permissions(AGENCY)] == [None]


def test_a_late_permission_ends_at_a_later_deletion_that_is_already_known(ledger: Ledger) -> None:
    deleted = AgencyDeleted(agency=AGENCY)
    account = observe(ledger, (1, AgencyCreated(agency=AGENCY)), (5, deleted), (3, PERMITTED))
    assert account.open_permissions(AGENCY) == ()


def test_a_late_permission_of_a_former_agency_leaves_its_successor_without(ledger: Ledger) -> None:
    account = observe(
        ledger,
        (5, AgencyDeleted(agency=AGENCY)),
        (7, AgencyCreated(agency=AGENCY)),
        (3, PERMITTED),
    )
    assert account.agency_exists(AGENCY)
    assert account.open_permissions(AGENCY) == ()


def test_of_a_creation_and_a_deletion_with_the_same_time_it_is_not_known_which_came_last(
    ledger: Ledger,
) -> None:
    created, deleted = AgencyCreated(agency=AGENCY), AgencyDeleted(agency=AGENCY)
    account = observe(ledger, (1, created), (1, deleted))
    agency = account.agency(AGENCY)
    assert agency is not None
    assert agency.status == "not known"
    assert not account.agency_exists(AGENCY)
