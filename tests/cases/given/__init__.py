"""Expectations for the histories in ../shared/data/cases. Only their files are read."""

from typing import Final

from tests.cases.case import Case
from tests.cases.given import (
    consents,
    contents,
    identities,
    lives,
    permissions,
    shapes,
    uses,
    vendor_ids,
    vendor_lives,
)

GIVEN: Final[tuple[Case, ...]] = tuple(
    sorted(
        (
            *consents.CASES,
            *contents.CASES,
            *identities.CASES,
            *lives.CASES,
            *permissions.CASES,
            *shapes.CASES,
            *uses.CASES,
            *vendor_ids.CASES,
            *vendor_lives.CASES,
        ),
        key=lambda case: case.name,
    )
)
