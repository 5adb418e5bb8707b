"""CTS traces of the catalogue's services → facts: a feature was used, or was refused.

The catalogue lists the traces of each feature. A trace names no agency: it is the one that serves
the feature, if the catalogue knows only one until then. A refusal names nothing that the agency
lacks, and may have any reason, so none is stated as missing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from ledger.account.unmodelled import NotModelled
from ledger.account.usage import FeatureRefused, FeatureUsed
from ledger.catalogue import Feature, Service, load_catalogue
from ledger.messages import DomainEvent
from ledger.sources.cts.trace import CtsTrace

PROVIDER: Final = "huaweicloud"


def _used(service: Service, feature: Feature) -> Callable[[CtsTrace], DomainEvent]:
    def translate(trace: CtsTrace) -> DomainEvent:
        region = trace.stated_region()
        agency = _agency(service, feature, trace.at)
        if region is None:
            return _without_a_region(trace, service)
        if not trace.succeeded:
            return FeatureRefused(
                agency=agency,
                region=region,
                service=service.code,
                feature=feature.name,
                missing=(),
                why=trace.why(),
            )
        return FeatureUsed(
            agency=agency,
            region=region,
            service=service.code,
            feature=feature.name,
            services=feature.needs,
        )

    return translate


def _agency(service: Service, feature: Feature, at: datetime) -> str | None:
    agencies = service.serving(feature, at)
    return agencies[0] if len(agencies) == 1 else None


def _without_a_region(trace: CtsTrace, service: Service) -> NotModelled:
    """A feature works in a region. If the trace names none, the call is kept as it is."""
    return NotModelled(
        call=f"{service.code.upper()}:{trace.name}",
        outcome="carried-out" if trace.succeeded else "refused",
        why=None if trace.succeeded else trace.why(),
    )


def translators() -> dict[str, Callable[[CtsTrace], DomainEvent]]:
    """The translators of all features, by the kinds' names in lower case."""
    return {
        f"{service.code}:{name.lower()}": _used(service, feature)
        for service in load_catalogue().services_of(PROVIDER)
        for feature in service.features
        for name in feature.traces
    }
