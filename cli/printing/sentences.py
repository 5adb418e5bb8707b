"""What each event says, in one plain sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledger.messages import Recorded


def sentence(entry: Recorded, names: Mapping[str, str]) -> str:
    """One sentence: who did what where, and how it ended."""
    if entry.type == "SubjectRegistered":
        return _registered(entry.event, names)
    tell = _SENTENCES.get(entry.type)
    text = tell(entry.event, who_of(entry, names)) if tell else entry.type
    if entry.origin == "observed":
        text += " (seen in a trace)"
    # A consequence has the reason of what it follows from.
    if entry.reason and not getattr(entry.event, "consequence_of", None):
        text += f"; reason: {entry.reason}"
    return text


def _registered(event: Any, names: Mapping[str, str]) -> str:
    """The one place where a name stands beside its surrogate id."""
    who = names.get(event.subject, f"somebody ({event.kind}) whose name was erased")
    return f"{who} is called {event.subject} from now on"


def who_of(entry: Recorded, names: Mapping[str, str]) -> str:
    """The actor's name, the surrogate id of an erased one, or the ledger itself."""
    return "somebody" if entry.actor is None else names.get(entry.actor, entry.actor)


def _and(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def _what(event: Any) -> str:
    """What a permission permits."""
    if event.service and event.policy:
        return f"use {event.service} under {event.policy!r}"
    return f"use {event.service}" if event.service else f"act under {event.policy!r}"


def _where(region: str | None) -> str:
    if region is None:
        return ""
    return " in all regions" if region == "*" else f" in {region}"


def _login(event: Any, who: str) -> str:
    ending = {
        "admitted": "and was let in",
        "dialog": "and the authorization dialog opened",
        "refused": "and was refused",
    }[event.outcome]
    return f"{who} logged in to the console of {event.service}{_where(event.region)} {ending}"


def _attempt(event: Any, who: str) -> str:
    kind = "agency" if hasattr(event, "agency") else "policy"
    if event.outcome == "refused":
        ending, breaks = "refused", "it would break"
    else:
        ending, breaks = (
            "carried out against the protection" if event.override else "done",
            "breaks",
        )
    impact = _impact(event)
    tail = f"; {breaks} {impact}" if impact else "; no feature works through it"
    return f"{who} tried to delete the {kind} {getattr(event, kind)!r}: {ending}{tail}"


def _impact(event: Any) -> str:
    """`ingress-gateway, mesh (asm) in cn-north-4; …`, from `region/service/feature`."""
    by_place: dict[tuple[str, str], list[str]] = {}
    for item in event.impact_features:
        region, service, feature = [*item.split("/", 2), "", ""][:3]
        by_place.setdefault((service, region), []).append(feature)
    return "; ".join(
        f"{service} {', '.join(features)}{_where(region)}"
        for (service, region), features in by_place.items()
    )


def _credential(event: Any, _: str) -> str:
    of_whom = f"{event.component} may" if event.component else "A credential was issued to"
    until = f" until {event.expires_at:%Y-%m-%d %H:%M:%S}Z" if event.expires_at else ""
    what = event.service or "what it is permitted"
    return f"{of_whom} act as {event.agency} on {what}{_where(event.region)}{until}"


def _revoked(event: Any, who: str) -> str:
    until = event.credentials_usable_until
    tail = f"; credentials issued before may work until {until:%Y-%m-%d %H:%M:%S}Z" if until else ""
    return f"{who} took back the consent for {event.service}{_where(event.region)}{tail}"


def _permission_ended(event: Any, _: str) -> str:
    causes = {
        "AuthorizationRevoked": ", as the consent was taken back",
        "AgencyDeleted": ", as the agency was deleted",
        "PolicyDeleted": ", as the policy was deleted",
    }
    cause = causes.get(event.consequence_of or "", "")
    return f"{event.agency} may no longer {_what(event)}{_where(event.region)}{cause}"


_SENTENCES: dict[str, Callable[[Any, str], str]] = {
    "ConsoleLoginRequested": _login,
    "AuthorizationRequested": lambda e, _: (
        f"{e.service} asked to use {_and(e.services)}{_where(e.region)}"
    ),
    "AuthorizationGranted": lambda e, who: (
        f"{who} consented, permanently: {e.service} may use {_and(e.services)}{_where(e.region)}"
    ),
    "AuthorizationDeclined": lambda e, who: (
        f"{who} closed the dialog without consent to {e.service}{_where(e.region)}"
    ),
    "AuthorizationRevoked": _revoked,
    "AuthorizationRefused": lambda e, who: f"{who} tried to {e.answer}: {e.why}",
    "AgencyCreated": lambda e, _: (
        f"the agency {e.agency} exists" + (f", trusted to {e.trustee}" if e.trustee else "")
    ),
    "AgencyTrustChanged": lambda e, who: (
        f"{who} changed whom {e.agency} trusts: {e.trustee or 'unknown'}"
    ),
    "AgencyCreationRefused": lambda e, who: f"{who} tried to create an agency: {e.why}",
    "AgencyDeletionAttempted": _attempt,
    "AgencyDeleted": lambda e, who: f"{who} deleted the agency {e.agency}",
    "PolicyCreated": lambda e, _: (
        f"the policy {e.policy!r} exists" + (f", for {e.agency}" if e.agency else "")
    ),
    "PolicyChanged": lambda e, who: f"{who} changed the policy {e.policy!r}",
    "PolicyDeletionAttempted": _attempt,
    "PolicyDeleted": lambda e, who: f"{who} deleted the policy {e.policy!r}",
    "PermissionGranted": lambda e, _: f"{e.agency} may {_what(e)}{_where(e.region)}",
    "PermissionRevoked": _permission_ended,
    "PermissionsChanged": lambda e, who: (
        f"{who} changed what {e.agency} may do{_where(e.region)}; the trace does not say how: "
        f"{e.detail}"
    ),
    "FeatureUsed": lambda e, who: (
        f"{who} used {e.feature}{_where(e.region)}: {e.agency} acted on {_and(e.services)}"
    ),
    "FeatureRefused": lambda e, who: (
        f"{who} could not use {e.feature}{_where(e.region)}: {e.agency} may not use "
        f"{_and(e.missing)} there"
    ),
    "TemporaryCredentialIssued": _credential,
    "CredentialRefused": lambda e, who: f"{who} asked for a credential of {e.agency}: {e.why}",
    "KeyRotated": lambda e, who: f"{who} gave the log {e.log} another key, {e.verifier_key}",
    "KeyRetired": lambda e, who: f"{who} retired the key {e.verifier_key} of the log {e.log}",
    "SubjectErased": lambda e, who: f"{who} had the name behind {e.subject} forgotten",
}
