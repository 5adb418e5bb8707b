"""Evidence of an inferred consent: it holds the facts that the consent follows from."""

from __future__ import annotations

import json

import pytest

from ledger.account.agency import AgencyCreated
from ledger.account.authorization import AuthorizationRequested
from ledger.account.permissions import PermissionGranted, PermissionRevoked, PermissionsChanged
from ledger.account.policy import PolicyCreated
from ledger.errors import VerificationFailed
from tests.projections.evidence.test_folded import new_ledger

HERE, AGENCY, POLICY = "cn-north-4", "asm_admin_trust", "asm admin trust policy"
CREATED = AgencyCreated(agency=AGENCY, agency_id="a-1", trustee="service:asm")
GRANTED = PermissionGranted(agency=AGENCY, region=HERE, policy=POLICY)
ASKED = AuthorizationRequested(service="asm", region=HERE, services=(), agencies=())
QUESTION = f"authorizations service=asm region={HERE}"


def test_it_holds_the_facts_and_is_checked_without_the_ledger() -> None:
    with new_ledger() as ledger:
        ledger.see(CREATED, PolicyCreated(policy=POLICY), GRANTED, ASKED)
        made = ledger.made(QUESTION, complete=True)
        [row] = made.answer.dicts()
        assert (row["status"], row["origin"], row["recorded"]) == (
            *("granted", "inferred"),
            "requested",
        )
        lines = ledger.parts()["entries.jsonl"].splitlines()
        facts = [lines[int(position) - 1] for position in row["rests_on"].split(",")]
        assert [json.loads(fact)["topic"] for fact in facts] == [
            *("AgencyCreated.v1", "PolicyCreated.v1", "PermissionGranted.v1")
        ]
        ledger.world.ledger.close()
        assert ledger.checked().answer.dicts() == [row]


def test_a_consent_that_is_not_known_has_evidence_too() -> None:
    detail = "createUserAgencies: agreed to in the console of CCE"
    nowhere = PermissionsChanged(agency="CCENodeAgency", region=None, detail=detail)
    with new_ledger() as ledger:
        ledger.see(nowhere, ASKED.model_copy(update={"service": "cce"}))
        ledger.made(f"authorizations service=cce region={HERE}", complete=True)
        [row] = ledger.checked().answer.dicts()
        assert (row["status"], row["inferred"]) == ("not known", "not known")


def test_without_one_of_its_facts_it_is_refused() -> None:
    with new_ledger() as ledger:
        ledger.see(CREATED, GRANTED, PermissionRevoked(agency=AGENCY, region=HERE, policy=POLICY))
        [row] = ledger.made(QUESTION, complete=True).answer.dicts()
        assert row["status"] == "revoked"
        parts = ledger.parts()
        lines = parts["entries.jsonl"].splitlines(keepends=True)
        del lines[row["position"] - 1]
        ledger.rewrite(parts | {"entries.jsonl": b"".join(lines)})
        with pytest.raises(VerificationFailed):
            ledger.checked()
