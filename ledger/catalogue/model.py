"""The shape of a catalogue: providers with regions and quotas, services with dated baselines."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from functools import cached_property
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ledger.errors import InvalidInput
from ledger.values import (
    ALL_REGIONS,
    ENTERPRISE_PROJECT,
    AgencyName,
    FeatureName,
    Line,
    PolicyName,
    Provider,
    Region,
    ServiceCode,
    Trustee,
)

PROTECTIONS: Final = ("enforced", "advised", "none")
"""The strongest first."""


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Citation(_Entry):
    """Where a statement of the catalogue comes from."""

    title: Line
    dated: date | None = None
    url: Line | None = None


class Dependency(_Entry):
    """A service that another depends on, and its purpose in the words of the dialog."""

    code: ServiceCode
    short_name: Line
    name: Line
    purpose: Line


class Feature(_Entry):
    """Something that a service can do, and the services that it needs for it in that region.

    `traces`: the names of the service's own traces that show a use of the feature.
    """

    name: FeatureName
    title: Line
    needs: tuple[ServiceCode, ...] = Field(min_length=1)
    traces: tuple[Line, ...] = ()


class AgencyEntry(_Entry):
    """One agency that consent creates: whom it trusts, its policies, and what it may use.

    A file may give a single policy as `policy`. `policy_kind` custom: consent creates the policies;
    system: the cloud has them already. `protection` enforced: the cloud refuses deletion; advised:
    a manual says not to.
    """

    name: AgencyName
    trustee: Trustee
    purpose: Line
    services: tuple[ServiceCode, ...] = ()
    policies: tuple[PolicyName, ...] = ()
    policy_kind: Literal["custom", "system"] = "system"
    protection: Literal["enforced", "advised", "none"] = "none"
    protection_note: Line | Literal[""] = ""

    @model_validator(mode="before")
    @classmethod
    def _one_policy(cls, given: object) -> object:
        """`policy = "…"` is short for `policies = ["…"]`."""
        if not isinstance(given, dict) or "policy" not in given:
            return given
        if "policies" in given:
            raise ValueError("give either `policy` or `policies`")
        rest = {key: value for key, value in given.items() if key != "policy"}
        return rest | {"policies": [given["policy"]]}

    @property
    def own_policies(self) -> tuple[str, ...]:
        """The policies that are created with the agency: those that are not the cloud's."""
        return self.policies if self.policy_kind == "custom" else ()


class Baseline(_Entry):
    """The agencies that consent gives from a day on (UTC), until the next baseline."""

    since: date
    note: Line
    agencies: tuple[AgencyEntry, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Baseline:
        for names in (
            [entry.name for entry in self.agencies],
            *(e.policies for e in self.agencies),
        ):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"the baseline of {self.since} names {twice} more than once")
        return self

    @property
    def policy_count(self) -> int:
        """How many policies it gives its agencies, all together."""
        return sum(len(entry.policies) for entry in self.agencies)


class CredentialLimits(_Entry):
    """How long a temporary credential may live, in seconds."""

    shortest_life_seconds: int = 900
    default_life_seconds: int = 900
    longest_life_seconds: int = 86_400


class Service(_Entry):
    """A cloud service that asks for rights in the account."""

    provider: Provider
    code: ServiceCode
    name: Line
    dependencies: tuple[Dependency, ...] = Field(min_length=1)
    features: tuple[Feature, ...] = ()
    baselines: tuple[Baseline, ...] = Field(min_length=1)
    credential: CredentialLimits = CredentialLimits()
    sources: tuple[Citation, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> Service:
        known = set(self.dependent_codes())
        for user, codes in [
            *((f"feature {feature.name}", feature.needs) for feature in self.features),
            *(
                (f"agency {agency.name}", agency.services)
                for baseline in self.baselines
                for agency in baseline.agencies
            ),
        ]:
            unknown = sorted(set(codes) - known)
            if unknown:
                raise ValueError(f"{user} uses {unknown}, which are not among the dependencies")
        shown = [name.lower() for feature in self.features for name in feature.traces]
        if twice := sorted({name for name in shown if shown.count(name) > 1}):
            raise ValueError(f"the traces {twice} show more than one feature")
        days = [baseline.since for baseline in self.baselines]
        if days != sorted(set(days)):
            raise ValueError(
                "the baselines are not in the order of their days, or a day occurs twice"
            )
        return self

    def baseline_at(self, at: datetime) -> Baseline:
        """The baseline of that day: the latest that has begun, else the first."""
        begun = [baseline for baseline in self.baselines if baseline.since <= at.date()]
        return begun[-1] if begun else self.baselines[0]

    @cached_property
    def agencies(self) -> tuple[AgencyEntry, ...]:
        """Every agency that the service ever had, the newest generation first, each name once."""
        entries: dict[str, AgencyEntry] = {}
        for baseline in reversed(self.baselines):
            for agency in baseline.agencies:
                entries.setdefault(agency.name, agency)
        return tuple(entries.values())

    def agency_names(self) -> tuple[str, ...]:
        return tuple(agency.name for agency in self.agencies)

    def dependent_codes(self) -> tuple[str, ...]:
        return tuple(dependency.code for dependency in self.dependencies)

    def serving(self, feature: Feature, at: datetime) -> tuple[str, ...]:
        """The agencies, of all baselines until then, that may use all that the feature needs."""
        begun = (each for each in self.baselines if each.since <= at.date())
        return tuple(
            dict.fromkeys(
                agency.name
                for baseline in begun
                for agency in baseline.agencies
                if set(feature.needs) <= set(agency.services)
            )
        )

    def feature(self, name: str) -> Feature:
        for feature in self.features:
            if feature.name == name:
                return feature
        raise InvalidInput(
            f"{self.code} has no feature {name!r} in the catalogue.",
            remedy=f"It has: {', '.join(feature.name for feature in self.features)}.",
        )


class ProviderEntry(_Entry):
    """A cloud: the region ids known to exist, and the limits of an account."""

    code: Provider
    name: Line
    regions: tuple[Region, ...] = ()
    quotas: dict[str, int] = Field(default_factory=dict)
    sources: tuple[Citation, ...] = Field(min_length=1)


class Catalogue(_Entry):
    """All that is known, and the version (a digest of it) that decisions are recorded under."""

    version: str
    providers: tuple[ProviderEntry, ...]
    services: tuple[Service, ...]

    def service(self, provider: str, code: str) -> Service:
        for service in self.services:
            if (service.provider, service.code) == (provider, code):
                return service
        known = ", ".join(f"{service.provider} {service.code}" for service in self.services)
        raise InvalidInput(
            f"The catalogue has no service {code!r} of {provider!r}.", remedy=f"It has: {known}."
        )

    def services_of(self, provider: str) -> tuple[Service, ...]:
        return tuple(service for service in self.services if service.provider == provider)

    def agency(self, provider: str, name: str) -> AgencyEntry | None:
        """The agency of that name; of several services' entries the one that protects it most."""
        return _most_protected(
            agency
            for service in self.services_of(provider)
            for agency in service.agencies
            if agency.name == name
        )

    def entries_of(self, provider: str, agency: str) -> tuple[AgencyEntry, ...]:
        """The entries of an agency of that name, one for each baseline of any service."""
        return self._entries.get((provider, agency), ())

    @cached_property
    def _entries(self) -> dict[tuple[str, str], tuple[AgencyEntry, ...]]:
        found: dict[tuple[str, str], tuple[AgencyEntry, ...]] = {}
        for service in self.services:
            for baseline in service.baselines:
                for entry in baseline.agencies:
                    of_name = service.provider, entry.name
                    found[of_name] = (*found.get(of_name, ()), entry)
        return found

    def policy_holder(self, provider: str, policy: str) -> AgencyEntry | None:
        """The agency that holds the policy. If several do, the one that is protected most."""
        return _most_protected(
            agency
            for service in self.services_of(provider)
            for agency in service.agencies
            if policy in agency.policies
        )

    def is_system_policy(self, provider: str, policy: str) -> bool:
        """Whether the policy is the cloud's own, and not one that an account creates."""
        kinds = {
            agency.policy_kind
            for service in self.services_of(provider)
            for baseline in service.baselines
            for agency in baseline.agencies
            if policy in agency.policies
        }
        return kinds == {"system"}

    def quota(self, provider: str, name: str) -> int | None:
        for entry in self.providers:
            if entry.code == provider:
                return entry.quotas.get(name)
        return None

    def knows_region(self, provider: str, region: str) -> bool:
        """Whether the region id is known; True where the catalogue lists none for the provider.

        Known are also all regions (`*`), a sub-project of a known region (`cn-north-4_mesh`), an
        enterprise project, and `MOS`, the project of Huawei Cloud's object storage, which its
        traces call a region.
        """
        known = self.regions(provider)
        main, _, project = region.partition("_")
        return (
            not known
            or region in (ALL_REGIONS, "MOS", *known)
            or (main in known and bool(project))
            or region.removeprefix(ENTERPRISE_PROJECT) not in ("", region)
        )

    def regions(self, provider: str) -> tuple[str, ...]:
        """The region ids that the catalogue lists for a provider; none if it does not know them."""
        return next((entry.regions for entry in self.providers if entry.code == provider), ())

    def short_name(self, provider: str, code: str) -> str:
        for service in self.services_of(provider):
            for dependency in service.dependencies:
                if dependency.code == code:
                    return dependency.short_name
        return code


def _most_protected(entries: Iterable[AgencyEntry]) -> AgencyEntry | None:
    """The first entry with the strongest protection.

    So another service's entry for the same agency or policy cannot take the protection away.
    """
    return min(entries, key=lambda entry: PROTECTIONS.index(entry.protection), default=None)
