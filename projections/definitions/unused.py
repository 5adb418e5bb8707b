"""The permissions that agencies hold, and since when they did not use them."""

from typing import Final

from projections.definitions.known_names import names_by_id
from projections.dialect import Dialect
from projections.projection import (
    ACCOUNT,
    AGENCY,
    AGENCY_ID,
    OF_ACCOUNT,
    PROVIDER,
    REGION,
    USED_SERVICE,
    Column,
    DerivedView,
)

_ACTED: Final = "'AgencyActed'"
_SUCCESSES: Final = f"{_ACTED}, 'FeatureUsed', 'TemporaryCredentialIssued'"


def _select(dialect: Dialect) -> str:
    """A use names one service; a feature's, all that it needs, as JSON. A credential whose trace
    names no service is not a use of any.
    """
    services, first_at = (
        dialect.member.format("e.entry", name) for name in ("services", "first_at")
    )
    return f"""
        WITH uses AS (
            SELECT e.provider, e.account, e.region,
                   COALESCE(e.agency, a.name, e.agency_id, '') AS agency,
                   CASE e.type WHEN 'FeatureUsed' THEN {services}
                               ELSE '"' || COALESCE(e.service, '') || '"' END AS services,
                   MAX(e.effective_at) AS last_at
            FROM events e
            LEFT JOIN ({names_by_id("agencies", "agency")}) a
                ON a.provider = e.provider AND a.account = e.account AND a.id = e.agency_id
            WHERE e.type IN ({_SUCCESSES})
            GROUP BY 1, 2, 3, 4, 5
        ),
        covered AS (
            SELECT e.provider, e.account, MIN(COALESCE({first_at}, e.effective_at)) AS since
            FROM events e
            WHERE e.type IN ({_ACTED}, 'AgencyActionFailed')
               OR (e.type = 'FeatureUsed' AND e.origin = 'commanded')
            GROUP BY e.provider, e.account
        )
        SELECT r.region, r.provider, r.account, r.agency, r.agency_id, r.service, r.policy,
               r.since AS granted_at, MAX(u.last_at) AS last_used_at, c.since AS uses_known_since
        FROM regions r
        LEFT JOIN uses u
            ON u.provider = r.provider AND u.account = r.account AND u.agency = r.agency
               AND (r.region = '*' OR u.region = r.region)
               AND (CASE r.service WHEN '' THEN u.services <> '""'
                    ELSE u.services LIKE '%"' || r.service || '"%' END)
        LEFT JOIN covered c ON c.provider = r.provider AND c.account = r.account
        WHERE r.status = 'granted'
        GROUP BY r.region, r.provider, r.account, r.agency, r.agency_id, r.service, r.policy,
                 r.since, c.since
    """


UNUSED = DerivedView(
    name="unused",
    doc="Each permission that an agency holds, and when the agency last used it: the later of the "
    "two times `granted_at` and `last_used_at` is the one since when it is not used, as far as the "
    "ledger knows. It knows uses only from `uses_known_since` on, and only those of the traces that "
    "were imported.",
    columns=(
        REGION,
        PROVIDER,
        ACCOUNT,
        AGENCY,
        AGENCY_ID,
        USED_SERVICE,
        Column("policy", "The policy that carries the permission; empty if none is known."),
        Column(
            "granted_at",
            "Since when it is granted; NULL if that is not known.",
            is_time=True,
            optional=True,
        ),
        Column(
            "last_used_at",
            "When a call of the agency to the service last succeeded there; if the permission names "
            "no service, a call to any. NULL if no such use is known.",
            is_time=True,
            optional=True,
        ),
        Column(
            "uses_known_since",
            "The first use of any agency of the account that the ledger knows. NULL if it knows "
            "none: then it is not known whether the permission is used.",
            is_time=True,
            optional=True,
        ),
    ),
    over={
        "events": OF_ACCOUNT,
        "agencies": OF_ACCOUNT,
        "regions": (*OF_ACCOUNT, "region", "agency", "agency_id", "service", "policy"),
    },
    select=_select,
)
