"""The fold: `derive(facts, rules)` says what the facts of an account come to, as spans.

    facts ─ names ─┬─ policies, projects: their lives ──┐
                   └─ agencies, slot by slot ───────────┴─ lives, lines ─ spans

Policies and projects fold first: a permission ends with its policy and with its project.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ledger.account.truth.fact import Fact, Kind, LineKey
from ledger.account.truth.names import Names, names_of
from ledger.account.truth.rules import Rules
from ledger.account.truth.slot import Slot
from ledger.account.truth.spans import Policies, Span, agency_spans, thing_spans
from ledger.account.truth.things import Things, births, by_slot, fold

_INFERRED: Final = frozenset({"AgencyDeleted", "PolicyDeleted"})


def usable(facts: Iterable[Fact]) -> list[Fact]:
    """The facts in order of time, without those that older versions inferred from traces."""
    kept = [
        fact
        for fact in facts
        if fact.consequence_of is None
        or fact.origin == "commanded"
        or fact.consequence_of not in _INFERRED
    ]
    kept.sort(key=lambda fact: (fact.at, fact.position))
    return kept


class Definitions(NamedTuple):
    """An account's policies and projects, which its agencies' permissions refer to."""

    policies: Things
    projects: Things
    policy_names: Names
    project_names: Names


def define(facts: Sequence[Fact], rules: Rules) -> Definitions:
    """Fold the policies and projects of an account. The facts are usable ones of all kinds."""
    policy_names, project_names = (
        names_of(facts, "policy", rules),
        names_of(facts, "project", rules),
    )
    return Definitions(
        _things("policy", facts, policy_names, rules),
        _things("project", facts, project_names, rules),
        policy_names,
        project_names,
    )


def _things(kind: Kind, facts: Sequence[Fact], names: Names, rules: Rules) -> Things:
    own = [fact for fact in facts if fact.kind == kind]
    lived = {*by_slot(own, names, rules), *(rules.slot(name) for name in names.all())}
    proofs = [proof for fact in facts if (proof := _proof(kind, fact))] if lived else []
    everything = sorted([*own, *proofs], key=lambda fact: (fact.at, fact.position))
    slots = by_slot(everything, names, rules)
    born = births(own)
    return Things(
        kind, {slot: fold(slot, slots[slot], rules, born) for slot in lived}, names, rules
    )


def _proof(kind: Kind, fact: Fact) -> Fact | None:
    """The proof, in a grant or a revocation, that its policy or project exists."""
    if fact.consequence_of is not None or fact.call not in {"granted", "revoked"}:
        return None
    handles = (fact.policy_id, fact.policy) if kind == "policy" else (fact.project_id, fact.region)
    if handles == (None, None) or (kind == "project" and fact.project_id is None):
        return None
    return fact._replace(call="evidence", kind=kind, id=handles[0], name=handles[1], key=None)


# -- the keys of permissions ----------------------------------------------------------------------


class Keys:
    """Gives grants and revocations their keys: which policy thing they mean, in which region."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._known: dict[tuple[str | None, ...], LineKey] = {}

    def keyed(self, fact: Fact) -> Iterator[Fact]:
        """The fact with its key. If it may mean several policies, a doubt about each of them."""
        handles = (fact.region, fact.project_id, fact.service, fact.policy, fact.policy_id)
        key = self._known.get(handles)
        if key is not None:
            yield tuple.__new__(Fact, (*fact[:-1], key))
            return
        region = self._region(fact)
        if fact.policy is None and fact.policy_id is None:
            key = self._known[handles] = LineKey(region, fact.service, None)
            yield fact._replace(key=key)
            return
        meant = self._definitions.policies.meant(fact.policy_id, fact.policy, fact.at)
        for thing in meant.things:
            key = LineKey(region, fact.service, thing)
            doubtful = len(meant.things) > 1
            yield fact._replace(key=key, call="doubted" if doubtful else fact.call)
        if meant.constant and key is not None:
            self._known[handles] = key

    def _region(self, fact: Fact) -> str:
        if fact.region is not None:
            return fact.region
        identity = fact.project_id or ""
        return self._definitions.project_names.at(identity, fact.at) or identity or "not known"


def keyed(facts: Iterable[Fact], definitions: Definitions) -> list[Fact]:
    """Agencies' facts, the grants and revocations with their keys."""
    keys = Keys(definitions)
    result: list[Fact] = []
    for fact in facts:
        if fact.key is None and fact.call in {"granted", "revoked"}:
            result.extend(keys.keyed(fact))
        else:
            result.append(fact)
    return result


def with_ends(facts: list[Fact], ends: Mapping[str, list[Fact]], rules: Rules) -> list[Fact]:
    """A slot's facts and, for each permission, the ends of its policy and its project."""
    if not ends:
        return facts
    keys = dict.fromkeys(fact.key for fact in facts if fact.key is not None)
    added = [
        end._replace(call="ended", key=key, id=None, name=None)
        for key in keys
        for handle in (key.policy, f"region {key.region}")
        for end in ends.get(handle or "", ())
    ]
    if not added:
        return facts
    return sorted([*facts, *added], key=lambda fact: (fact.at, fact.position))


def ends_of(definitions: Definitions) -> dict[str, list[Fact]]:
    """The facts that ended each policy, by its key, and each project, by `region NAME`."""
    ends: dict[str, list[Fact]] = defaultdict(list)
    for things in (definitions.policies, definitions.projects):
        for name, thing, lives in things.lives():
            handle = thing if things.kind == "policy" else f"region {name}"
            found = {life.ended.position: life.ended for life in lives if life.ended is not None}
            if all(life.ended is not None and life.end != "left" for life in lives):
                ends[handle] += found.values() if len(found) == 1 else ()
    return ends


# -- all ------------------------------------------------------------------------------------------


def fold_agencies(facts: Iterable[Fact], definitions: Definitions, rules: Rules) -> dict[str, Slot]:
    """Fold the agencies' facts, slot by slot. They are usable ones, sorted by time."""
    known = [fact for fact in facts if fact.kind == "agency"]
    names, born = names_of(known, "agency", rules), births(known)
    ends = ends_of(definitions)
    slots = by_slot(keyed(known, definitions), names, rules)
    return {
        slot: fold(slot, with_ends(slot_facts, ends, rules), rules, born)
        for slot, slot_facts in slots.items()
    }


def derive(facts: Iterable[Fact], rules: Rules) -> list[Span]:
    """Return the spans that the facts of one account come to: lives, trusts, permissions.

    The facts may come in any order. Equal facts give equal spans, apart from positions.
    """
    known = usable(facts)
    definitions = define(known, rules)
    policies = Policies(definitions.policies, definitions.policy_names)
    found: list[Span] = []
    for slot in fold_agencies(known, definitions, rules).values():
        found += agency_spans(slot, policies, rules)
    found += thing_spans(definitions.policies)
    found += thing_spans(definitions.projects)
    return found
