"""The calls that agencies made, day by day, from the sums of single files.

A file has a sum for each session. Those of one key are one number again, before files are compared.

Two files may hold the same calls. Of files whose times overlap, the different traces count. If one
has so many calls that its entry does not tell the traces, the file with the most calls counts, and
the number is a lower bound:

    file 5f0c…  09:00 ├──── 70 calls ────┤ 12:00
    file 81d3…           10:00 ├── 5 calls ──┤ 13:00                   at least 70
    file c2aa…                                    14:00 ├─ 2 calls ─┤  2            at least 72
"""

from typing import Final

from ledger.events import TRACE_CHARS, TRACES_KEPT_MAX
from projections.definitions.known_names import names_by_id
from projections.definitions.sessions import COLUMNS, persons, same
from projections.dialect import Dialect
from projections.projection import (
    ACCOUNT,
    AGENCY,
    AGENCY_ID,
    OF_ACCOUNT,
    PROVIDER,
    Column,
    DerivedView,
)

_KEY: Final = "provider, account, region, agency, agency_id, service, action, day"
_SAME: Final = " AND ".join(
    f"t.{name} = j.{name}" for name in (*_KEY.split(", "), "outcome", "segment")
)
_ORDER: Final = f"PARTITION BY {_KEY}, outcome ORDER BY first_at, last_at, position"
_BEFORE: Final = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
_NUMBERS: Final = ", ".join(f"({number})" for number in range(TRACES_KEPT_MAX))
_TRACES_CHARS_MAX: Final = TRACES_KEPT_MAX * TRACE_CHARS
_SO_FAR: Final = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"


def segments(dialect: Dialect) -> str:
    """The relations of a WITH clause of which the last, `segments`, has the calls of one key and
    outcome, of all files whose times overlap. `unsure`: 1 if there may have been more.
    """
    first_at, action, traces = (
        dialect.member.format("e.entry", name) for name in ("first_at", "action", "traces")
    )
    session, source, by, digest, more = (
        dialect.member.format("e.entry", name)
        for name in (
            "session_name", "source_identity", "switched_by", "file_digest", "more_sessions"
        )
    )  # fmt: skip
    calls = f"CAST({dialect.member.format('e.entry', 'calls')} AS {dialect.integer})"
    return f"""
        acts AS (
            SELECT e.position, e.provider, e.account, COALESCE(e.region, '') AS region,
                   COALESCE(e.agency, a.name, e.agency_id, '') AS agency,
                   COALESCE(e.agency_id, '') AS agency_id, e.service, {action} AS action,
                   substr(e.effective_at, 1, 10) AS day,
                   COALESCE(e.outcome, 'succeeded') AS outcome,
                   {first_at} AS first_at, e.effective_at AS last_at, {calls} AS calls,
                   COALESCE({traces}, '') AS traces, {digest} AS file_digest,
                   {session} AS session_names, {source} AS source_identities, {by} AS switched_by,
                   CASE WHEN {more} IS NULL THEN 0 ELSE 1 END AS more_sessions
            FROM events e
            LEFT JOIN ({names_by_id("agencies", "agency")}) a
                ON a.provider = e.provider AND a.account = e.account AND a.id = e.agency_id
            WHERE e.type IN ('AgencyActed', 'AgencyActionFailed')
        ),
        files AS (
            SELECT {_KEY}, outcome, file_digest, SUM(calls) AS calls,
                   MIN(first_at) AS first_at, MAX(last_at) AS last_at,
                   CASE WHEN MIN(length(traces)) = 0 OR SUM(length(traces)) > {_TRACES_CHARS_MAX}
                        THEN '' ELSE {dialect.joined.format("traces")} END AS traces,
                   MAX(position) AS position
            FROM acts
            GROUP BY {_KEY}, outcome, file_digest
        ),
        marked AS (
            SELECT files.*, CASE WHEN first_at <= MAX(last_at) OVER ({_ORDER} {_BEFORE})
                                THEN 0 ELSE 1 END AS begins
            FROM files
        ),
        placed AS (
            SELECT marked.*, SUM(begins) OVER ({_ORDER} {_SO_FAR}) AS segment FROM marked
        ),
        numbers(number) AS (VALUES {_NUMBERS}),
        known AS (
            SELECT {_KEY}, outcome, segment,
                   COUNT(DISTINCT substr(traces, 1 + number * {TRACE_CHARS}, {TRACE_CHARS})) AS traces
            FROM (SELECT {_KEY}, outcome, segment, replace(traces, ',', '') AS traces FROM placed)
                AS told JOIN numbers ON number * {TRACE_CHARS} < length(traces)
            GROUP BY {_KEY}, outcome, segment
        ),
        joined AS (
            SELECT {_KEY}, outcome, segment, MAX(calls) AS most,
                   CASE WHEN COUNT(*) > 1 AND MIN(traces) = '' THEN 1 ELSE 0 END AS unsure,
                   MIN(first_at) AS first_at, MAX(last_at) AS last_at, MAX(position) AS position
            FROM placed
            GROUP BY {_KEY}, outcome, segment
        ),
        segments AS (
            SELECT j.*, CASE WHEN t.traces > j.most THEN t.traces ELSE j.most END AS calls
            FROM joined j LEFT JOIN known t ON {_SAME}
        )
    """


def summed(outcome: str) -> str:
    """The sum of the calls of one outcome."""
    return f"CAST(SUM(CASE outcome WHEN '{outcome}' THEN calls ELSE 0 END) AS BIGINT) AS {outcome}"


AT_LEAST: Final = "CASE MAX(unsure) WHEN 1 THEN 'yes' ELSE 'no' END"


def _select(dialect: Dialect) -> str:
    return f"""
        WITH {segments(dialect)},
        behind AS (SELECT acts.*, last_at AS seen_at FROM acts),
        {persons(dialect, _KEY)},
        called AS (
            SELECT {_KEY}, {summed("succeeded")}, {summed("refused")}, {summed("failed")},
                   {AT_LEAST} AS at_least, MIN(first_at) AS first_at, MAX(last_at) AS last_at,
                   MAX(position) AS position
            FROM segments
            GROUP BY {_KEY}
        )
        SELECT {", ".join(f"c.{name}" for name in _KEY.split(", "))}, c.succeeded, c.refused,
               c.failed, c.at_least, {", ".join(f"p.{column.name}" for column in COLUMNS)},
               c.first_at, c.last_at, c.position
        FROM called c JOIN persons p ON {same("p", "c", _KEY)}
    """


NUMBERS: Final = (
    Column("succeeded", "Calls of the agency that succeeded.", "INTEGER"),
    Column("refused", "Calls that were refused: the agency may not make them.", "INTEGER"),
    Column("failed", "Calls that failed for any other reason.", "INTEGER"),
    Column(
        "at_least",
        "`yes`: files overlap in time, and it is not known which calls they have in common, so that "
        "there were as many calls or more; `no`: the numbers are exact for the imported files.",
        choices=("yes", "no"),
    ),
)
ACTIVITY = DerivedView(
    name="activity",
    doc="The calls that each agency made, action by action and day by day, as the traces of all "
    "services show it. As of a time, a file's calls of a day count once the last of them was made.",
    columns=(
        PROVIDER,
        ACCOUNT,
        Column("region", "Region id; empty if the traces name none."),
        AGENCY,
        AGENCY_ID,
        Column("service", "Code of the service that was called."),
        Column("action", "Name of the call; `(other actions)`: of a file with too many names."),
        Column("day", "The day in UTC, e.g. 2026-03-01."),
        *NUMBERS,
        *COLUMNS,
        Column("first_at", "When the first of the calls was made.", is_time=True),
        Column("last_at", "When the last of the calls was made.", is_time=True),
        Column("position", "Position of the latest entry that tells of them.", "INTEGER"),
    ),
    over={"events": (*OF_ACCOUNT, "region", "service"), "agencies": OF_ACCOUNT},
    select=_select,
)
