"""Uses of features of the catalogue's services, in those services' own traces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.account.unmodelled import NotModelled
from ledger.account.usage import FeatureRefused, FeatureUsed
from tests.sources.cts.making import DOMAIN, REFUSED, counted, fact, observed
from tests.sources.reading import ledger

IN_BEIJING = {"endpoint": "https://asm.cn-north-4.example.com"}
ASM: dict[str, Any] = {"service_type": "ASM", **IN_BEIJING}
CCE: dict[str, Any] = {"service_type": "CCE", **IN_BEIJING}
BEFORE_APRIL_2026 = 1770100000000
AFTER_APRIL_2026 = 1780100000000


@pytest.mark.parametrize(
    ("name", "feature", "services"),
    [
        ("CreateMesh", "mesh", ("cce",)),
        ("DeleteMesh", "mesh", ("cce",)),
        ("UpdateMesh", "mesh", ("cce",)),
        ("CreateCanaryUpgrade", "mesh", ("cce",)),
        ("CreateRelease", "mesh", ("cce",)),
        ("UpdateVirtualRoutes", "mesh", ("cce",)),
        ("updatevirtualroutes", "mesh", ("cce",)),
        ("CreateGateways", "ingress-gateway", ("vpc", "elb")),
    ],
)
def test_a_trace_of_asm_is_a_use_of_the_feature_by_its_only_agency(
    name: str, feature: str, services: tuple[str, ...]
) -> None:
    assert fact(name, **ASM) == FeatureUsed(
        agency="asm_admin_trust",
        region="cn-north-4",
        service="asm",
        feature=feature,
        services=services,
    )


def test_a_refused_trace_of_asm_says_why_and_names_nothing_that_is_missing() -> None:
    assert fact("CreateGateways", **ASM, **REFUSED) == FeatureRefused(
        agency="asm_admin_trust",
        region="cn-north-4",
        service="asm",
        feature="ingress-gateway",
        missing=(),
        why="CreateGateways: code 403",
    )


@pytest.mark.parametrize(
    ("at", "agency"), [(BEFORE_APRIL_2026, "cce_admin_trust"), (AFTER_APRIL_2026, None)]
)
@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_which_of_several_agencies_acted_is_not_guessed(
    at: int, agency: str | None, outcome: dict[str, str]
) -> None:
    found = fact("createCluster", **CCE, **outcome, time=at)
    assert (found.service, found.feature, found.agency) == ("cce", "cluster", agency)


@pytest.mark.parametrize("outcome", [{}, REFUSED])
def test_a_use_without_a_region_is_kept_as_it_is(outcome: dict[str, str]) -> None:
    found = fact("CreateMesh", service_type="ASM", **outcome)
    assert (type(found), found.call, found.region) == (NotModelled, "ASM:CreateMesh", None)
    assert (found.outcome, bool(found.why)) == (
        ("refused", True) if outcome else ("carried-out", False)
    )


@pytest.mark.parametrize("name", ["GetMesh", "ListMeshes", "CreateWorkshop"])
def test_another_trace_of_the_service_is_counted(name: str) -> None:
    assert counted(name, **ASM) == f"ASM:{name}"


def test_uses_are_counted_by_agency_and_prove_only_the_agency_that_is_known(tmp_path: Path) -> None:
    uses = [
        observed("CreateMesh", **ASM, trace_id="t-1"),
        observed("createCluster", **CCE, time=AFTER_APRIL_2026, trace_id="t-2"),
    ]
    with ledger(tmp_path) as opened:
        assert opened.observe(uses).new_traces == 2
        streams = {entry.stream for entry in opened.history() if entry.type == "FeatureUsed"}
        assert streams == {
            f"usage:huaweicloud:{DOMAIN}:{last}" for last in ("asm_admin_trust", "cce")
        }
