"""Refuses a region that nobody knows: a mistyped one would stand in the history for ever."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cli.options import Login
from cli.printing.output import say
from cli.reading import ledger_of

if TYPE_CHECKING:
    from ledger.messages import Command


def check_region(ask: Login, request: Command, *, is_new: bool) -> None:
    """Raises InvalidInput for a region that neither the catalogue nor the account knows.

    `is_new`: the user says that it is right (--new-region); then a note says what is recorded.
    """
    from ledger.catalogue import load_catalogue
    from ledger.errors import InvalidInput
    from ledger.near_words import near, offer

    region = getattr(request, "region", None)
    catalogue = load_catalogue(ask.settings.catalogue)
    if region is None or catalogue.knows_region(request.provider, region):
        return
    unknown = f"The catalogue has no region {region!r} of {request.provider}"
    if is_new:
        say(f"{unknown}; it is recorded as given.")
    elif not _is_in_use(ask, request, region):
        raise InvalidInput(
            f"{unknown}, and this account did not use it before. Nothing was recorded.",
            remedy=f"{offer(near(region, catalogue.regions(request.provider)))}"
            "If the region exists, add --new-region.",
        )


def _is_in_use(ask: Login, request: Command, region: str) -> bool:
    """Whether the account has been asked for consent, or has a permission, in the region."""
    from ledger.errors import NotFound

    with suppress(NotFound), ledger_of(ask) as ledger:
        account = ledger.account(request.provider, request.account)
        asked = {region for _, region in account.authorizations}
        permitted = {key.region for keys in account.permissions.values() for key in keys}
        return region in asked | permitted
    return False
