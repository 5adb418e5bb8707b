"""The state of an account: its authorizations, and the facts that its events say."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from ledger.account.truth.cells import Cells
from ledger.account.truth.fact import CHANGES, FOREVER, Fact
from ledger.account.truth.rules import rules_of
from ledger.clock import AHEAD_MAX
from ledger.messages import Origin

V = TypeVar("V")
MOMENT: Final = timedelta(microseconds=1)
"""The shortest time that an entry can tell."""


class Timeline(Generic[V]):
    """All that was learned of one key, in the order in which it happened.

    Facts arrive late and out of order. The present is the fact with the latest effective time,
    not the one learned last; at equal times the one learned later wins. The views keep the same
    rule in SQL, so decisions and views agree.
    """

    __slots__ = ("_times", "_values")

    def __init__(self) -> None:
        self._times: list[datetime] = []
        self._values: list[V] = []

    def __deepcopy__(self, _: object) -> Timeline[V]:
        """Return a timeline of its own lists. The values in them are never changed."""
        copy = Timeline[V]()
        copy._times, copy._values = self._times.copy(), self._values.copy()
        return copy

    def learn(self, value: V, at: datetime) -> None:
        index = bisect_right(self._times, at)
        self._times.insert(index, at)
        self._values.insert(index, value)

    def at(self, when: datetime) -> tuple[datetime, V] | None:
        """The value at an instant, and since when; None if there was none yet."""
        index = bisect_right(self._times, when) - 1
        return None if index < 0 else (self._times[index], self._values[index])

    def __iter__(self) -> Iterator[tuple[datetime, V]]:
        """All facts with their times, in order."""
        return zip(self._times, self._values, strict=True)


Named = Literal["policy", "project"]
"""The kinds of things that permissions refer to."""
Names = dict[tuple[Named, str], str | None]
"""The name of each id that a fact told; None if no fact told the name."""
AuthorizationStatus = Literal["requested", "granted", "declined", "revoked"]


class Authorization(NamedTuple):
    """The status of a service's authorization in one region, and the agencies that it names."""

    status: AuthorizationStatus
    agencies: tuple[str, ...]


class Agreed(NamedTuple):
    """The account agreed in a service's console that an agency gets rights in a region.

    The trace tells neither the rights nor, in some cases, the region.
    """

    service: str
    region: str | None
    agency: str | None
    agency_id: str | None
    at: datetime


def account_stream(provider: str, account: str) -> str:
    """The name of the stream whose events make an account's state."""
    return f"account:{provider}:{account}"


def after(at: datetime, origin: Origin) -> datetime:
    """The earliest time of a command that comes after a fact.

    Of commands within one instant, the order is known. Of an observed fact and a command it is
    not, so the command takes effect later.
    """
    return at if origin == "commanded" or at == FOREVER else at + MOMENT


@dataclass(slots=True)
class State:
    """The state of one account. `evolve` owns and changes it.

    A fact's position is the version of the event that says it. `cells` folds the facts, and
    `Account` asks it on behalf of decisions. No command takes effect before `earliest`.
    """

    provider: str
    account: str
    version: int = 0
    earliest: datetime | None = None
    authorizations: dict[tuple[str, str], Timeline[Authorization]] = field(default_factory=dict)
    facts: list[Fact] = field(default_factory=list)
    agreed: list[Agreed] = field(default_factory=list)
    _cells: Cells | None = field(default=None, init=False, repr=False, compare=False)
    _uses: set[Fact] = field(default_factory=set, init=False, repr=False, compare=False)
    _names: Names | None = field(default=None, init=False, repr=False, compare=False)

    def __deepcopy__(self, memo: dict[int, object]) -> State:
        """Return a state of its own lists. The facts in them are never changed."""
        return State(
            self.provider,
            self.account,
            self.version,
            self.earliest,
            {key: known.__deepcopy__(memo) for key, known in self.authorizations.items()},
            self.facts.copy(),
            self.agreed.copy(),
        )

    @property
    def stream(self) -> str:
        return account_stream(self.provider, self.account)

    @property
    def cells(self) -> Cells:
        """The facts, folded as far as the questions so far needed it."""
        if self._cells is None:
            self._cells = Cells(rules_of(self.provider))
            self._cells.learn(self.facts)
        return self._cells

    def happened(self, version: int, at: datetime, origin: Origin) -> None:
        """Note an event of the account's stream: its version, its effective time, its origin."""
        self.version = version
        earliest = after(at, origin)
        self.earliest = max(earliest, self.earliest or earliest)

    def learn(self, facts: Iterable[Fact]) -> None:
        """Take facts of the account's events."""
        new = tuple(facts)
        self.facts += new
        if self._cells is not None:
            self._cells.learn(new)
        if self._names is not None:
            _learn_names(new, self._names)

    def prove(self, use: Fact) -> None:
        """Take the use of an agency, which is not a fact of the account's own stream.

        It has no place in the order of the account's commands and traces. It counts until the
        state is read again.
        """
        if use in self._uses:
            return
        self._uses.add(use)
        number = len(self._uses)
        proof = use._replace(position=-number, origin="observed", trace=f"use {number}")
        self.cells.learn((proof,))

    def agencies_named(self) -> set[str]:
        """The names, or ids, by which its facts and known uses name agencies."""
        named = (fact for facts in (self.facts, self._uses) for fact in facts)
        return {fact.name or fact.id or "" for fact in named if fact.kind == "agency"}

    def name_of(self, kind: Named, identity: str | None) -> str | None:
        """The name of a policy or a project, as it was told last; None if none was told."""
        return self._known_names().get((kind, identity or ""))

    def is_bare_id(self, kind: Named, text: str | None) -> bool:
        """Whether a text is the id of a policy or a project whose name no fact told."""
        return (kind, text) in self._known_names() and self.name_of(kind, text) is None

    def has_bare_ids(self, kind: Named) -> bool:
        """Whether there are ids of policies, or of projects, whose names no fact told."""
        return any(each == kind and name is None for (each, _), name in self._known_names().items())

    def _known_names(self) -> Names:
        if self._names is None:
            self._names = {}
            _learn_names(self.facts, self._names)
        return self._names

    def after_all(self, now: datetime) -> datetime:
        """The earliest time, from now on, at which all facts of its stream count."""
        return max(now, self.earliest or now)

    def next_instant(self, now: datetime, earliest: datetime | None = None) -> datetime:
        """The time at which a command takes effect: now, or later if a known fact lies ahead.

        It does not lie before `earliest`, if that is given. A fact that lies further ahead than
        clocks differ does not count before its time comes.
        """
        ahead = max(earliest or now, self.after_all(now))
        return ahead if ahead - now <= AHEAD_MAX + MOMENT else now

    def regions(self) -> set[str]:
        """The regions in which the account was asked for consent, or was granted a permission."""
        asked = {region for _, region in self.authorizations}
        changed = (fact.region for fact in self.facts if fact.call in CHANGES)
        return asked | {region for region in changed if region is not None}


def _learn_names(facts: Iterable[Fact], names: Names) -> None:
    for fact in facts:
        named: tuple[tuple[Named, str | None, str | None], ...] = (
            ("project", fact.project_id, fact.region),
            ("policy", fact.policy_id, fact.policy),
        )
        if fact.kind != "agency":
            named = ((fact.kind, fact.id, fact.name),)
        for kind, identity, name in named:
            if identity is not None:
                names[kind, identity] = name or names.get((kind, identity))
