"""A process that appends through a URL and continues after every failure of the servers.

    python -m tests.standby.writer URL NAME KEYS

Each line on stdout is one acknowledgement, like the appender's: `command <id> <entries>`. If the
ledger is not available, the process prints `again` and tries again with the same command id, as a
person would.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from ledger.application import Ledger
from ledger.errors import StoreUnavailable
from ledger.messages import Command
from tests.ledger.appender import acknowledged, on_stdout
from tests.ledger.scenario import grant, login, revoke


def write(url: str, name: str, keys: Path) -> None:
    with Ledger(url, log_keys=keys) as ledger:
        on_stdout("open")
        commands = consents(name)
        for number in itertools.count():
            command = next(commands)
            while True:
                try:
                    acknowledged(ledger, command, f"{name}-{number}", f"user {name}", on_stdout)
                except StoreUnavailable as error:
                    on_stdout(f"again {error.message}")
                else:
                    break


def consents(name: str) -> Iterator[Command]:
    """Consents and revocations, in regions of this writer; all writers share the account."""
    for number in itertools.count():
        region = f"{name}-{number % 3}"
        yield from (login(region), grant(region), revoke(region))


if __name__ == "__main__":
    write(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
