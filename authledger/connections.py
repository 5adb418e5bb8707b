"""The connections through which views are read: one for each thread, closed with it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ledger.errors import StoreUnavailable
from projections.views import Views


class ViewsByThread:
    """Views belong to the thread that opens them, so each thread gets views of its own.

    They are opened when the thread first reads, and closed when it ends, or by `close`.
    """

    def __init__(self, opened: Callable[[], Views]) -> None:
        self._opened = opened
        self._here = threading.local()
        self._all: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._lock = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Views]:
        """The views of this thread. Raises what Views.open raises.

        A connection that failed is closed: the next reading opens another.
        """
        held: _Held | None = getattr(self._here, "held", None)
        if held is None:
            held = self._here.held = _Held(self._opened())
            with self._lock:
                self._all.add(held)
        try:
            yield held.views
        except StoreUnavailable:
            del self._here.held
            held.close()
            raise

    def close(self) -> None:
        """Close the views of all threads; none of them may be reading."""
        with self._lock:
            for held in list(self._all):
                held.close()
        self._here = threading.local()


class _Held:
    """The views of one thread. They are closed when it lets them go, which it does when it ends."""

    def __init__(self, views: Views) -> None:
        self.views = views
        self.close = weakref.finalize(self, views.close)
