"""The effect of each event: the account before it and after it, compared at what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger.account.account import evolve
from ledger.account.followed import Followed
from ledger.account.meaning import Standing, Stands
from ledger.account.state import State
from ledger.events import EVENTS
from ledger.messages import Recorded


@dataclass(frozen=True, slots=True)
class Effect:
    """An event's effect in words; `what`, `before` and `after` are None where it changes nothing.

    `is_late`: something that happened later is known already, so the present stays as it is.
    """

    text: str
    what: str | None = None
    before: str | None = None
    after: str | None = None
    is_late: bool = False


class Effects:
    """Finds the effects of a range of history. Holds each account that it meets, as it is then."""

    def __init__(self, stream: Callable[[str], Iterable[Recorded]]) -> None:
        """`stream` reads a stream's entries in the order of their versions."""
        self._stream = stream
        self._followed: dict[str, Followed] = {}

    def of(self, entry: Recorded) -> Effect:
        """The effect of an entry. Entries must come in the order of their positions."""
        stands = EVENTS[type(entry.event)].effect
        if entry.event.STREAM != "account":
            return Effect(str(stands))
        followed = self._account(entry)
        if isinstance(stands, str):
            evolve(followed.state, entry)
            return Effect(stands)
        before = _standing(followed, entry, stands)
        evolve(followed.state, entry)
        return _compared(entry, before, _standing(followed, entry, stands))

    def _account(self, entry: Recorded) -> Followed:
        """The account as it was before the entry: read from its stream when it is first met."""
        if entry.stream not in self._followed:
            state = State(entry.provider or "", entry.account or "")
            for earlier in self._stream(entry.stream):
                if earlier.version >= entry.version:
                    break
                evolve(state, earlier)
            self._followed[entry.stream] = Followed(state)
        return self._followed[entry.stream]


def _standing(followed: Followed, entry: Recorded, stands: Stands) -> Standing:
    """How the thing that the entry is about stands, when it was recorded and all facts count."""
    at = followed.state.after_all(entry.recorded_at)
    return stands(followed.account(at), entry.event)


def _compared(entry: Recorded, before: Standing, after: Standing) -> Effect:
    if before.state != after.state:
        text = f"{after.what}: {before.state} → {after.state}"
        return Effect(text, after.what, before.state, after.state)
    is_late = after.since is not None and after.since > entry.effective_at
    late = " (news of an earlier time)" if is_late else ""
    text = f"{after.what}: stays {after.state}{late}"
    return Effect(text, after.what, before.state, after.state, is_late)
