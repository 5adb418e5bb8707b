"""Pauses Python's garbage collector while many objects are made that are needed until the end."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """The collector does not run within the block. It is turned on again if it was on before.

    The objects of a batch hold no cycles. The collector would examine all of them time and again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
