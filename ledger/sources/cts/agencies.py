"""CTS traces of IAM's agencies and policies, version 3 and 5 → facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.agency import (
    AgencyCreated,
    AgencyCreationRefused,
    AgencyDeleted,
    AgencyDeletionAttempted,
    AgencyTrustChanged,
)
from ledger.account.permissions import PermissionChangeRefused, PermissionsChanged
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.messages import DomainEvent
from ledger.sources.cts.trace import CtsTrace
from ledger.sources.trust_policy import trustee

Facts = tuple[DomainEvent, ...]

NO_AGENCY: Final = "agency not named"
NO_POLICY: Final = "policy not named"
DETAIL_KEYS_MAX: Final = 12


def agency_of(trace: CtsTrace) -> str | None:
    """The agency's name; its id is not one."""
    named = trace.said("agency.name", "agency_name", "agencyName", "agency.agency_name")
    if named or "agency" not in trace.resource_type or trace.resource_type.startswith("role"):
        return named
    return trace.resource_name


def _agency_id(trace: CtsTrace) -> str | None:
    return (
        trace.said("agency.id", "agency.agency_id", "agency_id")
        or (trace.resource_id if "agency" in trace.resource_type else None)
        or trace.after("agencies")
    )


def _trustee(trace: CtsTrace) -> str | None:
    """A version 5 trust policy's principals; else the account trusted, by name, else by id."""
    policy = trace.said("trust_policy", "agency.trust_policy")
    name = trace.said("agency.trust_domain_name", "trust_domain_name")
    account = name or trace.said("agency.trust_domain_id", "trust_domain_id")
    principal = trace.said("service_principal")
    return (
        trustee(policy)
        or (f"account:{account}" if account else None)
        or (f"service:{principal}" if principal else None)
    )


def _create(trace: CtsTrace) -> Facts | str:
    agency = agency_of(trace)
    if agency is None:
        return NO_AGENCY
    if not trace.succeeded:
        return (AgencyCreationRefused(agency=agency, why=trace.why()),)
    return (AgencyCreated(agency=agency, agency_id=_agency_id(trace), trustee=_trustee(trace)),)


def _update(trace: CtsTrace) -> Facts | str:
    """Whom the agency trusts, if the request says it; else something that is only named."""
    agency = agency_of(trace)
    if agency is None:
        return NO_AGENCY
    if not trace.succeeded:
        return (PermissionChangeRefused(agency=agency, why=trace.why()),)
    trusted = _trustee(trace)
    if trusted is not None:
        return (AgencyTrustChanged(agency=agency, trustee=trusted),)
    return (PermissionsChanged(agency=agency, detail=_detail(trace)),)


def _detail(trace: CtsTrace) -> str:
    """The trace's name, and the fields that the request names, without their values."""
    body = trace.request.get("agency", trace.request)
    keys = sorted(key for key in body if key.isidentifier()) if isinstance(body, dict) else []
    return f"{trace.name}: {', '.join(keys[:DETAIL_KEYS_MAX])}" if keys else trace.name


def _delete(trace: CtsTrace) -> Facts | str:
    agency = agency_of(trace)
    if agency is None:
        return NO_AGENCY
    if not trace.succeeded:
        refused = AgencyDeletionAttempted(agency=agency, outcome="refused", why=trace.why())
        return (refused,)
    return (AgencyDeleted(agency=agency, agency_id=_agency_id(trace)),)


def _delete_linked(trace: CtsTrace) -> Facts | str:
    """Accepting is not deleting: a task decides, and no trace says how it ended."""
    facts = _delete(trace)
    if isinstance(facts, str) or not trace.succeeded:
        return facts
    detail = f"{trace.name}: a deletion task was accepted; its end is not in the trace"
    return (PermissionsChanged(agency=str(agency_of(trace)), detail=detail),)


def _policy(trace: CtsTrace) -> str | None:
    """As people see it: the display name, under which it is granted; `name` is made by IAM."""
    named = trace.said("role.display_name", "display_name", "policy.policy_name", "policy_name")
    return named or trace.resource_name or trace.said("role.name")


def _policy_id(trace: CtsTrace) -> str | None:
    return trace.said("role.id", "policy.policy_id") or trace.resource_id


def _create_policy(trace: CtsTrace) -> Facts | str:
    policy = _policy(trace)
    if policy is None:
        return NO_POLICY
    if not trace.succeeded:
        return (PermissionChangeRefused(policy=policy, why=trace.why()),)
    return (PolicyCreated(policy=policy, policy_id=_policy_id(trace)),)


def _update_policy(trace: CtsTrace) -> Facts | str:
    policy = _policy(trace)
    if policy is None:
        return NO_POLICY
    if not trace.succeeded:
        return (PermissionChangeRefused(policy=policy, why=trace.why()),)
    return (PolicyChanged(policy=policy, detail=trace.name),)


def _delete_policy(trace: CtsTrace) -> Facts | str:
    policy = _policy(trace)
    if policy is None:
        return NO_POLICY
    if not trace.succeeded:
        refused = PolicyDeletionAttempted(policy=policy, outcome="refused", why=trace.why())
        return (refused,)
    return (PolicyDeleted(policy=policy, policy_id=_policy_id(trace)),)


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], Facts | str]]] = {
    "createAgency": _create,
    "updateAgency": _update,
    "deleteAgency": _delete,
    "createRole": _create_policy,
    "updateRole": _update_policy,
    "deleteRole": _delete_policy,
    "createAgencyV5": _create,
    "updateAgencyV5": _update,
    "updateTrustPolicyV5": _update,
    "deleteAgencyV5": _delete,
    "createServiceLinkedAgencyV5": _create,
    "deleteServiceLinkedAgencyV5": _delete_linked,
    "createPolicyV5": _create_policy,
    "createPolicyVersionV5": _update_policy,
    "setDefaultPolicyVersionV5": _update_policy,
    "deletePolicyVersionV5": _update_policy,
    "deletePolicyV5": _delete_policy,
}
