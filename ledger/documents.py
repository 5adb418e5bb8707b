"""Policy documents: their canonical form, and the digest by which events refer to them.

A document is kept once, beside the events, under the SHA-256 of its canonical form (RFC 8785). Two
spellings of one document, with other white space or in another order of keys, are one document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

import rfc8785

DOCUMENT_BYTES_MAX: Final = 262_144
"""A longer document is known by its digest and size alone: no cloud's own limit is as high."""


FIELDS: Final = ("document", "trust_document", "session_document")
"""The fields of events that hold a document's digest."""


def digests_of(event: object) -> Iterator[str]:
    """The digests of the documents that an event refers to."""
    return (digest for field in FIELDS if (digest := getattr(event, field, None)))


def is_text_of(digest: object, size: object, text: object) -> bool:
    """Whether a stored text is the one whose digest and size these are."""
    if not isinstance(text, str):
        return False
    written = text.encode(errors="surrogateescape")
    return (hashlib.sha256(written).hexdigest(), len(written)) == (digest, size)


class Document(NamedTuple):
    """A document's digest and size in bytes; and its text, if it is JSON that is not too long."""

    digest: str
    size: int
    text: str | None


def document_of(given: object) -> Document | None:
    """The document in a trace's field: an object, JSON text, or URL-encoded JSON text.

    None if the field has none: it is missing, empty, or says that the cloud left it out. A text
    that is not JSON has the digest of its own bytes, and is not kept.
    """
    if isinstance(given, str):
        return _of_text(given.strip())
    if not isinstance(given, dict | list) or not given or _is_left_out(given):
        return None
    return _of_value(given, "")


def _of_text(given: str) -> Document | None:
    if not given or given == "null":
        return None
    try:
        value = json.loads(unquote(given) if given.startswith(("%7B", "%5B")) else given)
    except (ValueError, RecursionError):
        return _known_by_digest(given)
    if not isinstance(value, dict | list):
        return _known_by_digest(given)
    return None if _is_left_out(value) else _of_value(value, given)


def _is_left_out(value: object) -> bool:
    return isinstance(value, dict) and value.keys() == {"omitted"}


def _of_value(value: Any, given: str) -> Document:
    try:
        canonical = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, RecursionError, UnicodeError):
        return _known_by_digest(given or json.dumps(value, sort_keys=True))
    kept = canonical.decode() if len(canonical) <= DOCUMENT_BYTES_MAX else None
    return Document(hashlib.sha256(canonical).hexdigest(), len(canonical), kept)


def _known_by_digest(given: str) -> Document:
    written = given.encode(errors="surrogatepass")
    return Document(hashlib.sha256(written).hexdigest(), len(written), None)
