"""The entries from which rows of a folded projection follow.

They are the facts that bear on the things of the rows, up to a position, and the entry at that
position, whose recorded time decides what had expired.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from ledger.folding import Closure, Fact, Handle, Recall, Thing, closure, rules_of
from projections.maintenance.facts import Account, recalled
from projections.projection import FoldedProjection
from projections.stores.connection import Connection

Row = Sequence[Any]
_NAMED_BY: Final = {"policy": ("policy", "policy_id")}
"""By the subject of a projection, its columns with a thing's name and id."""


class Origins(NamedTuple):
    """The positions of the entries, and a test of whether they say all of a row's thing.

    Other rows may come from them as well, but other entries may say more of those.
    """

    positions: list[int]
    cover: Callable[[Row], bool]


def origins(
    connection: Connection, projection: FoldedProjection, rows: Iterable[Row], position: int
) -> Origins:
    """The entries from which rows follow that the ledger had at a position."""
    things: dict[Account, set[Thing]] = defaultdict(set)
    place = _place(projection)
    for row in rows:
        account, thing = place(row)
        things[account].add(thing)
    found = {
        account: closure(
            "policy" if projection.subject == "policy" else "agency",
            sorted(some, key=str),
            _recalling(connection, account, position),
            rules_of(account.provider),
        )
        for account, some in sorted(things.items())
    }
    positions = {fact.position for each in found.values() for fact in each.facts}
    return Origins(sorted(positions | {position}), _cover(place, found))


def _recalling(connection: Connection, account: Account, last: int) -> Recall:
    """Returns facts of an account by their handles, up to a position."""
    known: dict[int, Fact] = {}

    def recall(handles: Collection[Handle]) -> list[Fact]:
        found = recalled(connection, account, handles, known)
        return [fact for fact in found if fact.position <= last]

    return recall


def _place(projection: FoldedProjection) -> Callable[[Row], tuple[Account, Thing]]:
    """A function that returns the account of a row, and the id and name of its thing."""
    columns = [column.name for column in projection.columns]
    named = _NAMED_BY.get(projection.subject, ("agency", "agency_id"))
    cells = itemgetter(*(columns.index(name) for name in ("provider", "account", *named)))

    def place(row: Row) -> tuple[Account, Thing]:
        provider, account, name, identity = cells(row)
        # A thing whose name was never told is shown by its id.
        return Account(provider, account), (identity or None, None if name == identity else name)

    return place


def _cover(
    place: Callable[[Row], tuple[Account, Thing]], found: Mapping[Account, Closure]
) -> Callable[[Row], bool]:
    def cover(row: Row) -> bool:
        account, thing = place(row)
        return account in found and found[account].covers(thing)

    return cover
