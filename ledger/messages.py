"""Command, DomainEvent, Recorded (the envelope), and the closed catalogue topic → class.

A stored topic never chooses an import: it is looked up among the classes that this program
was built with, and an unknown one is an error that names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from ledger.documents import Document
from ledger.errors import UnknownTopic
from ledger.values import AccountId, Provider

StreamKind = Literal["account", "console", "usage", "other", "subject", "document", "log", "clock"]
Origin = Literal["commanded", "observed"]
Established = Literal[
    "claimed", "os-user", "database-user", "ssh-key", "session", "trace", "ledger"
]
"""How the actor is known: a flag said so, the operating system, the database's login, a signature
by an SSH key, a signed-in session, the cloud's trace, or no person: the ledger (a consequence).
The words `database-user`, `ssh-key` and `session` are reserved: this version writes none of them.
"""


class Command(BaseModel):
    """A request, imperative; may be refused. Fields are validated words, never raw text."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    COUNTS_AGENCIES: ClassVar[bool] = False
    """Whether its decision asks how many agencies the account has."""

    provider: Provider = "huaweicloud"
    account: AccountId


class DomainEvent(BaseModel):
    """A fact, past tense; never changed once appended.

    `TOPIC` is its stored name, `<Type>.v<n>`, spelled out so that moving or renaming a class
    cannot orphan history. `STREAM` says in which of an account's streams it lives.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    TOPIC: ClassVar[str] = ""
    STREAM: ClassVar[StreamKind] = "account"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.TOPIC:
            return  # An abstract step between, without a stored name.
        taken = _BY_TOPIC.setdefault(cls.TOPIC, cls)
        if taken.__qualname__ != cls.__qualname__:
            raise TypeError(f"topic {cls.TOPIC} belongs to {taken.__qualname__} already")

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        shadowed = ENVELOPE_FIELDS & set(cls.model_fields)
        if shadowed:
            raise TypeError(f"{cls.__qualname__} shadows the envelope's {sorted(shadowed)}")


_BY_TOPIC: dict[str, type[DomainEvent]] = {}


def event_class(topic: str) -> type[DomainEvent]:
    """The class of a stored topic. Raises UnknownTopic, which names it; never imports."""
    try:
        return _BY_TOPIC[topic]
    except KeyError:
        raise UnknownTopic(
            f"the topic {topic!r} is not one of this program's events.",
            remedy="Either a newer version wrote the ledger, or the entry was altered.",
        ) from None


def topics() -> Mapping[str, type[DomainEvent]]:
    """All topics that can be read, by name."""
    return dict(sorted(_BY_TOPIC.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where an observed fact was read: the trace's id, the file, whether its digest was checked.

    A file's name may be personal. In an observation `file` is the name; in an entry it is a
    surrogate id, or the name if an older version appended the entry.
    """

    trace_id: str
    file: str | None = None
    verified: bool = False


TRACE_PREFIX = "trace:"
"""The prefix of the command ids of observations, and of no others: an id that a caller chose for a
command must never make a trace look known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One trace of the cloud, translated: its facts, when they happened, who did it, from where.

    `actor`, `address` and the file's name may be personal; the ledger puts surrogate ids in their
    place.
    """

    provider: str
    account: str
    events: tuple[DomainEvent, ...]
    effective_at: datetime
    source: Provenance
    actor: str | None = None
    address: str | None = None
    correlation_id: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    """Personal names for fields of the events that hold surrogate ids, by the field's name."""
    documents: tuple[Document, ...] = ()
    """The documents whose digests the events have."""
    sums_up: bool = False
    """Whether it sums up traces of one file. Then it is not counted as a trace."""
    former_trace_id: str | None = None
    """The trace id that an older version gave to these facts, or to more that have them among them.
    With it in the ledger, they are known.
    """

    @property
    def command_id(self) -> str:
        """A trace is one fact, however often it is delivered and to whichever file."""
        return self._command_id(self.source.trace_id)

    @property
    def former_command_id(self) -> str | None:
        """The command id that belongs to `former_trace_id`."""
        return self.former_trace_id and self._command_id(self.former_trace_id)

    def _command_id(self, trace_id: str) -> str:
        return f"{TRACE_PREFIX}{self.provider}/{self.account}/{trace_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The envelope: an event with who, when, from where, in which stream and version.

    `position` is None until it is appended; from then on all of it is immutable. `run_by` is the
    surrogate id of the operating system's user and host that ran the process; `database_user` the
    session user of its database. Entries of older versions have neither.
    """

    stream: str
    version: int
    event: DomainEvent
    recorded_at: datetime
    effective_at: datetime
    origin: Origin
    actor: str | None = None
    actor_established: Established = "ledger"
    command_id: str | None = None
    correlation_id: str | None = None
    reason: str | None = None
    catalogue: str | None = None
    source: Provenance | None = None
    provider: str | None = None
    account: str | None = None
    run_by: str | None = None
    database_user: str | None = None
    position: int | None = None

    # The two names by which the eventsourcing library knows an event.
    @property
    def originator_id(self) -> str:
        return self.stream

    @property
    def originator_version(self) -> int:
        return self.version

    @property
    def type(self) -> str:
        return type(self.event).__name__


ENVELOPE_FIELDS = frozenset(
    {
        "format",
        "stream",
        "version",
        "topic",
        "provider",
        "account",
        "recorded_at",
        "effective_at",
        "origin",
        "actor",
        "actor_established",
        "run_by",
        "database_user",
        "command_id",
        "correlation_id",
        "reason",
        "catalogue",
        "source_trace_id",
        "source_file",
        "source_verified",
        "position",
    }
)
"""The entry's keys that a payload must not use."""
