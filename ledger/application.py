"""The Ledger: execute a command, observe what the cloud did, read streams and history.

ledger = Ledger("audit.db")
outcome = ledger.execute(
    RequestConsoleLogin(account="0a1b2c3d4e5f", service="asm", region="cn-north-4"),
    actor=Actor("alice"),
)
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from threading import RLock
from typing import Any, Final, TypeVar, cast

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, Mapper
from eventsourcing.utils import Environment, EnvType

import ledger.events  # noqa: F401  A ledger is read with every topic known.
from ledger.account.account import decide
from ledger.account.decision import Circumstances
from ledger.account.state import Account
from ledger.as_of import AsOf, resolve
from ledger.catalogue import Catalogue, load_catalogue
from ledger.errors import LedgerError, NotFound, Refused, StreamChanged
from ledger.execution.account_cache import Accounts, Bounded
from ledger.execution.batch import Actor, Batch, check_words, digest_of_command
from ledger.execution.outcome import Committed, Observed, Outcome
from ledger.execution.repetition import check_actor, first_outcome
from ledger.log.signer_lookup import Signers
from ledger.messages import Command, DomainEvent, Observation, Recorded
from ledger.persistence.entry import EntryMapper
from ledger.persistence.failures import as_store_errors
from ledger.persistence.location import Location, location_of
from ledger.persistence.opening import opening
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import Appended, SubjectRow
from ledger.subjects import SubjectErased, SubjectKind
from ledger.values import instant

Won = TypeVar("Won")

ALONE_AFTER: Final = 2
"""How many lost races make a decision one that is taken while nobody else appends."""
ATTEMPTS_MAX: Final = 20
"""How often a decision is taken again after a lost race, before it is given up as a conflict."""
_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
PAGE: Final = 1_000
"""How many entries one read of history fetches."""
OBSERVED_AT_ONCE: Final = 5_000
"""How many traces one transaction takes: the more, the fewer pages are written twice."""


def system_clock() -> datetime:
    """The computer's clock: the one place where the ledger reads it."""
    return datetime.now(UTC)  # noqa: TID251


class Ledger(Application[str]):
    """The write side over one SQLite file, or one PostgreSQL database. Threads may share it.

    Raises StoreUnavailable (and its kinds) when it cannot be used, NotFound if it does not exist
    and `create` is false. `log_keys` is the folder with the keys of logs; with the key of
    this one, a checkpoint is signed at least every `checkpoint_every` entries (0: only when asked).
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
    ) -> None:
        self.location = location_of(location)
        self.catalogue = catalogue or load_catalogue()
        self.clock = clock
        self._versions, self._subjects = Bounded(), Bounded()
        self.committed = Committed()
        self._lock = RLock()  # Held by the thread that decides and appends, or uses the caches.
        with self.store_errors():
            env = opening(self.location, create=create, lock_timeout_s=lock_timeout_s)
            try:
                super().__init__(env)
            except BaseException:
                if hasattr(self, "factory"):  # Or a stranger's file would be kept open.
                    self.factory.close()
                raise
        self._accounts = Accounts(self.entries, self.mapper)
        self.signers = Signers(log_keys)
        self.entries.log.signer_of, self.entries.log.every = self.signers, checkpoint_every

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Only what this class sets: no environment variable chooses what is imported."""
        return Environment(name, dict(env or {}))

    def construct_mapper(self) -> Mapper[str]:
        return EntryMapper(self.factory.transcoder())

    @property
    def entries(self) -> Recorder:
        """The recorder: positions, times, names."""
        return cast(Recorder, self.recorder)

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
        words = {"reason": reason, "correlation_id": correlation_id}
        check_words(command_id=command_id, **words)
        lost = f"The account {command.account} changed while the decision was taken"
        attempt = partial(
            self._decided, command, actor, command_id=command_id, dry_run=dry_run, **words
        )
        with self.committed.call():
            return self._won(attempt, lost)

    def _decided(
        self,
        command: Command,
        actor: Actor | None,
        *,
        command_id: str | None,
        dry_run: bool,
        **words: str | None,
    ) -> Outcome:
        """One attempt to decide a command and to append. Raises IntegrityError on a lost race."""
        with self.store_errors():
            account = self._accounts.known(command.provider, command.account)
        digest = digest_of_command(command)
        # Only now: what the account shows to be done may have been done under this id.
        if command_id is not None and (first := self._repeated(command_id, digest, actor)):
            return first
        # A command takes effect now, even where a fact whose clock was ahead is known already.
        now = self.clock()
        at = max(now, account.latest_effective_at or _EARLIEST)
        decision = decide(account, command, Circumstances(at, self.catalogue, words["reason"]))
        batch = Batch(self, now)
        try:
            batch.command(
                deepcopy(account) if dry_run else account,
                decision.events,
                at,
                command_id=command_id or str(uuid.uuid4()),
                digest=digest,
                actor=actor,
                catalogue=self.catalogue.version,
                **words,
            )
            result = (self._previewed(batch), None) if dry_run else self._appended(batch)
        except BaseException:
            self.forget()  # The account was settled with what is not appended now.
            raise
        entries, checkpoint = result
        if decision.refusal is not None:
            raise Refused(
                decision.refusal, remedy=decision.remedy, entries=entries, dry_run=dry_run
            )
        return Outcome(entries, checkpoint, note=decision.note, dry_run=dry_run)

    def _won(self, attempt: Callable[[], Won], lost: str) -> Won:
        """Try until no other process was faster; who loses again and again has the ledger to
        itself. Raises StreamChanged if even that is of no use.
        """
        for number in range(ATTEMPTS_MAX):
            alone = self.entries.alone() if number >= ALONE_AFTER else nullcontext()
            with self._lock, self.store_errors(), alone:
                try:
                    return attempt()
                except IntegrityError:
                    self.forget()
        raise StreamChanged(f"{lost}, {ATTEMPTS_MAX} times.", remedy="Try again.")

    def observe(self, observations: Iterable[Observation]) -> Observed:
        """Append what the cloud did, in transactions of many traces; a known trace appends nothing.

        Never refuses: the cloud did it already. What a deletion ends is appended too.
        """
        counts = Observed()
        stream = iter(observations)
        with self.committed.call():
            while part := list(islice(stream, OBSERVED_AT_ONCE)):
                # As it happened, so that fewer ends are assumed before they are read.
                part.sort(key=lambda observation: observation.effective_at)
                self._won(partial(self._observe_part, part, counts), "The accounts went on")
        return counts

    def _observe_part(self, part: Sequence[Observation], counts: Observed) -> None:
        """One attempt to append traces. Raises IntegrityError on a lost race."""
        told: dict[str, Observation] = {}
        for observation in part:
            told.setdefault(observation.command_id, observation)
        with self.store_errors():
            seen = self.entries.select_commands(told)
        new = {one: told[one] for one in told if one not in seen} if seen else told
        batch = Batch(self, self.clock())
        try:
            for command_id, observation in new.items():
                batch.observe(command_id, observation)
            appended = self._append(batch)
        except BaseException:
            self.forget()  # Accounts were settled with what is not appended now.
            raise
        appended.released()
        counts.new_traces += len(new)
        counts.known_traces += len(part) - len(new)
        counts.entries += len(appended.positions)
        counts.by_type.update(batch.types)

    def erase(self, subject: str, *, actor: Actor | None = None, reason: str | None = None) -> None:
        """Forget the name behind a surrogate id, and append that it was forgotten.

        Raises NotFound if no name is kept for it.
        """
        check_words(reason=reason)
        with self.committed.call(), self._lock, self.store_errors():
            if not self.entries.subject_names([subject]):
                raise NotFound(f"No name is kept for {subject}; `subject list` has the ids.")
            self.tell(SubjectErased(subject=subject), actor=actor, reason=reason, erased=(subject,))
            self.forget()
            self.entries.wipe()

    def tell(
        self,
        event: DomainEvent,
        *,
        actor: Actor | None = None,
        reason: str | None = None,
        erased: Sequence[str] = (),
    ) -> Outcome:
        """Append what is about no account; `erased` are forgotten in the same transaction."""

        def attempt() -> Outcome:
            batch, now = Batch(self, self.clock()), self.clock()
            command_id = str(uuid.uuid4())
            batch.command(None, (event,), now, command_id=command_id, actor=actor, reason=reason)
            batch.erased += erased
            return Outcome(*self._appended(batch))

        with self.committed.call():
            return self._won(attempt, "The stream went on")

    def _repeated(self, command_id: str, digest: str, actor: Actor | None) -> Outcome | None:
        """The first outcome under a command id; None if the id is free. Raises as `execute`."""
        with self.store_errors():
            used = self.entries.select_commands([command_id]).get(command_id)
            if used is None:
                return None
            entries = tuple(self.history(used.first_position, used.last_position))
            check_actor(self.entries, used, entries, actor)
        return first_outcome(used, entries, digest)

    # -- reading ---------------------------------------------------------------------------------

    def account(self, provider: str, account: str) -> Account:
        """The account as it is now. It is the caller's own copy."""
        with self._lock:
            return deepcopy(self.account_to_settle(provider, account))

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
            raise NotFound(f"There is no position {position}; the last is {self.last_position()}.")
        return page[0].state.decode(errors="surrogateescape")

    def last_position(self) -> int:
        with self.store_errors():
            return self.entries.max_notification_id() or 0

    def resolve(self, as_of: str | None, known_at: str | None) -> AsOf | None:
        """What `--as-of` and `--known-at` mean here; None is now."""
        with self.store_errors():
            return resolve(self.entries, as_of, known_at, self.clock())

    def names(self, subjects: Iterable[str]) -> Mapping[str, str]:
        """The names behind surrogate ids; erased ones are absent."""
        with self.store_errors():
            return self.entries.subject_names(subjects)

    # -- what a batch needs ----------------------------------------------------------------------

    def store_errors(self) -> AbstractContextManager[None]:
        """Turns the database's failures into the ledger's errors."""
        return as_store_errors(str(self.location))

    def forget(self) -> None:
        """Drop what may be ahead of the file, or behind it: after a failed append."""
        with self._lock:
            self._accounts.forget()
            self._versions.clear()
            self._subjects.clear()

    def account_to_settle(self, provider: str, account: str) -> Account:
        """The cached account, caught up with the file. Only a batch may change it."""
        with self._lock, self.store_errors():
            return self._accounts.get(provider, account)

    def version(self, stream: str) -> int:
        """The version of a stream's last event, as far as this process knows."""
        with self._lock, self.store_errors():
            if stream not in self._versions:
                self._versions[stream] = self.entries.max_version(stream)
            return int(self._versions[stream])

    def subject(self, kind: SubjectKind, name: str) -> SubjectRow | None:
        """The surrogate id that stands for a name, if one does."""
        with self._lock, self.store_errors():
            if (kind, name) not in self._subjects:
                found = self.entries.select_subjects(kind, [name])
                if name not in found:
                    return None
                self._subjects[kind, name] = found[name]
            return cast(SubjectRow, self._subjects[kind, name])

    def _previewed(self, batch: Batch) -> tuple[Recorded, ...]:
        """The entries as they would be appended now. Raises IntegrityError on a lost race."""
        with self.store_errors():
            self.entries.check(replace(batch.beside(), versions=batch.versions_before))
        return batch.preview()

    def _appended(self, batch: Batch) -> tuple[tuple[Recorded, ...], str | None]:
        """Append; return the entries as stored, and the checkpoint. Later errors have them too."""
        if not batch.entries:
            return self._previewed(batch), None
        appended = self._append(batch)
        entries = batch.stored(appended.positions, instant(appended.recorded_at))
        try:
            return entries, appended.released()
        except LedgerError as error:
            error.entries = entries
            raise

    def _append(self, batch: Batch) -> Appended:
        """Append a batch in one transaction. Raises IntegrityError on a lost race."""
        if not batch.entries:
            return Appended()
        try:
            with self.store_errors():
                # Not Application.save, which asks of every single event what kind of thing it is.
                beside = batch.beside(self._accounts.snapshots())
                stored = [self.mapper.to_stored_event(cast(Any, entry)) for entry in batch.entries]
                appended = self.entries.append(stored, beside)
        except BaseException:
            self.forget()
            raise
        self.committed.add(appended.positions)
        self._accounts.kept()
        for stream, version in batch.versions.items():
            self._versions[stream] = version
        for key, row in batch.subjects.items():
            self._subjects[key] = row
        return appended


__all__ = ["Actor", "Ledger", "Observation", "Observed", "Outcome", "system_clock"]
