"""An answer with what it stands on, in one file that a stranger can check without the ledger.

    question.json           the view, its conditions, the instant, the rules it was answered by
    answer.json             the rows
    checkpoint              the log's signed checkpoint, verbatim
    entries/4711.json       each entry that a row stands on, by its exact bytes
    proofs/4711.tlog-proof  that it is in the log, at that position
    entries.jsonl           complete evidence only: every entry that the checkpoint covers
    VERIFY.md               the check by openssl and sha256sum alone

Inclusion proofs show that facts were recorded, never that nothing else was. An answer of no rows,
or one that counts or combines, therefore takes all entries: who checks computes the log's root
from them, builds the views again, and asks the same question. No key is taken from the file, and
names of people are not in it.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Final

from ledger.application import Ledger
from ledger.asof import AsOf
from ledger.catalogue import Catalogue
from ledger.entry_check import COLUMNS, differences, fits
from ledger.errors import InvalidInput, LedgerError, NotFound, VerificationFailed
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import EvidenceInvalid
from ledger.merkle.note import format_note, parse_note
from ledger.merkle.policy import Policy, trusting
from ledger.merkle.signing import Verifier
from ledger.merkle.tiles import TILE_WIDTH, append
from ledger.merkle.tlogproof import format_proof, parse_proof, verify_proof
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.persistence.schema import SCHEMA
from ledger.proofs import inclusion, signed_checkpoint
from ledger.values import instant, instant_text
from projections.declared import PROJECTIONS
from projections.runner import code_version
from projections.views import Result, Views

ENTRY_BYTES_MAX: Final = 65_535
SMALL_BYTES_MAX: Final = 64 * 2**20
"""How much of any other part is read: a small file may unfold to a huge one."""
PAGE: Final = 2_560

_ENTRY = re.compile(r"entries/([1-9][0-9]{0,17})\.json")


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of which view, known up to which position; `effective_at` is RFC 3339."""

    view: str
    where: Mapping[str, str]
    position: int
    effective_at: str | None = None
    complete: bool = False
    """Whether every entry goes along, so that absence is shown as well."""
    rules: str = field(default_factory=code_version)
    catalogue: str = ""

    @property
    def as_of(self) -> AsOf:
        at = None if self.effective_at is None else instant(self.effective_at)
        return AsOf(self.position, at)

    def __str__(self) -> str:
        conditions = "".join(f" {name}={shlex.quote(text)}" for name, text in self.where.items())
        return f"{self.view}{conditions}, {self.as_of}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question, its answer, and the checkpoint that it was held against."""

    question: Question
    answer: Result
    checkpoint: Checkpoint
    remarks: tuple[str, ...] = ()


def parse_question(text: str) -> tuple[str, dict[str, str]]:
    """`VIEW column=value …`, quoted as in a shell. Raises InvalidInput, NotFound."""
    try:
        view, *words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is no question.", remedy=_FORM) from error
    where = dict(word.partition("=")[::2] for word in words if "=" in word)
    if len(where) != len(words):
        raise InvalidInput(f"{text!r}: each condition is column=value, once.", remedy=_FORM)
    Views.columns(view)
    if view not in Views.names():
        raise NotFound(f"{view} is not kept; ask one of: {', '.join(Views.names())}.")
    return view, where


_FORM = "Such as: 'region_agencies region=cn-north-4 agency=asm_admin_trust'."


# -- making --------------------------------------------------------------------------------------


def make(
    ledger: Ledger,
    views: Views,
    text: str,
    path: Path,
    *,
    when: AsOf | None = None,
    complete: bool = False,
) -> Evidence:
    """Answer a question (`when` None: now) and write the evidence to `path`.

    Raises InvalidInput, NotFound, also where no checkpoint covers what was asked for.
    """
    view, where = parse_question(text)
    note, checkpoint = signed_checkpoint(ledger.entries)
    position = when.position if when else ledger.last_position()
    if position > checkpoint.size:
        raise NotFound(
            f"No checkpoint covers position {position}: the newest is of {checkpoint.size} entries.",
            remedy="`authledger log checkpoint` signs one.",
        )
    effective_at = instant_text(when.effective_at) if when and when.effective_at else None
    catalogue = ledger.catalogue.version
    question = Question(view, where, position, effective_at, complete, catalogue=catalogue)
    answer = views.read(view, as_of=question.as_of, where=where)
    question = replace(question, complete=complete or _takes_all(view, answer))
    with _replacing(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "question.json", _canonical(asdict(question)))
        _add(archive, "answer.json", _answer(answer))
        _add(archive, "checkpoint", format_note(note).encode())
        _add(archive, "VERIFY.md", _instructions())
        for number in _stands_on(view, answer):
            entry = ledger.entry_text(number).encode(errors="surrogateescape")
            _add(archive, f"entries/{number}.json", entry)
            proof = format_proof(inclusion(ledger.entries, number))
            _add(archive, f"proofs/{number}.tlog-proof", proof.encode())
        if question.complete:
            with archive.open(_named("entries.jsonl"), "w", force_zip64=True) as lines:
                for entry in _entries(ledger, checkpoint.size):
                    lines.write(entry + b"\n")
    return Evidence(question, answer, checkpoint)


def _takes_all(view: str, answer: Result) -> bool:
    """Whether the answer is more than its rows' own entries say."""
    return not answer.rows or view not in PROJECTIONS or bool(PROJECTIONS[view].counters)


def _stands_on(view: str, answer: Result) -> list[int]:
    """The positions of the entries that the rows tell of themselves."""
    return sorted({row[-1] for row in answer.rows}) if view in PROJECTIONS else []


def _entries(ledger: Ledger, size: int) -> Iterator[bytes]:
    for first in range(1, size + 1, PAGE):
        last = min(first + PAGE - 1, size)
        for each in ledger.entries.select_notifications(first, PAGE, stop=last):
            yield bytes(each.state)


def _named(name: str) -> zipfile.ZipInfo:
    """The same file gives the same bytes: no time, no user."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_named(name), data)


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """The file is there whole, or as it was before."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _canonical(fields: object) -> bytes:
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def _answer(result: Result) -> bytes:
    return _canonical({"columns": result.columns, "rows": result.rows})


def _instructions() -> bytes:
    return files("projections").joinpath("VERIFY.md").read_bytes()


# -- checking ------------------------------------------------------------------------------------


def check(path: Path, keys: Sequence[Verifier], catalogue: Catalogue) -> Evidence:
    """Hold evidence against keys that are known from elsewhere. Needs no ledger.

    Raises VerificationFailed, which says what does not hold, and NotFound.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _Check(archive, trusting(keys), catalogue).all()
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.") from error
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise VerificationFailed(f"{path} cannot be read as evidence: {error}") from error
    except EvidenceInvalid as error:
        raise VerificationFailed(f"{path} is not verified: {error}") from error
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
        if _answer(answer) != self._part("answer.json"):
            raise VerificationFailed("the entries give another answer than answer.json says")
        if _stands_on(question.view, answer) != numbers:
            raise VerificationFailed("the entries in it are not those that the answer stands on")
        return Evidence(question, answer, checkpoint, tuple(self._remarks(question)))

    def _names(self) -> list[str]:
        names = self._archive.namelist()
        if len(set(names)) != len(names):
            raise VerificationFailed("a part stands in it twice")
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
        if _takes_all(question.view, Result((), [()], 0)) and not question.complete:
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
        if self._part("VERIFY.md") != _instructions():
            yield "its VERIFY.md is not this program's: read it before you run what it says"
        yield "what happened after the checkpoint, and what the ledger was never told"


def _asked(data: bytes) -> Question:
    """The question, if it is one that can be asked, in the one form that it is written in."""
    try:
        question = Question(**json.loads(data))
        str(question)
        columns = {column.name for column in Views.columns(question.view)}
        if (
            _canonical(asdict(question)) == data
            and type(question.position) is int
            and question.view in Views.names()
            and question.where.keys() <= columns
        ):
            return question
    except (ValueError, TypeError, AttributeError, LedgerError):
        pass
    raise VerificationFailed("question.json is no question")


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
