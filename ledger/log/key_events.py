"""A log's key gives way to another: what the log says of it, signed by the key that goes.

During the overlap both keys sign every checkpoint, so that whoever knows either can verify; who
knows the old one finds the new one in an entry that the old one signed.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.messages import DomainEvent, StreamKind
from ledger.values import Line


class KeyRotated(DomainEvent):
    """Another key signs the log's checkpoints from now on, beside the one before."""

    TOPIC = "KeyRotated.v1"
    STREAM: ClassVar[StreamKind] = "log"

    log: Line
    verifier_key: Line


class KeyRetired(DomainEvent):
    """The key before the last rotation signs no more; what it signs later is not the log's."""

    TOPIC = "KeyRetired.v1"
    STREAM: ClassVar[StreamKind] = "log"

    log: Line
    verifier_key: Line
