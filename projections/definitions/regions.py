"""The permissions of each agency, region by region: services that it may use, and policies."""

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
    USED_SERVICE,
    Column,
    FoldedProjection,
)

REGIONS = FoldedProjection(
    name="regions",
    doc="The permissions of every agency, region by region: granted or revoked, since when, by whom.",
    subject="permission",
    key=(
        Column(
            "region",
            "Region id; `*` stands for all regions; the project's id if its name was never told.",
        ),
        PROVIDER,
        ACCOUNT,
        AGENCY,
        AGENCY_ID,
        USED_SERVICE,
        Column(
            "policy",
            "The policy that carries the permission, by its name, or by its id if that was never "
            "told; empty if none is known.",
        ),
        Column("policy_id", "The immutable id of the policy; empty if none was told."),
    ),
    values=(
        Column(
            "status",
            "`granted`, `revoked` or `not known`.",
            choices=("granted", "revoked", "not known"),
        ),
        CAUSED_BY,
        SAID_BY,
        NOTE,
        replace(
            DOCUMENT,
            doc="SHA-256 of the document of an inline policy; empty for any other policy, and if no "
            "trace told it. The view `policies` has the documents of policies with a name of their own.",
        ),
        DOCUMENT_SINCE,
        DOCUMENT_POSITION,
    ),
)
