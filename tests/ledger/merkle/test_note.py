"""Signed notes: parsed strictly, and written back unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.note import (
    NOTE_BYTES_MAX,
    SIGNATURES_MAX,
    Note,
    Signature,
    format_note,
    parse_note,
)

# As c2sp.org/signed-note and c2sp.org/tlog-cosignature print them.
POEM = """\
Ognuno sta solo sul cuor della terra
trafitto da un raggio di sole:

ed è subito sera.

— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=
"""
CHECKPOINT = """\
example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
"""
LINE = "— example.com/log AAAAAAE=\n"

names = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="+"),
    min_size=1,
).filter(lambda name: not any(each.isspace() for each in name))
signatures = st.builds(
    Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)
)
texts = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n")).map(
    lambda text: text + "\n"
)
notes = st.builds(Note, texts, st.lists(signatures, min_size=1, max_size=5).map(tuple))


@pytest.mark.parametrize("printed", [POEM, CHECKPOINT])
def test_the_notes_of_the_specifications_are_read_and_written_the_same(printed: str) -> None:
    assert str(parse_note(printed.encode())) == printed


def test_the_text_ends_at_the_last_empty_line_and_signatures_name_their_keys() -> None:
    note = parse_note(POEM.encode())
    assert note.text == POEM[: POEM.index("\n— ")]
    assert [(each.name, len(each.signature)) for each in note.signatures] == [
        ("quasimodo.example/salvatore", 64)
    ]
    witness = parse_note(CHECKPOINT.encode()).signatures[1]
    assert witness.key_id == bytes.fromhex("8d66cf3f")
    assert int.from_bytes(witness.signature[:8], "big") == 1679315147


@given(note=notes)
def test_every_note_is_parsed_as_it_was_written(note: Note) -> None:
    assert parse_note(format_note(note).encode()) == note


@given(data=st.binary(max_size=60) | st.text(alphabet="a \n—+=A\t").map(str.encode))
def test_any_bytes_are_parsed_and_written_unchanged_or_refused(data: bytes) -> None:
    for each in (data, data + LINE.encode()):
        try:
            note = parse_note(each)
        except NoteInvalid:
            continue
        assert format_note(note).encode() == each


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "no empty line"),
        ("text\n", "no empty line"),
        ("text\n" + LINE, "no empty line"),
        ("text\n\n", "does not end with"),
        ("text\n\n" + LINE[:-1], "does not end with"),
        ("text\n\n" + LINE + "\n", "does not end with"),
        ("text\n\n" + LINE + "more\n", "not a signature line"),
        ("text\n\n" + LINE.replace("— ", "—"), "not a signature line"),
        ("text\n\n" + LINE.replace("— ", "- "), "not a signature line"),
        ("text\n\n" + LINE.replace("— ", "\N{EN DASH} "), "not a signature line"),
        ("text\n\n" + LINE.replace("— ", "—  "), "not a valid key name"),
        ("text\n\n— name\n", "not a signature line"),
        ("text\n\n— a+b AAAAAAE=\n", "not a valid key name"),
        ("text\n\n— a\N{NO-BREAK SPACE}b AAAAAAE=\n", "not a valid key name"),
        ("text\n\n— a\N{LINE SEPARATOR}b AAAAAAE=\n", "not a valid key name"),
        ("text\n\n— name  AAAAAAE=\n", "not base64"),
        ("text\n\n— name AAAAAAE= \n", "not base64"),
        ("text\n\n— name AAAAAAE\n", "not base64"),
        ("text\n\n— name AAAA_AE=\n", "not base64"),
        ("text\n\n— name AAAAAAF=\n", "not base64 in its standard form"),
        ("text\n\n— name AAAAAA==\n", "is empty"),
        ("text\n\n— name \n", "is empty"),
        ("text\r\n\n" + LINE, "control character"),
        ("te\txt\n\n" + LINE, "control character"),
        ("te\0xt\n\n" + LINE, "control character"),
        (b"te\xffxt\n\n" + LINE.encode(), "not UTF-8"),
        (b"te\xed\xa0\x80xt\n\n" + LINE.encode(), "not UTF-8"),
        ("text\n\n" + LINE * (SIGNATURES_MAX + 1), "101 signatures"),
        ("x" * NOTE_BYTES_MAX + "\n\n" + LINE, "are read"),
    ],
)
def test_a_malformed_note_is_refused(data: str | bytes, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        parse_note(data if isinstance(data, bytes) else data.encode())


def test_a_hundred_signatures_are_read() -> None:
    assert len(parse_note(("text\n\n" + LINE * SIGNATURES_MAX).encode()).signatures) == 100


@pytest.mark.parametrize(
    "note",
    [
        Note("text\n", ()),
        Note("text", (Signature("name", bytes(4), b"s"),)),
        Note("text\n", (Signature("a name", bytes(4), b"s"),)),
        Note("text\n", (Signature("name", bytes(3), b"s"),)),
        Note("text\n", (Signature("name\n\n— x", bytes(4), b"s"),)),
        Note("te\ud800xt\n", (Signature("name", bytes(4), b"s"),)),
    ],
)
def test_a_note_that_could_not_be_parsed_again_is_refused(note: Note) -> None:
    with pytest.raises(NoteInvalid):
        format_note(note)
