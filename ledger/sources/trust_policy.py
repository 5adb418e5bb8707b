"""Reads trust policies, AWS's and Huawei Cloud's version 5.0: the principals, as one line."""

from __future__ import annotations

import json
import re
from typing import Any, Final
from urllib.parse import unquote

from ledger.sources.fields import mapping

TRUSTEE_CHARS_MAX: Final = 2_000
ANYONE: Final = "anyone"

_whole_account = re.compile(
    r"(?:arn:[\w-]+:)?iam::(\d{12}|[0-9a-f]{32}):root|(\d{12}|[0-9a-f]{32})", re.ASCII
)
"""AWS has 12 digits, Huawei Cloud 32 hexadecimal ones, and names of IAM without `arn:…:`."""
_KINDS: Final = {
    "service": "service",
    "federated": "federated",
    "identity_provider": "federated",
    "canonicaluser": "canonical-user",
}


def trustee(document: object) -> str | None:
    """The principals that a trust policy allows, sorted; None if it cannot be read.

    >>> trustee('{"Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}}')
    'service:ec2.amazonaws.com'

    Principals: `service:…` (`service:asm` for Huawei Cloud's `service.ASM`, as in the catalogue),
    `account:…` (the whole account), `federated:…`, an ARN or id unchanged, `anyone`. Several are
    joined by ", ".
    """
    statements = _document(document).get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list):
        return None
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement, dict) and statement.get("Effect") == "Allow":
            names |= _principals(statement)
    return _joined(sorted(names)) if names else None


def service_word(principal: str) -> str:
    """A service's word in the catalogue: `asm` for Huawei Cloud's `service.ASM`; else unchanged."""
    own = principal.removeprefix("service.")
    return principal if own == principal else own.lower()


def _document(document: object) -> dict[str, Any]:
    """The policy in an object, in JSON text, or in URL-encoded JSON, as IAM's responses have it."""
    if isinstance(document, str) and document.lstrip().startswith("%7B"):
        document = unquote(document)
    return mapping(document)


def _principals(statement: dict[str, Any]) -> set[str]:
    if "NotPrincipal" in statement:
        return {f"anyone but {json.dumps(statement['NotPrincipal'], sort_keys=True)}"}
    principal = statement.get("Principal")
    if principal == "*":
        return {ANYONE}
    if not isinstance(principal, dict):
        return set()
    return {
        _named(kind, name)
        for kind, names in principal.items()
        for name in (names if isinstance(names, list) else [names])
        if isinstance(name, str) and name
    }


def _named(kind: str, name: str) -> str:
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
