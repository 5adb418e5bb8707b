"""The signer's record: the last checkpoint that a log's key signed and that was released.

A checkpoint that contradicts the record is never signed. The file is written in place and in one
write, which takes a fifth of the time that a new file takes, and without waiting for the disk: a
record that lost its newest state in a power cut is an older one, which is true as well, and a torn
record is recognised because it cannot be parsed.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger import durable_file
from ledger.errors import KeyUnusable
from ledger.merkle.checkpoint import Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import NOTE_BYTES_MAX, parse_note


class SignerRecord:
    """The record of one log's key, in the file at `path`."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self.path = path
        self._parsed: dict[bytes, Checkpoint] = {}
        """The two that this process signed or read last, so that they are not parsed each time."""

    def last(self) -> Checkpoint | None:
        """The last checkpoint that was released; None if there is no record. Raises KeyUnusable."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None  # An empty file is not a missing one: it was emptied.
        try:
            return self._parse(data)
        except NoteInvalid:
            with self._locked() as handle:  # Another process may be writing it just now.
                return self._read(handle)

    def remember(self, note: str) -> None:
        """Record a checkpoint that was released, unless a newer one is recorded.

        Raises KeyUnusable.
        """
        record = note.encode()
        size = self._parse(record).size
        with self._write_errors():
            if not self.path.exists():
                durable_file.write(self.path, record, synced=False)
                return
            with self._locked() as handle:
                if self._read(handle).size < size:
                    _overwrite(handle, record)

    def cache(self, note: str, checkpoint: Checkpoint) -> None:
        """Keep what a note parses to, for `remember`."""
        self._cache(note.encode(), checkpoint)

    @contextmanager
    def _write_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise KeyUnusable(
                f"{self.path}, the signer's record, could not be written: {error.strerror}.",
                remedy="The checkpoint itself is signed and kept in the ledger. Make the record "
                "writable again (free space, permissions): the next checkpoint renews it.",
            ) from error

    @contextmanager
    def _locked(self) -> Iterator[int]:
        """The open file, locked against other processes."""
        handle = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
        finally:
            os.close(handle)

    def _read(self, handle: int) -> Checkpoint:
        """The checkpoint in an open record."""
        data = os.pread(handle, NOTE_BYTES_MAX + 1, 0)
        try:
            return self._parse(data)
        except NoteInvalid as error:
            raise KeyUnusable(
                f"{self.path}, the signer's record, cannot be read: {error}",
                remedy="Check the ledger against a checkpoint that an auditor kept (`authledger "
                "log verify --since FILE`), then delete the record: the next checkpoint makes a "
                "new one.",
            ) from error

    def _parse(self, data: bytes) -> Checkpoint:
        if data not in self._parsed:
            self._cache(data, parse_checkpoint(parse_note(data).text))
        return self._parsed[data]

    def _cache(self, data: bytes, checkpoint: Checkpoint) -> None:
        self._parsed = {**dict(list(self._parsed.items())[-1:]), data: checkpoint}


def _overwrite(handle: int, record: bytes) -> None:
    """Replace the content of an open file. Raises OSError, also if only a part was written."""
    written = os.pwrite(handle, record, 0)
    if written < len(record):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if os.fstat(handle).st_size > len(record):
        os.ftruncate(handle, len(record))
