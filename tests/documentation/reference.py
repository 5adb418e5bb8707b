"""Writes docs/reference from the code: commands, events, views, Python. `make docs` runs it.

A test compares the files with the output, so they cannot be outdated.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import typer.main

from cli.main import app
from ledger.account.account import replay
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.events import EVENTS, sentence
from ledger.messages import DomainEvent
from ledger.values import Line
from projections.definitions.declared import PROJECTIONS, VIEWS
from projections.projection import Column, DerivedView, Stored
from tests.documentation import python_reference, row_classes
from tests.ledger.examples import AT, example_entry, example_event, fields_of

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
MADE = "<!-- Generated from the code by `make docs`; changes here are overwritten. -->\n"


def pages() -> dict[str, str]:
    """Every page's text, by file name."""
    return {
        "cli.md": _page("Commands", "Every command, with the text of its `--help`.", _commands()),
        "events.md": _page(
            "Events",
            "Every event by topic: its stream, an example of its sentence in the audit trail, its "
            "effect, and the fields that it has beside the envelope's (docs/architecture.md).",
            _events(),
        ),
        "views.md": _page(
            "Views",
            "The views that `authledger view` shows and `authledger query` reads. Every projection "
            "`NAME` also has a table `NAME_history`. In that of `regions`, `agencies`, "
            "`trustees`, `boundaries` and `policies`, `valid_from` and `until_at` (NULL: it lasts) say when a row was so, "
            "`from_position`, `until_position` and `gone_position` at which positions the ledger "
            "learned it, learned its end, and took it back (NULL: not); `begins_alone` and "
            "`ends_alone` are 1 if an expiry, and no event, begins or ends it; `thing` tells "
            "things of one name apart. In that of the others, `from_position` and "
            "`until_position` (NULL: the present; equal to `from_position`: arrived late, never "
            "the present) say when a row was valid, and `effective_at` when the change happened; "
            "a counter has a column `…_change` there.",
            _views(),
        ),
        "python.md": _page(
            "Python",
            "The package `authledger`, as its docstrings tell it. docs/python.md shows it at work.",
            python_reference.sections(),
        ),
    }


def _page(title: str, opening: str, sections: Iterator[str]) -> str:
    return f"{MADE}# {title}\n\n{opening}\n\n" + "\n".join(sections)


def _commands() -> Iterator[str]:
    root = typer.main.get_command(app)
    yield from _command("authledger", root)


def _command(path: str, command: Any) -> Iterator[str]:
    yield f"## `{path}`\n\n{_sentence(command.help)}\n"
    rows = [
        f"| `{_spelling(parameter)}` | {_sentence(getattr(parameter, 'help', '') or '')} |"
        for parameter in command.params
    ]
    if rows:
        yield "| | |\n|---|---|\n" + "\n".join(rows) + "\n"
    for name, inner in sorted(getattr(command, "commands", {}).items()):
        if not inner.hidden:
            yield from _command(f"{path} {name}", inner)


def _spelling(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return str(parameter.metavar or parameter.name.upper())
    return ", ".join((*parameter.opts, *parameter.secondary_opts))


def _events() -> Iterator[str]:
    for event in sorted(EVENTS, key=lambda event: event.TOPIC):
        yield f"## {event.__name__}\n\n{_sentence(inspect.getdoc(event))}\n"
        yield f"Topic `{event.TOPIC}`, in the stream `{event.STREAM}:…`.\n"
        yield f"> {_example(event)}\n"
        yield f"Effect: {_effect(event)}.\n"
        yield "| field | type |\n|---|---|\n" + "\n".join(_fields(event)) + "\n"


def _example(event: type[DomainEvent]) -> str:
    """The sentence of an example event of alice, with every field set."""
    fields = {name: "…" for name, kind in fields_of(event).items() if kind in (Line, Line | None)}
    if "impact_features" in event.model_fields:
        fields["impact_features"] = ("cn-north-4/asm/mesh",)  # type: ignore[assignment]
    made = example_event(event).model_copy(update=fields)
    entry = replace(example_entry(event), event=made, origin="commanded", reason=None)
    return sentence(entry, {"p-0123456789abcdef0123": "alice"})


def _effect(event: type[DomainEvent]) -> str:
    effect = EVENTS[event].effect
    if isinstance(effect, str):
        return effect
    entry = example_entry(event)
    state = replay(State("huaweicloud", "0a1b2c3d4e5f"), [entry])
    after = effect(Account(state, state.next_instant(AT)), entry.event)
    return f"{after.what}: … → {after.state}"


def _fields(event: type[DomainEvent]) -> Iterator[str]:
    for name, declared in event.model_fields.items():
        optional = "" if declared.is_required() else ", may be absent"
        yield f"| `{name}` | {_type(declared.annotation)}{optional} |"


def _type(annotation: Any) -> str:
    """A type in words: `text`, `time`, or the values that a field may have."""
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    if any(isinstance(argument, str) for argument in arguments):
        return " or ".join(f"`{argument}`" for argument in arguments)
    if getattr(annotation, "__origin__", None) is tuple:
        return f"list of {_type(arguments[0])}"
    if arguments:
        return _type(arguments[0])
    names = {"str": "text", "int": "number", "bool": "true or false", "datetime": "time"}
    return names[annotation.__name__]


def _views() -> Iterator[str]:
    everything: list[Stored | DerivedView] = [*PROJECTIONS.values(), *VIEWS.values()]
    for declared in everything:
        yield f"## {declared.name}\n\n{declared.doc}\n"
        yield _columns(declared.columns)


def _columns(columns: tuple[Column, ...]) -> str:
    rows = [f"| `{column.name}` | {column.type} | {column.doc} |" for column in columns]
    return "| column | type | |\n|---|---|---|\n" + "\n".join(rows) + "\n"


def _sentence(text: str | None) -> str:
    return " ".join((text or "").replace("\b", "").split()).replace("|", "\\|")


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    row_classes.FILE.write_text(row_classes.source(), encoding="utf-8")
