"""AWS IAM's calls on managed policies → facts. A policy's name is its ARN, as in attachments."""

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
from ledger.sources.cloudtrail.arns import policy_arn
from ledger.sources.cloudtrail.call import Call, of_policy
from ledger.sources.fields import Record, text, within
from ledger.sources.source import Translation

_FIRST_VERSION: Final = "v1"
"""AWS numbers the versions of a policy, also if a record leaves the number out."""


def _create(call: Call) -> Translation:
    answer = within(call.response, "policy")
    policy = text(answer.get("arn")) or _arn_asked_for(call)
    if call.error:
        policy = policy or call.policy()
        if policy is None:
            return call.not_named("policy")
        return PermissionChangeRefused(policy=policy, why=call.why())
    if policy is None:
        return call.not_named("policy")  # Its name alone is not the name that attachments use.
    return PolicyCreated(
        policy=policy,
        policy_id=text(answer.get("policyId")),
        **call.document("document", call.request.get("policyDocument")),
        document_version=text(answer.get("defaultVersionId")) or _FIRST_VERSION,
        in_force=True,  # The first version is the default.
    )


def _arn_asked_for(call: Call) -> str | None:
    """The ARN of a policy that is asked for by its name: the caller is of the same partition."""
    name, path = text(call.request.get("policyName")), text(call.request.get("path")) or "/"
    return policy_arn(call.account, path, name, text(call.identity.get("arn"))) if name else None


@of_policy
def _change(call: Call, policy: str) -> Translation:
    if call.error:
        return PermissionChangeRefused(policy=policy, why=call.why())
    version = text(call.request.get("versionId")) or text(_answer(call).get("versionId"))
    in_force = _is_in_force(call)
    words = [call.name, version, "in force from now on" if in_force else None]
    return PolicyChanged(
        policy=policy,
        detail=" ".join(word for word in words if word),
        **call.document("document", call.request.get("policyDocument")),
        document_version=version,
        in_force=in_force,
    )


def _is_in_force(call: Call) -> bool | None:
    """Whether the version is the default after the call; None if the record does not tell it."""
    if call.name != "CreatePolicyVersion":
        return call.name == "SetDefaultPolicyVersion"  # The default cannot be deleted.
    answer = _answer(call).get("isDefaultVersion")
    if isinstance(answer, bool):
        return answer
    return None if call.omits_request else call.request.get("setAsDefault") is True


def _answer(call: Call) -> Record:
    return within(call.response, "policyVersion")


@of_policy
def _delete(call: Call, policy: str) -> Translation:
    if call.error:
        return PolicyDeletionAttempted(policy=policy, outcome="refused", why=call.why())
    return PolicyDeleted(policy=policy)


TRANSLATORS: Final[dict[str, Callable[[Call], Translation]]] = {
    "CreatePolicy": _create,
    "CreatePolicyVersion": _change,
    "SetDefaultPolicyVersion": _change,
    "DeletePolicyVersion": _change,
    "DeletePolicy": _delete,
}
