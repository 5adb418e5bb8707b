"""The cells that a folded projection has of a span: names, ids, status, and who brought it about.

A thing whose name was never told is shown by its id. Text that is not known is empty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, TypeAlias

from ledger.folding import EXPIRY_NOTE, Content, Span, rules_of
from ledger.values import instant_text
from projections.history import rows
from projections.maintenance.facts import Account
from projections.projection import INFERRED, FoldedProjection

Cells: TypeAlias = dict[str, Any]
"""The cells of a row, by the names of the columns."""
Picked: TypeAlias = Callable[[Cells], tuple[Any, ...]]

_TRUSTED: Final = {"set": "trusted"}
"""The words of the views for those statuses of the fold that need their subject to be clear."""


class Shown:
    """Picks the cells of one projection: those of a whole row, those that identify it."""

    def __init__(self, projection: FoldedProjection) -> None:
        self.identity: Picked = itemgetter(*rows.identity(projection))
        self.stored: Picked = itemgetter(*(column.name for column in rows.stored(projection)))
        self.digested: Picked = itemgetter(*rows.digested_columns(projection))


def cells_of(account: Account, span: Span) -> Cells:
    """All cells of a span."""
    # One step for all: attributes of a span are looked up more slowly, and rows are many.
    (
        subject,
        thing,
        name,
        region,
        service,
        policy,
        policy_id,
        project_id,
        begin,
        end,
        _,
        since,
        actor,
        origin,
        position,
        note,
        value,
        content,
        expires,
    ) = span
    of_policy = subject == "policy"
    called, identity = name or thing, _id(account, thing, name)
    valid_from, word = instant_text(begin), value if isinstance(value, str) else ""
    return {
        "provider": account.provider,
        "account": account.account,
        "region": region or "",
        "agency": "" if of_policy else called,
        "agency_id": "" if of_policy else identity,
        "service": service or "",
        "policy": called if of_policy else policy or policy_id or "",
        "policy_id": identity if of_policy else _id(account, policy_id or "", policy),
        # Things of one name may have no id to tell them apart, and a project's id is not shown.
        "thing": f"{thing} {policy_id or ''} {project_id or ''}".rstrip(),
        "status": _status(span),
        "trustee": word,
        "boundary": word,
        "expires_at": instant_text(value) if isinstance(value, datetime) else None,
        **_document(content),
        "actor": actor or "",
        "origin": origin or INFERRED,
        "note": note or "",
        "since": None if since is None else valid_from if since is begin else instant_text(since),
        "position": position,
        "valid_from": valid_from,
        "until_at": None if end is None else instant_text(end),
        "begins_alone": int(_begins_alone(span)),
        "ends_alone": int(expires),
    }


def _status(span: Span) -> str:
    if span.subject == "boundary" and span.status == "set" and span.value is None:
        return "removed"
    return _TRUSTED.get(span.status, span.status) if span.subject == "trust" else span.status


def _document(content: Content | None) -> Cells:
    """The cells of the document in force."""
    if content is None:
        return _NO_DOCUMENT
    digest, version, since, position = content
    return {
        "document": digest or "",
        "document_version": version or "",
        "document_since": None if since is None else instant_text(since),
        "document_position": position,
    }


_NO_DOCUMENT: Final[Cells] = {
    "document": "",
    "document_version": "",
    "document_since": None,
    "document_position": None,
}


def _begins_alone(span: Span) -> bool:
    """Whether no call made it so: the agency expired at that instant."""
    return span.note == EXPIRY_NOTE and span.origin is None and span.since == span.valid_from


def _id(account: Account, thing: str, name: str | None) -> str:
    """The immutable id; empty if the fold's key of the thing is `name~begin` instead."""
    if (
        name is not None
        and "~" in thing
        and thing.startswith(f"{rules_of(account.provider).slot(name)}~")
    ):
        return ""
    return thing
