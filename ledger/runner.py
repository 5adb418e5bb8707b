"""The runner of a process: the operating system's user and host, and the database's session user.

The actor of a command is claimed. The runner is found out: no flag and no variable of authledger
changes it.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Runner:
    """The user and the host that really run a process. `database_user` is None if the ledger is a
    file.
    """

    user: str
    host: str
    database_user: str | None = None

    @property
    def name(self) -> str:
        """The user and the host as one name. No host has an `@` in its name."""
        return f"{self.user}@{self.host}"


def system_user() -> str:
    """Return the name of the operating system's user whom this process runs as."""
    user = os.getuid()
    try:
        return _storable(pwd.getpwuid(user).pw_name)
    except KeyError:
        return f"uid {user}"


def this_runner(database_user: str | None = None) -> Runner:
    """Return the runner of this process."""
    host = _storable(os.uname().nodename).replace("@", "_")
    return Runner(system_user(), host or "localhost", database_user)


def _storable(name: str) -> str:
    """A name of the operating system, with other bytes than text written as hexadecimal codes."""
    return os.fsencode(name).decode(errors="backslashreplace")
