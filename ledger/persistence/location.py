"""Where a ledger is: a SQLite file or a PostgreSQL database, named by a path or a URL.

    audit.db   sqlite:///audit.db   sqlite:////var/lib/audit.db
    postgresql://writer@db1,db2/audit?target_session_attrs=read-write&sslmode=verify-full

A PostgreSQL URL is passed to libpq unchanged, with all its parameters. Its printed form has no
password, and a URL that libpq would read otherwise than its author meant is never printed.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from ledger.errors import InvalidInput

_URL: Final = re.compile(r"[\s'\"]*(\w[\w+.-]*://|(sqlite|postgres(ql)?|file|jdbc):)")
_CONNECTION_STRING: Final = re.compile(
    r"(^|\s)(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|application_name)"
    r"\s*=",
    re.IGNORECASE,
)
_POSTGRESQL: Final = re.compile(r"postgres(ql)?://")
_PARTS: Final = re.compile(
    r"(?P<scheme>\w+://)"
    r"((?P<user>[^:@/]*)(:[^@/]*)?@)?"  # As libpq reads it: up to the first @ before any slash.
    r"(?P<hosts>[^/?]*)(?P<database>[^?]*)(\?(?P<parameters>.*))?",
    re.DOTALL,
)
_HOSTS: Final = re.compile(r"((\[[^\]@]*\]|[^:\[\]@,]*)(:\d*)?(,|$))*")
_PARAMETERS: Final = re.compile(r"([^=&@]+=[^=&]*(&|$))*")
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
_SECRETS: Final = frozenset(
    ("password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key")
)


@dataclass(frozen=True, slots=True)
class SQLiteFile:
    """A ledger in one file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """A ledger in a PostgreSQL database, in the schema `ledger`. A database has one ledger."""

    url: str = field(repr=False)

    def __str__(self) -> str:
        found = _PARTS.fullmatch(self.url)
        if found is None:
            return "postgresql://…"
        user = "" if found["user"] is None else f"{found['user']}@"
        parameters = "&".join(map(_shown, (found["parameters"] or "").split("&")))
        where = f"{found['scheme']}{user}{found['hosts']}{found['database']}"
        return f"{where}?{parameters}" if parameters else where


def _shown(parameter: str) -> str:
    """A parameter of a URL as it is printed. libpq decodes its name as well."""
    name, _, _ = parameter.partition("=")
    return f"{name}=…" if unquote(name).strip().lower() in _SECRETS else parameter


Location = SQLiteFile | PostgresDatabase


def location_of(named: str | Path | Location) -> Location:
    """The location that a path or a URL names. Raises InvalidInput for a URL of any other kind."""
    if isinstance(named, SQLiteFile | PostgresDatabase):
        return named
    if isinstance(named, Path):
        return _file(named)
    if _POSTGRESQL.match(named):
        return _database(named)
    if named.startswith("sqlite:///") and named != "sqlite:///":
        return _file(_expanded(named.removeprefix("sqlite:///")))
    if not named or _URL.match(named):
        kind = f"A URL that begins with {named.partition(':')[0]!r}" if named else "An empty text"
        raise InvalidInput(  # The rest of it may hold a password.
            f"{kind} does not name a ledger.",
            remedy="Name a path, sqlite:///PATH or postgresql://USER@HOST/DATABASE.",
        )
    if is_connection_string(named):
        raise InvalidInput(  # Not repeated: it may hold a password.
            "A PostgreSQL connection string does not name a ledger.",
            remedy="Write a URL: postgresql://USER@HOST:PORT/DATABASE. For a file with such a name, "
            "write ./NAME.",
        )
    return _file(_expanded(named))


def is_connection_string(named: str) -> bool:
    """Whether a text is a connection string of libpq, such as `host=db1 dbname=audit`."""
    return _CONNECTION_STRING.search(named) is not None


def _database(url: str) -> PostgresDatabase:
    """The database of a URL that can be read in one way only. Raises InvalidInput.

    If an @ or a slash of the password is not encoded, libpq takes a part of the password for the
    host, the port or the database, and prints it.
    """
    found = _PARTS.fullmatch(url)
    if (
        found is None
        or not _HOSTS.fullmatch(found["hosts"])
        or not _PARAMETERS.fullmatch(found["parameters"] or "")
        or "@" in found["database"]
        or _UNSTORABLE.search(url)
    ):
        raise InvalidInput(
            "The ledger's URL is not valid: its host, port, database or a parameter cannot be read. "
            "A character of the password may have a meaning in a URL.",
            remedy="Write postgresql://USER@HOST:PORT/DATABASE, with %40 for @, %2F for / and %3A "
            "for : in names and passwords.",
        )
    return PostgresDatabase(url)


def _file(path: Path) -> SQLiteFile:
    """The file of a path. Raises InvalidInput if the operating system cannot have such a path."""
    try:
        is_whole = b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        is_whole = False
    if not is_whole:
        raise InvalidInput(
            f"{str(path)!a} is not a valid path: it has the character NUL, or half of a character."
        )
    return SQLiteFile(path)


def _expanded(path: str) -> Path:
    """A path with a leading `~` replaced by the home folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise InvalidInput(f"{path!r} is not a valid path: {error}") from error
