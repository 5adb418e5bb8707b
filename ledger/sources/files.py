"""Opens trace files: plain or gzip by their first bytes, folders walked, text a piece at a time."""

from __future__ import annotations

import codecs
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

PIECE_BYTES: Final = 1 << 18
"""How much is read, and inflated, at a time."""
ENDINGS: Final = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""Which files of a folder are taken. A file given by name is taken whatever it is called."""
GZIP_MAGIC: Final = b"\x1f\x8b"

OnProgress = Callable[[int], None]
"""Told how many bytes were just read from a file, as they are stored: compressed ones."""


class Broken(Exception):
    """A file cannot be read on from some place."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message


def files_of(paths: Iterable[Path]) -> Iterator[Path]:
    """The files to read, in a stable order: those given, and the trace files of folders given."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (
                Path(folder, name) for name in sorted(names) if name.lower().endswith(ENDINGS)
            )


def stored_bytes(paths: Iterable[Path]) -> int:
    """How much there is to read, for a progress bar; files that are not there count nothing."""
    return sum(path.stat().st_size for path in files_of(paths) if path.is_file())


def pieces_of(path: Path, on_progress: OnProgress) -> Iterator[str]:
    """A file's text. Raises OSError, and Broken where compressed data is damaged or ends early, or
    where UTF-16 ends within a character.

    Bytes that are not in the text's encoding become lone surrogates: they spoil the value that they
    stand in, and not the file.
    """
    with path.open("rb") as file:
        stored = _stored(file, on_progress)
        head = next(stored, b"")
        chunks = _inflated(head, stored) if head.startswith(GZIP_MAGIC) else _chained(head, stored)
        first = _whole_mark(chunks)
        decoder = _decoder_of(first)
        yield decoder.decode(first)
        for chunk in chunks:
            yield decoder.decode(chunk)
        try:
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            raise Broken("at its end", "the UTF-16 text ends within a character") from error


def _whole_mark(chunks: Iterator[bytes]) -> bytes:
    """The first chunk, with what follows if it is shorter than a byte order mark."""
    first = next(chunks, b"")
    while len(first) < len(codecs.BOM_UTF8) and (more := next(chunks, b"")):
        first += more
    return first


def _decoder_of(first: bytes) -> codecs.IncrementalDecoder:
    """By the byte order mark; without one, UTF-8."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("surrogatepass")
    return codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")


def _stored(file: BinaryIO, on_progress: OnProgress) -> Iterator[bytes]:
    while chunk := file.read(PIECE_BYTES):
        on_progress(len(chunk))
        yield chunk


def _chained(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _inflated(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip file (RFC 1952), one after another; zeros after the last are padding.

    What is inflated at once is bounded too: a small file may hold a very long text.
    """
    inflater = zlib.decompressobj(wbits=31)
    waiting, taken = head, 0
    while True:
        try:
            chunk = inflater.decompress(waiting, PIECE_BYTES)
        except zlib.error as error:
            raise Broken(f"byte {taken} or later", f"the gzip data is damaged ({error})") from error
        left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        taken += len(waiting) - len(left)
        waiting = left
        if chunk:
            yield chunk
        if inflater.eof:
            waiting = _next_member(waiting, rest)
            if not waiting:
                return
            if not waiting.startswith(GZIP_MAGIC):
                raise Broken(f"byte {taken}", "something else follows after the gzip data")
            inflater = zlib.decompressobj(wbits=31)
        elif not waiting and len(chunk) < PIECE_BYTES:
            waiting = next(rest, b"")
            if not waiting:
                raise Broken(f"byte {taken}", "the gzip data ends early")


def _next_member(waiting: bytes, rest: Iterator[bytes]) -> bytes:
    """What follows a member after its padding: enough to know what it is; empty at the end."""
    waiting = waiting.lstrip(b"\0")
    while len(waiting) < len(GZIP_MAGIC):
        more = next(rest, b"")
        if not more:
            break
        waiting = (waiting + more).lstrip(b"\0")
    return waiting
