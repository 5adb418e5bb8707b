"""The features that work in each region, through which agency, and the missing permissions."""

from projections.dialect import Dialect
from projections.projection import ACCOUNT, PROVIDER, REGION, Column, DerivedView

_GRANTED, _NOT_KNOWN = 2, 1
"""Of a service that an agency needs; 0: the agency may not use it."""


def _select(dialect: Dialect) -> str:
    """Of all agencies that a service ever had, the one that lacks least, as in `decide`.

    A feature is as certain as the least certain of its needs. If the catalogue does not know a
    service that asked, its features are unknown.
    """
    lacking = dialect.joined.format("CASE granted WHEN 0 THEN needs END")
    unsure = dialect.joined.format(f"CASE granted WHEN {_NOT_KNOWN} THEN needs END")
    return f"""
        WITH places AS (
            SELECT r.region, r.provider, r.account, f.service
            FROM regions r
            JOIN catalogue_features f ON f.provider = r.provider AND f.agency = r.agency
            UNION
            SELECT region, provider, account, service FROM authorizations
        ),
        needs AS (
            SELECT p.region, p.provider, p.account, p.service, f.feature, f.agency, f.preference,
                   f.needs,
                   COALESCE((SELECT MAX(CASE g.status WHEN 'granted' THEN {_GRANTED}
                                                      WHEN 'not known' THEN {_NOT_KNOWN}
                                                      ELSE 0 END) FROM regions g
                             WHERE g.region IN (p.region, '*') AND g.provider = p.provider
                               AND g.account = p.account AND g.agency = f.agency
                               AND g.service = f.needs), 0) AS granted
            FROM places p
            JOIN catalogue_features f ON f.provider = p.provider AND f.service = p.service
            ORDER BY f.needs
        ),
        candidates AS (
            SELECT region, provider, account, service, feature, agency, preference,
                   SUM(CASE granted WHEN 0 THEN 1 ELSE 0 END) AS lacking,
                   SUM(CASE granted WHEN {_NOT_KNOWN} THEN 1 ELSE 0 END) AS unsure,
                   COALESCE({lacking}, '') AS lacks,
                   COALESCE({unsure}, '') AS may_lack
            FROM needs
            GROUP BY region, provider, account, service, feature, agency, preference
        )
        SELECT region, provider, account, service, feature, agency,
               CASE WHEN lacking > 0 THEN 'broken' WHEN unsure > 0 THEN 'unknown' ELSE 'works' END
               AS status,
               CASE WHEN lacking > 0 THEN lacks ELSE may_lack END AS missing
        FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY region, provider, account, service, feature
                                           ORDER BY lacking, unsure, preference) AS choice
              FROM candidates) AS chosen
        WHERE choice = 1
        UNION ALL
        SELECT region, provider, account, service, '', '', 'unknown', ''
        FROM authorizations a
        WHERE NOT EXISTS (SELECT 1 FROM catalogue_features f
                          WHERE f.provider = a.provider AND f.service = a.service)
    """


CAPABILITIES = DerivedView(
    name="capabilities",
    doc="The features of each catalogued service in each region where it asked for authorization "
    "or its agency was permitted anything, and what is missing for those that are broken. One row "
    "of status `unknown` and without a feature for a service that asked, and of which the catalogue "
    "lists no features.",
    columns=(
        REGION,
        PROVIDER,
        ACCOUNT,
        Column("service", "Code of the service whose feature it is."),
        Column("feature", "Name of the feature in the catalogue; empty if it lists none."),
        Column(
            "agency",
            "The agency through which it works, or that lacks least; empty if the catalogue lists "
            "no features.",
        ),
        Column(
            "status",
            "`works`, `broken` or `unknown`: whether a permission is granted is not known.",
            choices=("works", "broken", "unknown"),
        ),
        Column(
            "missing",
            "Codes of the services that the agency may not use, comma-separated; if `unknown`, of "
            "those of which that is not known.",
        ),
    ),
    over=("regions", "authorizations"),
    select=_select,
)
