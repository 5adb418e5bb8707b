"""Services that an organization trusts, in CTS's traces."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.account.organization import TrustedServiceDisabled, TrustedServiceEnabled
from tests.sources.cts.making import REFUSED, fact, kept

ORGANIZATIONS: dict[str, Any] = {"service_type": "Organizations"}
SERVICE = {"request": {"service_principal": "service.CTS"}}
BOTH = {"request": {"service_principal": "service.CTS", "account_id": "d2"}}
TRUST = [
    ("enableTrustedService", TrustedServiceEnabled),
    ("disableTrustedService", TrustedServiceDisabled),
]
ADMINISTRATORS = [
    ("registerDelegatedAdministrator", TrustedServiceEnabled),
    ("deregisterDelegatedAdministrator", TrustedServiceDisabled),
]


@pytest.mark.parametrize(("name", "event"), TRUST)
def test_a_service_that_acts_in_every_account_is_named_by_the_call_or_the_resource(
    name: str, event: Any
) -> None:
    named = {"resource_type": "trustedService", "resource_name": "service.CTS"}
    assert fact(name, **ORGANIZATIONS, **SERVICE) == event(service="service.CTS")
    assert fact(name, **ORGANIZATIONS, **named) == event(service="service.CTS")


@pytest.mark.parametrize(("name", "event"), ADMINISTRATORS)
def test_an_account_that_runs_a_service_for_the_organization_is_named(
    name: str, event: Any
) -> None:
    expected = event(service="service.CTS", delegated_account="d2")
    assert fact(name, **ORGANIZATIONS, **BOTH) == expected


@pytest.mark.parametrize("name", [name for name, _ in (*TRUST, *ADMINISTRATORS)])
def test_a_refused_call_and_one_that_names_nothing_are_kept_as_they_are(name: str) -> None:
    assert kept(name, **ORGANIZATIONS, **BOTH, **REFUSED) == f"Organizations:{name}"
    assert kept(name, **ORGANIZATIONS) == f"Organizations:{name}"
