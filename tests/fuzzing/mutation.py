"""Random changes to JSON, texts and bytes, from a seeded generator.

`RAW` texts are JSON that Python does not write: deep nesting, very long numbers.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

RAW: Final[dict[str, str]] = {
    "@raw deep array@": "[" * 900 + "]" * 900,
    "@raw deeper array@": "[" * 5_000 + "]" * 5_000,
    "@raw endless array@": "[" * 5_000,
    "@raw deep object@": '{"a":' * 990 + "1" + "}" * 990,
    "@raw digits@": "9" * 5_000,
    "@raw exponent@": "1e99999",
    "@raw nan@": "NaN",
    "@raw word@": "nul",
}
TIMES: Final = (
    "9999-12-31T23:59:59.999999-23:59",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "0000-01-01T00:00:00Z",
    "2026-02-30T00:00:00Z",
    "2026-W10-7T10:00:00Z",
    "2026-03-01 10:00:00+08:00",
    "9999/12/31 23:59:59 GMT-14:00",
    "Dec 31, 9999, 11:59:59 PM",
    "253402300799999",
    "9999999999999",
    "-62135596800",
)
TEXTS: Final = (
    "", " ", "null", "\0", "a\0b", "\n", "\r\n", "\t", "\x1b[2J", "\x85", "\u2028", "\u202e", "\u200b", "\ufeff",
    "\ud800", "caf\udce9", "é", "北京四", "وكالة", "\U0001f6e1", "*", ":", "a:b", "a/b", "../x", "/", "-", "--", "--help", "-1",
    "'", '"', "%s", "{}", "{0}", "$HOME", "~", "~nobody", "@1", "@raw", "arn:aws:iam::123456789012:role/x",
    "{", "[", "{}", '{"a":1}', "%7B%7D", "true", "0", "1e9", "9" * 30, "x" * 129, "x" * 2_049, "é" * 70_000,
)  # fmt: skip
_TIME: Final = re.compile("time|expir|date|_at$", re.IGNORECASE)
"""The keys of times, which are read more closely than other texts."""
SCALARS: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63, 10**30, 0.1, -0.0, 1e308, 1772357400000, [], {}, [[]], [1],
    {"a": 1}, {"": ""}, [None],
)  # fmt: skip


def odd_text(chance: random.Random, longest: int = 4_096) -> str:
    """Any text: a known odd one, a time, or something repeated up to a length."""
    kind = chance.random()
    if kind < 0.6:
        return chance.choice(TEXTS)
    if kind < 0.8:
        return chance.choice(TIMES)
    return pumped(chance.choice(TEXTS) + chance.choice(TEXTS), chance, longest)


def pumped(text: str, chance: random.Random, longest: int) -> str:
    """A text with a part repeated. Quadratic cost becomes visible."""
    start = chance.randrange(len(text) + 1)
    part = text[start : start + chance.randint(1, 40)] or "a"
    times = chance.randint(1, longest) // len(part)
    return text[:start] + part * times + text[start:]


def odd_value(chance: random.Random, longest: int = 4_096) -> Any:
    """Any JSON value, and some values that JSON does not have."""
    kind = chance.random()
    if kind < 0.4:
        return odd_text(chance, longest)
    return chance.choice(SCALARS) if kind < 0.9 else chance.choice([*RAW])


def mutated(value: Any, chance: random.Random, longest: int = 4_096) -> Any:
    """A copy with one to three changes: another value or key, one removed, one added."""
    copy = json.loads(json.dumps(value))
    for _ in range(chance.randint(1, 3)):
        places = list(_places(copy))
        if not places:
            return odd_value(chance, longest)
        container, key = chance.choice(places)
        chance.choice(_CHANGES)(container, key, chance, longest)
    return copy


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a value, with each of its keys or indexes."""
    if not isinstance(value, dict | list):
        return
    for key, each in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        yield from _places(each)


def _replace(container: Any, key: Any, chance: random.Random, longest: int) -> None:
    is_time = _TIME.search(str(key)) is not None and chance.random() < 0.5
    container[key] = chance.choice(TIMES) if is_time else odd_value(chance, longest)


def _remove(container: Any, key: Any, chance: random.Random, longest: int) -> None:
    del container[key]


def _pump(container: Any, key: Any, chance: random.Random, longest: int) -> None:
    old = container[key]
    container[key] = pumped(old if isinstance(old, str) else json.dumps(old), chance, longest)


def _encode(container: Any, key: Any, chance: random.Random, longest: int) -> None:
    """Replace an object by text with its JSON, as some clouds deliver it."""
    container[key] = json.dumps(container[key])


def _add(container: Any, key: Any, chance: random.Random, longest: int) -> None:
    if isinstance(container, dict):
        container[odd_text(chance, 64)] = odd_value(chance, longest)
    else:
        container.insert(key, odd_value(chance, longest))


def _change_case(container: Any, key: Any, chance: random.Random, longest: int) -> None:
    if isinstance(container[key], str):
        container[key] = container[key].swapcase()


_CHANGES: Final[tuple[Callable[[Any, Any, random.Random, int], None], ...]] = (
    _replace, _replace, _replace, _remove, _pump, _encode, _add, _change_case,
)  # fmt: skip


def as_json(value: Any, **how: Any) -> str:
    """JSON in which RAW texts are inserted as they are."""
    text = json.dumps(value, **how)
    return re.sub(r'"(@raw [a-z ]+@)"', lambda found: RAW.get(found[1], found[0]), text)


def odd_name(chance: random.Random) -> str:
    """A file name that file systems and archives can encode."""
    text = odd_text(chance, 64).encode("utf-8", "replace").decode().replace("\0", "")
    return text.replace("/", "")[:40].strip(". ") or "x"


def scratched(content: bytes, chance: random.Random) -> bytes:
    """Some bytes removed or replaced, a part repeated or cut off."""
    scratch = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(scratch) + 1)
        scratch[at : at + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 3))
    if chance.random() < 0.2:
        at = chance.randrange(len(scratch) + 1)
        scratch[at:at] = scratch[max(0, at - chance.randrange(1, 400)) : at]
    return bytes(
        scratch[: chance.randrange(len(scratch) + 1)] if chance.random() < 0.2 else scratch
    )
