"""The common steps of reading commands: open, catch up, resolve the moment, print the answer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from cli.appended import counted
from cli.options import Reading, ReadingAsOf
from cli.printing.columns import Choice
from cli.printing.output import Output, say, show

if TYPE_CHECKING:
    from datetime import datetime

    from cli.settings import Settings
    from ledger.application import Ledger
    from ledger.as_of import AsOf
    from ledger.persistence.location import Location
    from projections.views import Result, Views

_SUBJECT = re.compile(r"[a-z]{1,8}-[0-9a-f]{20}")
_NAMED = ("actor", "switched_by", "session_names", "source_identities")
"""The columns with surrogate ids: one, or several separated by commas."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


@contextmanager
def ledger_of(ask: Any, *, refuses_altered: bool = True) -> Iterator[Ledger]:
    """The ledger, which must exist. Raises NotFound, StoreUnavailable, SchemaAltered."""
    place = ask.settings.ledger
    with opened(ask.settings, place, create=False, refuses_altered=refuses_altered) as ledger:
        yield ledger


def opened(
    settings: Settings, location: Location, *, create: bool, refuses_altered: bool = True
) -> Ledger:
    """Open a ledger with the settings' catalogue and keys. Raises NotFound, StoreUnavailable, and
    SchemaAltered unless `refuses_altered` is false.
    """
    from ledger.application import Ledger
    from ledger.catalogue import load_catalogue

    return counted(
        Ledger(
            location,
            create=create,
            catalogue=load_catalogue(settings.catalogue),
            log_keys=settings.log_keys,
            checkpoint_every=settings.checkpoint_every,
            require_signature=settings.require_signature,
            refuses_altered=refuses_altered,
            clock_jump_max=settings.clock_tolerance,
        )
    )


@contextmanager
def views_of(ask: Reading, *, caught_up: bool = True) -> Iterator[Views]:
    """The views, caught up unless `caught_up` is false. Raises NotFound, StoreUnavailable."""
    from ledger.catalogue import load_catalogue
    from projections.views import Views

    catalogue = load_catalogue(ask.settings.catalogue)
    with Views.open(ask.settings.ledger, catalogue) as views:
        if caught_up:
            catch_up(views)
        yield views


def catch_up(views: Views) -> None:
    """Catch the views up; if that is not possible here, say how many events they lack."""
    from cli.printing.progress import progress

    with progress("catching up", quiet=True) as advance:
        say_missing(views, views.catch_up(advance))
    if views.has_another_catalogue():
        say("the views were made with another catalogue, and cannot be rebuilt here")


def say_missing(views: Views, reached: int) -> None:
    """Say how many events the views lack, if they cannot be caught up here."""
    missing = 0 if views.can_catch_up else views.last_position() - reached
    if missing > 0:
        what = "1 event is" if missing == 1 else f"{missing} events are"
        say(
            f"the views have reached position {reached}: {what} missing, "
            "and they cannot be caught up here"
        )


def instant_of(ask: ReadingAsOf, views: Views) -> AsOf | None:
    """The instant of --as-of and --known-at, printed on stderr; None is now."""
    when = resolved(views, ask.as_of, ask.known_at)
    if when is None:
        say(f"now, position {views.reached()}")
    else:
        say(str(when))
    return when


def resolved(views: Views, as_of: str | None, known_at: str | None = None) -> AsOf | None:
    """The instant that two texts about time mean; None is now. Raises InvalidInput."""
    from ledger.application import system_clock

    return views.resolve(as_of, known_at, system_clock())


def say_unknown_services(views: Views, when: AsOf | None, asked: Mapping[str, str | None]) -> None:
    """Name the services whose capabilities are unknown, among those that `asked` includes."""
    where = {name: asked.get(name) for name in ("provider", "account", "region", "service")}
    unknown = {**where, "status": "unknown", "feature": ""}
    rows = views.read("capabilities", as_of=when, where=unknown).dicts()
    services = sorted({f"{row['service']} of {row['provider']}" for row in rows})
    if services:
        say(
            f"The catalogue lists no features of {', '.join(services)}, so it is not known "
            "which work. If another catalogue lists them, name it: --catalogue FOLDER."
        )


def print_result(
    form: Output,
    result: Result,
    views: Views,
    *,
    hide: Iterable[str] = (),
    empty: str = "Nothing.",
    choice: Choice | None = None,
) -> None:
    """Print an answer. A table shows names for surrogate ids; the other forms add `actor_name`, and
    so for each column with such ids.

    `choice` are the columns chosen by --columns.
    """
    is_chosen = choice is not None and choice.is_given
    if form is Output.TABLE and not is_chosen:
        hidden = set(hide) | _alike(result)
        shown = [index for index, name in enumerate(result.columns) if name not in hidden]
        rows: Sequence[Sequence[Any]] = [[row[index] for index in shown] for row in result.rows]
        show(
            form,
            [result.columns[index] for index in shown],
            with_names(rows, views),
            empty=empty,
            choice=choice,
        )
        return
    columns, rows = result.columns, result.rows
    for column in _NAMED:
        if column in columns and f"{column}_name" not in columns:
            place = columns.index(column) + 1
            known = _names_in((row[place - 1] for row in rows), views)
            columns = (*columns[:place], f"{column}_name", *columns[place:])
            rows = [(*r[:place], named(r[place - 1], known), *r[place:]) for r in rows]
    if form is Output.TABLE:
        rows = with_names(rows, views)
    show(form, columns, rows, empty=empty, choice=choice)


def say_more(result: Result) -> None:
    """Say if there are more rows than were asked for."""
    if result.more:
        rows = len(result.rows)
        say(f"There are more rows than {rows}. To print more: --limit ROWS, or none for all.")


def _alike(result: Result) -> set[str]:
    """Columns that a table need not repeat in every row: one provider, all events commanded; and
    those that are empty in every row, although few rows fill them.
    """
    found = {name: {row[place] for row in result.rows} for place, name in enumerate(result.columns)}
    alike = {name for name in _SELDOM_FILLED if found.get(name, {""}) <= {"", None}}
    for name, usual in (("provider", None), ("origin", "commanded")):
        values = found.get(name, set())
        if len(values) == 1 and usual in (None, *values):
            alike.add(name)
    return alike


_SELDOM_FILLED: Final = (
    "note",
    "address",
    "document",
    "document_version",
    "document_since",
    "document_position",
    "switched_by",
    "session_names",
    "source_identities",
)


def with_names(rows: Sequence[Sequence[Any]], views: Views) -> list[list[Any]]:
    """The rows as a table shows them: names for surrogate ids where known, times to the second."""
    known = _names_in((cell for row in rows for cell in row), views)
    return [[readable(cell, known) for cell in row] for row in rows]


def _names_in(cells: Iterable[Any], views: Views) -> Mapping[str, str]:
    """The names behind the surrogate ids in cells."""
    texts = {cell for cell in cells if isinstance(cell, str)}
    found = {part for text in texts for part in text.split(",") if _is(_SUBJECT, part)}
    return views.subject_names(sorted(found)) if found else {}


def named(cell: str | None, known: Mapping[str, str]) -> str | None:
    """The names behind a cell's surrogate ids; None if it has one id, whose name is not kept."""
    if cell is None or "," not in cell:
        return known.get(cell or "") if cell is None or _is(_SUBJECT, cell) else cell or None
    return _joined(cell, known)


def _joined(cell: str, known: Mapping[str, str]) -> str:
    return ", ".join(sorted({known.get(part, part) for part in cell.split(",")}))


def readable(cell: Any, known: Mapping[str, str]) -> Any:
    """A cell as a table shows it."""
    if _is(_INSTANT, cell):
        return f"{cell[:19]}Z"
    if not isinstance(cell, str):
        return cell
    is_list = "," in cell and any(part in known for part in cell.split(","))
    return _joined(cell, known) if is_list else known.get(cell, cell)


def _is(form: re.Pattern[str], cell: object) -> bool:
    return isinstance(cell, str) and form.fullmatch(cell) is not None


def in_account(ask: Any, provider: str | None, account: str | None) -> dict[str, str | None]:
    """The account that a flag or the configuration names, as a condition; without one, all."""
    account = account or ask.settings.value("account")
    default = ask.settings.value if account else ask.settings.given
    return {"provider": provider or default("provider"), "account": account}


def names_of(views: Views, rows: Iterable[Mapping[str, Any]]) -> Mapping[str, str]:
    """The names of the actors of these rows, by surrogate id."""
    return views.subject_names(sorted({row["actor"] for row in rows if row["actor"]}))


def time_of(text: str | None) -> datetime | None:
    """The time that a text names. Raises InvalidInput, also for @POSITION."""
    from ledger.application import system_clock
    from ledger.as_of import parse_when
    from ledger.errors import InvalidInput

    when = None if text is None else parse_when(text, system_clock())
    if isinstance(when, int):
        raise InvalidInput(
            f"{text} is a position, but this option needs a time.",
            remedy="Write a time, for example 2026-03-01T09:30:00Z or -7d.",
        )
    return when
