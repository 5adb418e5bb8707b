"""Content: the document that a policy, an inline permission or a trust has, and since when.

policy "etl"   created, document A ───── changed, document B ─────── version v1 in force again
content        A, v1, since 10           B, v2, since 20             A, v1, since 30

A change whose document no trace told is a change too: its digest is empty.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple

from ledger.account.truth.fact import NOT_TOLD, Call, Fact

_BEGINNINGS: Final = frozenset[Call]({"created", "granted", "trust set"})
"""The calls that say nothing of a document if they tell none, and nothing was known before."""


class Content(NamedTuple):
    """The digest of a document (empty: a change did not tell it), its version, since when.

    `position` is that of the fact that brought it; None if no single one did.
    """

    digest: str
    version: str | None
    since: datetime | None
    position: int | None


def first_content(fact: Fact) -> Content | None:
    """The content after a fact before which nothing was known; None if it says nothing of it."""
    if fact.document is None or (fact.document == NOT_TOLD and fact.call in _BEGINNINGS):
        return None
    return _content(fact)


def next_content(known: Content | None, fact: Fact) -> Content | None:
    """The content after a further fact. It is `known` itself if the fact changes nothing."""
    if fact.document is None:
        return known
    new = _content(fact)
    if is_repeated(known, new):
        return known
    nothing_before = known is None or not known.digest
    if not new.digest and nothing_before and fact.call in ("created", "trust set"):
        return known  # A trust has no document at all in some clouds.
    return new


def is_repeated(known: Content | None, new: Content | None) -> bool:
    """Whether a change says again what is known. One that tells nothing may be any change."""
    if known is None or new is None:
        return False
    return known[:2] == new[:2] and bool(new.digest or new.version)


def is_of_unknown_order(contents: list[Content | None]) -> bool:
    """Whether all documents were told, and only which of them came last is not known."""
    digests = {content.digest if content is not None else NOT_TOLD for content in contents}
    return len(digests) > 1 and NOT_TOLD not in digests


def agreed_content(contents: list[Content | None]) -> Content | None:
    """The content on which several explanations agree; without what they differ in."""
    known = [content for content in contents if content is not None]
    if not known:
        return None
    if len({content[:3] for content in known}) == 1 and len(known) == len(contents):
        return min(known, key=lambda content: content.position or 0)
    parts = (_one({content and content[part] for content in contents}) for part in range(3))
    digest, version, since = parts
    return Content(digest or NOT_TOLD, version if digest else None, since, None)


def _one(values: set[Any]) -> Any:
    """The only value of a set; None if there are several."""
    return next(iter(values)) if len(values) == 1 else None


def _content(fact: Fact) -> Content:
    """The content that a fact tells. It is not known which version is in force if none told it."""
    if fact.in_force is None and fact.version is not None and fact.call != "created":
        return Content(NOT_TOLD, None, fact.at, fact.position)
    return Content(fact.document or NOT_TOLD, fact.version, fact.at, fact.position)
