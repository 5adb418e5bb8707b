"""The facts that the fold takes: each is one successful call of a cloud, in neutral words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple

from ledger.messages import Origin

Kind = Literal["agency", "policy", "project"]
Call = Literal[
    "created",
    "deleted",
    "deletion asked for",
    "deletion failed",
    "renamed",
    "granted",
    "revoked",
    "trust set",
    "expiry set",
    "content set",
    "boundary set",
    "boundary removed",
    "evidence",
    "read again",
    # The fold itself makes the following out of facts of other things.
    "left",
    "entered",
    "ended",
    "doubted",
    "perhaps granted",
    "perhaps revoked",
    "unplaced",
    "unseen",
]

CHANGES: Final = frozenset[Call]({"granted", "revoked"})
"""The calls that change a permission."""

FOREVER: Final = datetime.max.replace(tzinfo=UTC)
"""The expiry of a thing that does not expire. None says that no trace told an expiry."""


NOT_TOLD: Final = ""
"""The document of a call that changed one, if no trace told it."""


class LineKey(NamedTuple):
    """A permission of one agency. Policy and project are `#ID` if their id is known, else names.

    A thing without an id that is not the only one of its name is `name~begin`.
    """

    region: str
    service: str | None
    policy: str | None


class Fact(NamedTuple):
    """A successful call: what it did to which thing, when, who called, where it was recorded.

        call "granted"   kind "agency"   id "AROA1"   name None   region "*"   policy "Admin"
        at 12:00:10      position 7      actor "p-1"  trace "e7"

    `id` and `name` are the handles by which the call named the thing; at least one is told. A
    renamed thing's `name` is its new name. "read again" is what a later reading of a trace adds
    to the facts of that trace, see `completed`. Facts of one trace, and all commanded facts,
    happened in the order of their positions.
    """

    call: Call
    kind: Kind
    at: datetime
    position: int
    id: str | None = None
    name: str | None = None
    region: str | None = None
    project_id: str | None = None
    service: str | None = None
    policy: str | None = None
    policy_id: str | None = None
    trustee: str | None = None
    trustee_id: str | None = None
    trustee_name: str | None = None
    """The trusted account's id and name, if the call told both."""
    expires_at: datetime | None = None
    task: str | None = None
    """The task that carries out a deletion: of a request, of its end, of its failure."""
    document: str | None = None
    """The digest of the document that the call set; None if it is not about a document."""
    version: str | None = None
    """The document's version; a version keeps its text."""
    in_force: bool | None = None
    """Whether that version is in force from now on; None if no trace told it."""
    actor: str | None = None
    origin: Origin = "observed"
    trace: str | None = None
    consequence_of: str | None = None
    key: LineKey | None = None
    """Set by the fold, for a grant or a revocation, once the policy and the project are known."""
    others: tuple[LineKey, ...] = ()
    """Further permissions that it may mean instead: within that second, its policy was replaced."""
