"""The fold of an export's facts, from Arrow batches that are sorted by account.

    engine: facts by account, as batches → of each account: facts → spans → lines → digests

All folded projections come from one fold of each account, and one account is in memory at a time.
The same function runs in this process, in the processes of `projections.engines.processes`, and in
those of Spark.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from ledger.errors import CorruptEntry
from projections.definitions.declared import FOLDED
from projections.engines import EngineFailed
from projections.maintenance.digest import Lines
from projections.maintenance.facts import TYPES, Account, fact_at
from projections.maintenance.folded_present import Part, folded_parts

if TYPE_CHECKING:
    import pyarrow as pa

FACTS: Final = f"SELECT provider, account, position, entry FROM events WHERE type IN ({TYPES})"
"""The columns that a fold reads, in the order in which `fold` expects them."""
PLACE: Final = ("provider", "account")
"""By these columns the facts come sorted, by the bytes of UTF-8."""
PARTS_SCHEMA: Final = "name string, rows long, full binary, facts binary"
"""The columns of a batch of parts, in the words of Spark's SQL."""
_PARTS_TOGETHER: Final = 100
_UNUSABLE: Final = (AttributeError, LookupError, TypeError, ValueError)
"""The errors that the fold raises for a value that no event can have."""


def fold(names: Sequence[str], batches: Iterable[pa.RecordBatch]) -> Iterator[Part]:
    """The lines of all accounts for the digests of these projections, account by account.

    Raises EngineFailed if a fact cannot be read: the files may have been altered.
    """
    wanted = [FOLDED[name] for name in names]
    rows = chain.from_iterable(map(rows_of, batches))
    for place, together in groupby(rows, itemgetter(0, 1)):
        account = Account(*place)
        try:
            facts = [fact_at(entry, position) for _, _, position, entry in together]
            yield from folded_parts(wanted, account, filter(None, facts))
        except (CorruptEntry, *_UNUSABLE) as error:
            raise EngineFailed(
                f"The facts of {account.provider} {account.account} cannot be folded: {error}"
            ) from error


def rows_of(batch: pa.RecordBatch) -> Iterator[tuple[Any, ...]]:
    """The rows of a batch, as Python's values."""
    return zip(*(column.to_pylist() for column in batch.columns), strict=True)


def fold_batches(
    names: Sequence[str], batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """The same as batches with the columns of `PARTS_SCHEMA`."""
    import pyarrow as pa  # noqa: PLC0415  Only engines bring it along.

    parts = fold(names, batches)
    while some := list(islice(parts, _PARTS_TOGETHER)):
        rows = [{"name": part.name, **part.lines._asdict()} for part in some]
        yield pa.RecordBatch.from_pylist(rows)


def part_of(name: str, rows: int, full: bytes, facts: bytes) -> Part:
    """A part from its columns."""
    return Part(name, Lines(rows, bytes(full), bytes(facts)))
