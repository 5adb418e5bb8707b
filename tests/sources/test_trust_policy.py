"""Trust policies of both clouds: the principals that they allow, as one line."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from ledger.sources.trust_policy import trustee

ACCOUNT, DOMAIN = "123456789012", "0f3c2b1a9d8e4f7a8b6c5d4e3f2a1b0c"


TRUSTEE_CHARS_MAX = 2_000


def policy(*statements: object) -> str:
    return json.dumps({"Statement": list(statements)})


def allow(principal: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": principal}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        ("*", "anyone"),
        ({"AWS": "*"}, "anyone"),
        ({"IAM": ["*"]}, "anyone"),
        ({"AWS": ACCOUNT}, f"account:{ACCOUNT}"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, f"account:{ACCOUNT}"),
        ({"AWS": f"arn:aws-cn:iam::{ACCOUNT}:root"}, f"account:{ACCOUNT}"),
        ({"IAM": DOMAIN}, f"account:{DOMAIN}"),
        ({"IAM": f"iam::{DOMAIN}:root"}, f"account:{DOMAIN}"),
        ({"IAM": f"iam::{DOMAIN}:user:mei"}, f"iam::{DOMAIN}:user:mei"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:user/x"}, f"arn:aws:iam::{ACCOUNT}:user/x"),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:root2"}, f"arn:aws:iam::{ACCOUNT}:root2"),
        ({"AWS": "AIDAEXAMPLE"}, "AIDAEXAMPLE"),
        ({"AWS": "1234567890123"}, "1234567890123"),
        ({"AWS": "12345678901٢"}, "12345678901٢"),
        ({"Service": "ec2.amazonaws.com"}, "service:ec2.amazonaws.com"),
        ({"Service": "EC2.amazonaws.com"}, "service:EC2.amazonaws.com"),
        ({"Service": "service.ASM"}, "service:asm"),
        ({"service": ["service.ASM"]}, "service:asm"),
        ({"Federated": "cognito"}, "federated:cognito"),
        ({"Identity_provider": "idp"}, "federated:idp"),
        ({"CanonicalUser": "79a5"}, "canonical-user:79a5"),
        ({"AWS": ["b", "a"], "Service": "s"}, "a, b, service:s"),
        ({"AWS": ["a", "a", "", 7, None]}, "a"),
        ({}, None),
        ("someone", None),
        (None, None),
        ([], None),
    ],
)
def test_each_kind_of_principal_is_named(principal: object, expected: str | None) -> None:
    assert trustee(policy(allow(principal))) == expected


def test_everyone_but_some_is_anyone_but_those() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": "b", "Service": "a"}}
    assert trustee(policy(statement)) == 'anyone but {"AWS": "b", "Service": "a"}'
    reordered = {"Effect": "Allow", "NotPrincipal": {"Service": "a", "AWS": "b"}}
    assert trustee(policy(reordered)) == trustee(policy(statement))


EXTERNAL = {"StringEquals": {"sts:ExternalId": "k-77"}}


def limited(condition: object, principal: object = "a", **more: object) -> str | None:
    return trustee(policy(allow({"AWS": principal}) | {"Condition": condition} | more))


def test_a_condition_is_shown_by_its_keys_and_its_digest() -> None:
    assert limited(EXTERNAL) == "a if sts:ExternalId [5b09f2ef]"
    both = EXTERNAL | {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    line = limited(both)
    assert line is not None
    assert line.startswith("a if aws:MultiFactorAuthPresent and sts:ExternalId [")


@pytest.mark.parametrize(
    "other",
    [
        {"StringEquals": {"sts:ExternalId": "k-78"}},
        {"StringEquals": {"sts:ExternalId": ["k-77", "k-78"]}},
        {"StringLike": {"sts:ExternalId": "k-77"}},
        {"StringEquals": {"sts:RoleSessionName": "k-77"}},
        EXTERNAL | {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {},
        None,
    ],
)
def test_every_change_of_a_condition_changes_the_line(other: object) -> None:
    assert limited(other) != limited(EXTERNAL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"StringEquals": {"k": "v"}}, {"StringEquals": {"k": ["v"]}}),
        ({"StringEquals": {"k": ["v", "w"]}}, {"StringEquals": {"k": ["w", "v"]}}),
        ({"Bool": {"k": True}}, {"Bool": {"k": "true"}}),
        ({"A": {"k": "v"}, "B": {"l": "w"}}, {"B": {"l": "w"}, "A": {"k": "v"}}),
    ],
)
def test_two_spellings_of_one_condition_are_one_line(one: object, other: object) -> None:
    assert limited(one) == limited(other)


@pytest.mark.parametrize("condition", [None, {}, "text", []])
def test_an_empty_condition_limits_nothing(condition: object) -> None:
    assert limited(condition) == "a"


def test_a_condition_never_tells_a_value() -> None:
    line = limited({"StringEquals": {"aws:username": "mei"}})
    assert line is not None
    assert "mei" not in line


@pytest.mark.parametrize("condition", [{"StringEquals": "odd"}, {"StringEquals": {}}])
def test_a_condition_without_keys_is_a_condition(condition: object) -> None:
    line = limited(condition)
    assert line is not None
    assert line.startswith("a if a condition [")


def test_two_conditions_without_keys_are_two() -> None:
    assert limited({"StringEquals": "odd"}) != limited({"StringEquals": "even"})


def test_keys_that_cannot_be_printed_or_are_too_long_do_not_break_the_line() -> None:
    line = limited({"StringEquals": {"k\x1b\ud800" + "x" * 10_000: "v"}})
    assert line is not None
    assert line.isprintable()
    assert line.startswith("a if k")
    assert len(line) < 300


def test_each_principal_of_a_statement_has_its_condition() -> None:
    line = limited(EXTERNAL, ["b", "a"])
    assert line == "a if sts:ExternalId [5b09f2ef], b if sts:ExternalId [5b09f2ef]"


def test_a_statement_that_denies_is_shown_after_those_that_allow() -> None:
    deny = {"Effect": "Deny", "Principal": {"AWS": "b"}}
    assert trustee(policy(deny, allow({"AWS": "a"}))) == "a, except b"
    mfa = {"Effect": "Deny", "Principal": "*", "Condition": {"Bool": {"mfa": "false"}}}
    line = trustee(policy(mfa, allow({"AWS": "a"})))
    assert line is not None
    assert line.startswith("a, except anyone if mfa [")


@pytest.mark.parametrize(
    "action", ["sts:TagSession", ["sts:TagSession", "STS:SetSourceIdentity"], "sts::tagSession"]
)
def test_a_statement_that_only_adds_to_sessions_trusts_nobody(action: object) -> None:
    adds = allow({"AWS": "a"}) | {"Action": action}
    assert trustee(policy(adds)) is None
    whole = allow({"AWS": "a"}) | {"Action": "sts:AssumeRole", "Condition": EXTERNAL}
    assert trustee(policy(adds, whole)) == "a if sts:ExternalId [5b09f2ef]"


def test_a_statement_that_also_assumes_counts() -> None:
    both = allow({"AWS": "a"}) | {"Action": ["sts:AssumeRole", "sts:TagSession"]}
    assert trustee(policy(both)) == "a"


def test_only_statements_that_allow_count() -> None:
    deny = {"Effect": "Deny", "Principal": "*"}
    assert trustee(policy(deny)) is None
    assert trustee(policy(allow({"AWS": "a"}), "text", allow({"AWS": "b"}))) == "a, b"


@pytest.mark.parametrize("encode", [json.dumps, lambda document: quote(json.dumps(document)), dict])
def test_a_document_is_an_object_a_json_text_or_a_url_encoded_one(encode: object) -> None:
    assert callable(encode)
    assert trustee(encode({"Statement": [allow({"AWS": "a"})]})) == "a"
    assert trustee(encode({"Statement": allow({"AWS": "a"})})) == "a"


def test_only_a_document_that_is_url_encoded_is_decoded() -> None:
    assert trustee(policy(allow({"AWS": "a%2Fb"}))) == "a%2Fb"
    assert trustee(quote(policy(allow({"AWS": "a%2Fb"})))) == "a%2Fb"


@pytest.mark.parametrize(
    "document", ["not json", "", None, 7, "{}", '{"Statement":7}', '{"Statement":"text"}', "%7Bx"]
)
def test_a_document_that_cannot_be_read_tells_nobody(document: object) -> None:
    assert trustee(document) is None


def test_as_many_trustees_as_fit_are_named_and_the_rest_is_counted() -> None:
    names = [f"arn:aws:iam::{n:012}:user/u" for n in range(300)]
    line = trustee(policy(allow({"AWS": names})))
    assert line is not None
    *kept, rest = line.split(", ")
    assert kept == names[: len(kept)]
    assert rest == f"and {300 - len(kept)} more"
    room = TRUSTEE_CHARS_MAX - len(line)
    assert 0 <= room < len(names[0]) + 20


def test_the_longest_line_of_trustees_is_kept_whole() -> None:
    longest = "a" * (TRUSTEE_CHARS_MAX - 3)
    assert trustee(policy(allow({"AWS": [longest, "b"]}))) == f"{longest}, b"
    assert trustee(policy(allow({"AWS": [f"{longest}a", "b"]}))) == "and 2 more"
