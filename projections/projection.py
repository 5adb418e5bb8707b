"""The declaration of a projection: a name, a key, and values or counters.

Most projections are one SELECT of changes. Those of existence and permission are *folded*: the last
recorded change is not always true, so the fold of `ledger/folding.py` makes their rows.

**One SELECT.** It reads the relation `events` and yields `position`, `effective_at`, the key
columns and the value columns (for counters: how much each grows). It is ANSI SQL over the typed
columns of the trail, without window functions, so that every engine runs the same text.

The runner keeps the history of each key as half-open intervals `[from_position, until_position)`:

    key …  from_position  until_position  effective_at  values …
    …                 12              40  2026-03-01…   granted     closed by position 40
    …                 25              25  2026-02-11…   revoked     arrived late: history only
    …                 40            NULL  2026-03-05…   revoked     the present

**Folded.** Each row says what held of a key, with two times: from when until when it was so, and
which positions made the ledger say so, know its end, and take it back:

    key …  valid_from   until_at    from_position  until_position  gone_position  values …
    …      2026-02-01…  2026-02-11…            12              25           NULL  granted
    …      2026-02-11…         NULL            25            NULL             40  revoked, retracted
    …      2026-02-10…         NULL            40            NULL           NULL  revoked
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, Final, Literal, NamedTuple

from ledger.folding import FOLD
from projections.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Column:
    """A documented column. `type` is TEXT or INTEGER; `is_time`: a TEXT in RFC 3339, in UTC.

    If `choices` is not empty, it has all values of the column: a question for another is refused.
    `optional`: it is NULL where it is not known.
    """

    name: str
    doc: str = field(repr=False)
    type: str = "TEXT"
    choices: tuple[str, ...] = field(default=(), repr=False)
    is_time: bool = field(default=False, repr=False)
    optional: bool = field(default=False, repr=False)

    @property
    def constraint(self) -> str:
        """The type and the constraint of the column in a CREATE TABLE."""
        return self.type if self.optional else f"{self.type} NOT NULL"


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


@dataclass(frozen=True, eq=False)
class FoldedProjection:
    """A view of what the facts of each account come to: its rows have two times.

    `subject` is the kind of span that it shows. The columns are among those that
    `projections.maintenance.spans` makes of a span, by their names.
    """

    name: str
    doc: str = field(repr=False)
    subject: Literal["agency", "policy", "permission", "trust", "boundary"]
    key: tuple[Column, ...]
    values: tuple[Column, ...]
    counters: ClassVar[tuple[Column, ...]] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the view: key, values, since when, by which event."""
        return (*self.key, *self.values, *FOLDED_COLUMNS)

    @cached_property
    def fingerprint(self) -> str:
        """A digest of the declaration, apart from its documentation, and of the fold's version."""
        return hashlib.sha256(repr((_FOLDED_LAYOUT, FOLD, self)).encode()).hexdigest()[:16]


FOLDED_COLUMNS = (
    Column(
        "since",
        "When it became so in the cloud; NULL if that is not known.",
        is_time=True,
        optional=True,
    ),
    Column(
        "position",
        "Position of the event that says so; NULL if no single event does.",
        "INTEGER",
        optional=True,
    ),
)

Stored = Projection | FoldedProjection
"""A projection: it has a table of its own."""


@dataclass(frozen=True, slots=True)
class DerivedView:
    """A view without a table: a SELECT over projections, also as of a past moment.

    `over` are the projections that it reads; `events` among them are the events up to that moment,
    and `NAME_history` is the history of a folded projection, as far as it was known. With each come
    the columns that the view keeps: a row of the answer follows only from rows with its value of
    such a column (a region also from `*`), and an empty text may be NULL there. `standing` are
    the columns that say how what a row is about stands, and `key` those that say what it is about:
    by default all others. A view without `standing` only details other views.
    """

    name: str
    doc: str
    columns: tuple[Column, ...]
    over: Mapping[str, tuple[str, ...]]
    select: Callable[[Dialect], str]
    standing: tuple[str, ...] = ()
    key: tuple[str, ...] = ()

    @property
    def is_of_events_alone(self) -> bool:
        """Whether it reads no projection: then it is the trail, which has no past moments."""
        return tuple(self.over) == (EVENTS,)

    @property
    def projections(self) -> tuple[str, ...]:
        """The names of the projections that it reads, or whose history it reads."""
        named = (name.removesuffix(HISTORY) for name in self.over if name != EVENTS)
        return tuple(dict.fromkeys(named))


OF_ACCOUNT: Final = ("provider", "account")
"""The columns that a view keeps which joins only rows of the same account."""


class Index(NamedTuple):
    """A further index of a projection's table. `where`: it has only these rows."""

    columns: tuple[str, ...]
    where: str | None = None


EVENTS: Final = "events"
HISTORY: Final = "_history"
_LAYOUT = 3
_FOLDED_LAYOUT = 2
"""They grow when the runner's tables get other columns or indexes, or other values from the
same spans."""

PROVIDER = Column("provider", "The cloud, e.g. huaweicloud or aws.")
ACCOUNT = Column("account", "The account's id at the provider.")
REGION = Column("region", "Region id; `*` stands for all regions.")
AGENCY = Column(
    "agency", "Name of the agency (at AWS: of the role); its id if the name was never told."
)
ACTOR = Column(
    "actor", "Surrogate id of the person who caused the latest change; empty if unknown."
)
ORIGIN = Column(
    "origin",
    "`commanded` through the ledger, or `observed` in the cloud's traces.",
    choices=("commanded", "observed"),
)
AGENCY_ID = Column("agency_id", "The immutable id of the agency; empty if none was told.")
NOTE = Column(
    "note",
    "A remark on the status, e.g. `creation not seen`, `end not seen`, `expired`, "
    "`order within the second not known`; mostly empty.",
)
DOCUMENT = Column(
    "document",
    "SHA-256 of the document that it has; empty if no trace told one, or if a change did not tell it.",
)
DOCUMENT_VERSION = Column(
    "document_version",
    "The version of the document, as the cloud calls it; empty if none was told.",
)
DOCUMENT_SINCE = Column(
    "document_since",
    "When the document changed last, also if the trace did not tell the new one; NULL if no trace "
    "told a document or a change.",
    is_time=True,
    optional=True,
)
DOCUMENT_POSITION = Column(
    "document_position",
    "Position of the event that brought the document; NULL if no single event did.",
    "INTEGER",
    optional=True,
)
CAUSED_BY = Column(
    "actor", "Surrogate id of the person who brought the status about; empty if unknown."
)
INFERRED: Final = "inferred"
"""The origin of a status that no single event says."""
SAID_BY = Column(
    "origin",
    "`commanded` through the ledger, `observed` in the cloud's traces, or `inferred`: no single "
    "event says it.",
    choices=("commanded", "observed", INFERRED),
)
"""`NOTE`, `CAUSED_BY` and `SAID_BY` are of folded projections."""
USED_SERVICE = Column(
    "service", "Code of the service that the agency may use; empty if by policy only."
)
"""In all other views, `service` is the service that asks for authorization."""
