"""The rules of a cloud, as data: what each successful call needs, and what holds after it.

A successful call whose need was not met proves that another call was not seen. The fold counts
these unseen calls; the explanation with the fewest of them is the right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from ledger.account.truth.fact import Call, Kind


class Effect(NamedTuple):
    """The need of a call, and the state after it."""

    needs: Literal["absent", "present", "granted", "anything"]
    then: Literal["exists", "ends", "asked", "unasked", "granted", "revoked", "set", "unchanged"]


EFFECTS: Final[Mapping[Call, Effect]] = {
    "created": Effect("absent", "exists"),
    "entered": Effect("absent", "exists"),
    "deleted": Effect("present", "ends"),
    "left": Effect("present", "ends"),
    "deletion asked for": Effect("present", "asked"),
    "deletion failed": Effect("anything", "unasked"),
    "granted": Effect("present", "granted"),
    "revoked": Effect("granted", "revoked"),
    "ended": Effect("present", "revoked"),
    "doubted": Effect("present", "unchanged"),
    "unplaced": Effect("present", "unchanged"),
    "trust set": Effect("present", "set"),
    "expiry set": Effect("present", "set"),
    "evidence": Effect("present", "unchanged"),
}
"""`renamed` is two calls: the thing left one name and entered another. `ended` is the end of the
policy or project of a permission."""

MOVEMENTS: Final = frozenset[Call]({"created", "deleted", "left", "entered", "unseen"})
"""The calls that change which thing has a name."""


class Rules(NamedTuple):
    """The differences between clouds."""

    provider: str
    names_ignore_case: bool
    deletes_only_detached: frozenset[Kind]
    """Kinds that the cloud deletes only after the last permission was revoked. Of other kinds, a
    deletion ends the permissions itself."""

    def slot(self, name: str) -> str:
        """The name as the cloud compares it."""
        return name.casefold() if self.names_ignore_case else name


AWS: Final = Rules(
    "aws", names_ignore_case=True, deletes_only_detached=frozenset({"agency", "policy"})
)
HUAWEICLOUD: Final = Rules(
    "huaweicloud", names_ignore_case=False, deletes_only_detached=frozenset()
)
_RULES: Final = {rules.provider: rules for rules in (AWS, HUAWEICLOUD)}


def rules_of(provider: str) -> Rules:
    """The rules of a provider. Clouds of the same make as Huawei Cloud have its rules."""
    return _RULES.get(provider, HUAWEICLOUD)
