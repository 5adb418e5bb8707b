"""Single fields of a trace: a value of another type is missing, and a reason tells no person."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from ledger.sources.fields import (
    NOBODY,
    WHY_CHARS_MAX,
    address,
    first_text,
    mapping,
    text,
    why,
    within,
)

NOT_TEXTS = [None, "", " ", "\t\n", "null", 7, True, ["x"], {"x": "y"}]


@pytest.mark.parametrize("value", NOT_TEXTS, ids=str)
def test_a_value_that_is_not_a_text_or_is_empty_is_missing(value: object) -> None:
    assert text(value) is None
    assert first_text([value]) is None
    assert first_text([value, "x", "y"]) == "x"


@pytest.mark.parametrize("value", ["x", " x ", "Null", "0"])
def test_a_text_is_kept_as_it_is(value: str) -> None:
    assert text(value) == value
    assert first_text([value]) == value


def test_of_no_texts_there_is_no_first() -> None:
    assert first_text([]) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        (' \n{"a": 1}', {"a": 1}),
        ("{}", {}),
        ('{"a": ', {}),
        ("[1]", {}),
        ('"a"', {}),
        ("", {}),
        ([{"a": 1}], {}),
        (7, {}),
        (None, {}),
        ('{"a":' * 100_000, {}),
    ],
)
def test_an_object_may_be_encoded_as_text(value: object, expected: dict[str, int]) -> None:
    assert mapping(value) == expected


def test_an_object_within_objects_is_found_by_its_path() -> None:
    record = {"a": {"b": json.dumps({"c": {"d": 1}})}, "e": 7}
    assert within(record) == record
    assert within(record, "a", "b") == {"c": {"d": 1}}
    assert within(record, "a", "b", "c") == {"d": 1}
    assert within(record, "a", "x", "c") == {}
    assert within(record, "e", "b") == {}
    assert within({}, "a") == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("192.0.2.1:443", None),
        ("example.amazonaws.com", None),
        ("", None),
        (3_221_225_985, None),
        (None, None),
    ],
)
def test_only_an_ip_address_is_an_address(value: object, expected: str | None) -> None:
    assert address(value) == expected


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["Delete", "Denied", "No."], "Delete: Denied: No."),
        (["Delete", None, "", "No."], "Delete: No."),
        (["Delete", "No.", "Delete", "No."], "Delete: No."),
        (["Delete", 403], "Delete: 403"),
        ([], ""),
        (["two\nlines\x1b[2J"], "two lines [2J"),
    ],
)
def test_a_reason_is_its_parts_on_one_line(parts: Sequence[object], expected: str) -> None:
    assert why(parts) == expected


def test_a_reason_that_is_too_long_is_cut_visibly() -> None:
    assert why(["x" * WHY_CHARS_MAX]) == "x" * WHY_CHARS_MAX
    assert why(["x" * (WHY_CHARS_MAX + 1)]) == "x" * (WHY_CHARS_MAX - 1) + "…"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("zoe may not", f"{NOBODY} may not"),
        ("ask zoe", f"ask {NOBODY}"),
        ("'zoe' (zoe), zoe: zoe", f"'{NOBODY}' ({NOBODY}), {NOBODY}: {NOBODY}"),
        ("zoes", "zoes"),
        ("azoe", "azoe"),
        ("role/zoe", "role/zoe"),
        ("zoe/role", "zoe/role"),
        ("zoe.txt", "zoe.txt"),
        ("x-zoe", "x-zoe"),
        ("zoe-x", "zoe-x"),
    ],
)
def test_a_persons_name_is_replaced_where_it_is_a_word(reason: str, expected: str) -> None:
    assert why([reason], ["zoe"]) == expected
    assert why([reason], [None, "", "somebody-else", "zoe"]) == expected


def test_a_name_that_has_special_characters_is_replaced_literally() -> None:
    assert why(["ask a.b+c@x.example"], ["a.b+c@x.example"]) == f"ask {NOBODY}"
    assert why(["ask aXb+c"], ["a.b+c"]) == "ask aXb+c"


def test_a_name_of_two_characters_is_not_looked_for() -> None:
    assert why(["is it ok, bob"], ["ok", "is"]) == "is it ok, bob"
    assert why(["is it ok, bob"], ["bob"]) == f"is it ok, {NOBODY}"


@pytest.mark.parametrize("length", [256, 257, 380])
def test_a_long_name_is_replaced_too(length: int) -> None:
    assert why([f"ask {'z' * length}"], ["z" * length]) == f"ask {NOBODY}"


@pytest.mark.parametrize(("length", "is_replaced"), [(256, False), (257, True)])
def test_a_very_long_name_is_replaced_also_within_a_word(length: int, is_replaced: bool) -> None:
    assert (NOBODY in why([f"x{'z' * length}"], ["z" * length])) is is_replaced


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:user/zoe",
        "arn:aws-cn:iam::123456789012:user/team/zoe",
        "arn:aws:sts::123456789012:assumed-role/admin/zoe",
        "arn:aws:sts::123456789012:federated-user/zoe",
        "arn:aws:iam:::user/zoe",
    ],
)
def test_the_arn_of_a_person_is_replaced_without_knowing_the_person(arn: str) -> None:
    assert why([f"User: {arn} may not"]) == f"User: {NOBODY} may not"


@pytest.mark.parametrize(
    "arn", ["arn:aws:iam::123456789012:role/zoe", "arn:aws:iam::123456789012:root"]
)
def test_the_arn_of_a_role_is_kept(arn: str) -> None:
    assert why([f"on resource: {arn}"]) == f"on resource: {arn}"
