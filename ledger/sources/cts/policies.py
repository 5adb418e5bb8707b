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
from ledger.sources.cts.documents import POLICIES, keep
from ledger.sources.cts.named import policy_of
from ledger.sources.cts.trace import CtsTrace, Handles
from ledger.sources.fields import within

Facts = tuple[DomainEvent, ...]

NO_POLICY: Final = "policy not named"
VERSIONS: Final = ("policy_version.version_id", "version_id", "policy.default_version_id")
_DESCRIPTIONS: Final = {"description", "description_cn"}
_TRUTHS: Final = {"true": True, "false": False}


def _create(trace: CtsTrace) -> Facts | str:
    policy = policy_of(trace)
    if not policy.known:
        return NO_POLICY
    if not trace.succeeded:
        return _refused(trace, policy)
    if policy.name is None:
        return (_changed(trace, policy, f"{trace.name}: {NAME_NOT_TOLD}"),)
    document, version = keep(trace, *POLICIES), _version(trace)
    created = PolicyCreated(
        policy=policy.name,
        policy_id=policy.id,
        document=document.digest,
        document_bytes=document.size,
        document_version=version,
        in_force=True if version else None,
    )
    return (created,)


def _update(trace: CtsTrace) -> Facts | str:
    """Its name is the one after the change; the id stays."""
    policy = policy_of(trace)
    if not policy.known:
        return NO_POLICY
    if not trace.succeeded:
        return _refused(trace, policy)
    return (_changed(trace, policy, _detail(trace)),)


def _detail(trace: CtsTrace) -> str:
    """The trace's name; of version 5 also which version it is about, and if it is now in force."""
    words = (trace.name, _version(trace), "in force from now on" if _in_force(trace) else None)
    return " ".join(word for word in words if word)


def _version(trace: CtsTrace) -> str | None:
    """The version that the call is about; roles, and policies of version 3, have none."""
    return trace.after("versions") or trace.text_at(*VERSIONS)


def _in_force(trace: CtsTrace) -> bool | None:
    """Whether the version is in force from now on. IAM does not delete the one that is in force."""
    name = trace.name.lower()
    if name in ("setdefaultpolicyversionv5", "deletepolicyversionv5"):
        return name.startswith("set")
    shown = within(trace.response, "policy_version").get("is_default")
    words = (str(word).lower() for word in (trace.request.get("set_as_default"), shown))
    return next((_TRUTHS[word] for word in words if word in _TRUTHS), None)


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


def _changed(trace: CtsTrace, policy: Handles, detail: str) -> PolicyChanged:
    document = keep(trace, *POLICIES)
    return PolicyChanged(
        policy=policy.name,
        policy_id=policy.id,
        detail=detail,
        document=document.digest,
        document_bytes=document.size,
        document_version=_version(trace),
        in_force=_in_force(trace),
        content="unchanged" if _leaves_the_document(trace) else None,
    )


def _leaves_the_document(trace: CtsTrace) -> bool:
    """Whether the call sets only the description of a role.

    A call that sets its name as well needs the document, so the trace alone leaves it out.
    """
    role = within(trace.request, "role")
    return trace.name == "updateRole" and bool(role) and role.keys() <= _DESCRIPTIONS


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
