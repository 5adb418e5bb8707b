"""The features that work in each region, through which agency, and the missing permissions."""

from projections.dialect import Dialect
from projections.projection import ACCOUNT, PROVIDER, REGION, Column, DerivedView


def _select(dialect: Dialect) -> str:
    """Of all agencies that a service ever had, the one that lacks least, as in `decide`.

    If the catalogue does not know a service that asked, its features are unknown.
    """
    missing = dialect.joined.format("CASE granted WHEN 0 THEN needs END")
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
                   CASE WHEN EXISTS (SELECT 1 FROM regions g
                           WHERE g.region IN (p.region, '*') AND g.provider = p.provider
                             AND g.account = p.account AND g.agency = f.agency
                             AND g.service = f.needs AND g.status = 'granted')
                   THEN 1 ELSE 0 END AS granted
            FROM places p
            JOIN catalogue_features f ON f.provider = p.provider AND f.service = p.service
            ORDER BY f.needs
        ),
        candidates AS (
            SELECT region, provider, account, service, feature, agency, preference,
                   SUM(1 - granted) AS lacking,
                   COALESCE({missing}, '') AS missing
            FROM needs
            GROUP BY region, provider, account, service, feature, agency, preference
        )
        SELECT region, provider, account, service, feature, agency,
               CASE lacking WHEN 0 THEN 'works' ELSE 'broken' END AS status, missing
        FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY region, provider, account, service, feature
                                           ORDER BY lacking, preference) AS choice
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
    "of status `unknown` for a service that asked, and of which the catalogue lists no features.",
    columns=(
        REGION,
        PROVIDER,
        ACCOUNT,
        Column("service", "Code of the service whose feature it is."),
        Column("feature", "Name of the feature in the catalogue; empty if `unknown`."),
        Column(
            "agency", "The agency through which it works, or that lacks least; empty if `unknown`."
        ),
        Column(
            "status",
            "`works`, `broken` or `unknown`.",
            choices=("works", "broken", "unknown"),
        ),
        Column("missing", "Codes of the services that the agency may not use, comma-separated."),
    ),
    over=("regions", "authorizations"),
    select=_select,
)
