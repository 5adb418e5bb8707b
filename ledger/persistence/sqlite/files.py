"""Opens SQLite files, in the same way for the writer, the verification and every reader.

A file may have been prepared by somebody else. With `trusted_schema` off, what is stored in its
schema cannot call a function or a virtual table that does more than compute. SQLite counts `->>`
among these, by which a ledger of an older format computes its columns; that one is compared with
its own format before anything is read.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from ledger.persistence.columns import APPLICATION_ID, FORMAT_VERSION

Mode = Literal["ro", "rwc"]


def uri_of(path: Path, mode: Mode) -> str:
    """The URI by which SQLite opens a file, whatever characters its name has."""
    return f"file:{quote(os.fsencode(path.absolute()))}?mode={mode}"


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
    if application_id != APPLICATION_ID or version >= FORMAT_VERSION:
        connection.execute("PRAGMA trusted_schema = OFF")
