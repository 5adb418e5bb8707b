"""CTS traces of calls on rights that no other translator understands → `NotModelled`.

    every call of the services that manage rights, unless it only reads
    a resource's policy, a grant or a share that lets another account in, or does not tell whom

Kept are the fields of a call whose key is listed below: they name an id, a service, an account, a
group. No other field is: a body may also have passwords, keys, documents, and names of persons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from ledger.account.unmodelled import NotModelled
from ledger.documents import Document
from ledger.sources.cts.named import (
    POLICY_IDS,
    POLICY_NAMES,
    POLICY_PATHS,
    agency_of,
    policy_of,
    stated_agency,
)
from ledger.sources.cts.outsiders import may_let_in, outsiders
from ledger.sources.cts.trace import DIGEST_FILE, CtsTrace, Handles, handles, is_id
from ledger.sources.fields import Record, mapping, text
from ledger.sources.policy_shape import policies_in
from ledger.sources.source import TraceKind

SERVICES: Final = frozenset(
    ("iam", "sts", "organizations", "identitycenter", "identitystore", "ram", "cts")
)
CONSENT: Final = "cce:createuseragencies"
_reading = re.compile(
    r"(?:keystone)?(?:list|get|show|check|query|search|describe|head|count|decode|simulate|validate)"
)
_session = re.compile(r"logout|createtoken(?!byassumerole)")
"""Calls by which somebody proves who they are. They change nobody's rights."""

KEYS: Final = frozenset(
    (
        "account_id",
        "allow_external_principals",
        "destination_parent_id",
        "domain_id",
        "enabled",
        "enterprise_project_id",
        "grantee_principal",
        "grantee_principal_type",
        "entity_id",
        "group_id",
        "group_name",
        "idp_id",
        "instance_id",
        "mapping_id",
        "organizational_unit_id",
        "parent_id",
        "permission_ids",
        "permission_set_id",
        "policy_ids",
        "policy_type",
        "principal_id",
        "principal_type",
        "principals",
        "project_id",
        "protocol_id",
        "resource_share_id",
        "resource_urns",
        "role_id",
        "service_principal",
        "session_duration",
        "source_parent_id",
        "status",
        "target_id",
        "target_type",
        "type",
        "user_id",
    )
)
"""The fields of a body that name things, as the vendor's kit 3.1.219 has them."""
PERSONS: Final = ("grantee_principal", "principal_id", "principals", "user_id", "users")
"""Here only an id is kept: some calls have a name in its place."""
PATHS: Final = {
    "accounts": "account_id",
    "domains": "domain_id",
    "groups": "group_id",
    "identity_providers": "identity_provider",
    "instances": "instance_id",
    "mappings": "mapping_id",
    "organizational-units": "organizational_unit_id",
    "permission-sets": "permission_set_id",
    "projects": "project_id",
    "protocols": "protocol_id",
    "resource-shares": "resource_share_id",
    "users": "user_id",
}
THINGS: Final = frozenset(
    (
        "bucket",
        "delegatedadministrator",
        "endpointservice",
        "group",
        "identityprovider",
        "instance",
        "mapping",
        "organization",
        "organizationunit",
        "permissionset",
        "project",
        "protocol",
        "resourceshare",
        "root",
        "tracker",
        "trustedservice",
        "usergroup",
    )
)
"""The types of resources whose name is not a person's."""
NAMED_MAX: Final = 40
CHARS_MAX: Final = 256


def changes_rights(kind: TraceKind, record: Record) -> bool:
    """Whether a call may change who may do what: one of the services above that does not read, or
    of another one that may let another account in.
    """
    service, name = kind.name.lower().split(":", 1)
    if kind.read_only or kind.name == DIGEST_FILE:
        return False
    if _reading.match(name) or _session.match(name):
        return False
    return service in SERVICES or kind.name.lower() == CONSENT or may_let_in(kind.name, record)


def not_modelled(trace: CtsTrace) -> NotModelled | str:
    """The fact that keeps the call: its name, what it named, and whether it was refused; or why it
    is only counted: it lets nobody in.
    """
    service = str(trace.record.get("service_type")).lower()
    others = None if service in SERVICES else outsiders(trace)
    if others == []:
        return "lets nobody in"
    agency, policy = _agency(trace), _policy(trace)
    document = None if service in SERVICES else _document(trace)
    return NotModelled(
        call=f"{trace.record.get('service_type')}:{trace.name}",
        region=trace.stated_region(),
        agency=agency.name,
        agency_id=agency.id,
        policy=policy.name,
        policy_id=policy.id,
        named=(*(f"principal={each}" for each in others or ()), *_named(trace)),
        document=document.digest if document else None,
        document_bytes=document.size if document else None,
        outcome="carried-out" if trace.succeeded else "refused",
        why=None if trace.succeeded else trace.why(),
    )


def _document(trace: CtsTrace) -> Document | None:
    policy = next(policies_in(trace.request), None)
    return trace.keep(policy) if policy else None


def _agency(trace: CtsTrace) -> Handles:
    """The resource of a grant to a user or a group is not an agency."""
    return agency_of(trace) if "agency" in trace.resource_type else stated_agency(trace)


def _policy(trace: CtsTrace) -> Handles:
    """In a call on another thing, a display name may be a person's."""
    if trace.resource_type in ("policy", "role"):
        return policy_of(trace)
    identity = trace.text_at(*POLICY_IDS) or trace.after(*POLICY_PATHS)
    names = (name for name in POLICY_NAMES if name != "display_name")
    return handles(identity, trace.text_at(*names))


def _named(trace: CtsTrace) -> tuple[str, ...]:
    """Each as `key=value`, each key from the first place that has it; as many as fit."""
    named: dict[str, list[str]] = {}
    for key, value in _stated(trace):
        named.setdefault(key, list(_words(key, value)))
    listed = [f"{key}={word}" for key, words in sorted(named.items()) for word in words]
    return tuple(dict.fromkeys(listed[:NAMED_MAX]))


def _stated(trace: CtsTrace) -> Iterator[tuple[str, Any]]:
    for body in (trace.request, trace.response):
        for within in (body, *map(mapping, body.values())):
            yield from ((key, value) for key, value in within.items() if key in KEYS)
    yield from ((PATHS[part], found) for part, found in trace.path.items() if part in PATHS)
    if trace.resource_type in THINGS:
        resource_type = str(trace.record.get("resource_type"))
        yield resource_type, trace.resource.name
        yield f"{resource_type}_id", trace.resource.id


def _words(key: str, value: Any) -> Iterator[str]:
    """The single texts of a value that may be kept."""
    for each in value if isinstance(value, list) else [value]:
        word = str(each).lower() if isinstance(each, bool | int) else text(each)
        short = word is not None and len(word) <= CHARS_MAX and word.isprintable()
        if word is not None and short and (key not in PERSONS or is_id(word)):
            yield word
