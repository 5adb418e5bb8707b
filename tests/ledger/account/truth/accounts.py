"""Simulated accounts for cells: two agencies, three policies and a project, and late news.

Most calls fit what happened before, and some facts are lost. Each call names things by id, by name
or by both. Facts arrive in order of time, but for some that arrive up to twelve facts later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import Any, Final

from ledger.account.truth.fact import Call, Fact
from tests.ledger.account.truth.histories import at, fact, numbered

AGENCIES: Final = ("ci", "deploy")
POLICIES: Final = ("etl", "admin", "read")
LIVING: Final = POLICIES[:2]
"""The policies that are created and deleted. The last one is the cloud's own."""
LOST: Final = 0.1


class Account:
    """One account, and the facts of what happened in it, in order of time."""

    def __init__(self, random: Random, calls: int) -> None:
        self._random = random
        self._ids = random.random() < 0.7
        self._agencies: dict[str, str] = {}
        self._policies: dict[str, str] = {}
        self._made = 0
        self.facts: list[Fact] = []
        second = 0
        for call in range(calls):
            second += random.choice((0, 0, 1, 1, 2, 5))
            stated: dict[str, Any] = {
                "trace": random.choice((None, f"t{call}", f"t{call // 2}")),
                "actor": random.choice(("alice", "bob")),
                "origin": random.choice(("observed",) * 5 + ("commanded",)),
            }
            one = self._call(second)._replace(**stated)
            self.facts += [one] if random.random() >= LOST else []

    def _call(self, second: int) -> Fact:
        share, name = self._random.random(), self._random.choice(AGENCIES)
        if share < 0.12:
            return self._create_or_delete(name, second)
        if share < 0.20:
            return self._of_policy(self._random.choice(LIVING), second)
        if share < 0.23:
            call: Call = self._random.choice(("created", "deleted"))
            return Fact(call, "project", at(second), 0, id="pr1", name="eu")
        if share < 0.40:
            return fact("E", second, **self._called(name))
        if share < 0.45:
            return self._set(name, second)
        use = self._used(self._random.choice(POLICIES)) | self._placed()
        if use["region"] == "*":
            use["document"] = self._random.choice((None, None, "", "d", "e"))
        return fact(self._random.choice("AAX"), second, **self._called(name), **use)

    def _create_or_delete(self, name: str, second: int) -> Fact:
        if name in self._agencies and self._random.random() < 0.8:
            deleted = fact("D", second, **self._called(name))
            del self._agencies[name]
            return deleted
        self._agencies[name] = self._new_id("X")
        expiry = self._random.choice((None, None, at(second + 20)))
        identity = self._agencies[name] if self._ids else None
        return fact("C", second, id=identity, name=name, expires_at=expiry, trustee="service:x")

    def _of_policy(self, name: str, second: int) -> Fact:
        known = self._policies.get(name)
        if known is None:
            self._policies[name] = self._new_id("P")
            made = {"id": self._policies[name], "name": name, **self._written()}
            return Fact("created", "policy", at(second), 0, **made)
        if self._random.random() < 0.6:
            del self._policies[name]
            stated = name if self._random.random() < 0.5 else None
            return Fact("deleted", "policy", at(second), 0, id=known, name=stated)
        return Fact("renamed", "policy", at(second), 0, id=known, name=name, **self._written())

    def _written(self) -> dict[str, Any]:
        """A document, one that is not told, or none; perhaps of a version."""
        version = self._random.choice((None, "v1", "v2"))
        document = {"v1": "d1", "v2": "d2"}.get(version or "", self._random.choice("abc"))
        return {
            "document": self._random.choice((document, document, "")),
            "version": version,
            "in_force": self._random.choice((None, True, True, False)),
        }

    def _set(self, name: str, second: int) -> Fact:
        letter, called = self._random.choice("TTPLBU"), self._called(name)
        if letter == "T":
            trustee, document = self._random.choice(("service:x", "y")), self._random.choice("de")
            return fact("T", second, trustee=trustee, document=document, **called)
        if letter in "BU":
            return fact(letter, second, **called, **({"policy": "etl"} if letter == "B" else {}))
        if letter == "P":
            return fact("P", second, expires_at=at(second + self._random.choice((5, 30))), **called)
        return fact("L", second, **called)

    def _called(self, name: str) -> dict[str, Any]:
        known = self._agencies.get(name)
        if known is None or not self._ids or self._random.random() < 0.6:
            return {"name": name}
        return {"id": known, "name": name if self._random.random() < 0.5 else None}

    def _used(self, name: str) -> dict[str, Any]:
        known = self._policies.get(name)
        if known is None or self._random.random() < 0.6:
            return {"policy": name}
        return {"policy_id": known, "policy": name if self._random.random() < 0.5 else None}

    def _placed(self) -> dict[str, Any]:
        return self._random.choice(
            (
                {"region": "*"},
                {"region": "*"},
                {"region": "eu"},
                {"region": None, "project_id": "pr1"},
                {"region": "eu", "project_id": "pr1"},
            )
        )

    def _new_id(self, letter: str) -> str:
        self._made += 1
        return f"{letter}{self._made}"


def with_late_news(facts: list[Fact], random: Random) -> list[Fact]:
    """The facts as they arrive, with their positions."""
    arriving = list(facts)
    for _ in range(int(len(facts) * random.choice((0, 0.1, 0.3)))):
        place = random.randrange(len(arriving))
        arriving.insert(min(len(arriving), place + random.randint(1, 12)), arriving.pop(place))
    return numbered([*arriving, *_read_again(arriving, random)])


def _read_again(facts: Iterable[Fact], random: Random) -> Iterator[Fact]:
    """Facts of later readings of some traces: they add documents that those facts do not tell."""
    for one in facts:
        if one.document == "" and one.trace is not None and random.random() < 0.5:
            yield one._replace(
                call="read again", document="told later", region=None, project_id=None, key=None
            )
