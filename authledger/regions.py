"""Refuses a region that nobody knows: a mistyped one would remain in the history."""

from __future__ import annotations

from collections.abc import Callable

from ledger.account.questions import Account
from ledger.catalogue import Catalogue
from ledger.errors import InvalidInput
from ledger.messages import Command
from ledger.near_words import near, offer


def check_region(
    command: Command, catalogue: Catalogue, account: Callable[[], Account | None], option: str
) -> None:
    """Raises InvalidInput for a region that neither the catalogue nor the account knows.

    `account` finds the command's account, if there is a ledger; `option` is how a caller says that
    a region is right.
    """
    region = getattr(command, "region", None)
    if region is None or catalogue.knows_region(command.provider, region):
        return
    found = account()
    if found is not None and region in found.regions():
        return
    raise InvalidInput(
        f"The catalogue has no region {region!r} of {command.provider}, and this account did not "
        "use it before. Nothing was recorded.",
        remedy=f"{offer(near(region, catalogue.regions(command.provider)))}"
        f"If the region exists, add {option}.",
    )
