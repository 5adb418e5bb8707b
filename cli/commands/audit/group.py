"""authledger audit: the trail, one entry, history replayed, two instants compared, and why."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from cli.commands.audit import diff, evidence, replay, why
from cli.commands.audit.trail import print_trail, with_sentences
from cli.filters import say_unknown_words
from cli.options import (
    Asking,
    Listing,
    OnlyAccount,
    OnlyProvider,
    OnlyRegion,
    Reading,
    Uses,
    command,
)
from cli.printing.output import Output, exact, say, show_document
from cli.reading import ledger_of, print_result, time_of, views_of

app = typer.Typer(help="The audit trail: who did what, when, and why an answer is what it is.")

Actor = Annotated[
    str | None,
    typer.Option(metavar="NAME|ID", help="The actor: a name, or a surrogate id."),
]
Agency = Annotated[str | None, typer.Option(metavar="NAME", help="The agency concerned.")]
Policy = Annotated[str | None, typer.Option(metavar="NAME", help="The policy concerned.")]


def _complete_event(incomplete: str) -> list[str]:
    from ledger.events import BY_NAME

    return [name for name in sorted(BY_NAME) if name.startswith(incomplete)]


Event = Annotated[
    str | None,
    typer.Option(
        metavar="TYPE",
        help="The event's name, e.g. FeatureRefused.",
        autocompletion=_complete_event,
    ),
]
Outcome = Annotated[
    str | None,
    typer.Option(
        metavar="WORD", help="How it ended: refused, failed, carried-out, admitted or dialog."
    ),
]
Origin = Annotated[
    str | None,
    typer.Option(metavar="WORD", help="commanded (through the ledger) or observed (in a trace)."),
]
Established = Annotated[
    str | None,
    typer.Option(
        metavar="WORD",
        help="How the actor is known: claimed (by a flag), os-user, trace or ledger. Reserved, but "
        "not written yet: database-user, ssh-key and session.",
    ),
]
RunBy = Annotated[
    str | None,
    typer.Option(
        metavar="USER[@HOST]|ID",
        help="The operating system's user that ran the command, on any host or on one.",
    ),
]
Since = Annotated[
    str | None,
    typer.Option(metavar="WHEN", help="Only entries that happened at that time or later."),
]
Until = Annotated[
    str | None, typer.Option(metavar="WHEN", help="Only entries that happened before that time.")
]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="How many entries a page has.")]
After = Annotated[
    int | None,
    typer.Option(
        metavar="POSITION", min=0, max=2**62, help="Go on after this position, the last of a page."
    ),
]
OldestFirst = Annotated[
    bool, typer.Option("--oldest-first", help="From the beginning; the default is newest first.")
]


@command(app, "trail")
def trail(
    ask: Listing,
    *,
    account: OnlyAccount = None,
    provider: OnlyProvider = None,
    region: OnlyRegion = None,
    service: Asking = None,
    uses: Uses = None,
    actor: Actor = None,
    agency: Agency = None,
    policy: Policy = None,
    event: Event = None,
    outcome: Outcome = None,
    origin: Origin = None,
    established: Established = None,
    run_by: RunBy = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 50,
    after: After = None,
    oldest_first: OldestFirst = False,
) -> None:
    """Print the audit trail: every fact and every refused attempt, newest first.

    Only flags filter it, not the configuration. All times are effective times. The trail is caught
    up with the ledger first. Where this connection may not do that, the answer ends at the position
    that is printed on stderr.
    """
    from projections.definitions.audit_trail import TrailFilter

    with views_of(ask) as views:
        wanted = TrailFilter(
            account=account or ask.root.account,
            provider=provider or ask.root.provider,
            region=region,
            service=service,
            uses=uses,
            actor=actor,
            agency=agency,
            policy=policy,
            event=event,
            outcome=outcome,
            origin=origin,
            established=established,
            run_by=run_by,
            since=time_of(since),
            until=time_of(until),
        )
        page = views.trail(wanted, after=after, limit=limit, newest_first=not oldest_first)
        say(f"now, position {page.position}")
        # A mistyped region also gets the entries of all regions.
        say_unknown_words(views, {"region": region} if page.rows else asdict(wanted))
        if ask.choice.is_given:
            print_result(ask.form, with_sentences(page, views), views, choice=ask.choice)
        elif ask.form is Output.TABLE:
            print_trail(page, views, ask.choice, with_runner=bool(established or run_by))
        else:
            print_result(ask.form, page, views)
        if page.more:
            say(f"There are more entries: go on with --after {page.rows[-1][0]}.")


Position = Annotated[
    int,
    typer.Argument(metavar="POSITION", min=1, max=2**62, help="The entry's place in the history."),
]


@command(app, "show")
def show(ask: Reading, position: Position) -> None:
    """Print one entry exactly as it is stored: one line of canonical JSON."""
    with ledger_of(ask) as ledger:
        text = ledger.entry_text(position)
        if ask.settings.given("output") is None or ask.form is not Output.JSON:
            exact(f"{text}\n")
        else:
            import json

            show_document(ask.form, json.loads(text))


command(app, "replay")(replay.replay)
# -7d and -12h are instants here, not options.
_INSTANTS = {"ignore_unknown_options": True, "help_option_names": ["--help"]}
command(app, "diff", context_settings=_INSTANTS)(diff.diff)
command(app, "why")(why.why)
evidence.register(app)
