"""AWS IAM's calls on roles and policies → facts. Calls on users and groups are not delegations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

from ledger.account.agency import (
    AgencyCreated,
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyTrustChanged,
)
from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.messages import DomainEvent
from ledger.sources.cloudtrail.call import Call
from ledger.sources.fields import text, within
from ledger.sources.trust_policy import trustee
from ledger.values import ALL_REGIONS

NO_ROLE: Final = "role not named"
NO_POLICY: Final = "policy not named"


def _create_role(call: Call) -> DomainEvent | str:
    role = call.role()
    if role is None:
        return NO_ROLE
    if call.error:
        return AgencyCreationRefused(agency=role, why=call.why())
    answer = within(call.response, "role")
    service = text(call.request.get("awsServiceName"))
    return AgencyCreated(
        agency=role,
        agency_id=text(answer.get("roleId")),
        trustee=trustee(call.request.get("assumeRolePolicyDocument"))
        or trustee(answer.get("assumeRolePolicyDocument"))
        or (f"service:{service}" if service else None),
    )


def _change_trust(call: Call) -> DomainEvent | str:
    role = call.role()
    if role is None:
        return NO_ROLE
    if call.error:
        return PermissionChangeRefused(agency=role, why=call.why())
    return AgencyTrustChanged(agency=role, trustee=trustee(call.request.get("policyDocument")))


def _delete_role(call: Call) -> DomainEvent | str:
    role = call.role()
    if role is None:
        return NO_ROLE
    if call.error:
        return AgencyDeletionAttempted(agency=role, outcome="refused", why=call.why())
    return AgencyDeleted(agency=role)


def _delete_linked_role(call: Call) -> DomainEvent | str:
    """AWS only accepts the deletion here. A task carries it out, and no trace has its result."""
    role = call.role()
    if role is None:
        return NO_ROLE
    if call.error:
        return AgencyDeletionAttempted(agency=role, outcome="refused", why=call.why())
    return PermissionsChanged(
        agency=role,
        region=ALL_REGIONS,
        detail=f"{call.name}: a deletion task was accepted; its end is not in the trace",
    )


def _attachment(
    event: type[PermissionGranted | PermissionRevoked], kind: Literal["managed", "inline"]
) -> Callable[[Call], DomainEvent | str]:
    def attach(call: Call) -> DomainEvent | str:
        role, policy = call.role(), call.policy()
        if role is None:
            return NO_ROLE
        if call.error:
            return PermissionChangeRefused(
                agency=role, region=ALL_REGIONS, policy=policy, why=call.why()
            )
        if policy is None:
            return NO_POLICY
        if event is PermissionGranted:
            return PermissionGranted(
                agency=role, region=ALL_REGIONS, policy=policy, policy_kind=kind
            )
        return PermissionRevoked(agency=role, region=ALL_REGIONS, policy=policy)

    return attach


def _change_boundary(call: Call) -> DomainEvent | str:
    """A permissions boundary limits a role without granting anything."""
    role = call.role()
    if role is None:
        return NO_ROLE
    if call.error:
        return PermissionChangeRefused(agency=role, region=ALL_REGIONS, why=call.why())
    return PermissionsChanged(
        agency=role, region=ALL_REGIONS, policy=call.policy(), detail=call.name
    )


def _create_policy(call: Call) -> DomainEvent | str:
    policy = call.policy()
    if policy is None:
        return NO_POLICY
    if call.error:
        return PermissionChangeRefused(policy=policy, why=call.why())
    answer = within(call.response, "policy")
    if not text(answer.get("arn")):
        return NO_POLICY  # By its name alone no attachment could be matched with it.
    return PolicyCreated(policy=policy, policy_id=text(answer.get("policyId")))


def _change_policy(call: Call) -> DomainEvent | str:
    policy = call.policy()
    if policy is None:
        return NO_POLICY
    if call.error:
        return PermissionChangeRefused(policy=policy, why=call.why())
    answer = within(call.response, "policyVersion")
    version = text(call.request.get("versionId")) or text(answer.get("versionId"))
    in_force = call.name == "SetDefaultPolicyVersion" or call.request.get("setAsDefault") is True
    words = [call.name, version, "in force from now on" if in_force else None]
    return PolicyChanged(policy=policy, detail=" ".join(word for word in words if word))


def _delete_policy(call: Call) -> DomainEvent | str:
    policy = call.policy()
    if policy is None:
        return NO_POLICY
    if call.error:
        return PolicyDeletionAttempted(policy=policy, outcome="refused", why=call.why())
    return PolicyDeleted(policy=policy)


TRANSLATORS: Final[dict[str, Callable[[Call], DomainEvent | str]]] = {
    "CreateRole": _create_role,
    "CreateServiceLinkedRole": _create_role,
    "UpdateAssumeRolePolicy": _change_trust,
    "DeleteRole": _delete_role,
    "DeleteServiceLinkedRole": _delete_linked_role,
    "AttachRolePolicy": _attachment(PermissionGranted, "managed"),
    "DetachRolePolicy": _attachment(PermissionRevoked, "managed"),
    "PutRolePolicy": _attachment(PermissionGranted, "inline"),
    "DeleteRolePolicy": _attachment(PermissionRevoked, "inline"),
    "PutRolePermissionsBoundary": _change_boundary,
    "DeleteRolePermissionsBoundary": _change_boundary,
    "CreatePolicy": _create_policy,
    "CreatePolicyVersion": _change_policy,
    "SetDefaultPolicyVersion": _change_policy,
    "DeletePolicyVersion": _change_policy,
    "DeletePolicy": _delete_policy,
}
