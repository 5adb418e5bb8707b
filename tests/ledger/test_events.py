"""Every event has a sentence and an effect in words; a new one without them fails here."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import pytest

from ledger import values
from ledger.account.account import decide, replay
from ledger.account.agency import AgencyDeleted, AgencyDeletionAttempted
from ledger.account.authorization import AuthorizationRevoked
from ledger.account.console import ConsoleLoginRequested
from ledger.account.decision import Circumstances
from ledger.account.meaning import Role, Says
from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
)
from ledger.account.policy import AttemptPolicyDeletion, PolicyChanged, PolicyDeletionAttempted
from ledger.account.project import ProjectDeleted
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.account.truth.fact import Call, Fact, Kind
from ledger.account.usage import FeatureUsed, TemporaryCredentialIssued
from ledger.events import EVENTS, actor_of, sentence, subjects_of
from ledger.messages import DomainEvent, Recorded, topics
from ledger.subjects import SubjectErased, SubjectRegistered
from tests.ledger.examples import ADDED, AT, example_entry, example_event, fields_of
from tests.ledger.scenario import AGENCY, BEIJING, NOON, POLICY, consent, given

SUBJECT = "p-0123456789abcdef0123"


def said(event: DomainEvent, **envelope: object) -> str:
    """The sentence of an event that alice caused by a command."""
    plain: dict[str, object] = {"origin": "commanded", "reason": None, **envelope}
    entry = replace(example_entry(type(event)), event=event, **plain)  # type: ignore[arg-type]
    return sentence(entry, {SUBJECT: "alice"})


def test_every_topic_of_the_program_has_its_row() -> None:
    ours = {event for event in topics().values() if event.__module__.startswith("ledger.")}
    assert set(EVENTS) == ours


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_says_a_sentence_of_its_own(event: type[DomainEvent]) -> None:
    text = said(example_event(event))
    assert event.__name__ not in text
    assert "None" not in text
    assert text == text.strip()
    assert len(text.split()) >= 4


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_says_a_sentence_where_only_what_it_needs_is_known(
    event: type[DomainEvent],
) -> None:
    full = example_event(event).model_dump()
    needed = {name for name, field in event.model_fields.items() if field.is_required()}
    text = said(event.model_validate({name: full[name] for name in needed}))
    assert "None" not in text
    assert "  " not in text
    assert len(text.split()) >= 4


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_says_its_effect(event: type[DomainEvent]) -> None:
    effect = EVENTS[event].effect
    if isinstance(effect, str):
        assert effect
        return
    assert event.STREAM == "account", "only its stream holds what changes an account"
    state, example = State("huaweicloud", "0a1b2c3d4e5f"), without_cause(example_entry(event))
    before = effect(Account(state, AT), example.event)
    replay(state, [example])
    after = effect(Account(state, state.next_instant(AT)), example.event)
    assert before.what == after.what
    assert before.since is None
    assert after.since == AT, "the standing is read where the event is learned"
    assert before.state
    assert after.state


def without_cause(entry: Recorded) -> Recorded:
    """The entry of an event that is not a consequence: by itself, a consequence proves nothing."""
    if "consequence_of" not in type(entry.event).model_fields:
        return entry
    return replace(entry, event=entry.event.model_copy(update={"consequence_of": None}))


def test_every_row_speaks_of_fields_and_words_that_exist() -> None:
    for event, meaning in EVENTS.items():
        assert meaning.role in get_args(Role), event
        for says in (meaning.says,) if isinstance(meaning.says, Says) else meaning.says:
            assert says.call in get_args(Call), event
            assert says.kind in get_args(Kind), event
            assert set(says.fields) <= set(Fact._fields), event
            assert set(says.fields.values()) <= set(event.model_fields), event


def test_the_service_of_a_permission_or_a_credential_is_one_that_the_agency_uses() -> None:
    assert {event.__name__ for event, meaning in EVENTS.items() if meaning.service_is_used} == {
        "PermissionGranted", "PermissionRevoked", "TemporaryCredentialIssued", "CredentialRefused",
        "CredentialUndecided", "AgencyActed", "AgencyActionFailed",
    }  # fmt: skip


def test_every_surrogate_id_in_an_event_is_found() -> None:
    for event in EVENTS:
        ids = [
            name
            for name, kind in fields_of(event).items()
            if values.SubjectId in alternatives(kind)
        ]
        entry, filled = (
            example_entry(event, steps=len(ADDED)),
            example_event(event, steps=len(ADDED)),
        )
        found = set(subjects_of(replace(entry, actor="the actor")))
        assert found == {"the actor", *(getattr(filled, name) for name in ids)}, event


def alternatives(kind: object) -> tuple[object, ...]:
    return (kind, *getattr(kind, "__args__", ()))


def test_an_entry_without_an_actor_names_no_one() -> None:
    entry = replace(example_entry(SubjectErased), actor=None)
    assert actor_of(entry, {}) == "somebody"
    assert list(subjects_of(entry)) == [SUBJECT]


# -- the words -----------------------------------------------------------------------------------


def test_a_sentence_ends_with_where_it_comes_from_and_why() -> None:
    event = SubjectErased(subject=SUBJECT)
    assert said(event) == f"alice erased the name behind {SUBJECT}"
    assert said(event, reason="she left") == (
        f"alice erased the name behind {SUBJECT}; reason: she left"
    )
    assert said(event, origin="observed", reason="she left") == (
        f"alice erased the name behind {SUBJECT} (seen in a trace); reason: she left"
    )


def test_a_consequence_has_the_reason_of_what_it_follows_from() -> None:
    ended = PermissionRevoked(
        agency=AGENCY, region=BEIJING, service="cce", consequence_of="AgencyDeleted"
    )
    assert said(ended, reason="moving") == (
        f"{AGENCY} may no longer use cce in {BEIJING}, because the agency was deleted"
    )
    alone = ended.model_copy(update={"consequence_of": None})
    assert said(alone, reason="moving") == (
        f"{AGENCY} may no longer use cce in {BEIJING}; reason: moving"
    )


def test_a_registration_names_the_one_who_is_registered_and_not_the_actor() -> None:
    event = SubjectRegistered(subject="a-00000000000000000001", kind="address", commitment="00")
    entry = replace(example_entry(SubjectRegistered), event=event)
    names = {SUBJECT: "alice", event.subject: "192.0.2.1"}
    assert sentence(entry, names) == "192.0.2.1 is registered as a-00000000000000000001"
    assert sentence(entry, {SUBJECT: "alice"}) == (
        "an address whose name is not kept here is registered as a-00000000000000000001"
    )


@pytest.mark.parametrize(
    ("service", "policy", "region", "words"),
    [
        ("cce", None, BEIJING, f"may use cce in {BEIJING}"),
        ("cce", POLICY, BEIJING, f"may use cce under {POLICY!r} in {BEIJING}"),
        (None, POLICY, "*", f"may act under {POLICY!r} in all regions"),
    ],
)
def test_a_permission_says_what_where_and_under_which_policy(
    service: str | None, policy: str | None, region: str, words: str
) -> None:
    event = PermissionGranted(agency=AGENCY, region=region, service=service, policy=policy)
    assert said(event) == f"{AGENCY} {words}"


def test_a_permission_under_a_policy_without_a_name_says_the_id_of_the_policy() -> None:
    event = PermissionGranted(agency=AGENCY, region=BEIJING, policy_id="p-1")
    assert said(event) == f"{AGENCY} may act under 'p-1' in {BEIJING}"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (PolicyChanged(policy_id="p-1"), "alice changed the policy 'p-1'"),
        (PolicyChanged(), "alice changed the policy '(not named)'"),
        (AgencyDeleted(agency_id="a-1"), "alice deleted the agency a-1"),
        (AgencyDeleted(), "alice deleted the agency (not named)"),
        (
            PermissionGranted(agency=AGENCY, project_id="0605", service="cce"),
            f"{AGENCY} may use cce in the project 0605",
        ),
    ],
)
def test_a_thing_without_a_name_is_called_by_its_id(event: DomainEvent, words: str) -> None:
    assert said(event) == words


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("admitted", "and was let in"),
        ("dialog", "and the authorization dialog opened"),
        ("refused", "and was refused"),
        ("unknown", "and whether the authorization dialog opened is not known"),
    ],
)
def test_a_login_says_how_it_ended(
    outcome: Literal["admitted", "dialog", "refused", "unknown"], words: str
) -> None:
    event = ConsoleLoginRequested(service="asm", region=BEIJING, outcome=outcome)
    assert said(event) == f"alice logged in to the console of asm in {BEIJING} {words}"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (ProjectDeleted(region="cn-north-4_mesh", project_id="0605"), "cn-north-4_mesh"),
        (ProjectDeleted(project_id="0605"), "0605"),
        (ProjectDeleted(), "(not named)"),
    ],
)
def test_a_project_is_called_by_its_name_or_else_by_its_id(
    event: ProjectDeleted, words: str
) -> None:
    assert said(event) == f"alice deleted the project {words}"


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            PermissionChangeRefused(agency=AGENCY, region="*", policy=POLICY, why="denied"),
            f"what {AGENCY} may do under {POLICY!r} in all regions: denied",
        ),
        (PermissionChangeRefused(agency=AGENCY, why="denied"), f"what {AGENCY} may do: denied"),
        (PermissionChangeRefused(policy=POLICY, why="denied"), f"the policy {POLICY!r}: denied"),
    ],
)
def test_a_refused_change_of_permissions_says_of_what_and_why(
    event: PermissionChangeRefused, words: str
) -> None:
    assert said(event) == f"alice tried to change {words}"


def test_a_refused_deletion_says_what_it_would_break() -> None:
    event = PolicyDeletionAttempted(
        policy=POLICY,
        outcome="refused",
        impact_features=(f"{BEIJING}/asm/mesh", f"{BEIJING}/asm/metrics", "*/other/thing"),
        why="It is protected.",
    )
    assert said(event) == (
        f"alice tried to delete the policy {POLICY!r}: refused; it would break asm mesh, metrics "
        f"in {BEIJING}; other thing in all regions"
    )


def test_a_deletion_that_was_carried_out_says_what_it_breaks() -> None:
    event = AgencyDeletionAttempted(
        agency=AGENCY, outcome="carried-out", impact_features=(f"{BEIJING}/asm/mesh",)
    )
    assert said(event) == (
        f"alice tried to delete the agency {AGENCY!r}: done; breaks asm mesh in {BEIJING}"
    )
    assert ": carried out against the protection; breaks" in said(
        event.model_copy(update={"override": True})
    )


def test_a_deletion_whose_impact_is_not_known_claims_none() -> None:
    """A trace does not say what would break; nothing is claimed about it."""
    event = AgencyDeletionAttempted(agency=AGENCY, outcome="refused", why="AccessDenied")
    assert said(event, origin="observed") == (
        f"alice tried to delete the agency {AGENCY!r}: refused: AccessDenied (seen in a trace)"
    )


def test_a_credential_says_for_whom_for_what_and_until_when() -> None:
    event = TemporaryCredentialIssued(
        agency=AGENCY, region=BEIJING, service="elb", component="gateway", expires_at=NOON
    )
    assert (
        said(event) == f"gateway may act as {AGENCY} on elb in {BEIJING} until 2026-03-01 12:00:00Z"
    )
    assert said(TemporaryCredentialIssued(agency=AGENCY, region=BEIJING)) == (
        f"alice got a credential to act as {AGENCY} on what it is permitted in {BEIJING}"
    )


def test_a_revocation_says_how_long_credentials_may_work() -> None:
    event = AuthorizationRevoked(service="asm", region=BEIJING, credentials_usable_until=NOON)
    assert said(event) == (
        f"alice revoked the consent for asm in {BEIJING}; "
        "credentials issued before may work until 2026-03-01 12:00:00Z"
    )


def test_several_services_are_listed() -> None:
    event = FeatureUsed(
        agency=AGENCY,
        region=BEIJING,
        service="asm",
        feature="mesh",
        services=("cce", "elb", "vpc"),
        account_version=1,
    )
    assert said(event) == f"alice used mesh in {BEIJING}: {AGENCY} acted on cce, elb and vpc"


def test_the_refusal_of_a_command_says_its_impact() -> None:
    """The sentence of what `decide` records, and not only of events made by hand."""
    story = given(*consent(BEIJING))
    command = AttemptPolicyDeletion(account=story.account.account, policy=POLICY)
    (attempt,) = decide(story.account, command, Circumstances(NOON, story.catalogue)).events
    assert "refused; it would break asm ingress-gateway, mesh, metrics in" in said(attempt)
