"""The declaration of a source of traces: all that the reader and the `import` command need.

Each cloud's folder beside this file exports one `SOURCE`. docs/howto/add-a-source.md walks it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from pydantic import TypeAdapter

from ledger.account.permissions import PermissionsChanged
from ledger.account.unmodelled import NotModelled
from ledger.documents import Document, document_of
from ledger.messages import DomainEvent, Observation, Provenance
from ledger.sources.fields import Record
from ledger.sources.wrapping import Wrapping
from ledger.values import AccountId, Provider

_provider: Final[TypeAdapter[str]] = TypeAdapter(Provider)
_account: Final[TypeAdapter[str]] = TypeAdapter(AccountId)


class TraceKind(NamedTuple):
    """The call that a trace records: `service:Call`, e.g. `iam:CreateRole`. Reports count by it.

    `read_only`: the trace itself says that the call changed nothing. `is_other`: the record is of
    something else, such as a digest file. `unplaced`: it is a grant or a deletion, and the trace
    does not say of what.
    """

    name: str
    read_only: bool = False
    is_other: bool = False
    unplaced: bool = False

    def because(self, reason: str) -> TraceKind:
        """The kind under which a trace without a fact is counted, with the reason."""
        return TraceKind(f"{self.name} ({reason})")


@dataclass(slots=True, kw_only=True)
class Trace:
    """One trace, parsed as far as every fact needs it. A source adds its own fields.

    `account` is the account whose facts these are; None if the trace names none. `trace_id` is the
    same however often the cloud delivers the trace. `actor`, `address` and `names` (by the field of
    the facts that they are for) are personal names; the ledger replaces them by surrogate ids. A
    translator may correct any of them, and keeps documents by `keep`.
    """

    account: str | None
    at: datetime
    trace_id: str
    actor: str | None = None
    address: str | None = None
    correlation_id: str | None = None
    reason: str | None = None
    """Why the call's own translator found no fact; None if it has none, or was not asked yet."""
    names: dict[str, str] = field(default_factory=dict)
    documents: list[Document] = field(default_factory=list)

    def keep(self, given: object) -> Document | None:
        """The document in a field of the trace, kept beside its facts; None if it has none."""
        document = document_of(given)
        if document is not None:
            self.documents.append(document)
        return document


Outcome = Literal["succeeded", "refused", "failed"]


class Behind(NamedTuple):
    """The session behind a call of an agency, as far as its trace tells: personal names, by the
    fields of the facts that they are for.
    """

    session_name: str | None = None
    source_identity: str | None = None
    switched_by: str | None = None


class Use(NamedTuple):
    """A call that an agency made, as a trace of any service tells it.

    `account` is the agency's. `refused`: it may not do it; `failed`: for any other reason. Of the
    agency's name and id at least one is told.
    """

    account: str
    agency: str | None
    agency_id: str | None
    region: str | None
    service: str
    action: str
    outcome: Outcome
    at: datetime
    trace_id: str | None
    behind: Behind = Behind()


TraceType = TypeVar("TraceType", bound=Trace)
Translation = DomainEvent | tuple[DomainEvent, ...] | str
"""The facts in a trace; or, in a few words, the reason why it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source(Generic[TraceType]):
    """One cloud's kind of trace. All functions are pure."""

    name: str
    """The subcommand of `authledger import`, e.g. `cloudtrail`."""
    title: str
    """The name of the traces for people, as it follows "traces of": `AWS CloudTrail`."""
    provider: str
    """The cloud's code in the ledger, unless the user names another edition of it."""
    kind_of: Callable[[Record], TraceKind]
    """Returns the call that a record is of. Raises Unreadable for a record of another source."""
    parse: Callable[[Record], TraceType | str]
    """Returns the trace in a record whose kind has a translator; or the reason why it has no fact.

    Raises ValueError, such as Unreadable, for a record that cannot be a fact.
    """
    translators: Mapping[str, Callable[[TraceType], Translation]]
    """The calls that can become facts, by the name of their kind."""
    changes_rights: Callable[[TraceKind, Record], bool] = lambda _kind, _record: False
    """Whether a call may change who may do what. If so, and if no translator finds a fact in it,
    it is kept by `unmodelled`. Asked before the trace is parsed: a trail has few such calls."""
    unmodelled: Callable[[TraceType], Translation] | None = None
    """Returns the fact that keeps such a call, NotModelled; or the reason why it has none."""
    use_of: Callable[[Record], Use | None] = lambda _record: None
    """Returns the call that an agency made, if the actor of a record is one, whatever else the
    record is. Asked of every record. Raises ValueError for a time that is not valid.
    """
    ignores_case: bool = False
    """Whether the cloud spells its calls in different cases; the names above are in lower case."""
    envelopes: tuple[str, ...] = ()
    """The keys under which a file may hold its records, such as `Records`."""
    preambles: tuple[str, ...] = ()
    """Keys that may come before an envelope's, in the same object."""
    wrappings: tuple[Wrapping, ...] = ()
    """The ways in which other services wrap a record."""
    signs: frozenset[str] = frozenset()
    """The keys of which a record of this source has at least one, even if it is damaged. An object
    without any of them, in a file of a folder, belongs to another service.
    """
    begins: frozenset[str] = frozenset()
    """Other keys with which a record may begin; by these one is found behind a damaged one."""
    of_rights: frozenset[str] = frozenset()
    """The kinds that give or end rights: grants, revocations, deletions. Their names are in lower
    case. One that cannot be placed is reported first.
    """
    account: str | None = None
    """The account of traces that name none, as the user says."""

    def edition(self, provider: str) -> Source[TraceType]:
        """The same traces of another provider, such as a partner's edition of the cloud.

        Raises pydantic's ValidationError for a code that is not valid.
        """
        return dataclasses.replace(self, provider=_provider.validate_python(provider))

    def of_account(self, account: str) -> Source[TraceType]:
        """The same traces, where those that name no account are this one's.

        Raises pydantic's ValidationError for an account that is not valid.
        """
        return dataclasses.replace(self, account=_account.validate_python(account))

    def understands(self, kind: TraceKind, record: Record) -> bool:
        """Whether a trace of this kind can become a fact."""
        return self._key(kind) in self.translators or self._keeps(kind, record)

    def is_unplaced(self, kind: TraceKind, facts: tuple[DomainEvent, ...]) -> bool:
        """Whether facts say of a grant or a deletion only that something changed."""
        if kind.name.lower() not in self.of_rights:
            return False
        return all(isinstance(fact, PermissionsChanged | NotModelled) for fact in facts)

    def translate(self, record: Record, file: str) -> Observation | TraceKind:
        """The facts in a record; or the kind under which it is counted, because it has none.

        Raises ValueError, such as Unreadable, for a record that cannot be a fact.
        """
        kind = self.kind_of(record)
        translators = tuple(self._translators(kind, record))
        if not translators:
            return kind
        trace = self.parse(record)
        if isinstance(trace, str):
            return kind.because(trace)
        for translate in translators:
            facts = translate(trace)
            if not isinstance(facts, str):
                return self._observation(kind, trace, facts, file)
            trace.reason = trace.reason or facts
        return self._counted(kind, trace.reason or "no fact")

    def _translators(
        self, kind: TraceKind, record: Record
    ) -> Iterator[Callable[[TraceType], Translation]]:
        """Those that may find a fact in the trace, the most exact first."""
        if modelled := self.translators.get(self._key(kind)):
            yield modelled
        if self.unmodelled is not None and self._keeps(kind, record):
            yield self.unmodelled

    def _keeps(self, kind: TraceKind, record: Record) -> bool:
        if self.unmodelled is None or kind.is_other:
            return False
        return self.changes_rights(kind, record)

    def _counted(self, kind: TraceKind, reason: str) -> TraceKind:
        return kind.because(reason)._replace(unplaced=kind.name.lower() in self.of_rights)

    def _observation(
        self,
        kind: TraceKind,
        trace: TraceType,
        facts: DomainEvent | tuple[DomainEvent, ...],
        file: str,
    ) -> Observation | TraceKind:
        account = trace.account or self.account
        if account is None:
            return self._counted(kind, "no account")
        return Observation(
            provider=self.provider,
            account=account,
            events=facts if isinstance(facts, tuple) else (facts,),
            effective_at=trace.at,
            source=Provenance(trace_id=trace.trace_id, file=file),
            actor=trace.actor,
            address=trace.address,
            correlation_id=trace.correlation_id,
            names=trace.names,
            documents=tuple(trace.documents),
        )

    def _key(self, kind: TraceKind) -> str:
        return kind.name.lower() if self.ignores_case else kind.name
