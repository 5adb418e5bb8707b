"""Documents: one canonical form, one digest, whichever way a trace writes them."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.documents import DOCUMENT_BYTES_MAX, document_of

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"}]}
CANONICAL = '{"Statement":[{"Action":"s3:*","Effect":"Allow"}],"Version":"2012-10-17"}'

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)


@pytest.mark.parametrize(
    "given_as",
    [
        POLICY,
        json.dumps(POLICY),
        json.dumps(POLICY, indent=4),
        json.dumps(dict(reversed(POLICY.items()))),
        quote(json.dumps(POLICY)),
        f" {json.dumps(POLICY)}\n",
    ],
)
def test_a_document_is_the_same_in_every_spelling(given_as: object) -> None:
    digest = hashlib.sha256(CANONICAL.encode()).hexdigest()
    assert document_of(given_as) == (digest, len(CANONICAL), CANONICAL)


@pytest.mark.parametrize(
    "nothing", [None, "", "  ", "null", {}, [], 7, True, {"omitted": True}, '{"omitted": true}']
)
def test_a_field_without_a_document_has_none(nothing: object) -> None:
    assert document_of(nothing) is None


@pytest.mark.parametrize("text", ["not json", '"a text"', "12", '{"Version":', "[" * 100_000])
def test_a_text_that_is_not_a_document_is_known_by_its_own_digest(text: str) -> None:
    found = document_of(text)
    assert found == (hashlib.sha256(text.encode()).hexdigest(), len(text), None)


def test_a_document_that_is_too_long_is_known_by_digest_and_size() -> None:
    longest = DOCUMENT_BYTES_MAX - len('{"a":""}')
    fits, too_long = document_of({"a": "x" * longest}), document_of({"a": "x" * (longest + 1)})
    assert fits is not None
    assert too_long is not None
    assert (fits.size, fits.text is None) == (DOCUMENT_BYTES_MAX, False)
    assert (too_long.size, too_long.text) == (DOCUMENT_BYTES_MAX + 1, None)


@pytest.mark.parametrize("odd", [{"a": 2**60}, {"a": "\ud800"}, '{"a": NaN}', '{"a": "\\ud800"}'])
def test_a_document_without_a_canonical_form_is_known_by_its_digest(odd: object) -> None:
    found = document_of(odd)
    assert found is not None
    assert found.text is None


@given(values.filter(lambda value: isinstance(value, dict | list) and value))
def test_a_document_has_the_digest_of_its_text(value: Any) -> None:
    found = document_of(value)
    if found is not None:  # {"omitted": …} has none.
        assert found.text is not None
        assert json.loads(found.text) == value
        assert found.digest == hashlib.sha256(found.text.encode()).hexdigest()
        assert document_of(found.text) == found
