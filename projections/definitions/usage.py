"""How agencies were used: credentials, features, and the calls that they made themselves."""

from typing import Final

from projections.definitions.activity import AT_LEAST, NUMBERS, segments, summed
from projections.definitions.known_names import names_by_id
from projections.definitions.sessions import COLUMNS, PERSONS, persons, same
from projections.dialect import Dialect
from projections.projection import (
    ACCOUNT,
    AGENCY,
    INTERVAL_COLUMNS,
    OF_ACCOUNT,
    PROVIDER,
    REGION,
    Column,
    DerivedView,
)

_KEY: Final = "region, provider, account, agency"
_COUNTED: Final = {
    "credentials_issued": "TemporaryCredentialIssued",
    "credentials_refused": "CredentialRefused",
    "features_used": "FeatureUsed",
    "features_refused": "FeatureRefused",
}
_TYPES: Final = ", ".join(f"'{name}'" for name in _COUNTED.values())


def _select(dialect: Dialect) -> str:
    session, source, component = (
        dialect.member.format("e.entry", name)
        for name in ("session_name", "source_identity", "component")
    )
    counters = ",\n".join(
        f"SUM(CASE type WHEN '{event}' THEN 1 ELSE 0 END) AS {column}"
        for column, event in _COUNTED.items()
    )
    return f"""
        WITH {segments(dialect)},
        events_of_use AS (
            SELECT e.region, e.provider, e.account,
                   COALESCE(e.agency, a.name, e.agency_id, '') AS agency, e.type, e.effective_at,
                   e.position, e.actor, COALESCE({session}, {component}) AS session_name,
                   {source} AS source_identity
            FROM events e
            LEFT JOIN ({names_by_id("agencies", "agency")}) a
                ON a.provider = e.provider AND a.account = e.account AND a.id = e.agency_id
            WHERE e.type IN ({_TYPES})
        ),
        counted AS (
            SELECT {_KEY}, {counters},
                   MIN(CASE WHEN type IN ('TemporaryCredentialIssued', 'FeatureUsed')
                            THEN effective_at END) AS first_at,
                   MAX(CASE WHEN type IN ('TemporaryCredentialIssued', 'FeatureUsed')
                            THEN effective_at END) AS last_at,
                   MAX(effective_at) AS since, MAX(position) AS position
            FROM events_of_use
            GROUP BY {_KEY}
        ),
        acted AS (
            SELECT {_KEY}, {summed("succeeded")}, {summed("refused")}, {summed("failed")},
                   {AT_LEAST} AS at_least,
                   MIN(CASE outcome WHEN 'succeeded' THEN first_at END) AS first_at,
                   MAX(CASE outcome WHEN 'succeeded' THEN last_at END) AS last_at,
                   MAX(last_at) AS since, MAX(position) AS position
            FROM segments
            GROUP BY {_KEY}
        ),
        called AS (
            SELECT {_KEY}, {dialect.joined.format("service")} AS services
            FROM (SELECT DISTINCT {_KEY}, service FROM segments WHERE outcome = 'succeeded'
                  ORDER BY service) AS used
            GROUP BY {_KEY}
        ),
        behind AS (
            SELECT {_KEY}, actor AS switched_by, session_name AS session_names,
                   source_identity AS source_identities, 0 AS more_sessions, effective_at AS seen_at
            FROM events_of_use WHERE type = 'TemporaryCredentialIssued'
            UNION ALL
            SELECT {_KEY}, {", ".join(PERSONS)}, more_sessions, last_at FROM acts
        ),
        {persons(dialect, _KEY)},
        places AS (SELECT {_KEY} FROM counted UNION SELECT {_KEY} FROM acted)
        SELECT p.region, p.provider, p.account, p.agency,
               {", ".join(f"COALESCE(c.{name}, 0) AS {name}" for name in _COUNTED)},
               COALESCE(a.succeeded, 0) AS succeeded, COALESCE(a.refused, 0) AS refused,
               COALESCE(a.failed, 0) AS failed, COALESCE(a.at_least, 'no') AS at_least,
               COALESCE(u.services, '') AS services,
               {", ".join(f"COALESCE(w.{name}, '') AS {name}" for name in PERSONS)},
               COALESCE(w.more_sessions, 'no') AS more_sessions,
               {_either("MIN", "first_at")} AS first_used_at,
               {_either("MAX", "last_at")} AS last_used_at,
               {_either("MAX", "since")} AS since, {_either("MAX", "position")} AS position
        FROM places p
        LEFT JOIN counted c ON {same("c", "p", _KEY)}
        LEFT JOIN acted a ON {same("a", "p", _KEY)}
        LEFT JOIN called u ON {same("u", "p", _KEY)}
        LEFT JOIN persons w ON {same("w", "p", _KEY)}
    """


def _either(which: str, column: str) -> str:
    """The lesser (MIN) or the greater (MAX) of both values; the other one if one is NULL."""
    less = "<=" if which == "MIN" else ">="
    return (
        f"CASE WHEN a.{column} IS NULL OR c.{column} {less} a.{column} "
        f"THEN c.{column} ELSE a.{column} END"
    )


USAGE = DerivedView(
    name="usage",
    doc="How each agency was used: credentials issued and features used through it, the calls that "
    "it made in any service, the first and the last use, and who acted as it.",
    columns=(
        REGION,
        PROVIDER,
        ACCOUNT,
        AGENCY,
        Column("credentials_issued", "Temporary credentials issued.", "INTEGER"),
        Column("credentials_refused", "Temporary credentials refused.", "INTEGER"),
        Column("features_used", "Features used.", "INTEGER"),
        Column("features_refused", "Features refused.", "INTEGER"),
        *NUMBERS,
        Column(
            "services",
            "Codes of the services in which calls of the agency succeeded, comma-separated.",
        ),
        *COLUMNS,
        Column(
            "first_used_at",
            "The first use that succeeded: a credential, a feature or a call; NULL if none did.",
            is_time=True,
            optional=True,
        ),
        Column("last_used_at", "The last one; NULL if none did.", is_time=True, optional=True),
        *INTERVAL_COLUMNS,
    ),
    over={"events": (*OF_ACCOUNT, "region"), "agencies": OF_ACCOUNT},
    select=_select,
    standing=(*_COUNTED, "succeeded", "refused", "failed"),
    key=tuple(_KEY.split(", ")),
)
