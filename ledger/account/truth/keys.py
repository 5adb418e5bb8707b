"""Keys: which permission a grant or a revocation is about, by what is known of policies, projects.

granted  policy "etl"   region "eu-de"     →  ("eu-de", no service, "#P1")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ledger.account.truth.definitions import Defined, Definitions, Meant, handles_in
from ledger.account.truth.fact import CHANGES, Call, Fact, LineKey
from ledger.account.truth.handles import ALL_REGIONS, NO_PROJECT, id_handle
from ledger.account.truth.rules import Rules
from ledger.account.truth.timeline import BEGINNING, Interval
from ledger.account.truth.trustees import Trustees

Find = Callable[[str], Definitions | None]
"""Returns what is known of the policies, or projects, with a handle or a key."""
NOWHERE: Final = "not known"
"""The region of a permission of which no fact told it."""
_NO_PROJECTS: Final = frozenset({ALL_REGIONS, NO_PROJECT, NOWHERE})


Shown = tuple[str, str | None, str | None, str | None, str | None]
"""The region, the service, the policy's name and its id, and the project's id."""


class Scope:
    """The definitions of a permission's policy and project."""

    __slots__ = ("_definitions", "_key", "_shown", "absences", "ends", "renamed")

    def __init__(self, key: LineKey, policies: Definitions | None, projects: Definitions | None):
        self._key, self._definitions = key, (policies, projects)
        self.ends: list[Fact] = []
        """The calls that ended them."""
        self.absences: list[Interval] = []
        """When they were deleted, or may have been."""
        self.renamed: list[datetime] = []
        """When they got other names."""
        for definitions, handle in ((policies, key.policy), (projects, key.region)):
            if definitions is not None and handle is not None:
                self.ends += [definitions.ends[handle]] if handle in definitions.ends else []
                self.absences += definitions.absences.get(handle, ())
                self.renamed += definitions.renamed(handle)
        self._shown = self._shown_at(BEGINNING) if self.is_constant else None

    @property
    def is_constant(self) -> bool:
        """Whether each of them had one name at most."""
        return not self.renamed

    def shown(self, at: datetime) -> Shown:
        """The columns of a permission, by the names at an instant.

        A policy of which only a name is known has neither name nor id here: facts spell it.
        """
        return self._shown or self._shown_at(at)

    def _shown_at(self, at: datetime) -> Shown:
        key, (policies, projects) = self._key, self._definitions
        policy, policy_id = _called(key.policy, policies, at)
        project, project_id = _called(key.region, projects, at)
        return project or project_id or key.region, key.service, policy, policy_id, project_id


def _called(
    handle: str | None, definitions: Definitions | None, at: datetime
) -> tuple[str | None, str | None]:
    if handle is None:
        return None, None
    if definitions is not None:
        return definitions.shown(handle, at)
    return None, handle[1:] if handle.startswith("#") else None


class Plain(NamedTuple):
    """A policy or a project that is there all the time, under one name: its handle in keys, and its
    name and its id, as far as they are known.
    """

    handle: str | None
    name: str | None
    id: str | None


class Keys:
    """The permissions and the trustees that facts mean, by what is known of these things."""

    def __init__(self, policies: Find, projects: Find, trustees: Trustees, rules: Rules) -> None:
        self._find: Mapping[Defined, Find] = {"policy": policies, "project": projects}
        self._trustees, self._rules = trustees, rules
        self._known: dict[tuple[str | None, ...], tuple[LineKey, ...]] = {}
        self._scopes: dict[LineKey, Scope] = {}
        self._plain: dict[tuple[str | None, ...], Plain | None] = {}

    def forget(self) -> None:
        """Policies or projects changed: what handles mean has to be found out again."""
        self._known, self._scopes, self._plain = {}, {}, {}

    def of(self, fact: Fact) -> tuple[tuple[LineKey, ...], bool]:
        """The permissions that a grant or a revocation may mean. More than one: it is not told.

        Also whether that is so because a name changed hands, and nobody saw when.
        """
        handles = fact[6:11]
        known = self._known.get(handles)
        if known is not None:
            return known, False
        project, policy = self._meant("project", fact), self._meant("policy", fact)
        keys = tuple(
            LineKey(region or NOWHERE, fact.service, one or None)
            for one in policy.keys
            for region in project.keys
        )
        if project.constant and policy.constant:
            self._known[handles] = keys
        return keys, project.handed_over or policy.handed_over

    def plain(self, fact: Fact) -> tuple[LineKey, Shown] | None:
        """The only permission that a grant or a revocation may mean, and its columns; None if
        anything but this fact bears on it.
        """
        policy = self._plain_of("policy", fact.policy_id, fact.policy, fact)
        project = self._plain_of("project", fact.project_id, fact.region, fact)
        if policy is None or project is None:
            return None
        key = LineKey(project.handle or NOWHERE, fact.service, policy.handle)
        region = project.name or project.id or key.region
        return key, (region, fact.service, policy.name, policy.id, project.id)

    def _plain_of(
        self, kind: Defined, identity: str | None, name: str | None, fact: Fact
    ) -> Plain | None:
        handles = (kind, identity, name)
        if handles not in self._plain:
            self._plain[handles] = self._found_plain(kind, fact)
        return self._plain[handles]

    def _found_plain(self, kind: Defined, fact: Fact) -> Plain | None:
        meant = self._meant(kind, fact)
        if not meant.constant or len(meant.keys) > 1:
            return None
        handle = meant.keys[0] or (NOWHERE if kind == "project" else None)
        definitions = self._find[kind](handle) if handle is not None else None
        if definitions is not None and handle is not None and definitions.is_changing(handle):
            return None
        return Plain(handle, *_called(handle, definitions, BEGINNING))

    def _meant(self, kind: Defined, fact: Fact) -> Meant:
        identity, name = handles_in(kind, fact)
        if identity is None and name is None:
            return Meant((fact.region or "" if kind == "project" else "",), constant=True)
        handle = self._rules.slot(name or "") if identity is None else id_handle(identity)
        definitions = self._find[kind](handle)
        if definitions is None:
            return Meant((handle,), constant=True)
        return definitions.meant(fact, self._rules)

    def keyed(self, facts: Iterable[Fact]) -> Iterator[Fact]:
        """Facts of agencies: grants and revocations with their keys, each trustee in one word.

        One of a policy whose name changed hands unseen is a doubt of each permission that it may
        mean, and a use of its agency.
        """
        for fact in facts:
            if fact.call in CHANGES:
                keys, handed_over = self.of(fact)
                granted = fact.call == "granted"
                if not handed_over:
                    yield tuple.__new__(Fact, (*fact[:-2], keys[0], keys[1:]))
                    continue
                for key in keys:
                    perhaps: Call = "perhaps granted" if granted else "perhaps revoked"
                    yield fact._replace(call=perhaps, key=key)
                if granted:
                    yield fact._replace(call="evidence")
            elif fact.trustee is not None:
                trustee = self._trustees.one(fact.trustee)
                yield fact if trustee == fact.trustee else fact._replace(trustee=trustee)
            else:
                yield fact

    def with_ends(self, facts: Sequence[Fact]) -> Sequence[Fact]:
        """A slot's facts and, for each permission, the ends of its policy and its project."""
        keys = dict.fromkeys(
            key for fact in facts if fact.key is not None for key in (fact.key, *fact.others)
        )
        added = [
            end._replace(call="ended", key=key, id=None, name=None)
            for key in keys
            for end in self.scope(key).ends
        ]
        if not added:
            return facts
        return sorted([*facts, *added], key=lambda fact: (fact.at, fact.position))

    def is_unnamed(self, region: str) -> bool:
        """Whether a region is a project of which only the id is known."""
        if not region.startswith("#"):
            return False
        definitions = self._find["project"](region)
        return definitions is None or not definitions.names.of(region[1:])

    def is_without_id(self, region: str) -> bool:
        """Whether a region is a project of which only the name is known."""
        return not region.startswith("#") and region not in _NO_PROJECTS

    def scope(self, key: LineKey) -> Scope:
        """The definitions of a permission's policy and project."""
        known = self._scopes.get(key)
        if known is None:
            policies = None if key.policy is None else self._find["policy"](key.policy)
            known = self._scopes[key] = Scope(key, policies, self._find["project"](key.region))
        return known
