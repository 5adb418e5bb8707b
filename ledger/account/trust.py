"""The permissions that an agency holds for a service of the catalogue: it must trust the service.

An agency that has the name of a service's agency and trusts another party serves that party. Where
no fact tells the trust, nothing speaks against the service. An account that is known by its id
alone may be the service's own. The views say the same in SQL (`inferring.trust_of`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal, NamedTuple

from ledger.account.answers import Held, PermissionKey
from ledger.account.questions import Account
from ledger.account.truth.lines import NOT_KNOWN
from ledger.catalogue import AgencyEntry
from ledger.values import is_bare_id

_ACCOUNT: Final = "account:"


class Trust(NamedTuple):
    """Whether agencies of one name and id trust the service; and the parties that they do trust."""

    answer: Literal["yes", "not known", "no"]
    others: frozenset[str] = frozenset()


class Served(NamedTuple):
    """The permissions that count for the service, and why others do not, or may not."""

    held: tuple[Held, ...]
    note: str = ""


def served(
    account: Account,
    agency: str,
    entries: Iterable[AgencyEntry],
    without: Collection[PermissionKey] = (),
) -> Served:
    """The permissions that the agency holds for the service, apart from some.

    `entries` are its baselines. Where the trust is not known, whether one counts is not known.
    """
    held = account.held(agency, without)
    wanted = frozenset(entry.trustee for entry in entries)
    if not wanted:
        return Served(held)
    trusts = {thing: _trust(account, agency, thing, wanted) for thing in {h.thing for h in held}}
    counting = (_counted(each, trusts[each.thing]) for each in held)
    others = sorted(frozenset().union(*(trust.others for trust in trusts.values())))
    note = f"trusts {', '.join(others)}" if others else ""
    return Served(tuple(each for each in counting if each is not None), note)


def _counted(held: Held, trust: Trust) -> Held | None:
    match trust.answer:
        case "yes":
            return held
        case "not known":
            return held._replace(status=NOT_KNOWN)
        case "no":
            return None


def _trust(account: Account, agency: str, thing: str, wanted: Collection[str]) -> Trust:
    spans = account.trusts(agency, thing)
    others = frozenset(str(span.value) for span in spans if span.value) - frozenset(wanted)
    if any(not _may_be_a_service(account, other) for other in others):
        return Trust("no", others)
    if others or any(span.status == NOT_KNOWN for span in spans):
        return Trust("not known", others)
    return Trust("yes")


def _may_be_a_service(account: Account, trustee: str) -> bool:
    """Whether it is an account of which only the id is known: services have accounts as well."""
    identity = trustee.removeprefix(_ACCOUNT)
    return (
        trustee.startswith(_ACCOUNT)
        and is_bare_id(identity)
        and not any(f.trustee_id == identity and f.trustee_name for f in account.state.facts)
    )
