"""Makes evidence: an answer and its proofs in one file, which anybody can check without the ledger.

    question.json           the view, its conditions, the instant, the version of the rules
    answer.json             the rows
    checkpoint              the log's signed checkpoint, verbatim
    entries/4711.json       each entry that a row comes from or follows from, byte for byte
    proofs/4711.tlog-proof  the proof that it is in the log, at that position
    entries.jsonl           complete evidence only: every entry that the checkpoint covers
    documents/<digest>.json each document that the entries refer to, if its text is kept
    VERIFY.md               how to check it with openssl and sha256sum alone

Inclusion proofs show that facts were recorded, never that no others were. An answer without rows,
or one that counts or combines, therefore needs every entry: the checker computes the log's root
from them, builds the views again, and asks the same question. A row of a folded view follows from
all facts of its thing, which the checker folds again. The file holds no key that is believed, and
no names of people but those that stand in a document. Its text has the digest by which the entries
refer to it, so it needs no proof of its own.
"""

from __future__ import annotations

import json
import shlex
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from typing import Final

from ledger import durable_file
from ledger.application import Ledger
from ledger.as_of import AsOf
from ledger.documents import FIELDS, is_text_of
from ledger.errors import InvalidInput, NotFound, VerificationFailed
from ledger.log.prover import inclusions, signed_checkpoint
from ledger.merkle.checkpoint import Checkpoint
from ledger.merkle.invalid import ProofInvalid
from ledger.merkle.note import Note, format_note
from ledger.merkle.proofs import verify_inclusion
from ledger.merkle.tlogproof import format_proof
from ledger.merkle.tree import Frontier, leaf_hash
from ledger.values import instant, instant_text
from projections.definitions.declared import declared_name
from projections.evidence.sources import sources_of
from projections.maintenance.runner import code_version
from projections.views import Result, Views

_NAMED: Final = 10
"""How many documents without a text are named in notes."""
PAGE: Final = 2_560


@dataclass(frozen=True, slots=True)
class Question:
    """A question: a view, conditions, and the position up to which entries count.

    `effective_at` is an RFC 3339 time, or None.
    """

    view: str
    where: Mapping[str, str]
    position: int
    effective_at: str | None = None
    complete: bool = False
    """Whether the file holds every entry, so that it also proves what is absent."""
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
    """A question, its answer, the checkpoint that covers it, and what was not checked."""

    question: Question
    answer: Result
    checkpoint: Checkpoint
    remarks: tuple[str, ...] = ()
    """The clauses that follow on "Not checked: "."""
    notes: tuple[str, ...] = ()
    """Sentences that a reader of the answer should know."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """The texts of documents that came along, by digest."""


def parse_question(text: str) -> tuple[str, dict[str, str]]:
    """Parse `VIEW column=value …`, quoted as in a shell. Raises InvalidInput, NotFound."""
    try:
        view, *words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput(f"{text!r} is not a valid question.", remedy=_FORM) from error
    where = dict(word.partition("=")[::2] for word in words if "=" in word)
    if len(where) != len(words):
        raise InvalidInput(
            f"{text!r} is not a valid question: write each condition as column=value, and each "
            "column once.",
            remedy=_FORM,
        )
    view = declared_name(view)
    Views.columns(view)
    if view not in Views.names():
        raise NotFound(
            f"{view} cannot be used as evidence; choose one of: {', '.join(Views.names())}."
        )
    return view, where


_FORM = "For example: 'regions region=cn-north-4 agency=asm_admin_trust'."


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

    Raises InvalidInput; NotFound, also if no checkpoint covers the position; VerificationFailed if
    the ledger's entries do not match its checkpoint. Then no file is written.
    """
    view, where = parse_question(text)
    # The position first: another process may append and catch up the views before the next line.
    position = when.position if when else views.reached()
    note, checkpoint = signed_checkpoint(ledger.entries)
    if position > checkpoint.size:
        raise NotFound(
            f"No checkpoint covers position {position}: the newest covers {checkpoint.size} entries.",
            remedy="Sign one that does: authledger log checkpoint",
        )
    effective_at = instant_text(when.effective_at) if when and when.effective_at else None
    catalogue = ledger.catalogue.version
    question = Question(view, where, position, effective_at, complete, catalogue=catalogue)
    answer = views.read(view, as_of=question.as_of, where=where, exactly=True)
    sources = sources_of(views, view, answer, complete=complete)
    question = replace(question, complete=sources.complete)
    with (
        durable_file.replacing(path) as file,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        _add(archive, "question.json", canonical(asdict(question)))
        _add(archive, "answer.json", answer_bytes(answer))
        _add(archive, "checkpoint", format_note(note).encode())
        _add(archive, "VERIFY.md", instructions())
        _add_proofs(archive, ledger, note, checkpoint, sources.positions)
        digests = digests_in(_entries(ledger, sources.positions))
        if question.complete:
            digests |= _add_every_entry(archive, ledger, checkpoint)
        lacking = digests - _add_documents(archive, ledger, digests)
    notes = (*sources.notes, *only_digests(lacking))
    return Evidence(question, answer, checkpoint, notes=notes)


def _add_proofs(
    archive: zipfile.ZipFile,
    ledger: Ledger,
    note: Note,
    checkpoint: Checkpoint,
    positions: Sequence[int],
) -> None:
    """Add entries and their inclusion proofs. Raises VerificationFailed if a proof fails."""
    proofs = inclusions(ledger.entries, note, checkpoint, positions)
    for proof, entry, position in zip(proofs, _entries(ledger, positions), positions, strict=True):
        try:
            verify_inclusion(
                leaf_hash(entry), proof.index, checkpoint.size, proof.hashes, checkpoint.root
            )
        except ProofInvalid as error:
            raise _altered(f"position {position} does not match the checkpoint: {error}") from error
        _add(archive, f"entries/{position}.json", entry)
        _add(archive, f"proofs/{position}.tlog-proof", format_proof(proof).encode())


def _entries(ledger: Ledger, positions: Sequence[int]) -> Iterator[bytes]:
    return (ledger.entry_text(each).encode(errors="surrogateescape") for each in positions)


def _add_every_entry(archive: zipfile.ZipFile, ledger: Ledger, checkpoint: Checkpoint) -> set[str]:
    """Add all entries that the checkpoint covers; return the digests of documents in them.

    Raises VerificationFailed if the root differs.
    """
    frontier, digests = Frontier(), set[str]()
    with archive.open(_zip_info("entries.jsonl"), "w", force_zip64=True) as lines:
        for page in _pages(ledger, checkpoint.size):
            frontier.extend(map(leaf_hash, page))
            digests |= digests_in(page)
            for entry in page:
                lines.write(entry + b"\n")
    if (frontier.size, frontier.root()) != (checkpoint.size, checkpoint.root):
        raise _altered(
            f"its {frontier.size} entries do not give the root of the checkpoint of "
            f"{checkpoint.size} entries."
        )
    return digests


def _add_documents(archive: zipfile.ZipFile, ledger: Ledger, digests: set[str]) -> set[str]:
    """Add the texts that are kept; return their digests. Raises VerificationFailed if one has
    another digest.
    """
    added = set()
    for digest in sorted(digests):
        row = ledger.entries.select_documents([digest]).get(digest)
        if row is None:
            continue
        if not is_text_of(digest, row.size, row.text):
            raise _altered(f"the text of the document {digest} has another digest.")
        _add(archive, f"documents/{digest}.json", row.text.encode())
        added.add(digest)
    return added


def only_digests(lacking: Collection[str]) -> Iterator[str]:
    """A note for the first documents whose text does not go along, and one for the others."""
    for digest in sorted(lacking)[:_NAMED]:
        yield (
            f"Of the document {digest} only the digest is known here: its text was erased, was not "
            "kept, or was left out."
        )
    if len(lacking) > _NAMED:
        yield f"The same holds of {len(lacking) - _NAMED} more documents."


def digests_in(entries: Iterable[bytes]) -> set[str]:
    """The digests of the documents that entries refer to."""
    found = set()
    for entry in entries:
        if b'document":"' in entry:
            fields = json.loads(entry)
            found |= {fields[name] for name in FIELDS if name in fields}
    return found


def _altered(what: str) -> VerificationFailed:
    return VerificationFailed(
        f"The ledger was altered: {what}",
        remedy="No evidence was written. To list all that was altered: authledger log verify",
    )


def _pages(ledger: Ledger, size: int) -> Iterator[list[bytes]]:
    for first in range(1, size + 1, PAGE):
        last = min(first + PAGE - 1, size)
        page = ledger.entries.select_notifications(first, PAGE, stop=last)
        yield [bytes(each.state) for each in page]


def _zip_info(name: str) -> zipfile.ZipInfo:
    """Without time and user, so that the same evidence gives the same bytes."""
    info = zipfile.ZipInfo(name)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system, info.external_attr = 3, 0o644 << 16
    return info


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(_zip_info(name), data)


def canonical(fields: object) -> bytes:
    """The canonical JSON of a question or an answer, in one line."""
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def answer_bytes(result: Result) -> bytes:
    """An answer as it is stored and compared."""
    return canonical({"columns": result.columns, "rows": result.rows})


def instructions() -> bytes:
    """VERIFY.md: how to check evidence without this program."""
    return files("projections").joinpath("VERIFY.md").read_bytes()
