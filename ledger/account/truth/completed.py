"""Completes the facts of a trace by what a later reading of it adds: documents, and ids.

created     policy "etl"   trace t1                            position 3
read again  policy "etl"   trace t1   id P1   document 5b09…   position 90
            ─ folded as ─
created     policy "etl"   trace t1   id P1   document 5b09…   position 3

So the facts come to the same as if all had been told at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from ledger.account.truth.fact import Call, Fact

_OF_A_POLICY: Final = frozenset[Call]({"created", "renamed"})
_OF_A_TRUST: Final = frozenset[Call]({"created", "trust set"})


def completed(facts: Sequence[Fact]) -> Sequence[Fact]:
    """The facts, in their order, with what later readings add to them.

    A reading that adds to none of them proves that its thing existed.
    """
    readings = [fact for fact in facts if fact.call == "read again"]
    if not readings:
        return facts
    by_trace: dict[str | None, list[int]] = defaultdict(list)
    for place, fact in enumerate(facts):
        if fact.call != "read again":
            by_trace[fact.trace].append(place)
    found = list(facts)
    used = set[int]()
    for reading in sorted(readings, key=lambda each: each.position):
        for place in by_trace[reading.trace] if reading.trace is not None else ():
            more = _with(found[place], reading)
            if more is not None:
                found[place] = more
                used.add(reading.position)
                if reading.document is not None:
                    break
    return [
        fact._replace(call="evidence", document=None) if fact.call == "read again" else fact
        for fact in found
        if fact.position not in used or fact.call != "read again"
    ]


def _with(fact: Fact, reading: Fact) -> Fact | None:
    """The fact with what a reading of its trace adds; None if it adds nothing."""
    if fact.kind != reading.kind or not _is_named(fact, reading):
        return None
    if reading.document is not None and not _lacks(fact, reading):
        return None
    more = fact._replace(id=fact.id or reading.id, name=fact.name or reading.name)
    if reading.policy is not None and fact.policy in (None, reading.policy):
        more = more._replace(policy_id=fact.policy_id or reading.policy_id)
    if reading.region is not None and fact.region == reading.region:
        more = more._replace(project_id=fact.project_id or reading.project_id)
    if reading.document is None:
        return more
    return more._replace(
        document=reading.document,
        version=fact.version or reading.version,
        in_force=reading.in_force if fact.in_force is None else fact.in_force,
    )


def _is_named(fact: Fact, reading: Fact) -> bool:
    """Whether both may be about one thing."""
    pairs = ((fact.id, reading.id), (fact.name, reading.name))
    return all(None in pair or pair[0] == pair[1] for pair in pairs)


def _lacks(fact: Fact, reading: Fact) -> bool:
    """Whether the document of a reading is that of a fact which did not tell it."""
    if fact.document:
        return False
    if fact.kind == "policy":
        return fact.call in _OF_A_POLICY
    if reading.policy is None and reading.policy_id is None:
        return fact.call in _OF_A_TRUST
    return fact.call == "granted" and reading.policy in (None, fact.policy)
