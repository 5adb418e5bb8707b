"""Names in ARNs, in principal ids and in the messages of refusals: roles, sessions, policies.

    arn:aws:iam::444455556666:role/team/etl/worker          a role; its path is not part of its name
    arn:aws-cn:sts::444455556666:assumed-role/worker/batch  a session of it; its ARN has no path
    AROAEXAMPLEID:batch                                     the role's immutable id, and the session
    arn:aws:iam::aws:policy/ReadOnlyAccess                  a policy of AWS itself

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_NAMING_CHARS_MAX: Final = 8_192
"""The most characters of a text that names a role. ARNs and messages have at most 2,048."""

_NAME: Final = r"[\w+=,.@-]+"
_IN_TEXT: Final = r"([\w+=,.@-]*[\w+=@-])(?=[,.]*(?:\s|$))"
"""A name within a sentence: a comma or full stop at its end belongs to the sentence."""
_PATH: Final = r"(?:[^\s/]+/)*"

_role = re.compile(rf"arn:[\w-]+:iam::(\d{{12}}):role/{_PATH}({_NAME})", re.ASCII)
_role_in_text = re.compile(rf"arn:[\w-]+:iam::(\d{{12}}):role/{_PATH}{_IN_TEXT}", re.ASCII)
_session = re.compile(rf"arn:[\w-]+:sts::(\d{{12}}):assumed-role/({_NAME})/.+", re.ASCII)
_role_id = re.compile(r"(AROA\w+)(?::.*)?", re.ASCII)
_partition = re.compile(r"arn:([\w-]+):", re.ASCII)
_policy_account = re.compile(r"arn:[\w-]+:iam::(\d{12}):policy/", re.ASCII)

_refused_role = re.compile(
    rf"on resource: role {_PATH}{_IN_TEXT}"
    rf"|Service role name ({_NAME}) has been taken"
    rf"|role with name ({_NAME}) (?:already exists|cannot be found)",
    re.ASCII | re.IGNORECASE,
)
_refused_policy = re.compile(r"on resource: (?:policy (\S+)|(arn:[\w-]+:iam::\w*:policy/\S+))")
_deletion_task = re.compile(
    rf"task/aws-service-role/[^\s/]+/(AWSServiceRoleFor{_NAME})/[^\s/]+", re.ASCII
)


class Role(NamedTuple):
    """A role as a record names it. `account` is None if it is the account of the call."""

    name: str
    account: str | None = None
    id: str | None = None


def role_of_arn(arn: str | None) -> Role | None:
    """The role that an ARN names, itself or by one of its sessions; None for any other text."""
    found = _role.fullmatch(arn or "") or _session.fullmatch(arn or "")
    return Role(found[2], account=found[1]) if found else None


def role_of_message(message: str) -> Role | None:
    """The role whose change or use a message refuses.

    A text that is too long is not searched: if it repeats the beginning of an ARN, the pattern
    reads it to the end for each.
    """
    if len(message) > _NAMING_CHARS_MAX:
        return None
    if found := _refused_role.search(message):
        return Role(found[1] or found[2] or found[3])
    found = _role_in_text.search(message.partition("on resource:")[2] or message)
    return Role(found[2], account=found[1]) if found else None


def policy_of_message(message: str) -> str | None:
    """The policy whose change a message refuses: its ARN, or its name if that is all it tells."""
    found = _refused_policy.search(message) if len(message) <= _NAMING_CHARS_MAX else None
    return (found[1] or found[2]) if found else None


def role_of_task(task: str) -> str | None:
    """The service-linked role that a deletion task deletes: all have names that begin alike."""
    found = _deletion_task.fullmatch(task)
    return found[1] if found else None


def role_id(principal: str | None) -> str | None:
    """The immutable id of a role, from its own principal id or from one of its sessions."""
    found = _role_id.fullmatch(principal or "")
    return found[1] if found else None


def policy_arn(account: str, path: str, name: str, of_same_partition: str | None) -> str | None:
    """The ARN that AWS gives to a policy; None if no ARN tells the account's partition."""
    found = _partition.match(of_same_partition or "")
    return f"arn:{found[1]}:iam::{account}:policy{path}{name}" if found else None


def account_of_policy(policy: str) -> str | None:
    """The account that a policy's ARN names; None for a policy of AWS itself."""
    found = _policy_account.match(policy)
    return found[1] if found else None
