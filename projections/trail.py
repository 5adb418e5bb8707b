"""Pages of the audit trail: by posting lists where conditions on words are asked for.

A page is put together from parts of history. Each part gives its own first rows; what is not in
the posting lists yet, or happened late, is read row by row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Any, Final, NamedTuple

from projections.definitions.audit_trail import TrailFilter
from projections.stores import name_index, postings, time_index, trail
from projections.stores.connection import Connection
from projections.term import Term

PARAMETERS_MAX: Final = 500
"""An older SQLite takes 999 parameters in a statement."""

Row = tuple[Any, ...]


class Page(NamedTuple):
    """Which rows of an answer: `after` is the last position of the page before it."""

    after: int | None
    limit: int
    newest_first: bool

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The positions between two, as far as they follow the page before."""
        if self.after is None:
            return first, last
        return (
            (first, min(last, self.after - 1))
            if self.newest_first
            else (
                max(first, self.after + 1),
                last,
            )
        )


class _Where(NamedTuple):
    """The parts of history in which a page's rows may be, found once for all ways to name them.

    `last` is the last position of the trail, and `posted` that of its posting lists. `late` is the
    condition for events outside of the bounds, if times are asked for.
    """

    last: int
    posted: int
    bounds: time_index.Bounds
    in_time: list[str]
    times: list[object]
    late: tuple[str, list[object]] | None


class Trail:
    """The audit trail up to the position that the views have reached, by one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def reached(self) -> int:
        """The last position that is in it. Views that are being filled may be behind it."""
        return trail.reached(self._connection)

    def page(
        self, wanted: TrailFilter, subjects: Mapping[str, Sequence[str]], page: Page
    ) -> list[Row]:
        """Rows of the trail in order: one more than the limit if there are more. `subjects` has the
        surrogate ids that conditions on people stand for.
        """
        found: dict[int, Row] = {}
        where = self._where(wanted)
        for way, named in self._ways(wanted):
            for row in self._of_way(way, named.terms(subjects), where, page):
                found[row[0]] = row
        ordered = sorted(found, reverse=page.newest_first)
        return [found[position] for position in ordered[: page.limit + 1]]

    def has(self, terms: Sequence[Term]) -> bool:
        """Whether an entry satisfies all terms."""
        last, until = self.reached(), postings.posted(self._connection)[1]
        if any(postings.positions(self._connection, terms, 1, until, newest_first=True)):
            return True
        wheres, params = _conditions(terms)
        found = self._connection.value(
            f"SELECT 1 FROM trail WHERE position > ? AND position <= ? AND {wheres} LIMIT 1",
            (until, last, *params),
        )
        return found is not None

    def first(self, term: Term) -> int | None:
        """The position of the first entry that satisfies a term; None if none does."""
        until = postings.posted(self._connection)[1]
        found = postings.positions(self._connection, [term], 1, until, newest_first=False)
        for position in found:
            return position
        where, params = _conditions([term])
        found_later = self._connection.value(
            f"SELECT min(position) FROM trail WHERE position > ? AND {where}", (until, *params)
        )
        return None if found_later is None else int(found_later)

    def words(self, kind: str) -> Iterator[str]:
        """The words that entries have in a column; some twice."""
        yield from postings.words(self._connection, kind)
        rows = self._connection.execute(
            f"SELECT DISTINCT {kind} FROM trail WHERE position > ? AND {kind} IS NOT NULL",
            (postings.posted(self._connection)[1],),
        )
        for (word,) in rows.fetchall():
            yield word

    # -- ways ------------------------------------------------------------------------------------

    def _ways(self, wanted: TrailFilter) -> Iterator[tuple[name_index.Way, TrailFilter]]:
        """The ways in which entries name what is wanted, each with the filter for its names."""
        yield from self._ways_in(wanted)
        for provider, account in name_index.same_accounts(self._connection, wanted.account):
            if wanted.provider in (None, provider):
                yield from self._ways_in(replace(wanted, provider=provider, account=account))

    def _ways_in(self, wanted: TrailFilter) -> Iterator[tuple[name_index.Way, TrailFilter]]:
        words = {kind: word for kind in name_index.KINDS if (word := getattr(wanted, kind))}
        ways = [name_index.ways(self._connection, *each, wanted.account) for each in words.items()]
        for chosen in product(*ways):
            names: dict[str, Any] = {k: each.name for k, each in zip(words, chosen, strict=True)}
            yield name_index.all_of(chosen), replace(wanted, **names)

    def _where(self, wanted: TrailFilter) -> _Where:
        last = self.reached()
        bounds = time_index.bounds(self._connection, wanted, last)
        in_time, times = wanted.in_time()
        late = time_index.late(wanted, bounds, last) if in_time else None
        return _Where(last, postings.posted(self._connection)[1], bounds, in_time, times, late)

    def _of_way(
        self, way: name_index.Way, terms: Sequence[Term], where: _Where, page: Page
    ) -> Iterator[Row]:
        is_posted = not way.is_of_positions and any(not term.is_not for term in terms)
        until, bounds = where.posted if is_posted else 0, where.bounds
        wheres, params = _conditions(terms)
        further = [*way.wheres, *where.in_time], [*way.params, *where.times]
        all_wheres = [wheres, *further[0]] if terms else further[0]
        all_params = [*params, *further[1]]
        if is_posted:
            span = page.span(bounds.first, min(bounds.last, until))
            yield from self._posted(terms, span, further, page)
        span = page.span(max(bounds.first, until + 1), bounds.last)
        place = "position BETWEEN ? AND ?"
        yield from self._read([place, *all_wheres], [*span, *all_params], page)
        if where.late is not None:
            is_late, late = where.late
            span = page.span(1, where.last)
            yield from self._read([is_late, place, *all_wheres], [*late, *span, *all_params], page)

    # -- reading ---------------------------------------------------------------------------------

    def _posted(
        self,
        terms: Sequence[Term],
        span: tuple[int, int],
        further: tuple[list[str], list[object]],
        page: Page,
    ) -> Iterator[Row]:
        """By the posting lists. The rows that they find are compared with further conditions."""
        wheres, params = further
        found = postings.positions(self._connection, terms, *span, newest_first=page.newest_first)
        size, count = page.limit + 1, 0
        while count <= page.limit and (some := list(islice(found, min(size, PARAMETERS_MAX)))):
            place = f"position IN ({', '.join('?' * len(some))})"
            for row in self._read([place, *wheres], [*some, *params], page):
                yield row
                count += 1
            size *= 2

    def _read(self, wheres: Sequence[str], params: Sequence[object], page: Page) -> list[Row]:
        order = "DESC" if page.newest_first else "ASC"
        return self._connection.execute(
            f"SELECT * FROM audit_trail WHERE {' AND '.join(wheres)} "
            f"ORDER BY position {order} LIMIT ?",
            (*params, page.limit + 1),
        ).fetchall()

    def at(self, positions: Sequence[int]) -> list[Row]:
        """The rows at these positions."""
        rows: list[Row] = []
        for first in range(0, len(positions), PARAMETERS_MAX):
            some = positions[first : first + PARAMETERS_MAX]
            rows += self._connection.execute(
                f"SELECT * FROM audit_trail WHERE position IN ({', '.join('?' * len(some))}) "
                "ORDER BY position",
                some,
            ).fetchall()
        return rows


def _conditions(terms: Sequence[Term]) -> tuple[str, list[str]]:
    """The terms in SQL, with their parameters. No index is used: the positions are given."""
    wheres = [
        f"coalesce({term.kind}, '') {'NOT IN' if term.is_not else 'IN'} "
        f"({', '.join('?' * len(term.words))})"
        for term in terms
    ]
    return " AND ".join(wheres), [word for term in terms for word in term.words]
