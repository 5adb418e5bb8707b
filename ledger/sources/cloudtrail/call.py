"""One call of the AWS API as CloudTrail recorded it, and the names that can be read from it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from ledger.sources.fields import Record, Unreadable, first_text, text, why, within
from ledger.sources.source import Trace

SERVICES: Final = ".amazonaws.com"
_NAMING_CHARS_MAX: Final = 8_192
"""How long a text may be that names a role; an ARN and a message have 2,048 characters at most."""

_role_arn = re.compile(r"arn:[\w-]+:iam::(\d{12}):role/(?:[^\s/]+/)*([\w+=,.@-]+)(?=[\s,]|$)")
_refused_role = re.compile(r"on resource: role ([\w+=,.@-]+)")
_refused_policy = re.compile(r"on resource: policy (\S+)")
_refused_policy_arn = re.compile(r"on resource: (arn:[\w-]+:iam::\w*:policy/\S+)")


def role_named(text: str) -> tuple[str, str] | None:
    """The account and the name of the first role whose ARN is in a text; None if there is none.

    Between them stands the role's path, which is not a part of its name. Where a text repeats the
    beginning of an ARN, each is followed to the end, so that a longer text is not searched at all.
    """
    found = _role_arn.search(text) if len(text) <= _NAMING_CHARS_MAX else None
    return (found[1], found[2]) if found else None


@dataclass(slots=True, kw_only=True)
class Call(Trace):
    """What was called, by whom, and what came of it; `error` is set if it was refused."""

    name: str
    record: Record
    request: dict[str, Any]
    response: dict[str, Any]
    who: dict[str, Any]
    error: str | None

    @property
    def region(self) -> str:
        named = text(self.record.get("awsRegion"))
        if named is None:
            raise Unreadable("the record has no awsRegion")
        return named

    @property
    def message(self) -> str:
        return text(self.record.get("errorMessage")) or ""

    def why(self) -> str:
        """Why it was refused, without the name of whom."""
        said = self.error or f"{self.name} failed"
        names = (text(self.who.get("userName")), self.actor)
        return why((self.name, said, self.message), names)

    def role(self) -> str | None:
        """The role's name: as asked, as answered, or in a refusal's message."""
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
        """The policy: the ARN of a managed one, the name of an inline one."""
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
