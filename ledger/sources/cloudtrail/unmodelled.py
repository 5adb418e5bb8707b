"""Calls that may change rights and that have no model → NotModelled: what the call named is kept.

    every call of the services that manage rights, unless it only reads
    a call that gives a role to a service, or was refused that (iam:PassRole)
    a resource's policy, a grant or a shared copy that lets another account or a service in

Names of persons, secrets and the texts of documents are never among the names that are kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from ledger.account.unmodelled import NotModelled
from ledger.sources.cloudtrail.arns import Role, role_of_arn
from ledger.sources.cloudtrail.call import Call, request_of
from ledger.sources.cloudtrail.named import named
from ledger.sources.cloudtrail.outsiders import (
    is_of_policies,
    may_let_in,
    outsiders,
    shows_principals,
)
from ledger.sources.fields import Record, text
from ledger.sources.policy_shape import policies_in
from ledger.sources.source import TraceKind, Translation

_RIGHTS: Final = frozenset(
    {
        "cloudtrail",
        "iam",
        "identitystore",
        "organizations",
        "ram",
        "rolesanywhere",
        "sso",
        "sso-directory",
        "sso-oauth",
        "sts",
    }
)
"""The services whose calls change rights, or the recording of changes."""
_ON_ROLES: Final = re.compile(
    r"eks:\w+(?:PodIdentityAssociation|AccessEntry|AccessPolicy)"
    r"|ec2:\w+IamInstanceProfile(?:Association)?",
    re.ASCII,
)
"""Calls of other services that give a role to a pod or a machine, or access to a role."""
_READING: Final = re.compile(
    r"(?:Get|BatchGet|List|Describe|Lookup|Search|Check|Validate|Verify|Simulate|Test|Preview|Head"
    r"|View|Is|Decode|Generate)(?:[A-Z]|$)"
)
"""The names of calls that only read, in records that do not tell it: those of before 2019."""
_PASSED: Final = "iam:PassRole on resource"

_DOCUMENTS: Final = (
    "policyDocument",
    "inlinePolicy",
    "resourcePolicy",
    "bucketPolicy",
    "policyText",
    "policyInJson",
    "accessPolicy",
    "accessPolicies",
    "policyTemplate",
    "sessionPolicy",
    "content",
    "policy",
    "Policy",
    "attributeValue",
)


def changes_rights(kind: TraceKind, record: Record) -> bool:
    """Whether a call may change rights, as far as its name and its request's keys tell."""
    if _only_reads(kind, record):
        return False
    service, _, name = kind.name.partition(":")
    if service in _RIGHTS or _may_let_in(name) or _ON_ROLES.fullmatch(kind.name):
        return True
    request = request_of(record)
    return (
        _PASSED in (text(record.get("errorMessage")) or "")
        or _hands_over_role(request)
        or shows_principals(kind.name, request)
    )


def _only_reads(kind: TraceKind, record: Record) -> bool:
    flag = str(record.get("readOnly")).lower()
    return flag == "true" or (flag != "false" and _names_a_read(kind.name))


@lru_cache(maxsize=1_024)  # A trail repeats few names often.
def _names_a_read(kind: str) -> bool:
    return _READING.match(kind.rpartition(":")[2]) is not None


_may_let_in = lru_cache(maxsize=1_024)(may_let_in)


def _hands_over_role(request: Mapping[str, Any]) -> bool:
    profile = request.get("iamInstanceProfile") or request.get("IamInstanceProfile")
    return bool(profile) or _passed_role(request) is not None


def _passed_role(request: Mapping[str, Any]) -> str | None:
    """The ARN of a role that a request hands to a service."""
    found = (
        value for key, value in request.items() if str(key).lower().endswith(("role", "rolearn"))
    )
    return next((each for each in found if isinstance(each, str) and role_of_arn(each)), None)


def unmodelled(call: Call) -> Translation:
    """The call with what it named; or why it is only counted: it lets nobody in."""
    service = call.kind.partition(":")[0]
    role = call.role() or role_of_arn(_passed_role(call.request))
    others = outsiders(call) if service not in _RIGHTS else []
    if not (service in _RIGHTS or role or others or _is_on_roles(call) or _may_hide(call)):
        return "lets nobody in"
    own = role if role and role.account in (None, call.account) else Role("")
    policy = _policy(call) if service in _RIGHTS else None
    return NotModelled(
        call=call.kind,
        region=text(call.record.get("awsRegion")),
        agency=own.name or None,
        agency_id=own.id,
        policy=policy,
        policy_id=text(call.request.get("policyId")),
        named=(*map(str, others), *named(call, own)),
        detail=call.reason,
        outcome="refused" if call.error else "carried-out",
        why=call.why() if call.error else None,
        **call.document("document", *_documents(call.request)),
    )


def _is_on_roles(call: Call) -> bool:
    return _ON_ROLES.fullmatch(call.kind) is not None or _hands_over_role(call.request)


def _may_hide(call: Call) -> bool:
    """Whether the request is not told, and may have let somebody in."""
    return call.omits_request or (not call.request and is_of_policies(call.name))


def _policy(call: Call) -> str | None:
    return text(call.request.get("managedPolicyArn")) or call.policy()


def _documents(request: Mapping[str, Any]) -> Iterator[object]:
    """The policies in a request, by their shape; else by their keys."""
    yield from policies_in(request)
    for each in (request, request.get("attributes")):
        if isinstance(each, dict):
            yield from (each.get(key) for key in _DOCUMENTS if _is_document(each.get(key)))


def _is_document(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, str) and value.lstrip().startswith(("{", "%7B"))
    )
