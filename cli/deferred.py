"""A group whose commands are made from a list that takes long to import: only once it is needed.

class SourceCommands(DeferredGroup):
    def register(self, app: typer.Typer) -> None: ...   # import the list, add a command for each

app = typer.Typer(cls=SourceCommands, help="…")
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import typer
from typer.core import TyperGroup


class DeferredGroup(TyperGroup):
    """`authledger --help` lists this group without importing what its commands are made from."""

    _made: MutableMapping[str, Any] | None = None

    def register(self, app: typer.Typer) -> None:
        """Add the commands to an app."""
        raise NotImplementedError

    @property
    def commands(self) -> MutableMapping[str, Any]:
        """All commands of the group, by name."""
        if self._made is None:
            app = typer.Typer(rich_markup_mode=self.rich_markup_mode)
            self.register(app)
            self._made = typer.main.get_group(app).commands
        return self._made

    @commands.setter
    def commands(self, _: MutableMapping[str, Any]) -> None:
        """Typer assigns what it knows when the group is built: nothing yet."""
