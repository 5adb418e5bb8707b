"""Where a ledger is: a SQLite file or a PostgreSQL database, named by a path or a URL.

    audit.db   sqlite:///audit.db   sqlite:////var/lib/audit.db
    postgresql://writer@db1,db2/audit?target_session_attrs=read-write&sslmode=verify-full

What stands in a PostgreSQL URL is libpq's own: all its parameters pass through. The printed form
holds no password.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ledger.errors import InvalidInput

_URL: Final = re.compile(r"\w[\w+.-]*://|(sqlite|postgres(ql)?|file|jdbc):")
_CONNECTION_STRING: Final = re.compile(
    r"(^|\s)(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|application_name)"
    r"\s*=",
    re.IGNORECASE,
)
_POSTGRESQL: Final = re.compile(r"postgres(ql)?://")
_USER_PASSWORD: Final = re.compile(r"^([\w+.:-]+:/*[^/?@:]*):[^/?@]*@")
_SECRET: Final = re.compile(
    r"([?&](?:password|sslpassword|oauth_client_secret)=)[^&]*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SQLiteFile:
    """A ledger in one file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A ledger in a PostgreSQL database: one in each, in the schema `ledger`."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        return _SECRET.sub(r"\1…", _USER_PASSWORD.sub(r"\1@", self.url))


Location = SQLiteFile | PostgresDatabase


def location_of(named: str | Path | Location) -> Location:
    """What a path or a URL names. Raises InvalidInput if it is the URL of something else."""
    if isinstance(named, SQLiteFile | PostgresDatabase):
        return named
    if isinstance(named, Path):
        return SQLiteFile(named)
    if _POSTGRESQL.match(named):
        return PostgresDatabase(named)
    if named.startswith("sqlite:///") and named != "sqlite:///":
        return SQLiteFile(_expanded(named.removeprefix("sqlite:///")))
    if not named or _URL.match(named):
        raise InvalidInput(
            f"{str(PostgresDatabase(named))!r} names no ledger.",  # Nor shows a password.
            remedy="Name a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE.",
        )
    if is_connection_string(named):
        raise InvalidInput(  # Not repeated: it may hold a password.
            "A connection string of PostgreSQL's names no ledger.",
            remedy="Write a URL: postgresql://USER@HOST:PORT/DATABASE. A file of such a name is "
            "./NAME.",
        )
    return SQLiteFile(_expanded(named))


def is_connection_string(named: str) -> bool:
    """Whether this is how libpq lets one write where a database is, beside a URL."""
    return _CONNECTION_STRING.search(named) is not None


def _expanded(path: str) -> Path:
    """A path with `~` in its beginning replaced."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InvalidInput(f"{path!r} names no folder: {error}") from error
