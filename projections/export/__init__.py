"""Writes the history in other formats: `FORMATS` has them all by name.

Each file in `formats/` exports one `FORMAT`. docs/howto/add-an-export.md says how to add one.

May import: stores, and what lies below them.
"""

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from typing import Final

from projections.export import formats
from projections.export.format import FolderFormat, Format, TextFormat

__all__ = ["FORMATS", "FolderFormat", "Format", "TextFormat"]


def _formats() -> dict[str, Format]:
    """The FORMAT of every file in `formats`, by its name."""
    names = sorted(each.name for each in pkgutil.iter_modules(formats.__path__))
    found: list[Format] = [import_module(f"{formats.__name__}.{name}").FORMAT for name in names]
    return {each.name: each for each in found}


FORMATS: Final[Mapping[str, Format]] = _formats()
