"""Checks evidence under a verifier key that is known from elsewhere, without the ledger."""

from __future__ import annotations

import hashlib
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
from ledger.documents import DOCUMENT_BYTES_MAX
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
from ledger.persistence.sqlite.files import connect, uri_of
from ledger.persistence.sqlite.format import set_format
from ledger.persistence.sqlite.schema import SCHEMA
from ledger.values import check_storable
from ledger.verification.row_check import differences, fits
from projections.definitions.declared import declared_name
from projections.evidence.answering import asked_again, stated_rows
from projections.evidence.make import (
    PAGE,
    Evidence,
    Question,
    answer_bytes,
    canonical,
    digests_in,
    instructions,
    only_digests,
)
from projections.evidence.sources import needs_every_entry
from projections.maintenance.runner import code_version
from projections.views import Result, Views

ENTRY_BYTES_MAX: Final = 65_535
SMALL_BYTES_MAX: Final = 64 * 2**20
"""How much of any other part is read: a small archive may expand to a huge one."""

NOT_OTHERS: Final = (
    "whether other entries change the answer: this evidence does not hold every entry (--complete)"
)
NOT_LATER: Final = "what was appended after the checkpoint, and what was never recorded"
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
"""Errors of opening and reading a malformed archive, and of storing a large number from one.
NotImplementedError and RecursionError are RuntimeErrors.
"""
_COMPRESSIONS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DOCUMENT = re.compile(r"documents/([0-9a-f]{64})\.json")
_ENTRY = re.compile(r"entries/([1-9][0-9]{0,17})\.json")


def check(path: Path, keys: Sequence[Verifier], catalogue: Catalogue) -> Evidence:
    """Check evidence under keys that are known from elsewhere, and return it. Needs no ledger.

    Raises VerificationFailed, which says what does not agree, and NotFound.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Bundle(archive, trusting(keys), catalogue).verified()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except EvidenceInvalid as error:
        raise VerificationFailed(f"{path} is not verified: {error}") from error
    except _UNREADABLE as error:
        raise VerificationFailed(f"{path} cannot be read as evidence: {error}") from error
    except sqlite3.Error as error:
        raise VerificationFailed(
            f"{path} is not verified: its entries cannot be loaded: {error}"
        ) from error
    except VerificationFailed as error:
        raise VerificationFailed(f"{path} is not verified: {error.message}") from error


class _Bundle:
    """One file of evidence. A part is believed only after the parts that vouch for it."""

    def __init__(self, archive: zipfile.ZipFile, policy: Policy, catalogue: Catalogue) -> None:
        self._archive = archive
        self._policy = policy
        self._catalogue = catalogue

    def verified(self) -> Evidence:
        """The evidence, after every check. Raises VerificationFailed and EvidenceInvalid."""
        names = self._names()
        note = parse_note(self._part("checkpoint"))
        checkpoint = self._policy.accept(note).checkpoint
        question = self._question(checkpoint)
        numbers = sorted(int(match[1]) for each in names if (match := _ENTRY.fullmatch(each)))
        digests = [match[1] for each in names if (match := _DOCUMENT.fullmatch(each))]
        self._expect(names, question, numbers, digests)
        stated = stated_rows(question, self._part("answer.json"))
        with tempfile.TemporaryDirectory(prefix="authledger-evidence-") as folder:
            path = Path(folder) / "ledger.db"
            self._load(path, question, checkpoint, numbers)
            answer, sources = asked_again(path, self._catalogue, question, stated)
            documents, lacking = self._documents(path, digests)
        if answer_bytes(answer) != self._part("answer.json"):
            raise VerificationFailed("its entries give another answer than answer.json")
        if sources != numbers:
            raise VerificationFailed("its entries are not those that the answer's rows come from")
        notes = (*self._notes(question), *only_digests(lacking))
        return Evidence(question, answer, checkpoint, _unchecked(question), notes, documents)

    def _documents(self, path: Path, digests: Sequence[str]) -> tuple[dict[str, str], set[str]]:
        """The texts that came along: an entry refers to each, and each has its digest. And the
        digests of documents that entries refer to, and of which no text came along.
        """
        with closing(connect(uri_of(path, "ro"))) as connection:
            entries = connection.execute("SELECT CAST(entry AS BLOB) FROM events")
            referred = digests_in(entry for (entry,) in entries)
        found = {}
        for digest in digests:
            text = self._part(f"documents/{digest}.json", DOCUMENT_BYTES_MAX)
            if hashlib.sha256(text).hexdigest() != digest:
                raise VerificationFailed(f"documents/{digest}.json has another digest")
            if digest not in referred:
                raise VerificationFailed(f"no entry refers to documents/{digest}.json")
            found[digest] = text.decode()
        return found, referred - found.keys()

    def _names(self) -> list[str]:
        names = self._archive.namelist()
        if len(set(names)) != len(names):
            raise VerificationFailed("two of its parts have the same name")
        if any(each.compress_type not in _COMPRESSIONS for each in self._archive.infolist()):
            raise VerificationFailed("a part is compressed in a way that evidence never is")
        return names

    def _expect(
        self, names: list[str], question: Question, numbers: list[int], digests: list[str]
    ) -> None:
        wanted = {"question.json", "answer.json", "checkpoint", "VERIFY.md"}
        wanted |= {f"entries/{n}.json" for n in numbers}
        wanted |= {f"proofs/{n}.tlog-proof" for n in numbers}
        wanted |= {f"documents/{digest}.json" for digest in digests}
        wanted |= {"entries.jsonl"} if question.complete else set()
        if unexpected := sorted(wanted ^ set(names)):
            what = "is missing" if unexpected[0] in wanted else "does not belong in it"
            raise VerificationFailed(f"the part {unexpected[0]!r} {what}")

    def _part(self, name: str, limit: int = SMALL_BYTES_MAX) -> bytes:
        try:
            with self._archive.open(name) as part:
                data = part.read(limit + 1)
        except KeyError:
            raise VerificationFailed(f"the part {name!r} is missing") from None
        if len(data) > limit:
            raise VerificationFailed(f"the part {name!r} has more than {limit} bytes")
        return data

    def _question(self, checkpoint: Checkpoint) -> Question:
        question = _parse_question(self._part("question.json"))
        if not 0 <= question.position <= checkpoint.size:
            raise VerificationFailed(
                f"the question asks about position {question.position}, but the checkpoint covers "
                f"{checkpoint.size} entries"
            )
        if needs_every_entry(question.view, Result((), [()], 0)) and not question.complete:
            raise VerificationFailed(
                f"an answer of the view {question.view} needs complete evidence (every entry); ask "
                "for it with --complete"
            )
        return question

    def _load(
        self, path: Path, question: Question, checkpoint: Checkpoint, numbers: list[int]
    ) -> None:
        """Make a ledger of the entries, after their proofs were verified."""
        proven = {number: self._proven(number, checkpoint) for number in numbers}
        with closing(connect(uri_of(path, "rwc"), isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            for statement in SCHEMA:
                if statement.startswith("CREATE TABLE"):
                    connection.execute(statement)
            set_format(connection.cursor())
            if question.complete:
                _insert(connection, self._all(checkpoint))
            else:
                _insert(connection, proven.items())
            for number, entry in proven.items():
                _compare(connection, number, entry)
            _check_rows(connection)
            connection.execute("COMMIT")

    def _proven(self, number: int, checkpoint: Checkpoint) -> bytes:
        """The entry at a position, after its proof was verified."""
        entry = self._part(f"entries/{number}.json", ENTRY_BYTES_MAX)
        proof = parse_proof(self._part(f"proofs/{number}.tlog-proof"))
        accepted = verify_proof(proof, entry, self._policy)
        if (proof.index, accepted.checkpoint) != (number - 1, checkpoint):
            raise VerificationFailed(
                f"proofs/{number}.tlog-proof is of another position or another checkpoint"
            )
        return entry

    def _all(self, checkpoint: Checkpoint) -> Iterator[tuple[int, bytes]]:
        """Every entry with its position. Raises VerificationFailed, last if the root differs."""
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
                raise VerificationFailed(
                    f"entries.jsonl has more than the {checkpoint.size} entries of the checkpoint"
                )
        if frontier.root() != checkpoint.root:
            raise VerificationFailed(
                f"the {checkpoint.size} entries of entries.jsonl do not give the root of the checkpoint"
            )

    def _notes(self, question: Question) -> Iterator[str]:
        if question.rules != code_version():
            yield (
                f"The evidence was made with the rules {question.rules}; this program recomputed "
                f"the answer with its own, {code_version()}, and it is the same."
            )
        if question.catalogue != self._catalogue.version:
            yield (
                f"The evidence was made with the catalogue {question.catalogue}; this program "
                f"recomputed the answer with {self._catalogue.version}, and it is the same."
            )
        if self._part("VERIFY.md") != instructions():
            yield (
                "VERIFY.md in the evidence differs from this program's: read it before you run "
                "its commands."
            )


def _unchecked(question: Question) -> tuple[str, ...]:
    return (NOT_LATER,) if question.complete else (NOT_OTHERS, NOT_LATER)


def _parse_question(data: bytes) -> Question:
    """The question. Raises VerificationFailed if it is not valid, or not in canonical JSON."""
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
    raise VerificationFailed("question.json is not a valid question")


def _lines(part: IO[bytes], count: int) -> Iterator[bytes]:
    for _ in range(count):
        line = part.readline(ENTRY_BYTES_MAX + 1)
        if not line.endswith(b"\n"):
            raise VerificationFailed(
                "entries.jsonl ends too early, or one of its lines is too long"
            )
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
        raise VerificationFailed(
            f"the entry at position {position} cannot be read: {error}"
        ) from error


def _compare(connection: sqlite3.Connection, position: int, entry: bytes) -> None:
    row = connection.execute("SELECT entry FROM events WHERE position = ?", (position,)).fetchone()
    if row is None or row[0].encode() != entry:
        raise VerificationFailed(f"entries/{position}.json differs from the entry at that position")


def _check_rows(connection: sqlite3.Connection) -> None:
    """Check that each entry is canonical, so that every reader reads the same event in it."""
    rows = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM events ORDER BY position")
    for row in rows:
        entry = row[4].encode()
        if not fits(row, entry, ""):
            what = next(
                differences(row, entry, row[0] - 1, ""),
                "the entry is not written as the ledger writes it",
            )
            raise VerificationFailed(f"position {row[0]}: {what}")
