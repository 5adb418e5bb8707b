"""One call of the AWS API as CloudTrail recorded it, and the role and the policy that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ledger.sources.cloudtrail import caller
from ledger.sources.cloudtrail.arns import (
    Role,
    account_of_policy,
    policy_of_message,
    role_id,
    role_of_arn,
    role_of_message,
)
from ledger.sources.fields import NOBODY, Record, Unreadable, first_text, mapping, text, why, within
from ledger.sources.source import Trace, Translation

SERVICES: Final = ".amazonaws.com"
ROLE: Final = "AWS::IAM::Role"
_ACCOUNT_DIGITS: Final = 12

_user = re.compile(
    r"((?:on resource: user|user with name|login profile for user) )\S+", re.ASCII | re.IGNORECASE
)
"""A user whose name only a refusal's message tells."""


@dataclass(slots=True, kw_only=True)
class Call(Trace):
    """One call: the caller, the request, the response. `error` is set if AWS refused it."""

    account: str
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
    def kind(self) -> str:
        """The call as reports count it, e.g. `iam:CreateRole`."""
        return f"{str(self.record.get('eventSource')).removesuffix(SERVICES)}:{self.name}"

    @property
    def message(self) -> str:
        """The message of a refusal; empty if AWS did not refuse the call."""
        return text(self.record.get("errorMessage")) or ""

    @property
    def omits_request(self) -> bool:
        """Whether CloudTrail left the request out, because it is too long: above 100 KB."""
        return self.request.get("omitted") in (True, "true")

    def why(self) -> str:
        """The reason of a refusal, without the caller's name."""
        error = self.error or f"{self.name} failed"
        message = _user.sub(rf"\1{NOBODY}", self.message)
        named = (text(self.request.get(key)) for key in ("userName", "newUserName"))
        persons = (*caller.persons(self.identity), self.actor, *named)
        return why((self.name, error, message), persons)

    def not_named(self, what: str) -> str:
        """The reason why a call tells no fact, if it does not name its role or its policy."""
        return "request omitted: too long" if self.omits_request else f"{what} not named"

    def document(self, field: str, *given: object) -> dict[str, Any]:
        """A fact's fields for a document: its digest and size. The first that is told is kept."""
        kept = next(filter(None, map(self.keep, given)), None)
        return {field: kept.digest, f"{field}_bytes": kept.size} if kept else {}

    def role(self) -> Role | None:
        """The role: as the request or the response names it, or the message of a refusal."""
        answer = within(self.response, "role")
        name = first_text((self.request.get("roleName"), answer.get("roleName")))
        role = Role(name) if name else None
        role = role_of_arn(name) or role or next(self._roles_by_arn(), None)
        role = role or role_of_message(self.message)
        return Role(role.name, role.account, self._role_id()) if role else None

    def _roles_by_arn(self) -> Iterator[Role]:
        return (role for arn in self._arns() if (role := role_of_arn(text(arn))))

    def _arns(self) -> Iterator[object]:
        yield self.request.get("roleArn")
        yield within(self.response, "role").get("arn")
        yield within(self.response, "assumedRoleUser").get("arn")
        used = self.record.get("resources")
        for each in map(mapping, used) if isinstance(used, list) else ():
            if each.get("type") == ROLE:
                yield each.get("ARN")

    def _role_id(self) -> str | None:
        session = within(self.response, "assumedRoleUser").get("assumedRoleId")
        return text(within(self.response, "role").get("roleId")) or role_id(text(session))

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
        return named or policy_of_message(self.message)


def account_in(value: object) -> str | None:
    """An account's number; some tools turn it into a JSON number, which loses zeros in front."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**_ACCOUNT_DIGITS:
        return f"{value:0{_ACCOUNT_DIGITS}}"
    return text(value)


def request_of(record: Record) -> dict[str, Any]:
    """The request of a call; EC2's newer calls have it in an object of its own, `…Request`."""
    request = mapping(record.get("requestParameters"))
    if len(request) == 1 and isinstance(
        inner := request.get(f"{record['eventName']}Request"), dict
    ):
        return inner
    return request


def of_role(translate: Callable[[Call, Role], Translation]) -> Callable[[Call], Translation]:
    """The translator of a call on a role. The fact belongs to the account that the role is of."""

    def translated(call: Call) -> Translation:
        role = call.role()
        if role is None:
            return call.not_named("role")
        call.account = role.account or call.account
        return translate(call, role)

    return translated


def of_policy(translate: Callable[[Call, str], Translation]) -> Callable[[Call], Translation]:
    """The translator of a call on a policy. The fact belongs to the policy's account."""

    def translated(call: Call) -> Translation:
        policy = call.policy()
        if policy is None:
            return call.not_named("policy")
        call.account = account_of_policy(policy) or call.account
        return translate(call, policy)

    return translated
