"""Real events as facts: the fold of a commanded story, and of recorded traces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from ledger.account.agency import AttemptAgencyDeletion
from ledger.account.facts import FACT_TYPES, fact_of, fact_of_entry, facts_of
from ledger.account.policy import AttemptPolicyDeletion
from ledger.account.state import Account
from ledger.account.truth.derive import derive
from ledger.account.truth.rules import AWS, HUAWEICLOUD
from ledger.account.truth.spans import Span
from ledger.catalogue import load_catalogue
from ledger.messages import Command, DomainEvent, Observation, Recorded
from ledger.persistence.entry import encode
from ledger.sources import SOURCES, ImportReport, read_traces
from tests.ledger.examples import EVENTS, example_entry
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    BEIJING,
    GUANGZHOU,
    NOON,
    POLICY,
    PROVIDER,
    SHANGHAI,
    consent,
    happen,
    revoke,
)

INVICTUS = Path(__file__).resolve().parents[4] / "shared" / "data" / "cloudtrail-invictus"

STORY: tuple[Command, ...] = (
    *consent(BEIJING, SHANGHAI),
    revoke(BEIJING),
    *consent(BEIJING),
    AttemptPolicyDeletion(account=ACCOUNT, policy=POLICY, override=True),
    *consent(GUANGZHOU),
    AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True),
    *consent(SHANGHAI),
)


def test_a_commanded_story_folds_to_the_state_at_every_commit() -> None:
    state, history = Account(PROVIDER, ACCOUNT), list[Recorded]()
    for turn, command in enumerate(STORY):
        now = NOON + timedelta(minutes=turn)
        for event in happen(state, command, now, load_catalogue()):
            history.append(_commanded(event, now, len(history) + 1))
        spans = derive(facts_of(history), HUAWEICLOUD)
        assert _granted(spans) == {
            (key.agency, key.region, key.service, known.since)
            for permissions in state.permissions.values()
            for key, known in permissions.items()
            if known.now
        }
        assert {span.name for span in _present(spans, "agency") if span.status == "exists"} == {
            name for name in state.agencies if state.agency_exists(name)
        }


def _commanded(event: DomainEvent, now: datetime, position: int) -> Recorded:
    return Recorded(
        stream="account",
        version=position,
        event=event,
        recorded_at=now,
        effective_at=now,
        origin="commanded",
        actor="alice",
        position=position,
    )


def _present(spans: Iterable[Span], subject: str) -> list[Span]:
    return [span for span in spans if span.subject == subject and span.until_at is None]


def _granted(spans: Iterable[Span]) -> set[tuple[str | None, str | None, str | None, object]]:
    return {
        (span.name, span.region, span.service, span.since)
        for span in _present(spans, "permission")
        if span.status == "granted"
    }


def _observed(observations: Iterable[Observation]) -> list[Recorded]:
    found = [(one, event) for one in observations for event in one.events]
    return [
        Recorded(
            stream="account",
            version=position,
            event=event,
            recorded_at=one.effective_at,
            effective_at=one.effective_at,
            origin="observed",
            actor=one.actor,
            source=one.source,
            position=position,
        )
        for position, (one, event) in enumerate(found, start=1)
    ]


@pytest.mark.skipif(not INVICTUS.is_dir(), reason="needs ../shared (third-party data)")
def test_recorded_traces_fold_to_the_same_spans_in_any_order_of_their_files() -> None:
    paths = sorted(INVICTUS.glob("*.json"))
    now = datetime(2027, 1, 1, tzinfo=UTC)
    by_name = list(read_traces(SOURCES["cloudtrail"], paths, ImportReport(), now=now))
    shuffled = Random(14).sample(by_name, len(by_name))
    spans = derive(facts_of(_observed(by_name)), AWS)
    assert _unplaced(spans) == _unplaced(derive(facts_of(_observed(shuffled)), AWS))
    revoked = [span for span in spans if span.subject == "permission" and span.status == "revoked"]
    assert Counter(span.note for span in revoked) == {None: 9, "end not seen": 2}
    assert all((span.actor is None) == (span.note is not None) for span in revoked)


def _unplaced(spans: Iterable[Span]) -> set[Span]:
    return {span._replace(position=None) for span in spans}


def test_an_entry_says_the_same_fact_as_its_event() -> None:
    said = 0
    for event in EVENTS:
        for added in (False, True):
            entry = example_entry(event, added=added)
            text = encode(entry)
            fact = fact_of(entry, 7)
            assert fact_of_entry(text, 7) == fact
            said += fact is not None
    assert said == 2 * len(FACT_TYPES)
