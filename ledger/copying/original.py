"""What is copied, read from one moment of a ledger and held against its own log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ledger.errors import VerificationFailed
from ledger.merkle.tiles import TILE_WIDTH, TileHashes, tile_path
from ledger.merkle.tree import HASH_BYTES, frontier_of, leaf_hash
from ledger.persistence.as_is import AsIs
from ledger.persistence.columns import COLUMNS
from ledger.persistence.numbering import Numbered
from ledger.persistence.raw_rows import StoredRows
from ledger.persistence.side_tables import CommandRow
from ledger.verification.row_check import differences, fits

_RECORDED_AT: Final = COLUMNS.index("recorded_at")
_COMMAND_ID: Final = COLUMNS.index("command_id")


class CopySource:
    """A ledger within one read transaction: what comes to it later is not seen."""

    def __init__(self, rows: StoredRows) -> None:
        """Raises VerificationFailed if the log has not as many leaves as there are entries."""
        self._rows, self.note = rows, rows.note()
        self.size = rows.extent()[2]
        index, width = divmod(self.size, TILE_WIDTH)
        if len(self._stored(0, index)) != width * HASH_BYTES:
            raise VerificationFailed(
                f"The source has {self.size} entries, and its log another number of leaves: "
                "something was taken away or put in.",
                remedy=_NOTHING,
            )
        self._recorded_at = ""
        self._leaves: tuple[int, bytes] = (-1, b"")

    def tile(self, level: int, index: int, width: int) -> bytes:
        """So many hashes of a tile. Raises VerificationFailed if it has not as many."""
        data = self._stored(level, index)[: width * HASH_BYTES]
        if len(data) != width * HASH_BYTES:
            raise VerificationFailed(
                f"{tile_path(level, index, width)} is missing in the source, or cut off.",
                remedy=_NOTHING,
            )
        return data

    def _stored(self, level: int, index: int) -> bytes:
        data = self._rows.tile(level, index)
        return data if isinstance(data, bytes) else b""

    def root(self, size: int) -> bytes:
        """The root over the first entries, by the tiles."""
        return frontier_of(size, TileHashes(size, self.tile)).root()

    def parts(self, after: int) -> Iterator[AsIs]:
        """All that follows on a position, in parts that end where a command ends.

        Raises VerificationFailed at the first row that is not as it was written.
        """
        commands = _commands(self._rows, after)
        current = next(commands, None)
        held: list[Numbered] = []
        for page in self._rows.whole(after):
            ended: list[CommandRow] = []
            for row in page:
                held.append(self._sound(row, after + len(held)))
                if current is None or row[_COMMAND_ID] != current.command_id:
                    raise VerificationFailed(
                        f"position {row[0]}: its command {row[_COMMAND_ID]} does not say that it "
                        "appended it."
                    )
                if row[0] == current.last_position:
                    ended.append(current)
                    current = next(commands, None)
            if ended:
                count = ended[-1].last_position - after
                yield AsIs(after, held[:count], ended)
                after, held = after + count, held[count:]
        if current is not None:
            raise VerificationFailed(
                f"command {current.command_id}: it has the positions {current.first_position} to "
                f"{current.last_position}; the last is {self.size}."
            )

    def _sound(self, row: Sequence[Any], before: int) -> Numbered:
        """A row as it is to be kept. Raises VerificationFailed."""
        entry = row[4] if isinstance(row[4], bytes) else _bytes(row[4])
        if row[0] != before + 1 or not fits(row, entry, self._recorded_at):
            found = differences(row, entry, before, self._recorded_at)
            what = next(found, "it is not as it would be written")
            raise VerificationFailed(f"position {row[0]}: {what.rstrip('.')}.", remedy=_REMEDY)
        if leaf_hash(entry) != self._leaf(before):
            raise VerificationFailed(
                f"position {row[0]}: the entry is not the one that the log has a leaf of.",
                remedy=_REMEDY,
            )
        self._recorded_at = row[_RECORDED_AT]
        return Numbered(row[0], row[1], row[2], row[3], entry)

    def _leaf(self, index: int) -> bytes:
        tile, place = divmod(index, TILE_WIDTH)
        if self._leaves[0] != tile:
            self._leaves = (tile, self._stored(0, tile))
        return self._leaves[1][place * HASH_BYTES : (place + 1) * HASH_BYTES]


def _commands(rows: StoredRows, after: int) -> Iterator[CommandRow]:
    """The commands that follow on a position, each where the one before it ends."""
    for stored_id, stored_digest, first, last in rows.commands_after(after):
        command_id = stored_id.decode(errors="backslashreplace")
        if first != after + 1 or last < first:
            raise VerificationFailed(
                f"command {command_id}: it has the positions {first} to {last}; the one before "
                f"ends at {after}.",
                remedy=_REMEDY,
            )
        after = last
        yield CommandRow(command_id, _digest(command_id, stored_digest), first, last)


def _digest(command_id: str, stored: bytes | None) -> str | None:
    try:
        return None if stored is None else stored.decode("ascii")
    except UnicodeDecodeError:
        raise VerificationFailed(
            f"command {command_id}: its digest is no text.", remedy=_REMEDY
        ) from None


def _bytes(text: object) -> bytes:
    return str(text).encode(errors="surrogateescape")


_NOTHING: Final = "`authledger log verify` tells more."
_REMEDY: Final = "What comes before it was copied; `authledger log verify` tells more."
