"""Logins to the consoles, counted."""

from projections.projection import ACCOUNT, PROVIDER, REGION, Column, Projection

LOGINS = Projection(
    name="logins",
    doc="Logins to the console of each service, region by region.",
    key=(REGION, PROVIDER, ACCOUNT, Column("service", "Code of the service; `console`: any.")),
    counters=(
        Column("admitted", "Logins that went straight in.", "INTEGER"),
        Column("dialogs", "Logins that opened the authorization dialog.", "INTEGER"),
        Column("unknown", "Logins of which it is not known whether a dialog opened.", "INTEGER"),
        Column("refused", "Logins that failed.", "INTEGER"),
    ),
    select="""
        SELECT position, effective_at, region, provider, account, service,
               CASE outcome WHEN 'admitted' THEN 1 ELSE 0 END AS admitted,
               CASE outcome WHEN 'dialog' THEN 1 ELSE 0 END AS dialogs,
               CASE outcome WHEN 'unknown' THEN 1 ELSE 0 END AS unknown,
               CASE outcome WHEN 'refused' THEN 1 ELSE 0 END AS refused
        FROM events
        WHERE type = 'ConsoleLoginRequested'
    """,
)
