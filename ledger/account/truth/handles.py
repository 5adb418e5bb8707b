"""Handles: the ids and names by which a fact speaks of things; an index of facts has them as keys.

granted  id "AROA1"  policy "etl"   ("agency", "#AROA1")  ("use of policy", "etl")
created  id "P1"  name "ETL"        ("policy", "#P1")  ("policy", "etl")             at AWS

The facts with a handle, and those with the other handles of these facts, and so on, are all facts
that can say something of the thing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Final, Literal

from ledger.account.truth.fact import CHANGES, Fact, Kind
from ledger.account.truth.rules import Rules
from ledger.account.truth.trustees import words_in

Use = Literal[
    "use of policy",
    "use of project",
    "name of policy",
    "name of project",
    "trustee",
    "name of trustee",
]
Handle = tuple[Kind | Use, str]
"""A kind of thing, or of its use, with an id as `#ID` or a name as the cloud compares it.

A grant that tells the name of its policy beside the id has a `name of policy` for each of the two.
Of the facts of one account that tell the same two, an index needs only the first ones by `at`. So
it is with the id and the name of a trusted account.
"""
Recall = Callable[[Collection[Handle]], Iterable[Fact]]
"""Returns the facts of an account that have one of the handles, from an index of them."""

ALL_REGIONS: Final = "*"
NO_PROJECT: Final = "global"
"""The region of a permission on the services that belong to no region."""
_USES: Final[dict[str, tuple[Use, Use]]] = {
    "policy": ("use of policy", "name of policy"),
    "project": ("use of project", "name of project"),
}


def handles_of(fact: Fact, rules: Rules) -> Iterator[Handle]:
    """The handles by which a fact speaks of a thing, and of the policy and project that it uses."""
    yield from _both(fact.kind, fact.id, fact.name, rules)
    region = None if fact.region == ALL_REGIONS else fact.region
    if fact.call in CHANGES or tells_both(fact.policy_id, fact.policy):
        yield from _used("policy", fact.policy_id, fact.policy, rules)
    if fact.call in CHANGES or tells_both(fact.project_id, region):
        yield from _used("project", fact.project_id, region, rules)
    words = words_in(fact)
    if words:
        yield "trustee", words[0]
    for word in words if len(words) > 1 else ():
        yield "name of trustee", word


def tells_both(identity: str | None, name: str | None) -> bool:
    """Whether an id and a name were told. Each fact that does so names the thing for all others."""
    return identity is not None and name is not None


def _used(
    kind: Literal["policy", "project"], identity: str | None, name: str | None, rules: Rules
) -> Iterator[Handle]:
    use, naming = _USES[kind]
    yield from _both(use, identity, name, rules)
    if tells_both(identity, name):
        yield from _both(naming, identity, name, rules)


def _both(
    kind: Kind | Use, identity: str | None, name: str | None, rules: Rules
) -> Iterator[Handle]:
    if identity is not None:
        yield kind, id_handle(identity)
    if name is not None:
        yield kind, rules.slot(name)


def id_handle(identity: str) -> str:
    """An id as it stands among names."""
    return f"#{identity}"
