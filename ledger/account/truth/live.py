"""The folded agencies of one cell, which take further facts.

later than all before it           the fold's own step; only the touched lines are compared
in a known life, of one line       that line is folded anew, see `late`
anything else                      cannot be taken: the cell is folded anew
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ledger.account.truth.agencies import Agency, Tail, agencies_in
from ledger.account.truth.at_once import (
    OF_LINES,
    changes_expiry,
    proves_what_is_known,
    take_change,
    take_use,
    touched_life,
)
from ledger.account.truth.changes import Change, differences, differences_of_line
from ledger.account.truth.completed import completed
from ledger.account.truth.fact import Fact, LineKey
from ledger.account.truth.keys import Keys
from ledger.account.truth.late import History, known_life
from ledger.account.truth.life import Key, Life
from ledger.account.truth.lines import GRANTED, REVOKED, Line, granted
from ledger.account.truth.names import Names, own_names
from ledger.account.truth.orders import one_chain
from ledger.account.truth.places import Open, fold_placed
from ledger.account.truth.rules import Rules
from ledger.account.truth.search import line_of
from ledger.account.truth.slot import Slot
from ledger.account.truth.spans import Span
from ledger.account.truth.things import (
    Lives,
    births,
    by_slot,
    name_of,
    slot_called,
    slot_name,
    spell,
    thing_of,
)


class Live:
    """The agencies of some facts, which share no handle with others; and what they hold."""

    def __init__(self, facts: Sequence[Fact], keys: Keys, rules: Rules) -> None:
        """Folds usable facts of agencies, sorted by time."""
        self._read_again = {fact.trace for fact in facts if fact.call == "read again"}
        facts = completed(facts)
        self._keys, self._rules = keys, rules
        self._names, self._born = Names(own_names(facts), rules), births(facts)
        self._histories: dict[str, History] = {}
        slots = by_slot(keys.keyed(facts), self._names, rules)
        self._slots = {
            slot: fold_placed(slot, known, keys, rules, self._born) for slot, known in slots.items()
        }
        self._open = {slot: Open(known, keys) for slot, known in slots.items()}

    def spans(self) -> Iterator[Span]:
        """All spans of the agencies: lives, trusts, expiries, permissions."""
        for slot in self._slots.values():
            yield from self._spans_of(slot)

    def _spans_of(self, slot: Slot) -> Iterator[Span]:
        for agency in agencies_in(slot, self._keys, self._rules):
            yield from agency.spans()

    # -- further facts ----------------------------------------------------------------------------

    def take(self, instant: Sequence[Fact], before: Sequence[Fact]) -> list[Change] | None:
        """Take facts of one instant. Returns what they changed; None if they cannot be taken.

        `before` are the facts that were taken before them, sorted by time.
        """
        if any(self._is_completed(fact) for fact in instant):
            return None
        slot = self._slot_of(instant)
        if slot is None:
            return None
        if len(instant) == 1 and proves_what_is_known(instant[0], slot):
            slot.last_at, slot.last_lines = instant[0].at, {None}
            return []
        facts = self._keyed(slot, instant)
        if facts is None:
            return None
        if slot.last_at is None or facts[0].at > slot.last_at:
            changes = self._step(slot, facts)
        else:
            changes = self._inserted(slot, facts[0], before) if len(facts) == 1 else None
        history = self._histories.get(slot.name)
        if history is not None and changes is not None:
            history.add(facts, slot)
        return changes

    def take_use(self, use: Fact) -> bool:
        """Take a use at once, if it proves nothing new; otherwise it is not taken."""
        slot = self._slot_before(use)
        return slot is not None and take_use(slot, use)

    def take_change(self, change: Fact) -> list[Change] | None:
        """Take a grant or a revocation at once. Returns what it changed; None if it cannot be."""
        slot, plain = self._slot_before(change), self._keys.plain(change)
        life = None if slot is None else touched_life(slot, (change,))
        if slot is None or life is None or plain is None:
            return None
        if slot.stories[0].past and len(self._agency(slot, life).stories[0]) > 1:
            return None
        key, shown = plain
        known = self._open[slot.name]
        known.add(key, change.call)
        if known.is_mixed:
            return None
        fact = tuple.__new__(Fact, (*change[:-2], key, ()))
        if self._rules.names_ignore_case:
            if self._respells(slot, fact):
                return None
            spell(slot.spelled, [fact])
        changes = take_change(slot, life, fact, shown)
        history = self._histories.get(slot.name)
        if history is not None and changes is not None:
            history.add([fact], slot)
        return changes

    def _slot_before(self, fact: Fact) -> Slot | None:
        """The slot that a fact is about; None if the fact says something new of names."""
        if self._is_completed(fact):
            return None
        if fact.id is not None and fact.name is not None and not self._names.knows(fact):
            return None
        return self._slots.get(slot_name(fact, self._names, self._rules))

    def _is_completed(self, fact: Fact) -> bool:
        """Whether a fact tells more of a known one, or a known one tells more of it."""
        return fact.call == "read again" or (
            bool(self._read_again) and fact.trace in self._read_again
        )

    def _slot_of(self, instant: Sequence[Fact]) -> Slot | None:
        """The slot of all facts of an instant; None if there are several, or a name changes."""
        name = self._known_slot(instant[0])
        if name is None:
            return None
        if len(instant) > 1 and any(self._known_slot(fact) != name for fact in instant[1:]):
            return None
        slot = self._slots.get(name)
        if slot is None:
            slot = self._slots[name] = Slot(name, self._rules, self._born)
            self._open[name] = Open((), self._keys)
        return slot

    def _known_slot(self, fact: Fact) -> str | None:
        """The slot of a fact; None if the fact says something new of names, or of births."""
        identity, name = fact.id, fact.name
        if fact.call == "renamed":
            return None
        if identity is None:
            return self._rules.slot(name or "")
        if self._names.of(identity):
            if fact.call == "created" or (name and self._names.learn((identity, name, fact))):
                return None
            return slot_name(fact, self._names, self._rules)
        nameless = slot_called(identity, None, self._rules)
        if name is None:
            return None if fact.call == "created" else nameless
        if fact.call != "created" or nameless in self._slots:
            return None
        self._names.learn((identity, name, fact))
        self._born[identity] = fact
        return self._rules.slot(name)

    def _keyed(self, slot: Slot, instant: Sequence[Fact]) -> list[Fact] | None:
        """The facts with their keys; None if the end of a policy has to be put among them, or if
        they may be about a project that others name in another way.
        """
        facts = list(self._keys.keyed(instant))
        known = self._open[slot.name]
        for fact in facts:
            if fact.key is None:
                continue
            for key in (fact.key, *fact.others):
                known.add(key, fact.call)
                if self._keys.scope(key).ends and not _have(slot, key):
                    return None
        if known.is_mixed:
            return None
        return facts

    # -- a later instant --------------------------------------------------------------------------

    def _step(self, slot: Slot, facts: list[Fact]) -> list[Change] | None:
        """Let the slot take a later instant. Returns what differs from this instant on."""
        life = touched_life(slot, facts)
        if life is None and slot.changes_hands(facts):
            return None
        if self._rules.names_ignore_case:
            spell(slot.spelled, facts)
        if life is None:
            present = slot.stories[0].life
            tail = self._tail(slot, facts, present.lines if type(present) is Life else {})
            before = list(self._tail_spans(slot, tail))
            slot.step(facts)
            return differences(before, self._tail_spans(slot, tail))
        if len(facts) == 1 and line_of(facts[0]) != "expiry":
            return self._step_of_line(slot, life, facts)
        lines = {line: life.lines.get(line, ()) for fact in facts if (line := line_of(fact))}
        tail = self._tail(slot, facts, lines)
        before = list(self._line_spans(slot, life, lines, tail))
        slot.step(facts)
        return differences(before, self._line_spans(slot, _current(slot), lines, tail))

    def _step_of_line(self, slot: Slot, life: Life, facts: Sequence[Fact]) -> list[Change]:
        """Let the present life take one fact, which changes one line at most, and no expiry."""
        fact, line = facts[0], line_of(facts[0])
        known = life.lines.get(line, ()) if line is not None else ()
        if line is None or _is_repeated(fact, known):
            slot.remember(facts)
            return []
        agency = self._agency(slot, life)
        gone = agency.gone()
        if not gone and self._grows(agency, line, known, fact):
            slot.step(facts)
            return _grown(list(agency.spans_of(line, gone, Tail(fact.at, ()))))
        tail = None if gone or len(known) > 1 else Tail(fact.at, ())
        before = list(agency.spans_of(line, gone, tail)) if known else []
        slot.step(facts)
        return differences_of_line(before, list(agency.spans_of(line, gone, tail)))

    def _grows(self, agency: Agency, key: Key, line: Line, fact: Fact) -> bool:
        """Whether a fact adds a run to a known line, and nothing else bears on what is shown."""
        if len(line) != 1 or len(agency.stories[0]) != 1 or not isinstance(key, LineKey):
            return False
        if fact.call != "granted" and line[0].status == REVOKED:
            return False
        scope = self._keys.scope(key)
        return scope.is_constant and not scope.absences

    def _tail(self, slot: Slot, facts: Sequence[Fact], lines: Mapping[Key, Line]) -> Tail | None:
        """The tail that facts of the latest instant may change; None if they may change the past.

        They do if they leave a choice between stories, if they tell an id or a creation of a known
        life, or if the life expires. `lines`: those that they may change.
        """
        story = slot.stories[0]
        life = story.life if type(story.life) is Life else None
        if len(slot.stories) > 1 or story.doubtful or any(fact.others for fact in facts):
            return None
        if not one_chain(facts):
            return None
        if life is not None and "expiry" in life.lines and self._agency(slot, life).gone():
            return None
        known = life.id if life is not None else None
        if any(fact.id and (fact.id == known) == (fact.call == "created") for fact in facts):
            return None
        return Tail(facts[0].at, {key for key, line in lines.items() if len(line) > 1})

    def _tail_spans(self, slot: Slot, tail: Tail | None) -> Iterator[Span]:
        """The spans of a slot; with a tail, those of its only story that may change."""
        if tail is None:
            yield from self._spans_of(slot)
            return
        lives = {
            thing_of(slot.name, life): life
            for life in slot.stories[0].lives()
            if life.ended is None or life.ended.at >= tail.since
        }
        for life in lives.values():
            yield from self._agency(slot, life).spans(tail)

    def _line_spans(
        self, slot: Slot, life: Life, lines: Iterable[Key], tail: Tail | None
    ) -> Iterator[Span]:
        """The spans of some lines. The expiry cuts all lines of its agency."""
        agency = self._agency(slot, life)
        if "expiry" in lines:
            yield from agency.spans()
            return
        gone = agency.gone()
        for line in lines:
            yield from agency.spans_of(line, gone, tail)

    def _agency(self, slot: Slot, life: Life) -> Agency:
        """The agency with a life in the slot's only story."""
        thing = thing_of(slot.name, life)
        lives: Lives = (life,)
        if slot.stories[0].past:
            lives = tuple(
                each
                for each in slot.stories[0].lives()
                if each is life or (each.id == life.id and thing_of(slot.name, each) == thing)
            )
        name = name_of(slot.name, lives[0])
        spelled, keys = slot.spelled, self._keys
        return Agency(thing, name, [lives], 1, slot.doubt, spelled, keys, self._rules)

    # -- an earlier instant -----------------------------------------------------------------------

    def _inserted(self, slot: Slot, fact: Fact, taken: Sequence[Fact]) -> list[Change] | None:
        """Take a fact that is not the latest, within a known life. Returns what it changed."""
        life, line = known_life(slot, fact), line_of(fact)
        if life is None or fact.call not in OF_LINES or fact.others or self._respells(slot, fact):
            return None
        if line == "expiry" or changes_expiry(life, [fact]):
            return None
        if line is None:
            return [] if slot.settled(fact.at) else None
        if self._rules.names_ignore_case:
            spell(slot.spelled, [fact])
        at_last = fact.at == slot.last_at and slot.settled(fact.at)
        if at_last and slot.last_lines is not None and line not in slot.last_lines:
            tail = self._tail(slot, [fact], {line: life.lines.get(line, ())})
            before = list(self._line_spans(slot, life, {line}, tail))
            slot.add(fact)
            return differences(before, self._line_spans(slot, life, {line}, tail))
        history = self._history(slot, taken)
        found = history.line_with(fact, slot, self._keys)
        if found is None:
            return None
        before = list(self._line_spans(slot, life, {line}, None))
        life.lines[line] = found
        return differences(before, self._line_spans(slot, life, {line}, None))

    def _respells(self, slot: Slot, fact: Fact) -> bool:
        """Whether the fact spells a policy in another way than those before, and is the first."""
        if fact.policy is None or fact.key is None or fact.key.policy is None:
            return False
        known = slot.spelled.get(fact.key.policy)
        return known is not None and (fact.at, fact.policy) < known and fact.policy != known[1]

    def _history(self, slot: Slot, taken: Sequence[Fact]) -> History:
        history = self._histories.get(slot.name)
        if history is None:
            keyed = by_slot(self._keys.keyed(completed(taken)), self._names, self._rules)[slot.name]
            history = self._histories[slot.name] = History(keyed, slot, self._rules, self._born)
        return history


def _grown(spans: list[Span]) -> list[Change]:
    """The changes by a new run, from the span that it ended and its own."""
    ended, new = spans
    lasting = ended._replace(until_at=None, expires=False)
    return [Change(lasting, ended), Change(None, new)]


def _have(slot: Slot, key: LineKey) -> bool:
    """Whether the things that have the slot now have a line of a permission."""
    lives = [story.life for story in slot.stories]
    return all(type(life) is Life and key in life.lines for life in lives)


def _is_repeated(fact: Fact, line: Line) -> bool:
    """Whether a fact grants what is granted, with the same document: that changes nothing."""
    if fact.call != "granted" or len(line) != 1 or line[0].status != GRANTED:
        return False
    return granted(line, fact)[0] is line


def _current(slot: Slot) -> Life:
    life = slot.stories[0].life
    assert type(life) is Life, "facts of lines end no life"
    return life
