"""The state of each service's authorization in each region: as recorded, or inferred."""

from ledger.values import GLOBAL
from projections.definitions.inferring import (
    NOT_TRUSTED,
    TRUST_NOT_KNOWN,
    agreed,
    is_nowhere,
    trust_of,
)
from projections.dialect import Dialect
from projections.projection import ACCOUNT, INFERRED, OF_ACCOUNT, PROVIDER, Column, DerivedView

_KEY = "region, provider, account, service"
_CERTAIN_FIRST = "CASE status WHEN 'granted' THEN 0 WHEN 'not known' THEN 1 ELSE 2 END"
_EARLIEST = "since IS NOT NULL, since"
"""One whose beginning was not seen is the earliest."""


def _of(alias: str) -> str:
    return ", ".join(f"{alias}.{name}" for name in _KEY.split(", "))


def _same(one: str, other: str, *names: str) -> str:
    return " AND ".join(
        f"{one}.{name} = {other}.{name}" for name in ("provider", "account", *names)
    )


def _grants(dialect: Dialect, relation: str, columns: str) -> str:
    """Permissions under policies of the catalogue's baselines, by baseline.

    Those of an agency that trusts another party than the service are left out.
    """
    trust = trust_of(dialect, "r", "c.trustee")
    return f"""
        SELECT r.region, r.provider, r.account, c.service, c.baseline, c.together, c.in_all,
               r.agency, r.agency_id, r.policy, r.position, r.actor,
               CASE {trust} WHEN {TRUST_NOT_KNOWN} THEN 'not known' ELSE r.status END AS status,
               {columns}
        FROM {relation} r JOIN catalogue_policies c
            ON c.provider = r.provider AND c.agency = r.agency AND c.policy = r.policy
        WHERE r.service = '' AND r.status <> 'revoked' AND NOT {is_nowhere("r.region")}
          AND r.region <> '{GLOBAL}' AND {trust} < {NOT_TRUSTED}"""


def _by_policies(dialect: Dialect) -> str:
    """`met` are the policies of each baseline, by the grant that came first; `chosen` are the
    agencies that have all of theirs, each name once; `by_policies` the baselines of which all are
    there.
    """
    return f"""
        grants AS ({_grants(dialect, "regions", "r.since")}),
        met AS (
            SELECT * FROM (
                SELECT {_of("p")}, g.baseline, g.together, g.in_all, g.agency, g.agency_id,
                       g.policy, g.status, g.since, g.position, g.actor,
                       ROW_NUMBER() OVER (
                           PARTITION BY {_of("p")}, g.baseline, g.agency, g.agency_id, g.policy
                           ORDER BY {_CERTAIN_FIRST.replace("status", "g.status")},
                                    g.since IS NOT NULL, g.since, g.position) AS place
                FROM (SELECT {_KEY} FROM grants
                      UNION SELECT {_KEY} FROM recorded_authorizations
                      WHERE region <> '{GLOBAL}' AND NOT {is_nowhere("region")}) p
                JOIN grants g ON {_same("g", "p", "service")} AND g.region IN (p.region, '*')
            ) AS ranked WHERE place = 1
        ),
        chosen AS (
            SELECT * FROM (
                SELECT *, ROW_NUMBER() OVER (
                    PARTITION BY {_KEY}, baseline, agency
                    ORDER BY {_CERTAIN_FIRST}, {_EARLIEST}, agency_id) AS place
                FROM (
                    SELECT {_KEY}, baseline, in_all, agency, agency_id, COUNT(*) AS policies,
                           CASE WHEN SUM(CASE status WHEN 'granted' THEN 1 ELSE 0 END) = COUNT(*)
                                THEN 'granted' ELSE 'not known' END AS status,
                           CASE WHEN COUNT(since) = COUNT(*) THEN MAX(since) END AS since
                    FROM met
                    GROUP BY {_KEY}, baseline, in_all, together, agency, agency_id
                    HAVING COUNT(*) = together
                ) AS whole
            ) AS ranked WHERE place = 1
        ),
        by_policies AS (
            SELECT {_KEY}, baseline,
                   CASE MAX(status) WHEN 'granted' THEN 'granted' ELSE 'not known' END AS status,
                   CASE WHEN MAX(status) = 'granted' AND COUNT(since) = COUNT(*)
                        THEN MAX(since) END AS since
            FROM chosen GROUP BY {_KEY}, baseline, in_all HAVING SUM(policies) = in_all
        )"""


def _ended(dialect: Dialect) -> str:
    """`ended` are the moments at which a baseline that was whole until then lost a policy."""
    lasts = "(o.until_at IS NULL OR o.until_at >= s.until_at)"
    return f"""
        spans AS ({_grants(dialect, "regions_history", "r.valid_from, r.until_at, r.ends_alone")}
                  AND r.gone_position IS NULL AND r.status = 'granted'),
        losses AS (
            SELECT p.region, s.provider, s.account, s.service, s.baseline, s.agency, s.agency_id,
                   s.policy, s.region AS place, s.until_at, s.in_all
            FROM (SELECT DISTINCT {_KEY} FROM spans) p
            JOIN spans s ON {_same("s", "p", "service")} AND s.region IN (p.region, '*')
            WHERE s.until_at IS NOT NULL
              AND (s.ends_alone = 0 OR s.until_at <= {dialect.now})
        ),
        whole_before AS (
            SELECT s.region, s.provider, s.account, s.service, s.baseline, s.agency, s.agency_id,
                   s.policy, s.place, s.until_at, s.in_all, o.agency AS other, o.policy AS needed,
                   o.position
            FROM losses s JOIN spans o ON {_same("o", "s", "service", "baseline")}
                AND o.region IN (s.region, '*') AND o.valid_from < s.until_at AND {lasts}
                AND (o.agency <> s.agency OR o.agency_id = s.agency_id)
        ),
        ended AS (
            SELECT * FROM (
                SELECT {_of("s")}, s.baseline, s.until_at AS since, n.position, n.actor,
                       s.agency, s.agency_id, s.policy, s.place,
                       ROW_NUMBER() OVER (PARTITION BY {_of("s")}
                                          ORDER BY s.until_at DESC, n.position, s.baseline) AS rank
                FROM whole_before s JOIN regions_history n ON {_same("n", "s", "agency", "agency_id")}
                    AND n.policy = s.policy AND n.region = s.place AND n.service = ''
                    AND n.valid_from = s.until_at AND n.gone_position IS NULL
                    AND n.status = 'revoked'
                GROUP BY {_of("s")}, s.baseline, s.until_at, n.position, n.actor, s.agency,
                         s.agency_id, s.policy, s.place, s.in_all
                HAVING COUNT(DISTINCT s.other || ':' || s.needed) = s.in_all
            ) AS latest WHERE rank = 1
        )"""


def _shown() -> str:
    """`shown` are the inferred answers that count before the recorded one, as in `decide`.

    A dialog that was opened or declined settles nothing, so consent beside it counts. It does not
    count if it was revoked since it began (`revoked`).
    """
    return f"""
        revoked AS (
            SELECT * FROM (
                SELECT {_KEY}, type, effective_at AS since, ROW_NUMBER() OVER (
                    PARTITION BY {_KEY} ORDER BY effective_at DESC, position DESC) AS rank
                FROM events WHERE type IN ('AuthorizationGranted', 'AuthorizationRevoked')
            ) AS ranked WHERE rank = 1 AND type = 'AuthorizationRevoked'
        ),
        shown AS (
            SELECT i.*, COALESCE(r.status, '') AS recorded FROM inferred i
            LEFT JOIN recorded_authorizations r ON {_same("r", "i", "region", "service")}
            LEFT JOIN revoked v ON {_same("v", "i", "region", "service")}
            WHERE r.status IS NULL OR r.status <> 'granted' AND CASE i.status
                WHEN 'revoked' THEN i.since > r.since
                ELSE v.since IS NULL OR i.since > v.since END
        )"""


def _facts(dialect: Dialect) -> str:
    """`explained` are the events that each inferred answer rests on, and the one that made it so.

    `behind` are the events behind each baseline: in a region, or in any (NULL); of the answer that
    began at a moment, or of any (NULL). It is joined with the answers once: SQLite plans a relation
    anew at each place where it is named.
    """
    rests_on = dialect.numbers.format("CASE place WHEN 1 THEN f.position END")
    nowhere = "COALESCE(g.region, '') AS region, g.provider, g.account, g.service"
    return f"""
        behind AS (
            SELECT {_of("c")}, c.baseline, NULL AS at, m.since, m.position, m.actor, 1 AS is_cause
            FROM chosen c
            JOIN met m ON {_same("m", "c", "region", "service", "baseline", "agency", "agency_id")}
            UNION ALL
            SELECT {_of("c")}, c.baseline, NULL, NULL, a.position, a.actor, 0
            FROM chosen c JOIN agencies a ON {_same("a", "c", "agency", "agency_id")}
            UNION ALL
            SELECT {_of("m")}, m.baseline, NULL, NULL, d.position, d.actor, 0
            FROM met m JOIN policies d ON {_same("d", "m", "policy")} AND d.status <> 'deleted'
            UNION ALL
            SELECT {nowhere}, 'agreed', g.effective_at, g.effective_at, g.position, g.actor, 1
            FROM agreed g
            UNION ALL
            SELECT NULL, g.provider, g.account, g.service, 'anywhere', NULL, NULL, g.position,
                   g.actor, 0
            FROM agreed g WHERE g.region IS NULL AND g.status = 'granted'
            UNION ALL
            SELECT {nowhere}, 'gone', NULL, g.gone_since, g.gone_position, g.gone_actor, 0
            FROM agreed g
            UNION ALL
            SELECT {nowhere}, 'gone', NULL, NULL, g.position, g.actor, 0
            FROM agreed g
            UNION ALL
            SELECT {_of("g")}, 'delegated', g.effective_at, g.effective_at, g.position, g.actor, 1
            FROM delegated g
            UNION ALL
            SELECT {_of("g")}, 'delegated', g.effective_at, NULL, g.asked_position, '', 0
            FROM delegated g
            UNION ALL
            SELECT {_of("e")}, e.baseline || ' ended', NULL, e.since, e.position, e.actor, 1
            FROM ended e
            UNION ALL
            SELECT {_of("e")}, e.baseline || ' ended', NULL, NULL, w.position, '', 0
            FROM ended e
            JOIN whole_before w ON {_same("w", "e", "region", "service", "baseline", "agency")}
                AND w.agency_id = e.agency_id AND w.policy = e.policy AND w.place = e.place
                AND w.until_at = e.since
        ),
        facts AS (
            SELECT {_of("i")}, b.since, b.position, b.actor,
                   CASE WHEN i.baseline = 'gone' AND b.since = i.since THEN 1
                        ELSE b.is_cause END AS is_cause
            FROM inferred i JOIN behind b ON {_same("b", "i", "service", "baseline")}
                AND (b.region IS NULL OR b.region = i.region) AND (b.at IS NULL OR b.at = i.since)
        ),
        explained AS (
            SELECT {_KEY}, MAX(CASE rank WHEN 1 THEN position END) AS position,
                   MAX(CASE rank WHEN 1 THEN actor END) AS actor, {rests_on} AS rests_on
            FROM (
                SELECT {_KEY}, position, actor,
                       ROW_NUMBER() OVER (
                           PARTITION BY {_KEY} ORDER BY is_cause DESC, since IS NOT NULL DESC,
                           since DESC, position IS NOT NULL DESC, position DESC) AS rank,
                       ROW_NUMBER() OVER (PARTITION BY {_KEY}, position ORDER BY actor) AS place
                FROM facts
                ORDER BY {_KEY}, position
            ) AS f
            GROUP BY {_KEY}
        )"""


def _select(dialect: Dialect) -> str:
    """The recorded answers, and inferred ones where nothing else was recorded later."""
    address = dialect.member.format("e.entry", "address")
    return f"""
        WITH agreed AS ({agreed(dialect)}),
        {_by_policies(dialect)},
        {_ended(dialect)},
        delegated AS (
            SELECT '*' AS region, a.provider, a.account,
                   COALESCE('account:' || {dialect.member.format("q.entry", "requester")}, '')
                   AS service, {dialect.member.format("a.entry", "request_id")} AS request,
                   a.effective_at, a.position, COALESCE(a.actor, '') AS actor,
                   q.position AS asked_position
            FROM events a LEFT JOIN events q ON q.type = 'DelegationRequested'
                AND q.provider = a.provider AND q.account = a.account
                AND {dialect.member.format("q.entry", "request_id")}
                    = {dialect.member.format("a.entry", "request_id")}
            WHERE a.type = 'DelegationAccepted'
        ),
        placed AS (
            SELECT {_KEY}, baseline, status, since FROM by_policies
            UNION ALL
            SELECT {_KEY}, 'agreed', 'granted', MIN(effective_at) FROM
                (SELECT COALESCE(region, '') AS region, provider, account, service, effective_at
                 FROM agreed WHERE status = 'granted') AS g
            GROUP BY {_KEY}
            UNION ALL
            SELECT {_KEY}, 'gone', 'revoked', MAX(gone_since) FROM
                (SELECT COALESCE(region, '') AS region, provider, account, service, gone_since
                 FROM agreed WHERE status = 'revoked') AS g
            GROUP BY {_KEY}
            UNION ALL
            SELECT {_KEY}, 'delegated', 'granted', MIN(effective_at) FROM delegated GROUP BY {_KEY}
            UNION ALL
            SELECT {_KEY}, baseline || ' ended', 'revoked', since FROM ended
        ),
        candidates AS (
            SELECT * FROM placed
            UNION ALL
            SELECT {_of("p")}, 'anywhere', 'not known', NULL
            FROM (SELECT {_KEY} FROM placed
                  UNION SELECT {_KEY} FROM recorded_authorizations) AS p
            JOIN (SELECT DISTINCT provider, account, service FROM agreed
                  WHERE region IS NULL AND status = 'granted') AS g ON {_same("g", "p", "service")}
            WHERE p.region NOT IN ('', '*')
        ),
        inferred AS (
            SELECT * FROM (
                SELECT *, ROW_NUMBER() OVER (
                    PARTITION BY {_KEY} ORDER BY {_CERTAIN_FIRST},
                    CASE WHEN status = 'revoked' THEN since END DESC,
                    {_EARLIEST}, baseline DESC) AS rank
                FROM candidates
            ) AS ranked WHERE rank = 1
        ),
        {_shown()},
        {_facts(dialect)}
        SELECT {_of("r")}, r.status, r.actor, r.origin, '' AS address,
               CAST(r.position AS TEXT) AS rests_on, r.since, r.position,
               r.status AS recorded, COALESCE(i.status, '') AS inferred
        FROM recorded_authorizations r
        LEFT JOIN inferred i ON {_same("i", "r", "region", "service")}
        WHERE NOT EXISTS (SELECT 1 FROM shown s WHERE {_same("s", "r", "region", "service")})
        UNION ALL
        SELECT {_of("i")}, i.status, COALESCE(l.actor, ''), '{INFERRED}',
               COALESCE({address}, ''), COALESCE(l.rests_on, ''), i.since, l.position,
               i.recorded, i.status
        FROM shown i
        LEFT JOIN explained l ON {_same("l", "i", "region", "service")}
        LEFT JOIN events e ON e.position = l.position
    """


AUTHORIZATIONS = DerivedView(
    name="authorizations",
    doc="Consent, region by region: the state of each service's authorization, since when, by whom. "
    "As recorded; or inferred, where every policy is granted that a baseline of the catalogue gives "
    "the service's agencies, where the account agreed in the service's console, or where it "
    "accepted a delegation request.",
    columns=(
        Column(
            "region",
            "Region id; `*` stands for all regions; the project's id if its name was never told; "
            "empty if no trace told where.",
        ),
        PROVIDER,
        ACCOUNT,
        Column(
            "service",
            "Code of the service that asked; of a delegation request `account:` and the account "
            "that asked, empty if that is not known.",
        ),
        Column(
            "status",
            "`requested`, `granted`, `declined` or `revoked`; `not known`: it depends on "
            "permissions of which it is not known whether they are granted.",
            choices=("requested", "granted", "declined", "revoked", "not known"),
        ),
        Column(
            "actor",
            "Surrogate id of the person who caused the latest change. Of an inferred consent, the "
            "person who made the grant that completed it, or ended it. Empty if unknown.",
        ),
        Column(
            "origin",
            "`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no "
            "single event says it.",
            choices=("commanded", "observed", INFERRED),
        ),
        Column(
            "address",
            "Surrogate id of the address from which an inferred consent was completed; empty if no "
            "trace told it.",
        ),
        Column(
            "rests_on",
            "Positions of the events that it follows from, comma-separated.",
        ),
        Column(
            "since",
            "When it became so in the cloud; NULL if that is not known.",
            is_time=True,
            optional=True,
        ),
        Column(
            "position",
            "Position of the latest of the events that it follows from; NULL if that is not known.",
            "INTEGER",
            optional=True,
        ),
        Column(
            "recorded",
            "The status that the latest event of this consent says; empty if there is none. A "
            "dialog that was opened or declined does not hide an inferred consent.",
        ),
        Column(
            "inferred",
            "The status that follows from other facts: `granted`, `revoked` or `not known`; empty if "
            "none does. The status is the one of these two that counts.",
        ),
    ),
    standing=("status",),
    key=("region", "provider", "account", "service"),
    over={
        "events": OF_ACCOUNT,
        "regions": (*OF_ACCOUNT, "region"),
        "regions_history": (*OF_ACCOUNT, "region"),
        "agencies": OF_ACCOUNT,
        "trustees": OF_ACCOUNT,
        "policies": OF_ACCOUNT,
        "recorded_authorizations": (*OF_ACCOUNT, "region"),
    },
    select=_select,
)
