"""The declaration of a projection: a name, a key, values or counters, and one SELECT of changes.

The SELECT reads the relation `events` and yields `position`, `effective_at`, the key columns and
the value columns (for counters: how much each grows). It is ANSI SQL over the events' derived
columns, without window functions, so that every engine runs the same text.

The runner keeps the history of each key as half-open intervals `[from_position, until_position)`:

    key …  from_position  until_position  effective_at  values …
    …                 12              40  2026-03-01…   granted     closed by position 40
    …                 25              25  2026-02-11…   revoked     arrived late: history only
    …                 40            NULL  2026-03-05…   revoked     the present
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from projections.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Column:
    """A documented column. `type` is TEXT or INTEGER; `is_time`: a TEXT in RFC 3339, in UTC.

    If `choices` is not empty, it has all values of the column: a question for another is refused.
    """

    name: str
    doc: str = field(repr=False)
    type: str = "TEXT"
    choices: tuple[str, ...] = field(default=(), repr=False)
    is_time: bool = field(default=False, repr=False)


@dataclass(frozen=True, eq=False)
class Projection:
    """A view with its history: the last change of a key wins, or counters are summed.

    The first key column is the one by which people ask most. Key columns are never NULL: the
    SELECT yields an empty text if a column does not apply.
    """

    name: str
    doc: str = field(repr=False)
    key: tuple[Column, ...]
    select: str
    values: tuple[Column, ...] = ()
    counters: tuple[Column, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.values) == bool(self.counters):
            raise TypeError(f"the projection {self.name} has either values or counters")

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the view: key, values or counters, since when, by which event."""
        return (*self.key, *self.values, *self.counters, *INTERVAL_COLUMNS)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the declaration, apart from its documentation.

        If it differs from the one stored for the table, the table must be rebuilt.
        """
        return hashlib.sha256(repr((_LAYOUT, self)).encode()).hexdigest()[:16]


INTERVAL_COLUMNS = (
    Column(
        "since", "Effective time of the latest change: when it happened in the cloud.", is_time=True
    ),
    Column("position", "Position of the event that made the latest change.", "INTEGER"),
)


@dataclass(frozen=True, slots=True)
class DerivedView:
    """A view without a table: a SELECT over projections, also as of a past moment."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    over: tuple[str, ...]
    select: Callable[[Dialect], str]


_LAYOUT = 2
"""Grows when the runner's tables get other columns."""

PROVIDER = Column("provider", "The cloud, e.g. huaweicloud or aws.")
ACCOUNT = Column("account", "The account's id at the provider.")
REGION = Column("region", "Region id; `*` stands for all regions.")
AGENCY = Column("agency", "Name of the agency (at AWS: of the role).")
ACTOR = Column(
    "actor", "Surrogate id of the person who caused the latest change; empty if unknown."
)
ORIGIN = Column(
    "origin",
    "`commanded` through the ledger, or `observed` in the cloud's traces.",
    choices=("commanded", "observed"),
)
USED_SERVICE = Column(
    "service", "Code of the service that the agency may use; empty if by policy only."
)
"""In all other views, `service` is the service that asks for authorization."""
