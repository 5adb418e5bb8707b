"""The effect of an event: before, after, and that late news changes no present answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ledger.account.agency import (
    AgencyCreated,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyDeletionRequested,
    AgencyExpiryChanged,
    AgencyTrustChanged,
)
from ledger.account.authorization import AuthorizationDeclined, AuthorizationGranted
from ledger.account.boundary import BoundaryRemoved, BoundarySet
from ledger.account.console import ConsoleLoginRequested
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyChanged, PolicyCreated, PolicyDeleted
from ledger.account.project import ProjectCreated
from ledger.effects import Effect, Effects
from ledger.messages import DomainEvent, Provenance, Recorded
from tests.ledger.examples import example_entry
from tests.ledger.scenario import AGENCY, ASM, BEIJING, NOON, POLICY

Fact = DomainEvent | tuple[float, DomainEvent]
"""An event, a minute after the one before; or at so many minutes."""


def entries(*facts: Fact) -> list[Recorded]:
    """Entries of one account's stream, by version."""
    made = []
    for version, fact in enumerate(facts, start=1):
        minutes, event = fact if isinstance(fact, tuple) else (version, fact)
        at = NOON + timedelta(minutes=minutes)
        made.append(
            replace(example_entry(type(event)), event=event, version=version, effective_at=at)
        )
    return made


def effects(*facts: Fact) -> list[Effect]:
    history = entries(*facts)
    follow = Effects(lambda _: history)
    return [follow.of(entry) for entry in history]


def unordered(*facts: Fact) -> list[Effect]:
    """The same, each fact in a trace of its own."""
    history = [
        replace(entry, source=Provenance(trace_id=f"trace-{entry.version}"))
        for entry in entries(*facts)
    ]
    follow = Effects(lambda _: history)
    return [follow.of(entry) for entry in history]


def effect(*facts: Fact) -> Effect:
    """The effect of the last of them."""
    return effects(*facts)[-1]


granted = AuthorizationGranted(service=ASM, region=BEIJING, services=("cce",), agencies=(AGENCY,))
declined = AuthorizationDeclined(service=ASM, region=BEIJING)
permitted = PermissionGranted(agency=AGENCY, region=BEIJING, service="cce", policy=POLICY)
revoked = PermissionRevoked(agency=AGENCY, region=BEIJING, service="cce", policy=POLICY)


@pytest.mark.parametrize(
    ("facts", "what", "before", "after"),
    [
        ((granted,), f"authorization of asm in {BEIJING}", "never requested", "granted"),
        ((granted, declined), f"authorization of asm in {BEIJING}", "granted", "declined"),
        ((AgencyCreated(agency="x"),), "agency x", "does not exist", "exists"),
        ((AgencyCreated(agency="x"), AgencyDeleted(agency="x")), "agency x", "exists", "does not exist"),
        ((PolicyCreated(policy="p"),), "policy 'p'", "does not exist", "exists"),
        ((PolicyCreated(policy="p"), PolicyDeleted(policy="p")), "policy 'p'", "exists", "does not exist"),
        ((permitted,), f"{AGENCY} in {BEIJING}: cce under {POLICY!r}", "not granted", "granted"),
        ((permitted, revoked), f"{AGENCY} in {BEIJING}: cce under {POLICY!r}", "granted", "not granted"),
        (
            (PermissionGranted(agency="x", region="*", policy="p"),),
            "x in *: 'p'",
            "not granted",
            "granted",
        ),
        ((AgencyTrustChanged(agency="x", trustee="a"),), "agency x trusts", "nobody", "a"),
        (
            (AgencyCreated(agency="x", trustee="a"), AgencyTrustChanged(agency="x", trustee="b")),
            "agency x trusts",
            "a",
            "b",
        ),
        (
            (AgencyTrustChanged(agency="x", trustee="a"), AgencyTrustChanged(agency="x")),
            "agency x trusts",
            "a",
            "unknown",
        ),
    ],
)  # fmt: skip
def test_a_change_says_what_was_and_what_is_now(
    facts: tuple[DomainEvent, ...], what: str, before: str, after: str
) -> None:
    assert effect(*facts) == Effect(f"{what}: {before} → {after}", what, before, after)


def test_an_event_that_repeats_what_holds_changes_nothing() -> None:
    what = f"authorization of asm in {BEIJING}"
    again = Effect(f"{what}: stays granted", what, "granted", "granted")
    assert effect(granted, granted) == again


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ((granted, (0, declined)), f"authorization of asm in {BEIJING}: stays granted"),
        ((AgencyDeleted(agency="x"), (0, AgencyCreated(agency="x"))), "agency x: stays does not exist"),
        ((PolicyCreated(policy="p"), (0, PolicyDeleted(policy="p"))), "policy 'p': stays exists"),
        ((permitted, (0, revoked)), f"{AGENCY} in {BEIJING}: cce under {POLICY!r}: stays granted"),
        (
            (AgencyTrustChanged(agency="x", trustee="a"), (0, AgencyTrustChanged(agency="x"))),
            "agency x trusts: stays a",
        ),
    ],
)  # fmt: skip
def test_news_of_an_earlier_time_leaves_the_present_as_it_is(
    facts: tuple[Fact, ...], words: str
) -> None:
    late = effect(*facts)
    assert late.text == f"{words} (news of an earlier time)"
    assert late.is_late
    assert late.before == late.after


def test_the_trust_of_an_agency_of_which_later_news_is_known_is_not_called_late() -> None:
    """It is compared with what is known of its trust, not of its existence."""
    asked = (9, AgencyDeletionRequested(agency="x"))
    trust = AgencyTrustChanged(agency="x", trustee="a")
    assert effect(trust, asked, (5, trust)).text == "agency x trusts: stays a"


def test_trust_ends_with_its_agency() -> None:
    deleted = (9, AgencyDeleted(agency="x"))
    trust = AgencyTrustChanged(agency="x", trustee="a")
    late = effect(trust, deleted, (5, trust))
    assert late.text == "agency x trusts: stays nobody (news of an earlier time)"


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            (permitted, AgencyDeleted(agency=AGENCY), (1.5, revoked)),
            f"{AGENCY} in {BEIJING}: cce under {POLICY!r}: stays not granted",
        ),
        (
            (AgencyDeleted(agency=AGENCY), (0, permitted)),
            f"{AGENCY} in {BEIJING}: cce under {POLICY!r}: stays not granted (news of an earlier time)",
        ),
        (
            ((1, AgencyDeleted(agency="x")), (1, AgencyCreated(agency="x"))),
            "agency x: does not exist → not known whether it exists",
        ),
        (
            (AgencyCreated(agency="x"), AgencyDeletionRequested(agency="x")),
            "agency x: exists → deletion asked for",
        ),
        (
            (AgencyCreated(agency="x"), AgencyExpiryChanged(agency="x", expires_at=NOON)),
            "agency x ends: at a time that is not known → 2026-03-01 12:00:00Z",
        ),
        (
            (
                AgencyCreated(agency="x", expires_at=NOON + timedelta(hours=1)),
                AgencyExpiryChanged(agency="x"),
            ),
            "agency x ends: 2026-03-01 13:00:00Z → never",
        ),
        (
            (AgencyCreated(agency="x", expires_at=NOON + timedelta(hours=1)),),
            "agency x: does not exist → exists",
        ),
        (
            (AgencyCreated(agency="x", expires_at=NOON), (99, AgencyDeleted(agency="x"))),
            "agency x: expired → does not exist",
        ),
        (
            (AgencyCreated(agency="x", agency_id="a-1"), AgencyDeleted(agency_id="a-1")),
            "agency a-1: exists → does not exist",
        ),
        (
            (
                PermissionGranted(agency="x", region=BEIJING, policy="p", policy_id="p-9"),
                PolicyDeleted(policy="p", policy_id="p-9"),
                PolicyCreated(policy="p", policy_id="p-1"),
                PermissionGranted(agency="x", region=BEIJING, policy="p", policy_id="p-1"),
            ),
            f"x in {BEIJING}: 'p': not granted → granted",
        ),
        (
            (
                PermissionGranted(agency="x", project_id="0605", policy_id="p-1"),
                ProjectCreated(region="cn-north-4_mesh", project_id="0605"),
                PermissionGranted(agency="x", project_id="0605", policy_id="p-1"),
                PermissionGranted(agency="x", project_id="0605", policy_id="p-1"),
            ),
            "x in 0605: 'p-1': stays granted",
        ),
        (
            (
                PermissionGranted(agency="x", project_id="0605", policy_id="p-1"),
                ProjectCreated(region="cn-north-4_mesh", project_id="0605"),
                PermissionRevoked(agency="x", project_id="0605", policy_id="p-1"),
            ),
            "x in 0605: 'p-1': granted → not granted",
        ),
    ],
)
def test_an_effect_compares_what_the_facts_come_to(facts: tuple[Fact, ...], text: str) -> None:
    """No end of a permission is an event of its own: the deletion of its agency ends it."""
    assert unordered(*facts)[-1].text == text


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            ConsoleLoginRequested(service=ASM, region=BEIJING, outcome="dialog"),
            "counts as a login",
        ),
        (
            AgencyDeletionAttempted(agency="x", outcome="refused"),
            "on record only: nothing changes",
        ),
        (
            PermissionsChanged(agency="x", detail="updateAgency"),
            "on record only: the trace does not say which permissions changed",
        ),
    ],
)
def test_an_event_that_changes_no_state_says_its_effect(event: DomainEvent, words: str) -> None:
    assert effect(event) == Effect(words)


def test_a_range_begins_with_the_account_as_it_was_before_it() -> None:
    history = entries(granted, declined)
    reads = []

    def stream(name: str) -> Iterator[Recorded]:
        reads.append(name)
        yield from history

    follow = Effects(stream)
    assert follow.of(history[1]).before == "granted"
    assert follow.of(replace(history[1], version=3, event=granted)).before == "declined"
    assert reads == [history[1].stream], "an account is read once"


A_DOCUMENT, ANOTHER = "5b09f2ef91c3" + "0" * 52, "0ea29203a5ca" + "0" * 52


def test_the_effect_of_a_policys_change_is_its_document_before_and_after() -> None:
    made = PolicyCreated(policy="p", document=A_DOCUMENT, document_version="v1", in_force=True)
    new = PolicyChanged(policy="p", document=ANOTHER, document_version="v2", in_force=True)
    found = unordered(made, new, PolicyChanged(policy="p"))
    texts = [each.text for each in found[1:]]
    assert texts[0] == "document of the policy 'p': 5b09f2ef91c3 v1 → 0ea29203a5ca v2"
    assert texts[1].startswith("document of the policy 'p': 0ea29203a5ca v2 → not told since 2")


def test_the_effect_on_a_boundary_is_the_policy_that_limits_before_and_after() -> None:
    facts = AgencyCreated(agency="x"), BoundarySet(agency="x", policy="cap")
    found = unordered(*facts, BoundaryRemoved(agency="x"))
    assert [each.text for each in found[1:]] == [
        "boundary of x: none told → cap",
        "boundary of x: cap → none",
    ]
