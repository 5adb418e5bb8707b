"""The uses of an agency: a success proves that the agency existed then, whatever else is known.

Uses lie in streams of their own, one for each name or id by which agencies are used. A decision
reads those of the agencies that it names, and no others. So an agency that nothing but a use proves
is known to a decision that names it, and is not counted by one that only counts agencies.

    account:…   AgencyDeleted(ci) 12:00
    usage:…:ci  TemporaryCredentialIssued(ci) 12:07      → ci exists, its creation was not seen
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ledger.account.state import State, after
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import rules_of
from ledger.account.truth.timeline import ASKED, EXISTS
from ledger.catalogue import Catalogue
from ledger.messages import Command

KEPT: Final = 2
"""How many uses of an agency are kept, of different times: the latest, and the one before it.

The latest proves that the agency exists, unless it was deleted later. If the latest lies in one
second with a deletion and a creation, the one before it tells which of these came first. Of 20,000
simulated histories, decisions and the fold of all uses disagreed about 4.
"""


@dataclass(slots=True)
class Uses:
    """The last successful uses of one stream, by the agency's id; under `""` if no id was named."""

    provider: str
    account: str
    agency: str
    """The agency's name, or its id, as its stream is called."""
    version: int = 0
    latest: dict[str, tuple[Fact, ...]] = field(default_factory=dict)

    @property
    def stream(self) -> str:
        return f"usage:{self.provider}:{self.account}:{self.agency}"

    def learn(self, version: int, fact: Fact | None) -> None:
        """Take the next entry of the stream; without a fact, it is not a success."""
        self.version = version
        if fact is None:
            return
        by_time = {use.at: use for use in (fact, *self.latest.get(fact.id or "", ()))}
        self.latest[fact.id or ""] = tuple(by_time[at] for at in sorted(by_time)[-KEPT:])


def agencies_named(command: Command, catalogue: Catalogue) -> tuple[str, ...]:
    """The agencies that a command names: its own, or all that its service ever had.

    Raises InvalidInput if the catalogue does not have the service.
    """
    agency, service = getattr(command, "agency", None), getattr(command, "service", None)
    if agency is not None:
        return (agency,)
    if service is None:
        return ()
    return catalogue.service(command.provider, service).agency_names()


def handles_of(state: State, agency: str) -> tuple[str, ...]:
    """An agency's name, and the ids of all that ever had it: each may have a stream of uses."""
    things = (span.thing for span in state.cells.lives_of(agency))
    return tuple(dict.fromkeys((agency, *(thing for thing in things if "~" not in thing))))


def inform(state: State, uses: Iterable[Uses]) -> datetime | None:
    """Add to an account what uses prove and its own facts do not show.

    Returns the time that a command must not take effect before: after each observed use, and not
    before a commanded one.
    """
    known = [fact for one in uses for latest in one.latest.values() for fact in latest]
    for fact in known:
        if not _shows(state, fact):
            state.prove(fact)
    return max((after(fact.at, fact.origin) for fact in known), default=None)


def _shows(state: State, use: Fact) -> bool:
    """Whether the account's facts show that the agency existed when it was used."""
    rules = rules_of(state.provider)
    return any(
        span.subject == "agency"
        and span.status in (EXISTS, ASKED)
        and span.valid_from <= use.at
        and (span.until_at is None or use.at < span.until_at)
        and (use.id is None or span.thing == use.id)
        and (use.name is None or (span.name and rules.slot(span.name) == rules.slot(use.name)))
        for span in state.cells.lives_of(use.name or use.id or "")
    )
