"""Two instants compared: a consent that ended and began again in between."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ledger.account.authorization import AuthorizationGranted, AuthorizationRevoked
from ledger.as_of import AsOf
from projections.audit.diff import diff
from tests.projections.test_consents import (
    AGENCY,
    HERE,
    POLICY,
    Imported,
    at,
    created,
    lost,
    seen,
    under,
)
from tests.projections.worlds import BEGINNING

__all__ = ["seen"]


def moment(seen: Imported, minute: int) -> AsOf:
    return AsOf(seen.world.ledger.last_position(), BEGINNING + timedelta(minutes=minute))


def in_between(seen: Imported, before: AsOf | None, after: AsOf | None) -> list[Any]:
    """The change of the one consent that a comparison names, and its states with their people."""
    assert seen.views is not None
    seen.views.catch_up()
    (each,) = diff(seen.views, before, after, names=["authorizations"])
    return [
        each.change,
        *((one.at, one.what, seen.name(one.actor or "")) for one in each.between),
    ]


AGAIN = ["equal", (at(20), "revoked", "eve"), (at(30), "granted", "bob")]


def test_a_consent_that_was_revoked_and_granted_again_is_named_in_a_comparison(
    seen: Imported,
) -> None:
    seen.saw(created(), under(POLICY), minute=1)
    seen.saw(lost(POLICY), minute=20, by="eve")
    seen.saw(under(POLICY), minute=30, by="bob")
    assert in_between(seen, moment(seen, 5), None) == AGAIN
    assert in_between(seen, None, moment(seen, 5)) == AGAIN
    assert in_between(seen, moment(seen, 5), moment(seen, 40)) == AGAIN
    assert seen.views is not None
    for before, after in ((5, 10), (30, 40)):
        instants = moment(seen, before), moment(seen, after)
        assert diff(seen.views, *instants, names=["authorizations"]) == []


def test_a_recorded_consent_that_was_revoked_and_granted_again_is_named_in_a_comparison(
    seen: Imported,
) -> None:
    granted = AuthorizationGranted(service="asm", region=HERE, services=(), agencies=(AGENCY,))
    seen.saw(granted, minute=1)
    seen.saw(AuthorizationRevoked(service="asm", region=HERE), minute=20, by="eve")
    seen.saw(granted, minute=30, by="bob")
    assert in_between(seen, moment(seen, 5), None) == AGAIN


def test_a_consent_whose_beginning_was_not_seen_is_the_oldest(seen: Imported) -> None:
    seen.saw(lost(POLICY), minute=20, by="eve")
    seen.saw(under(POLICY), minute=30, by="bob")
    seen.saw(lost(POLICY), minute=35, by="eve")
    seen.saw(under(POLICY), minute=40, by="bob")
    [change, *states] = in_between(seen, moment(seen, 32), None)
    assert (change, states) == ("equal", [(at(35), "revoked", "eve"), (at(40), "granted", "bob")])
