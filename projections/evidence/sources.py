"""Which entries an answer needs as evidence: those that its rows follow from, or every one."""

from __future__ import annotations

from typing import Final, NamedTuple

from projections.definitions.declared import FOLDED, PROJECTIONS, declared_name
from projections.views import Result, Views

ORIGINS_MAX: Final = 10_000
"""An answer that follows from more entries needs every entry: a proof for each costs more."""

_MANY: Final = (
    f"The rows follow from more than {ORIGINS_MAX} entries, so that the evidence holds every entry."
)


class Sources(NamedTuple):
    """The positions of the entries that have proofs of their own; whether every entry goes along;
    and sentences that say why.
    """

    positions: list[int]
    complete: bool
    notes: tuple[str, ...] = ()


def sources_of(views: Views, view: str, answer: Result, *, complete: bool) -> Sources:
    """The entries that an answer needs, or every one if it needs them or they are wanted."""
    complete = complete or needs_every_entry(view, answer)
    if complete or not is_folded(view):
        return Sources(source_positions(view, answer), complete)
    found = views.origins(view, answer.rows, answer.position).positions
    if len(found) > ORIGINS_MAX:
        return Sources(source_positions(view, answer), complete=True, notes=(_MANY,))
    return Sources(found, complete=False)


def needs_every_entry(view: str, answer: Result) -> bool:
    """Whether the answer says more than the entries of its rows: it is empty, or it combines."""
    projection = PROJECTIONS.get(declared_name(view))
    return not answer.rows or projection is None or bool(projection.counters)


def is_folded(view: str) -> bool:
    """Whether the rows of a view follow from many entries, which its columns do not name."""
    return declared_name(view) in FOLDED


def source_positions(view: str, answer: Result) -> list[int]:
    """The positions of the entries that the rows come from, as their last column says."""
    if declared_name(view) not in PROJECTIONS:
        return []
    return sorted({row[-1] for row in answer.rows if row[-1] is not None})
