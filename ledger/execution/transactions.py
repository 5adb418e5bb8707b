"""Optimistic concurrency: decide on what the process knows, append if nothing changed, or retry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import RLock
from typing import Any, Final, TypeVar, cast

from eventsourcing.persistence import IntegrityError, Mapper

from ledger.clock import ClockReading
from ledger.errors import LedgerError, StreamChanged
from ledger.execution.batch import Batch
from ledger.execution.cache import Cache
from ledger.execution.outcome import Committed
from ledger.execution.seal import Seal
from ledger.messages import Recorded
from ledger.persistence.numbering import recorded_in
from ledger.persistence.recorder import Recorder
from ledger.persistence.side_tables import Appended, Clock, CommandRow
from ledger.values import instant

Answer = TypeVar("Answer")

CONFLICTS_MAX: Final = 2
"""After so many conflicts the decision is taken while this process holds the append lock."""
ATTEMPTS_MAX: Final = 20
"""How often a decision is attempted before it is given up."""


class Transactions:
    """Appends the batches of one process. Its threads take turns.

    `store_errors` translates the database's errors into the ledger's. `clock_jump_max`: how far
    after the last recorded time the clock may be.
    """

    def __init__(
        self,
        recorder: Recorder,
        mapper: Mapper[str],
        seal: Seal,
        released: Callable[[Appended], str | None],
        store_errors: Callable[[], AbstractContextManager[None]],
        *,
        clock_jump_max: timedelta | None = None,
    ) -> None:
        self.recorder = recorder
        self.committed = Committed()
        self.cache = Cache(recorder, mapper, seal)
        self.released = released
        """Releases the checkpoint of an append; without one, it says why."""
        self.lock = RLock()
        """Held by the thread that decides and appends, or that uses the cache."""
        self._mapper = mapper
        self._store_errors = store_errors
        self._clock_jump_max = clock_jump_max

    def clock(self, at: datetime) -> ClockReading:
        """The writer's clock, which showed that time."""
        return ClockReading(at, self._clock_jump_max)

    def retried(self, attempt: Callable[[], Answer], changed: str) -> Answer:
        """Return what `attempt` returns, which is called again after each conflict.

        `changed` names what other writers appended to. Raises StreamChanged after ATTEMPTS_MAX.
        """
        for number in range(ATTEMPTS_MAX):
            held = self.recorder.append_lock() if number >= CONFLICTS_MAX else nullcontext()
            with self.lock, self._store_errors(), held, suppress(IntegrityError):
                return attempt()
        raise StreamChanged(
            f"Gave up after {ATTEMPTS_MAX} attempts: other writers kept appending to {changed}.",
            remedy="Try again.",
        )

    def entries(self, command: CommandRow) -> list[Recorded]:
        """The entries that a command appended."""
        first, last = command.first_position, command.last_position
        found = self.recorder.select_notifications(first, last - first + 1, stop=last)
        return [cast(Recorded, self._mapper.to_domain_event(entry)) for entry in found]

    def preview(self, batch: Batch) -> tuple[Recorded, ...]:
        """The entries as they would be appended now. Raises IntegrityError on a conflict."""
        with self.known_again_after_failure():
            self.recorder.check(batch.conditions())
            self._clock_of(batch).check(self.last_recorded_at())
        return batch.preview()

    def append_and_release(self, batch: Batch) -> tuple[tuple[Recorded, ...], str | None]:
        """Append; return the entries as stored, and the checkpoint if one was due.

        An error after the commit has the entries too. Raises IntegrityError on a conflict.
        """
        if not batch.entries:
            return self.preview(batch), None
        appended = self.append(batch)
        entries = batch.stored(appended.positions, instant(appended.recorded_at))
        try:
            return entries, self.released(appended)
        except LedgerError as error:
            error.entries = entries
            raise

    def append(self, batch: Batch) -> Appended:
        """Append a batch in one transaction. Raises IntegrityError on a conflict."""
        if not batch.entries:
            return Appended()
        side_rows = batch.side_rows(self.cache.snapshots())
        side_rows = replace(side_rows, clock=self._clock_of(batch))
        # Not Application.save, which examines the type of every single event.
        stored = [self._mapper.to_stored_event(cast(Any, entry)) for entry in batch.entries]
        with self.known_again_after_failure():
            appended = self.recorder.append(stored, side_rows)
            self.committed.add(appended.positions)
            self.cache.add(batch)
        return appended

    def last_recorded_at(self) -> str | None:
        """The recorded time of the last entry; None if there is none."""
        last = self.recorder.max_notification_id() or 0
        found = self.recorder.select_notifications(last, 1, stop=last)
        return recorded_in(found[0].state) if found else None

    def _clock_of(self, batch: Batch) -> Clock:
        return batch.clock or self.clock(batch.recorded_at)

    @contextmanager
    def known_again_after_failure(self) -> Iterator[None]:
        """Clears the cache if the block fails: it is not as the database is, or may be."""
        try:
            yield
        except BaseException:
            self.cache.clear()
            raise
