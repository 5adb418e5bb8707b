"""The text of a file: plain or gzip, in any encoding, read piece by piece."""

from __future__ import annotations

import gzip
import random
import zlib
from pathlib import Path

import pytest

from ledger.sources import files
from ledger.sources.files import Broken, files_of, pieces_of, stored_bytes

TEXT = 'é "half 名" 𝄞 end'
PIECES = [2, 3, 7, 64, 1 << 18]


def read(path: Path) -> tuple[str, str]:
    """The text of a file up to where it can be read, and the break there."""
    found = []
    try:
        for piece in pieces_of(path, lambda _: None):
            found.append(piece)  # noqa: PERF402  A break may follow.
    except Broken as broken:
        return "".join(found), f"{broken.place}: {broken}"
    return "".join(found), ""


def _noise(length: int) -> bytes:
    """Letters that hardly compress; the same ones each time."""
    letters = random.Random(1)
    return bytes(letters.randrange(32, 127) for _ in range(length))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.json"


@pytest.fixture(params=PIECES, autouse=True)
def piece_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    size: int = request.param
    monkeypatch.setattr(files, "PIECE_BYTES", size)
    return size


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("text", [TEXT, "x", "é", ""])
def test_a_text_is_read_in_every_encoding_that_its_first_bytes_tell(
    path: Path, text: str, encoding: str
) -> None:
    path.write_bytes(text.encode(encoding))
    assert read(path) == (text, "")
    path.write_bytes(gzip.compress(text.encode(encoding)))
    assert read(path) == (text, "")


@pytest.mark.parametrize("order", ["le", "be"])
def test_a_byte_order_mark_tells_the_order_of_bytes(path: Path, order: str) -> None:
    path.write_bytes(f"\ufeff{TEXT}".encode(f"utf-16-{order}"))
    assert read(path) == (TEXT, "")
    path.write_bytes(f"\ufeff{TEXT}".encode(f"utf-16-{order}")[:-1])
    assert read(path) == (TEXT[:-1], "at its end: the UTF-16 text ends within a character")


def test_bytes_that_are_not_valid_become_surrogates(path: Path) -> None:
    path.write_bytes(b"a\xffb\xc3")
    assert read(path) == ("a\udcffb\udcc3", "")
    path.write_bytes("\ufeffa\ud800b".encode("utf-16-le", "surrogatepass"))
    assert read(path) == ("a\ud800b", "")


@pytest.mark.parametrize("padding", [b"", b"\0", b"\0" * 100])
def test_the_members_of_a_gzip_file_are_one_text(path: Path, padding: bytes) -> None:
    members = [gzip.compress(part.encode()) for part in (TEXT, "", TEXT, "x" * 5_000)]
    path.write_bytes(padding.join(members) + padding)
    assert read(path) == (TEXT + TEXT + "x" * 5_000, "")


@pytest.mark.parametrize("garbage", [b"garbage", b"\x1f", b"\x1fx", b"\0\0garbage"])
def test_bytes_behind_a_gzip_text_are_reported_with_their_place(path: Path, garbage: bytes) -> None:
    member = gzip.compress(TEXT.encode())
    path.write_bytes(member + garbage)
    broken = f"byte {len(member)}: bytes that are not gzip follow the gzip data"
    assert read(path) == (TEXT, broken)


def test_a_gzip_text_that_ends_early_is_read_up_to_its_end(path: Path) -> None:
    whole = gzip.compress(TEXT.encode())
    for length in range(len(files.GZIP_MAGIC), len(whole)):
        path.write_bytes(whole[:length])
        text, broken = read(path)
        assert TEXT.encode().startswith(text.encode("utf-8", "surrogateescape"))
        assert broken == f"byte {length}: the gzip data ends early"


def test_a_long_gzip_text_that_ends_early_is_read_up_to_its_last_stored_byte(path: Path) -> None:
    whole = gzip.compress(_noise(20) * 100)
    for length in range(len(whole) // 2, len(whole)):
        path.write_bytes(whole[:length])
        at_once = zlib.decompressobj(wbits=31).decompress(whole[:length]).decode()
        assert read(path) == (at_once, f"byte {length}: the gzip data ends early")


def test_a_damaged_gzip_text_is_reported(path: Path) -> None:
    whole = bytearray(gzip.compress(TEXT.encode()))
    whole[-8] ^= 0xFF  # The checksum.
    path.write_bytes(whole)
    broken = read(path)[1]
    assert broken.startswith("byte ")
    assert " or later: the gzip data is damaged (" in broken


def test_a_small_gzip_file_with_a_long_text_is_read_in_pieces(path: Path, piece_bytes: int) -> None:
    path.write_bytes(gzip.compress(b"x" * 50_000))
    sizes = [len(piece) for piece in pieces_of(path, lambda _: None)]
    assert sum(sizes) == 50_000
    assert max(sizes) <= max(piece_bytes, 4)


def test_a_gzip_member_that_ends_where_a_piece_ends_is_whole(path: Path, piece_bytes: int) -> None:
    text = "x" * min(piece_bytes, 1_000)
    path.write_bytes(gzip.compress(text.encode()) * 3)
    assert read(path) == (text * 3, "")


def test_a_gzip_member_may_repeat_a_text_from_far_back(path: Path) -> None:
    noise = _noise(30_000)
    path.write_bytes(gzip.compress(noise * 2) * 2)
    assert read(path) == ((noise * 4).decode(), "")


def test_progress_is_the_stored_bytes_of_each_piece(path: Path, piece_bytes: int) -> None:
    stored = gzip.compress(TEXT.encode() * 10)
    path.write_bytes(stored)
    seen: list[int] = []
    list(pieces_of(path, seen.append))
    assert sum(seen) == len(stored) == stored_bytes([path])
    assert max(seen) <= piece_bytes


def test_a_later_gzip_member_is_not_read_whole_before_its_first_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "PIECE_BYTES", 64)
    path, seen = tmp_path / "a.json.gz", list[int]()
    path.write_bytes(gzip.compress(b"x") + gzip.compress(_noise(20_000)))
    pieces = pieces_of(path, seen.append)
    while "".join(next(pieces)) in ("", "x"):
        pass
    assert sum(seen) < 1_000


def test_a_stream_without_a_header_is_not_gzip(path: Path) -> None:
    stored = zlib.compress(b"x")
    path.write_bytes(stored)
    assert read(path) == (stored.decode("utf-8", "surrogateescape"), "")


def test_the_files_of_folders_are_sorted_and_given_files_keep_their_order(tmp_path: Path) -> None:
    for name in (
        "b/2.json",  # Neither the order of creation nor its reverse is the sorted one.
        "b/1.JSON.GZ",
        "a/x.jsonl",
        "a/x.jsonl.gz",
        "a/x.ndjson",
        "a/y.ndjson.gz",
        "d/z.json",
        "c.json",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    for name in ("a/x.txt", "a/x.json.zip", "b/json", "a/x.ndjson.gz.bak"):
        (tmp_path / name).write_text("x")
    found = [str(path.relative_to(tmp_path)) for path in files_of([tmp_path])]
    assert found == [
        "c.json", "a/x.jsonl", "a/x.jsonl.gz", "a/x.ndjson", "a/y.ndjson.gz", "b/1.JSON.GZ", "b/2.json",
        "d/z.json",
    ]  # fmt: skip
    given = [tmp_path / "c.json", tmp_path / "a/x.txt", tmp_path / "b"]
    assert [path.name for path in files_of(given)] == ["c.json", "x.txt", "1.JSON.GZ", "2.json"]


def test_missing_files_count_as_empty(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("xyz")
    assert stored_bytes([tmp_path / "a.json", tmp_path / "absent.json"]) == 3
