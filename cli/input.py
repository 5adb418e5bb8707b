"""Validates words from the command line; an error names the option and what it accepts."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import ValidationError

    from ledger.errors import InvalidInput
    from ledger.messages import Command

    C = TypeVar("C", bound=Command)

ARGUMENTS = {
    "agency": "The agency's name",
    "policy": "The policy's name",
    "feature": "The feature's name",
    "actor": "The actor's name",
}
"""How errors call the fields that are arguments or have several options; others have an option of
their name."""
OPTIONS = {"target": "--for", "life_seconds": "--life"}
"""The options whose name differs from the field's."""
MEANING = {
    "account": "1 to 64 letters, digits, dots, _ or -",
    "provider": "lower-case letters, digits and -, e.g. huaweicloud",
    "region": "1 to 128 characters without spaces, colons and control characters",
    "service": "lower-case letters, digits, dots, _ and -, e.g. asm",
    "target": "lower-case letters, digits, dots, _ and -, e.g. vpc",
    "feature": "lower-case letters, digits and -, e.g. ingress-gateway",
    "agency": "1 to 128 characters on one line",
    "policy": "1 to 512 characters on one line",
    "command_id": "1 to 128 characters on one line",
}
_ONE_LINE = "1 to 1,024 characters on one line"


def check_text(what: str, text: str) -> None:
    """Raise InvalidInput for a text that nothing can store, as `ledger.values` says."""
    if text.isascii() and "\0" not in text:
        return  # Nearly every text is; `ledger.values` is imported only for the others.
    from ledger.values import check_storable

    check_storable(what, text)


def built(kind: type[C], **words: Any) -> C:
    """A command of validated words. Raises InvalidInput, which names the option."""
    from pydantic import ValidationError

    try:
        return kind(**words)
    except ValidationError as error:
        raise explained(error) from error


def line(field: str, text: str) -> str:
    """One line of free text, such as a reason. Raises InvalidInput."""
    from pydantic import ValidationError

    try:
        return cast(str, _adapters()[field == "command_id"].validate_python(text))
    except ValidationError as error:
        raise bad(field, text) from error


@cache
def _adapters() -> tuple[Any, Any]:
    from pydantic import TypeAdapter

    from ledger.values import CommandId, Line

    return TypeAdapter(Line), TypeAdapter(CommandId)


def explained(error: ValidationError) -> InvalidInput:
    """An error for the first field that is not valid; it names the option."""
    first = error.errors(include_url=False)[0]
    return bad(str(first["loc"][0]) if first["loc"] else "value", first.get("input"))


def bad(field: str, value: object) -> InvalidInput:
    """An error that names the option, the value that it was given, and the accepted ones."""
    from ledger.errors import InvalidInput

    option = ARGUMENTS.get(field) or OPTIONS.get(field) or f"--{field.replace('_', '-')}"
    return InvalidInput(
        f"{option} {value!r} is not valid. Accepted: {MEANING.get(field, _ONE_LINE)}."
    )
