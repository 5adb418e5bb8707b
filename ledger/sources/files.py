"""Finds trace files in folders, and reads them piece by piece: plain text or gzip."""

from __future__ import annotations

import codecs
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

PIECE_BYTES: Final = 1 << 18
"""The number of bytes that are read, and decompressed, at a time."""
ENDINGS: Final = (".json", ".json.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz")
"""The files of a folder that are read. A file that was given by its name is always read."""
GZIP_MAGIC: Final = b"\x1f\x8b"

OnProgress = Callable[[int], None]
"""Told how many bytes were just read from a file, as they are stored: compressed ones."""
OnBytes = Callable[[bytes], object]
"""Told these bytes themselves."""


def ignored(_: bytes) -> None:
    """Ignore a file's bytes."""


class Broken(Exception):
    """A file cannot be read at some place.

    `skipped` bytes of its text, from `begins` on, are not read; None if that is not known. After
    them the file is read on, unless it is `to_end`.
    """

    def __init__(
        self,
        place: str,
        message: str,
        *,
        begins: str = "",
        skipped: int | None = None,
        to_end: bool = False,
    ) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.begins = begins
        self.skipped = skipped
        self.to_end = to_end

    def in_full(self) -> str:
        """The message, with the bytes that are not read."""
        if not self.skipped:
            return self.message
        what = "1 byte is" if self.skipped == 1 else f"{self.skipped} bytes are"
        end = ", to the end" if self.to_end else ""
        return f"{self.message}; {what} not read: from {self.begins} on{end}"


def files_of(paths: Iterable[Path], passed_over: Counter[str] | None = None) -> Iterator[Path]:
    """The files to read, in a stable order: given files, and the trace files in given folders.

    The other files in given folders are counted in `passed_over`, by the ending of their names.
    """
    others: Counter[str] = Counter() if passed_over is None else passed_over
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            for name in sorted(names):
                if name.lower().endswith(ENDINGS):
                    yield Path(folder, name)
                else:
                    others[_ending(name)] += 1


def _ending(name: str) -> str:
    """The ending of a file's name, also before that of a packed one: `*.log.gz`."""
    endings = Path(name.lower()).suffixes[-2 if name.lower().endswith(".gz") else -1 :]
    return f"*{''.join(endings)}" if endings else "(without an ending)"


def stored_bytes(paths: Iterable[Path]) -> int:
    """The number of bytes to read, for a progress bar. Missing files count as empty."""
    return sum(path.stat().st_size for path in files_of(paths) if path.is_file())


def pieces_of(path: Path, on_progress: OnProgress, on_bytes: OnBytes = ignored) -> Iterator[str]:
    """A file's text. Raises OSError, and Broken where compressed data is damaged or ends early, or
    where UTF-16 ends within a character. `on_bytes` is called with all stored bytes, also with
    those that follow a damaged place.

    Bytes that are not valid in the text's encoding become lone surrogates: only the value that has
    them is malformed, not the file.
    """
    with path.open("rb") as file:
        stored = _stored(file, on_progress, on_bytes)
        try:
            yield from _text(stored)
        except Broken:
            for _ in stored:
                pass
            raise


def _text(stored: Iterator[bytes]) -> Iterator[str]:
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
        raise Broken(
            "at its end", "the UTF-16 text ends within a character", to_end=True
        ) from error


def _whole_mark(chunks: Iterator[bytes]) -> bytes:
    """The first chunk, with what follows if it is shorter than a byte order mark."""
    first = next(chunks, b"")
    while len(first) < len(codecs.BOM_UTF8) and (more := next(chunks, b"")):
        first += more
    return first


def _decoder_of(first: bytes) -> codecs.IncrementalDecoder:
    """The decoder that the byte order mark asks for; without a mark, UTF-8."""
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return codecs.getincrementaldecoder("utf-16")("surrogatepass")
    return codecs.getincrementaldecoder("utf-8-sig")("surrogateescape")


def _stored(file: BinaryIO, on_progress: OnProgress, on_bytes: OnBytes) -> Iterator[bytes]:
    while chunk := file.read(PIECE_BYTES):
        on_progress(len(chunk))
        on_bytes(chunk)
        yield chunk


def _chained(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest


def _inflated(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """All members of a gzip file (RFC 1952), one after another; zeros after the last are padding.

    At most PIECE_BYTES are decompressed at a time: a small file may hold a very long text.
    """
    inflater = zlib.decompressobj(wbits=31)
    waiting, taken = head, 0
    while True:
        try:
            chunk = inflater.decompress(waiting, PIECE_BYTES)
        except zlib.error as error:
            raise Broken(
                f"byte {taken} or later", f"the gzip data is damaged ({error})", to_end=True
            ) from error
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
                message = "bytes that are not gzip follow the gzip data"
                raise Broken(f"byte {taken}", message, to_end=True)
            inflater = zlib.decompressobj(wbits=31)
        elif len(chunk) < PIECE_BYTES:  # No output is pending: all of the input is consumed.
            waiting = next(rest, b"")
            if not waiting:
                raise Broken(f"byte {taken}", "the gzip data ends early", to_end=True)


def _next_member(waiting: bytes, rest: Iterator[bytes]) -> bytes:
    """The bytes behind a member and its padding, enough to know GZIP_MAGIC; empty at the end."""
    waiting = waiting.lstrip(b"\0")
    while len(waiting) < len(GZIP_MAGIC):
        more = next(rest, b"")
        if not more:
            break
        waiting = (waiting + more).lstrip(b"\0")
    return waiting
