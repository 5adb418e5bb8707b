"""The effect of each event: the account before it and after it, compared at what it is about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ledger.account.account import evolve
from ledger.account.meaning import Change, Standing
from ledger.account.state import Account
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
        self._accounts: dict[str, Account] = {}

    def of(self, entry: Recorded) -> Effect:
        """The effect of an entry. Entries must come in the order of their positions."""
        change = EVENTS[type(entry.event)].effect
        if not isinstance(change, Change):
            return Effect(change)
        account = self._account(entry)
        before = change.standing(account, entry.event)
        change.evolve(account, entry.event, entry.effective_at)
        return _compared(entry, before, change.standing(account, entry.event))

    def _account(self, entry: Recorded) -> Account:
        """The account as it was before the entry: read from its stream when it is first met."""
        if entry.stream not in self._accounts:
            account = Account(entry.provider or "", entry.account or "")
            for earlier in self._stream(entry.stream):
                if earlier.version >= entry.version:
                    break
                evolve(account, earlier.event, earlier.effective_at)
            self._accounts[entry.stream] = account
        return self._accounts[entry.stream]


def _compared(entry: Recorded, before: Standing, after: Standing) -> Effect:
    if before.state != after.state:
        text = f"{after.what}: {before.state} → {after.state}"
        return Effect(text, after.what, before.state, after.state)
    is_late = after.since is not None and after.since > entry.effective_at
    late = " (news of an earlier time)" if is_late else ""
    text = f"{after.what}: stays {after.state}{late}"
    return Effect(text, after.what, before.state, after.state, is_late)
