"""The common steps of writing commands: build the command, execute it, print its entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cli.input import built, line
from cli.new_region import check_region
from cli.options import Login
from cli.printing.output import Output, say, show, warn
from cli.reading import opened

if TYPE_CHECKING:
    from cli.settings import Settings
    from ledger.application import Actor, Ledger, Outcome
    from ledger.messages import Command, Recorded

Report = Callable[["Ledger", "tuple[Recorded, ...]"], None]
"""Prints more about the entries of a command."""


def carry_out(
    ask: Login,
    kind: type[Command],
    *,
    report: Report | None = None,
    new_region: bool = False,
    actor: str | None = None,
    strict: bool = False,
    **words: object,
) -> None:
    """Execute a command, and print its entries, also those of a refusal. `report` prints more.

    Raises as Ledger.execute; with `strict` ConditionNotMet if the outcome is not known.
    """
    from ledger.errors import LedgerError, Refused

    settings = ask.settings
    request = built(
        kind, provider=settings.value("provider"), account=settings.need("account"), **words
    )
    form = ask.form
    who = actor_of(settings.value("actor") if actor is None else actor)
    envelope = {
        name: checked(name, getattr(ask, name))
        for name in ("reason", "command_id", "correlation_id")
    }
    check_region(ask, request, is_new=new_region)
    with open_for_writing(ask) as ledger:
        try:
            outcome = ledger.execute(request, actor=who, dry_run=ask.dry_run, **envelope)
        except LedgerError as error:
            if error.entries or isinstance(error, Refused):
                show_entries(form, error.entries, _names(ledger, error.entries, who))
            raise
        if report is not None and form is Output.TABLE:
            report(ledger, outcome.entries)
        show_entries(form, outcome.entries, _names(ledger, outcome.entries, who))
        _note(outcome)
        if outcome.is_unknown:
            _warn_of_unknown(strict=strict)


def _warn_of_unknown(*, strict: bool) -> None:
    from ledger.errors import ConditionNotMet

    if strict:
        raise ConditionNotMet("The outcome is not known (--strict).")
    warn("The outcome is not known: this is neither a refusal nor a success.")


def _names(ledger: Ledger, entries: tuple[Recorded, ...], who: Actor) -> Mapping[str, str]:
    """The names in a command's entries; after a dry run the actor may not be registered yet."""
    registered = {
        getattr(entry.event, "subject", ""): who.name
        for entry in entries
        if entry.type == "SubjectRegistered"
    }
    return {**names_in(ledger, entries), **registered}


def _note(outcome: Outcome) -> None:
    if outcome.note:
        say(outcome.note)
    if outcome.dry_run:
        say("Dry run: nothing was appended.")
    elif outcome.repeated:
        say("This command id was used before: nothing was appended. Above are its first entries.")
    elif not outcome.entries and not outcome.note:
        say("Nothing was appended.")


class open_for_writing:  # noqa: N801  It is used as a function.
    """The ledger, which is made if there is none (not by a dry run), and closed at the end."""

    def __init__(self, ask: Any) -> None:
        self._ask = ask
        self._elsewhere: TemporaryDirectory[str] | None = None

    def __enter__(self) -> Ledger:
        from ledger.errors import NotFound

        settings = self._ask.settings
        try:
            self._ledger = opened(settings, settings.ledger, create=False)
        except NotFound:
            self._ledger = self._new(settings)
        return self._ledger

    def _new(self, settings: Settings) -> Ledger:
        if getattr(self._ask, "dry_run", False):
            from ledger.persistence.location import SQLiteFile

            self._elsewhere = TemporaryDirectory(prefix="authledger-")
            return opened(
                settings, SQLiteFile(Path(self._elsewhere.name, "ledger.db")), create=True
            )
        ledger = opened(settings, settings.ledger, create=True)
        say(f"A new ledger: {ledger.location}")
        return ledger

    def __exit__(self, *_: object) -> None:
        self._ledger.close()
        if self._elsewhere is not None:
            self._elsewhere.cleanup()


def confirmed(question: str) -> None:
    """Ask before an erasure. Raises InvalidInput if nobody can be asked, Exit on a no."""
    import sys

    import typer

    from ledger.errors import InvalidInput

    if not sys.stdin.isatty():
        raise InvalidInput(
            "An erasure cannot be undone, and nobody can be asked here. Nothing was erased.",
            remedy="Add --yes to erase without asking.",
        )
    if not typer.confirm(question, err=True):
        say("Nothing was erased.")
        raise typer.Exit


def actor_of(claimed: str | None) -> Actor:
    """The actor: as a flag or the configuration claims, else the operating system's user."""
    from authledger.actor import actor_of

    return actor_of(None if claimed is None else line("actor", claimed))


def checked(field: str, text: str | None) -> str | None:
    """A line of free text, checked as the ledger checks it. Raises InvalidInput."""
    return None if text is None else line(field, text)


def names_in(ledger: Ledger, entries: Iterable[Recorded]) -> Mapping[str, str]:
    """The names behind the surrogate ids of these entries."""
    from ledger.events import subjects_of

    subjects = {subject for entry in entries for subject in subjects_of(entry)}
    return ledger.names(sorted(subjects))


def show_entries(form: Output, entries: Iterable[Recorded], names: Mapping[str, str]) -> None:
    """Print entries: in a table a sentence for each, in other forms all stored fields."""
    import json

    from ledger.events import sentence
    from ledger.persistence.entry import encode

    entries = tuple(entries)
    if form is Output.TABLE:
        rows = [(_place(entry), entry.type, sentence(entry, names)) for entry in entries]
        show(form, ("position", "event", "what"), rows, empty="")
        return
    documents = [
        {"position": entry.position, "type": entry.type, **json.loads(encode(entry))}
        for entry in entries
    ]
    columns = ("position", "type", "effective_at", "account", "region", "actor", "what")
    show(
        form,
        columns,
        [
            (*(document.get(name) for name in columns[:-1]), sentence(entry, names))
            for document, entry in zip(documents, entries, strict=True)
        ],
        records=documents,
    )


def _place(entry: Recorded) -> str:
    return "-" if entry.position is None else str(entry.position)
