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
from itertools import islice
from typing import Any, Final

from ledger.account.unmodelled import NotModelled
from ledger.sources.cloudtrail import caller
from ledger.sources.cloudtrail.arns import Role, role_of_arn
from ledger.sources.cloudtrail.call import Call
from ledger.sources.cloudtrail.outsiders import may_let_in, outsiders
from ledger.sources.fields import NOBODY, Record, first_text, text, why
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
_OF_CLUSTERS: Final = re.compile(
    r"eks:\w+(?:PodIdentityAssociation|AccessEntry|AccessPolicy)", re.ASCII
)
_READING: Final = re.compile(
    r"(?:Get|BatchGet|List|Describe|Lookup|Search|Check|Validate|Verify|Simulate|Test|Preview|Head"
    r"|View|Is|Decode|Generate)(?:[A-Z]|$)"
)
"""The names of calls that only read, in records that do not tell it: those of before 2019."""
_PASSED: Final = "iam:PassRole on resource"

_NAMES: Final = re.compile(r"\w*(?:Arns?|ARNs?|Ids?|Identifier|Name|Url|Type)$", re.ASCII)
_NAMES_TOO: Final = frozenset(
    {
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
_NAMED_MAX: Final = 32
_VALUE_CHARS_MAX: Final = 256


def changes_rights(kind: TraceKind, record: Record) -> bool:
    """Whether a call may change rights, as far as its name and its request's keys tell."""
    if _only_reads(kind, record):
        return False
    service, _, name = kind.name.partition(":")
    return (
        service in _RIGHTS
        or _may_let_in(name)
        or _OF_CLUSTERS.fullmatch(kind.name) is not None
        or _PASSED in (text(record.get("errorMessage")) or "")
        or _passed_role(record.get("requestParameters")) is not None
    )


def _only_reads(kind: TraceKind, record: Record) -> bool:
    flag = str(record.get("readOnly")).lower()
    return flag == "true" or (flag != "false" and _names_a_read(kind.name))


@lru_cache(maxsize=1_024)  # A trail repeats few names often.
def _names_a_read(kind: str) -> bool:
    return _READING.match(kind.rpartition(":")[2]) is not None


_may_let_in = lru_cache(maxsize=1_024)(may_let_in)


def _passed_role(request: object) -> str | None:
    """The ARN of a role that a request hands to a service."""
    if not isinstance(request, dict):
        return None
    found = (
        value for key, value in request.items() if str(key).lower().endswith(("role", "rolearn"))
    )
    return next((each for each in found if isinstance(each, str) and role_of_arn(each)), None)


def unmodelled(call: Call) -> Translation:
    """The call with what it named; or why it is only counted: it lets nobody in."""
    service = call.kind.partition(":")[0]
    role = call.role() or role_of_arn(_passed_role(call.request))
    others = outsiders(call) if service not in _RIGHTS else []
    if not (service in _RIGHTS or role or others or call.omits_request or _is_of_clusters(call)):
        return "lets nobody in"
    own = role if role and role.account in (None, call.account) else Role("")
    policy = _policy(call) if service in _RIGHTS else None
    named = [f"principal={each}" for each in others]
    return NotModelled(
        call=call.kind,
        region=text(call.record.get("awsRegion")),
        agency=own.name or None,
        agency_id=own.id,
        policy=policy,
        policy_id=text(call.request.get("policyId")),
        named=tuple(dict.fromkeys([*named, *islice(_named(call, own), _NAMED_MAX)])),
        detail=call.reason,
        outcome="refused" if call.error else "carried-out",
        why=call.why() if call.error else None,
        **call.document("document", *_documents(call.request)),
    )


def _is_of_clusters(call: Call) -> bool:
    return _OF_CLUSTERS.fullmatch(call.kind) is not None


def _policy(call: Call) -> str | None:
    return text(call.request.get("managedPolicyArn")) or call.policy()


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
        value = first_text((value.get("arn"), value.get("id")))
    named = str(value) if isinstance(value, int) else text(value)
    if named is None or len(named) > _VALUE_CHARS_MAX:
        return None
    return why((named,), (*caller.persons(call.identity), call.actor))


def _documents(request: Mapping[str, Any]) -> Iterator[object]:
    """The policies in a request; an attribute's value may be something else."""
    for each in (request, request.get("attributes")):
        if isinstance(each, dict):
            yield from (each.get(key) for key in _DOCUMENTS if _is_document(each.get(key)))


def _is_document(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, str) and value.lstrip().startswith(("{", "%7B"))
    )
