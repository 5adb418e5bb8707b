"""The digest of the same rows is the same for every JSON writer."""

from __future__ import annotations

import json

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from projections.maintenance.digest import digest_of_lines, digest_of_rows

texts = st.text(
    st.one_of(
        st.sampled_from('"\\/\x01\x0b\x1f\x7f\x85\u2028\u202e\ufeff\n'),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    )
)
rows = st.lists(st.tuples(texts, texts, st.integers(0, 2**63 - 1)))


@given(rows, st.booleans())
def test_lines_with_other_escapes_have_the_same_digest(
    given_rows: list[tuple[str, str, int]], ascii_only: bool
) -> None:
    lines = (
        json.dumps(row, separators=(",", ":"), ensure_ascii=ascii_only) + "\n" for row in given_rows
    )
    assert digest_of_lines(lines) == digest_of_rows(given_rows)


@given(texts, texts, st.integers(0, 2**63 - 1))
def test_lines_written_by_duckdb_have_the_same_digest(one: str, other: str, number: int) -> None:
    asked = "SELECT json_array($1::VARCHAR, $2::VARCHAR, $3::BIGINT) || chr(10)"
    line = duckdb.execute(asked, [one, other, number]).fetchone()
    assert line is not None
    assert digest_of_lines(line) == digest_of_rows([(one, other, number)])


def test_the_size_of_batches_does_not_change_the_digest() -> None:
    of_rows = [(f"é{number}", number) for number in range(2_500)]
    lines = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in of_rows]
    assert digest_of_lines(lines) == digest_of_rows(of_rows)
    assert digest_of_rows(of_rows)[0] == len(of_rows)
    assert digest_of_lines(lines[:-1]) != digest_of_rows(of_rows)
