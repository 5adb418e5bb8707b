"""Phrases that the sentences of several topics share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol


def listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)


def in_region(region: str | None) -> str:
    """` in cn-north-4`, ` in all regions`, or nothing where the region is not known."""
    if region is None:
        return ""
    return " in all regions" if region == "*" else f" in {region}"


def in_place(event: _Placed) -> str:
    """` in cn-north-4`, ` in all regions`, ` in the project 0605…`, or nothing."""
    if event.region is None and event.project_id is not None:
        return f" in the project {event.project_id}"
    return in_region(event.region)


def called(event: _OfAgency) -> str:
    """The agency's name; its id if no trace told the name."""
    return event.agency or event.agency_id or "(not named)"


def called_policy(event: _OfPolicy) -> str:
    """The policy's name; its id if no trace told the name."""
    return event.policy or event.policy_id or "(not named)"


def clock(at: datetime) -> str:
    """`2026-03-01 09:30:00Z`."""
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


class _Placed(Protocol):
    @property
    def region(self) -> str | None: ...
    @property
    def project_id(self) -> str | None: ...


class _OfAgency(Protocol):
    @property
    def agency(self) -> str | None: ...
    @property
    def agency_id(self) -> str | None: ...


class _OfPolicy(Protocol):
    @property
    def policy(self) -> str | None: ...
    @property
    def policy_id(self) -> str | None: ...


class _Attempt(Protocol):
    @property
    def outcome(self) -> str: ...
    @property
    def override(self) -> bool: ...
    @property
    def impact_features(self) -> tuple[str, ...]: ...
    @property
    def why(self) -> str | None: ...


def deletion_attempt(attempt: _Attempt, who: str, what: str) -> str:
    """A sentence: who tried to delete what, how it ended, and which features it breaks."""
    if attempt.outcome == "refused":
        ending, breaks = "refused", "it would break"
    else:
        ending = "carried out against the protection" if attempt.override else "done"
        breaks = "breaks"
    impact = _impact(attempt.impact_features)
    # An empty impact may also mean that it is not known: a trace does not say what breaks.
    tail = f"; {breaks} {impact}" if impact else f": {attempt.why}" if attempt.why else ""
    return f"{who} tried to delete the {what}: {ending}{tail}"


def _impact(features: Sequence[str]) -> str:
    """`asm ingress-gateway, mesh in cn-north-4; …`, from `region/service/feature`."""
    by_place: dict[tuple[str, str], list[str]] = {}
    for item in features:
        region, service, feature = [*item.split("/", 2), "", ""][:3]
        by_place.setdefault((service, region), []).append(feature)
    return "; ".join(
        f"{service} {', '.join(names)}{in_region(region)}"
        for (service, region), names in by_place.items()
    )


def because(agency: str, trusts: str) -> str:
    """A further sentence with the parties that a service's agency trusts instead of it, if any."""
    return f" {agency} {trusts}." if trusts else ""
