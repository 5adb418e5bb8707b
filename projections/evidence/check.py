"""Holds evidence against a key that is known from elsewhere, with no access to the ledger."""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, Final

from pydantic import TypeAdapter

from ledger.catalogue import Catalogue
from ledger.errors import LedgerError, NotFound, VerificationFailed
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import EvidenceInvalid
from ledger.merkle.note import parse_note
from ledger.merkle.policy import Policy, trusting
from ledger.merkle.signing import Verifier
from ledger.merkle.tiles import TILE_WIDTH, append
from ledger.merkle.tlogproof import parse_proof, verify_proof
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.persistence.columns import COLUMNS
from ledger.persistence.sqlite.schema import SCHEMA
from ledger.values import check_storable
from ledger.verification.row_check import differences, fits
from projections.definitions.declared import declared_name
from projections.evidence.make import (
    PAGE,
    Evidence,
    Question,
    answer_bytes,
    canonical,
    instructions,
    stands_on,
    takes_all,
)
from projections.maintenance.runner import code_version
from projections.views import Result, Views

ENTRY_BYTES_MAX: Final = 65_535
SMALL_BYTES_MAX: Final = 64 * 2**20
"""How much of any other part is read: a small file may unfold to a huge one."""

_UNREADABLE: Final = (
    OSError,
    EOFError,
    RuntimeError,
    ValueError,
    OverflowError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What opening and reading an odd archive raises, and storing an odd number from one.
NotImplementedError and RecursionError are RuntimeErrors.
"""
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENTRY = re.compile(r"entries/([1-9][0-9]{0,17})\.json")


def check(path: Path, keys: Sequence[Verifier], catalogue: Catalogue) -> Evidence:
    """Hold evidence against keys that are known from elsewhere. Needs no ledger.

    Raises VerificationFailed, which says what does not hold, and NotFound.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Check(archive, trusting(keys), catalogue).all()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except EvidenceInvalid as error:
        raise VerificationFailed(f"{path} is not verified: {error}") from error
    except _UNREADABLE as error:
        raise VerificationFailed(f"{path} cannot be read as evidence: {error}") from error
    except sqlite3.Error as error:
        raise VerificationFailed(f"{path}: its entries make no ledger: {error}") from error
    except VerificationFailed as error:
        raise VerificationFailed(f"{path} is not verified: {error.message}") from error


class _Check:
    """One file of evidence, whose parts are believed one after the other."""

    def __init__(self, archive: zipfile.ZipFile, policy: Policy, catalogue: Catalogue) -> None:
        self._archive = archive
        self._policy = policy
        self._catalogue = catalogue

    def all(self) -> Evidence:
        names = self._names()
        note = parse_note(self._part("checkpoint"))
        checkpoint = self._policy.accept(note).checkpoint
        question = self._question(checkpoint)
        numbers = sorted(int(match[1]) for each in names if (match := _ENTRY.fullmatch(each)))
        self._expect(names, question, numbers)
        with tempfile.TemporaryDirectory(prefix="authledger-evidence-") as folder:
            answer = self._replayed(Path(folder) / "ledger.db", question, checkpoint, numbers)
        if answer_bytes(answer) != self._part("answer.json"):
            raise VerificationFailed("the entries give another answer than answer.json says")
        if stands_on(question.view, answer) != numbers:
            raise VerificationFailed("the entries in it are not those that the answer stands on")
        return Evidence(question, answer, checkpoint, tuple(self._remarks(question)))

    def _names(self) -> list[str]:
        names = self._archive.namelist()
        if len(set(names)) != len(names):
            raise VerificationFailed("a part stands in it twice")
        if any(each.compress_type not in _COMPRESSIONS for each in self._archive.infolist()):
            raise VerificationFailed("a part is compressed in a way that evidence never is")
        return names

    def _expect(self, names: list[str], question: Question, numbers: list[int]) -> None:
        wanted = {"question.json", "answer.json", "checkpoint", "VERIFY.md"}
        wanted |= {f"entries/{n}.json" for n in numbers}
        wanted |= {f"proofs/{n}.tlog-proof" for n in numbers}
        wanted |= {"entries.jsonl"} if question.complete else set()
        if unlike := sorted(wanted ^ set(names)):
            what = "is missing" if unlike[0] in wanted else "does not belong there"
            raise VerificationFailed(f"{unlike[0]!r} {what}")

    def _part(self, name: str, limit: int = SMALL_BYTES_MAX) -> bytes:
        try:
            with self._archive.open(name) as part:
                data = part.read(limit + 1)
        except KeyError:
            raise VerificationFailed(f"{name!r} is missing") from None
        if len(data) > limit:
            raise VerificationFailed(f"{name!r} has more than {limit} bytes")
        return data

    def _question(self, checkpoint: Checkpoint) -> Question:
        question = _asked(self._part("question.json"))
        if not 0 <= question.position <= checkpoint.size:
            raise VerificationFailed(
                f"the question is of position {question.position}, and the checkpoint covers "
                f"{checkpoint.size} entries"
            )
        if takes_all(question.view, Result((), [()], 0)) and not question.complete:
            raise VerificationFailed(f"an answer of {question.view} takes all entries")
        return question

    def _replayed(
        self, path: Path, question: Question, checkpoint: Checkpoint, numbers: list[int]
    ) -> Result:
        """The answer that the entries give."""
        proven = {number: self._proven(number, checkpoint) for number in numbers}
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            for statement in SCHEMA:
                if statement.startswith("CREATE TABLE"):
                    connection.execute(statement)
            if question.complete:
                _insert(connection, self._all(checkpoint))
            else:
                _insert(connection, proven.items())
            for number, entry in proven.items():
                _compare(connection, number, entry)
            _check_rows(connection)
            connection.execute("COMMIT")
        with Views.open(path, self._catalogue) as views:
            views.catch_up()
            answer = views.read(question.view, as_of=question.as_of, where=question.where)
        if not answer.rows and not question.complete:
            raise VerificationFailed("that there is nothing takes all entries")
        return answer

    def _proven(self, number: int, checkpoint: Checkpoint) -> bytes:
        """An entry that is in the log at its position."""
        entry = self._part(f"entries/{number}.json", ENTRY_BYTES_MAX)
        proof = parse_proof(self._part(f"proofs/{number}.tlog-proof"))
        accepted = verify_proof(proof, entry, self._policy)
        if (proof.index, accepted.checkpoint) != (number - 1, checkpoint):
            raise VerificationFailed(f"proofs/{number}.tlog-proof proves something else")
        return entry

    def _all(self, checkpoint: Checkpoint) -> Iterator[tuple[int, bytes]]:
        """Every entry, in a log of the checkpoint's root: the last is given when that is known."""
        frontier, edges = Frontier(), dict[tuple[int, int], bytes]()
        with self._archive.open("entries.jsonl") as lines:
            while frontier.size < checkpoint.size:
                first = frontier.size + 1
                page = list(_lines(lines, min(PAGE, checkpoint.size - frontier.size)))
                hashes = [leaf_hash(entry) for entry in page]
                for tile in append(frontier, hashes, lambda level, index, _: edges[level, index]):
                    edges[tile.level, tile.index] = tile.data
                    if tile.width == TILE_WIDTH:
                        del edges[tile.level, tile.index]
                yield from enumerate(page, first)
            if lines.read(1):
                raise VerificationFailed("entries.jsonl goes on after the checkpoint's last entry")
        if frontier.root() != checkpoint.root:
            raise VerificationFailed(
                f"entries.jsonl holds other entries than the {checkpoint.size} of the checkpoint"
            )

    def _remarks(self, question: Question) -> Iterator[str]:
        if not question.complete:
            yield "that these facts were recorded is shown; that nothing changed them later is not"
        if question.rules != code_version() or question.catalogue != self._catalogue.version:
            yield f"it was answered by the rules {question.rules}, these are {code_version()}"
        if self._part("VERIFY.md") != instructions():
            yield "its VERIFY.md is not this program's: read it before you run what it says"
        yield "what happened after the checkpoint, and what the ledger was never told"


def _asked(data: bytes) -> Question:
    """The question, if it is one that can be asked, in the one form that it is written in."""
    try:
        question: Question = TypeAdapter(Question).validate_json(data, strict=True)
        str(question)
        for column, value in question.where.items():
            check_storable(column, value)
        columns = {column.name for column in Views.columns(question.view)}
        if (
            canonical(asdict(question)) == data
            and declared_name(question.view) in Views.names()
            and question.where.keys() <= columns
        ):
            return question
    except (ValueError, LedgerError):
        pass
    raise VerificationFailed("question.json is not a question that can be asked")


def _lines(part: IO[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        line = part.readline(ENTRY_BYTES_MAX + 1)
        if not line.endswith(b"\n"):
            raise VerificationFailed("entries.jsonl ends too early, or a line of it is too long")
        yield line[:-1]


def _insert(connection: sqlite3.Connection, entries: Iterable[tuple[int, bytes]]) -> None:
    connection.executemany(
        "INSERT INTO events (position, stream, version, topic, entry) VALUES (?, ?, ?, ?, ?)",
        (_row(position, entry) for position, entry in entries),
    )


def _row(position: int, entry: bytes) -> tuple[Any, ...]:
    try:
        text = entry.decode()
        fields = json.loads(text)
        return position, fields["stream"], fields["version"], fields["topic"], text
    except (ValueError, TypeError, KeyError) as error:
        raise VerificationFailed(f"position {position} is no entry: {error}") from error


def _compare(connection: sqlite3.Connection, position: int, entry: bytes) -> None:
    row = connection.execute("SELECT entry FROM events WHERE position = ?", (position,)).fetchone()
    if row is None or row[0].encode() != entry:
        raise VerificationFailed(f"entries/{position}.json is not the entry of that position")


def _check_rows(connection: sqlite3.Connection) -> None:
    """Each entry is in the one form that entries have: no two readers see two events in it."""
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position")
    for row in rows:
        entry = row[4].encode()
        if not fits(row, entry, ""):
            what = next(differences(row, entry, row[0] - 1, ""), "it is in another form")
            raise VerificationFailed(f"position {row[0]}: {what}")
