"""Writes authledger/rows.py from the views' declarations: a named tuple for each view's rows.

So a type checker, and an editor, know the columns. `make docs` runs it, and a test holds the file
against what this makes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from textwrap import fill

from projections.definitions.declared import PROJECTIONS, VIEWS
from projections.projection import Column
from projections.views import Views

FILE = Path(__file__).parents[2] / "authledger" / "rows.py"
_OPENING = '''"""The rows of every view as named tuples: a field for each column, in the view's order.

Made from the views' declarations by `make docs`; changes here are overwritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from projections.definitions.declared import declared_name
'''
_END = '''
ROWS: Final[Mapping[str, type[Any]]] = {{
{rows}
}}
"""The class of a view's rows, by the view's name."""


def name_of(view: type[Any] | str) -> str:
    """The view's name, of a name or of the class of its rows."""
    if isinstance(view, str):
        return declared_name(view)
    return next((name for name, row in ROWS.items() if row is view), view.__name__)
'''


def source() -> str:
    """The text of authledger/rows.py."""
    names = (*Views.names(), "audit_trail")
    classes = "\n".join(_row_class(name) for name in names)
    rows = "\n".join(f'    "{name}": {class_of(name)},' for name in names)
    return f"{_OPENING}\n{classes}\n{_END.format(rows=rows)}"


def class_of(view: str) -> str:
    """The class of a view's rows: `agencies` → `AgenciesRow`."""
    return f"{''.join(word.capitalize() for word in view.split('_'))}Row"


def _row_class(view: str) -> str:
    declared = PROJECTIONS[view] if view in PROJECTIONS else VIEWS[view]
    lines = (
        f"\nclass {class_of(view)}(NamedTuple):",
        _docstring(f"The view `{view}`. {declared.doc}"),
        "",
        *(line for column in declared.columns for line in _field(view, column)),
    )
    return "\n".join(lines) + "\n"


def _field(view: str, column: Column) -> Iterator[str]:
    kind = "datetime" if column.is_time else "int" if column.type == "INTEGER" else "str"
    may_be_null = view == "audit_trail" and column.name not in _OF_EVERY_ENTRY
    optional = " | None" if may_be_null or column.optional else ""
    yield f"    {column.name}: {kind}{optional}"
    yield _docstring(column.doc)


_OF_EVERY_ENTRY = frozenset(
    ("position", "recorded_at", "effective_at", "type", "origin", "stream", "version", "entry")
)
"""The columns of the trail that are never NULL. The other views declare theirs."""


def _docstring(text: str) -> str:
    line = f'    """{text}"""'
    if len(line) <= 100:
        return line
    wrapped = fill(text, 96, initial_indent="    ", subsequent_indent="    ").removeprefix("    ")
    return f'    """{wrapped}\n    """'
