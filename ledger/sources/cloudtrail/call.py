"""One call of the AWS API as CloudTrail recorded it, and the names in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from ledger.sources.fields import Record, Unreadable, first_text, text, why, within
from ledger.sources.source import Trace

SERVICES: Final = ".amazonaws.com"
_NAMING_CHARS_MAX: Final = 8_192
"""The most characters of a text that names a role. ARNs and messages have at most 2,048."""

_role_arn = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:[^\s/]+/)*([\w+=,.@-]+)(?=[\s,]|$)")
_refused_role = re.compile(r"on resource: role ([\w+=,.@-]+)")
_refused_policy = re.compile(r"on resource: policy (\S+)")
_refused_policy_arn = re.compile(r"on resource: (arn:[\w-]+:iam::\w*:policy/\S+)")


def role_named(text: str) -> tuple[str, str] | None:
    """The account and the name of the first role whose ARN is in a text; None if there is none.

    The role's path, between the two, is not part of the name. A text that is too long is not
    searched: if it repeats the beginning of an ARN, the pattern reads it to the end for each.
    """
    found = _role_arn.search(text) if len(text) <= _NAMING_CHARS_MAX else None
    return (found[1], found[2]) if found else None


@dataclass(slots=True, kw_only=True)
class Call(Trace):
    """One call: the caller, the request, the response. `error` is set if AWS refused it."""

    name: str
    record: Record
    request: dict[str, Any]
    response: dict[str, Any]
    identity: dict[str, Any]
    error: str | None

    @property
    def region(self) -> str:
        region = text(self.record.get("awsRegion"))
        if region is None:
            raise Unreadable("the record has no awsRegion")
        return region

    @property
    def message(self) -> str:
        return text(self.record.get("errorMessage")) or ""

    def why(self) -> str:
        """The reason of a refusal, without the caller's name."""
        error = self.error or f"{self.name} failed"
        names = (text(self.identity.get("userName")), self.actor)
        return why((self.name, error, self.message), names)

    def role(self) -> str | None:
        """The role's name: from the request, the response, or the message of a refusal."""
        named = first_text(
            (self.request.get("roleName"), within(self.response, "role").get("roleName"))
        )
        if named or not self.error:
            return named
        found = _refused_role.search(self.message)
        if found:
            return found[1]
        arn = role_named(self.message.partition("on resource:")[2])
        return arn[1] if arn else None

    def policy(self) -> str | None:
        """The policy: a managed policy's ARN, or an inline policy's name."""
        named = first_text(
            (
                self.request.get("policyArn"),
                within(self.response, "policy").get("arn"),
                self.request.get("policyName"),
                self.request.get("permissionsBoundary"),
            )
        )
        if named or not self.error:
            return named
        found = _refused_policy.search(self.message) or _refused_policy_arn.search(self.message)
        return found[1] if found else None
