"""The rules of the clouds, as data: which calls give a name to another thing, and what differs.

The steps of a story (`story`) say what each successful call needs, and what holds after it.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.account.truth.fact import Call, Kind

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
