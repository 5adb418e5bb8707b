"""SQL that several views share: what is inferred of permissions, as `ledger/account` infers it."""

from __future__ import annotations

from typing import Final

from ledger.events import CONSENTS
from ledger.values import ENTERPRISE_PROJECT, ID_LENGTH
from projections.dialect import Dialect

_SERVICE: Final = " ".join(
    f"WHEN {{detail}} LIKE '{call}:%' THEN '{service}'" for call, service in CONSENTS.items()
)


def is_nowhere(region: str) -> str:
    """A condition: a place is not a region, and what is granted there may concern any region."""
    return f"({region} = 'not known' OR {region} LIKE '{ENTERPRISE_PROJECT}%')"


def is_bare_id(text: str) -> str:
    """A condition: a text has the form of the id of a project or an account, and is not a name."""
    return f"(length({text}) = {ID_LENGTH} AND {text} NOT LIKE '%-%')"


TRUSTED, TRUST_NOT_KNOWN, NOT_TRUSTED = 0, 1, 2


def trust_of(dialect: Dialect, holder: str, wanted: str) -> str:
    """A number: whether the agency of a row of `holder` trusts one of `wanted`, a list or a SELECT.

    The same as `ledger/account/trust.py` has it: an account that is known by its id alone may be
    the service's own.
    """
    name = dialect.member.format("e.entry", "trusted_account_name")
    identity = dialect.member.format("e.entry", "trusted_account_id")
    account_id = "substr(t.trustee, 9)"
    return f"""COALESCE((
        SELECT MAX(CASE
            WHEN t.trustee = '' OR t.trustee IN ({wanted})
            THEN CASE t.status WHEN 'not known' THEN {TRUST_NOT_KNOWN} ELSE {TRUSTED} END
            WHEN t.trustee LIKE 'account:%' AND {is_bare_id(account_id)} AND NOT EXISTS (
                SELECT 1 FROM events e WHERE e.provider = t.provider AND e.account = t.account
                  AND e.type IN ('AgencyCreated', 'AgencyTrustChanged')
                  AND {identity} = {account_id} AND {name} IS NOT NULL)
            THEN {TRUST_NOT_KNOWN} ELSE {NOT_TRUSTED} END)
        FROM trustees t
        WHERE t.provider = {holder}.provider AND t.account = {holder}.account
          AND t.agency = {holder}.agency AND t.agency_id = {holder}.agency_id
    ), {TRUSTED})"""


def agreed(dialect: Dialect) -> str:
    """A SELECT of the consents in a service's console, each with one agency, and its status."""
    detail = dialect.member.format("e.entry", "detail")
    return f"""
        SELECT e.region, e.provider, e.account, CASE {_SERVICE.format(detail=detail)} END AS service,
               a.agency, a.agency_id, e.effective_at, e.position, COALESCE(e.actor, '') AS actor,
               CASE WHEN a.status IN ('deleted', 'renamed') THEN 'revoked' ELSE 'granted' END AS status,
               a.since AS gone_since, a.position AS gone_position, a.actor AS gone_actor
        FROM events e
        JOIN agencies a ON a.provider = e.provider AND a.account = e.account
            AND ((e.agency_id IS NOT NULL AND a.agency_id = e.agency_id)
                 OR (e.agency_id IS NULL AND a.agency = e.agency))
        WHERE e.type = 'PermissionsChanged' AND CASE {_SERVICE.format(detail=detail)} END IS NOT NULL
    """
