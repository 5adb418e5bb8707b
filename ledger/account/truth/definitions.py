"""Definitions: the policies, or the projects, that permissions refer to: their names and lives.

policy P1 "etl"  created 1, deleted 5      a grant of "etl" at 2 means P1
policy P2 "etl"  created 7                 a grant of "etl" at 9 means P2, at 5 either

Grants and revocations prove the policy that they name. Of a policy without calls of its own, only
its names count: whether it exists is not asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from ledger.account.truth.content import is_repeated
from ledger.account.truth.fact import Fact
from ledger.account.truth.handles import ALL_REGIONS, id_handle
from ledger.account.truth.life import Life
from ledger.account.truth.lines import NAMED_NOT_KNOWN, NOT_KNOWN
from ledger.account.truth.names import Names, Telling
from ledger.account.truth.orders import must_precede
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.spans import Span, spans_of
from ledger.account.truth.things import (
    Lives,
    existence,
    first_state,
    name_of,
    thing_of,
    things_in,
)
from ledger.account.truth.timeline import (
    DELETED,
    EXISTS,
    Interval,
    State,
    Timeline,
    agreed,
    joined,
    not_known,
    of_content,
    overlaid,
    valued,
)

Defined = Literal["policy", "project"]
DEFINED: Final[tuple[Defined, ...]] = ("policy", "project")


class Meant(NamedTuple):
    """The keys of the things that a name or an id may mean. Several: it is not known which."""

    keys: tuple[str, ...]
    constant: bool
    """Whether it means the same at every instant."""
    handed_over: bool = False
    """Whether several are meant because the name changed hands, and nobody saw when."""


class Handover(NamedTuple):
    """A name's change of hands that nobody saw.

    seen as P1 ── used by name ── used by name ── seen as P2
      after          used                          proof         whose uses they are is not known
    """

    after: datetime
    used: datetime | None
    proof: Fact

    @property
    def doubt(self) -> Interval | None:
        """From when until when it is not known which of the two things there was."""
        if self.used is None:
            return None
        return Interval(self.used, self.proof.at, not_known(NAMED_NOT_KNOWN, self.proof))

    def includes(self, at: datetime) -> bool:
        """Whether a use of the name may be one of either thing."""
        return self.after < at < self.proof.at

    def begins(self, life: Life) -> bool:
        """Whether a life is that of the thing which got the name."""
        return not life.seen and self.after < life.begun.at <= self.proof.at

    def ends(self, life: Life) -> bool:
        """Whether a life is that of the thing which lost the name."""
        if life.ended is None or life.end != "not seen":
            return False
        return life.begun.at <= self.after < life.ended.at <= self.proof.at


def handles_in(kind: Defined, fact: Fact) -> tuple[str | None, str | None]:
    """The id and the name by which a fact of an agency speaks of its policy or its project."""
    if kind == "policy":
        return fact.policy_id, fact.policy
    return fact.project_id, None if fact.region == ALL_REGIONS else fact.region


def telling_in(kind: Defined, use: Fact) -> Telling | None:
    """The name that a grant or a revocation told beside the id of its policy or its project."""
    identity, name = handles_in(kind, use)
    if identity is None or name is None:
        return None
    return identity, name, use._replace(call="evidence", kind=kind, id=identity, name=name)


def proof_of(kind: Defined, use: Fact) -> Fact | None:
    """The proof, in a grant or a revocation, of its policy or its project."""
    identity, name = handles_in(kind, use)
    if use.consequence_of is not None or (identity is None and name is None):
        return None
    return use._replace(call="evidence", kind=kind, id=identity, name=name)


class Definitions:
    """The policies or projects of some facts: of an account, or of those that share handles."""

    def __init__(
        self,
        kind: Defined,
        slots: Mapping[str, Slot],
        names: Names,
        lived: Collection[str],
        handovers: Mapping[str, Sequence[Handover]],
    ) -> None:
        self.kind, self.slots, self.names, self.lived = kind, slots, names, lived
        self._things = {name: things_in(slot) for name, slot in slots.items()}
        self.handovers = {
            name: [one for one in each if any(map(one.ends, self._lives_in(name)))]
            for name, each in handovers.items()
        }
        """By each slot, the changes of hands that nobody saw."""
        self._named: dict[str, str | None] = {}
        self.ends: dict[str, Fact] = {}
        """The call that ended each thing, by the thing's key, where it is known."""
        self.absences: dict[str, list[Interval]] = defaultdict(list)
        """When each thing was deleted, or may have been."""
        self._left: dict[tuple[str | None, datetime], list[Life]] = defaultdict(list)
        """The lives of a thing that it went on with under another name, by its id and when."""
        for name in slots:
            for life in self._lives_in(name):
                if life.ended is not None and life.end == "left":
                    self._left[life.id, life.ended.at].append(life)
        self._constant: dict[str, str] = {}
        """The key of the only thing that ever had a name, and still has it."""
        for name, things in self._things.items():
            keys = {_key_of(name, life) for life in self._lives_in(name)}
            if len(things) == 1 and not any(life.ended for life in self._lives_in(name)):
                self._constant[name] = keys.pop()
        for name, _, stories in self._each():
            key = _key_of(name, stories[0][0])
            self._named.setdefault(key, name_of(name, stories[0][0]))
            if name in lived:
                self.absences[key] += _absences(self._timeline(name, stories))
            else:  # A thing that only uses name was there whenever it was used.
                self.absences[key] += self._doubts(name, stories, Handover.ends)
            if len(stories) == len(slots[name].best()) and (end := _end(stories)) is not None:
                self.ends[key] = end

    def _each(self) -> Iterator[tuple[str, str, list[Lives]]]:
        for name, things in self._things.items():
            for thing, stories in things.items():
                yield name, thing, stories

    def _lives_in(self, slot: str) -> Iterator[Life]:
        for stories in self._things.get(slot, {}).values():
            for lives in stories:
                yield from lives

    def _timeline(self, name: str, stories: Sequence[Lives]) -> Timeline:
        """Whether a thing exists; under a later name, since when it did under the first one."""
        timeline = existence(stories, len(self.slots[name].best()))
        lost, got = (
            self._doubts(name, stories, which) for which in (Handover.ends, Handover.begins)
        )
        timeline = overlaid(timeline, lost, lambda _, doubt: doubt.by)
        timeline = [*((one.begin, one.by) for one in got if one.begin < timeline[0][0]), *timeline]
        entered = {
            life.begun.at: life
            for lives in stories
            for life in lives
            if life.begun.call == "entered"
        }
        return [
            (at, self._first_state(entered[at], state))
            if at in entered and state.status == EXISTS
            else (at, state)
            for at, state in timeline
        ]

    def _doubts(
        self, name: str, stories: Sequence[Lives], which: Callable[[Handover, Life], bool]
    ) -> list[Interval]:
        """When it is not known which of two things had the name, if a thing lost, or got, it so."""
        return [
            doubt
            for each in self.handovers.get(name, ())
            if (doubt := each.doubt) is not None
            and any(which(each, life) for lives in stories for life in lives)
        ]

    def _first_state(self, life: Life, otherwise: State) -> State:
        """The state of a thing as it began to exist, before it was renamed the first time."""
        earlier = self._left.get((life.id, life.begun.at), [])
        if life.begun.call != "entered":
            return first_state(life)
        found = {self._first_state(each, otherwise) for each in earlier}
        return found.pop() if len(found) == 1 else otherwise

    def _with_content(self, name: str, stories: Sequence[Lives]) -> Timeline:
        """Whether a thing exists, and the document in force while it does."""
        alive = self._timeline(name, stories)
        contents = [joined([self._contents(life) for life in lives]) for lives in stories]
        if not any(contents):
            return alive
        contents += [[] for _ in range(len(self.slots[name].best()) - len(contents))]
        return valued(alive, agreed(contents), (EXISTS,))

    def _contents(self, life: Life) -> Timeline:
        """The content of a life. The document that a renaming repeats is in force since before."""
        timeline = of_content(life)
        if life.begun.call != "entered" or not timeline:
            return timeline
        ends = [self._contents(each) for each in self._left.get((life.id, life.begun.at), ())]
        before = {end[-1][1].content if end else None for end in ends}
        at, state = timeline[0]
        content = before.pop() if len(before) == 1 else None
        if at > life.begun.at or content is None or not is_repeated(content, state.content):
            return timeline
        return [(at, state._replace(content=content)), *timeline[1:]]

    def meant(self, fact: Fact, rules: Rules) -> Meant:
        """The things that a fact of an agency may mean, in the order in which they began."""
        identity, name = handles_in(self.kind, fact)
        if identity is not None:
            return Meant((id_handle(identity),), constant=True)
        slot = rules.slot(name or "")
        if slot in self._constant:
            return Meant((self._constant[slot],), constant=True)
        unseen = [each for each in self.handovers.get(slot, ()) if each.includes(fact.at)]
        found = {
            _key_of(slot, life): life
            for life in self._lives_in(slot)
            if _may_be_meant(life, fact) or any(each.begins(life) for each in unseen)
        }
        keys = sorted(found, key=lambda key: (found[key].begun.at, found[key].ended is None, key))
        handed_over = bool(unseen) and len(keys) > 1
        return Meant(tuple(keys) or (slot,), slot not in self._things, handed_over)

    def shown(self, key: str, at: datetime) -> tuple[str | None, str | None]:
        """The name of a thing at an instant, and its id, or what is known instead of an id."""
        if key.startswith("#"):
            identity = key[1:]
            has_names = self.names.of(identity)
            return self.names.at(identity, at) if has_names else self._named.get(key), identity
        return (self._named[key], key) if key in self._named else (None, None)

    def renamed(self, key: str) -> list[datetime]:
        """When a thing got another name than the one it was first called by."""
        return [naming.since for naming in self.names.of(key.removeprefix("#"))[1:]]

    def is_changing(self, key: str) -> bool:
        """Whether a thing was ever renamed or deleted, or may have been deleted."""
        return key in self.ends or bool(self.absences.get(key)) or bool(self.renamed(key))

    def spans(self) -> Iterator[Span]:
        """The spans of the things of which there are calls of their own."""
        for name, thing, stories in self._each():
            if name in self.lived:
                named = name_of(name, stories[0][0])
                identity = (self.kind, thing, named, None, None, None, None, None)
                yield from spans_of(identity, self._with_content(name, stories))

    def keys(self) -> Iterator[str]:
        """The keys of all things, and all handles that facts told of them."""
        yield from self._named
        yield from self.slots
        yield from map(id_handle, self.names.changes())

    def meaning(self) -> object:
        """A value that is equal if permissions come to the same under these definitions."""
        things = {
            (name, _key_of(name, life)): (life.begun, life.ended, life.end)
            for name, _, stories in self._each()
            for lives in stories
            for life in lives
        }
        changes = self.names.changes(), self.handovers
        return things, self._named, self.ends, dict(self.absences), changes


def _key_of(slot: str, life: Life) -> str:
    """The handle of a thing's id; without an id, the thing's key."""
    return id_handle(life.id) if life.id is not None else thing_of(slot, life)


def _may_be_meant(life: Life, fact: Fact) -> bool:
    """Whether a name meant the thing with this life: at the edges, as a trace's order allows."""
    begun, ended = life.begun, life.ended
    if life.seen and (fact.at < begun.at or (fact.at == begun.at and must_precede(fact, begun))):
        return False
    if life.unseen_from is not None and fact.at < life.unseen_from:
        return False
    return (
        ended is None
        or fact.at < ended.at
        or (fact.at == ended.at and not must_precede(ended, fact))
    )


def _end(stories: Sequence[Lives]) -> Fact | None:
    """The call that ended a thing, if all stories agree on it."""
    ends = {lives[-1].ended for lives in stories}
    if len(ends) > 1 or any(lives[-1].end == "left" for lives in stories):
        return None
    return ends.pop()


def _absences(timeline: Timeline) -> Iterator[Interval]:
    for index, (at, state) in enumerate(timeline):
        if state.status in (NOT_KNOWN, DELETED):
            end = timeline[index + 1][0] if index + 1 < len(timeline) else None
            yield Interval(at, end, state)
