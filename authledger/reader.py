"""The questions that a ledger's views answer: a view, the trail, why, diff, free SQL."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Self, overload

from authledger import rows
from authledger.answer import Answer, R, declared, undeclared
from authledger.connections import ViewsByThread
from authledger.explaining import DiffRow, WhyRow, cut_remarks, diff_result, why_result
from authledger.instants import When, text_of, time_of
from ledger.as_of import AsOf
from ledger.errors import InvalidInput
from ledger.near_words import did_you_mean, offer
from ledger.values import instant_text
from projections.audit.diff import diff
from projections.audit.why import why
from projections.definitions.audit_trail import TrailFilter
from projections.documents import COLUMNS
from projections.projection import USED_SERVICE, Column
from projections.views import Result, Views

Value = str | int | datetime
"""A value that a column of a view is compared with."""


class Reader:
    """The reading half of `Ledger`: all that a role that sees the views alone can do."""

    def __init__(self, opened: Callable[[], Views], clock: Callable[[], datetime]) -> None:
        self._views, self._clock = ViewsByThread(opened), clock
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections; no thread may be using the ledger. A second call does nothing."""
        self._is_open = False
        self._views.close()

    @overload
    def view(
        self,
        view: type[R],
        /,
        *,
        as_of: When | None = None,
        known_at: When | None = None,
        limit: int | None = None,
        **where: Value,
    ) -> Answer[R]: ...
    @overload
    def view(
        self,
        view: str,
        /,
        *,
        as_of: When | None = None,
        known_at: When | None = None,
        limit: int | None = None,
        **where: Value,
    ) -> Answer[Any]: ...
    def view(
        self,
        view: type[Any] | str,
        /,
        *,
        as_of: When | None = None,
        known_at: When | None = None,
        limit: int | None = None,
        **where: Value,
    ) -> Answer[Any]:
        """Read a view: all rows, or those whose columns have the values given by name.

        `view` is its name, or its class in `authledger.rows`, by which a type checker knows the
        columns. `as_of` gives the answer at a past instant, `known_at` by what the ledger knew
        then; both take what `authledger.When` says. A `region` also finds what holds in all
        regions (`*`).

        Rows are sorted by their first columns. Of more than `limit`, the first are read, and `more`
        is true. Where there are none, `remarks` say which words of
        the question no entry has. Raises NotFound for a view, InvalidInput for a column, a value
        that the column cannot have, or an instant.
        """
        if limit is not None:
            _check_limit("limit", limit)
        name = rows.name_of(view)
        columns = Views.columns(name)
        asked = _conditions(columns, where, self._clock())
        with self._caught_up() as (views, about):
            when = self._resolved(views, as_of, known_at)
            result = views.read(name, as_of=when, where=asked, limit=limit)
            about["remarks"] += _unheard(views, result, _by_meaning(columns, asked))
        return declared(rows.ROWS[name], result, **about)

    def trail(
        self,
        *,
        limit: int = 50,
        after: int | None = None,
        newest_first: bool = True,
        since: str | date | datetime | None = None,
        until: str | date | datetime | None = None,
        **where: str,
    ) -> Answer[rows.AuditTrailRow]:
        """Read a page of the audit trail: every fact and every refused attempt.

        `where` are `provider`, `account`, `region`, `service` (that asks), `uses` (a service that
        an agency uses), `agency`, `policy`, `event` (its type), `outcome`, `origin`, `actor` (a
        name or a surrogate id), `established` (how the actor is known) and `run_by` (the operating
        system's user: `USER`, `USER@HOST` or a surrogate id). A `region` also finds the entries of
        all regions (`*`). `since` (included) and `until` (not included) are effective times.
        If `more` is true, the next page begins `after` the position of this page's last row.
        Raises InvalidInput for a condition that no entry can meet.
        """
        now = self._clock()
        begin = None if since is None else time_of(since, now)
        end = None if until is None else time_of(until, now)
        _check_names(where, _OF_THE_TRAIL)
        _check_limit("limit", limit)
        wanted = TrailFilter(**where, since=begin, until=end)
        with self._caught_up() as (views, about):
            page = views.trail(wanted, after=after, limit=limit, newest_first=newest_first)
            about["remarks"] += _unheard(views, page, where)
        return declared(rows.AuditTrailRow, page, **about)

    def why(self, **where: str) -> Answer[WhyRow]:
        """Explain an answer: the events that changed what is named, each with what caused it.

        `where` are `region`, `agency`, `service` (that asks), `uses` (a service that an agency may
        use), `policy`, `account` and `provider`; one of the first five at least. The events of one
        command or of one trace belong together: the consent causes the permissions, the deletion
        ends them. A `region` also finds what changed in all regions (`*`). Raises InvalidInput.
        """
        _check_names(where, ("region", "agency", "service", "uses", "policy", *_IN_ACCOUNT))
        with self._caught_up() as (views, about):
            chain = why(views, **where)
            result = why_result(chain)
            about["remarks"] += cut_remarks(chain) + _unheard(views, result, where)
        return declared(WhyRow, result, **about)

    def diff(
        self,
        before: When,
        after: When | None = None,
        *,
        views: Iterable[str] | str | None = None,
        **where: str,
    ) -> Answer[DiffRow]:
        """Compare two instants: the rows that differ, view by view, sorted by their keys.

        `after` None is now. `views` names those to compare, one or several; default: all.
        `where` are `region`, `account` and `provider`; a view without such a column is left out.
        Raises NotFound for a view, InvalidInput for an instant or a condition.
        """
        _check_names(where, ("region", *_IN_ACCOUNT))
        with self._caught_up() as (opened, about):
            instants = [self._resolved(opened, when, None) for when in (before, after)]
            names = None if views is None else _several(views)
            found = diff(opened, *instants, names=names, where=where)
            result = diff_result(found, opened.reached())
            about["remarks"] += _unheard(opened, result, where)
        return declared(DiffRow, result, **about)

    def query(self, sql: str, *, row_limit: int = 1000, time_limit_s: float = 10.0) -> Answer[Any]:
        """Ask the views with free SQL, which the database itself only lets read.

        Columns come as the database returns them: SQL has times as RFC 3339 texts in UTC. `more`
        is true if there were more rows than `row_limit`. Raises InvalidInput for SQL that is not
        valid, that writes, or that takes longer than `time_limit_s` seconds.
        """
        _check_limit("row_limit", row_limit)
        with self._caught_up() as (views, about):
            result = views.query(sql, row_limit=row_limit, time_limit_s=time_limit_s)
        return undeclared(result, **about)

    def names(self, subjects: Iterable[str] | str) -> Mapping[str, str]:
        """Return the names behind surrogate ids (`p-…`, `a-…`); erased ones are absent."""
        with self._reading() as views:
            return views.subject_names(_several(subjects))

    def document(self, digest: str) -> str:
        """Return the text of a policy document, in canonical JSON.

        `digest` is the one in the events, or its first digits. Raises NotFound, which says why, if
        only the digest is known; InvalidInput if several documents begin so.
        """
        with self._caught_up() as (views, _):
            return views.documents.text(digest)

    def documents(self) -> Answer[Any]:
        """Return where documents are used: a row for each event that refers to one.

        The columns are `document` (the digest), `bytes`, `text` ("kept", "erased" or "not kept"),
        `type`, `provider`, `account`, `policy`, `agency` and `position`.
        """
        with self._caught_up() as (views, about):
            result = Result(COLUMNS, views.documents.rows(), views.reached())
        return undeclared(result, **about)

    @property
    def position(self) -> int:
        """The position of the ledger's last entry; 0 if there is none."""
        with self._reading() as views:
            return views.last_position()

    @contextmanager
    def _reading(self) -> Iterator[Views]:
        self._check_open()
        with self._views.reading() as views:
            yield views

    @contextmanager
    def _caught_up(self) -> Iterator[tuple[Views, dict[str, Any]]]:
        """The thread's views, caught up where that can be; what an answer has to say of it."""
        with self._reading() as views:
            reached = views.catch_up()
            missing = 0 if views.can_catch_up else views.last_position() - reached
            remarks = (_ANOTHER_CATALOGUE,) if views.has_another_catalogue() else ()
            yield views, {"missing": missing, "remarks": remarks}

    def _resolved(self, views: Views, as_of: When | None, known_at: When | None) -> AsOf | None:
        true = None if as_of is None else text_of(as_of)
        known = None if known_at is None else text_of(known_at)
        return views.resolve(true, known, self._clock())

    def _check_open(self) -> None:
        if not self._is_open:
            raise InvalidInput(
                "This ledger was closed. Nothing was read or changed.",
                remedy="Open it again with authledger.open.",
            )


_CALLED = {"service": "asking service", "uses": "used service"}
_ELSEWHERE = {"service": "a service that asks", "uses": "a service that agencies use"}
_IN_ACCOUNT = ("account", "provider")
_OF_THE_TRAIL = [f.name for f in fields(TrailFilter) if f.name not in ("since", "until")]
_ANOTHER_CATALOGUE = (
    "The views were made with another catalogue than this ledger was opened with, and this "
    "connection may not make them anew."
)


def _conditions(
    columns: Iterable[Column], where: Mapping[str, Value], now: datetime
) -> dict[str, str]:
    """The conditions, all as texts. Raises InvalidInput for a value of another type."""
    declared_as = {column.name: column for column in columns}
    asked: dict[str, str] = {}
    for name, value in where.items():
        column = declared_as.get(name)  # If there is none, the views say which there are.
        if column is not None and column.is_time and not isinstance(value, int):
            asked[name] = instant_text(time_of(value, now))
        elif column is None or isinstance(value, int if column.type == "INTEGER" else str):
            asked[name] = str(value)
        else:
            kind = "an integer" if column.type == "INTEGER" else "a text"
            raise InvalidInput(
                f"{value!r} is not a valid value for {name}: it must be {kind}.",
                remedy=f"Leave {name} out to accept every value.",
            )
    return asked


def _check_names(where: Mapping[str, str], accepted: Collection[str]) -> None:
    """Raises InvalidInput for a condition that is not one of these."""
    for name in where:
        if name not in accepted:
            raise InvalidInput(
                f"There is no condition {name!r} here.", remedy=did_you_mean(name, accepted)
            )


def _check_limit(name: str, rows_max: int) -> None:
    """Raises InvalidInput for fewer than one row: no row would mean that there is none."""
    if rows_max < 1:
        raise InvalidInput(f"{name}={rows_max} is not valid: it must be 1 or more.")


def _several(words: Iterable[str] | str) -> Iterable[str]:
    """One word may be given by itself."""
    return (words,) if isinstance(words, str) else words


def _by_meaning(columns: Collection[Column], asked: Mapping[str, str]) -> Mapping[str, str]:
    """The conditions as the trail calls them: in some views `service` is a used service."""
    if USED_SERVICE not in columns:
        return asked
    return {"uses" if name == "service" else name: value for name, value in asked.items()}


def _unheard(views: Views, result: Result, where: Mapping[str, str]) -> tuple[str, ...]:
    """About an answer of no rows: which words of the question no entry has, and near ones.

    Rows of all regions also answer a mistyped region, so that one is named beside rows, too.
    """
    asked = {"region": where.get("region")} if result.rows else where
    unknown = views.unknown_words(asked)
    return tuple(
        f"No entry of this ledger has the {_CALLED.get(word.name, word.name)} {word.value!r}."
        + (
            f" It is {_ELSEWHERE[word.elsewhere]}."
            if word.elsewhere
            else f" {offer(word.near)}".rstrip()
        )
        for word in unknown
    )
