"""The features that work in each region, through which agency, and the missing permissions."""

from ledger.values import GLOBAL
from projections.definitions.inferring import (
    NOT_TRUSTED,
    TRUST_NOT_KNOWN,
    TRUSTED,
    agreed,
    is_bare_id,
    is_nowhere,
    trust_of,
)
from projections.dialect import Dialect
from projections.projection import ACCOUNT, OF_ACCOUNT, PROVIDER, REGION, Column, DerivedView

_GRANTED, _NOT_KNOWN = 2, 1
"""Of a service that an agency needs; 0: the agency may not use it."""


_TRUSTEES = """
    SELECT c.trustee FROM catalogue_policies c WHERE c.provider = r.provider AND c.agency = r.agency
    UNION ALL
    SELECT 'service:' || f.service FROM catalogue_features f
    WHERE f.provider = r.provider AND f.agency = r.agency AND NOT EXISTS (
        SELECT 1 FROM catalogue_policies c WHERE c.provider = r.provider AND c.agency = r.agency)"""
"""The service that the agency is for, as the catalogue has it."""


def _levels(dialect: Dialect) -> str:
    """The services that each agency may use in each place, as in `ledger/account/rights.py`.

    `complete` are the baselines' entries of which every policy is granted there. `levels` has the
    services that a grant names and those of complete entries. A policy of any other kind may permit
    every service (`uses` is empty), and so may whatever is granted where its region is not known.
    """
    same = "h.provider = p.provider AND h.account = p.account"
    here = f"{same} AND h.region IN (p.region, '*') AND NOT {is_nowhere('p.region')}"
    maybe = (
        f"({is_nowhere('h.region')} OR {is_bare_id('h.region')} AND NOT {is_bare_id('p.region')})"
    )
    place = "p.region, p.provider, p.account"
    return f"""
        granted AS (
            SELECT r.region, r.provider, r.account, r.agency, r.agency_id, r.service AS uses,
                   r.policy, r.status, {trust_of(dialect, "r", _TRUSTEES)} AS trust
            FROM regions r WHERE r.status <> 'revoked'
              AND r.agency IN (SELECT agency FROM catalogue_features)
        ),
        held AS (
            SELECT region, provider, account, agency, agency_id, uses, policy,
                   CASE trust WHEN {TRUST_NOT_KNOWN} THEN 'not known' ELSE status END AS status
            FROM granted WHERE trust < {NOT_TRUSTED}
        ),
        astray AS (
            SELECT provider, account, agency, {dialect.joined.format("trustee")} AS trustees
            FROM (SELECT DISTINCT t.provider, t.account, t.agency, t.trustee
                  FROM trustees t JOIN granted r ON r.provider = t.provider
                      AND r.account = t.account AND r.agency = t.agency
                      AND r.agency_id = t.agency_id
                  WHERE r.trust <> {TRUSTED} AND t.trustee <> ''
                    AND t.trustee NOT IN ({_TRUSTEES})
                  ORDER BY t.trustee) AS others
            GROUP BY provider, account, agency
        ),
        spots AS (SELECT DISTINCT region, provider, account FROM places),
        complete AS (
            SELECT {place}, c.service, c.baseline, c.agency, h.agency_id
            FROM spots p JOIN held h ON {here} AND h.uses = '' AND h.status = 'granted'
                AND p.region <> '{GLOBAL}'
            JOIN catalogue_policies c
                ON c.provider = h.provider AND c.agency = h.agency AND c.policy = h.policy
            GROUP BY {place}, c.service, c.baseline, c.agency, h.agency_id, c.together
            HAVING COUNT(DISTINCT c.policy) = c.together
        ),
        explained AS (
            SELECT DISTINCT k.region, k.provider, k.account, k.agency, k.agency_id, c.policy
            FROM complete k JOIN catalogue_policies c ON c.provider = k.provider
                AND c.agency = k.agency AND c.service = k.service AND c.baseline = k.baseline
        ),
        levels AS (
            SELECT {place}, h.agency, h.uses,
                   CASE h.status WHEN 'granted' THEN {_GRANTED} ELSE {_NOT_KNOWN} END AS granted
            FROM spots p JOIN held h ON {here} AND h.uses <> ''
            UNION ALL
            SELECT k.region, k.provider, k.account, k.agency, r.uses, {_GRANTED}
            FROM complete k JOIN catalogue_rights r ON r.provider = k.provider
                AND r.agency = k.agency AND r.service = k.service AND r.baseline = k.baseline
            UNION ALL
            SELECT {place}, h.agency, '', {_NOT_KNOWN}
            FROM spots p JOIN held h ON {here} AND h.uses = ''
            LEFT JOIN explained x ON x.region = p.region AND x.provider = p.provider
                AND x.account = p.account AND x.agency = h.agency AND x.agency_id = h.agency_id
                AND x.policy = h.policy
            WHERE x.policy IS NULL
            UNION ALL
            SELECT {place}, h.agency, h.uses, {_NOT_KNOWN}
            FROM spots p JOIN held h ON {same} AND {maybe}
            UNION ALL
            SELECT {place}, h.agency, '', {_NOT_KNOWN}
            FROM spots p JOIN agreed h ON {same} AND h.status = 'granted'
                AND (h.region IS NULL OR h.region IN (p.region, '*'))
        )"""


def _select(dialect: Dialect) -> str:
    """Of all agencies that a service ever had, the one that lacks least, as in `decide`.

    A feature is as certain as the least certain of its needs. If the catalogue does not know a
    service that asked, its features are unknown.
    """
    lacking = dialect.joined.format("CASE granted WHEN 0 THEN needs END")
    unsure = dialect.joined.format(f"CASE granted WHEN {_NOT_KNOWN} THEN needs END")
    return f"""
        WITH agreed AS ({agreed(dialect)}),
        places AS (
            SELECT r.region, r.provider, r.account, f.service
            FROM regions r
            JOIN catalogue_features f ON f.provider = r.provider AND f.agency = r.agency
            UNION
            SELECT region, provider, account, service FROM recorded_authorizations
            UNION
            SELECT region, provider, account, service FROM agreed WHERE region IS NOT NULL
        ),
        {_levels(dialect)},
        best AS (
            SELECT region, provider, account, agency, uses, MAX(granted) AS granted
            FROM levels GROUP BY region, provider, account, agency, uses
        ),
        needs AS (
            SELECT p.region, p.provider, p.account, p.service, f.feature, f.agency, f.preference,
                   f.needs,
                   COALESCE(MAX(b.granted), 0) AS granted
            FROM places p
            JOIN catalogue_features f ON f.provider = p.provider AND f.service = p.service
            LEFT JOIN best b ON b.region = p.region AND b.provider = p.provider
                AND b.account = p.account AND b.agency = f.agency AND b.uses IN (f.needs, '')
            GROUP BY p.region, p.provider, p.account, p.service, f.feature, f.agency, f.preference,
                     f.needs
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
        SELECT region, chosen.provider, chosen.account, service, feature, chosen.agency,
               CASE WHEN lacking > 0 THEN 'broken' WHEN unsure > 0 THEN 'unknown' ELSE 'works' END
               AS status,
               CASE WHEN lacking > 0 THEN lacks ELSE may_lack END AS missing,
               CASE WHEN lacking + unsure > 0 AND s.trustees IS NOT NULL
                    THEN 'trusts ' || s.trustees ELSE '' END AS note
        FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY region, provider, account, service, feature
                                           ORDER BY lacking, unsure, preference) AS choice
              FROM candidates) AS chosen
        LEFT JOIN astray s ON s.provider = chosen.provider AND s.account = chosen.account
            AND s.agency = chosen.agency
        WHERE choice = 1
        UNION ALL
        SELECT region, provider, account, service, '', '', 'unknown', '', ''
        FROM recorded_authorizations a
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
            "`works`; `broken`: nothing is granted that could permit what it needs; or `unknown`.",
            choices=("works", "broken", "unknown"),
        ),
        Column(
            "missing",
            "Codes of the services that the agency may not use, comma-separated; if `unknown`, of "
            "those of which that is not known.",
        ),
        Column(
            "note",
            "The parties that the agency trusts, if it does not trust the service, or may not: "
            "`trusts account:…`. Its permissions do not count then. Mostly empty.",
        ),
    ),
    over=dict.fromkeys(
        ("events", "regions", "agencies", "trustees", "recorded_authorizations"), OF_ACCOUNT
    ),
    select=_select,
    standing=("status", "missing"),
)
