"""The sessions behind the uses of agencies: their names, and the people who stand behind them."""

from typing import Final

from projections.dialect import Dialect
from projections.projection import Column

PERSONS_MAX: Final = 10
"""So many people, and names of sessions, are in a row: those seen last. The trail has all."""
PERSONS: Final = ("switched_by", "session_names", "source_identities")
_LATEST: Final = f"comma-separated, at most the {PERSONS_MAX} latest; empty if none is known."
COLUMNS: Final = (
    Column("switched_by", f"Surrogate ids of the people who began its sessions, {_LATEST}"),
    Column(
        "session_names", f"Names of the sessions, or surrogate ids that stand for them, {_LATEST}"
    ),
    Column(
        "source_identities",
        "Surrogate ids of the people behind the sessions, as the callers' own systems named "
        f"them, {_LATEST}",
    ),
    Column(
        "more_sessions",
        "`yes`: there were more sessions than those named here; `no`: no other is known.",
        choices=("yes", "no"),
    ),
)


def persons(dialect: Dialect, key: str) -> str:
    """The relations of a WITH clause of which the last, `persons`, has the latest of each of
    PERSONS by a key, and `more_sessions`.

    It reads the relation `behind`: the key, PERSONS, `more_sessions` (1 or 0) and `seen_at`.
    """
    each = " UNION ALL ".join(
        f"SELECT {key}, '{what}' AS what, {what} AS who, MAX(seen_at) AS seen_at "
        f"FROM behind WHERE {what} IS NOT NULL GROUP BY {key}, {what}"
        for what in PERSONS
    )
    joined = ", ".join(
        f"{dialect.joined.format(f'CASE WHEN place <= {PERSONS_MAX} AND what = {what!r} THEN who END')}"
        f" AS {what}"
        for what in PERSONS
    )
    return f"""
        seen AS (
            SELECT each_person.*,
                   ROW_NUMBER() OVER (PARTITION BY {key}, what ORDER BY seen_at DESC, who) AS place
            FROM ({each}) AS each_person
        ),
        named AS (
            SELECT {key}, {joined},
                   MAX(CASE WHEN place > {PERSONS_MAX} THEN 1 ELSE 0 END) AS is_cut
            FROM (SELECT * FROM seen ORDER BY who) AS sorted_persons
            GROUP BY {key}
        ),
        further AS (
            SELECT {key}, MAX(more_sessions) AS more_sessions FROM behind GROUP BY {key}
        ),
        persons AS (
            SELECT {", ".join(f"f.{name}" for name in key.split(", "))},
                   {", ".join(f"COALESCE(n.{name}, '') AS {name}" for name in PERSONS)},
                   CASE WHEN f.more_sessions = 1 OR n.is_cut = 1 THEN 'yes' ELSE 'no' END
                       AS more_sessions
            FROM further f LEFT JOIN named n ON {same("n", "f", key)}
        )
    """


def same(one: str, other: str, key: str) -> str:
    """The condition that two relations have the same key."""
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in key.split(", "))
