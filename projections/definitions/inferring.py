"""SQL that several views share: what is inferred of permissions, as `ledger/account` infers it."""

from __future__ import annotations

from typing import Final

from ledger.events import CONSENTS
from ledger.values import ENTERPRISE_PROJECT, PROJECT_ID_LENGTH
from projections.dialect import Dialect

_SERVICE: Final = " ".join(
    f"WHEN {{detail}} LIKE '{call}:%' THEN '{service}'" for call, service in CONSENTS.items()
)


def is_nowhere(region: str) -> str:
    """A condition: a place is not a region, and what is granted there may concern any region."""
    return f"({region} = 'not known' OR {region} LIKE '{ENTERPRISE_PROJECT}%')"


def is_project_id(region: str) -> str:
    """A condition: a place is a project whose name was never told."""
    return f"(length({region}) = {PROJECT_ID_LENGTH} AND {region} NOT LIKE '%-%')"


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
