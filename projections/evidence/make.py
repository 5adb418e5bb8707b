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
import shlex
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.errors import InvalidInput, NotFound
from ledger.log.prover import inclusions, signed_checkpoint
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.note import format_note
from ledger.merkle.tlogproof import format_proof
from ledger.values import instant, instant_text
from projections.definitions.declared import PROJECTIONS, declared_name
from projections.maintenance.runner import code_version
from projections.views import Result, Views

PAGE: Final = 2_560


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
    view = declared_name(view)
    Views.columns(view)
    if view not in Views.names():
        raise NotFound(f"{view} is not kept; ask one of: {', '.join(Views.names())}.")
    return view, where


_FORM = "Such as: 'regions region=cn-north-4 agency=asm_admin_trust'."


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
    # The position first: another process may append, and catch the views up, before the next line.
    position = when.position if when else views.reached()
    note, checkpoint = signed_checkpoint(ledger.entries)
    if position > checkpoint.size:
        raise NotFound(
            f"No checkpoint covers position {position}: the newest is of {checkpoint.size} entries.",
            remedy="`authledger log checkpoint` signs one.",
        )
    effective_at = instant_text(when.effective_at) if when and when.effective_at else None
    catalogue = ledger.catalogue.version
    question = Question(view, where, position, effective_at, complete, catalogue=catalogue)
    answer = views.read(view, as_of=question.as_of, where=where)
    question = replace(question, complete=complete or takes_all(view, answer))
    with (
        durable_file.replacing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        _add(archive, "question.json", canonical(asdict(question)))
        _add(archive, "answer.json", answer_bytes(answer))
        _add(archive, "checkpoint", format_note(note).encode())
        _add(archive, "VERIFY.md", instructions())
        numbers = stands_on(view, answer)
        proofs = inclusions(ledger.entries, note, checkpoint, numbers)
        for number, proof in zip(numbers, proofs, strict=True):
            entry = ledger.entry_text(number).encode(errors="surrogateescape")
            _add(archive, f"entries/{number}.json", entry)
            _add(archive, f"proofs/{number}.tlog-proof", format_proof(proof).encode())
        if question.complete:
            with archive.open(_named("entries.jsonl"), "w", force_zip64=True) as lines:
                for entry in _entries(ledger, checkpoint.size):
                    lines.write(entry + b"\n")
    return Evidence(question, answer, checkpoint)


def takes_all(view: str, answer: Result) -> bool:
    """Whether the answer is more than its rows' own entries say."""
    projection = PROJECTIONS.get(declared_name(view))
    return not answer.rows or projection is None or bool(projection.counters)


def stands_on(view: str, answer: Result) -> list[int]:
    """The positions of the entries that the rows tell of themselves."""
    return sorted({row[-1] for row in answer.rows}) if declared_name(view) in PROJECTIONS else []


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


def canonical(fields: object) -> bytes:
    """The one form in which a question or an answer is written."""
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def answer_bytes(result: Result) -> bytes:
    """An answer as it is kept and compared."""
    return canonical({"columns": result.columns, "rows": result.rows})


def instructions() -> bytes:
    """How to check without this program."""
    return files("projections").joinpath("VERIFY.md").read_bytes()
