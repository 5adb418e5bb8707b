"""Finds the surrogate ids of the people whom a question names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

_SELECTS: Final = {
    "actor": "SELECT subject FROM subjects WHERE kind = 'person' AND name = ?",
    # The names that begin with `USER@`. In the order of texts, `A` is the next character.
    "run_by": (
        "SELECT subject FROM subjects WHERE kind = 'runner' "
        "AND (name = ? OR (name > ? || '@' AND name < ? || 'A'))"
    ),
}


class Statements(Protocol):
    """The statement that looks up names."""

    def execute(self, statement: str, params: Sequence[Any] = ()) -> Any: ...


def subjects(connection: Statements, column: str, name: str) -> list[str]:
    """The surrogate ids of a name. A name that nobody has may be a surrogate id itself.

    `column` is `actor` or `run_by`; a runner is named by `USER@HOST`, or by `USER` on any host.
    """
    select = _SELECTS[column]
    rows = connection.execute(select, (name,) * select.count("?")).fetchall()
    return [row[0] for row in rows] or [name]
