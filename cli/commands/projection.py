"""authledger projection: where the views stand; catch up, rebuild, follow."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import Listing, Reading, command
from cli.printing.output import Output, out, say, show, show_document
from cli.printing.progress import progress
from cli.reading import ledger_of, say_missing, views_of
from projections.engines import EngineName

if TYPE_CHECKING:
    from ledger.errors import StoreUnavailable
    from projections.maintenance.runner import Certificate

app = typer.Typer(help="The views are disposable: see where they stand, rebuild, follow.")


class Condition(StrEnum):
    """What `--fail-on` can name."""

    BEHIND = "behind"


FailOn = Annotated[
    Condition | None,
    typer.Option(
        "--fail-on",
        help="End with exit code 8 if this holds of any projection. `behind`: the ledger has "
        "entries that the projection lacks.",
    ),
]


@command(app, "status")
def status(ask: Listing, fail_on: FailOn = None) -> None:
    """Show which position each projection has reached, and how many entries it lacks."""
    from ledger.errors import ConditionNotMet

    with views_of(ask, caught_up=False) as views:
        rows = views.status()
        say(f"ledger at position {views.last_position()}")
    columns = ("name", "position", "behind", "rows", "history_rows", "rebuilt_at")
    cells = [[getattr(row, column) for column in columns] for row in rows]
    show(ask.form, columns, cells, choice=ask.choice)
    behind = [row.name for row in rows if row.behind]
    if fail_on is Condition.BEHIND and behind:
        raise ConditionNotMet(
            f"Behind the ledger (--fail-on behind): {', '.join(behind)}.",
            remedy="To bring them to its last position: authledger projection catch-up",
        )


@command(app, "catch-up")
def catch_up(ask: Reading) -> None:
    """Bring every projection to the ledger's last position. Reading commands do it themselves."""
    with views_of(ask, caught_up=False) as views:
        with progress("catching up") as advance:
            position = views.catch_up(advance)
        say_missing(views, position)
    show(ask.form, ("position",), [(position,)])


def _complete(incomplete: str) -> list[str]:
    from projections.definitions.declared import PROJECTIONS

    return [name for name in PROJECTIONS if name.startswith(incomplete)]


Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME]...", help="Which; default: all.", autocompletion=_complete),
]


Engine = Annotated[
    EngineName | None,
    typer.Option(help="Replay an export by this engine, and only compare: nothing is swapped."),
]
Parquet = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        file_okay=False,
        help="The export that duckdb and spark replay (`authledger export parquet DIR`).",
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Where Spark runs, e.g. spark://HOST:7077. Default: local[*]."
    ),
]


@command(app, "rebuild")
def rebuild(
    ask: Reading,
    names: Names = None,
    engine: Engine = None,
    parquet: Parquet = None,
    master: Master = None,
) -> None:
    """Build projections again from position 1, beside the live ones, and swap them.

    Prints the rebuild certificate: engine, range, code version, and the digest of each projection
    before and after. They are equal unless somebody altered the views.

    With --engine duckdb or spark the export in --parquet is replayed and nothing is swapped: the
    digests before are those of the live views at the export's position. If they differ, the exit
    code is 6.

    On a standby, and for a role that may only read, nothing can be built: the live views are
    compared with what the events say, and stay as they are. If they differ, the exit code is 6.
    """
    _check_goes_together(engine, parquet, master)
    if engine is not None and parquet is not None:
        _replay(ask, names, engine, parquet, master)
        return
    with views_of(ask, caught_up=False) as views, progress("rebuilding") as advance:
        certificate = views.rebuild(names or None, advance)
    _show(ask, certificate)
    _judge(certificate)


def _check_goes_together(
    engine: EngineName | None, parquet: Path | None, master: str | None
) -> None:
    from ledger.errors import InvalidInput

    if (engine is None) is not (parquet is None):
        raise InvalidInput(
            "An export is replayed by --engine duckdb or spark, and those replay nothing else.",
            remedy="Give --engine and --parquet together, or neither.",
        )
    if master is not None and engine is not EngineName.SPARK:
        raise InvalidInput("--master says where Spark runs; give --engine spark as well.")


def _replay(
    ask: Reading, names: list[str] | None, engine: EngineName, folder: Path, master: str | None
) -> None:
    from contextlib import closing

    from ledger.errors import VerificationFailed
    from projections.engines import open_engine
    from projections.engines.replay import replay
    from projections.export.events import events_of
    from projections.views import Views

    with (
        ledger_of(ask) as ledger,
        Views.open(ledger.location, ledger.catalogue) as views,
        closing(open_engine(engine, master)) as opened,
        progress("replaying", unit="projections") as advance,
    ):
        certificate = replay(
            events_of(ledger), views, folder, opened, names=names or None, on_progress=advance
        )
    _show(ask, certificate)
    if not certificate.equal:
        differ = ", ".join(part.name for part in certificate.projections if not part.equal)
        raise VerificationFailed(
            f"The live views are not what {certificate.engine} makes of the events: {differ}.",
            remedy="The export's files are as they were written. `authledger projection rebuild` "
            "makes the views new; if it differs after that, the events' columns were altered: "
            "`authledger log verify`.",
        )


def _show(ask: Reading, certificate: Certificate) -> None:
    if ask.form is Output.TABLE:
        _print(certificate)
    elif ask.form is Output.CSV:
        columns = ("name", "last_position", "rows", "digest_before", "digest_after", "equal")
        parts = certificate.projections
        show(ask.form, columns, [[getattr(part, each) for each in columns] for part in parts])
    else:
        show_document(ask.form, certificate.as_dict())


def _judge(certificate: Certificate) -> None:
    """Say what differed. Raises VerificationFailed if it is so still."""
    from ledger.errors import VerificationFailed

    if not certificate.swapped:
        say("Compared only: nothing can be written here, and the live views are as they were.")
        if not certificate.equal:
            differ = ", ".join(part.name for part in certificate.projections if not part.equal)
            raise VerificationFailed(
                f"The live views are not what the events say: {differ}.",
                remedy="`authledger projection rebuild` on the primary makes them new.",
            )
    elif not certificate.equal:
        say("The views had been altered, or were made by other rules; they are right now.")


def _print(certificate: Certificate) -> None:
    compared = "" if certificate.swapped else " (compared only, nothing was swapped)"
    out(f"rebuild certificate{compared}")
    out(f"  engine        {certificate.engine}")
    out(f"  range         positions {certificate.first_position} to {certificate.last_position}")
    out(f"  code version  {certificate.code_version}")
    out(f"  rebuilt at    {certificate.rebuilt_at}", "")
    headings = ("projection", "rows", "equal", "digest before", "digest after")
    rows = [
        (part.name, part.rows, part.equal, part.digest_before, part.digest_after)
        for part in certificate.projections
    ]
    show(Output.TABLE, headings, rows)


def _say_lost(error: StoreUnavailable) -> None:
    say(f"{error.message} Trying again.")


Interval = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0.01, max=86_400, help="How often to look for new events."),
]
Until = Annotated[
    int | None,
    typer.Option("--until", metavar="POSITION", min=0, help="End when this position is reached."),
]


@command(app, "follow")
def follow(ask: Reading, interval: Interval = 0.5, until: Until = None) -> None:
    """Keep the views up with the ledger until it is interrupted; print each position reached."""
    with views_of(ask, caught_up=False) as views:
        say("following; Ctrl-C ends it")
        for position in views.follow(interval, _say_lost):
            out(f'{{"position": {position}}}' if ask.form is not Output.TABLE else str(position))
            if until is not None and position >= until:
                return
