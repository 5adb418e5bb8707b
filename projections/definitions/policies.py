"""The policies that exist, and the attempts to delete an agency or a policy."""

from projections.projection import (
    ACCOUNT,
    CAUSED_BY,
    NOTE,
    PROVIDER,
    SAID_BY,
    Column,
    FoldedProjection,
    Projection,
)

POLICIES = FoldedProjection(
    name="policies",
    doc="The policies of every account: whether each exists, since when, by whom. One that was "
    "created again under its name is another policy, with a row of its own.",
    subject="policy",
    key=(
        PROVIDER,
        ACCOUNT,
        Column(
            "policy",
            "Name of the policy (at AWS: its ARN); its id if the name was never told.",
        ),
        Column("policy_id", "The immutable id of the policy; empty if none was told."),
    ),
    values=(
        Column(
            "status",
            "`exists`, `deleted` or `not known`.",
            choices=("exists", "deleted", "not known"),
        ),
        CAUSED_BY,
        SAID_BY,
        NOTE,
    ),
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
