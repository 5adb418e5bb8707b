"""The state of an account: a timeline for each key, and only what decisions need."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Literal, NamedTuple, TypeVar

V = TypeVar("V")


class Timeline(Generic[V]):
    """All that was learned of one key, in the order in which it happened.

    Facts arrive late and out of order. The present is the fact with the latest effective time,
    not the one learned last; at equal times the one learned later wins. The views keep the same
    rule in SQL, so decisions and views agree.
    """

    __slots__ = ("_times", "_values")

    def __init__(self) -> None:
        self._times: list[datetime] = []
        self._values: list[V] = []

    def __deepcopy__(self, _: object) -> Timeline[V]:
        """Return a timeline of its own lists. The values in them are never changed."""
        copy = Timeline[V]()
        copy._times, copy._values = self._times.copy(), self._values.copy()
        return copy

    def learn(self, value: V, at: datetime) -> None:
        index = bisect_right(self._times, at)
        self._times.insert(index, at)
        self._values.insert(index, value)

    @property
    def now(self) -> V | None:
        return self._values[-1] if self._values else None

    @property
    def since(self) -> datetime | None:
        return self._times[-1] if self._times else None

    def at(self, at: datetime) -> V | None:
        """The value at that instant, facts of that very instant included; None before the first."""
        index = bisect_right(self._times, at)
        return self._values[index - 1] if index else None

    def last_change(self, at: datetime) -> datetime | None:
        """The time of the fact that gave the value at that instant."""
        index = bisect_right(self._times, at)
        return self._times[index - 1] if index else None

    def __iter__(self) -> Iterator[tuple[datetime, V]]:
        """All facts with their times, in order."""
        return zip(self._times, self._values, strict=True)

    def after(self, at: datetime) -> Iterator[tuple[datetime, V]]:
        """The facts strictly after that instant, in order."""
        index = bisect_right(self._times, at)
        return zip(self._times[index:], self._values[index:], strict=True)


AuthorizationStatus = Literal["requested", "granted", "declined", "revoked"]


class Authorization(NamedTuple):
    """The status of a service's authorization in one region, and the agencies that it names."""

    status: AuthorizationStatus
    agencies: tuple[str, ...]


class PermissionKey(NamedTuple):
    """A permission: the agency may use a service, or act under a policy, in one region."""

    agency: str
    region: str
    service: str | None
    policy: str | None


def account_stream(provider: str, account: str) -> str:
    """The name of the stream whose events make an account's state."""
    return f"account:{provider}:{account}"


@dataclass(slots=True)
class Account:
    """The state of one account. `evolve` owns and changes it; decisions only read it.

    `latest_effective_at` is the latest effective time of any fact. A command takes effect then or
    later, so that a fact from a clock that is ahead cannot come after it.
    """

    provider: str
    account: str
    version: int = 0
    latest_effective_at: datetime | None = None
    authorizations: dict[tuple[str, str], Timeline[Authorization]] = field(default_factory=dict)
    agencies: dict[str, Timeline[str | None]] = field(default_factory=dict)
    trustees: dict[str, Timeline[str | None]] = field(default_factory=dict)
    policies: dict[str, Timeline[str | None]] = field(default_factory=dict)
    permissions: dict[str, dict[PermissionKey, Timeline[bool]]] = field(default_factory=dict)
    """By agency, so that deleting an agency looks at its own permissions only. The values of
    `agencies` and `policies` are the immutable id while it exists (empty if unknown), and None once
    it was deleted."""

    def authorization(self, service: str, region: str) -> Authorization | None:
        known = self.authorizations.get((service, region))
        return known.now if known else None

    def agency_exists(self, agency: str) -> bool:
        known = self.agencies.get(agency)
        return known is not None and known.now is not None

    def policy_exists(self, policy: str) -> bool:
        known = self.policies.get(policy)
        return known is not None and known.now is not None

    def agency_count(self) -> int:
        return sum(known.now is not None for known in self.agencies.values())

    def permitted_services(self, agency: str, region: str) -> frozenset[str]:
        """The services that the agency may use in the region, those for all regions included."""
        return frozenset(
            key.service
            for key, granted in self.permissions.get(agency, {}).items()
            if key.service is not None and key.region in (region, "*") and granted.now
        )

    def open_permissions(self, agency: str) -> tuple[PermissionKey, ...]:
        known = self.permissions.get(agency, {})
        return tuple(key for key, granted in known.items() if granted.now)

    def regions_of(self, agency: str) -> tuple[str, ...]:
        return tuple(sorted({key.region for key in self.open_permissions(agency)}))
