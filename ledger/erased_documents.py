"""The erasure of a document's text. The events keep its digest, so the history stays valid.

An erasure is for ever: a later trace with the same document brings its digest, not its text.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.account.meaning import Meaning, Meanings
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Digest


class DocumentErased(DomainEvent):
    """The text of a document was deleted, and is not kept again: only its digest is known."""

    TOPIC = "DocumentErased.v1"
    STREAM: ClassVar[StreamKind] = "document"

    document: Digest


EVENTS: Meanings = {
    DocumentErased: Meaning(
        lambda event, who: f"{who} erased the text of the document {event.document}",
        "the text is erased; its digest and the history stay",
    ),
}
