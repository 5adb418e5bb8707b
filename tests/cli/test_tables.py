"""Tables on a terminal: no word is broken at any width, and what is left out is said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.main import app
from cli.printing.layout import GAP, layout
from cli.printing.text import width_of, wrapped
from tests.cli.conftest import BEIJING, SINGAPORE, Cli

TRACES = Path(__file__).parents[3] / "shared" / "data" / "cloudtrail-invictus"
LISTINGS = (
    "view regions", "view agencies", "view trustees", "view policies", "view authorizations",
    "view usage", "view logins", "view attempts", "view capabilities", "audit trail --limit 20",
    "audit why --agency {agency}", "audit diff @1", "authorization list", "agency list",
    "policy list", "subject list", "projection status",
    "query 'SELECT * FROM regions'", "query 'SELECT * FROM audit_trail LIMIT 5'",
)  # fmt: skip


class Terminal(io.StringIO):
    """An output that says of itself that it is a terminal."""

    def isatty(self) -> bool:
        return True


Shown = Callable[[str, int], tuple[str, str]]


@pytest.fixture
def shown(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Shown:
    """A function that returns the output of a command on a terminal of a width, and its notes."""

    def run(line: str, width: int) -> tuple[str, str]:
        import shlex

        out, err = Terminal(), io.StringIO()
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdout", out)
            patched.setattr("sys.stderr", err)
            patched.setenv("COLUMNS", str(width))
            patched.setenv("NO_COLOR", "1")
            patched.setenv("TERM", "dumb")
            code = app(shlex.split(line), standalone_mode=False)
        assert code == 0, err.getvalue()
        return out.getvalue(), err.getvalue()

    assert isinstance(cli, Cli)
    return run


@pytest.fixture
def wide(cli: Cli) -> str:
    """Names that are long, of wide characters, and from right to left; the first agency's name."""
    cli.authorize(BEIJING, "alice")
    cli.authorize(SINGAPORE, "arn:aws:iam::123837392027:user/bert-jan")
    for name in ("stratus-red-team-ec2-get-password-data-role", "北京网格代理服务", "وكالة"):
        policy = f"arn:aws:iam::123837392027:policy/of-{name}"
        cli.done(f"agency create {name} --trustee service:asm --policy {policy} --actor 太郎")
    cli("agency delete asm_admin_trust --actor mallory")
    cli(f"feature use mesh --region {BEIJING} --actor bob")
    return "stratus-red-team-ec2-get-password-data-role"


def words_of(cli: Cli, line: str) -> set[str]:
    """Every word of the plain output, of the column names and of the json."""
    words = set(cli.done(line).out.split())
    words |= {word.lower() for word in words}
    columns: dict[str, object] = next(iter(cli.done(f"{line} -o json").json), {})
    return words | {word for column in columns for word in column.split("_")} | set(columns)


def unknown_words(text: str, known: set[str]) -> set[str]:
    plain = text.replace("\u2068", "").replace("\u2069", "").replace("─", "")
    return set(plain.split()) - known


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("line", LISTINGS)
def test_no_word_is_broken_at_any_width(
    cli: Cli, wide: str, shown: Shown, line: str, width: int
) -> None:
    asked = line.format(agency=wide)
    out, _ = shown(asked, width)
    assert out
    assert unknown_words(out, words_of(cli, asked)) == set()


@pytest.mark.skipif(
    not TRACES.is_dir(), reason="needs ../shared (third-party data), which is not here"
)
@pytest.mark.parametrize("line", LISTINGS)
def test_no_word_of_real_traces_is_broken(
    cli: Cli, shown: Shown, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    monkeypatch.delenv("AUTHLEDGER_ACCOUNT")
    cli.done(f"import cloudtrail {TRACES}")
    asked = line.format(agency="stratus-red-team-usr-data-role")
    for width in (80, 120, 200):
        out, _ = shown(asked, width)
        assert unknown_words(out, words_of(cli, asked)) == set()


def test_a_column_with_one_value_is_left_out_first_and_its_value_said(
    wide: str, shown: Shown
) -> None:
    out, notes = shown("view capabilities", 80)
    assert "0a1b2c3d4e5f" not in out
    assert "In every row: account 0a1b2c3d4e5f" in notes
    assert "--columns NAME,NAME, -o json or a wider terminal" in notes
    assert wide


def test_the_least_telling_columns_are_left_out_next_and_named(wide: str, shown: Shown) -> None:
    out, notes = shown("agency list", 90)
    assert out.split()[0] == "agency"
    assert "Left out to fit 90 columns: agency id" in notes
    assert wide


def test_rows_that_do_not_fit_are_printed_as_blocks(cli: Cli, wide: str, shown: Shown) -> None:
    out, notes = shown("view agencies", 50)
    blocks = out.strip().split("\n\n")
    assert len(blocks) == len(cli.done("view agencies -o json").json)
    assert f"agency      {wide}" in out
    assert "Left out" not in notes


def test_every_column_is_whole_where_no_terminal_reads(
    cli: Cli, wide: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    said = cli.done("view agencies")
    assert len(said.lines) == 1 + len(cli.done("view agencies -o json").json)
    assert wide in said.out
    assert "Left out" not in said.err


def test_a_replayed_sentence_wraps_at_spaces_on_a_terminal(cli: Cli, shown: Shown) -> None:
    cli.authorize()
    out, _ = shown("audit replay", 60)
    assert max(map(len, out.splitlines())) <= 60
    assert unknown_words(out, set(cli.done("audit replay").out.split())) == set()


# -- the columns that a user chooses -------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("view regions", "service,region,actor_name"),
        ("view", "view"),
        ("audit trail", "what,position,recorded_at"),
        ("audit why --region cn-north-4", "event,what"),
        ("audit diff @1", "after,what"),
        ("audit replay", "change,position"),
        ("authorization list", "status,service"),
        ("agency list", "since,agency"),
        ("policy list", "policy"),
        ("subject list", "name,kind"),
        ("projection status", "behind,name"),
        ("query 'SELECT 1 AS a, 2 AS b'", "b,a"),
        ("catalogue list", "features,code"),
    ],
)
def test_the_chosen_columns_are_printed_in_every_form(cli: Cli, line: str, columns: str) -> None:
    cli.authorize()
    wanted = columns.split(",")
    asked = f"{line} --columns {columns}"
    objects = cli.done(f"{asked} -o json").json
    assert objects
    assert {tuple(row) for row in objects} == {tuple(wanted)}
    assert [json.loads(text) for text in cli.done(f"{asked} -o jsonl").lines] == objects
    rows = list(csv.reader(io.StringIO(cli.done(f"{asked} -o csv").out)))
    assert rows[0] == wanted
    heading = cli.done(asked).lines[0].lower().split()
    assert heading == [word for name in wanted for word in name.split("_")]


def test_a_column_that_does_not_exist_is_refused(cli: Cli) -> None:
    cli.authorize()
    said = cli("view regions --columns region,stats")
    assert said.code == 2
    assert "The column 'stats' is not valid." in said.err
    assert "Did you mean 'status'?" in said.err
    assert "actor_name" in said.err
    assert cli("view attempts --columns nonsense").code == 2
    assert cli("view regions --columns ''").code == 2


# -- the layout ----------------------------------------------------------------------------------

SINCE = "2026-03-01T09:30:00Z"


def test_nothing_is_left_out_of_a_table_that_fits() -> None:
    fitted = layout(("region", "status"), [["a", "granted"], ["a", "granted"]], 80)
    assert (fitted.kept, fitted.widths, fitted.alike) == ((0, 1), (6, 7), ())


def test_a_status_of_every_row_is_left_out_last() -> None:
    names = ("status", "account", "agency")
    rows = [["granted", "0a1b2c3d4e5f", name] for name in ("one", "two")]
    fitted = layout(names, rows, 20)
    assert [names[index] for index in fitted.alike] == ["account"]


def test_a_position_is_left_out_of_a_view_and_not_of_the_trail() -> None:
    rows = [["1", SINCE, "a" * 20], ["2", SINCE[:-1] + "z", "b" * 20]]
    of_a_view = layout(("position", "since", "agency"), rows, 45)
    assert of_a_view.dropped == (0,)
    assert layout(("position", "happened", "agency"), rows, 45).widths is None


def test_a_sentence_takes_the_space_that_the_others_leave() -> None:
    fitted = layout(("position", "what"), [["1", "word " * 40]], 60)
    assert fitted.widths == (8, 60 - 8 - GAP)


CELLS = st.text(st.sampled_from("ab 北é\u0301"), max_size=30)


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=5),
    st.integers(10, 120),
    st.booleans(),
)
def test_a_layout_fits_and_breaks_no_word(
    rows: list[tuple[str, ...]], width: int, whole: bool
) -> None:
    names = ("since", "position", "agency_id")
    fitted = layout(names, rows, width, whole=whole)
    assert sorted((*fitted.kept, *fitted.alike, *fitted.dropped)) == [0, 1, 2]
    if fitted.widths is None:
        return
    assert sum(fitted.widths) + GAP * (len(fitted.widths) - 1) <= width
    for index, column in zip(fitted.kept, fitted.widths, strict=True):
        for text in (names[index].replace("_", " "), *(row[index] for row in rows)):
            assert all(width_of(word) <= column for word in text.split())


@given(CELLS, st.integers(1, 20))
def test_a_wrapped_text_has_the_same_words(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(width_of(line) <= width or " " not in line.strip() for line in lines)
