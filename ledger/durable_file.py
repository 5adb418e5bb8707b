"""Writes files durably: readers see the old file or the new one, also after a loss of power.

    1  write a file of another name in the same folder     .authledger-3f0c…
    2  fsync that file                                      its bytes are on the disk
    3  rename it                                            the old file is replaced, as a whole
    4  fsync the folder                                     the new name is on the disk

A process that is killed before step 3 leaves the file of the other name behind; nothing reads it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

UNFINISHED: Final = ".authledger-"
"""The beginning of the names of files that are not whole yet."""
PRIVATE: Final = 0o600
"""The mode of a file that its owner alone can read."""


@contextmanager
def replacing(path: Path, *, mode: int | None = PRIVATE, synced: bool = True) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` when the block ends, unless it raises.

    `mode` is set as it is; None means what the umask leaves. A symbolic link at `path` is replaced,
    not followed. A device or a pipe is written to, never replaced. With `synced=False` the disk is
    not waited for: call `sync_all` before anything says that the file is there. Raises OSError.
    """
    path = path.absolute()
    if _is_device(path):
        with path.open("wb") as device:
            yield device
        return
    fresh = path.with_name(f"{UNFINISHED}{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    try:
        handle = os.open(fresh, flags, PRIVATE if mode is not None else 0o666)
    except OSError as error:
        raise type(error)(error.errno, error.strerror, os.fspath(path)) from error
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            if mode is not None:
                os.fchmod(handle, mode)
            if synced:
                os.fsync(handle)
        fresh.replace(path)
        if synced:
            sync_folder(path.parent)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _is_device(path: Path) -> bool:
    """Whether a path must not be replaced: a device, a pipe, /dev/stdout whatever it leads to."""
    return path.parent == Path("/dev") or (path.exists() and not path.is_file())


def write(path: Path, data: bytes, *, mode: int | None = PRIVATE, synced: bool = True) -> None:
    """Replace a file by these bytes, as `replacing` does."""
    with replacing(path, mode=mode, synced=synced) as file:
        file.write(data)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_all() -> None:
    """Wait until all that was written is on the disk: 10 times faster for thousands of files."""
    os.sync()
