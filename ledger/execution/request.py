"""A request to the ledger: a command, its actor, and the texts of the envelope, all checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ConfigDict, TypeAdapter, ValidationError

from ledger.errors import InvalidInput
from ledger.messages import TRACE_PREFIX, Command, Established
from ledger.subjects import RegisteredKind
from ledger.values import CommandId, Line

NAME_CHARACTERS_MAX: Final = 1_024
_INVISIBLE: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"  # Control, line ends, half characters.
    r"\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"  # Direction, zero width.
)
"""Characters that make one name look like another. The joiners U+200C and U+200D are allowed: they
are part of Persian names."""


@dataclass(frozen=True, slots=True)
class Actor:
    """The person who acts: claimed by a flag, or the user of the operating system.

    Raises InvalidInput if the name is empty, too long, or holds invisible characters.
    """

    name: str
    established: Established = "claimed"

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= NAME_CHARACTERS_MAX or _INVISIBLE.search(self.name):
            raise InvalidInput(
                f"{self.name!r} is not a valid actor: the name is empty, holds invisible "
                f"characters, or is longer than {NAME_CHARACTERS_MAX} characters."
            )


def names_of(actor: Actor | None) -> tuple[tuple[RegisteredKind, str], ...]:
    """The name of an actor, as a subject's: none, or one."""
    return () if actor is None else (("person", actor.name),)


_LATER: Final = ConfigDict(defer_build=True)
_TEXTS: Final[Mapping[str, tuple[TypeAdapter[str], int]]] = {
    "command_id": (TypeAdapter(CommandId, config=_LATER), 128),
    "correlation_id": (TypeAdapter(Line, config=_LATER), 1024),
    "reason": (TypeAdapter(Line, config=_LATER), 1024),
}


def check_texts(**texts: str | None) -> None:
    """Check texts of the envelope, by field name; None is always valid. Raises InvalidInput."""
    for name, text in texts.items():
        adapter, characters_max = _TEXTS[name]
        try:
            if text is not None:
                adapter.validate_python(text)
        except ValidationError:
            raise InvalidInput(
                f"{text!r} is not a valid {name.replace('_', ' ')}.",
                remedy=f"Write one line of 1 to {characters_max} characters.",
            ) from None
        if name == "command_id" and text is not None and text.startswith(TRACE_PREFIX):
            raise InvalidInput(
                f"Command ids that begin with {TRACE_PREFIX!r} are reserved for traces.",
                remedy="Choose another command id.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command to execute, with its envelope. Raises InvalidInput for a text that is not valid."""

    command: Command
    actor: Actor | None = None
    reason: str | None = None
    command_id: str | None = None
    correlation_id: str | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        check_texts(
            command_id=self.command_id, reason=self.reason, correlation_id=self.correlation_id
        )
