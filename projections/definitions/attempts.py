"""The attempts to delete an agency or a policy, counted under the names of today's knowledge."""

from projections.definitions.known_names import names_by_id
from projections.dialect import Dialect
from projections.projection import (
    ACCOUNT,
    INTERVAL_COLUMNS,
    OF_ACCOUNT,
    PROVIDER,
    Column,
    DerivedView,
)


def _select(dialect: Dialect) -> str:
    """A trace of a refusal often has an id alone. The folded views know whose it is.

    An agency or a policy that was deleted counts as an attempt that was carried out, in whichever
    way the ledger learned it: by the command, by a trace, or by both.
    """
    policy_id = dialect.member.format("e.entry", "policy_id")
    return f"""
        WITH attempted AS (
            SELECT e.position, e.effective_at, e.provider, e.account,
                   COALESCE(e.agency, a.name, e.agency_id, '') AS agency,
                   COALESCE(e.policy, p.name, {policy_id}, '') AS policy,
                   CASE e.outcome WHEN 'refused' THEN 1 ELSE 0 END AS refused,
                   CASE e.outcome WHEN 'refused' THEN 0 ELSE 1 END AS carried_out, 0 AS deleted
            FROM events e
            LEFT JOIN ({names_by_id("agencies", "agency")}) a
                ON a.provider = e.provider AND a.account = e.account AND a.id = e.agency_id
            LEFT JOIN ({names_by_id("policies", "policy")}) p
                ON p.provider = e.provider AND p.account = e.account AND p.id = {policy_id}
            WHERE e.type IN ('AgencyDeletionAttempted', 'PolicyDeletionAttempted')
            UNION ALL
            SELECT position, since, provider, account, agency, '', 0, 0, 1
            FROM agencies WHERE status = 'deleted' AND origin <> 'inferred'
            UNION ALL
            SELECT position, since, provider, account, '', policy, 0, 0, 1
            FROM policies WHERE status = 'deleted' AND origin <> 'inferred'
        )
        SELECT provider, account, agency, policy, SUM(refused) AS refused,
               CASE WHEN SUM(carried_out) > SUM(deleted) THEN SUM(carried_out)
                    ELSE SUM(deleted) END AS carried_out,
               MAX(effective_at) AS since, MAX(position) AS position
        FROM attempted
        GROUP BY provider, account, agency, policy
    """


ATTEMPTS = DerivedView(
    name="attempts",
    doc="How often somebody tried to delete an agency or a policy, and with what outcome.",
    columns=(
        PROVIDER,
        ACCOUNT,
        Column(
            "agency",
            "The agency that was to be deleted, by its name, or by its id if that is not known; "
            "empty if a policy was.",
        ),
        Column(
            "policy",
            "The policy that was to be deleted, by its name, or by its id if that is not known; "
            "empty if an agency was.",
        ),
        Column("refused", "Attempts that were refused.", "INTEGER"),
        Column(
            "carried_out",
            "Attempts that were carried out, and deletions that a trace shows.",
            "INTEGER",
        ),
        *INTERVAL_COLUMNS,
    ),
    over={"events": OF_ACCOUNT, "agencies": OF_ACCOUNT, "policies": OF_ACCOUNT},
    select=_select,
    standing=("refused", "carried_out"),
)
