"""Signed notes as text (c2sp.org/signed-note): parsed strictly, and written back unchanged.

    text, one or more lines⏎
    ⏎
    — name base64(key id, 4 bytes ‖ signature)⏎      once or more

Do not believe a note before `ledger.merkle.signing` has verified it.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import Final

from ledger.merkle.invalid import NoteInvalid

NOTE_BYTES_MAX: Final = 1_000_000
SIGNATURES_MAX: Final = 100
"""The specification requires at least 16."""

_SIGNATURE_START = "— "  # U+2014 and one space.
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID_BYTES = 4


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line: the name and the key id say which key claims to have signed."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        return f"{_SIGNATURE_START}{self.name} {base64_text(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its final line end, and all signature lines in their order."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return format_note(self)


def format_note(note: Note) -> str:
    """The whole note as text. Raises NoteInvalid if the result could not be parsed again."""
    written = f"{note.text}\n" + "".join(each.line() for each in note.signatures)
    try:
        data = written.encode()
    except UnicodeEncodeError as error:
        raise NoteInvalid(f"The note cannot be written as UTF-8: {error}.") from error
    if parse_note(data) != note:
        raise NoteInvalid("The text and its signatures cannot be distinguished.")
    return written


def parse_note(data: bytes) -> Note:
    """The inverse of `format_note`. The text ends at the last empty line. Raises NoteInvalid."""
    if len(data) > NOTE_BYTES_MAX:
        raise NoteInvalid(f"The note has {len(data)} bytes; at most {NOTE_BYTES_MAX} are read.")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteInvalid(f"The note is not UTF-8: {error}.") from error
    if control := _CONTROL.search(whole):
        raise NoteInvalid(f"The note has a control character: {control[0]!r}.")
    text, empty_line, signatures = whole.rpartition("\n\n")
    if not empty_line:
        raise NoteInvalid("The note has no empty line before its signatures.")
    if not signatures.endswith("\n"):
        raise NoteInvalid("The note does not end with a signature and a line end.")
    lines = signatures[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise NoteInvalid(
            f"The note has {len(lines)} signatures; at most {SIGNATURES_MAX} are read."
        )
    return Note(text + "\n", tuple(_signature(line) for line in lines))


def check_name(name: str) -> None:
    """Raises NoteInvalid if a key cannot have this name."""
    if not name or "+" in name or any(each.isspace() or each < " " for each in name):
        raise NoteInvalid(
            f"{name!r} is not a valid key name: it is empty, or has a space, a plus sign or a "
            "control character."
        )


def base64_text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def base64_bytes(text: str, about: str) -> bytes:
    """Decode base64 in its one standard form, with padding. Raises NoteInvalid."""
    try:
        data = b64decode(text, validate=True)
    except ValueError as error:
        raise NoteInvalid(f"{about} is not base64: {text[:100]!r}.") from error
    if base64_text(data) != text:  # Unused bits are set: a second text for the same bytes.
        raise NoteInvalid(f"{about} is not base64 in its standard form: {text[:100]!r}.")
    return data


def _signature(line: str) -> Signature:
    start, rest = line[: len(_SIGNATURE_START)], line[len(_SIGNATURE_START) :]
    name, space, encoded = rest.partition(" ")
    if start != _SIGNATURE_START or not space:
        raise NoteInvalid(f"This is not a signature line: {line[:100]!r}.")
    check_name(name)
    data = base64_bytes(encoded, f"The signature of {name}")
    if len(data) <= _KEY_ID_BYTES:
        raise NoteInvalid(f"The signature of {name} is empty.")
    return Signature(name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:])
