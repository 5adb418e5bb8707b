"""The agencies that exist, the trustee of each, and its boundary."""

from dataclasses import replace

from projections.projection import (
    ACCOUNT,
    AGENCY,
    AGENCY_ID,
    CAUSED_BY,
    DOCUMENT,
    DOCUMENT_POSITION,
    DOCUMENT_SINCE,
    NOTE,
    PROVIDER,
    SAID_BY,
    Column,
    FoldedProjection,
)

AGENCIES = FoldedProjection(
    name="agencies",
    doc="The agencies of every account (at AWS: roles): whether each exists, since when, by whom. "
    "One that was created again under its name is another agency, with a row of its own.",
    subject="agency",
    key=(PROVIDER, ACCOUNT, AGENCY, AGENCY_ID),
    values=(
        Column(
            "status",
            "`exists`, `deletion asked for`, `deleted`, `expired` or `not known`.",
            choices=(
                "exists",
                "deletion asked for",
                "deleted",
                "expired",
                "not known",
            ),
        ),
        CAUSED_BY,
        SAID_BY,
        NOTE,
        Column(
            "expires_at",
            "When the agency ends by itself; the last instant of the year 9999: never. NULL if "
            "that is not known.",
            is_time=True,
            optional=True,
        ),
    ),
)

TRUSTEES = FoldedProjection(
    name="trustees",
    doc="The trustee of each agency: the service, account or identity provider that may act as it, "
    "and whether it still may.",
    subject="trust",
    key=(PROVIDER, ACCOUNT, AGENCY, AGENCY_ID),
    values=(
        Column(
            "trustee",
            "The trustee, e.g. `service:asm`; empty if unknown, or if nobody is trusted any more. "
            "An account has its id, as soon as any trace tells it beside the name.",
        ),
        Column(
            "status",
            "`trusted`, `ended` (with the agency) or `not known`.",
            choices=("trusted", "ended", "not known"),
        ),
        CAUSED_BY,
        SAID_BY,
        NOTE,
        replace(
            DOCUMENT,
            doc="SHA-256 of the trust policy, which has the conditions; empty if the trace did not tell "
            "it, or if there is none.",
        ),
        DOCUMENT_SINCE,
        DOCUMENT_POSITION,
    ),
)

BOUNDARIES = FoldedProjection(
    name="boundaries",
    doc="The permissions boundary of each agency that ever had one: the policy that limits what the "
    "agency may do, and whether it still does.",
    subject="boundary",
    key=(PROVIDER, ACCOUNT, AGENCY, AGENCY_ID),
    values=(
        Column(
            "boundary",
            "The policy, by its name (at AWS: its ARN) or its id; empty if it is not known, or if "
            "nothing limits the agency any more.",
        ),
        Column(
            "status",
            "`set`, `removed`, `ended` (with the agency) or `not known`.",
            choices=("set", "removed", "ended", "not known"),
        ),
        CAUSED_BY,
        SAID_BY,
        NOTE,
    ),
)
