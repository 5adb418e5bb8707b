"""Reads trust policies, AWS's and Huawei Cloud's version 5.0, and policies of resources: the
principals that they let in, as one line.

    account:123456789012                              the whole account
    account:123456789012 if sts:ExternalId [5b09f2ef] the same, limited by a condition
    except anyone if aws:MultiFactorAuthPresent […]   a statement that denies

A condition is shown by its keys and by the beginning of the SHA-256 of its canonical form: a value
may name a person, and its full text is kept under the document's digest. Any change of a condition
changes the line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

from ledger.sources.fields import mapping

TRUSTEE_CHARS_MAX: Final = 2_000
ANYONE: Final = "anyone"
EXCEPT: Final = "except "
_KEYS_CHARS_MAX: Final = 256
_DIGEST_CHARS: Final = 8

_whole_account = re.compile(
    r"(?:arn:[\w-]+:)?iam::(\d{12}|[0-9a-f]{32}):root|(\d{12}|[0-9a-f]{32})", re.ASCII
)
"""AWS has 12 digits, Huawei Cloud 32 hexadecimal ones, and names of IAM without `arn:…:`."""
_unprintable = re.compile(r"[^!-~]")
_KINDS: Final = {
    "service": "service",
    "federated": "federated",
    "identity_provider": "federated",
    "canonicaluser": "canonical-user",
}
_NEVER_ENOUGH: Final = re.compile(
    r"sts::?(tagsession|setsourceidentity|setcontext)", re.IGNORECASE | re.ASCII
)
"""Actions that only add to a session: a principal that has no other one cannot begin a session."""


def trustee(document: object) -> str | None:
    """The principals that a trust policy allows, sorted, then those that it denies; None if it
    cannot be read, or allows nobody.

    >>> trustee('{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}}')
    'service:ec2.amazonaws.com'

    Principals: `service:…` (`service:asm` for Huawei Cloud's `service.ASM`, as in the catalogue),
    `account:…` (the whole account), `federated:…`, an ARN or id unchanged, `anyone`. Several are
    joined by ", ".
    """
    allowed = principals(document)
    denied = [f"{EXCEPT}{each}" for each in principals(document, "Deny")]
    return _joined([*allowed, *denied]) if allowed else None


def principals(document: object, effect: str = "Allow") -> list[str]:
    """The principals of a policy's statements of one effect, sorted, each with its condition."""
    return sorted(
        {
            f"{name}{_limit(statement)}"
            for statement in _statements(document)
            if statement.get("Effect") == effect and not _only_adds_to_sessions(statement)
            for name in _principals(statement)
        }
    )


def service_word(principal: str) -> str:
    """A service's word in the catalogue: `asm` for Huawei Cloud's `service.ASM`; else unchanged."""
    own = principal.removeprefix("service.")
    return principal if own == principal else own.lower()


def _statements(document: object) -> Iterator[dict[str, Any]]:
    statements = _document(document).get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if isinstance(statements, list):
        yield from (each for each in statements if isinstance(each, dict))


def _document(document: object) -> dict[str, Any]:
    """The policy in an object, in JSON text, or in URL-encoded JSON, as IAM's responses have it."""
    if isinstance(document, str) and document.lstrip().startswith("%7B"):
        document = unquote(document)
    return mapping(document)


def _only_adds_to_sessions(statement: dict[str, Any]) -> bool:
    actions = _values(statement.get("Action"))
    return bool(actions) and all(_NEVER_ENOUGH.fullmatch(str(action)) for action in actions)


def _limit(statement: dict[str, Any]) -> str:
    """` if sts:ExternalId [5b09f2ef]`: the keys of a condition, and its digest; else nothing."""
    condition = statement.get("Condition")
    if not isinstance(condition, dict) or not condition:
        return ""
    canonical = {
        operator: {key: sorted(map(_written, _values(value))) for key, value in tests.items()}
        for operator, tests in condition.items()
        if isinstance(tests, dict)
    }
    keys = " and ".join(sorted({key for tests in canonical.values() for key in tests}))
    text = json.dumps(canonical or condition, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]
    return f" if {_unprintable.sub(' ', keys)[:_KEYS_CHARS_MAX] or 'a condition'} [{digest}]"


def _values(value: object) -> list[Any]:
    """One value and a list of one value mean the same."""
    return value if isinstance(value, list) else [] if value is None else [value]


def _written(value: object) -> str:
    """`true` and `"true"` mean the same."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _principals(statement: dict[str, Any]) -> set[str]:
    if "NotPrincipal" in statement:
        return {f"anyone but {json.dumps(statement['NotPrincipal'], sort_keys=True)}"}
    principal = statement.get("Principal")
    if principal == "*":
        return {ANYONE}
    if not isinstance(principal, dict):
        return set()
    return {
        principal_word(kind, name)
        for kind, names in principal.items()
        for name in _values(names)
        if isinstance(name, str) and name
    }


def principal_word(kind: str, name: str) -> str:
    """The word of one principal, such as `AWS` and `arn:aws:iam::123456789012:root`."""
    if name == "*":
        return ANYONE
    prefix = _KINDS.get(kind.lower())
    if prefix == "service":
        return f"service:{service_word(name)}"
    if prefix:
        return f"{prefix}:{name}"
    account = _whole_account.fullmatch(name)
    return f"account:{account[1] or account[2]}" if account else name


def _joined(names: list[str]) -> str:
    """As many names as fit into the limit, and the number of the others."""
    whole = ", ".join(names)
    if len(whole) <= TRUSTEE_CHARS_MAX:
        return whole
    kept: list[str] = []
    while len(", ".join(kept)) + len(names[0]) < TRUSTEE_CHARS_MAX - 20:
        kept.append(names.pop(0))
    return ", ".join([*kept, f"and {len(names)} more"])
