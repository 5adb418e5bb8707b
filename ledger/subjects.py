"""Names behind surrogate ids: registered with a commitment, and erasable.

An entry holds `p-…` (a person), `a-…` (an address) or `f-…` (the file of its trace).
`SubjectRegistered` commits to the name: SHA-256(salt ‖ kind ‖ 0x00 ‖ name). Name and salt sit in a
table that can forget; without the salt the commitment says nothing, with it anybody can check that
the name was not changed.

Every entry also holds `r-…`, its runner: `USER@HOST`. The digits of this id are the beginning of
the commitment itself. So each entry commits to the runner's name, and no event registers it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic_core import from_json

from ledger.account.meaning import Meaning, Meanings
from ledger.messages import DomainEvent, StreamKind
from ledger.values import SubjectId

RegisteredKind = Literal["person", "address", "file"]
"""The kinds of names that an event registers."""
SubjectKind = RegisteredKind | Literal["runner"]
_PREFIX: dict[RegisteredKind, str] = {"person": "p", "address": "a", "file": "f"}
RUNNER: Final[SubjectKind] = "runner"
_RUNNER_DIGITS: Final = 40
"""160 bits: nobody finds two names with one id."""


class SubjectRegistered(DomainEvent):
    """From now on a surrogate id stands for a name; the commitment binds the two."""

    TOPIC = "SubjectRegistered.v1"
    STREAM: ClassVar[StreamKind] = "subject"

    subject: SubjectId
    kind: RegisteredKind
    commitment: str


class SubjectErased(DomainEvent):
    """Name and salt were deleted: the surrogate id can no longer be traced to a person."""

    TOPIC = "SubjectErased.v1"
    STREAM: ClassVar[StreamKind] = "subject"

    subject: SubjectId


def new_subject(kind: RegisteredKind) -> SubjectId:
    """A random surrogate id, which holds nothing of the name."""
    return f"{_PREFIX[kind]}-{secrets.token_hex(10)}"


def new_salt() -> str:
    return secrets.token_hex(32)


def commitment(salt: str, kind: SubjectKind, name: str) -> str:
    """SHA-256(salt ‖ kind ‖ 0x00 ‖ name), hex."""
    return hashlib.sha256(bytes.fromhex(salt) + f"{kind}\0{name}".encode()).hexdigest()


def runner_id(salt: str, name: str) -> SubjectId:
    """The surrogate id of a runner: the beginning of the commitment to its name."""
    return f"r-{commitment(salt, RUNNER, name)[:_RUNNER_DIGITS]}"


def is_as_registered(subject: Any, kind: Any, name: Any, salt: Any, entry: bytes | None) -> bool:
    """Whether a stored name is the one that the entry committed to; or its id, for a runner."""
    try:
        if kind == RUNNER:
            return bool(runner_id(salt, name) == subject)
        fields = from_json(entry or b"")
        committed = fields.get("commitment") if isinstance(fields, dict) else None
        return commitment(salt, kind, name) == committed
    except (ValueError, TypeError):
        return False


def _whose(event: SubjectRegistered, names: Mapping[str, str]) -> str:
    unnamed = {"person": "a person", "address": "an address", "file": "a file"}[event.kind]
    return names.get(event.subject, f"{unnamed} whose name is not kept here")


EVENTS: Meanings = {
    SubjectRegistered: Meaning(
        lambda event, who: f"{who} is registered as {event.subject}",
        "the name is kept outside of the history, where it can be erased",
        who=_whose,
    ),
    SubjectErased: Meaning(
        lambda event, who: f"{who} erased the name behind {event.subject}",
        "the name is erased; the history stays",
    ),
}
