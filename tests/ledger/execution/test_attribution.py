"""Actions are attributed to the right actor: traces cannot be hidden, ends name the right one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted, AttemptAgencyDeletion, CreateAgency
from ledger.account.authorization import GrantAuthorization, RevokeAuthorization
from ledger.account.console import RequestConsoleLogin
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.usage import UseFeature
from ledger.application import Actor, Ledger
from ledger.errors import InvalidInput, Refused
from ledger.messages import DomainEvent, Observation, Provenance

ACCOUNT = "0a1b2c3d4e5f"
HERE = {"account": ACCOUNT, "service": "asm", "region": "cn-north-4"}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "ledger.db", clock=lambda: NOON) as ledger:
        yield ledger


def seen(event: DomainEvent, hour: int, who: str) -> Observation:
    return Observation(
        provider="huaweicloud",
        account=ACCOUNT,
        events=(event,),
        effective_at=NOON - timedelta(hours=10 - hour),
        source=Provenance(trace_id=f"{who}-{hour}"),
        actor=who,
    )


def test_nobody_can_make_a_trace_look_known_by_choosing_its_id_for_a_command(
    ledger: Ledger,
) -> None:
    trace = seen(AgencyCreated(agency="backdoor"), 1, "mallory")
    for chosen in (trace.command_id, "trace:anything"):
        with pytest.raises(InvalidInput, match="reserved for traces"):
            ledger.execute(RequestConsoleLogin(**HERE), command_id=chosen)
    without_prefix = trace.command_id.removeprefix("trace:")
    ledger.execute(RequestConsoleLogin(**HERE), command_id=without_prefix)
    assert ledger.observe([trace]).new_traces == 1


def test_the_trace_establishes_who_its_actor_is(ledger: Ledger) -> None:
    ledger.observe([seen(AgencyCreated(agency="a"), 1, "creator")])
    ledger.execute(CreateAgency(account=ACCOUNT, agency="b"), actor=Actor("alice"))
    ledger.execute(CreateAgency(account=ACCOUNT, agency="c"), actor=Actor("bob", "os-user"))
    ledger.execute(CreateAgency(account=ACCOUNT, agency="d"))
    found = [
        (entry.event.agency, entry.actor_established)
        for entry in ledger.history()
        if isinstance(entry.event, AgencyCreated)
    ]
    assert found == [("a", "trace"), ("b", "claimed"), ("c", "os-user"), ("d", "ledger")]


def end_of(ledger: Ledger, agency: str) -> tuple[str | None, str | None]:
    """The name of the person who ended the agency's only permission, and the note."""
    spans = ledger.account("huaweicloud", ACCOUNT).state.cells.of_agency(agency)
    (end,) = [span for span in spans if (span.subject, span.status) == ("permission", "revoked")]
    return ledger.names([str(end.actor)]).get(str(end.actor)), end.note


def test_the_end_of_a_permission_has_the_deleter_also_if_the_grant_is_late_news(
    ledger: Ledger,
) -> None:
    ledger.observe([seen(AgencyCreated(agency="a"), 1, "creator")])
    ledger.observe([seen(AgencyDeleted(agency="a"), 3, "deleter")])
    ledger.observe([seen(PermissionGranted(agency="a", region="*", policy="p"), 2, "granter")])
    assert "PermissionRevoked" not in {entry.type for entry in ledger.history()}
    assert end_of(ledger, "a") == ("deleter", None)


def test_the_end_that_a_deletion_brings_has_the_deleter(ledger: Ledger) -> None:
    ledger.observe([seen(PermissionGranted(agency="a", region="*", policy="p"), 2, "granter")])
    ledger.observe([seen(AgencyDeleted(agency="a"), 3, "deleter")])
    assert end_of(ledger, "a") == ("deleter", None)
    revoked = PermissionRevoked(agency="a", region="*", policy="p")
    ledger.observe([seen(revoked, 2, "revoker")])
    assert ledger.account("huaweicloud", ACCOUNT).open_permissions("a") == ()


def test_a_consent_that_was_asked_for_again_can_still_be_taken_back(ledger: Ledger) -> None:
    ledger.execute(RequestConsoleLogin(**HERE))
    ledger.execute(GrantAuthorization(**HERE))
    lost = PermissionRevoked(
        agency="asm_admin_trust",
        region="cn-north-4",
        service="aom",
        policy="asm admin trust policy",
    )
    ledger.observe([seen(lost, 10, "somebody")])
    ledger.execute(RequestConsoleLogin(**HERE))  # Something is missing: the dialog opens again.
    outcome = ledger.execute(RevokeAuthorization(**HERE))
    assert [entry.type for entry in outcome.entries] == [
        "AuthorizationRevoked",
        *["PermissionRevoked"] * 3,
    ]
    with pytest.raises(Refused):
        ledger.execute(UseFeature(**HERE, feature="mesh"))


def test_consent_that_needs_more_agencies_than_the_quota_has_is_refused_and_recorded(
    ledger: Ledger,
) -> None:
    for number in range(50):
        ledger.execute(CreateAgency(account=ACCOUNT, agency=f"agency-{number}"))
    ledger.execute(RequestConsoleLogin(**HERE))
    with pytest.raises(Refused, match="50 of 50 agencies") as refused:
        ledger.execute(GrantAuthorization(**HERE), actor=Actor("alice"))
    assert [entry.type for entry in refused.value.entries][-1] == "AuthorizationRefused"


def test_an_impact_on_more_regions_than_an_entry_can_hold_is_cut_and_counted(
    ledger: Ledger,
) -> None:
    ledger.observe(
        seen(
            PermissionGranted(agency="asm_admin_trust", region=f"region-{n:04}", service="cce"),
            n % 9,
            f"somebody-{n}",
        )
        for n in range(1_500)
    )
    ledger.observe([seen(AgencyCreated(agency="asm_admin_trust"), 0, "creator")])
    with pytest.raises(Refused) as refused:
        ledger.execute(AttemptAgencyDeletion(account=ACCOUNT, agency="asm_admin_trust"))
    [attempt] = refused.value.entries
    assert attempt.event.impact_regions_total == 1_500
    assert 100 < len(attempt.event.impact_regions) < 1_500
    ledger.execute(
        AttemptAgencyDeletion(account=ACCOUNT, agency="asm_admin_trust", override=True),
        reason="clean-up",
    )
    assert not ledger.account("huaweicloud", ACCOUNT).open_permissions("asm_admin_trust")


def test_consent_is_asked_and_given_in_one_region_at_a_time() -> None:
    with pytest.raises(ValueError, match="region"):
        RequestConsoleLogin(**HERE | {"region": "*"})
