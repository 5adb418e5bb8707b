"""A difference between the schema of a ledger and the one that this program makes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.errors import SchemaAltered


class Difference(NamedTuple):
    """One object of a ledger's database that is not as this program makes it.

    `misleads`: readers may get other answers because of it than the verification. Without that, it
    is only a protection that is missing, or a right too many.
    """

    what: str
    """The kind and the name of the object, for example `index events_by_actor`."""
    how: str
    """In what it differs, and what to do."""
    misleads: bool = True

    def __str__(self) -> str:
        return f"{self.what}: {self.how}"


def refuse_misleading(name: str, found: Sequence[Difference]) -> None:
    """Raises SchemaAltered if a difference may change what is read or appended."""
    misleading = [each for each in found if each.misleads]
    if misleading:
        raise SchemaAltered(
            f"The ledger {name} does not have the tables that authledger makes: "
            f"{'; '.join(map(str, misleading))}. Nothing was read or changed.",
            remedy="To list every difference: authledger log verify",
        )
