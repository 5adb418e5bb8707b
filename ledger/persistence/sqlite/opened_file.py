"""The file that was opened must be the one under its name: compared in every transaction.

A file that was renamed or deleted can still be written by the processes that have it open. Entries
that they append then are in no ledger.
"""

from __future__ import annotations

from pathlib import Path
from stat import S_ISREG
from typing import Final, NamedTuple

from ledger.errors import LedgerReplaced, StoreUnavailable
from ledger.persistence.sqlite.files import beside, is_immutable


class _Standing(NamedTuple):
    """The identity of a file; and, if it is read alone, all that changes if somebody writes it."""

    device: int
    inode: int
    content: tuple[int, int, bool] | None


_LEDGER: Final = (
    "Find out which file is the ledger (`authledger log verify --since PIN`), and try again."
)


class OpenedFile:
    """A file that is about to be opened. It costs two microseconds to look at it again."""

    def __init__(self, path: Path, uri: str, remedy: str = _LEDGER) -> None:
        """Raises OSError if there is no file, StoreUnavailable if it has several names.

        `remedy`: the next step of a user whose file was replaced.
        """
        self._path, self._is_alone, self._remedy = path, is_immutable(uri), remedy
        self._known = self._now()
        self._check_names()

    def check(self) -> None:
        """Raises LedgerReplaced if another file has the name now, or none.

        Raises StoreUnavailable if the file is read alone, and somebody has written to it.
        """
        try:
            now = self._now()
        except FileNotFoundError:
            now = None
        if now == self._known:
            return
        if now is not None and now[:2] == self._known[:2]:
            raise StoreUnavailable(
                f"{self._path} was written to while it was read. This answer may mix two states of "
                "it, and is not shown.",
                remedy="Ask again.",
            )
        what = "is no longer there" if now is None else "is another file now"
        raise LedgerReplaced(
            f"{self._path} {what}: it was moved, deleted or replaced while it was open. This "
            "process still has the former file. Entries that were written there meanwhile are not "
            "in the file that has the name.",
            remedy=self._remedy,
        )

    def _now(self) -> _Standing:
        status = self._path.stat()
        content = None
        if self._is_alone:
            content = status.st_mtime_ns, status.st_size, beside(self._path, "-wal").exists()
        return _Standing(status.st_dev, status.st_ino, content)

    def _check_names(self) -> None:
        status = self._path.stat()
        if not self._is_alone and S_ISREG(status.st_mode) and (names := status.st_nlink) > 1:
            raise StoreUnavailable(
                f"The file {self._path} has {names} names (hard links). Each name has a write-ahead "
                "log of its own, so that entries would be lost. Nothing was read or changed.",
                remedy="Delete the other names (`find -samefile FILE`), or open a copy: "
                "`authledger copy`.",
            )
