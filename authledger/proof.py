"""Evidence: an answer and its proofs in one file, made from a ledger and checked without it."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authledger import rows
from authledger.answer import Answer, declared
from ledger.catalogue import load_catalogue
from ledger.errors import InvalidInput
from ledger.merkle.signing import Verifier
from ledger.verification.verdict import verifier_of
from projections.definitions.declared import declared_name
from projections.evidence.check import check
from projections.evidence.make import Evidence as Made


@dataclass(frozen=True, slots=True)
class Evidence:
    """A question, its answer, and the signed checkpoint that covers the answer."""

    question: str
    """The view, its conditions and the instant, in words."""
    answer: Answer[Any]
    origin: str
    """The log's name, which its checkpoint begins with."""
    size: int
    """How many entries the checkpoint covers."""
    complete: bool
    """Whether every entry goes along. Without that it is not shown that there was nothing else."""
    remarks: tuple[str, ...] = ()
    """Clauses that name what was not checked."""
    notes: tuple[str, ...] = ()
    """Sentences that a reader of the answer should know."""
    documents: Mapping[str, str] = field(default_factory=dict)
    """The texts of the policy documents that came along, by the digest in the entries."""


def verify_evidence(
    path: Path | str, keys: Iterable[str], *, catalogue: Path | str | None = None
) -> Evidence:
    """Check a file of evidence against verifier keys, and return the answer in it.

    Needs no ledger. `keys` are the log's verifier keys, as its owner gave them to you; none is
    taken from the file. `catalogue` is a folder of further services, if the ledger has one.
    Raises VerificationFailed, which says what does not hold; NotFound; InvalidInput for a key.
    """
    trusted = verifiers(keys)
    if not trusted:
        raise InvalidInput(
            "No verifier key was given, so anybody may have made this evidence.",
            remedy="Ask the log's owner for the key: `authledger log key show` prints it there.",
        )
    folder = None if catalogue is None else Path(catalogue)
    return evidence_of(check(Path(path), trusted, load_catalogue(folder)))


def verifiers(keys: Iterable[str]) -> list[Verifier]:
    """The verifier keys; one key may be given by itself. Raises InvalidInput."""
    return [verifier_of(key) for key in ([keys] if isinstance(keys, str) else keys)]


def evidence_of(made: Made) -> Evidence:
    view = made.question.view
    return Evidence(
        question=str(made.question),
        answer=declared(rows.ROWS[declared_name(view)], made.answer),
        origin=made.checkpoint.origin,
        size=made.checkpoint.size,
        complete=made.question.complete,
        remarks=made.remarks,
        notes=made.notes,
        documents=made.documents,
    )


def question_of(view: str, where: Mapping[str, str]) -> str:
    """A question as evidence spells it: `VIEW column=value …`, quoted as in a shell."""
    return shlex.join([view, *(f"{column}={value}" for column, value in where.items())])
