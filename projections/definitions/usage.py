"""How often permissions were used, and how often uses were refused."""

from projections.projection import (
    ACCOUNT,
    AGENCY,
    PROVIDER,
    REGION,
    Column,
    Projection,
)

USAGE = Projection(
    name="usage",
    doc="Credentials issued and features used through each agency, and how many were refused.",
    key=(REGION, PROVIDER, ACCOUNT, AGENCY),
    counters=(
        Column("credentials_issued", "Temporary credentials issued.", "INTEGER"),
        Column("credentials_refused", "Temporary credentials refused.", "INTEGER"),
        Column("features_used", "Features used.", "INTEGER"),
        Column("features_refused", "Features refused.", "INTEGER"),
    ),
    select="""
        SELECT position, effective_at, region, provider, account,
               COALESCE(agency, agency_id, '') AS agency,
               CASE type WHEN 'TemporaryCredentialIssued' THEN 1 ELSE 0 END AS credentials_issued,
               CASE type WHEN 'CredentialRefused' THEN 1 ELSE 0 END AS credentials_refused,
               CASE type WHEN 'FeatureUsed' THEN 1 ELSE 0 END AS features_used,
               CASE type WHEN 'FeatureRefused' THEN 1 ELSE 0 END AS features_refused
        FROM events
        WHERE type IN ('TemporaryCredentialIssued', 'CredentialRefused', 'FeatureUsed',
                       'FeatureRefused')
    """,
)

LOGINS = Projection(
    name="logins",
    doc="Logins to the console of each service, region by region.",
    key=(REGION, PROVIDER, ACCOUNT, Column("service", "Code of the service; `console`: any.")),
    counters=(
        Column("admitted", "Logins that went straight in.", "INTEGER"),
        Column("dialogs", "Logins that opened the authorization dialog.", "INTEGER"),
        Column("refused", "Logins that failed.", "INTEGER"),
    ),
    select="""
        SELECT position, effective_at, region, provider, account, service,
               CASE outcome WHEN 'admitted' THEN 1 ELSE 0 END AS admitted,
               CASE outcome WHEN 'dialog' THEN 1 ELSE 0 END AS dialogs,
               CASE outcome WHEN 'refused' THEN 1 ELSE 0 END AS refused
        FROM events
        WHERE type = 'ConsoleLoginRequested'
    """,
)
