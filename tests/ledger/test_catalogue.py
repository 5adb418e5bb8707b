"""The catalogue: a service is dated data; an error names the file that is not valid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.account.authorization import GrantAuthorization
from ledger.account.console import RequestConsoleLogin
from ledger.account.usage import UseFeature
from ledger.application import Ledger
from ledger.catalogue import Catalogue, load_catalogue
from ledger.catalogue.loader import BUILT_IN
from ledger.errors import InvalidInput, Refused

REGIONS = Path(__file__).resolve().parents[3] / "shared" / "data" / "cts" / "regions.json"

PRINTING = """
[service]
provider = "examplecloud"
code = "printing"
name = "Printing on Demand"

[[service.sources]]
title = "an example"

[[service.dependencies]]
code = "paper"
short_name = "PAPER"
name = "Paper Store"
purpose = "fetch paper"

[[service.features]]
name = "poster"
title = "print a poster"
needs = ["paper"]

[[service.baselines]]
since = 2025-01-01
note = "the first"

[[service.baselines.agencies]]
name = "printing_trust"
trustee = "service:printing"
purpose = "fetch paper"
services = ["paper"]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "printing.toml").write_text(PRINTING)
    return tmp_path


@pytest.fixture
def with_printing(folder: Path) -> Iterator[Ledger]:
    ledger = Ledger(folder / "ledger.db", catalogue=load_catalogue(folder))
    yield ledger
    ledger.close()


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_every_built_in_file_loads_and_names_its_sources() -> None:
    catalogue = load_catalogue()
    assert {(s.provider, s.code) for s in catalogue.services} >= {
        ("huaweicloud", "asm"),
        ("huaweicloud", "cce"),
    }
    assert {provider.code for provider in catalogue.providers} >= {"huaweicloud", "aws"}
    assert all(source.title for service in catalogue.services for source in service.sources)


def test_a_service_is_added_as_data_alone(with_printing: Ledger) -> None:
    here = {"provider": "examplecloud", "account": "acme", "service": "printing", "region": "r1"}
    poster = UseFeature.model_validate({**here, "feature": "poster"})
    with_printing.execute(RequestConsoleLogin.model_validate(here))
    with pytest.raises(Refused):
        with_printing.execute(poster)
    granted = with_printing.execute(GrantAuthorization.model_validate(here))
    assert [entry.type for entry in granted.entries] == [
        "AuthorizationGranted",
        "AgencyCreated",
        "PermissionGranted",
    ]
    (used,) = with_printing.execute(poster).entries
    assert used.type == "FeatureUsed"


@pytest.mark.parametrize("built_in", sorted(BUILT_IN.glob("*.toml")), ids=lambda path: path.stem)
def test_a_built_in_entry_cannot_be_replaced(tmp_path: Path, built_in: Path) -> None:
    text = built_in.read_text().replace('"advised"', '"none"')
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(InvalidInput, match="a built-in entry cannot be replaced") as raised:
        load_catalogue(tmp_path)
    assert "mine.toml" in str(raised.value)


def test_two_files_that_define_the_same_service_are_both_named(folder: Path) -> None:
    (folder / "again.toml").write_text(PRINTING)
    with pytest.raises(InvalidInput, match="defines it too") as raised:
        load_catalogue(folder)
    assert "again.toml" in str(raised.value)
    assert "printing.toml" in str(raised.value)


def test_another_services_entry_does_not_take_a_built_in_protection_away(tmp_path: Path) -> None:
    """`aaa` sorts before `asm`, and names the same agency and policy without a protection."""
    other = PRINTING.replace("examplecloud", "huaweicloud").replace('"printing"', '"aaa"')
    other = other.replace('name = "printing_trust"', 'name = "asm_admin_trust"')
    other += 'policy = "asm admin trust policy"\n'
    (tmp_path / "aaa.toml").write_text(other)
    catalogue, built_in = load_catalogue(tmp_path), load_catalogue()
    for named in (
        catalogue.agency("huaweicloud", "asm_admin_trust"),
        catalogue.policy_holder("huaweicloud", "asm admin trust policy"),
    ):
        assert named is not None
        assert named == built_in.agency("huaweicloud", "asm_admin_trust")
        assert named.protection == "advised"


@pytest.mark.parametrize(
    ("on", "policies"),
    [
        ("2019-12-31", ("Tenant Administrator",)),
        ("2024-06-30", ("Tenant Administrator",)),
        ("2024-07-01", ("CCE Administrator", "Tenant Guest")),
        ("2025-12-08", ("asm admin trust policy",)),
    ],
)
def test_the_day_decides_which_rights_consent_gives(on: str, policies: tuple[str, ...]) -> None:
    (agency,) = load_catalogue().service("huaweicloud", "asm").baseline_at(day(on)).agencies
    assert agency.policies == policies


@pytest.mark.parametrize(
    ("on", "first"), [("2026-03-31", "cce_admin_trust"), ("2026-04-01", "CCEServiceAgency")]
)
def test_the_day_decides_which_agencies_consent_creates(on: str, first: str) -> None:
    cce = load_catalogue().service("huaweicloud", "cce")
    assert cce.baseline_at(day(on)).agencies[0].name == first


@pytest.mark.parametrize("on", ["2026-03-31", "2026-04-01"])
def test_consent_on_any_day_makes_every_feature_of_every_service_work(
    tmp_path: Path, on: str
) -> None:
    catalogue = load_catalogue()
    ledger = Ledger(tmp_path / "ledger.db", clock=lambda: day(on))
    for service in catalogue.services:
        here = {
            "provider": service.provider,
            "account": "acme",
            "service": service.code,
            "region": "cn-north-4",
        }
        ledger.execute(RequestConsoleLogin.model_validate(here))
        ledger.execute(GrantAuthorization.model_validate(here))
        for feature in service.features:
            ledger.execute(UseFeature.model_validate({**here, "feature": feature.name}))
    ledger.close()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[service", "is not TOML"),
        ("", "neither"),
        (PRINTING.replace('needs = ["paper"]', 'needs = ["ink"]'), "ink"),
        (PRINTING.replace('code = "printing"', 'code = "Not A Code"'), "code"),
        (PRINTING.replace("2025-01-01", '"long ago"'), "since"),
        (PRINTING.replace("[[service.features]]", "[[service.feature]]"), "feature"),
        (PRINTING.split("[[service.baselines]]", maxsplit=1)[0], "baselines"),
        (PRINTING + 'policy = "ink"\npolicies = ["ink"]\n', "either `policy` or `policies`"),
        (
            PRINTING.replace('needs = ["paper"]', 'needs = ["paper"]\ntraces = ["Print", "print"]'),
            "show more than one feature",
        ),
    ],
)
def test_a_file_that_is_not_valid_is_named_with_its_faults(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "wrong.toml").write_text(text)
    with pytest.raises(InvalidInput, match=message) as error:
        load_catalogue(tmp_path)
    assert "wrong.toml" in str(error.value)


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="does not exist"):
        load_catalogue(tmp_path / "absent")


def test_quotas_and_regions_belong_to_a_provider() -> None:
    catalogue: Catalogue = load_catalogue()
    assert catalogue.quota("aws", "agencies") == 1000
    assert catalogue.quota("huaweicloud", "agencies") == 50
    assert catalogue.knows_region("aws", "eu-north-1")
    assert not catalogue.knows_region("huaweicloud", "eu-north-1")
    assert catalogue.knows_region("huaweicloud", "cn-north-4_mesh")
    assert not catalogue.knows_region("huaweicloud", "cn-north-4_")
    assert not catalogue.knows_region("huaweicloud", "cn-nort-4_mesh")
    assert all(catalogue.knows_region("huaweicloud", each) for each in ("*", "MOS"))
    assert catalogue.knows_region("huaweicloud", "enterprise-project/0")
    assert not catalogue.knows_region("huaweicloud", "enterprise-project/")
    assert catalogue.knows_region("elsewhere", "any")


@pytest.mark.skipif(
    not REGIONS.is_file(), reason="needs ../shared (third-party data), which is not here"
)
def test_the_region_ids_are_those_of_the_vendors_kit() -> None:
    (known,) = (p for p in load_catalogue().providers if p.code == "huaweicloud")
    assert sorted(known.regions) == sorted(item["id"] for item in json.loads(REGIONS.read_text()))


def test_an_agency_has_one_policy_or_several(tmp_path: Path) -> None:
    for words, policies in (
        ('policy = "ink"', ("ink",)),
        ('policies = ["ink", "paper"]', ("ink", "paper")),
        ("", ()),
    ):
        (tmp_path / "printing.toml").write_text(f"{PRINTING}{words}\n")
        load_catalogue.cache_clear()
        catalogue = load_catalogue(tmp_path)
        (agency,) = catalogue.service("examplecloud", "printing").agencies
        assert agency.policies == policies
        for policy in policies:
            assert catalogue.policy_holder("examplecloud", policy) == agency
            assert catalogue.is_system_policy("examplecloud", policy)


def test_the_agencies_of_add_ons_have_the_policies_that_the_guide_lists() -> None:
    cce = load_catalogue().service("huaweicloud", "cce")
    agencies = {agency.name: agency for agency in cce.baseline_at(day("2026-04-01")).agencies}
    assert {"CCENodeAgency", "CCESecretEncryptAgency", "CCELogManageAgency"} <= agencies.keys()
    assert agencies["CCECSIDriverAgency"].policies == (
        "CCEClusterCSIEVSAttachPolicy",
        "CCEClusterCSIOBSMountPolicy",
    )
    assert len(agencies["CCECSIAgency"].policies) == 6


def test_the_agency_of_the_witness_is_protected() -> None:
    agency = load_catalogue().agency("huaweicloud", "cts_admin_trust")
    assert agency is not None
    assert (agency.trustee, agency.protection) == ("service:cts", "advised")


def test_a_feature_is_served_by_the_agencies_that_may_use_all_it_needs() -> None:
    catalogue = load_catalogue()
    for code, feature, on, agencies in (
        ("asm", "ingress-gateway", "2026-04-01", ("asm_admin_trust",)),
        ("cce", "cluster", "2026-03-31", ("cce_admin_trust",)),
        ("cce", "cluster", "2026-04-01", ("cce_admin_trust", "CCEServiceAgency")),
    ):
        service = catalogue.service("huaweicloud", code)
        assert service.serving(service.feature(feature), day(on)) == agencies
