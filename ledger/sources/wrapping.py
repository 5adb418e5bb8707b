"""Unwraps records: services deliver a trace inside an event, a log line or a message of their own.

A source declares its wrappings as data: the path of keys to what is inside, and how it is written.
"""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import b64decode
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

from ledger.sources.fields import Record, Unreadable

WRAPPINGS_MAX: Final = 8
"""So many wrappings and envelopes may lie around a record: SQS, SNS and EventBridge are four."""
INSIDE_BYTES_MAX: Final = 1 << 26
"""The most bytes that compressed data in a wrapping may have, decompressed."""


class NotJson(Unreadable):
    """The text in a wrapping is not one JSON value. `text` may still have records; `place` is where
    it stands, for people: `in a log line: 'message'`.
    """

    def __init__(self, message: str, wrapping: Wrapping, text: str) -> None:
        super().__init__(message)
        self.name = wrapping.name
        self.place = wrapping.place
        self.text = text


class Wrapping(NamedTuple):
    """One way in which a record is wrapped: the keys that lead to it, and how it is written there.

    `written`: as a JSON value; or as a text that has JSON, or that has JSON in Base64 (it may be
    compressed by gzip within). A text in the place of a value is read as JSON, too.
    """

    name: str
    """The wrapping for people, as it follows "in": `a log line`."""
    path: tuple[str, ...]
    written: Literal["value", "text", "base64"] = "text"

    @property
    def place(self) -> str:
        """The place of the text, for people: `in a log line: 'message'`."""
        return f"in {self.name}: {'.'.join(self.path)!r}"

    def inside(self, record: Record) -> Any:
        """The value at the path; None if there is none."""
        found: Any = record
        for key in self.path:
            found = found.get(key) if isinstance(found, dict) else None
        return found

    def read(self, inside: Any) -> Any:
        """The JSON value inside. Raises Unreadable, which names the wrapping."""
        if isinstance(inside, str):
            return self._parsed(self._decoded(inside) if self.written == "base64" else inside)
        if self.written == "value" and isinstance(inside, dict | list):
            return inside
        raise self._unreadable("is not a text")

    def _parsed(self, given: str | bytes) -> Any:
        try:
            return json.loads(given)
        except RecursionError:
            raise self._unreadable("is nested too deeply") from None
        except ValueError as error:
            text = given if isinstance(given, str) else given.decode(errors="surrogateescape")
            message = str(self._unreadable(f"is not JSON ({error})"))
            raise NotJson(message, self, text) from None

    def _decoded(self, given: str) -> bytes:
        try:
            data = b64decode(given, validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._unreadable(f"is not Base64 ({error})") from None
        return self._inflated(data) if data.startswith(b"\x1f\x8b") else data

    def _inflated(self, data: bytes) -> bytes:
        inflater = zlib.decompressobj(wbits=31)
        try:
            text = inflater.decompress(data, INSIDE_BYTES_MAX)
        except zlib.error as error:
            raise self._unreadable(f"has damaged gzip data ({error})") from None
        if not inflater.eof:
            raise self._unreadable("has gzip data that ends early or is too long")
        return text

    def _unreadable(self, fault: str) -> Unreadable:
        return Unreadable(f"{self.place} {fault}")


class Inside(NamedTuple):
    """The values in a wrapping, and its name."""

    name: str
    values: Sequence[Any]


def unwrapped(
    value: Any, wrappings: Collection[Wrapping], envelopes: Collection[str]
) -> Inside | None:
    """The values inside a wrapped one; None if it is not wrapped.

    Raises Unreadable, which names the wrapping, if that can be seen but not what is inside.
    """
    if value and isinstance(value, list):
        return Inside("an array in an array", value)
    if not isinstance(value, dict):
        return None
    for wrapping in wrappings:
        inside = wrapping.inside(value)
        if wrapping.written == "base64" and not isinstance(inside, str):
            continue  # A key such as `data` may have anything.
        if inside not in (None, ""):
            return Inside(wrapping.name, [*_each(wrapping.read(inside), envelopes)])
    held = [key for key in envelopes if isinstance(value.get(key), dict | list)]
    if not held:
        return None
    values = [each for key in held for each in _each(value[key], envelopes)]
    return Inside(f"an envelope ({held[0]!r})", values)


def _each(value: Any, envelopes: Collection[str]) -> Iterator[Any]:
    """The elements of an array, or of arrays in it, also in an envelope; any other value itself."""
    if isinstance(value, dict):
        held = [value[key] for key in envelopes if isinstance(value.get(key), list)]
        value = [each for one in held for each in one] if held else value
    for each in value if isinstance(value, list) else [value]:
        yield from each if each and isinstance(each, list) else [each]
