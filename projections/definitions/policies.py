"""The policies that exist, and the attempts to delete an agency or a policy."""

from projections.projection import (
    ACCOUNT,
    ACTOR,
    ORIGIN,
    PROVIDER,
    Column,
    Projection,
)

POLICIES = Projection(
    name="policies",
    doc="The policies of every account: existing or deleted, since when, by whom.",
    key=(PROVIDER, ACCOUNT, Column("policy", "Name of the policy (at AWS: its ARN).")),
    values=(
        Column("status", "`exists` or `deleted`.", choices=("exists", "deleted")),
        ACTOR,
        ORIGIN,
    ),
    select="""
        SELECT position, effective_at, provider, account, policy,
               CASE type WHEN 'PolicyCreated' THEN 'exists' ELSE 'deleted' END AS status,
               COALESCE(actor, '') AS actor, origin
        FROM events
        WHERE type IN ('PolicyCreated', 'PolicyDeleted')
    """,
)

ATTEMPTS = Projection(
    name="attempts",
    doc="How often somebody tried to delete an agency or a policy, and with what outcome.",
    key=(
        PROVIDER,
        ACCOUNT,
        Column("agency", "The agency that was to be deleted; empty if a policy was."),
        Column("policy", "The policy that was to be deleted; empty if an agency was."),
    ),
    counters=(
        Column("refused", "Attempts that were refused.", "INTEGER"),
        Column("carried_out", "Attempts that were carried out.", "INTEGER"),
    ),
    select="""
        SELECT position, effective_at, provider, account,
               COALESCE(agency, '') AS agency, COALESCE(policy, '') AS policy,
               CASE outcome WHEN 'refused' THEN 1 ELSE 0 END AS refused,
               CASE outcome WHEN 'refused' THEN 0 ELSE 1 END AS carried_out
        FROM events
        WHERE type IN ('AgencyDeletionAttempted', 'PolicyDeletionAttempted')
    """,
)
