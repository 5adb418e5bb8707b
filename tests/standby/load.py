"""Several concurrent writers, and the check of what was acknowledged to them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from tests.ledger.children import python
from tests.ledger.worlds import raw, sound
from tests.standby.pair import until


class Writer:
    """One process that appends. `acknowledged`: the number of entries by command id."""

    def __init__(self, url: str, name: str, keys: Path) -> None:
        self.name = name
        self.acknowledged: dict[str, int] = {}
        self.is_open = False
        self.said: list[str] = []
        self.process: Popen[str] = python("-m", "tests.standby.writer", url, name, keys)
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            kind, *rest = line.split()
            self.is_open = True
            if kind == "command" and line.endswith("\n"):
                assert rest[0] not in self.acknowledged
                self.acknowledged[rest[0]] = int(rest[1])
            elif kind == "again":
                self.said.append(line)

    def end(self) -> None:
        self.process.kill()
        self._listening.join(30)
        self.process.communicate()


class Writers:
    """Writers of one ledger."""

    def __init__(self, url: str, keys: Path, number: int = 4) -> None:
        self.each = [Writer(url, f"writer{name}", keys) for name in range(number)]
        until(lambda: all(each.is_open for each in self.each), "the writers open the ledger")

    def wait_for_more(self, by: int = 10) -> None:
        """Wait until each of them has `by` more acknowledged commands."""
        wanted = [len(each.acknowledged) + by for each in self.each]
        until(lambda: self._have(wanted), f"more commands are acknowledged: {self._last_errors()}")

    def _have(self, wanted: list[int]) -> bool:
        for each in self.each:
            if each.process.poll() is not None:
                raise AssertionError(each.process.communicate()[1])
        return all(len(w.acknowledged) >= n for w, n in zip(self.each, wanted, strict=True))

    def _last_errors(self) -> list[str]:
        return [line for each in self.each for line in each.said[-1:]]

    def end(self) -> None:
        for each in self.each:
            each.end()

    def kept(self, url: str) -> None:
        """Check that no acknowledged command is lost, and none is there twice or in part.

        Each writer waits for a command before it sends the next. So its commands have no gap, and
        at most one of them was committed and not acknowledged.
        """
        sound(url)
        with raw(url) as db:
            found = dict(
                db.execute(
                    "SELECT command_id, last_position - first_position + 1 FROM commands"
                ).fetchall()
            )
            events = dict(
                db.execute(
                    "SELECT entry::json ->> 'command_id', count(*) FROM events GROUP BY 1"
                ).fetchall()
            )
        assert found == events
        for each in self.each:
            ids = [name for name in found if name.startswith(f"{each.name}-")]
            assert sorted(ids) == sorted(f"{each.name}-{number}" for number in range(len(ids)))
            assert len(ids) - len(each.acknowledged) in (0, 1)
            for name, entries in each.acknowledged.items():
                assert found[name] == entries, name


@contextmanager
def writers(url: str, keys: Path, number: int = 4) -> Iterator[Writers]:
    some = Writers(url, keys, number)
    try:
        yield some
    finally:
        some.end()
