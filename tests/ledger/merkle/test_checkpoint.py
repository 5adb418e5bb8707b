"""The checkpoint's text: three lines, each in one standard form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.merkle.checkpoint import SIZE_MAX, Checkpoint, parse_checkpoint
from ledger.merkle.invalid import NoteInvalid
from ledger.merkle.tree import EMPTY_ROOT

# As c2sp.org/tlog-checkpoint prints it.
ROOT = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="
PRINTED = f"example.com/behind-the-sofa\n20852163\n{ROOT}\n"

lines = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1)
checkpoints = st.builds(
    Checkpoint,
    lines,
    st.integers(1, SIZE_MAX),
    st.binary(min_size=32, max_size=32),
    st.lists(lines, max_size=3).map(tuple),
)


def test_the_checkpoint_of_the_specification_is_read_and_written_the_same() -> None:
    checkpoint = parse_checkpoint(PRINTED)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex()[:8] == "0ac5186a"
    assert checkpoint.text() == PRINTED


@given(checkpoint=checkpoints)
def test_every_checkpoint_is_parsed_as_it_was_written(checkpoint: Checkpoint) -> None:
    assert parse_checkpoint(checkpoint.text()) == checkpoint


def test_extension_lines_are_read() -> None:
    assert parse_checkpoint(PRINTED + "one\ntwo\n").extensions == ("one", "two")


def test_an_empty_log_has_a_checkpoint() -> None:
    checkpoint = Checkpoint("origin", 0, EMPTY_ROOT)
    assert parse_checkpoint(checkpoint.text()) == checkpoint


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("20852163", "020852163", "not a decimal"),
        ("20852163", "+20852163", "not a decimal"),
        ("20852163", "-1", "not a decimal"),
        ("20852163", " 20852163", "not a decimal"),
        ("20852163", "20_852_163", "not a decimal"),
        ("20852163", "٢", "not a decimal"),
        ("20852163", "", "not a decimal"),
        ("20852163", "0x1", "not a decimal"),
        ("20852163", str(2**63), "not a decimal"),
        ("20852163", "9" * 5000, "not a decimal"),
        ("20852163", "0", "empty log"),
        (ROOT, ROOT[:-1], "not base64"),
        (ROOT, ROOT.replace("/", "_"), "not base64"),
        (ROOT, ROOT.replace("2I=", "2J="), "not base64 in its standard form"),
        (ROOT, ROOT + " ", "not base64"),
        (ROOT, ROOT[4:], "29 bytes"),
        (ROOT, "", "0 bytes"),
        ("example.com/behind-the-sofa", "", "is empty"),
        ("example.com/behind-the-sofa\n", "", "three lines"),
        (f"{ROOT}\n", ROOT, "three lines"),
        (f"{ROOT}\n", f"{ROOT}\n\n", "is empty"),
        (f"{ROOT}\n", f"{ROOT}\none\n\ntwo\n", "is empty"),
        ("\n", "\r\n", "not a decimal"),
    ],
)
def test_a_malformed_checkpoint_is_refused(was: str, becomes: str, message: str) -> None:
    with pytest.raises(NoteInvalid, match=message):
        parse_checkpoint(PRINTED.replace(was, becomes))


@pytest.mark.parametrize(
    ("origin", "size", "extensions"),
    [("", 1, ()), ("a\nb", 1, ()), ("a", -1, ()), ("a", 2**63, ()), ("a", 1, ("",))],
)
def test_a_checkpoint_that_could_not_be_parsed_again_is_refused(
    origin: str, size: int, extensions: tuple[str, ...]
) -> None:
    with pytest.raises(NoteInvalid):
        Checkpoint(origin, size, bytes(32), extensions)
