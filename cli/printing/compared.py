"""Prints what lies behind the rows of a comparison: statements of documents, and what passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from cli.printing.output import out

if TYPE_CHECKING:
    from projections.audit.difference import Difference, Passing

LINES_MAX: Final = 10
"""How many statements are printed of those that were added, and of those that were removed; and how
many states or calls of those in between."""
_WIDTH_MAX: Final = 1_000
_NOT_KNOWN: Final = ("not modelled", "not told")


def print_details(found: Iterable[Difference], known: Mapping[str, str]) -> None:
    """Print what documents say now and said before, and what passed between the two instants.

    `known` are the actors' names, by surrogate id.
    """
    for each in found:
        if each.document_changed:
            out("", f"{each.view} {each.what}: {_heading(each)}, {_when_and_who(each, known)}")
            out(*_statements(each))
        if each.between:
            out("", f"{each.view} {each.what}: {_passed(each)}")
            out(*_limited(" ", [f"{one.what}, {_at_and_who(one, known)}" for one in each.between]))


def summary(found: Sequence[Difference]) -> str:
    """`3 rows changed, 1 row changed only in between, of 2 calls it is not known what …`."""
    changed = sum(each.is_difference for each in found)
    equal = sum(each.change == "equal" for each in found)
    calls = sum(len(each.between) for each in found if each.change in _NOT_KNOWN)
    off = sum(len(each.between) for each in found if each.change == "not recorded")
    parts = (
        f"{_counted(changed, 'row')} changed" if changed else "",
        f"{_counted(equal, 'row')} changed only in between" if equal else "",
        f"of {_counted(calls, 'call')} in between it is not known what changed" if calls else "",
        f"recording was off {_counted(off, 'time')}, so changes may be missing" if off else "",
    )
    return ", ".join(filter(None, parts))


def _counted(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _heading(each: Difference) -> str:
    if each.has_ended:
        return "it ended"
    if each.before is None or each.after is None:
        return f"{each.change}, with a document"
    if each.says:
        return "its document is known"
    old, new = (values.get("document") for values in (each.before, each.after))
    if not new:
        return "its document was set"
    return "another version of the same document" if old == new else "another document"


def _when_and_who(each: Difference, known: Mapping[str, str]) -> str:
    when = f"{each.since[:19]}Z" if each.since else "at a time that is not known"
    return f"{when}{_by(each.actor, known)}"


def _at_and_who(each: Passing, known: Mapping[str, str]) -> str:
    return f"{each.at[:19]}Z{_by(each.actor, known)}"


def _by(actor: str | None, known: Mapping[str, str]) -> str:
    return f", by {known.get(actor, actor)}" if actor else ""


def _passed(each: Difference) -> str:
    if each.change in _NOT_KNOWN:
        return f"{each.change}, so it is not known what changed"
    if each.change == "not recorded":
        return "not recorded, so changes may be missing"
    return "equal at both instants, but in between" if each.change == "equal" else "in between"


def _statements(each: Difference) -> Iterator[str]:
    if each.not_known:
        yield f"  {each.not_known}{'; since then it says' if each.says else ''}"
    for sign, statements in (("+", each.added), ("-", each.removed), ("=", each.says)):
        yield from _limited(f" {sign}", statements)


def _limited(start: str, lines: Sequence[str]) -> Iterator[str]:
    for line in lines[:LINES_MAX]:
        yield f" {start} {_shortened(line)}"
    if len(lines) > LINES_MAX:
        yield f" {start} … and {len(lines) - LINES_MAX} more (-o json has all)"


def _shortened(line: str) -> str:
    return line if len(line) <= _WIDTH_MAX else f"{line[:_WIDTH_MAX]}…"
