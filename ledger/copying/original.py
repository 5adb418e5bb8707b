"""The original of a copy: a ledger as it is at one moment, compared with its own log on reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ledger.errors import VerificationFailed
from ledger.merkle.tiles import TILE_WIDTH, TileHashes, tile_path
from ledger.merkle.tree import HASH_BYTES, frontier_of, leaf_hash
from ledger.persistence.as_is import AsIs
from ledger.persistence.columns import COLUMNS
from ledger.persistence.entry import command_id_of
from ledger.persistence.numbering import Numbered, recorded_in
from ledger.persistence.raw_rows import StoredRows
from ledger.persistence.side_tables import CommandRow
from ledger.verification.row_check import differences, fits
from ledger.verification.segment import stored_bytes

_ENTRY: Final = COLUMNS.index("entry")


def _part(after: int, rows: Sequence[Numbered], commands: Sequence[CommandRow]) -> AsIs:
    """A part, which erases in the target what its entries erase."""
    erased = {
        kind: [row.stream.partition(":")[2] for row in rows if row.topic.startswith(f"{kind}.")]
        for kind in ("SubjectErased", "DocumentErased")
    }
    return AsIs(
        after,
        rows,
        commands,
        erased=erased["SubjectErased"],
        erased_documents=erased["DocumentErased"],
    )


class Original:
    """A ledger within one read transaction: later appends are not seen."""

    def __init__(self, rows: StoredRows, name: str) -> None:
        """`name` is what errors call it. Raises VerificationFailed if its log has not one leaf for
        each entry.
        """
        self._rows, self.name, self.note = rows, name, rows.note()
        self.size = rows.extent()[2]
        index, width = divmod(self.size, TILE_WIDTH)
        if len(self._stored(0, index)) != width * HASH_BYTES:
            raise self.altered(
                f"The source has {self.size} entries, but its log has another number of leaves: "
                "entries or tiles were removed or added."
            )
        self._recorded_at = ""
        self._leaves: tuple[int, bytes] = (-1, b"")

    def altered(self, what: str) -> VerificationFailed:
        """The error that something in the original is not as it was written."""
        return VerificationFailed(
            what, remedy=f"To list all that was altered: authledger log verify --ledger {self.name}"
        )

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The first `width` hashes of a tile. Raises VerificationFailed if it has fewer."""
        data = self._stored(level, index)[: width * HASH_BYTES]
        if len(data) != width * HASH_BYTES:
            path = tile_path(level, index, width)
            raise self.altered(f"{path} is missing in the source, or cut off.")
        return data

    def _stored(self, level: int, index: int) -> bytes:
        data = self._rows.tile(level, index)
        return data if isinstance(data, bytes) else b""

    def root(self, size: int) -> bytes:
        """The root over the first `size` entries, computed from the tiles."""
        return frontier_of(size, TileHashes(size, self.tile)).root()

    def parts(self, after: int) -> Iterator[AsIs]:
        """All entries after a position, in parts that end where a command ends.

        Raises VerificationFailed at the first row that is not as it was written.
        """
        commands = self._commands(after)
        current = next(commands, None)
        held: list[Numbered] = []
        for page in self._rows.whole(after):
            ended: list[CommandRow] = []
            for row in page:
                held.append(self._checked(row, after + len(held)))
                command_id = command_id_of(held[-1].state)
                if current is None or command_id != current.command_id:
                    raise self.altered(
                        f"position {row[0]}: its command {command_id} does not list this position."
                    )
                if row[0] == current.last_position:
                    ended.append(current)
                    current = next(commands, None)
            if ended:
                count = ended[-1].last_position - after
                yield _part(after, held[:count], ended)
                after, held = after + count, held[count:]
        if current is not None:
            raise self.altered(
                f"command {current.command_id}: it lists the positions {current.first_position} "
                f"to {current.last_position}, but the last position is {self.size}."
            )

    def _checked(self, row: Sequence[Any], before: int) -> Numbered:
        """A row, after it was compared with its entry and its leaf. Raises VerificationFailed."""
        entry = stored_bytes(row[_ENTRY])
        if row[0] != before + 1 or not fits(row, entry, self._recorded_at):
            found = differences(row, entry, before, self._recorded_at)
            what = next(found, "the entry is not written as the ledger writes it")
            raise self.altered(f"position {row[0]}: {what.rstrip('.')}.")
        if leaf_hash(entry) != self._leaf(before):
            raise self.altered(f"position {row[0]}: the entry does not match its leaf in the log.")
        self._recorded_at = recorded_in(entry) or ""
        return Numbered(row[0], row[1], row[2], row[3], entry)

    def _leaf(self, index: int) -> bytes:
        tile, place = divmod(index, TILE_WIDTH)
        if self._leaves[0] != tile:
            self._leaves = (tile, self._stored(0, tile))
        return self._leaves[1][place * HASH_BYTES : (place + 1) * HASH_BYTES]

    def _commands(self, after: int) -> Iterator[CommandRow]:
        """The commands after a position, each of which must begin where the one before it ends."""
        for stored_id, stored_digest, first, last in self._rows.commands_after(after):
            command_id = stored_id.decode(errors="backslashreplace")
            if first != after + 1 or last < first:
                raise self.altered(
                    f"command {command_id}: it lists the positions {first} to {last}; expected to "
                    f"start at {after + 1}."
                )
            after = last
            yield CommandRow(command_id, self._digest(command_id, stored_digest), first, last)

    def _digest(self, command_id: str, stored: bytes | None) -> str | None:
        try:
            return None if stored is None else stored.decode("ascii")
        except UnicodeDecodeError:
            raise self.altered(f"command {command_id}: its digest is not a text.") from None
