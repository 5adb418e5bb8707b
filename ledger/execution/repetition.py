"""Repeated command ids: the same command by the same actor returns its first outcome."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from ledger.errors import CommandIdReused, Refused
from ledger.execution.outcome import Outcome
from ledger.execution.request import Actor
from ledger.messages import Command, Recorded
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import CommandRow

_SORTED: Final = json.JSONEncoder(sort_keys=True)


def command_digest(command: Command) -> str:
    """SHA-256 over a command's name and fields, hex: it tells one command from another."""
    content = _SORTED.encode([type(command).__name__, command.model_dump(mode="json")])
    return hashlib.sha256(content.encode()).hexdigest()


def check_actor(
    recorder: Recorder, used: CommandRow, entries: Sequence[Recorded], actor: Actor | None
) -> None:
    """Raise CommandIdReused if `entries`, which the used id appended, are another actor's.

    The message does not describe those entries. A command's first fact always has its actor; only
    registrations of names, and ends that the ledger concludes, have none.
    """
    first = next((entry.actor for entry in entries if entry.actor is not None), None)
    if _is_same(recorder, first, actor):
        return
    by = "another actor"
    if first is not None and not recorder.subject_names([first]):
        by = "an actor whose name was erased, so it cannot be compared with yours"
    raise CommandIdReused(
        f"The command id {used.command_id} was used before by {by}. Nothing was appended.",
        remedy="Choose another command id: only the actor who used an id can repeat its command.",
    )


def _is_same(recorder: Recorder, first: str | None, actor: Actor | None) -> bool:
    if actor is None:
        return first is None
    # Not from the cache: the name may have been erased and registered again.
    known = recorder.select_subjects("person", [actor.name]).get(actor.name)
    return known is not None and known.subject == first


def first_outcome(used: CommandRow, entries: tuple[Recorded, ...], digest: str) -> Outcome:
    """Return the outcome of the first time.

    Raises Refused again if it was refused then, CommandIdReused if it was another command.
    """
    if used.digest != digest:
        raise CommandIdReused(
            f"The command id {used.command_id} was used before for another command "
            f"(positions {used.first_position} to {used.last_position}). Nothing was appended.",
            remedy="Give each command an id of its own; repeat an id only to try the same command again.",
        )
    refused = [entry for entry in entries if getattr(entry.event, "outcome", None) == "refused"]
    if refused:
        why = getattr(refused[0].event, "why", None) or refused[0].type
        raise Refused(
            f"This command id was used before, and that command was refused: {why}", entries=entries
        )
    return Outcome(entries, note="This command was executed before.", repeated=True)
