"""The account that a CTS trace is about, and the actor.

A thing of another account belongs to that account, never to the caller's. If a trace names that
account by its name alone, without its id, the facts are kept under the name: it is the
handle that the trace has, and things of different accounts stay apart. A name that cannot be an
account's word is `unknown`. The copy of such a trace that the other account got has that account's
id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from ledger.sources.cts.trace import text_in
from ledger.sources.fields import Record, first_text, text, within
from ledger.values import AccountId

UNKNOWN: Final = "unknown"
ORIGINS: Final = ("OriginUser", "origin_user")
"""Keys of the user who began a session: an object, or a name alone."""

_urn_of_person = re.compile(r"(?:iam|sts)::([^:]+):{1,2}(?:user|agency|assumed-agency):(.+)")
_urn_account = re.compile(r"^(?:iam|sts)::([^:]+):")
_URNS: Final = ("agency_urn", "agency.urn", "assumed_agency.urn")
_OWNERS: Final = (
    "agency.domain_id",
    "role.domain_id",
    "project.domain_id",
    "auth.identity.assume_role.domain_id",
    "assume_role.domain_id",
    "token.user.domain.id",
    "domain_id",
)
_OWNERS_BY_NAME: Final = (
    "auth.identity.assume_role.domain_name",
    "assume_role.domain_name",
    "domain_name",
)
_account: Final[TypeAdapter[str]] = TypeAdapter(AccountId)

Bodies = tuple[dict[str, Any], dict[str, Any]]
"""The request and the response."""


def account_of(
    record: Record, user: dict[str, Any], bodies: Bodies, path: dict[str, str]
) -> str | None:
    """The account that owns the agency, policy or project.

    The call itself says it best. CTS delivers a trace between two accounts to both, so the caller's
    account counts only if nothing tells another one.
    """
    urn = _urn_account.match(text_in(bodies, *_URNS) or "")
    return (
        (_word(urn[1]) if urn else None)
        or text_in(bodies, *_OWNERS)
        or _named(_owner_name(record, bodies), record, user)
        or path.get("domains")
        or first_text(
            (
                record.get("resource_account_id"),
                record.get("domain_id"),
                within(user, "domain").get("id"),
                user.get("account_id"),
            )
        )
    )


def _owner_name(record: Record, bodies: Bodies) -> str | None:
    """The name of the account that a call is about. A login names the account of the caller, whose
    id the trace has.
    """
    login = "login" in str(record.get("trace_name")).lower()
    return None if login else text_in(bodies, *_OWNERS_BY_NAME)


def account_name_of(
    account: str | None, record: Record, user: dict[str, Any], bodies: Bodies
) -> str | None:
    """The name of the account that a trace is about, if the trace tells it beside the id."""
    if account is None:
        return None
    asked = _owner_name(record, bodies)
    if asked is not None and account not in (asked, UNKNOWN):
        return asked if _named(asked, record, user) == account else None
    names = (name for name, identity in account_ids(user).items() if identity == account)
    return next(names, None)


def _named(name: str | None, record: Record, user: dict[str, Any]) -> str | None:
    """The id of an account that is named, if the trace tells it; else its name as it stands."""
    if name is None:
        return None
    return account_ids(user).get(name) or _receiver(record, user) or _word(name)


def _receiver(record: Record, user: dict[str, Any]) -> str | None:
    """The account to which a trace between two accounts was delivered, if it is not a caller's.

    Then it is the account that the call names: no third one gets the trace.
    """
    receiver = text(record.get("domain_id"))
    callers = list(_callers(user))
    own = {text(within(one, "domain").get("id")) or text(one.get("account_id")) for one in callers}
    is_known = receiver is not None and any(own)
    return receiver if is_known and receiver not in own else None


def _word(name: str) -> str:
    try:
        return _account.validate_python(name)
    except ValidationError:
        return UNKNOWN


def account_ids(user: dict[str, Any]) -> dict[str, str]:
    """The ids of the accounts that a trace tells with their names: of the callers, by name."""
    domains = (within(one, "domain") for one in _callers(user))
    pairs = ((text(domain.get("name")), text(domain.get("id"))) for domain in domains)
    return {name: identity for name, identity in pairs if name and identity}


def _callers(user: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The caller, and the user who stands behind an agency that calls."""
    yield user
    yield from _behind(user)


def _behind(user: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The user behind the agency, under the keys that traces of different years have."""
    for key in ("assumedBy", "assumed_by"):
        if found := within(user, key):
            yield within(found, "user") or found
    for key in ORIGINS:
        if found := within(user, key):
            yield found


def actor_of(user: dict[str, Any]) -> str | None:
    """`<account>/<user>` or `<account>/<agency>`, and ` by …` with the user behind the agency, if
    the trace names one. Without a user, the issuer of the session is the actor.
    """
    issuer = within(user, "session_context", "session_issuer")
    name = _qualified(user) or _qualified(issuer)
    origin = origin_of(user)
    return f"{name} by {origin}" if name and origin and origin != name else name or origin


def origin_of(user: dict[str, Any]) -> str | None:
    """`<account>/<user>`: the user behind the agency, if the trace names one."""
    origins = (_qualified(behind) for behind in _behind(user))
    return first_text((*origins, *(user.get(key) for key in ORIGINS)))


def _qualified(user: dict[str, Any]) -> str | None:
    if not user:
        return None
    urn = _urn_of_person.match(text(user.get("principal_urn")) or text(user.get("urn")) or "")
    names = (user.get("name"), user.get("user_name"), urn and urn[2], user.get("principal_id"))
    domain = within(user, "domain")
    accounts = (domain.get("name"), domain.get("id"), user.get("account_id"), urn and urn[1])
    name, account = first_text(names), first_text(accounts)
    return f"{account}/{name}" if name and account and "/" not in name else name
