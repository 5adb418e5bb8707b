"""The digest of the same rows is the same for every JSON writer, and for every order of arrival."""

from __future__ import annotations

import json
from typing import Any

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from projections.definitions.logins import LOGINS
from projections.definitions.policies import POLICIES
from projections.maintenance.digest import (
    digest_of_lines,
    digest_of_rows,
    digested_columns,
    facts_columns,
)

texts = st.text(
    st.one_of(
        st.sampled_from('"\\/\x01\x0b\x1f\x7f\x85\u2028\u202e\ufeff\n'),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    )
)
numbers = st.integers(0, 2**63 - 1)
rows = st.lists(st.tuples(*[texts] * 4, *[numbers] * 4, texts, numbers))
"""Rows of the projection `logins`; the last column is the position."""


def line(row: tuple[Any, ...], *, ascii_only: bool = False) -> str:
    return json.dumps(row, separators=(",", ":"), ensure_ascii=ascii_only) + "\n"


@given(rows, st.booleans())
def test_lines_with_other_escapes_have_the_same_digest(
    given_rows: list[tuple[Any, ...]], ascii_only: bool
) -> None:
    lines = [
        (line(row, ascii_only=ascii_only), line(row[:-1], ascii_only=ascii_only))
        for row in given_rows
    ]
    assert digest_of_lines(lines) == digest_of_rows(LOGINS, given_rows)


@given(texts, texts, numbers)
def test_lines_written_by_duckdb_have_the_same_digest(one: str, other: str, number: int) -> None:
    asked = (
        "SELECT json_array($1, $2, $1, $1, $3, $3, $3, $3, $1, $3) || chr(10), "
        "json_array($1, $2, $1, $1, $3, $3, $3, $3, $1) || chr(10) "
        "FROM (SELECT $1::VARCHAR AS one, $2::VARCHAR AS other, $3::BIGINT AS number)"
    )
    lines = duckdb.execute(asked, [one, other, number]).fetchall()
    row = (one, other, one, one, number, number, number, number, one, number)
    assert digest_of_lines(lines) == digest_of_rows(LOGINS, [row])


def test_the_size_of_batches_does_not_change_the_digest() -> None:
    of_rows = [(f"é{number}", "", "", "", 0, 0, 0, 0, "", number) for number in range(2_500)]
    lines = [(line(row), line(row[:-1])) for row in of_rows]
    assert digest_of_lines(lines) == digest_of_rows(LOGINS, of_rows)
    assert digest_of_rows(LOGINS, of_rows).rows == len(of_rows)
    assert digest_of_lines(lines[:-1]) != digest_of_rows(LOGINS, of_rows)


def policy(account: str, name: str, **other: Any) -> tuple[Any, ...]:
    known = dict.fromkeys(digested_columns(POLICIES), "")
    known |= {"provider": "aws", "account": account, "policy": name} | other
    return tuple(known.values())


def test_the_digest_of_facts_leaves_out_people_and_positions() -> None:
    """They are random in each ledger, and depend on the order of arrival."""
    assert set(digested_columns(POLICIES)) - set(facts_columns(POLICIES)) == {
        "actor",
        "position",
        "document_position",
    }
    here = [policy("a", "p", actor="p-1", position=1), policy("a", "q", position=2)]
    there = [policy("a", "q", position=1), policy("a", "p", actor="p-2", position=2)]
    mine, theirs = (digest_of_rows(POLICIES, each) for each in (here, there))
    assert mine.facts == theirs.facts
    assert mine.full != theirs.full
    other = digest_of_rows(POLICIES, [*here, policy("b", "p")])
    assert other.facts != mine.facts


def test_the_rows_of_one_account_may_come_in_any_order() -> None:
    """No engine has to sort them as another one does."""
    found = [policy("a", "p"), policy("a", "é", since=None), policy("a", "q", since="2026")]
    assert digest_of_rows(POLICIES, found) == digest_of_rows(POLICIES, reversed(found))
