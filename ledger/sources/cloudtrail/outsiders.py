"""Other accounts, and services, that a call lets in: by a policy, a grant, an ACL, a shared copy.

    s3:PutBucketPolicy            a policy document, whose principals count
    glacier:SetVaultAccessPolicy  one in an object: policy.policy
    apigateway:UpdateRestApi      one in a patch: patchOperations[].value
    kms:CreateGrant               one principal: granteePrincipal
    sqs:AddPermission             accounts: aWSAccountIds
    ec2:ModifyImageAttribute      launchPermission.add.items[].userId, or .group "all"
    ec2:ModifyVpcEndpointServicePermissions   AddAllowedPrincipals.content

A policy is known by its shape, wherever it stands; a principal by its own shape and by the key
under which it stands. Which calls are looked at is told by their names, or by a policy or a
principal in their requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from ledger.sources.cloudtrail.call import Call
from ledger.sources.fields import NOBODY, text, within
from ledger.sources.policy_shape import DEPTH_MAX, policy_in
from ledger.sources.trust_policy import ANYONE, principal_word, principals

_DATE: Final = re.compile(r"(?:20\d{6}|20\d\d_\d\d_\d\d)(?:v\d+)?$", re.ASCII)
"""Lambda and CloudFront add their API's version to a call's name: `AddPermission20150331v2`."""
_LETS_IN: Final = re.compile(
    r"(?!Delete|Remove|Detach)\w*(?:Policy|Policies|Acl)"
    r"|(?:Add|Put|Modify|Update|(?:Batch)?Grant|(?:Batch)?Revoke)\w*Permissions?(?:Policy)?"
    r"|CreateGrant|CreateKey|ReplicateKey"
    r"|(?:Authorize|Revoke)(?:Snapshot|(?:Vpc)?Endpoint)Access|(?:Authorize|Deauthorize)DataShare"
    r"|(?:Create|Set)(?:Topic|Queue)\w*"
    r"|Modify\w*(?:Snapshot|Image)\w*Attribute"
    r"|CreateNetworkInterfacePermission"
    r"|(?:Share|Unshare)Directory|(?:Create|Update|Delete)PortfolioShare"
    r"|PutAggregationAuthorization"
    r"|(?:Create|Update)(?:RestApi|DomainConfig|ElasticsearchDomainConfig|Domain)",
    re.ASCII,
)
_TAKES_AWAY: Final = re.compile(r"(?:Remove|Revoke|Delete|Detach|Disassociate|Deauthorize|Unshare)")
_MAKES: Final = ("Create", "Replicate", "SetTopic", "SetQueue", "UpdateRestApi", "UpdateDomain")
_LIMITS_OR_TRIES: Final = re.compile(r"ec2:\w+VpcEndpoint|accessanalyzer:\w+", re.ASCII)
"""The policy of an endpoint only limits what goes through it; the analyzer's are tried, not set."""
_PRINCIPALS: Final = frozenset(
    {
        "authorizedaccountid",
        "awsaccountid",
        "awsaccountids",
        "consumeridentifier",
        "group",
        "groupnames",
        "organizationarn",
        "organizationarns",
        "organizationid",
        "organizationalunitarn",
        "organizationalunitarns",
        "principalorgid",
        "principalorgids",
        "sourceaccount",
        "sourcearn",
        "userid",
        "usergroups",
        "userids",
        "valuestoadd",
        "valuestoremove",
    }
)
"""Keys that have principals in calls that may let somebody in."""
_PRINCIPALS_OF: Final = {
    "AuthorizeEndpointAccess": "account",
    "RevokeEndpointAccess": "account",
    "AuthorizeVpcEndpointAccess": "account",
    "CreatePortfolioShare": "accountid",
    "DeletePortfolioShare": "accountid",
    "ShareDirectory": "id",
    "UnshareDirectory": "id",
}
"""Keys that have principals in these calls alone."""
_PRINCIPAL_KEY: Final = re.compile("principal|grantee")
_SAY_SO: Final = frozenset(
    {"accountidstoadd", "accountidstoremove", "accountwithrestoreaccess", "sharedaccountid"}
)
"""Keys that have principals in any call, beside those with one of the words above."""
_CARRIES: Final = frozenset({"items", "item", "content", "member", "value", "aws", "id", "arn"})
"""Keys behind which the same kind of thing stands as behind the key around them."""
_ACLS: Final = frozenset({"uri", "x-amz-acl", "acl"})
_GRANTEES: Final = re.compile(r'(id|uri|emailaddress)="?([^",\s]+)', re.ASCII | re.IGNORECASE)
_PUBLIC: Final = re.compile(
    r"all|\*|public-\S*|authenticated-read|\S*/(?:AllUsers|AuthenticatedUsers)"
)
_CANONICAL_CHARS: Final = 64
_PRINCIPAL: Final = re.compile(
    r"\d{12}|arn:[\w-]+:[\w-]+:[\w-]*:\d{12}:\S+|o-[a-z0-9]+|[0-9a-f]{64}", re.ASCII
)
"""An account, an ARN with one, an organization, the canonical id of a user."""
_ACCOUNT: Final = re.compile(r"arn:[\w-]+:(?!organizations:)[\w-]+:[\w-]*:(\d{12}):\S*", re.ASCII)
_PERSON: Final = re.compile(
    r"^arn:[\w-]+:(?!organizations:|iam::\d{12}:role/)[\w-]+:[\w-]*:(\d{12}):\S+", re.ASCII
)
"""Any ARN but a role's: it may name a person."""


class Principal(NamedTuple):
    """One that a call lets in; or that it keeps out from then on, if it `is_removed`."""

    word: str
    is_removed: bool = False

    def __str__(self) -> str:
        return f"{'removed-' if self.is_removed else ''}principal={self.word}"


def may_let_in(call_name: str) -> bool:
    """Whether calls of this name can let another account in, or keep one out again."""
    return bool(_LETS_IN.fullmatch(_DATE.sub("", call_name)))


def is_of_policies(call_name: str) -> bool:
    """Whether calls of this name, if they tell no request, may have let another account in: others
    mostly make a thing without any policy.
    """
    return may_let_in(call_name) and not call_name.startswith(_MAKES)


def shows_principals(kind: str, request: Mapping[str, Any]) -> bool:
    """Whether the request of any call has a policy, or a principal under a key that says so."""
    found = any(_says_so(key) or policy_in(value) is not None for key, value in request.items())
    return found and _LIMITS_OR_TRIES.fullmatch(kind) is None


def outsiders(call: Call) -> list[Principal]:
    """The principals that the call lets in or keeps out, and which are not known to be of its own
    account: `account:123456789012`, a role's ARN, `anyone`; and the services that a policy lets in.
    A single permission or grant for a service does not count: services have many of them made.
    """
    if _LIMITS_OR_TRIES.fullmatch(call.kind):
        return []
    own = {call.account, f"canonical-user:{_owner(call)}"}
    name = _DATE.sub("", call.name)
    search = _Search(_PRINCIPALS_OF.get(name, ""))
    is_removal = _TAKES_AWAY.match(name) is not None
    found = {*search.principals(call.request, "", is_removed=is_removal)}
    found |= {*search.principals(call.response, "", is_removed=is_removal)}
    outside = {each for each in found if not _is_inside(each.word, own)}
    return sorted({each._replace(word=_impersonal(each.word)) for each in outside})


class _Search:
    """A search for principals in a call. `own_key`: one that has principals in this call alone."""

    def __init__(self, own_key: str) -> None:
        self._own_key = own_key

    def principals(
        self, value: Any, key: str, *, is_removed: bool, depth: int = DEPTH_MAX
    ) -> Iterator[Principal]:
        """Every principal in a value, by the keys under which they stand."""
        found = policy_in(value)
        if isinstance(found, dict) and "Statement" in found:
            yield from (Principal(word, is_removed) for word in principals(found))
            return
        value = value if found is None else found
        if isinstance(value, str):
            yield from (Principal(word, is_removed) for word in self._named(value, key))
        elif isinstance(value, dict | list) and depth > 0:
            is_removed = is_removed or _removes(value)
            for name, part in self._parts(value, key):
                gone = is_removed or name.startswith("remove") or name.endswith("toremove")
                yield from self.principals(part, name, is_removed=gone, depth=depth - 1)

    def _is_of_principals(self, key: str) -> bool:
        return _says_so(key) or key in _PRINCIPALS or key == self._own_key != ""

    def _parts(self, value: Any, key: str) -> Iterator[tuple[str, Any]]:
        """The parts of an object or a list, each with the key under which its principals stand."""
        if isinstance(value, list):
            yield from ((key, part) for part in value)
            return
        is_carried = self._is_of_principals(key)
        for name, part in value.items():
            lower = str(name).lower()
            yield (key if is_carried and lower in _CARRIES else lower), part

    def _named(self, value: str, key: str) -> Iterator[str]:
        names_principals = self._is_of_principals(key)
        if (names_principals or key in _ACLS) and _PUBLIC.fullmatch(value):
            yield ANYONE
        elif key.startswith("x-amz-grant-"):
            yield from map(_grantee, _GRANTEES.findall(value))
        elif names_principals and _PRINCIPAL.fullmatch(value):
            is_canonical = len(value) == _CANONICAL_CHARS and not value.startswith("arn:")
            yield principal_word("CanonicalUser" if is_canonical else "AWS", value)


def _removes(value: Any) -> bool:
    """Whether an object says by a field of its own that it takes away what it names."""
    if not isinstance(value, dict):
        return False
    said = value.get("operationType") or value.get("OperationType") or value.get("op")
    return said == "remove"


def _grantee(found: tuple[str, str]) -> str:
    kind, value = found
    if kind == "uri":
        return ANYONE if _PUBLIC.fullmatch(value) else value
    return f"canonical-user:{value}" if kind == "id" else NOBODY


@lru_cache(maxsize=1_024)  # Requests repeat few keys often.
def _says_so(key: str) -> bool:
    lower = key.lower()
    return lower in _SAY_SO or _PRINCIPAL_KEY.search(lower) is not None


def _owner(call: Call) -> str | None:
    """The canonical id of a bucket's owner, which an ACL tells."""
    return text(within(call.request, "AccessControlPolicy", "Owner").get("ID"))


def _is_inside(principal: str, own: set[str]) -> bool:
    found = _ACCOUNT.match(principal)
    owner = found[1] if found else principal.partition(" if ")[0].removeprefix("account:")
    return owner in own


def _impersonal(principal: str) -> str:
    """The account of a person of another account: a name in an event could never be erased."""
    return _PERSON.sub(r"account:\1", principal)
