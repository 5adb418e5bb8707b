"""The permissions of each agency, region by region: services that it may use, and policies."""

from projections.projection import (
    ACCOUNT,
    ACTOR,
    AGENCY,
    ORIGIN,
    PROVIDER,
    REGION,
    USED_SERVICE,
    Column,
    Projection,
)

REGIONS = Projection(
    name="regions",
    doc="The permissions of every agency, region by region: granted or revoked, since when, by whom.",
    key=(
        REGION,
        PROVIDER,
        ACCOUNT,
        AGENCY,
        USED_SERVICE,
        Column("policy", "The policy that carries the permission; empty if none is known."),
    ),
    values=(
        Column("status", "`granted` or `revoked`.", choices=("granted", "revoked")),
        ACTOR,
        ORIGIN,
    ),
    select="""
        SELECT position, effective_at, region, provider, account, agency,
               COALESCE(service, '') AS service, COALESCE(policy, '') AS policy,
               CASE type WHEN 'PermissionGranted' THEN 'granted' ELSE 'revoked' END AS status,
               COALESCE(actor, '') AS actor, origin
        FROM events
        WHERE type IN ('PermissionGranted', 'PermissionRevoked')
    """,
)
