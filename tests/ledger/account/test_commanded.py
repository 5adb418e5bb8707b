"""Commanded stories: the consequences are events, so the last event of each key is the truth."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from ledger.account.agency import AgencyCreated, AgencyDeleted, AttemptAgencyDeletion, CreateAgency
from ledger.account.facts import facts_of
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import AttemptPolicyDeletion, PolicyCreated, PolicyDeleted
from ledger.account.state import State
from ledger.account.truth.derive import derive
from ledger.account.truth.rules import HUAWEICLOUD
from ledger.account.truth.spans import Span
from ledger.catalogue import load_catalogue
from ledger.errors import LedgerError
from ledger.messages import Command, Recorded
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    NOON,
    POLICY,
    PROVIDER,
    SHANGHAI,
    at,
    consent,
    decline,
    happen,
    login,
    revoke,
)
from tests.ledger.scenario import given as scenario

Key = tuple[str | None, ...]
Known = dict[Key, tuple[str, object, str | None]]
"""Of each key: how it stands, since when, and by whom."""

agencies = st.sampled_from((AGENCY, "backup"))
regions = st.sampled_from((BEIJING, SHANGHAI))
steps: st.SearchStrategy[tuple[Command, ...]] = st.one_of(
    regions.map(consent),
    regions.map(consent),
    regions.map(lambda region: (login(region),)),
    regions.map(lambda region: (decline(region),)),
    regions.map(lambda region: (revoke(region),)),
    agencies.map(lambda name: (CreateAgency(account=ACCOUNT, agency=name, policy="own"),)),
    agencies.map(
        lambda name: (AttemptAgencyDeletion(account=ACCOUNT, agency=name, override=True),)
    ),
    st.sampled_from((POLICY, "own")).map(
        lambda name: (AttemptPolicyDeletion(account=ACCOUNT, policy=name, override=True),)
    ),
)


@given(story=st.lists(steps, max_size=10), seconds=st.sampled_from((0, 60)))
def test_a_commanded_story_folds_to_the_last_event_of_each_key_at_every_commit(
    story: list[tuple[Command, ...]], seconds: int
) -> None:
    state, history, now = State(PROVIDER, ACCOUNT), list[Recorded](), NOON
    for command in (command for step in story for command in step):
        now += timedelta(seconds=seconds)
        try:
            history += happen(state, command, now, load_catalogue())
        except LedgerError:
            continue
        assert folded(history) == last_events(history)


def test_consent_in_the_instant_in_which_the_policy_was_deleted_is_known() -> None:
    """By a clock that is behind, many commands take effect in one instant."""
    deleted = AttemptPolicyDeletion(account=ACCOUNT, policy=POLICY, override=True)
    story = (*consent(BEIJING), deleted, *consent(SHANGHAI))
    account = scenario(*(at(0, command) for command in story)).account
    assert account.regions_of(AGENCY) == (SHANGHAI,)


def last_events(history: Iterable[Recorded]) -> Known:
    """The last event of each key."""
    found: Known = {}
    for entry in history:
        event, said = entry.event, (entry.effective_at, entry.actor)
        match event:
            case AgencyCreated():
                found["agency", event.agency] = ("exists", *said)
            case AgencyDeleted():
                found["agency", event.agency] = ("deleted", *said)
            case PolicyCreated():
                found["policy", event.policy] = ("exists", *said)
            case PolicyDeleted():
                found["policy", event.policy] = ("deleted", *said)
            case PermissionGranted():
                found[event.agency, event.region, event.service] = ("granted", *said)
            case PermissionRevoked():
                found[event.agency, event.region, event.service] = ("revoked", *said)
            case _:
                pass
    return found


def folded(history: Iterable[Recorded]) -> Known:
    """The spans that last, of the thing that had each name last."""
    found: Known = {}
    present = [span for span in derive(facts_of(history), HUAWEICLOUD) if span.until_at is None]
    for span in sorted(present, key=_standing_last):
        known = (span.status, span.since, span.actor)
        if span.subject == "permission":
            found[span.name, span.region, span.service] = known
        elif span.subject in ("agency", "policy"):
            found[span.subject, span.name] = known
    return found


def _standing_last(span: Span) -> tuple[object, ...]:
    return span.valid_from, span.status in ("exists", "granted"), span.position
