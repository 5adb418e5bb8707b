"""The state of each service's authorization in each region, as events of it say."""

from projections.projection import ACCOUNT, ACTOR, ORIGIN, PROVIDER, REGION, Column, Projection

RECORDED_AUTHORIZATIONS = Projection(
    name="recorded_authorizations",
    doc="Consent, as events of it say: the state of each service's authorization in each region.",
    key=(REGION, PROVIDER, ACCOUNT, Column("service", "Code of the service that asked.")),
    values=(
        Column(
            "status",
            "`requested`, `granted`, `declined` or `revoked`.",
            choices=("requested", "granted", "declined", "revoked"),
        ),
        ACTOR,
        ORIGIN,
    ),
    select="""
        SELECT position, effective_at, region, provider, account, service,
               CASE type WHEN 'AuthorizationRequested' THEN 'requested'
                         WHEN 'AuthorizationGranted' THEN 'granted'
                         WHEN 'AuthorizationDeclined' THEN 'declined'
                         ELSE 'revoked' END AS status,
               COALESCE(actor, '') AS actor, origin
        FROM events
        WHERE type IN ('AuthorizationRequested', 'AuthorizationGranted', 'AuthorizationDeclined',
                       'AuthorizationRevoked')
    """,
)
