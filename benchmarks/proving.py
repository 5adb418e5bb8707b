"""Measures the log: an append with leaf, tiles and signed checkpoint; proofs; verification."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from eventsourcing.persistence import StoredEvent

from benchmarks.bulk import Bulk
from benchmarks.course import Course, note
from benchmarks.generator import World
from benchmarks.measure import OURS, Limit, Row, in_turn, median_ms, rate
from ledger.application import Ledger
from ledger.log import prover
from ledger.log.signer import LogSigner
from ledger.merkle.proofs import inclusion_proof
from ledger.merkle.tiles import TileHashes
from ledger.merkle.tree import frontier_of
from ledger.persistence.merkle_log import Log, Signed
from ledger.persistence.side_tables import SideRows
from ledger.verification.entries import verify_entries
from ledger.verification.findings import Before

WITHOUT: Final = "without a log"
ORIGIN: Final = "example.com/measured"
SINGLES: Final = 40
PAGE: Final = 1_000
CALLS: Final = 3
TREE_MAX: Final = 20_000
PROOFS: Final = 20
"""How many proofs a sample makes, each of a newly opened ledger."""


class NoLog(Log):
    """Keeps neither leaves nor checkpoints."""

    def append(self, c: Any, last: int, states: Iterable[bytes]) -> Signed | None:  # noqa: ARG002
        return None


def rows(course: Course) -> Iterator[Row]:
    note("appends with and without a log")
    yield from _appends(course)
    note("proofs and verification")
    yield from _reading(course)


def _appends(course: Course) -> Iterator[Row]:
    turns = course.repetitions + 2
    count = (SINGLES + CALLS * PAGE) * turns
    work = Bulk(course, World(count, course.seed))
    ready = [event for page in work.stored for event in page]
    signed, bare = _ledger(course, signed=True), _ledger(course, signed=False)
    with closing(signed), closing(bare):
        for name, each, calls, ratio in (
            ("append of one entry, signed", 1, SINGLES, 2.0),
            ("append of a thousand entries, signed", PAGE, CALLS, 1.6),
        ):
            taken, ready = ready[: each * calls * turns], ready[each * calls * turns :]
            parts = [taken[at : at + each] for at in range(0, len(taken), each)]
            samples = in_turn(
                {OURS: _sampler(signed, parts, calls), WITHOUT: _sampler(bare, parts, calls)},
                course.repetitions,
            )
            yield Row(
                name,
                "ms",
                samples,
                (Limit(ratio, WITHOUT),),
                note="prepared entries, one transaction; ours: leaf, tiles, checkpoint "
                "signed with Ed25519, the signer's record; without a log: the same without these.",
            )


def _sampler(ledger: Ledger, parts: Sequence[list[StoredEvent]], calls: int) -> Callable[[], float]:
    following = iter(parts)

    def sample() -> float:
        return median_ms(
            [partial(ledger.entries.append, p, SideRows()) for p in islice(following, calls)]
        )

    return sample


def _ledger(course: Course, *, signed: bool) -> Ledger:
    path = course.place("signed" if signed else "bare") / "ledger.db"
    keys = course.place("keys")
    ledger = Ledger(path, log_keys=keys)
    if signed:
        signer = LogSigner(keys, ORIGIN)
        signer.key.create(path)
        ledger.sign(signer)
    else:
        ledger.entries.log = NoLog()
    return ledger


def _reading(course: Course) -> Iterator[Row]:
    made, keys = course.big, course.place("keys") / "of the big ledger"
    with closing(Ledger(made.path, log_keys=keys)) as ledger:
        signer = LogSigner(keys, ORIGIN)
        signer.key.folder.mkdir(parents=True)
        signer.key.create(course.place("elsewhere") / "ledger.db")
        ledger.sign(signer)
    random = course.random
    for name, ask in (("inclusion", _inclusion), ("consistency", _consistency)):
        samples = in_turn({OURS: partial(_cold, made.path, ask, random)}, course.repetitions)
        yield Row(f"{name} proof, cold", "ms", samples, (Limit(2),))
    yield _beside_pymerkle(course)
    last = _last(made.path)
    yield Row(
        "verify: every byte of the ledger",
        "events/s",
        in_turn(
            {OURS: lambda: rate(lambda: verify_entries(made.path, [last]), last)},
            min(course.repetitions, 3),
        ),
        (Limit(250_000),),
    )
    whole = verify_entries(made.path, [last], with_whole=True)
    assert whole.whole is not None
    before = Before(last, whole.roots[last], whole.whole)
    yield Row(
        "verify with a receipt of the whole ledger",
        "events/s",
        in_turn(
            {OURS: lambda: rate(lambda: verify_entries(made.path, before=before), last)},
            min(course.repetitions, 3),
        ),
        (Limit(300_000),),
        note="all entries are hashed and all tiles compared; rows are checked in full only after "
        "the last whole segment.",
    )


def _beside_pymerkle(course: Course) -> Row:
    """Both keep the same tree of the same entries in SQLite; the roots are compared."""
    name = "inclusion proof, a tree of 20,000 entries at most, warm"
    samples: dict[str, Callable[[], float]] = {}
    reasons: dict[str, str] = {}
    random = course.random
    with closing(Ledger(course.small.path)) as ledger, course.fresh("pymerkle.db") as path:
        size = min(ledger.last_position(), TREE_MAX)
        hashes = TileHashes(size, ledger.entries.read_tile)
        samples[OURS] = lambda: median_ms(
            [partial(inclusion_proof, random.randrange(size), size, hashes) for _ in range(PROOFS)]
        )
        try:
            tree = import_module("pymerkle").SqliteTree(str(path))
        except ImportError:
            reasons["pymerkle"] = "pymerkle is not installed"
            return Row(name, "ms", in_turn(samples, course.repetitions), reasons=reasons)
        with closing(tree):
            for first in range(1, size + 1, PAGE):
                last = min(first + PAGE - 1, size)
                page = ledger.entries.select_notifications(first, PAGE, stop=last)
                tree.append_entries([bytes(each.state) for each in page])
            assert tree.get_state(size) == frontier_of(size, hashes).root()
            samples["pymerkle"] = lambda: median_ms(
                [
                    partial(tree.prove_inclusion, random.randint(1, size), size)
                    for _ in range(PROOFS)
                ]
            )
            return Row(name, "ms", in_turn(samples, course.repetitions))


def _last(path: Path | str) -> int:
    with closing(Ledger(path)) as ledger:
        return ledger.last_position()


def _cold(path: Path | str, ask: Callable[[Ledger, Random], object], random: Random) -> float:
    taken = []
    for _ in range(PROOFS):
        with closing(Ledger(path)) as ledger:
            ledger.entries.checkpoint()  # Opens the connection.
            taken.append(median_ms([partial(ask, ledger, random)]))
    return sorted(taken)[PROOFS // 2]


def _inclusion(ledger: Ledger, random: Random) -> object:
    return prover.inclusion(ledger.entries, random.randint(1, ledger.last_position()))


def _consistency(ledger: Ledger, random: Random) -> object:
    last = ledger.last_position()
    return prover.consistency(ledger.entries, random.randint(1, last), last)
