from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.account.agency import AgencyCreated, AttemptAgencyDeletion
from ledger.account.permissions import PermissionGranted, PermissionRevoked
from ledger.account.policy import AttemptPolicyDeletion
from ledger.account.usage import (
    EVENTS,
    CredentialRefused,
    CredentialUndecided,
    FeatureRefused,
    FeatureUsed,
    FeatureUseUndecided,
    IssueCredential,
    TemporaryCredentialIssued,
    UseFeature,
)
from ledger.catalogue import Catalogue, load_catalogue
from ledger.errors import InvalidInput
from tests.ledger.scenario import (
    ACCOUNT,
    AGENCY,
    ASKED,
    ASM,
    BEIJING,
    POLICY,
    SHANGHAI,
    At,
    at,
    consent,
    given,
    revoke,
)

NEEDS = {"mesh": ("cce",), "ingress-gateway": ("vpc", "elb"), "metrics": ("aom",)}


def use(feature: str, region: str = BEIJING) -> UseFeature:
    return UseFeature(account=ACCOUNT, service=ASM, region=region, feature=feature)


def issue(
    target: str = "elb", region: str = BEIJING, life_seconds: int | None = None
) -> IssueCredential:
    return IssueCredential(
        account=ACCOUNT,
        service=ASM,
        region=region,
        target=target,
        component="gateway-controller",
        life_seconds=life_seconds,
    )


@pytest.mark.parametrize("feature", NEEDS)
def test_a_feature_works_once_the_account_has_consented_in_that_region(feature: str) -> None:
    story = given(*consent(BEIJING))
    story.when(use(feature)).then(
        FeatureUsed(
            agency=AGENCY,
            region=BEIJING,
            service=ASM,
            feature=feature,
            services=NEEDS[feature],
            account_version=story.account.version,
        )
    )


@pytest.mark.parametrize("feature", NEEDS)
def test_without_consent_a_feature_is_refused_with_what_is_missing(feature: str) -> None:
    missing = tuple(sorted(NEEDS[feature]))
    then = given().when(use(feature))
    then.refused(
        " needs ",
        FeatureRefused(
            agency=AGENCY,
            region=BEIJING,
            service=ASM,
            feature=feature,
            missing=missing,
            account_version=0,
        ),
    )
    for code in missing:
        assert code.upper() in (then.decided().refusal or "")
    assert "authledger authorization grant" in then.decided().remedy


def test_consent_in_one_region_enables_no_feature_in_another() -> None:
    given(*consent(BEIJING)).when(use("mesh", SHANGHAI)).refused(f"in {SHANGHAI}")


def test_only_what_is_missing_is_named() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, service="elb", policy=POLICY)
    then = given(*consent(BEIJING), lost).when(use("ingress-gateway"))
    then.refused("ingress-gateway needs ELB, which")
    given(*consent(BEIJING), lost).when(use("mesh")).then(*_used("mesh", 9))


def _doubted(service: str) -> tuple[At, At]:
    """A grant and a revocation in one second: which came first is not known."""
    of = {"agency": AGENCY, "region": BEIJING, "service": service, "policy": POLICY}
    return at(9, PermissionGranted.model_validate(of)), at(9, PermissionRevoked.model_validate(of))


def test_a_use_of_which_nothing_is_known_is_neither_used_nor_refused() -> None:
    then = given(*consent(BEIJING), *_doubted("elb")).when(use("ingress-gateway"))
    undecided = FeatureUseUndecided(
        agency=AGENCY,
        region=BEIJING,
        service=ASM,
        feature="ingress-gateway",
        not_known=("elb",),
        account_version=10,
    )
    then.then(undecided)
    whether = f"whether {AGENCY} may use"
    assert f"needs ELB: {whether} ELB in {BEIJING} is not known." in then.decided().note
    sentence = EVENTS[FeatureUseUndecided].sentence(undecided, "alice")
    assert sentence.endswith(f"{whether} elb there is not known")


def test_a_refusal_tells_a_service_that_is_lacking_from_one_that_is_not_known() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, service="vpc", policy=POLICY)
    then = given(*consent(BEIJING), lost, *_doubted("elb")).when(use("ingress-gateway"))
    whether = f"whether {AGENCY} may use"
    then.refused(f"needs VPC, which {AGENCY} may not use in {BEIJING}; {whether} ELB is not known.")
    event = then.facts[-1]
    assert isinstance(event, FeatureRefused)
    assert (event.missing, event.not_known) == (("elb", "vpc"), ("elb",))
    known = f"{AGENCY} may not use vpc there"
    assert (
        EVENTS[FeatureRefused]
        .sentence(event, "alice")
        .endswith(f"{known}; {whether} elb there is not known")
    )


def test_a_credential_of_which_nothing_is_known_is_neither_issued_nor_refused() -> None:
    then = given(*consent(BEIJING), *_doubted("elb")).when(issue("elb"))
    why = f"Whether {AGENCY} may use elb in {BEIJING} is not known."
    [undecided] = then.facts
    assert isinstance(undecided, CredentialUndecided)
    assert (undecided.why, undecided.service, undecided.outcome) == (why, "elb", "unknown")
    assert then.decided().refusal is None
    assert why in then.decided().note


def _used(feature: str, version: int) -> tuple[FeatureUsed]:
    return (
        FeatureUsed(
            agency=AGENCY,
            region=BEIJING,
            service=ASM,
            feature=feature,
            services=NEEDS[feature],
            account_version=version,
        ),
    )


@pytest.mark.parametrize(
    "end",
    [
        revoke(BEIJING),
        AttemptAgencyDeletion(account=ACCOUNT, agency=AGENCY, override=True),
        AttemptPolicyDeletion(account=ACCOUNT, policy=POLICY, override=True),
    ],
    ids=["revoked", "agency deleted", "policy deleted"],
)
def test_nothing_works_after_the_end(
    end: AttemptAgencyDeletion | AttemptPolicyDeletion,
) -> None:
    story = given(*consent(BEIJING, SHANGHAI), end)
    for feature in NEEDS:
        story.when(use(feature)).refused("may not use")
    for code in ASKED:
        story.when(issue(code)).refused("is not authorized")


def test_revoking_one_region_leaves_the_features_of_another() -> None:
    story = given(*consent(BEIJING, SHANGHAI), revoke(BEIJING))
    story.when(use("mesh", SHANGHAI)).then(
        FeatureUsed(
            agency=AGENCY,
            region=SHANGHAI,
            service=ASM,
            feature="mesh",
            services=("cce",),
            account_version=story.account.version,
        )
    )


def test_a_permission_for_all_regions_serves_each() -> None:
    everywhere = PermissionGranted(agency=AGENCY, region="*", service="cce")
    given(everywhere).when(use("mesh", SHANGHAI)).decided()
    assert given(everywhere).when(use("mesh", SHANGHAI)).decided().refusal is None


def test_a_use_has_a_stream_of_its_own_and_records_the_accounts_version() -> None:
    story = given(*consent(BEIJING))
    then = story.when(use("mesh"))
    assert then.facts[0].STREAM == "usage"
    assert then.account.version == story.account.version == 8


def test_an_agency_that_is_permitted_serves_before_a_newer_one_that_is_not(tmp_path: Path) -> None:
    catalogue = two_agencies(tmp_path)
    older = PermissionGranted(agency="older_trust", region=BEIJING, service="obs")
    where = {"account": ACCOUNT, "service": "mine", "region": BEIJING}
    use_it = UseFeature.model_validate({**where, "feature": "keep"})
    (used,) = given(older, catalogue=catalogue).when(use_it).facts
    assert isinstance(used, FeatureUsed)
    assert used.agency == "older_trust"
    (refused,) = given(catalogue=catalogue).when(use_it).facts
    assert isinstance(refused, FeatureRefused)
    assert (refused.agency, refused.outcome) == ("newer_trust", "refused")
    ask = IssueCredential.model_validate({**where, "target": "obs", "component": "c"})
    (issued,) = given(older, catalogue=catalogue).when(ask).facts
    assert isinstance(issued, TemporaryCredentialIssued)
    assert issued.agency == "older_trust"


def two_agencies(folder: Path) -> Catalogue:
    """The catalogue, and a service `mine` that had one agency first, and then another one."""
    generation = """
        [[service.baselines]]
        since = {since}
        note = "A generation"
        [[service.baselines.agencies]]
        name = "{agency}"
        trustee = "service:mine"
        purpose = "keep"
        services = ["obs"]
        """
    (folder / "mine.toml").write_text(
        """
        [service]
        provider = "huaweicloud"
        code = "mine"
        name = "A service of one's own"
        [[service.sources]]
        title = "Ours"
        [[service.dependencies]]
        code = "obs"
        short_name = "OBS"
        name = "Object Storage"
        purpose = "keep"
        [[service.features]]
        name = "keep"
        title = "keep objects"
        needs = ["obs"]
        """
        + generation.format(since="2020-01-01", agency="older_trust")
        + generation.format(since="2021-01-01", agency="newer_trust"),
        encoding="utf-8",
    )
    return load_catalogue(folder)


def test_a_feature_that_the_catalogue_lacks_cannot_be_used() -> None:
    error = given(*consent(BEIJING)).when(use("teleport")).fails_with(InvalidInput, "no feature")
    assert "mesh, ingress-gateway, metrics" in error.remedy


@pytest.mark.parametrize("target", ASKED)
def test_a_credential_is_issued_for_each_dependent_service(target: str) -> None:
    story = given(*consent(BEIJING))
    story.when(issue(target)).then(
        TemporaryCredentialIssued(
            agency=AGENCY,
            region=BEIJING,
            service=target,
            component="gateway-controller",
            expires_at=story.now + timedelta(seconds=900),
            account_version=8,
        )
    )


@pytest.mark.parametrize("life", [900, 901, 86_399, 86_400])
def test_a_life_within_the_limits_is_given(life: int) -> None:
    story = given(*consent(BEIJING))
    (fact,) = story.when(issue(life_seconds=life)).facts
    assert isinstance(fact, TemporaryCredentialIssued)
    assert fact.expires_at == story.now + timedelta(seconds=life)


@pytest.mark.parametrize("life", [1, 899, 86_401, 10**9])
def test_a_life_beyond_the_limits_is_refused_and_recorded(life: int) -> None:
    given(*consent(BEIJING)).when(issue(life_seconds=life)).refused(
        "the shortest is 900 s, the longest 86400 s",
        CredentialRefused(
            agency=AGENCY,
            region=BEIJING,
            service="elb",
            component="gateway-controller",
            why=f"A life of {life} s is not allowed: the shortest is 900 s, the longest 86400 s.",
            account_version=8,
        ),
    )


@pytest.mark.parametrize("life", [0, -1])
def test_a_life_of_zero_or_fewer_seconds_is_not_a_request(life: int) -> None:
    given(*consent(BEIJING)).when(issue(life_seconds=life)).fails_with(InvalidInput, "above 0")


def test_a_credential_for_a_service_beyond_the_dependencies_is_refused() -> None:
    then = given(*consent(BEIJING)).when(issue("obs"))
    then.refused("asm does not depend on obs")
    assert "cce, vpc, elb, aom" in then.decided().remedy


def test_a_credential_beyond_the_dependencies_is_refused_even_if_the_agency_is_permitted() -> None:
    might = PermissionGranted(agency=AGENCY, region=BEIJING, service="obs")
    given(*consent(BEIJING), might).when(issue("obs")).refused("does not depend on obs")


def test_a_credential_in_a_region_without_consent_is_refused() -> None:
    then = given(*consent(BEIJING)).when(issue(region=SHANGHAI))
    then.refused(f"not authorized in {SHANGHAI}")
    where = f"--account {ACCOUNT} --service {ASM} --region {SHANGHAI}"
    assert f"authledger console login {where}" in then.decided().remedy


def test_a_credential_for_a_permission_that_went_missing_is_refused() -> None:
    lost = PermissionRevoked(agency=AGENCY, region=BEIJING, service="elb", policy=POLICY)
    then = given(*consent(BEIJING), lost).when(issue("elb"))
    then.refused("may not use elb in cn-north-4")
    (refused,) = then.facts
    assert isinstance(refused, CredentialRefused)
    assert refused.outcome == "refused"
    assert f"--account {ACCOUNT} --service {ASM} --region {BEIJING}" in then.decided().remedy


def test_a_refusal_that_a_trace_reports_says_why_and_names_nothing_that_is_missing() -> None:
    refused = FeatureRefused(
        agency=AGENCY, region=BEIJING, service=ASM, feature="mesh", missing=(), why="code 403"
    )
    sentence = EVENTS[FeatureRefused].sentence
    assert sentence(refused, "alice") == f"alice could not use mesh in {BEIJING}: code 403"


def test_a_use_of_an_agency_that_is_not_known_is_the_services() -> None:
    used = FeatureUsed(region=BEIJING, service="cce", feature="cluster", services=("ecs", "evs"))
    assert EVENTS[FeatureUsed].sentence(used, "alice") == (
        f"alice used cluster in {BEIJING}: an agency of cce acted on ecs and evs"
    )


def test_a_refusal_says_whom_the_agency_trusts_instead_of_the_service() -> None:
    own = AgencyCreated(agency=AGENCY, trustee="account:elsewhere")
    astray = given(own, PermissionGranted(agency=AGENCY, region=BEIJING, policy=POLICY))
    reason = f"{AGENCY} trusts account:elsewhere."
    used, issued = astray.when(use("mesh")), astray.when(issue("cce"))
    assert isinstance(used.facts[0], FeatureRefused)
    assert (used.decided().refusal or "").endswith(f"in {BEIJING}. {reason}")
    assert isinstance(issued.facts[0], CredentialRefused)
    assert issued.facts[0].why == f"asm is not authorized in {BEIJING}. {reason}"
    by_id = AgencyCreated(agency=AGENCY, trustee="account:0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d")
    unsure = given(by_id, PermissionGranted(agency=AGENCY, region=BEIJING, policy=POLICY))
    for asked in (use("mesh"), issue("cce")):
        then = unsure.when(asked)
        assert getattr(then.facts[0], "outcome", "") == "unknown"
        assert f"not known. {AGENCY} trusts {by_id.trustee}." in then.decided().note
