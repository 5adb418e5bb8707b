"""Other accounts, and services, that a call lets in: by a policy, a grant, an ACL, a shared copy.

s3:PutBucketPolicy      a policy document, whose principals count
kms:CreateGrant         one principal: granteePrincipal
sqs:AddPermission       accounts: aWSAccountIds
ec2:ModifyImageAttribute  launchPermission.add.items[].userId, or .group "all"
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ledger.sources.cloudtrail.call import Call
from ledger.sources.trust_policy import ANYONE, principal_word, principals

_DATE: Final = re.compile(r"(?:20\d{6}|20\d\d_\d\d_\d\d)(?:v\d+)?$", re.ASCII)
"""Lambda and CloudFront add their API's version to a call's name: `AddPermission20150331v2`."""
_LETS_IN: Final = re.compile(
    r"(?!Delete|Remove|Detach)\w*(?:Policy|Policies|Acl)"
    r"|(?:Add|Put)\w*Permissions?(?:Policy)?"
    r"|CreateGrant|CreateKey|ReplicateKey"
    r"|(?:Create|Set)(?:Topic|Queue)\w*"
    r"|Modify\w*(?:Snapshot|Image)\w*Attribute"
    r"|(?:Create|Update)(?:RestApi|DomainConfig|ElasticsearchDomainConfig|Domain)",
    re.ASCII,
)
_DOCUMENTS: Final = frozenset(
    {
        "policy",
        "policytext",
        "policydocument",
        "policyinjson",
        "bucketpolicy",
        "resourcepolicy",
        "accesspolicy",
        "accesspolicies",
        "attributevalue",
    }
)
_PRINCIPALS: Final = frozenset(
    {
        "principal",
        "granteeprincipal",
        "awsaccountid",
        "awsaccountids",
        "userid",
        "userids",
        "group",
        "usergroups",
        "groupnames",
        "valuestoadd",
        "organizationid",
        "organizationarns",
        "organizationalunitarns",
        "organizationarn",
        "organizationalunitarn",
    }
)
_ACLS: Final = frozenset({"uri", "x-amz-acl", "acl"})
_TAKEN_AWAY: Final = frozenset({"remove"})
_PUBLIC: Final = re.compile(
    r"all|public-\S*|authenticated-read|\S*/(?:AllUsers|AuthenticatedUsers)"
)
_ACCOUNT: Final = re.compile(r"arn:[\w-]+:(?:iam|sts)::(\d{12}):\S*", re.ASCII)
_PERSON: Final = re.compile(
    r"arn:[\w-]+:(?:iam|sts)::(\d{12}):(?:user|assumed-role|federated-user)/\S+"
)


def may_let_in(call_name: str) -> bool:
    """Whether calls of this name can let another account in."""
    return bool(_LETS_IN.fullmatch(_DATE.sub("", call_name)))


def outsiders(call: Call) -> list[str]:
    """The principals that the call lets in, and which are not known to be of its own account:
    `account:123456789012`, a role's ARN, `anyone`; and the services that a policy lets in. A single
    permission or grant for a service does not count: services have many of them made.
    """
    found = set(_principals(call.request)) | set(_principals(call.response))
    return sorted({_impersonal(each) for each in found if not _is_inside(each, call.account)})


def _principals(value: object, key: str = "") -> Iterator[str]:
    """Every principal in a value of a call, by the keys under which they stand."""
    if key in _DOCUMENTS:
        yield from principals(value)
    elif isinstance(value, dict):
        for name, part in value.items():
            if (lower := str(name).lower()) not in _TAKEN_AWAY:
                yield from _principals(part, lower)
    elif isinstance(value, list):
        for part in value:
            yield from _principals(part, key)
    elif isinstance(value, str) and value:
        yield from _named(value, key)


def _named(value: str, key: str) -> Iterator[str]:
    if key in _ACLS | _PRINCIPALS and _PUBLIC.fullmatch(value):
        yield ANYONE
    elif key in _PRINCIPALS and not value.endswith(".amazonaws.com"):
        yield principal_word("AWS", value)


def _is_inside(principal: str, account: str) -> bool:
    found = _ACCOUNT.match(principal)
    owner = found[1] if found else principal.partition(" if ")[0].removeprefix("account:")
    return owner == account


def _impersonal(principal: str) -> str:
    """The account of a person of another account: a name in an event could never be erased."""
    return _PERSON.sub(r"account:\1", principal)
