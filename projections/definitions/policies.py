"""The policies that exist."""

from projections.projection import (
    ACCOUNT,
    CAUSED_BY,
    DOCUMENT,
    DOCUMENT_POSITION,
    DOCUMENT_SINCE,
    DOCUMENT_VERSION,
    NOTE,
    PROVIDER,
    SAID_BY,
    Column,
    FoldedProjection,
)

POLICIES = FoldedProjection(
    name="policies",
    doc="The policies of every account: whether each exists, since when, by whom, "
    "and which document is in force. One that was created again under "
    "its name is another policy, with a row of its own.",
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
        DOCUMENT,
        DOCUMENT_VERSION,
        DOCUMENT_SINCE,
        DOCUMENT_POSITION,
    ),
)
