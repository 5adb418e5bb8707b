"""AWS IAM's calls on roles → facts. Calls on users and groups are not delegations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.agency import (
    AgencyChanged,
    AgencyCreated,
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyDeletionFailed,
    AgencyDeletionRequested,
    AgencyTrustChanged,
)
from ledger.account.boundary import BoundaryRemoved, BoundarySet
from ledger.account.permissions import (
    PermissionChangeRefused,
    PermissionGranted,
    PermissionRevoked,
    PermissionsChanged,
)
from ledger.messages import DomainEvent
from ledger.sources.cloudtrail.arns import Role, role_of_task
from ledger.sources.cloudtrail.call import Call, of_role
from ledger.sources.cloudtrail.named import named
from ledger.sources.fields import first_text, text, within
from ledger.sources.report import shown
from ledger.sources.source import Translation
from ledger.sources.trust_policy import trustee
from ledger.values import ALL_REGIONS

_DETAIL_CHARS_MAX: Final = 500


@of_role
def _create(call: Call, role: Role) -> Translation:
    if call.error:
        return AgencyCreationRefused(agency=role.name, why=call.why())
    return _created(call, role)


@of_role
def _acquire(call: Call, role: Role) -> Translation:
    """A role that is made from a template: the record does not tell the template's policies."""
    if call.error:
        return AgencyCreationRefused(agency=role.name, why=call.why())
    template = text(call.request.get("templateArn")) or "a template that is not named"
    permitted = _changed(role, None, f"{call.name}: its permissions are those of {template}")
    return *_created(call, role), permitted


def _created(call: Call, role: Role) -> tuple[DomainEvent, ...]:
    answer = within(call.response, "role")
    trusts = [each.get("assumeRolePolicyDocument") for each in (call.request, answer)]
    created = AgencyCreated(
        agency=role.name,
        agency_id=role.id,
        trustee=first_text(map(trustee, trusts)) or _service(call),
        **call.document("trust_document", *trusts),
    )
    limit = within(answer, "permissionsBoundary").get("permissionsBoundaryArn")
    boundary = first_text((call.request.get("permissionsBoundary"), limit))
    return (created,) if boundary is None else (created, _bounded(role, boundary))


def _service(call: Call) -> str | None:
    """The service that a service-linked role is for."""
    keys = ("aWSServiceName", "awsServiceName", "AWSServiceName")
    service = first_text(call.request.get(key) for key in keys)
    return f"service:{service}" if service else None


@of_role
def _change_trust(call: Call, role: Role) -> Translation:
    if call.error:
        return PermissionChangeRefused(agency=role.name, why=call.why())
    trust = call.request.get("policyDocument")
    return AgencyTrustChanged(
        agency=role.name,
        agency_id=role.id,
        trustee=trustee(trust),
        **call.document("trust_document", trust),
    )


@of_role
def _change(call: Call, role: Role) -> Translation:
    """A change of neither the trust nor the policies. A refused one is kept as not modelled."""
    if call.error:
        return "refused"
    detail = shown(" ".join((call.name, *named(call, role))), _DETAIL_CHARS_MAX)
    return AgencyChanged(agency=role.name, agency_id=role.id, detail=detail)


@of_role
def _delete(call: Call, role: Role) -> Translation:
    if call.error:
        return AgencyDeletionAttempted(agency=role.name, outcome="refused", why=call.why())
    return AgencyDeleted(agency=role.name, agency_id=role.id)


@of_role
def _ask_for_deletion(call: Call, role: Role) -> Translation:
    """AWS only accepts the deletion of a service-linked role; a task carries it out."""
    if call.error:
        return AgencyDeletionAttempted(agency=role.name, outcome="refused", why=call.why())
    task = text(call.response.get("deletionTaskId"))
    return AgencyDeletionRequested(agency=role.name, agency_id=role.id, detail=task, task=task)


def _end_of_task(call: Call) -> Translation:
    """The result of a deletion task. However often it is asked for, it is one fact of nobody's."""
    task = text(call.request.get("deletionTaskId")) or ""
    status = text(call.response.get("status"))
    if call.error or status not in ("SUCCEEDED", "FAILED"):
        return "end not told"
    role = role_of_task(task)
    if role is None:
        return call.not_named("role")
    call.trace_id, call.actor, call.correlation_id = task, None, None
    if status == "SUCCEEDED":
        return AgencyDeleted(agency=role, task=task)
    reason = text(within(call.response, "reason").get("reason"))
    call.error = f"{status}: {reason}" if reason else status
    why = call.why()
    refused = AgencyDeletionAttempted(agency=role, outcome="refused", why=why)
    return refused, AgencyDeletionFailed(agency=role, why=why, task=task)


def _under_a_policy(
    translate: Callable[[Call, Role, str], PermissionGranted | PermissionRevoked],
) -> Callable[[Call], Translation]:
    """The translator of a call that gives a role a policy, or takes it away."""

    @of_role
    def translated(call: Call, role: Role) -> Translation:
        policy = call.policy()
        if call.error:
            return _refused(call, role, policy)
        if policy is None:
            return _changed(role, None, f"{call.name}: the record does not name the policy")
        return translate(call, role, policy)

    return translated


@_under_a_policy
def _attach(_: Call, role: Role, policy: str) -> PermissionGranted:
    return PermissionGranted(
        agency=role.name,
        agency_id=role.id,
        region=ALL_REGIONS,
        policy=policy,
        policy_kind="managed",
    )


@_under_a_policy
def _put(call: Call, role: Role, policy: str) -> PermissionGranted:
    return PermissionGranted(
        agency=role.name,
        agency_id=role.id,
        region=ALL_REGIONS,
        policy=policy,
        policy_kind="inline",
        **call.document("document", call.request.get("policyDocument")),
    )


@_under_a_policy
def _revoke(_: Call, role: Role, policy: str) -> PermissionRevoked:
    return PermissionRevoked(agency=role.name, agency_id=role.id, region=ALL_REGIONS, policy=policy)


@of_role
def _set_boundary(call: Call, role: Role) -> Translation:
    policy = call.policy()
    return _refused(call, role, policy) if call.error else _bounded(role, policy)


@of_role
def _remove_boundary(call: Call, role: Role) -> Translation:
    if call.error:
        return _refused(call, role, call.policy())
    return BoundaryRemoved(agency=role.name, agency_id=role.id)


def _bounded(role: Role, policy: str | None) -> BoundarySet:
    return BoundarySet(agency=role.name, agency_id=role.id, policy=policy)


def _refused(call: Call, role: Role, policy: str | None) -> PermissionChangeRefused:
    return PermissionChangeRefused(
        agency=role.name, region=ALL_REGIONS, policy=policy, why=call.why()
    )


def _changed(role: Role, policy: str | None, detail: str) -> PermissionsChanged:
    return PermissionsChanged(
        agency=role.name, agency_id=role.id, region=ALL_REGIONS, policy=policy, detail=detail
    )


TRANSLATORS: Final[dict[str, Callable[[Call], Translation]]] = {
    "CreateRole": _create,
    "CreateServiceLinkedRole": _create,
    "AcquireRole": _acquire,
    "UpdateAssumeRolePolicy": _change_trust,
    **dict.fromkeys(
        (
            "AddRoleToInstanceProfile",
            "RemoveRoleFromInstanceProfile",
            "TagRole",
            "UntagRole",
            "UpdateRole",
            "UpdateRoleDescription",
        ),
        _change,
    ),
    "DeleteRole": _delete,
    "DeleteServiceLinkedRole": _ask_for_deletion,
    "GetServiceLinkedRoleDeletionStatus": _end_of_task,
    "AttachRolePolicy": _attach,
    "DetachRolePolicy": _revoke,
    "PutRolePolicy": _put,
    "DeleteRolePolicy": _revoke,
    "PutRolePermissionsBoundary": _set_boundary,
    "DeleteRolePermissionsBoundary": _remove_boundary,
}
