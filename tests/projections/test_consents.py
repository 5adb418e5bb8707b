"""The view `authorizations` where consent is inferred: who agreed, to what, when, from where."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from ledger.account.agency import AgencyCreated, AgencyDeleted
from ledger.account.authorization import (
    AuthorizationDeclined,
    AuthorizationGranted,
    AuthorizationRequested,
    AuthorizationRevoked,
    GrantAuthorization,
)
from ledger.account.delegation import DelegationAccepted, DelegationRejected, DelegationRequested
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyCreated
from ledger.as_of import AsOf
from ledger.catalogue import load_catalogue
from ledger.messages import DomainEvent, Observation, Provenance
from projections.audit.diff import diff
from projections.audit.why import why
from projections.views import Views
from tests.ledger.worlds import Place
from tests.projections.worlds import ACCOUNTS, BEGINNING, Do, World

HERE, THERE, ACCOUNT = "cn-north-4", "ap-southeast-3", ACCOUNTS[0]
AGENCY, POLICY = "asm_admin_trust", "asm admin trust policy"
TWO = ("CCE Administrator", "Tenant Guest")
Row = dict[str, Any]


class Imported:
    """A ledger of imported facts, and its views."""

    def __init__(self, place: Place, views: Views | None = None) -> None:
        self.world = World(place)
        self.views = views

    def saw(
        self,
        *events: DomainEvent,
        minute: int,
        by: str | None = "alice",
        address: str | None = None,
        provider: str = "huaweicloud",
    ) -> int:
        """Import a trace; return the position of its last fact."""
        self.world.traces += 1
        one = Observation(
            provider=provider,
            account=ACCOUNT,
            events=events,
            effective_at=BEGINNING + timedelta(minutes=minute),
            source=Provenance(trace_id=f"trace-{self.world.traces}"),
            actor=by,
            address=address,
        )
        self.world.ledger.observe([one])
        return self.world.ledger.last_position()

    def consents(self, when: AsOf | None = None, **where: str) -> list[Row]:
        assert self.views is not None
        self.views.catch_up()
        return self.views.read("authorizations", as_of=when, where=where).dicts()

    def name(self, subject: str) -> str | None:
        assert self.views is not None
        return self.views.subject_names([subject]).get(subject)


@pytest.fixture
def seen(place: Place) -> Iterator[Imported]:
    imported = Imported(place)
    with Views.open(imported.world.place, load_catalogue()) as views:
        imported.views = views
        yield imported
    imported.world.ledger.close()


def under(policy: str, region: str = HERE) -> PermissionGranted:
    return PermissionGranted(agency=AGENCY, region=region, policy=policy)


def lost(policy: str, region: str = HERE) -> PermissionRevoked:
    return PermissionRevoked(agency=AGENCY, region=region, policy=policy)


def created() -> AgencyCreated:
    return AgencyCreated(agency=AGENCY, agency_id="a-1", trustee="service:asm")


def at(minute: int) -> str:
    return (BEGINNING + timedelta(minutes=minute)).isoformat().replace("+00:00", ".000000Z")


def test_it_says_who_agreed_when_from_where_and_what_that_rests_on(seen: Imported) -> None:
    agency = seen.saw(created(), minute=1)
    policy = seen.saw(PolicyCreated(policy=POLICY), minute=2)
    assert seen.consents() == []
    grant = seen.saw(under(POLICY), minute=3, by="bob", address="203.0.113.9")
    [row] = seen.consents()
    assert (row["region"], row["service"], row["status"]) == (HERE, "asm", "granted")
    assert (row["origin"], row["since"], row["position"]) == ("inferred", at(3), grant)
    assert (seen.name(row["actor"]), seen.name(row["address"])) == ("bob", "203.0.113.9")
    assert row["rests_on"] == f"{agency},{policy},{grant}"


def test_a_second_region_is_a_consent_of_its_own(seen: Imported) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    seen.saw(under(POLICY, THERE), minute=5, by="bob")
    rows = [(row["region"], row["since"], seen.name(row["actor"])) for row in seen.consents()]
    assert rows == [(THERE, at(5), "bob"), (HERE, at(1), "alice")]


@pytest.mark.parametrize("order", [TWO, TWO[::-1]])
def test_the_last_policy_of_a_baseline_completes_it(seen: Imported, order: tuple[str, str]) -> None:
    first = seen.saw(created(), under(order[0]), minute=1)
    assert seen.consents() == []
    last = seen.saw(under(order[1]), minute=7, by="bob")
    [row] = seen.consents()
    assert (row["status"], row["since"], seen.name(row["actor"])) == ("granted", at(7), "bob")
    assert row["rests_on"].endswith(f"{first},{last}")


def test_it_ends_with_the_first_policy_that_is_revoked(seen: Imported) -> None:
    granted = seen.saw(created(), *map(under, TWO), minute=1)
    ended = seen.saw(lost(TWO[0]), minute=8, by="bob")
    seen.saw(lost(TWO[1]), minute=9, by="carol")
    [row] = seen.consents()
    assert (row["status"], row["origin"], row["since"]) == ("revoked", "inferred", at(8))
    assert seen.name(row["actor"]) == "bob"
    assert row["rests_on"] == f"{granted - 1},{granted},{ended}"


def test_policies_that_never_held_together_were_no_consent(seen: Imported) -> None:
    seen.saw(created(), under(TWO[0]), minute=1)
    seen.saw(lost(TWO[0]), minute=2)
    seen.saw(under(TWO[1]), minute=3)
    seen.saw(lost(TWO[1]), minute=4)
    assert seen.consents() == []


def test_it_ends_with_its_agency(seen: Imported) -> None:
    seen.saw(created(), under(POLICY), under(POLICY, THERE), minute=1)
    ended = seen.saw(AgencyDeleted(agency=AGENCY, agency_id="a-1"), minute=9, by="bob")
    rows = [(row["region"], row["status"], row["since"]) for row in seen.consents()]
    assert rows == [(THERE, "revoked", at(9)), (HERE, "revoked", at(9))]
    assert {row["position"] for row in seen.consents()} == {ended}


def test_an_older_baseline_holds_on_where_the_newer_one_ends(seen: Imported) -> None:
    seen.saw(created(), under("Tenant Administrator"), minute=1)
    seen.saw(under(POLICY), minute=5)
    seen.saw(lost(POLICY), minute=6)
    [row] = seen.consents()
    assert (row["status"], row["since"]) == ("granted", at(1))
    seen.saw(lost("Tenant Administrator"), minute=7)
    [row] = seen.consents()
    assert (row["status"], row["since"]) == ("revoked", at(7))


def test_it_is_answered_as_of_a_time_and_as_it_was_known(seen: Imported) -> None:
    first = seen.saw(created(), under(POLICY), minute=10)
    last = seen.saw(lost(POLICY), minute=20)
    by_position = [[row["status"] for row in seen.consents(AsOf(p))] for p in (first, last)]
    assert by_position == [["granted"], ["revoked"]]
    minutes = (9, 10, 19, 20)
    times = [AsOf(last, BEGINNING + timedelta(minutes=minute)) for minute in minutes]
    by_time = [[row["status"] for row in seen.consents(when)] for when in times]
    assert by_time == [[], ["granted"], ["granted"], ["revoked"]]
    known = AsOf(first, BEGINNING + timedelta(minutes=30))
    assert [row["status"] for row in seen.consents(known)] == ["granted"]


def test_an_older_trace_that_arrives_late_is_its_beginning(seen: Imported) -> None:
    seen.saw(under(POLICY), minute=10)
    seen.saw(under(POLICY), minute=5)
    [row] = seen.consents()
    assert row["since"] == at(5)


def test_a_recorded_answer_counts_before_an_older_inferred_one(seen: Imported) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    seen.saw(AuthorizationRevoked(service="asm", region=HERE), minute=5)
    [row] = seen.consents()
    assert (row["status"], row["origin"], row["since"]) == ("revoked", "observed", at(5))
    seen.saw(lost(POLICY), minute=6)
    seen.saw(under(POLICY), minute=7)
    [row] = seen.consents()
    assert (row["status"], row["origin"], row["since"]) == ("granted", "inferred", at(7))


def test_a_recorded_consent_is_not_inferred(world: World) -> None:
    with Views.open(world.place, load_catalogue()) as views:
        views.catch_up()
        rows = views.read("authorizations").dicts()
        recorded = views.read("recorded_authorizations").dicts()
        assert {row["origin"] for row in rows} == {"commanded"}
        assert [{column: row[column] for column in recorded[0]} for row in rows] == recorded


def test_an_agreement_in_the_console_of_cce_is_consent_to_cce(seen: Imported) -> None:
    def agreed(agency: str, region: str | None = HERE) -> PermissionsChanged:
        detail = "createUserAgencies: agreed to in the console of CCE"
        return PermissionsChanged(agency=agency, region=region, detail=detail)

    last = seen.saw(agreed("CCENodeAgency"), agreed("CCECSIAgency"), minute=3, address="192.0.2.7")
    [row] = seen.consents()
    assert (row["region"], row["service"], row["status"]) == (HERE, "cce", "granted")
    assert (row["since"], seen.name(row["address"])) == (at(3), "192.0.2.7")
    assert row["rests_on"] == f"{last - 1},{last}"
    seen.saw(AgencyDeleted(agency="CCENodeAgency"), minute=5)
    assert [row["status"] for row in seen.consents()] == ["granted"]
    ended = seen.saw(AgencyDeleted(agency="CCECSIAgency"), minute=6, by="bob")
    [row] = seen.consents()
    assert (row["status"], row["since"], row["position"]) == ("revoked", at(6), ended)
    assert seen.name(row["actor"]) == "bob"
    seen.saw(agreed("CCELogReportAgency", None), minute=9)
    assert [(row["region"], row["status"]) for row in seen.consents()] == [
        ("", "granted"),
        (HERE, "not known"),  # It may be the region that no trace told.
    ]


def test_a_delegation_request_that_was_accepted_is_consent(seen: Imported) -> None:
    def saw(event: DomainEvent, minute: int, **more: Any) -> int:
        return seen.saw(event, minute=minute, provider="aws", **more)

    asked = saw(DelegationRequested(request_id="r-1", requester="222222222222"), 1, by="partner")
    saw(DelegationRequested(request_id="r-2", requester="333333333333"), 1, by="another")
    saw(DelegationRejected(request_id="r-2"), 2)
    assert seen.consents() == []
    accepted = saw(DelegationAccepted(request_id="r-1"), 4, by="bob", address="198.51.100.3")
    [row] = seen.consents()
    assert (row["region"], row["service"], row["status"]) == (
        "*",
        "account:222222222222",
        "granted",
    )
    assert (seen.name(row["actor"]), seen.name(row["address"])) == ("bob", "198.51.100.3")
    assert (row["since"], row["rests_on"]) == (at(4), f"{asked},{accepted}")
    saw(DelegationAccepted(request_id="r-9"), 5)
    assert {row["service"] for row in seen.consents()} == {"", "account:222222222222"}


def test_why_explains_an_inferred_consent_by_its_facts(seen: Imported) -> None:
    seen.saw(created(), minute=1)
    seen.saw(PolicyCreated(policy=POLICY), minute=2)
    seen.saw(under(POLICY), minute=3)
    seen.saw(under("other", THERE), minute=4)
    assert seen.views is not None
    seen.consents()
    links = why(seen.views, service="asm", region=HERE).links
    assert [link.event for link in links] == ["AgencyCreated", "PolicyCreated", "PermissionGranted"]
    assert why(seen.views, service="asm", region=THERE).links == ()


def test_diff_shows_a_consent_that_is_inferred(seen: Imported) -> None:
    first = seen.saw(created(), minute=1)
    seen.saw(under(POLICY), minute=3)
    seen.consents()
    assert seen.views is not None
    [found] = diff(seen.views, AsOf(first), names=["authorizations"])
    assert (found.change, found.after) == ("new", {"status": "granted"})


def test_a_command_after_an_inferred_consent_changes_nothing(seen: Imported) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    before = seen.world.ledger.last_position()
    seen.world.take(Do(GrantAuthorization(account=ACCOUNT, service="asm", region=HERE)))
    assert seen.world.ledger.last_position() == before


def test_a_deletion_that_a_trace_shows_was_carried_out(seen: Imported) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    for minute in (2, 3):  # Two copies of one deletion.
        seen.saw(AgencyDeleted(agency=AGENCY, agency_id="a-1"), minute=minute, by="bob")
    seen.consents()
    assert seen.views is not None
    [row] = seen.views.read("attempts").dicts()
    assert (row["agency"], row["refused"], row["carried_out"]) == (AGENCY, 0, 1)


def asked() -> AuthorizationRequested:
    return AuthorizationRequested(service="asm", region=HERE, services=(), agencies=())


@pytest.mark.parametrize(
    ("dialog", "status"),
    [(asked(), "requested"), (AuthorizationDeclined(service="asm", region=HERE), "declined")],
)
def test_a_dialog_does_not_hide_an_older_inferred_consent(
    seen: Imported, dialog: DomainEvent, status: str
) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    seen.saw(dialog, minute=5)
    [row] = seen.consents()
    assert (row["status"], row["origin"], row["since"]) == ("granted", "inferred", at(1))
    assert (row["recorded"], row["inferred"]) == (status, "granted")
    seen.saw(lost(POLICY), minute=9)
    [row] = seen.consents()
    assert (row["status"], row["recorded"], row["inferred"]) == ("revoked", status, "revoked")


def test_a_dialog_after_a_revocation_does_not_bring_the_revoked_consent_back(
    seen: Imported,
) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    seen.saw(AuthorizationRevoked(service="asm", region=HERE), minute=5)
    seen.saw(asked(), minute=6)
    [row] = seen.consents()
    assert (row["status"], row["origin"], row["since"]) == ("requested", "observed", at(6))
    assert (row["recorded"], row["inferred"]) == ("requested", "granted")
    seen.saw(lost(POLICY), minute=7)
    seen.saw(under(POLICY), minute=8)
    [row] = seen.consents()
    assert (row["status"], row["since"], row["recorded"]) == ("granted", at(8), "requested")


def test_a_recorded_consent_counts_before_an_inferred_one(seen: Imported) -> None:
    seen.saw(created(), minute=1)
    seen.saw(AuthorizationGranted(service="asm", region=HERE, services=(), agencies=()), minute=3)
    seen.saw(under(POLICY), minute=5)
    [row] = seen.consents()
    assert (row["status"], row["origin"], row["since"]) == ("granted", "observed", at(3))
    assert (row["recorded"], row["inferred"]) == ("granted", "granted")


@pytest.mark.parametrize(
    ("trustee", "status"),
    [
        ("account:elsewhere", "broken"),
        ("service:cce", "broken"),
        ("account:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d", "unknown"),
        ("service:asm", "works"),
    ],
)
def test_a_feature_does_not_work_through_an_agency_that_trusts_another_party(
    seen: Imported, trustee: str, status: str
) -> None:
    seen.saw(AgencyCreated(agency=AGENCY, trustee=trustee), under(POLICY), minute=1)
    consents = {row["status"] for row in seen.consents()}
    assert consents == {"broken": set(), "unknown": {"not known"}, "works": {"granted"}}[status]
    assert seen.views is not None
    rows = seen.views.read("capabilities").dicts()
    note = "" if status == "works" else f"trusts {trustee}"
    assert {(row["status"], row["note"]) for row in rows} == {(status, note)}


def test_a_consent_for_all_regions_counts_beside_a_dialog_in_one(seen: Imported) -> None:
    seen.saw(created(), under(POLICY, "*"), minute=1)
    seen.saw(asked(), minute=5)
    rows = [(row["region"], row["status"], row["recorded"]) for row in seen.consents()]
    assert rows == [("*", "granted", ""), (HERE, "granted", "requested")]


def test_an_agreement_in_an_unknown_region_leaves_open_what_a_dialog_elsewhere_means(
    seen: Imported,
) -> None:
    detail = "createUserAgencies: agreed to in the console of CCE"
    agreed = seen.saw(
        PermissionsChanged(agency="CCENodeAgency", region=None, detail=detail), minute=1
    )
    dialog = asked().model_copy(update={"service": "cce"})
    seen.saw(dialog, minute=5)
    row = next(row for row in seen.consents() if row["region"] == HERE)
    assert (row["status"], row["recorded"], row["inferred"]) == (
        *("not known", "requested"),
        "not known",
    )
    assert (row["rests_on"], row["since"]) == (str(agreed), None)
