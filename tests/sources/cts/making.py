"""Makes CTS traces in a test, and reads their facts."""

from __future__ import annotations

from typing import Any

from ledger.account.unmodelled import NotModelled
from ledger.documents import Document, document_of
from ledger.messages import DomainEvent, Observation
from tests.sources.reading import translated

DOMAIN = "0f3c2b1a9d8e4f7a8b6c5d4e3f2a1b0c"
AGENCY_ID = "7b5e1c3a2f4d4e6f8a9b0c1d2e3f4a5b"
POLICY_ID = "2a8e6c4f1b3d4e5f8a9b0c1d2e3f4a5c"
PROJECT_ID = "05a1b2c3d4e5f60718293a4b5c6d7e8f"
AGENCY = {"resource_type": "agency", "resource_name": "mesh", "resource_id": "a1"}
BY_ID = {"resource_url": "/v3.0/OS-AGENCY/agencies/a1"}
POLICY = {"resource_type": "Policy", "resource_name": "mesh wide", "resource_id": "p1"}
PROJECT = {"resource_type": "project", "resource_name": "eu-de_a", "resource_id": "j1"}
ON_PROJECT = {
    "resource_type": "roleAgencyProject",
    "resource_url": f"/v3.0/OS-AGENCY/projects/{PROJECT_ID}/agencies/{AGENCY_ID}/roles/{POLICY_ID}",
}
"""A grant as the API has it: no body, and the ids in the path only."""
DELETIONS = ["deleteAgency", "deleteAgencyV5"]
REFUSED = {"trace_rating": "warning", "code": "403"}


def trace(name: str, **fields: Any) -> dict[str, Any]:
    return {
        "time": 1770100000000,
        "service_type": "IAM",
        "trace_name": name,
        "trace_rating": "normal",
        "trace_id": "t-1",
        "user": {"name": "lin", "domain": {"id": DOMAIN, "name": "acme"}},
    } | fields


def observed(name: str, **fields: Any) -> Observation:
    found = translated("cts", trace(name, **fields))
    assert isinstance(found, Observation), found
    return found


def facts(name: str, **fields: Any) -> list[DomainEvent]:
    return list(observed(name, **fields).events)


def fact(name: str, **fields: Any) -> Any:
    """The only fact of a trace."""
    (event,) = facts(name, **fields)
    return event


def counted(name: str, **fields: Any) -> str:
    """The name under which a trace without a fact is counted."""
    found = translated("cts", trace(name, **fields))
    assert isinstance(found, str), found
    return found


def kept(name: str, **fields: Any) -> str:
    """The call of a trace that no translator understands, and which is kept as it is."""
    found = fact(name, **fields)
    assert isinstance(found, NotModelled), found
    refused = fields.get("trace_rating") == "warning"
    assert (found.outcome, bool(found.why)) == ("refused" if refused else "carried-out", refused)
    return found.call


def kept_document(value: object) -> Document:
    document = document_of(value)
    assert document is not None
    return document


def under(key: str, value: object) -> dict[str, Any]:
    """A body that has a value under a key: `role.id` is the key `id` within the object `role`."""
    for part in reversed(key.split(".")):
        value = {part: value}
    assert isinstance(value, dict)
    return value
