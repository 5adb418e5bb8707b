"""The agencies that exist, and the trustee of each."""

from projections.projection import (
    ACCOUNT,
    ACTOR,
    AGENCY,
    ORIGIN,
    PROVIDER,
    Column,
    Projection,
)

AGENCIES = Projection(
    name="agencies",
    doc="The agencies of every account (at AWS: roles): existing or deleted, since when, by whom.",
    key=(PROVIDER, ACCOUNT, AGENCY),
    values=(
        Column("status", "`exists` or `deleted`.", choices=("exists", "deleted")),
        Column("agency_id", "The immutable id; empty if the latest event does not have it."),
        ACTOR,
        ORIGIN,
    ),
    select="""
        SELECT position, effective_at, provider, account, agency,
               CASE type WHEN 'AgencyCreated' THEN 'exists' ELSE 'deleted' END AS status,
               COALESCE(agency_id, '') AS agency_id, COALESCE(actor, '') AS actor, origin
        FROM events
        WHERE type IN ('AgencyCreated', 'AgencyDeleted')
    """,
)

TRUSTEES = Projection(
    name="trustees",
    doc="The trustee of each agency: the service, account or identity provider that may act as it.",
    key=(PROVIDER, ACCOUNT, AGENCY),
    values=(
        Column("trustee", "The trustee, e.g. `service:asm`; empty if unknown."),
        ACTOR,
        ORIGIN,
    ),
    select="""
        SELECT position, effective_at, provider, account, agency,
               COALESCE(trustee, '') AS trustee, COALESCE(actor, '') AS actor, origin
        FROM events
        WHERE type IN ('AgencyCreated', 'AgencyTrustChanged')
    """,
)
