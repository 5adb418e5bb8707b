"""The uses of an agency: a success proves that the agency existed then, whatever else is known.

Uses lie in streams of their own, one for each name or id by which agencies are used. A decision
reads those of the agencies that it names; one that counts agencies reads all, if they may reach the
quota together.

    account:…   AgencyDeleted(ci) 12:00
    usage:…:ci  TemporaryCredentialIssued(ci) 12:07      → ci exists, its creation was not seen
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ledger.account.state import State, after
from ledger.account.truth.fact import Fact
from ledger.account.truth.rules import rules_of
from ledger.account.truth.timeline import ASKED, EXISTS
from ledger.catalogue import Catalogue
from ledger.messages import Command

KEPT: Final = 8
"""How many uses of an agency are kept, of different times: the first one, and the latest ones.

The first says since when it existed, if nothing else is known of it. The latest proves that it
exists, unless it was deleted later. If the latest lies in one second with a deletion and a
creation, an earlier one tells which of these came first. A use that lies in one second with a
deletion counts too, though later ones were seen: the agency may have been made again in that second
already.
"""


def streams_of(provider: str, account: str) -> str:
    """The beginning of the names of all streams of an account's uses."""
    return f"usage:{provider}:{account}:"


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
        return f"{streams_of(self.provider, self.account)}{self.agency}"

    def learn(self, version: int, fact: Fact | None) -> None:
        """Take the next entry of the stream; without a fact, it is not a success."""
        self.version = version
        if fact is None:
            return
        by_time = {use.at: use for use in (fact, *self.latest.get(fact.id or "", ()))}
        times = sorted(by_time)
        kept = times if len(times) <= KEPT else [times[0], *times[1 - KEPT :]]
        self.latest[fact.id or ""] = tuple(by_time[at] for at in kept)


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


def may_reach_quota(
    state: State, command: Command, used: Iterable[str], catalogue: Catalogue
) -> bool:
    """Whether the quota of agencies may be reached, if those that only a use proves are counted."""
    quota = catalogue.quota(command.provider, "agencies")
    wanted = len(agencies_named(command, catalogue))
    return quota is not None and len({*state.agencies_named(), *used}) + wanted > quota


def handles_of(state: State, agency: str) -> tuple[str, ...]:
    """An agency's name, and the ids of all that ever had it: each may have a stream of uses."""
    return tuple(dict.fromkeys((agency, *state.cells.ids_of_agency(agency))))


def uses_of(state: State, agency: str, read: Callable[[str], Uses]) -> list[Uses]:
    """The uses of an agency under its name and its ids, also under those that only uses tell.

    `read` returns the uses of the stream of a name, or of an id.
    """
    found: dict[str, Uses] = {}
    wanted = list(handles_of(state, agency))
    while wanted:
        handle = wanted.pop()
        if handle and handle not in found:
            found[handle] = read(handle)
            wanted += found[handle].latest
    return list(found.values())


def inform(state: State, uses: Iterable[Uses]) -> datetime | None:
    """Add to an account what uses prove and its own facts do not show.

    Returns the time that a command must not take effect before: after each observed use, and not
    before a commanded one.
    """
    known = [fact for one in uses for latest in one.latest.values() for fact in latest]
    if not all(_shows(state, fact) for fact in known):
        for fact in known:  # One that is shown now may settle what another one leaves open.
            state.prove(fact)
    return max((after(fact.at, fact.origin) for fact in known), default=None)


def _shows(state: State, use: Fact) -> bool:
    """Whether the account's facts show that the agency existed when it was used.

    A use within the second in which the agency began or ended may tell the order of other facts.
    """
    rules = rules_of(state.provider)
    return any(
        span.subject == "agency"
        and span.status in (EXISTS, ASKED)
        and span.valid_from < use.at
        and (span.until_at is None or use.at < span.until_at)
        and (use.id is None or span.thing == use.id)
        and (use.name is None or (span.name and rules.slot(span.name) == rules.slot(use.name)))
        for span in state.cells.lives_of(use.name or use.id or "")
    )
