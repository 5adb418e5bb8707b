"""One difference between two instants, and what passed between them; both in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from projections.audit.statements import NOT_TOLD
from projections.definitions.audit_trail import AUDIT_TRAIL

OF_DOCUMENTS: Final = frozenset({"document", "document_version", "document_since", "note"})
"""The note counts only if it says why it is not known which document is in force."""
IDS: Final = frozenset({"agency_id", "policy_id"})
"""Parts of a key that may become known later than the name beside them."""
NAMES: Final = frozenset(column.removesuffix("_id") for column in IDS)
_ENDED: Final = frozenset({"ended", "deleted", "revoked", "removed", "expired"})
"""The statuses of what has ended, and with it what its document said."""


Change: TypeAlias = Literal[
    "new", "gone", "renamed", "changed", "equal", "not modelled", "not told", "not recorded"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """A state that began between the two instants, or an event between them."""

    at: str
    """When it began, or happened; RFC 3339."""
    what: str
    """The state in words, or the call."""
    position: int | None
    """The position of the event behind it; None if no single event is."""
    actor: str | None
    """The surrogate id of that event's actor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One row of a view that differs between two instants, or that changed between them and is
    equal again; or calls between them of which it is not known what they changed; or times between
    them in which the cloud's own recording was off.

    `key` says which row it is; `before` and `after` are its values then, None where it did not
    exist. If what it is about was renamed, they have the names too. The rest is of the row after;
    of a row that is gone, of the row before.
    """

    view: str
    key: Mapping[str, str]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    since: str | None
    """The effective time of the latest event behind the row, RFC 3339."""
    position: int | None
    """The position of that event; None in a view that is derived from others."""
    actor: str | None = None
    """The surrogate id of that event's actor."""
    reason: str | None = None
    added: tuple[str, ...] = ()
    """The statements that the document has now and had not before, each as one line of JSON."""
    removed: tuple[str, ...] = ()
    """Those that it had before and has not now; if the row has ended, those that it had until then.
    """
    says: tuple[str, ...] = ()
    """Those that it has now, if it is not known which ones it had before."""
    not_known: str | None = None
    """The words for what is not known of the statements, if the document is another one."""
    between: tuple[Passing, ...] = ()
    """Of an equal row, its states between the two instants from the first other one on; of calls
    that are not modelled, each of them.
    """

    @property
    def document_changed(self) -> bool:
        """Whether the row has another document than before, its first one, or none any more."""
        documents = document_of(self.before), document_of(self.after)
        if None in documents or self.before is None or self.after is None:
            return any(documents)
        return any(self.before.get(name) != self.after.get(name) for name in OF_DOCUMENTS)

    @property
    def has_ended(self) -> bool:
        """Whether the row has a status after which its document says nothing any more."""
        return self.after is not None and self.after.get("status") in _ENDED

    @property
    def change(self) -> Change:
        if self.view == AUDIT_TRAIL.name:
            if "recorder" in self.key:
                return "not recorded"
            return "not modelled" if "call" in self.key else "not told"
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        if self.before == self.after:
            return "equal"
        return "changed" if NAMES.isdisjoint(self.before) else "renamed"

    @property
    def is_difference(self) -> bool:
        """Whether the row is another one at the two instants."""
        return self.change in ("new", "gone", "renamed", "changed")

    @property
    def what(self) -> str:
        """The values of the key in one line. A thing without a name is shown by its id."""
        return " ".join(text for column, text in self.key.items() if text and column not in IDS)


def document_of(values: Mapping[str, Any] | None) -> str | None:
    """The digest of the document in force; empty if no trace has it, None if there is none."""
    return None if values is None or values.get("status") in _ENDED else values.get("document", "")


def in_words(values: Mapping[str, Any] | None) -> str:
    """How a row stands: `granted`, or `2 credentials issued, 0 credentials refused, …`."""
    if values is None:
        return ""
    if "status" in values:
        stands = (str(v) for name, v in values.items() if v and name not in OF_DOCUMENTS)
        return ", ".join(filter(None, (" ".join(stands), _document_in_words(values))))
    return ", ".join(f"{value} {column.replace('_', ' ')}" for column, value in values.items())


def _document_in_words(values: Mapping[str, Any]) -> str:
    """`document 5b09f2ef91c3 v2`, or nothing where no trace told one, or a change of one."""
    version = values.get("document_version")
    if values.get("document"):
        return " ".join(filter(None, ("document", values["document"][:12], version)))
    if not values.get("document_since"):
        return ""
    return f"{' '.join(filter(None, ('document', version)))}: {values.get('note') or NOT_TOLD}"
