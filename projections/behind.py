"""The events behind the rows of folded projections, and those that changed their documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from projections.definitions.agencies import BOUNDARIES
from projections.definitions.declared import FOLDED
from projections.definitions.policies import POLICIES
from projections.definitions.regions import REGIONS
from projections.history import rows
from projections.projection import DOCUMENT_POSITION, FoldedProjection

_NAMED: Final = (
    (REGIONS, "(r.policy = p.policy OR (r.policy_id <> '' AND r.policy_id = p.policy_id))"),
    (BOUNDARIES, "r.boundary <> '' AND r.boundary IN (p.policy, p.policy_id)"),
)
"""The projections whose rows name policies, and when a row names a policy."""


class Statements(Protocol):
    """The statements that are needed of a connection to the views."""

    def execute(self, statement: str, params: Any = ()) -> Any: ...


class Tables(Protocol):
    """Says in which table a projection is."""

    def table(self, projection: Any) -> str: ...


class Question(NamedTuple):
    """The values of columns that are asked for, and what `rows.asked` needs beside them."""

    wanted: Mapping[str, str]
    called: Sequence[str] = ()
    accounts: Sequence[tuple[str, str]] = ()

    def of(self, projection: FoldedProjection) -> tuple[str, list[str]] | None:
        """Conditions on rows of a projection, and their parameters; None if it lacks a column."""
        columns = {column.name for column in projection.columns}
        if not self.wanted.keys() <= columns:
            return None
        return rows.asked(columns, self.wanted, self.called, self.accounts)


Select = tuple[str, list[str]]
"""A SELECT of positions, and its parameters."""


def positions(
    connection: Statements,
    tables: Tables,
    question: Question,
    besides: Iterable[str],
    limit: int,
) -> list[int]:
    """The positions of the events behind the rows that have these columns; see `Views.behind`."""
    other = ", ".join(f"'{name}'" for name in sorted(besides))
    selects = (
        *_of_rows(tables, question, other),
        *_of_documents(tables, question),
        *_of_policies(tables, question),
    )
    found: set[int] = set()
    for select, params in selects:
        rows_found = connection.execute(f"{select} ORDER BY 1 LIMIT ?", (*params, limit))
        found |= {position for (position,) in rows_found.fetchall()}
    return sorted(found)[:limit]


def _of_rows(tables: Tables, question: Question, other: str) -> Iterator[Select]:
    """The events that rows rest on, but for those of other types."""
    for projection in FOLDED.values():
        if asked := question.of(projection):
            conditions, params = asked
            select = (
                f"SELECT DISTINCT e.position FROM {tables.table(projection)} AS r "
                "JOIN events AS e ON e.position = r.position "
                f"WHERE {conditions} AND r.gone_position IS NULL AND e.type NOT IN ({other})"
            )
            yield select, params


def _of_documents(tables: Tables, question: Question) -> Iterator[Select]:
    """The events that brought the documents of rows."""
    for projection in FOLDED.values():
        asked = question.of(projection)
        if asked and DOCUMENT_POSITION in projection.columns:
            conditions, params = asked
            select = (
                f"SELECT DISTINCT r.document_position FROM {tables.table(projection)} AS r "
                f"WHERE {conditions} AND r.gone_position IS NULL "
                "AND r.document_position IS NOT NULL"
            )
            yield select, params


def _of_policies(tables: Tables, question: Question) -> Iterator[Select]:
    """The events that brought the documents of the policies of an agency that is asked for: those
    under which it has, or had, a permission, and those that limit it.
    """
    for projection, names_it in _NAMED if "agency" in question.wanted else ():
        if asked := question.of(projection):
            conditions, params = asked
            select = (
                f"SELECT DISTINCT p.document_position FROM {tables.table(projection)} AS r "
                f"JOIN {tables.table(POLICIES)} AS p ON p.provider = r.provider "
                f"AND p.account = r.account AND {names_it} WHERE {conditions} "
                "AND r.gone_position IS NULL AND p.gone_position IS NULL "
                "AND p.document_position IS NOT NULL"
            )
            yield select, params
