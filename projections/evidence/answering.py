"""Asks a question again of a ledger that was made from the entries in evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter

from ledger.catalogue import Catalogue
from ledger.errors import VerificationFailed
from projections.evidence.make import Question
from projections.evidence.sources import is_folded, source_positions
from projections.maintenance.runner import code_version
from projections.views import Result, Views

Cell: TypeAlias = str | int | None
Rows: TypeAlias = frozenset[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class _Stated:
    """The content of answer.json; the order of its rows is compared later."""

    columns: tuple[str, ...]
    rows: Rows


def stated_rows(question: Question, answer: bytes) -> Rows:
    """The rows of answer.json. Raises VerificationFailed if its columns are not the view's."""
    try:
        stated = TypeAdapter(_Stated).validate_json(answer, strict=True)
    except ValueError:
        raise VerificationFailed("answer.json is not a valid answer") from None
    if stated.columns != tuple(column.name for column in Views.columns(question.view)):
        raise VerificationFailed(
            f"answer.json has other columns than the view {question.view} of this program, so it "
            f"cannot be compared. The evidence was made with the rules {question.rules}; this "
            f"program has {code_version()}. Check it with the version of authledger that made it, "
            "or ask for new evidence"
        )
    return stated.rows


def asked_again(
    path: Path, catalogue: Catalogue, question: Question, stated: Rows
) -> tuple[Result, list[int]]:
    """The answer that a ledger's entries give, and the positions that it comes from.

    Without every entry, the ledger may lack facts of things that the stated rows are not about: the
    rows of these are left out.
    """
    with Views.open(path, catalogue) as views:
        views.catch_up()
        answer = views.read(question.view, as_of=question.as_of, where=question.where, exactly=True)
        if question.complete:
            return answer, source_positions(question.view, answer)
        if not answer.rows or not stated:
            raise VerificationFailed(
                "an empty answer needs complete evidence (every entry); ask for it with --complete"
            )
        if not is_folded(question.view):
            return answer, source_positions(question.view, answer)
        confirmed = [row for row in answer.rows if row in stated]
        origins = views.origins(question.view, confirmed, question.position)
        return replace(answer, rows=[*filter(origins.cover, answer.rows)]), origins.positions
