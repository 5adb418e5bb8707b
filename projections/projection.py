"""What a projection is: a name, a key, values or counters, and one SELECT that yields changes.

The SELECT reads the relation `events` and yields `position`, `effective_at`, the key columns and
the value columns (or, for counters, by how much each grows). It is ANSI SQL over the events'
derived columns, without window functions, so that every engine runs the same text.

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
    """A documented column. `type` is TEXT or INTEGER; `choices` are all its values, if it is
    closed: a question for any other value is refused. `is_time`: a TEXT in RFC 3339, in UTC.
    """

    name: str
    doc: str
    type: str = "TEXT"
    choices: tuple[str, ...] = field(default=(), repr=False)
    is_time: bool = field(default=False, repr=False)


@dataclass(frozen=True, eq=False)
class Projection:
    """A view whose history is kept: the last change of a key wins, or counters are summed.

    The dimension that people ask by stands first in the key. Key columns are never NULL: the
    SELECT puts an empty text in the place of what does not apply.
    """

    name: str
    doc: str
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
        """A digest of the declaration: when it differs, what is kept must be rebuilt."""
        return hashlib.sha256(repr((_LAYOUT, self)).encode()).hexdigest()[:16]


INTERVAL_COLUMNS = (
    Column(
        "since", "Effective time of the latest change: when it happened in the cloud.", is_time=True
    ),
    Column("position", "Position of the event that made the latest change.", "INTEGER"),
)


@dataclass(frozen=True, slots=True)
class DerivedView:
    """A view that keeps nothing: a SELECT over projections, for any as-of question as well."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    over: tuple[str, ...]
    select: Callable[[Dialect], str]


_LAYOUT = 2
"""Grows when the runner lays out its tables in another way."""

PROVIDER = Column("provider", "The cloud, e.g. huaweicloud or aws.")
ACCOUNT = Column("account", "The account's id at the provider.")
REGION = Column("region", "Region id; `*` stands for all regions.")
AGENCY = Column("agency", "Name of the agency (at AWS: of the role).")
ACTOR = Column("actor", "Surrogate id of who caused the latest change; empty if nobody is known.")
ORIGIN = Column(
    "origin",
    "`commanded` through the ledger, or `observed` in the cloud's traces.",
    choices=("commanded", "observed"),
)
USED_SERVICE = Column(
    "service", "Code of the service that the agency may use; empty if by policy only."
)
"""In all other views, `service` is the service that asks for authorization."""
