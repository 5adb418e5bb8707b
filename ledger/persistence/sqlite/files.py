"""Opens SQLite files, in the same way for the writer, the verification and every reader.

A file may have been prepared by somebody else. With `trusted_schema` off, what is stored in its
schema cannot call a function or a virtual table that does more than compute. SQLite counts `->>`
among these, by which a ledger of an older format computes its columns; that one is compared with
its own format before anything is read.

A reader that may not write a file leaves nothing beside it: a write-ahead log of another user
would keep the owner from writing.

    the file and its folder may be written   mode=ro              SQLite cleans up what it makes
    not; a write-ahead log is in use         readonly_shm=1       it is read along, and not changed
    not; there is none                       immutable=1          the file alone has everything
    not; one is left, and no index of it     refused              it cannot be read without writing
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote, unquote_to_bytes

from ledger.durable_file import PRIVATE
from ledger.errors import StoreReadOnly
from ledger.persistence.columns import APPLICATION_ID, TABLES_FORMAT

Mode = Literal["ro", "rwc"]
_IMMUTABLE: Final = "&immutable=1"
_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


def uri_of(path: Path, mode: Mode) -> str:
    """The URI by which SQLite opens a file, whatever characters its name has.

    Raises StoreReadOnly for a file that can be read only after a write.
    """
    reading = "" if mode == "rwc" or may_write(path) else _reading_only(path)
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}{reading}"


def path_of(uri: str) -> Path:
    """The path in a URI: the inverse of `uri_of`."""
    return Path(os.fsdecode(unquote_to_bytes(uri.removeprefix("file:").partition("?")[0])))


def is_immutable(uri: str) -> bool:
    """Whether a URI reads the file alone: without locks, and without a write-ahead log."""
    return uri.endswith(_IMMUTABLE)


def connect(uri: str, **options: Any) -> sqlite3.Connection:
    """A connection to the file at a URI. Raises sqlite3.Error."""
    connection: sqlite3.Connection = sqlite3.connect(uri, uri=True, **options)
    try:
        _distrust(connection, "main")
    except BaseException:
        connection.close()
        raise
    return connection


def attach(connection: sqlite3.Connection, path: Path, schema: str) -> None:
    """Attach a ledger, read-only, under a name. Raises sqlite3.Error."""
    connection.execute("PRAGMA trusted_schema = ON")  # ATTACH itself reads the schema.
    connection.execute(f"ATTACH DATABASE ? AS {schema}", (uri_of(path, "ro"),))
    _distrust(connection, schema)


def _distrust(connection: sqlite3.Connection, schema: str) -> None:
    (version,) = connection.execute(f"PRAGMA {schema}.user_version").fetchone()
    (application_id,) = connection.execute(f"PRAGMA {schema}.application_id").fetchone()
    if application_id != APPLICATION_ID or version >= TABLES_FORMAT:
        connection.execute("PRAGMA trusted_schema = OFF")


def may_write(path: Path) -> bool:
    """Whether this user may write a file, and make a write-ahead log beside it."""
    real = path.resolve()
    return _may(real, os.R_OK | os.W_OK) and _may(real.parent, os.W_OK | os.X_OK)


def beside(path: Path, suffix: str) -> Path:
    """The file that SQLite has beside another: `-wal`, a write-ahead log, or `-shm`, its index."""
    real = path.resolve()
    return real.with_name(real.name + suffix)


def make_private(path: Path) -> None:
    """Make an empty file that only its owner may read, unless there is a file. Raises OSError.

    SQLite gives its write-ahead log the file's mode.
    """
    if not path.exists():
        os.close(os.open(path, _NEW, PRIVATE))


def make_alike(path: Path, other: Path) -> None:
    """Make an empty file that the same people may read and write as another. Raises OSError.

    A file that is there is only narrowed, and not opened: closing it would release SQLite's locks.
    """
    mode = other.stat().st_mode & 0o666
    if not path.exists():
        _make(path, mode, other.stat())
    elif (found := path.stat()).st_mode & 0o666 & ~mode and os.geteuid() in (0, found.st_uid):
        path.chmod(found.st_mode & mode)


def _make(path: Path, mode: int, alike: os.stat_result) -> None:
    handle = os.open(path, _NEW, PRIVATE)
    try:
        if os.geteuid() == 0:  # Or the owner of the other file could not write this one.
            os.fchown(handle, alike.st_uid, alike.st_gid)
        os.fchmod(handle, mode)
    finally:
        os.close(handle)


def _may(path: Path, access: int) -> bool:
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _reading_only(path: Path) -> str:
    wal, index = beside(path, "-wal"), beside(path, "-shm")
    if wal.exists() and index.exists():
        return "&readonly_shm=1"
    if wal.exists() and wal.stat().st_size:
        raise StoreReadOnly(
            f"The newest entries of {path} are in {wal.name} beside it, which cannot be read "
            "without writing: the last writer did not close the ledger.",
            remedy="Copy both files to a folder that you may write, and name the copy.",
        )
    return _IMMUTABLE
