"""The caller of a record: the name that its userIdentity tells.

A call from another account is delivered to both accounts, and only the caller's own copy tells a
name. docs/decisions/0033-a-fact-of-two-copies.md says why that name is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.sources.fields import first_text, text, within

Identity = Mapping[str, Any]

_HIDDEN: Final = "HIDDEN_DUE_TO_SECURITY_REASONS"
"""AWS writes it for a name that the account does not have: somebody may have typed a password."""


def name_of(identity: Identity) -> str | None:
    """The caller's ARN; else the id, the service, or the name that the record tells instead."""
    found = first_text(
        (
            identity.get("arn"),
            identity.get("principalId"),
            identity.get("invokedBy"),
            identity_center_user(identity),
            identity.get("userName"),
        )
    )
    return None if found == _HIDDEN else found


def id_of(identity: Identity) -> str | None:
    """The id that both copies of a record tell: the principal id, else the account."""
    return first_text((identity.get("principalId"), identity.get("accountId")))


def persons(identity: Identity) -> tuple[str | None, ...]:
    """The names by which a message or a session's name may call the caller, besides its ARN."""
    arn = text(identity.get("arn")) or ""
    return (text(identity.get("userName")), arn.rpartition("/")[2])


def identity_center_user(identity: Identity) -> str | None:
    """A user of IAM Identity Center: its id, and before it the identity store that has the id."""
    on_behalf_of = within(identity, "onBehalfOf")
    user, store = text(on_behalf_of.get("userId")), text(on_behalf_of.get("identityStoreArn"))
    return f"{store}/{user}" if user and store else user
