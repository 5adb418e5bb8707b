"""Events about the log's keys: another key signs, the old one is retired.

During the overlap both keys sign every checkpoint, so that a verifier who knows either can verify.
One who knows only the old key finds the new one in an entry that the old key signed.
"""

from __future__ import annotations

from typing import ClassVar

from ledger.account.meaning import Meaning, Meanings
from ledger.messages import DomainEvent, StreamKind
from ledger.values import Line


class KeyRotated(DomainEvent):
    """From now on another key signs the log's checkpoints, together with the one before."""

    TOPIC = "KeyRotated.v1"
    STREAM: ClassVar[StreamKind] = "log"

    log: Line
    verifier_key: Line


class KeyRetired(DomainEvent):
    """The old key signs no more checkpoints; what it signs from now on is not the log's."""

    TOPIC = "KeyRetired.v1"
    STREAM: ClassVar[StreamKind] = "log"

    log: Line
    verifier_key: Line


EVENTS: Meanings = {
    KeyRotated: Meaning(
        lambda event, who: f"{who} gave the log {event.log} another key, {event.verifier_key}",
        "two keys sign the checkpoints until the older is retired",
    ),
    KeyRetired: Meaning(
        lambda event, who: f"{who} retired the key {event.verifier_key} of the log {event.log}",
        "one key signs the checkpoints",
    ),
}
