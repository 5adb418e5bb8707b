"""Makes docs/reference/python.md from the docstrings of `authledger`."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

import authledger
from authledger import instants
from authledger.reader import Reader
from ledger import errors
from ledger.messages import Command

FUNCTIONS: tuple[Callable[..., Any], ...] = (
    authledger.open,
    authledger.verify_evidence,
    authledger.event,
)
CLASSES: tuple[type, ...] = (
    authledger.Ledger,
    authledger.Answer,
    authledger.Kind,
    authledger.Actor,
    authledger.Request,
    authledger.Outcome,
    authledger.Recorded,
    authledger.Observation,
    authledger.Provenance,
    authledger.Observed,
    authledger.Imported,
    authledger.ImportReport,
    authledger.Evidence,
    authledger.Verdict,
    authledger.Account,
)
PUBLIC = (*FUNCTIONS, *CLASSES)
_SPACED = re.compile("=")
"""The sign before a default. After an annotation there is a space on each side of it."""


def sections() -> Iterator[str]:
    """The page's sections, each with its heading."""
    for function in FUNCTIONS:
        yield f"## `authledger.{function.__name__}`\n\n{_callable(function)}"
    for kind in CLASSES:
        yield from _class(kind)
    yield f"## `authledger.When`\n\n{_when()}\n"
    yield (
        "## Commands\n\nAll are named by `authledger`, take `account` and `provider` (default: "
        "huaweicloud), and are checked when they are made: a field that is not valid raises "
        "pydantic's `ValidationError`, a ValueError.\n"
    )
    yield "\n".join(sorted(map(_command, _subclasses(Command)))) + "\n"
    yield (
        "## `authledger.rows`\n\nA class for the rows of each view, such as `CapabilitiesRow`: a "
        "named tuple with a field for each column of [the view](views.md). `authledger.Ledger.view` "
        "takes the class in place of the view's name, so that a type checker knows the fields.\n"
    )
    yield (
        "## Errors\n\nAll are named by `authledger`, and are kinds of `LedgerError`. `message` says "
        "what happened and what was not done, `remedy` the next step, in the words of the command "
        "line; `entries` are those that the failing call appended nevertheless.\n"
    )
    yield "\n".join(_errors(errors.LedgerError, 0)) + "\n"


def _class(kind: type) -> Iterator[str]:
    name = kind.__name__
    yield f"## `authledger.{name}`\n\n{inspect.getdoc(kind)}\n"
    fields = [f"| `{declared}` | {doc} |" for declared, doc in _fields(kind)]
    if fields:
        yield "| | |\n|---|---|\n" + "\n".join(fields) + "\n"
    for each, member in _members(kind):
        yield f"### `{name}.{each}`\n\n" + (
            f"{inspect.getdoc(member)}\n" if isinstance(member, property) else _callable(member)
        )


def _members(kind: type) -> Iterator[tuple[str, Any]]:
    """The public properties, and of this package's classes, and of Account, the methods; Ledger's
    include those of its reading half.
    """
    inherited = vars(Reader) if issubclass(kind, Reader) else {}
    is_ours = kind.__module__.startswith("authledger.") or kind is authledger.Account
    for name, member in {**inherited, **vars(kind)}.items():
        is_shown = isinstance(member, property) or (is_ours and inspect.isfunction(member))
        if is_shown and not name.startswith("_") and inspect.getdoc(member):
            yield name, member


def _callable(function: Callable[..., Any]) -> str:
    return f"```python\n{_signature(function)}\n```\n\n{inspect.getdoc(function)}\n"


def _signature(function: Callable[..., Any]) -> str:
    """The signature as the source has it: ruff laid it out."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(tree, ast.FunctionDef)
    arguments = tree.args
    arguments.args = [each for each in arguments.args if each.arg != "self"]
    arguments.posonlyargs = [each for each in arguments.posonlyargs if each.arg != "self"]
    returns = f" -> {ast.unparse(tree.returns)}" if tree.returns else ""
    parameters = [_SPACED.sub(" = ", each, count=1) for each in _apart(ast.unparse(arguments))]
    whole = f"{tree.name}({', '.join(parameters)}){returns}"
    if len(whole) <= 96:
        return whole
    lines = "".join(f"    {each},\n" for each in parameters)
    return f"{tree.name}(\n{lines}){returns}"


def _apart(parameters: str) -> Iterator[str]:
    """The parameters one by one: a comma within brackets separates none."""
    start = depth = 0
    for index, char in enumerate(parameters):
        depth += (char in "[(") - (char in "])")
        if char == "," and not depth:
            yield parameters[start:index]
            start = index + 2
    yield parameters[start:]


def _fields(kind: type) -> Iterator[tuple[str, str]]:
    """The public fields of a class with the docstring below each, as the source has them."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for node, after in zip(tree.body, [*tree.body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.AnnAssign):
            declared = f"{ast.unparse(node.target)}: {ast.unparse(node.annotation)}"
        elif isinstance(node, ast.Assign):
            declared = ast.unparse(node)
        else:
            continue
        if not declared.startswith("_"):
            yield _cell(declared), _cell(_docstring(after))


def _docstring(node: ast.stmt) -> str:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return str(node.value.value) if is_text else ""  # type: ignore[attr-defined]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _when() -> str:
    body = ast.parse(inspect.getsource(instants)).body
    place = next(
        index
        for index, node in enumerate(body)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "When"
    )
    declared = body[place]
    assert isinstance(declared, ast.Assign)
    return f"`{ast.unparse(declared.value)}`: {' '.join(_docstring(body[place + 1]).split())}"


def _command(command: type[Command]) -> str:
    own = [
        name if field.is_required() else f"{name}=…"
        for name, field in command.model_fields.items()
        if name not in Command.model_fields
    ]
    return f"- `{command.__name__}({', '.join(own)})`: {_sentence(command)}"


def _errors(kind: type[errors.LedgerError], depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}- `{kind.__name__}`: {_sentence(kind)}"
    for each in kind.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _errors(each, depth + 1)


def _sentence(owner: type) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(owner) or "").split("\n\n")[0].split())


def _subclasses(kind: type[Command]) -> Iterator[type[Command]]:
    for each in kind.__subclasses__():
        if each.__module__.startswith("ledger."):
            yield each
            yield from _subclasses(each)
