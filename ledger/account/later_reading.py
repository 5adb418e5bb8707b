"""Documents and ids that a later reading of a known trace added: they were not kept before."""

from __future__ import annotations

from typing import Final, Literal

from ledger.account.decision import Decisions
from ledger.account.meaning import (
    ITS_DOCUMENT,
    ON_RECORD_ONLY,
    THE_AGENCY,
    THE_POLICY,
    THE_PROJECT,
    Meaning,
    Meanings,
    Says,
)
from ledger.account.wording import called, called_policy
from ledger.messages import DomainEvent
from ledger.values import AgencyName, Digest, Line, PolicyName, Region

DocumentKind = Literal["policy", "inline", "trust", "session"]


class PolicyDocumentRecorded(DomainEvent):
    """The document that a policy, a permission, a trust or a session has from this time on."""

    TOPIC = "PolicyDocumentRecorded.v1"

    kind: DocumentKind
    policy: PolicyName | None = None
    policy_id: Line | None = None
    agency: AgencyName | None = None
    agency_id: Line | None = None
    document: Digest
    document_bytes: int
    """The size of the document's canonical form."""
    document_version: Line | None = None
    """The document's version, as the cloud calls it, e.g. `v3`."""
    in_force: bool | None = None
    """Whether this version is the one in force from now on; None if no trace told it."""


class IdsRecorded(DomainEvent):
    """The ids that an agency, a policy or a project had at this time, which a fact lacks."""

    TOPIC = "IdsRecorded.v1"

    agency: AgencyName | None = None
    agency_id: Line | None = None
    policy: PolicyName | None = None
    policy_id: Line | None = None
    region: Region | None = None
    project_id: Line | None = None


def _sentence(event: PolicyDocumentRecorded, _: str) -> str:
    policy, agency = called_policy(event), called(event)
    of = {
        "policy": f"the policy {policy!r}",
        "inline": f"the policy {policy!r} of {agency}",
        "trust": f"the trust policy of {agency}",
        "session": f"the session of {agency}",
    }[event.kind]
    return f"{of} has the document {event.document}, as its trace was read again"


def _ids(event: IdsRecorded, _: str) -> str:
    named = (
        ("agency", event.agency, event.agency_id),
        ("policy", event.policy, event.policy_id),
        ("project", event.region, event.project_id),
    )
    ids = [
        f"the {what} {name!r} has the id {its_id}" if name else f"the {what} has the id {its_id}"
        for what, name, its_id in named
        if its_id
    ]
    return f"{', '.join(ids)}, as the trace was read again"


_ITS_POLICY: Final = {"policy": "policy", "policy_id": "policy_id"}
_ITS_PROJECT: Final = {"region": "region", "project_id": "project_id"}
DECIDE: Decisions = {}
EVENTS: Meanings = {
    PolicyDocumentRecorded: Meaning(
        _sentence,
        ON_RECORD_ONLY,
        role="change",
        says=(
            Says("read again", "policy", THE_POLICY | ITS_DOCUMENT, when={"kind": "policy"}),
            Says(
                "read again",
                "agency",
                THE_AGENCY | _ITS_POLICY | {"document": "document"},
                when={"kind": "inline"},
            ),
            Says(
                "read again",
                "agency",
                THE_AGENCY | {"document": "document"},
                when={"kind": "trust"},
            ),
        ),
    ),
    IdsRecorded: Meaning(
        _ids,
        ON_RECORD_ONLY,
        says=(
            Says("read again", "agency", THE_AGENCY | _ITS_POLICY | _ITS_PROJECT),
            Says("read again", "policy", THE_POLICY),
            Says("read again", "project", THE_PROJECT),
        ),
    ),
}
