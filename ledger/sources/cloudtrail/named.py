"""The names that a call has in its request and its response, without persons, secrets and texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final

from ledger.sources.cloudtrail import caller
from ledger.sources.cloudtrail.arns import Role, role_of_arn
from ledger.sources.cloudtrail.call import Call
from ledger.sources.fields import NOBODY, first_text, text, why

_NAMES: Final = re.compile(r"\w*(?:Arns?|ARNs?|Ids?|Identifier|Name|Url|Type)$", re.ASCII)
_NAMES_TOO: Final = frozenset(
    {
        "IamInstanceProfile",
        "iamInstanceProfile",
        "id",
        "label",
        "maxSessionDuration",
        "name",
        "namespace",
        "permissionsBoundary",
        "principals",
        "serviceAccount",
        "servicePrincipal",
        "source",
        "tagKeys",
        "targetPrincipal",
        "url",
    }
)
_PERSONS: Final = frozenset({"userName", "username", "newUserName", "userId", "principalUserName"})
_PRIVATE: Final = frozenset(
    {
        "accessKeyId",
        "callerArn",
        "displayName",
        "externalId",
        "nickName",
        "profileUrl",
        "redirectUrl",
        "requestId",
        "roleSessionName",
        "virtualMFADeviceName",
    }
)
_IN_OTHER_FIELDS: Final = frozenset({"managedPolicyArn", "policyArn", "policyId"})
_NAMED_MAX: Final = 32
_VALUE_CHARS_MAX: Final = 256


def named(call: Call, role: Role) -> tuple[str, ...]:
    """The names in a call beside the role and the policy, as `key=value`, in the keys' order."""
    return tuple(islice(_named(call, role), _NAMED_MAX))


def _named(call: Call, role: Role) -> Iterator[str]:
    """The other things that the call named, as `key=value`, in the order of their keys."""
    said: Mapping[str, Any] = {**call.response, **call.request}
    for key in sorted(said):
        if key in _PERSONS and text(said[key]):
            yield f"{key}={NOBODY}"
        elif _is_kept(key, call):
            values = said[key] if isinstance(said[key], list) else [said[key]]
            names = (_name(value, call) for value in values)
            yield from (f"{key}={name}" for name in names if name and not _is(role, key, name))
    for tag in _objects(call.request.get("tags")):
        if tag_key := text(tag.get("key")):
            yield f"tag={tag_key[:_VALUE_CHARS_MAX]}"  # Its value may be a person's name.


def _is(role: Role, key: str, name: str) -> bool:
    """Whether a name is the role's: it is in the fact's own field."""
    named = role_of_arn(name) or (Role(name) if key == "roleName" else None)
    return named is not None and named.name == role.name


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _is_kept(key: str, call: Call) -> bool:
    if key in _PRIVATE or key in _IN_OTHER_FIELDS:
        return False
    if key == "principalId":
        return call.request.get("principalType") != "USER"
    if key == "name":
        return call.name != "GetFederationToken"  # There it is the name of a user.
    return key in _NAMES_TOO or _NAMES.fullmatch(key) is not None


def _name(value: object, call: Call) -> str | None:
    """A name that is short enough, without the caller's and any other person's name."""
    if isinstance(value, dict):
        value = first_text(value.get(key) for key in ("arn", "Arn", "id", "name", "Name"))
    named = str(value) if isinstance(value, int) else text(value)
    if named is None or len(named) > _VALUE_CHARS_MAX:
        return None
    return why((named,), (*caller.persons(call.identity), call.actor))
