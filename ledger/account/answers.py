"""The values that an account's answers consist of: a thing as it stands, and a permission."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from ledger.account.truth.lines import GRANTED, NOT_KNOWN
from ledger.account.truth.spans import Span
from ledger.account.truth.timeline import ASKED, EXISTS, EXPIRED

_THERE: Final = (EXISTS, ASKED, EXPIRED, NOT_KNOWN)
"""The statuses of a thing that is, or may be, there; the surest first."""


class Thing(NamedTuple):
    """An agency or a policy, as it stands. `id` is its immutable id, if any fact told it.

    `name` is None if only its id is known.
    """

    key: str
    name: str | None
    id: str | None
    status: str
    since: datetime | None
    note: str | None

    @property
    def exists(self) -> bool:
        """Whether it is proven to exist. Until a deletion that was asked for is proven, it does."""
        return self.status in (EXISTS, ASKED)

    @property
    def may_exist(self) -> bool:
        """Whether it exists, or the facts do not say whether it does."""
        return self.exists or self.status == NOT_KNOWN

    @property
    def is_gone(self) -> bool:
        """Whether it was deleted, or has another name. One that has expired can be deleted yet."""
        return self.status not in _THERE


class PermissionKey(NamedTuple):
    """A permission: the agency may use a service, or act under a policy, in one region.

    An id is there where no name is known, or where the name leads to another policy. Without a
    region and a project, the place is not known.
    """

    agency: str | None
    region: str | None
    service: str | None
    policy: str | None
    agency_id: str | None = None
    project_id: str | None = None
    policy_id: str | None = None

    @property
    def place(self) -> str | None:
        """The region, or the project whose name is not known."""
        return self.region or self.project_id


class Held(NamedTuple):
    """A permission that is, or may be, granted.

    `thing` is the agency's id; empty if none is known.
    """

    thing: str
    place: str | None
    service: str | None
    policy: str | None
    status: str
    since: datetime | None
    position: int | None

    @property
    def is_of_policy(self) -> bool:
        """Whether it is proven to be granted, under a policy alone."""
        return self.service is None and self.status == GRANTED


def surety(span: Span) -> tuple[int, float]:
    """A key for sorting: what is there most surely comes first, then what was there last."""
    place = _THERE.index(span.status) if span.status in _THERE else len(_THERE)
    since = span.valid_from.timestamp() if place == len(_THERE) else 0.0
    return place, -since
