"""Histories of our own, of the kinds that the given ones stand for."""

from typing import Final

from tests.cases.case import Case
from tests.cases.own import (
    aws_consents,
    aws_deliveries,
    aws_identities,
    aws_lives,
    aws_permissions,
    aws_seconds,
    aws_uses,
    contents,
    cts_consents,
    cts_ends,
    cts_ids,
    cts_lives,
    cts_names,
    cts_places,
    cts_uses,
)

OWN: Final[tuple[Case, ...]] = tuple(
    sorted(
        (
            *aws_consents.CASES,
            *aws_deliveries.CASES,
            *aws_identities.CASES,
            *aws_seconds.CASES,
            *contents.CASES,
            *aws_uses.CASES,
            *cts_consents.CASES,
            *cts_ends.CASES,
            *cts_places.CASES,
            *cts_uses.CASES,
            *aws_lives.CASES,
            *aws_permissions.CASES,
            *cts_ids.CASES,
            *cts_lives.CASES,
            *cts_names.CASES,
        ),
        key=lambda case: case.name,
    )
)
