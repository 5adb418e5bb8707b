"""A process that appends to a ledger and says what was acknowledged, for tests to race and to kill.

    python -m tests.ledger.appender race    LEDGER NAME COUNT
    python -m tests.ledger.appender observe LEDGER COUNT
    python -m tests.ledger.appender on      LEDGER NAME
    python -m tests.ledger.appender many    LEDGER

Each line on stdout is one acknowledgement, written only after the commit: `command <id> <entries>`
or `traces <number>`, or `batch <last position>`. `on` and `many` go on until they are killed.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator

from ledger.account.agency import AttemptAgencyDeletion
from ledger.application import Actor, Ledger, Request
from ledger.errors import Refused
from ledger.messages import Command
from tests.ledger.scenario import ACCOUNT, AGENCY, grant, login, revoke
from tests.ledger.worlds import Place, traces

BATCH = 16
"""How many commands a batch has."""
Say = Callable[[str], object]


def on_stdout(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def acknowledged(ledger: Ledger, command: Command, command_id: str, actor: str, say: Say) -> None:
    try:
        entries = ledger.execute(
            command, command_id=command_id, actor=Actor(actor), reason="as told"
        ).entries
    except Refused as refused:
        entries = refused.entries
    say(f"command {command_id} {len(entries)}")


def race(place: Place, name: str, count: int) -> None:
    """All to one account; each consents in regions of its own, and one of all."""
    with Ledger(place) as ledger:
        for number in range(count):
            region = "shared" if number % 5 == 4 else f"{name}-{number % 3}"
            command = login(region) if number % 2 == 0 else grant(region)
            acknowledged(ledger, command, f"{name}-{number}", f"user {number % 3}", on_stdout)


def observe(place: Place, count: int) -> None:
    """The same traces as everybody else's, a few at a time."""
    with Ledger(place) as ledger:
        found = traces(count)
        for first in range(0, count, 10):
            ledger.observe(found[first : first + 10])
            on_stdout(f"traces {len(found[first : first + 10])}")


def go_on(place: Place, name: str, say: Say, account: str = ACCOUNT) -> None:
    """Multi-event commands and observations in turn, without an end."""
    with Ledger(place) as ledger:
        say("open")
        commands = story(name, account)
        for number in itertools.count():
            actor = f"user {number % 50}"
            acknowledged(ledger, next(commands), f"{name}-{number}", actor, say)
            if number % 4 == 3:
                ledger.observe(traces(40))
                say("traces 40")


def go_on_in_batches(place: Place, say: Say) -> None:
    """Batches of logins to BATCH accounts, each of two entries, without an end."""
    with Ledger(place) as ledger:
        for number in itertools.count(ledger.last_position()):
            commands = [login(f"region-{number}", f"account-{each}") for each in range(BATCH)]
            results = ledger.execute_many([Request(command=each) for each in commands])
            say(f"batch {results[-1].entries[-1].position}")


def story(name: str, account: str) -> Iterator[Command]:
    """Consent, taken back and given again; now and then the agency goes with all it has."""
    for number in itertools.count():
        region = f"{name}-{number % 3}"
        yield login(region, account)
        yield grant(region, account)
        if number % 4 == 3:
            yield AttemptAgencyDeletion(account=account, agency=AGENCY, override=True)
        elif number % 2:
            yield revoke(region, account)


if __name__ == "__main__":
    what, where, *rest = sys.argv[1:]
    match what:
        case "race":
            race(where, rest[0], int(rest[1]))
        case "observe":
            observe(where, int(rest[0]))
        case "many":
            go_on_in_batches(where, on_stdout)
        case _:
            go_on(where, rest[0], on_stdout)
