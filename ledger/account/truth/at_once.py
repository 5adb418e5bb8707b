"""Facts that are taken at once: they need no search, and nothing is folded or compared anew.

Most facts of an account come after all earlier ones of their slot, while one thing has the name:

used      it exists                          nothing new
granted   not granted, or revoked            a span ends, if there is one, and another begins
revoked   granted                            so too

All else is taken by `live`, or folded anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.account.truth.changes import Change
from ledger.account.truth.fact import Call, Fact, LineKey
from ledger.account.truth.keys import Shown
from ledger.account.truth.life import Life
from ledger.account.truth.lines import GRANTED, REVOKED, Run, outlasts
from ledger.account.truth.slot import Slot
from ledger.account.truth.spans import Identity, Span
from ledger.account.truth.story import proves_life
from ledger.account.truth.things import name_of, thing_of
from ledger.account.truth.timeline import state_of

OF_LINES: Final = frozenset[Call](
    {
        "granted",
        "revoked",
        "trust set",
        "expiry set",
        "boundary set",
        "boundary removed",
        "evidence",
    }
)
"""The calls that leave a life as it is, and change a line of it at most."""


def take_use(slot: Slot, use: Fact) -> bool:
    """Take a use that comes after all facts of a slot, if it only says that its thing exists."""
    if not proves_what_is_known(use, slot):
        return False
    slot.last_at, slot.last_lines = use.at, {None}
    return True


def proves_what_is_known(fact: Fact, slot: Slot) -> bool:
    """Whether a fact says only that a thing exists, later than all before it, and it does."""
    if fact.call != "evidence" or slot.last_at is None or fact.at <= slot.last_at:
        return False
    return touched_life(slot, (fact,)) is not None


def touched_life(slot: Slot, facts: Iterable[Fact]) -> Life | None:
    """The life of which the facts change lines only; None if they may do more."""
    story = slot.stories[0]
    life = story.life
    if len(slot.stories) > 1 or story.doubtful or type(life) is not Life or life.doubted_at:
        return None
    for fact in facts:
        if fact.call not in OF_LINES or fact.others or fact.id not in (None, life.id):
            return None
    return None if changes_expiry(life, facts) else life


def changes_expiry(life: Life, facts: Iterable[Fact]) -> bool:
    """Whether facts prove that a life's expiry was changed, or may."""
    expiry = life.lines.get("expiry")
    return expiry is not None and any(
        proves_life(fact) and outlasts(expiry, fact.at) for fact in facts
    )


def take_change(slot: Slot, life: Life, fact: Fact, shown: Shown) -> list[Change] | None:
    """Take a grant or a revocation with its key. Returns what it changed; None if it does more than
    to end the last span of its permission, if there is one, and to begin another.

    The life is the only one of its thing, in the slot's only story. `shown` are the permission's
    columns.
    """
    key = fact.key
    if key is None or "expiry" in life.lines or not _is_next(slot, fact, key):
        return None
    line = life.lines.get(key, ())
    last = line[0] if line else None
    if len(line) > 1 or not _begins_a_run(fact, last):
        return None
    _take(slot, fact, key)
    run = life.lines[key][0]
    return [] if run is last else _changes(_identity(slot, life, key, shown), last, run)


def _begins_a_run(fact: Fact, last: Run | None) -> bool:
    """Whether a fact begins a run after the last one of its line, or repeats that one."""
    if fact.call == "granted":
        if last is not None and last.status == GRANTED:
            return fact.document is None and last.content is None
        return last is None or last.status == REVOKED
    return last is not None and last.status == GRANTED


def _is_next(slot: Slot, fact: Fact, key: LineKey) -> bool:
    """Whether a fact comes after all of its slot, or changes another line than those of the last
    instant, about which there is no doubt.
    """
    if slot.last_at is None or fact.at != slot.last_at:
        return slot.last_at is not None and fact.at > slot.last_at
    return slot.last_lines is not None and key not in slot.last_lines and slot.settled(fact.at)


def _take(slot: Slot, fact: Fact, key: LineKey) -> None:
    if fact.at == slot.last_at:
        slot.add(fact)
    else:
        slot.stories[0].take(fact)
        slot.last_at, slot.last_lines = fact.at, {key}


def _identity(slot: Slot, life: Life, key: LineKey, shown: Shown) -> Identity:
    """The identity of a permission's spans."""
    region, service, policy, policy_id, project_id = shown
    if policy is None and policy_id is None and key.policy is not None:
        spelled = slot.spelled.get(key.policy)
        policy = key.policy if spelled is None else spelled[1]
    thing, name = thing_of(slot.name, life), name_of(slot.name, life)
    return ("permission", thing, name, region, service, policy, policy_id, project_id)


def _changes(identity: Identity, last: Run | None, run: Run) -> list[Change]:
    """The changes that a new run makes: the span before it ends."""
    new = Change(None, tuple.__new__(Span, (*identity, run.at, None, *state_of(run), False)))
    if last is None:
        return [new]
    lasting = (*identity, last.at, None, *state_of(last), False)
    ended = (*identity, last.at, run.at, *lasting[10:])
    return [Change(tuple.__new__(Span, lasting), tuple.__new__(Span, ended)), new]
