"""Why an answer is what it is: changes, their causes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AttemptAgencyDeletion
from ledger.account.authorization import AuthorizationRequested, GrantAuthorization
from ledger.account.console import RequestConsoleLogin
from ledger.errors import InvalidInput
from projections.audit.why import Link, Why, why
from projections.views import Views
from tests.projections.conftest import ACCOUNT
from tests.projections.worlds import Do, See, World

BEIJING = "cn-north-4"
SINGAPORE = "ap-southeast-3"
AGENCY = "asm_admin_trust"


def shape(answer: Why) -> list[tuple[str, str, str | None]]:
    """Each link's event and role, and the event that caused it."""
    by_position = {link.position: link.event for link in answer.links}
    return [
        (
            link.event,
            link.role,
            by_position[link.because_of] if link.because_of is not None else None,
        )
        for link in answer.links
    ]


def only(answer: Why, event: str) -> list[Link]:
    return [link for link in answer.links if link.event == event]


def test_a_permission_is_explained_by_the_consent_and_that_by_its_request(views: Views) -> None:
    assert shape(why(views, region=SINGAPORE, uses="elb")) == [
        ("AuthorizationRequested", "cause", None),
        ("AuthorizationGranted", "cause", "AuthorizationRequested"),
        ("PermissionGranted", "change", "AuthorizationGranted"),
        ("AuthorizationRevoked", "cause", None),
        ("PermissionRevoked", "change", "AuthorizationRevoked"),
    ]


def test_a_request_is_explained_by_its_login(views: Views) -> None:
    requests = [
        each for each in shape(why(views, region=SINGAPORE, service="asm")) if "Req" in each[0]
    ]
    assert requests[:2] == [
        ("ConsoleLoginRequested", "cause", None),
        ("AuthorizationRequested", "change", "ConsoleLoginRequested"),
    ]


def test_a_consent_answers_the_latest_request_before_it(views: Views) -> None:
    """The region's first request was declined."""
    answer = why(views, region=SINGAPORE, uses="elb")
    (granted,) = only(answer, "AuthorizationGranted")
    (request,) = only(answer, "AuthorizationRequested")
    assert granted.because_of == request.position
    requests = only(why(views, region=SINGAPORE, service="asm"), "AuthorizationRequested")
    assert [each.position for each in requests][-1] == request.position
    assert len(requests) == 2


def test_a_link_says_where_who_and_why(world: World) -> None:
    command = AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True)
    world.take(Do(command, actor="root", reason="moving away"))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        answer = why(views, agency=AGENCY, account=ACCOUNT)
        assert answer.position == views.last_position()
    (deleted,) = only(answer, "AgencyDeleted")
    (attempt,) = only(answer, "AgencyDeletionAttempted")
    assert attempt.role == "cause"
    assert deleted.because_of == attempt.position
    assert deleted.what == f"root deleted the agency {AGENCY}; reason: moving away"
    assert (deleted.account, deleted.agency, deleted.region) == (ACCOUNT, AGENCY, None)
    assert (deleted.actor_name, deleted.reason) == ("root", "moving away")
    assert deleted.actor is not None
    assert deleted.actor.startswith("p-")
    assert deleted.effective_at.startswith("2026-")
    assert deleted.recorded_at == deleted.effective_at
    ended = [each for each in only(answer, "PermissionRevoked") if each.because_of]
    assert {each.because_of for each in ended} >= {attempt.position}


def test_permissions_are_never_the_cause_of_others(views: Views) -> None:
    answer = why(views, agency=AGENCY)
    causes = {link.because_of for link in answer.links}
    assert not causes & {link.position for link in answer.links if "Permission" in link.event}
    assert {link.role for link in only(answer, "PermissionGranted")} == {"change"}


def test_uses_and_attempts_explain_nothing_by_themselves(views: Views) -> None:
    events = {link.event for link in why(views, agency=AGENCY, service="asm").links}
    assert events & {"FeatureUsed", "FeatureRefused", "TemporaryCredentialIssued"} == set()


@pytest.mark.parametrize(
    "asked", [{"region": "eu-west-0"}, {"agency": AGENCY, "account": "another"}]
)
def test_the_chain_is_empty_where_nothing_changed(views: Views, asked: dict[str, Any]) -> None:
    answer = why(views, **asked)
    assert answer.links == ()
    assert answer.position == views.last_position()


@pytest.mark.parametrize("asked", [{}, {"account": ACCOUNT, "provider": "huaweicloud"}])
def test_something_must_be_named(views: Views, asked: dict[str, str]) -> None:
    with pytest.raises(InvalidInput, match="Nothing to explain: name a region, an agency"):
        why(views, **asked)


def test_the_kinds_of_change_that_are_cut_are_named(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = why(views, agency=AGENCY, region=BEIJING)
    assert whole.cut == ()
    monkeypatch.setattr("projections.audit.why.CHANGES_MAX", 1)
    cut = why(views, agency=AGENCY, region=BEIJING)
    assert cut.cut == ("PermissionGranted",)
    assert only(cut, "PermissionGranted") == only(whole, "PermissionGranted")[:1]


def test_causes_are_found_behind_no_more_than_so_many_events(
    views: Views, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consent's four permissions: with one event before it, only the first sees beyond."""
    asked = {"region": SINGAPORE, "uses": "elb"}
    assert "AuthorizationGranted" in {each[0] for each in shape(why(views, **asked))}
    monkeypatch.setattr("projections.audit.why.BEFORE_MAX", 1)
    assert "AuthorizationGranted" not in {each[0] for each in shape(why(views, **asked))}


def test_accounts_are_kept_apart(world: World) -> None:
    here = {"account": "other", "service": "asm", "region": BEIJING}
    world.take(Do(RequestConsoleLogin(**here)))
    world.take(Do(GrantAuthorization(**here)))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        both = why(views, region=BEIJING, service="asm")
        granted = only(both, "AuthorizationGranted")
        by_position = {link.position: link for link in both.links}
        assert {each.account for each in granted} == {ACCOUNT, "other"}
        for each in granted:
            assert each.because_of is not None
            assert by_position[each.because_of].account == each.account
        one = why(views, region=BEIJING, service="asm", account="other")
        assert {link.account for link in one.links} == {"other"}


def test_facts_of_one_trace_belong_together(world: World) -> None:
    """An observed consent answers the observed request of its service and region."""
    world.take(
        See(
            AuthorizationRequested(
                service="cce", region="eu-west-0", services=("vpc",), agencies=("cce_admin",)
            ),
            minute=1,
        )
    )
    world.take(See(AgencyCreated(agency="cce_admin", trustee="service:cce"), minute=2))
    with Views.open(world.place, world.ledger.catalogue) as views:
        views.catch_up()
        (created,) = why(views, agency="cce_admin").links
        assert (created.because_of, created.role) == (None, "change")
        assert (
            created.what == "the agency cce_admin exists, trusted to service:cce (seen in a trace)"
        )
