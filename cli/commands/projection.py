"""authledger projection: status of the views; catch up, rebuild, follow."""

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

app = typer.Typer(
    help="The views, which can be rebuilt at any time: status, catch up, rebuild, follow."
)


class Condition(StrEnum):
    """The conditions of `--fail-on`."""

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
    """Catch all projections up with the ledger. Reading commands do so themselves."""
    with views_of(ask, caught_up=False) as views:
        with progress("catching up") as advance:
            position = views.catch_up(advance)
        say_missing(views, position)
    show(ask.form, ("position",), [(position,)])


def _complete(incomplete: str) -> list[str]:
    from projections.definitions.declared import PROJECTIONS

    return [name for name in ("trail", *PROJECTIONS) if name.startswith(incomplete)]


Names = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[NAME]...",
        help="The projections to rebuild, `trail` among them. Default: all.",
        autocompletion=_complete,
    ),
]


Engine = Annotated[
    EngineName | None,
    typer.Option(
        help="Replay an export with this engine, and only compare: the live views are not replaced."
    ),
]
Parquet = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        file_okay=False,
        help="The export for duckdb or spark, made by `authledger export parquet DIR`.",
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="The Spark master, e.g. spark://HOST:7077. Default: local[*]."
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
    """Rebuild projections from position 1 into new tables, and replace the live ones by them.

    All of them: first the audit trail from the entries, then the others from it. If only some are
    named, they are built from the trail as it stands, and the certificate says so.

    Prints the rebuild certificate: engine, range, code version, and the digest of each projection
    before and after. The two digests are equal unless the views were altered. The facts digest
    leaves out surrogate ids and positions, so that it is equal for two ledgers of the same facts,
    in whichever order each of them learned them.

    With --engine duckdb or spark, the export in --parquet is replayed instead, and nothing is
    replaced: the digests before are those of the live views at the export's last position. If the
    digests differ, the exit code is 6.

    On a standby, or for a role that may only read, the views cannot be rebuilt. The live views are
    compared with the events and stay as they are. If they differ, the exit code is 6.
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
            "--engine and --parquet belong together: duckdb and spark replay an export, and nothing else.",
            remedy="Give both or neither.",
        )
    if master is not None and engine is not EngineName.SPARK:
        raise InvalidInput(
            "--master is only for Spark.", remedy="Add --engine spark, or leave --master out."
        )


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
            f"The live views differ from the replay by {certificate.engine}: {differ}.",
            remedy="The files of the export are unaltered. Rebuild the views: authledger projection "
            "rebuild\nIf they differ again, columns of the events were altered: authledger log verify",
        )


def _show(ask: Reading, certificate: Certificate) -> None:
    if ask.form is Output.TABLE:
        _print(certificate)
    elif ask.form is Output.CSV:
        columns = (
            "name", "last_position", "rows", "digest_before", "digest_after", "equal",
            "facts_digest",
        )  # fmt: skip
        parts = certificate.projections
        show(ask.form, columns, [[getattr(part, each) for each in columns] for part in parts])
    else:
        show_document(ask.form, certificate.as_dict())


def _judge(certificate: Certificate) -> None:
    """Say whether the views differed. Raises VerificationFailed if they still do."""
    from ledger.errors import VerificationFailed

    if not certificate.swapped:
        say("Compared only: the views cannot be written here, and were not changed.")
        if not certificate.equal:
            differ = ", ".join(part.name for part in certificate.projections if not part.equal)
            raise VerificationFailed(
                f"The live views differ from the events: {differ}.",
                remedy="Rebuild them on the primary: authledger projection rebuild",
            )
    elif not certificate.equal:
        say("The views had been altered, or were made by other rules. They are replaced.")


def _print(certificate: Certificate) -> None:
    compared = "" if certificate.swapped else " (compared only, nothing was replaced)"
    out(f"rebuild certificate{compared}")
    out(f"  engine        {certificate.engine}")
    out(f"  built from    {certificate.basis}")
    out(f"  range         positions {certificate.first_position} to {certificate.last_position}")
    out(f"  code version  {certificate.code_version}")
    out(f"  rebuilt at    {certificate.rebuilt_at}", "")
    headings = ("projection", "rows", "equal", "digest before", "digest after", "facts digest")
    rows = [
        (
            part.name, part.rows, part.equal,
            part.digest_before, part.digest_after, part.facts_digest or "-",
        )
        for part in certificate.projections
    ]  # fmt: skip
    show(Output.TABLE, headings, rows)


def _say_lost(error: StoreUnavailable) -> None:
    say(f"{error.message} Reconnecting.")


Interval = Annotated[
    float,
    typer.Option(
        metavar="SECONDS", min=0.01, max=86_400, help="The time between two looks for new entries."
    ),
]
Until = Annotated[
    int | None,
    typer.Option(
        "--until", metavar="POSITION", min=0, help="End when the views have reached this position."
    ),
]


@command(app, "follow")
def follow(ask: Reading, interval: Interval = 0.5, until: Until = None) -> None:
    """Catch up again and again until interrupted; print each position that the views reach."""
    with views_of(ask, caught_up=False) as views:
        say("Following the ledger; Ctrl-C ends it.")
        for position in views.follow(interval, _say_lost):
            out(f'{{"position": {position}}}' if ask.form is not Output.TABLE else str(position))
            if until is not None and position >= until:
                return
