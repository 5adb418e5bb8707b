"""CTS traces of IAM's roles and policies, version 3 and 5 → facts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledger.account.permissions import PermissionChangeRefused
from ledger.account.policy import (
    PolicyChanged,
    PolicyCreated,
    PolicyDeleted,
    PolicyDeletionAttempted,
)
from ledger.messages import DomainEvent
from ledger.sources.cts.agencies import NAME_NOT_TOLD
from ledger.sources.cts.named import policy_of
from ledger.sources.cts.trace import CtsTrace, Handles

Facts = tuple[DomainEvent, ...]

NO_POLICY: Final = "policy not named"


def _create(trace: CtsTrace) -> Facts | str:
    policy = policy_of(trace)
    if not policy.known:
        return NO_POLICY
    if not trace.succeeded:
        return _refused(trace, policy)
    if policy.name is None:
        return (_changed(policy, f"{trace.name}: {NAME_NOT_TOLD}"),)
    return (PolicyCreated(policy=policy.name, policy_id=policy.id),)


def _update(trace: CtsTrace) -> Facts | str:
    """Its name is the one after the change; the id stays."""
    policy = policy_of(trace)
    if not policy.known:
        return NO_POLICY
    if not trace.succeeded:
        return _refused(trace, policy)
    return (_changed(policy, _detail(trace)),)


def _detail(trace: CtsTrace) -> str:
    """The trace's name; of version 5 also which version it is about, and if it is now in force."""
    version = trace.after("versions") or trace.text_at("policy_version.version_id", "version_id")
    in_force = (
        trace.name.lower() == "setdefaultpolicyversionv5"
        or str(trace.request.get("set_as_default")).lower() == "true"
    )
    words = (trace.name, version, "in force from now on" if in_force else None)
    return " ".join(word for word in words if word)


def _delete(trace: CtsTrace) -> Facts | str:
    policy = policy_of(trace)
    if not policy.known:
        return NO_POLICY
    if not trace.succeeded:
        refused = PolicyDeletionAttempted(
            policy=policy.name, policy_id=policy.id, outcome="refused", why=trace.why()
        )
        return (refused,)
    return (PolicyDeleted(policy=policy.name, policy_id=policy.id),)


def _refused(trace: CtsTrace, policy: Handles) -> Facts:
    refused = PermissionChangeRefused(policy=policy.name, policy_id=policy.id, why=trace.why())
    return (refused,)


def _changed(policy: Handles, detail: str) -> PolicyChanged:
    return PolicyChanged(policy=policy.name, policy_id=policy.id, detail=detail)


TRANSLATORS: Final[dict[str, Callable[[CtsTrace], Facts | str]]] = {
    "createRole": _create,
    "updateRole": _update,
    "deleteRole": _delete,
    "createPolicyV5": _create,
    "createPolicyVersionV5": _update,
    "setDefaultPolicyVersionV5": _update,
    "deletePolicyVersionV5": _update,
    "deletePolicyV5": _delete,
}
