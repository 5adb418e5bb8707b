"""Target: URLs of ledgers with a password in any form. No part of it may be printed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ledger.errors import LedgerError
from ledger.persistence.location import PostgresDatabase, location_of
from tests.fuzzing.campaign import Attempt
from tests.fuzzing.mutation import odd_text
from tests.fuzzing.oracle import Fault, run

MARKS: Final = ("s3crEt", "pAssw0rt")
"""The two halves of every password; between them are characters with a meaning in URLs."""
_BETWEEN: Final = (
    "",
    "/",
    "@",
    ":",
    "?",
    "#",
    "%",
    "%2F",
    "%40",
    "&",
    "=",
    " ",
    ",",
    "[",
    "]",
    "\\",
    "'",
    '"',
    "é",
    "//",
    "@/",
    "/@",
    "://",
    "+",
    ";",
)
_SCHEMES: Final = (
    "postgresql://",
    "postgres://",
    "postgresql:/",
    "postgresql:",
    "POSTGRESQL://",
    "postgresql+psycopg://",
    "jdbc:postgresql://",
    "mysql://",
    "sqlite://",
    " postgresql://",
    "'postgresql://",
)
_NAMES: Final = (
    "password",
    "sslpassword",
    "pass%77ord",
    "%70%61ssword",
    "PASSWORD",
    "oauth_client_secret",
    "%73slpassword",
    "scram_client_key",
)
_HOSTS: Final = ("127.0.0.1:1", "127.0.0.1:1,127.0.0.1:2", "[::1]:1", "localhost:1", "", "127.0.0.1:x", "%2Fnowhere")  # fmt: skip
_NEAR: Final = {"", "127.0.0.1", "::1", "localhost", "/nowhere"}
"""Hosts that are really contacted; they refuse the connection at once."""


@contextmanager
def target(folder: Path) -> Iterator[Attempt]:
    def attempt(chance: random.Random) -> int:
        url = _url(chance)
        _silent(url, _said_of(url))
        with suppress(LedgerError):
            location = location_of(url)
            _silent(url, f"{location} {location!r}")
            if not isinstance(location, PostgresDatabase) or not _is_near(url):
                return len(url)
        command = chance.choice(
            (["view", "regions"], ["log", "verify"], ["database", "init"], ["view", "regions", url])
        )
        said = run(
            ["--ledger", url, *command] if chance.random() < 0.8 else [*command, "--ledgr", url]
        )
        _silent(url, said.out + said.err)
        return len(url)

    yield attempt


def _url(chance: random.Random) -> str:
    """A URL with a password in any possible place, encoded or not."""
    between = "".join(chance.choices(_BETWEEN, k=chance.randint(0, 2)))
    if chance.random() < 0.1:
        between = odd_text(chance, 64)
    password = MARKS[0] + between + MARKS[1]
    if chance.random() < 0.3:
        password = quote(password.encode("utf-8", "surrogatepass"), safe="")
    scheme = chance.choice(_SCHEMES if chance.random() < 0.4 else _SCHEMES[:2])
    host, database = chance.choice(_HOSTS), chance.choice(("/db", "", "/", "/db?sslmode=disable"))
    if chance.random() < 0.6:
        return f"{scheme}user:{password}@{host}{database}"
    joined = "&" if "?" in database else "?"
    return f"{scheme}user@{host}{database}{joined}{chance.choice(_NAMES)}={password}"


def _is_near(url: str) -> bool:
    """Whether libpq would contact only this machine."""
    with suppress(ProgrammingError, UnicodeError):
        hosts = str(conninfo_to_dict(url).get("host", "")).split(",")
        return set(hosts) <= _NEAR
    return True  # libpq does not try to connect.


def _said_of(url: str) -> str:
    try:
        location_of(url)
    except LedgerError as error:
        return str(error)
    return ""


def _silent(url: str, text: str) -> None:
    if found := [mark for mark in MARKS if mark in text]:
        raise Fault(f"{url!a}: {found} of its password is printed: {text!a}")
