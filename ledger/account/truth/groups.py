"""Groups: the facts of one kind of thing, divided into cells by the handles that they share.

fact   id "AROA1"  name "ci"     cell 1   #AROA1, ci          facts of the id, facts of the name
fact   name "deploy"             cell 2   deploy

A fact with two handles makes one cell of two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, Protocol, Self, TypeVar

from ledger.account.truth.handles import id_handle
from ledger.account.truth.rules import Rules


class Group(Protocol):
    """A cell that can become one with another."""

    handles: list[str]
    """The names, as facts spell them and as the cloud compares them; ids as `#ID`.

    Empty once another cell has absorbed it.
    """

    def absorb(self, other: Self) -> None:
        """Take over all that the other cell has."""


C = TypeVar("C", bound=Group)


class Groups(Generic[C]):
    """The cells of one kind, by handle."""

    def __init__(self, made: Callable[[], C], rules: Rules) -> None:
        self._made, self._rules = made, rules
        self.by_handle: dict[str, C] = {}
        """The cells. A name that the cloud does not tell apart from another is there twice."""

    def __iter__(self) -> Iterator[C]:
        """Each cell once."""
        return iter(dict.fromkeys(self.by_handle.values()))

    def of(self, identity: str | None, name: str | None) -> C:
        """The cell of a fact's handles, at least one of which is told."""
        if identity is None:
            return self._named(name or "")
        cell = self._with(id_handle(identity))
        if name is None:
            return cell
        named = self._named(name)
        return named if named is cell else self._joined(named, cell)

    def get(self, name: str) -> C | None:
        """The cell of a name, or of an id as `#ID`; None if no fact has it."""
        return self.by_handle.get(name) or self.by_handle.get(self._rules.slot(name))

    def _named(self, name: str) -> C:
        known = self.by_handle.get(name)
        if known is not None:
            return known
        cell = self._with(self._rules.slot(name))
        if name not in self.by_handle:
            self._add(name, cell)
        return cell

    def _with(self, handle: str) -> C:
        cell = self.by_handle.get(handle)
        if cell is None:
            cell = self._made()
            self._add(handle, cell)
        return cell

    def _add(self, handle: str, cell: C) -> None:
        self.by_handle[handle] = cell
        cell.handles.append(handle)

    def _joined(self, one: C, other: C) -> C:
        if len(one.handles) < len(other.handles):
            one, other = other, one
        one.absorb(other)
        for handle in other.handles:
            self._add(handle, one)
        other.handles = []
        return one
