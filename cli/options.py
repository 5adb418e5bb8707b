"""The options that commands share, each described once, and the groups that commands take.

    @command(app, "grant")
    def grant(ask: Writing, region: Region = None) -> None: ...

A parameter whose class is a group becomes the options of that group. The function receives an
instance of the group with their values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, get_type_hints

import typer

from cli.printing.columns import Choice
from cli.printing.output import Output, output_named, raw_csv
from cli.settings import Settings

Command = Callable[..., None]
_PLACE, _WHO, _WHEN = "Ledger and account", "Actor, reason and retry", "Time"

Ledger = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|URL",
        help="The ledger: a path, sqlite:///PATH or postgresql://…. Default: a file in the XDG "
        "data folder.",
        rich_help_panel=_PLACE,
    ),
]
CatalogueFolder = Annotated[
    str | None,
    typer.Option(
        "--catalogue",
        metavar="FOLDER",
        help="A folder of TOML files that add services to the built-in catalogue.",
        rich_help_panel=_PLACE,
    ),
]
Account = Annotated[
    str | None,
    typer.Option(metavar="ID", help="The account's id at the provider.", rich_help_panel=_PLACE),
]
Provider = Annotated[
    str | None,
    typer.Option(metavar="CODE", help="The cloud. Default: huaweicloud.", rich_help_panel=_PLACE),
]
Service = Annotated[
    str | None,
    typer.Option(
        metavar="CODE",
        help="The service that asks for authorization, by its code in the catalogue. Default: asm.",
    ),
]
OnlyRegion = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="ID",
        help="Only this region, e.g. cn-north-4, and what holds in all regions (*).",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(
        "--limit",
        metavar="ROWS",
        min=1,
        max=2**31,
        help="At most so many rows; the default is all.",
    ),
]
OnlyAccount = Annotated[
    str | None,
    typer.Option(
        "--account",
        metavar="ID",
        help="Only this account. Default: all; the configured account is not used.",
        rich_help_panel=_PLACE,
    ),
]
OnlyProvider = Annotated[
    str | None,
    typer.Option(
        "--provider", metavar="CODE", help="Only this cloud. Default: all.", rich_help_panel=_PLACE
    ),
]
Asking = Annotated[
    str | None,
    typer.Option(
        "--service",
        metavar="CODE",
        help="Only what concerns this service, which asks for authorization, e.g. asm.",
    ),
]
Uses = Annotated[
    str | None,
    typer.Option(
        "--uses",
        metavar="CODE",
        help="Only what concerns the use of this service by agencies, e.g. elb.",
    ),
]
Region = Annotated[
    str | None, typer.Option(metavar="ID", help="The region, by its id, e.g. cn-north-4.")
]
NewRegion = Annotated[
    bool,
    typer.Option(
        "--new-region",
        help="Record a region that is neither in the catalogue nor in use by the account.",
    ),
]
StrictOutcome = Annotated[
    bool,
    typer.Option("--strict", help="End with exit code 8 if the outcome is not known."),
]
Form = Annotated[
    Output | None,
    typer.Option("--output", "-o", help="The form of output: table (default), json, jsonl or csv."),
]
Raw = Annotated[
    bool,
    typer.Option(
        "--raw",
        help="With -o csv: every text exact, for programs. By default a text that a spreadsheet "
        "would calculate (=1+1) gets an apostrophe in front.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,NAME",
        help="Print only these columns, in this order. `-o json` shows all names.",
    ),
]
Actor = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The person or program that acts; recorded as claimed. Default: the user of the "
        "operating system.",
        rich_help_panel=_WHO,
    ),
]
Reason = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="The reason; recorded with the events.", rich_help_panel=_WHO
    ),
]
CommandId = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="An id that makes a retry idempotent: a second command with it appends nothing. It "
        "belongs to the actor who used it first.",
        rich_help_panel=_WHO,
    ),
]
CorrelationId = Annotated[
    str | None,
    typer.Option(
        metavar="ID",
        help="An id that several commands share, e.g. of a ticket or a pipeline run.",
        rich_help_panel=_WHO,
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        help="Print the entries that would be appended; append nothing.",
        rich_help_panel=_WHO,
    ),
]
RequireSignature = Annotated[
    bool,
    typer.Option(
        "--require-signature",
        help="Append nothing that cannot be signed: without the key of the ledger's log, or after "
        "entries that nobody signed.",
        rich_help_panel=_WHO,
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Answer as of a past time: RFC 3339, a day, now, -7d (units s m h d w), or @POSITION.",
        rich_help_panel=_WHEN,
    ),
]
KnownAt = Annotated[
    str | None,
    typer.Option(
        metavar="WHEN",
        help="Answer only from what the ledger knew at that time, or at that @POSITION.",
        rich_help_panel=_WHEN,
    ),
]


@dataclass(frozen=True, slots=True)
class Root:
    """The options that were given before the command: `authledger --ledger X view regions`."""

    ledger: str | None = None
    catalogue: str | None = None
    provider: str | None = None
    account: str | None = None
    debug: bool = False
    require_signature: bool = False
    clock_tolerance: str | None = None


_group = dataclass(frozen=True, eq=False, repr=False)
"""Without comparison and repr: nothing uses them, and making them would slow down every start."""


@_group
class Where:
    """A command that uses the catalogue."""

    root: Root
    catalogue: CatalogueFolder = None

    @functools.cached_property
    def settings(self) -> Settings:
        return Settings(self.flags)

    @property
    def flags(self) -> dict[str, str | None]:
        """The flags. One of the command comes before the same flag before the command."""
        flags: dict[str, str | None] = {
            name: getattr(self.root, name)
            for name in ("ledger", "catalogue", "provider", "account", "clock_tolerance")
        }
        for name in ("ledger", "catalogue", "provider", "account", "output", "actor"):
            if (flag := getattr(self, name, None)) is not None:
                flags[name] = str(flag)
        if self.root.require_signature or getattr(self, "require_signature", False):
            flags["require_signature"] = "yes"
        return flags

    @functools.cached_property
    def form(self) -> Output:
        return output_named(self.settings.value("output") or "")


@_group
class Printing(Where):
    """A command that prints, and needs no ledger."""

    output: Form = None
    raw: Raw = False


@_group
class Opening(Where):
    """A command that reads a ledger, and writes files."""

    ledger: Ledger = None


@_group
class OpeningAsOf(Opening):
    """A command that reads a ledger, now or as of an earlier instant, and writes files."""

    as_of: AsOf = None
    known_at: KnownAt = None


@_group
class Reading(Opening):
    """A command that reads a ledger, and prints."""

    output: Form = None
    raw: Raw = False


@_group
class ReadingAsOf(Reading):
    """A command that reads a ledger, now or as of an earlier instant."""

    as_of: AsOf = None
    known_at: KnownAt = None


@_group
class Listing(Reading):
    """A command that reads a ledger, and prints rows of which the user can choose the columns."""

    columns: Columns = None

    @property
    def choice(self) -> Choice:
        return Choice(self.columns)


@_group
class ListingAsOf(ReadingAsOf):
    """The same, now or as of an earlier instant."""

    columns: Columns = None

    @property
    def choice(self) -> Choice:
        return Choice(self.columns)


@_group
class Login(Where):
    """A command that writes, and has its own option for the actor."""

    ledger: Ledger = None
    provider: Provider = None
    account: Account = None
    reason: Reason = None
    command_id: CommandId = None
    correlation_id: CorrelationId = None
    dry_run: DryRun = False
    require_signature: RequireSignature = False
    output: Form = None
    raw: Raw = False


@_group
class Writing(Login):
    """A command that writes to an account."""

    actor: Actor = None


def command(app: typer.Typer, name: str, **kwargs: Any) -> Callable[[Command], Command]:
    """Register a function as a command of an app; its groups become their single options."""

    def register(function: Command) -> Command:
        app.command(name, **kwargs)(_spread(function))
        return function

    return register


def _spread(function: Command) -> Command:
    hints = get_type_hints(function, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}
    own = [
        parameter.replace(annotation=hints[parameter.name], kind=parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in groups
    ]
    shared = [option for group in groups.values() for option in _options_of(group)]

    def spread(ctx: typer.Context, **given: Any) -> None:
        raw_csv.set(bool(ctx.params.get("raw")))
        root = ctx.find_object(Root) or Root()
        for name, group in groups.items():
            names = [field.name for field in fields(group) if field.name != "root"]
            given[name] = group(root=root, **{each: given.pop(each) for each in names})
        function(**given)

    context = inspect.Parameter(
        "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
    )
    parameters = [context, *own, *shared]
    spread.__doc__ = function.__doc__
    spread.__name__ = function.__name__
    spread.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    spread.__annotations__ = {each.name: each.annotation for each in parameters}
    return spread


@functools.cache  # Many commands share a group, and its annotations are slow to read.
def _options_of(group: Any) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=hints[field.name],
        )
        for field in fields(group)
        if field.name != "root"
    ]
