"""The Ledger: execute a command, observe what the cloud did, read streams and history.

ledger = Ledger("audit.db")
outcome = ledger.execute(
    RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="cn-north-4"),
    actor=Actor("alice"),
)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, cast

from eventsourcing.application import Application
from eventsourcing.persistence import Mapper
from eventsourcing.utils import Environment, EnvType

import ledger.events  # noqa: F401  A program that reads a ledger needs its events.
from ledger.account.questions import Account
from ledger.account.state import State
from ledger.as_of import AsOf, resolve
from ledger.catalogue import Catalogue, load_catalogue
from ledger.erased_documents import DocumentErased
from ledger.errors import LedgerError, NotFound
from ledger.execution.commands import Commands
from ledger.execution.observations import Observations
from ledger.execution.outcome import Observed, Outcome
from ledger.execution.request import Actor, Request, check_texts
from ledger.execution.seal import Seal
from ledger.execution.transactions import Transactions
from ledger.log.signer_lookup import Signers
from ledger.messages import Command, DomainEvent, Observation, Recorded
from ledger.persistence.entry import EntryMapper, admit
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import Location, location_of
from ledger.persistence.merkle_log import CheckpointSigner
from ledger.persistence.opening import opening
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import SubjectRow
from ledger.runner import Runner, this_runner
from ledger.signing import Signing
from ledger.subjects import SubjectErased, SubjectKind

PAGE: Final = 1_000
"""How many entries one read of history fetches."""


def system_clock() -> datetime:
    """The computer's clock: the one place where the ledger reads it."""
    return datetime.now(UTC)  # noqa: TID251


class Ledger(Application[str]):
    """The write side over one SQLite file, or one PostgreSQL database. Threads may share it.

    Raises StoreUnavailable (and its kinds) when it cannot be used, NotFound if it does not exist
    and `create` is false. `log_keys` is the folder with the keys of logs; with the key of this
    one, a checkpoint is signed at least every `checkpoint_every` entries (0: only on request).
    `clock_jump_max`: how far after the last recorded time an append may be; None: a year.
    `require_signature`: an append that should be signed and cannot be is refused.
    Raises SchemaAltered if the database has other tables than this program makes, unless
    `refuses_altered` is false: to verify it, and for nothing else.
    """

    name = "ledger"

    def __init__(
        self,
        location: Location | Path | str,
        *,
        create: bool = True,
        catalogue: Catalogue | None = None,
        clock: Callable[[], datetime] = system_clock,
        lock_timeout_s: int = 30,
        log_keys: Path | None = None,
        checkpoint_every: int = 1,
        require_signature: bool = False,
        refuses_altered: bool = True,
        clock_jump_max: timedelta | None = None,
    ) -> None:
        self.location = location_of(location)
        self.catalogue = catalogue or load_catalogue()
        self.clock = clock
        with self.store_errors():
            env = opening(
                self.location,
                create=create,
                lock_timeout_s=lock_timeout_s,
                refuses_altered=refuses_altered,
            )
            try:
                super().__init__(env)
            except BaseException:
                if hasattr(self, "factory"):  # Or another program's file would stay open.
                    self.factory.close()
                raise
        self.signers = Signers(log_keys)
        self.entries.log.signer_of, self.entries.log.every = self.signers, checkpoint_every
        self.entries.log.required = require_signature
        self.entries.admit = admit
        seal = Seal(self.signers.folder)
        self._signing = Signing(self.entries, self.location)
        self._transactions = Transactions(
            self.entries,
            self.mapper,
            seal,
            self._signing.released,
            self.store_errors,
            clock_jump_max=clock_jump_max,
        )
        if self.entries.has_runners:
            self._transactions.cache.runner = self._runner()
        self.committed = self._transactions.committed
        self._commands = Commands(self._transactions, self.history, self._now)
        self._observations = Observations(self._transactions, self._now)

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Only what this class sets: no environment variable chooses what is imported."""
        return Environment(name, dict(env or {}))

    def construct_mapper(self) -> Mapper[str]:
        """The entry codec, in place of the library's mapper."""
        return EntryMapper(self.factory.transcoder())

    @property
    def entries(self) -> Recorder:
        """The recorder, with all that ours offers beyond the library's."""
        return cast(Recorder, self.recorder)

    def store_errors(self) -> AbstractContextManager[None]:
        """Translates the database's errors into the ledger's."""
        return as_store_errors(str(self.location))

    def _now(self) -> datetime:
        """The time by this ledger's clock, which may be replaced while the ledger is open."""
        return self.clock()

    def _runner(self) -> Runner:
        """The runner of this process. No argument of a call changes it."""
        with self.store_errors():
            return this_runner(self.entries.database_user())

    # -- writing ---------------------------------------------------------------------------------

    def execute(
        self,
        command: Command,
        *,
        actor: Actor | None = None,
        reason: str | None = None,
        command_id: str | None = None,
        correlation_id: str | None = None,
        dry_run: bool = False,
    ) -> Outcome:
        """Decide a command and append its events in one transaction.

        A command id that this actor used before returns the first outcome and appends nothing.
        Raises Refused after the refusal was recorded, CommandIdReused if the id belongs to another
        command or actor, StreamChanged, StoreUnavailable.
        """
        request = Request(
            command=command,
            actor=actor,
            reason=reason,
            command_id=command_id,
            correlation_id=correlation_id,
            dry_run=dry_run,
        )
        with self.committed.call():
            return self._commands.execute(request, self.catalogue)

    def execute_many(self, requests: Iterable[Request]) -> list[Outcome | LedgerError]:
        """Decide up to 1,000 commands one after another, and append all in one transaction.

        Each knows what those before it decided, as if these were committed. The results are in the
        order of the requests: an Outcome, or the error that `execute` would have raised for this
        one command: Refused, InvalidInput, NotFound, CommandIdReused. Such an error leaves the
        other commands as they are. A conflict with another writer has all of them decided again.

        Raises all other errors, as StreamChanged and StoreUnavailable; then none is appended,
        unless the error's text says otherwise. Raises InvalidInput for too many, or a dry run.
        """
        with self.committed.call():
            return self._commands.execute_many(list(requests), self.catalogue)

    def observe(self, observations: Iterable[Observation], *, complete: bool = False) -> Observed:
        """Append what the cloud did, in transactions of many traces; a known trace appends nothing.

        Never refuses: the cloud did it already. Nothing is concluded: what the facts come to is
        derived when it is asked for. `complete`: a known trace appends, once, the documents and ids
        that an older version of the program did not keep.
        """
        with self.committed.call():
            return self._observations.observe(observations, complete=complete)

    def erase(self, subject: str, *, actor: Actor | None = None, reason: str | None = None) -> None:
        """Delete the name behind a surrogate id, and append that it was erased.

        Raises NotFound if the ledger has no name for it.
        """
        check_texts(reason=reason)
        with self.committed.call(), self._transactions.lock, self.store_errors():
            if not self.entries.subject_names([subject]):
                raise NotFound(
                    f"The ledger has no name for {subject}: it was erased, or never registered.",
                    remedy="List the surrogate ids with `authledger subject list`.",
                )
            self.append_event(
                SubjectErased(subject=subject), actor=actor, reason=reason, erased=(subject,)
            )
            self.clear_cache()
            self.entries.wipe("subjects")

    def erase_document(
        self, digest: str, *, actor: Actor | None = None, reason: str | None = None
    ) -> None:
        """Delete the text of a document, for good, and append that it was erased.

        Raises NotFound if the ledger keeps no text of it.
        """
        check_texts(reason=reason)
        with self.committed.call(), self._transactions.lock, self.store_errors():
            if digest not in self.entries.select_documents([digest]):
                raise NotFound(
                    f"The ledger keeps no text of the document {digest}: it was erased, was not "
                    "JSON or too long, or no event refers to it.",
                    remedy="List the documents with `authledger document list`.",
                )
            self._commands.append_event(
                DocumentErased(document=digest), actor, reason, erased_documents=(digest,)
            )
            self.entries.wipe("documents")

    def append_event(
        self,
        event: DomainEvent,
        *,
        actor: Actor | None = None,
        reason: str | None = None,
        erased: Sequence[str] = (),
    ) -> Outcome:
        """Append an event about no account; names of `erased` go in the same transaction."""
        with self.committed.call():
            return self._commands.append_event(event, actor, reason, erased=erased)

    def sign(self, signer: CheckpointSigner) -> str:
        """Sign a checkpoint of the log as it is now; return the note.

        Entries that nobody signed, and that this process did not append, are verified first and
        shown in the log of this program. Raises VerificationFailed, KeyUnusable, LogForked.
        """
        with self._transactions.lock, self.store_errors():
            return self._signing.sign(signer)

    def set_clock_back(self, *, actor: Actor | None = None, reason: str) -> Outcome:
        """Append that recorded times begin anew: a wrong clock recorded entries later than now.

        Raises InvalidInput if the last entry was not recorded later than now.
        """
        check_texts(reason=reason)
        with self.committed.call():
            return self._commands.set_clock_back(actor, reason)

    def clear_cache(self) -> None:
        """Forget the accounts, versions and names that this process has read."""
        with self._transactions.lock:
            self._transactions.cache.clear()

    # -- reading ---------------------------------------------------------------------------------

    def account(self, provider: str, account: str) -> Account:
        """The account as it stands now, by the facts of its own stream.

        An agency that only a use proves is not in it. It is the caller's own copy.
        """
        with self._transactions.lock, self.store_errors():
            accounts = self._transactions.cache.accounts
            state = deepcopy(accounts.current(State(provider, account)))
        return Account(state, state.next_instant(self._now()))

    def stream(self, stream: str, *, after: int = 0) -> Iterator[Recorded]:
        """A stream's entries by version, from the one after `after`."""
        with self.store_errors():
            return cast(Iterator[Recorded], iter(list(self.events.get(stream, gt=after))))

    def history(self, first: int = 1, last: int | None = None) -> Iterator[Recorded]:
        """Entries by position, both ends included, a page at a time."""
        while last is None or first <= last:
            with self.store_errors():
                page = self.entries.select_notifications(first, PAGE, stop=last)
            yield from (cast(Recorded, self.mapper.to_domain_event(entry)) for entry in page)
            if len(page) < PAGE:
                return
            first = page[-1].id + 1

    def entry_text(self, position: int) -> str:
        """One entry exactly as stored. Raises NotFound."""
        with self.store_errors():
            page = self.entries.select_notifications(position, 1, stop=position)
        if not page:
            raise NotFound(
                f"Position {position} does not exist; the last position is {self.last_position()}."
            )
        return page[0].state.decode(errors="surrogateescape")

    def last_position(self) -> int:
        """The position of the newest entry; 0 in an empty ledger."""
        with self.store_errors():
            return self.entries.max_notification_id() or 0

    def resolve(self, as_of: str | None, known_at: str | None) -> AsOf | None:
        """The moment that `--as-of` and `--known-at` name; None is now. Raises InvalidInput."""
        with self.store_errors():
            return resolve(self.entries, as_of, known_at, self.clock())

    def subject(self, kind: SubjectKind, name: str) -> SubjectRow | None:
        """The surrogate id that stands for a name; None if the ledger has none, or no longer."""
        with self.store_errors():
            return self.entries.select_subjects(kind, [name]).get(name)

    def names(self, subjects: Iterable[str]) -> Mapping[str, str]:
        """The names behind surrogate ids; erased ones are absent."""
        with self.store_errors():
            return self.entries.subject_names(subjects)


__all__ = ["Actor", "Ledger", "Observation", "Observed", "Outcome", "Request", "system_clock"]
